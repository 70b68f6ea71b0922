"""What to use, as it follows from the verdicts: the best, the simplest that is as good, what nobody
can tell yet, and what speaks against trusting any of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.analysis.summary import Row, Section, total_seconds
from benchmarks.analysis.verdicts import Verdict, signed

MOST_WARNINGS = 2


@dataclass(frozen=True)
class Advice:
    """On the rows of one section that have a score."""

    section: Section
    best: Row
    """The first by the mean."""
    as_good: Sequence[Row]
    """Those that are equal to it in practice."""
    unsure: Sequence[tuple[Row, Verdict]]
    """Those that nobody can tell from it yet."""
    use: Row
    """Of the best and those as good the simplest: the oldest approach, and of one age the one that
    takes least time."""
    cheapest: Row | None
    """Of the same the one that takes least time; None where no clock tells."""
    warnings: Sequence[str]

    @property
    def others(self) -> list[Row]:
        """All rows with a score but the best, in their order."""
        return [row for row in scored(self.section) if row is not self.best]

    @property
    def is_sure(self) -> bool:
        """Is the best better than every row that is not as good, beyond doubt?"""
        behind = {v.b for v in _of(self.section, self.best) if v.word == "better"}
        good = {row.label for row in self.as_good}
        return behind | good >= {row.label for row in self.others}

    @property
    def knows_nothing(self) -> bool:
        """Is the best no better than what is known without looking at a row?"""
        name = self.section.metric
        score, floor = self.best.score(name), self.section.reference("floor", name)
        if score is None or floor is None:
            return False
        return self.section.main.sign * (score.mean - floor.mean) <= 0

    @property
    def ties(self) -> tuple[int, int]:
        """(neighbours in the ranking that nobody can tell apart, all neighbours)"""
        rows = [self.best, *self.others]
        pairs = [{a.label, b.label} for a, b in pairwise(rows)]
        words = {frozenset((v.a, v.b)): v.word for v in self.section.verdicts}
        told = [words.get(frozenset(pair)) == "better" for pair in pairs]
        return len(told) - sum(told), len(told)


def advise(section: Section) -> Advice | None:
    """None where no row has a score."""
    rows = scored(section)
    if not rows:
        return None
    best = rows[0]
    by_label = {row.label: row for row in rows}
    known = {v.b if v.a == best.label else v.a: v for v in _of(section, best)}
    as_good = [by_label[label] for label, v in known.items() if v.word == "equal in practice"]
    unsure = [(by_label[label], v) for label, v in known.items() if v.word == "can't tell"]
    good = [best, *as_good]
    timed = [(seconds, row) for row in good if (seconds := seconds_of(section, row)) is not None]
    return Advice(
        section,
        best,
        as_good,
        unsure,
        min(good, key=lambda row: _simplicity(section, row)),
        min(timed, key=lambda pair: pair[0])[1] if timed else None,
        warnings(section, best)[:MOST_WARNINGS],
    )


def scored(section: Section) -> list[Row]:
    """Rows with a score, best first."""
    return [row for row in section.rows if row.score(section.metric) is not None]


def seconds_of(section: Section, row: Row) -> float | None:
    """The median of what a seed takes in all; None where a clock does not tell."""
    return section.seconds(row, total_seconds)


def warnings(section: Section, best: Row) -> list[str]:
    """What speaks against trusting the scores, the worst first, each thing once."""
    found = []
    leaks = [row.checks()["ME11"] for row in section.rows if "ME11" in row.checks()]
    if leaks:
        found.append(f"A leak is suspected: {leaks[0]}.")
    judged = _of(section, best)
    for v in judged:  # of a row that has not all seeds, and so no rank
        if v.word == "better" and v.b == best.label:
            figure = signed(v.difference)
            found.append(f"On the seeds in common {v.a} is better than {v.b} ({figure}).")
    if section.distrust:
        found.append(f"Do not trust {', '.join(section.distrust)}: a control failed.")
    if failed := [row.label for row in section.rows if not row.done]:
        found.append(f"Without a score: {', '.join(failed)}.")
    if judged and all(v.design == "one seed" for v in judged):
        found.append("All of it is about one seed; another one may turn out otherwise.")
    return found


def _of(section: Section, row: Row) -> list[Verdict]:
    """The verdicts on a row and others that have a score."""
    labels = {one.label for one in scored(section)}
    return [v for v in section.verdicts if row.label in (v.a, v.b) and {v.a, v.b} <= labels]


def _simplicity(section: Section, row: Row) -> tuple[int, float]:
    seconds = seconds_of(section, row)
    return row.first["year"] or 9999, float("inf") if seconds is None else seconds
