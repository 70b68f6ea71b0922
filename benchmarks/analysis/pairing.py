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
    beside: bool = False
    """One of the two has its like in the other run; this is what else was tried there."""

    @property
    def label(self) -> str:
        if self.before.label == self.after.label:
            return self.before.label
        return " → ".join(map(set_apart, (self.before, self.after)))

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
        return replace(self, before=before, after=after)


def set_apart(row: Row) -> str:
    """A row's label, what is set in brackets: `network (width=512)`."""
    model, rest = row.first["model"], row.label.removeprefix(row.first["model"]).strip()
    return f"{model} ({rest})" if rest else model


def seeds_of(row: Row) -> set[int]:
    """Those that it finished."""
    return {r["seed"] for r in row.done}


def pairs(before: Section, after: Section) -> list[Pair]:
    """Rows that belong together: those with the same label; then, model by model, the only ones
    that are left, or the plain one of a run with each variant that the other has alone."""
    partners = {row.label: row for row in after.rows}
    found = [Pair(row, partners[row.label]) for row in before.rows if row.label in partners]
    met = {pair.before.label for pair in found}
    left: list[dict[str, list[Row]]] = [{}, {}]  # rows without a partner, by model
    for section, of_model in zip((before, after), left, strict=True):
        for row in section.rows:
            if row.label not in met:
                of_model.setdefault(row.first["model"], []).append(row)
    own = {row.label: row for row in before.rows}
    for model in dict.fromkeys(row.first["model"] for row in before.rows):
        mine, its = (of_model.get(model, []) for of_model in left)
        if len(mine) == len(its) == 1:
            found.append(Pair(mine[0], its[0]))
            continue
        if model in own:
            found += [Pair(own[model], row, model in met) for row in its]
        if model in partners:
            found += [Pair(row, partners[model], model in met) for row in mine]
    return found


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
    return section.task, json.dumps(config, sort_keys=True), section.control, section.part


def task(section: Section) -> object:
    return section.task, section.control, section.part
