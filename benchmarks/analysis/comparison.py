"""A comparison of runs: what differs between them, what became of each model. Knows no file, no
page and no terminal: show/comparison.py says what is shown of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks.analysis.changes import Change, changes, judged
from benchmarks.analysis.differences import differences
from benchmarks.analysis.outcomes import Load
from benchmarks.analysis.pairing import Pair, pairs, section_pairs, seeds_of
from benchmarks.analysis.ranking import ranked_by
from benchmarks.analysis.summary import Row, Section, sections
from benchmarks.analysis.verdicts import signed
from benchmarks.errors import BadInput
from benchmarks.records.machine import fingerprint
from benchmarks.records.records import Record
from tasks.metrics import Facts


@dataclass(frozen=True)
class Side:
    """A run, as far as a comparison needs it."""

    name: str
    records: Sequence[Record]
    load: Load


@dataclass(frozen=True)
class Line:
    """A model in two runs, and what became of each metric."""

    pair: Pair
    changes: Mapping[str, Change]

    @property
    def label(self) -> str:
        return self.pair.label

    def same_machine(self) -> bool:
        """Did the same kind of machine time both?"""
        before, after = (
            {fingerprint(r["machine"]) for r in row.done}
            for row in (self.pair.before, self.pair.after)
        )
        return len(before | after) == 1

    def ending(self) -> str:
        """How the second row ended where the first was done; empty if it was done as well."""
        row = self.pair.after
        never = {r["seed"] for r in self.pair.before.records} - seeds_of(self.pair.before)
        ended = [r for r in row.records if r["status"] != "done" and r["seed"] not in never]
        return replace(row, records=[*row.done, *ended]).ending() if self.pair.before.done else ""


@dataclass(frozen=True)
class Block:
    """A task in the first run and in a later one."""

    names: tuple[str, str]
    before: Section
    after: Section
    metrics: Sequence[str]
    """The one that matters most first."""
    lines: Sequence[Line]

    def facts(self, name: str) -> Facts:
        """Of one of its metrics."""
        return next(m for m in (*self.before.metrics, *self.after.metrics) if m.name == name)

    def alone(self) -> Iterator[tuple[str, list[str]]]:
        """(run, labels of the rows that have no partner in the other one)"""
        met = {id(row) for line in self.lines for row in (line.pair.before, line.pair.after)}
        for name, section in zip(self.names, (self.before, self.after), strict=True):
            labels = [row.label for row in section.rows if id(row) not in met]
            if labels:
                yield name, labels


@dataclass(frozen=True)
class Comparison:
    names: Sequence[str]
    differences: Sequence[tuple[str, Sequence[str]]]
    blocks: Sequence[Block]
    """Task by task, in each of them run by run."""
    remarks: Sequence[str]
    """What could not be compared."""


def compare(sides: Sequence[Side], metric: str | None = None) -> Comparison:
    """Each later run against the first. metric: the one that matters most, None for each task's
    own. BadInput: there is nothing to compare, or a task does not have that metric."""
    tasks = [{r["task"] for r in side.records} for side in sides]
    if not any(tasks[0] & later for later in tasks[1:]):
        has = ", ".join(
            f"{side.name} has {' and '.join(sorted(own))}"
            for side, own in zip(sides, tasks, strict=True)
        )
        raise BadInput(f"{has}: nothing to compare.")
    blocks: list[tuple[int, Block]] = []
    remarks: list[str] = []
    base, first = sides[0], sections(sides[0].records)
    place = {id(section): k for k, section in enumerate(first)}
    for side in sides[1:]:
        later = sections(side.records)
        found = section_pairs(*([s for s in x if not s.control] for x in (first, later)))
        met = {id(section) for pair in found for section in pair}
        for name, own in ((base.name, first), (side.name, later)):
            other = side.name if name == base.name else base.name
            remarks += [without_partner(name, s, other) for s in own if id(s) not in met]
        for a, b in found:
            kinds = [{r["kind"] for row in x.everything for r in row.done} for x in (a, b)]
            if all(kinds) and kinds[0] != kinds[1]:
                remarks.append(f"{a.label}: {a.kind} in {base.name}, {b.kind} in {side.name}")
            else:
                blocks.append((place[id(a)], block(base, side, a, b, metric)))
    blocks.sort(key=lambda item: item[0])
    return Comparison(
        [side.name for side in sides],
        differences([side.records for side in sides]),
        with_verdicts([one for _, one in blocks]),
        list(dict.fromkeys(remarks)),
    )


def without_partner(name: str, section: Section, other: str) -> str:
    if section.control:
        return f"{section.label}: left out, as scores of a spoiled task are no contest"
    return f"{section.label}: only in {name}, nothing to compare it with in {other}"


def block(base: Side, side: Side, before: Section, after: Section, metric: str | None) -> Block:
    """The changes between two sections, not yet judged."""
    if metric is not None:
        before, after = ranked_by(before, metric, base.load), ranked_by(after, metric, side.load)
    metrics = before.metrics or after.metrics
    lines = []
    for pair in pairs(before, after):
        found = changes(pair, metrics, (base.load, side.load))
        lines.append(Line(pair, {change.metric: change for change in found}))
    names = [facts.name for facts in metrics]
    return Block((base.name, side.name), before, after, names, lines)


def with_verdicts(blocks: Sequence[Block]) -> list[Block]:
    """The same blocks, all changes of a metric judged together."""
    words = iter(
        judged(change for b in blocks for line in b.lines for change in line.changes.values())
    )
    return [
        replace(
            b,
            lines=[
                Line(line.pair, {metric: next(words) for metric in line.changes})
                for line in b.lines
            ],
        )
        for b in blocks
    ]


def failures(comparison: Comparison, amount: float) -> list[str]:
    """A sentence on every model whose main metric is worse than in the first run by more than
    `amount` and beyond noise, or that was done there and ended otherwise in a later one. What was
    tried beside a model that both runs have is no fault of it."""
    found = []
    for b in comparison.blocks:
        where = f"{b.before.label}, {b.names[1]} against {b.names[0]}"
        for line in (line for line in b.lines if not line.pair.beside):
            change = line.changes.get(b.metrics[0])
            if change and change.is_worse_by_more_than(amount) and change.interval:
                low, high = change.interval
                found.append(
                    f"{line.label}: {change.facts.label} worse by more than {amount:g}: "
                    f"{signed(change.difference)}, 95 % {signed(low)} to {signed(high)} ({where})"
                )
            if ending := line.ending():
                found.append(f"{line.label}: done in {b.names[0]}, {ending} ({where})")
    return found


def clocks(block: Block, line: Line) -> list[str]:
    """Why the times of a line do not count in full: a disturbed clock, cells side by side."""
    found = []
    sides: Iterable[tuple[str, Section, Row]] = zip(
        block.names, (block.before, block.after), (line.pair.before, line.pair.after), strict=True
    )
    for name, section, row in sides:
        disturbed = row.checks().get("ME08")
        strange = section.strange_clocks.get(row.label)
        found += [f"{reason} (in {name})" for reason in (disturbed, strange) if reason]
    return found
