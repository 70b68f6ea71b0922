"""What belongs together in two runs: sections of one task, and in them rows of one model."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from benchmarks.analysis.summary import Row, Section


@dataclass(frozen=True)
class Pair:
    """A row of the first run and the one of a later run that it became."""

    before: Row
    after: Row

    @property
    def label(self) -> str:
        if self.before.label == self.after.label:
            return self.before.label
        model = self.before.first["model"]
        return f"{self.before.label} → {self.after.label.removeprefix(f'{model} ')}"

    def on_common_seeds(self) -> "Pair":
        """Both rows with the seeds that both finished, so that like is compared with like; as they
        are if there are none."""
        seeds = seeds_of(self.before) & seeds_of(self.after)
        if not seeds:
            return self
        before, after = (
            replace(row, records=[r for r in row.done if r["seed"] in seeds])
            for row in (self.before, self.after)
        )
        return Pair(before, after)


def seeds_of(row: Row) -> set[int]:
    """Those that it finished."""
    return {r["seed"] for r in row.done}


def pairs(before: Section, after: Section) -> list[Pair]:
    """Rows that belong together: those with the same label, then, model by model, the plain one
    (or only one) of each run that is left."""
    partners = {row.label: row for row in after.rows}
    found = [Pair(row, partners[row.label]) for row in before.rows if row.label in partners]
    met = {pair.before.label for pair in found}
    for model in dict.fromkeys(row.first["model"] for row in before.rows):
        a, b = (
            plain_or_only(
                [
                    row
                    for row in section.rows
                    if row.first["model"] == model and row.label not in met
                ],
                model,
            )
            for section in (before, after)
        )
        if a and b:
            found.append(Pair(a, b))
    return found


def plain_or_only(rows: Sequence[Row], model: str) -> Row | None:
    plain = [row for row in rows if row.label == model]
    return plain[0] if plain else rows[0] if len(rows) == 1 else None


def section_pairs(
    before: Sequence[Section], after: Sequence[Section]
) -> list[tuple[Section, Section]]:
    """Sections that belong together: of the same task under the same control, with the same
    settings, code and data, or else the same settings, or else the only ones that are left."""
    found: dict[int, tuple[Section, Section]] = {}
    left, right = list(before), list(after)
    for alike in (version, settings, task):
        mine, its = grouped(left, alike), grouped(right, alike)
        for key in mine.keys() & its.keys():
            if len(mine[key]) == len(its[key]) == 1:
                found[id(mine[key][0])] = mine[key][0], its[key][0]
        met = {id(section) for pair in found.values() for section in pair}
        left, right = ([x for x in side if id(x) not in met] for side in (left, right))
    return [found[id(section)] for section in before if id(section) in found]


def grouped(
    sections: Sequence[Section], key: Callable[[Section], object]
) -> dict[object, list[Section]]:
    groups: dict[object, list[Section]] = {}
    for section in sections:
        groups.setdefault(key(section), []).append(section)
    return groups


def version(section: Section) -> object:
    return section.key, section.control


def settings(section: Section) -> object:
    config = section.everything[0].first["config"]["task"]
    return section.task, json.dumps(config, sort_keys=True), section.control


def task(section: Section) -> object:
    return section.task, section.control
