"""Does the lead of the row that was chosen hold on seeds that the choice has not seen?

The first of many rows is first by merit and by luck, and on the rows that it was chosen by nobody
can tell them apart. On fresh ones luck has no memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.analysis.pairing import seeds_of
from benchmarks.analysis.summary import Row, Section
from benchmarks.analysis.verdicts import Verdict, signed
from benchmarks.errors import BadInput
from benchmarks.records.records import Record

FEWEST = 3  # seeds that tell how much seeds matter


@dataclass(frozen=True)
class Question:
    """Two rows of a section, of which the first was chosen."""

    section: Section
    chosen: Row
    other: Row

    @property
    def lead(self) -> float | None:
        """Of the means over the seeds that both finished, positive whichever way it points."""
        main = self.section.main
        seeds = seeds_of(self.chosen) & seeds_of(self.other)
        found = [
            [r["scores"].get(main.name) for r in row.done if r["seed"] in seeds]
            for row in (self.chosen, self.other)
        ]
        if not seeds or any(None in scores for scores in found):
            return None
        chosen, other = (sum(scores) / len(scores) for scores in found)
        return float(main.sign * (chosen - other))

    def fresh_seeds(self, count: int | None = None) -> list[int]:
        """The first ones after all that the section has; as many as the chosen row has, at least
        three, unless it is said how many."""
        used = {r["seed"] for row in self.section.everything for r in row.records}
        count = max(FEWEST, len(seeds_of(self.chosen))) if count is None else count
        return list(range(max(used) + 1, max(used) + 1 + count))


def question(run: str, found: Sequence[Section], task: str | None, against: str | None) -> Question:
    """What there is to confirm in the sections of a run, whose rows are in order. task: the label
    of one of them; against: the label of a row, None for the second. Raises BadInput."""
    contests = [section for section in found if not section.control]
    if task is not None:
        contests = [section for section in contests if task in (section.label, section.task)]
    if len(contests) != 1:
        names = "; ".join(sorted(s.label for s in found if not s.control)) or "none"
        what = f"no one table {task!r}" if task is not None else "no one table"
        raise BadInput(f"The run {run} has {what} to confirm; name one with --task, of: {names}.")
    (section,) = contests
    rows = [row for row in section.rows if row.done]
    if len(rows) < 2:
        raise BadInput(f"The run {run} has {len(rows)} row with a score; a lead takes two.")
    others = {row.label: row for row in rows[1:]}
    if against is not None and against not in others:
        raise BadInput(f"--against {against!r}: the others are {', '.join(others)}.")
    return Question(section, rows[0], rows[1] if against is None else others[against])


def same_row(section: Section, like: Row) -> Row | None:
    """The row of a section that has the model and the config of another one's."""

    def key(record: Record) -> tuple[object, ...]:
        return record["model"], record["config"], record["code"]

    rows = (row for row in section.rows if key(row.first) == key(like.first))
    return next(rows, None)


def told(
    asked: Question, run: str, chosen: str, verdict: Verdict, seeds: Sequence[int], ground: str
) -> str:
    """One sentence. chosen: the label of the chosen row in the verdict. ground: what is fresh."""
    turn = 1 if verdict.a == chosen else -1
    other = verdict.b if turn == 1 else verdict.a
    low, high = sorted((turn * verdict.low, turn * verdict.high))
    figures = f"{signed(turn * verdict.difference)}, 95 % {signed(low)} to {signed(high)}"
    was = "" if asked.lead is None else f"; it was {signed(asked.lead)} in {run}"
    where = f"on {len(seeds)} {ground} ({seeds[0]} to {seeds[-1]})"
    lead = f"the lead of {chosen} over {other}"
    if verdict.word == "better":
        word = f"{lead} holds" if turn == 1 else f"{lead} turns round: {other} is better"
    elif verdict.word == "can't tell":
        word = f"{lead} is not confirmed, as nobody can tell"
    else:
        word = f"{lead} does not hold: they are {verdict.word}"
    label = asked.section.main.label
    return f"{where[0].upper()}{where[1:]}, {word} ({label} {figures}{was}){verdict.advice()}."
