"""Every model on every task: who stands where on whose home ground, and what a view gives.

A view is how a model reads a task: features that a person designed, or what the task is made of
(events, a signal, ids, texts). An era has its home ground where it reads what is there as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.analysis.summary import Row, Section, Span, broadest, total_seconds

DESIGNED = "features"


@dataclass(frozen=True)
class Square:
    """A model on a task."""

    section: Section
    row: Row | None

    @property
    def has_score(self) -> bool:
        return self.row is not None and self.row.score(self.section.metric) is not None

    @property
    def rank(self) -> tuple[int, int] | None:
        """The ranks that verdicts leave open; without these the place by the mean."""
        if self.row is None or not self.has_score:
            return None
        standing = self.section.standings.get(self.row.label)
        if standing is not None:
            return standing.low, standing.high
        place = [row.label for row in self.section.rows].index(self.row.label) + 1
        return place, place

    @property
    def seconds(self) -> Span | None:
        """Load, view, search, fit and predict."""
        if self.row is None or not self.has_score:
            return None
        return self.row.seconds(total_seconds)

    @property
    def why(self) -> tuple[str, str]:
        """(in two words, in a sentence) why there is no score; empty where there is one."""
        if self.has_score:
            return "", ""
        if self.row is None:
            return "not run", "no cell of this run has it"
        first = self.row.first
        reason = str(first["reason"] or "")
        if first["status"] == "skipped" and " has no view " in reason:
            return f"reads {first['view'].replace('|', ', ')}", reason
        if first["status"] == "skipped" and " more than it takes " in reason:
            return "too large", reason
        return first["status"], reason or "it has no score on the task's main metric"


@dataclass(frozen=True)
class Matrix:
    """Squares by model (oldest first) and task."""

    models: Sequence[str]
    sections: Sequence[Section]
    squares: Sequence[Sequence[Square]]
    """For each model one of each task"""

    def sentences(self) -> list[str]:
        """What the raw view of each task gave, against features."""
        return [sentence for section in self.sections if (sentence := ground(section))]


def matrix(sections: Sequence[Section]) -> Matrix | None:
    """Of the tasks of a run; None unless there are several, each with one config, and some model
    that was tried on two of them."""
    sections = broadest(sections)
    if len({section.task for section in sections}) != len(sections) or len(sections) < 2:
        return None
    # Records have no order of tasks but that in which cells came by lot.
    sections = sorted(sections, key=lambda section: section.label)
    years: dict[str, int] = {}
    rows: dict[tuple[str, int], Row] = {}
    for place, section in enumerate(sections):
        for row in section.rows:
            years.setdefault(row.label, row.first["year"] or 9999)
            rows[row.label, place] = row
    if len(rows) == len(years):
        return None
    models = sorted(years, key=lambda label: (years[label], label))
    squares = [
        [Square(section, rows.get((label, place))) for place, section in enumerate(sections)]
        for label in models
    ]
    return Matrix(models, sections, squares)


def best_by_view(section: Section) -> dict[str, Row]:
    """View -> the best row that read it, best view first."""
    found: dict[str, Row] = {}
    for row in section.rows:
        if row.score(section.metric) is not None:
            found.setdefault(row.first["view"], row)
    return found


def ground(section: Section) -> str:
    """In one sentence what the best model on a view other than features gave, against the best on
    features; empty where nothing was read but features."""
    best = best_by_view(section)
    other = next((row for view, row in best.items() if view != DESIGNED), None)
    if other is None:
        return ""
    view = other.first["view"]
    score = other.score(section.metric)
    assert score is not None
    on_its_own = f"On {section.label}, {other.label} on {view} has {section.main.label}"
    if DESIGNED not in best:
        return f"{on_its_own} {score.mean:.3f}; nothing was tried on features."
    designed = best[DESIGNED]
    against = designed.score(section.metric)
    assert against is not None
    gain = score.mean - against.mean
    word = verdict_word(section, other, designed)
    sentence = (
        f"{on_its_own} {score.mean:.3f}, {designed.label} on features {against.mean:.3f}: "
        f"what the task is made of gives {gain:+.3f} over what a person designed"
    ).replace("-", "−")
    return f"{sentence}{f' ({word})' if word else ''}."


def verdict_word(section: Section, one: Row, other: Row) -> str:
    """What the verdicts say of a row against another; empty where nobody judged."""
    for verdict in section.verdicts:
        if {verdict.a, verdict.b} == {one.label, other.label}:
            if verdict.word != "better":
                return verdict.word
            return "better" if verdict.a == one.label else "worse"
    return ""
