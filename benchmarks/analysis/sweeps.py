"""A task under several settings: who leads where, and where the lines cross.

With many points somebody leads somewhere by chance. So a lead counts where every other row is worse
after a correction for the number of points as well (Bonferroni, on top of Holm's within a point),
and with the luck of a seed in it where there is one seed alone. Leads and changes of it that are
told are then true together with 95 %.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise
from typing import Any, NamedTuple

from benchmarks.analysis.estimates import ALPHA
from benchmarks.analysis.summary import Row, Section, broadest

FEW = 6  # points that are named in a sentence


@dataclass(frozen=True)
class Point:
    """One setting of the task."""

    settings: Mapping[str, Any]
    """Those that are not the same in all points of the sweep."""
    section: Section
    among: int = 1
    """Points of the sweep, which are judged together."""

    @cached_property
    def done(self) -> list[Row]:
        """Rows with a score, best first."""
        return [row for row in self.section.rows if row.score(self.section.metric) is not None]

    @cached_property
    def group(self) -> list[Row]:
        """The best row, and all of which nobody can say that they are worse; empty if one of them
        knows no more than the floor."""
        if not self.done:
            return []
        first, *others = self.done
        close = [first, *(row for row in others if not self.is_better(first.label, row.label))]
        return [] if any(map(self._is_blind, close)) else close

    @property
    def leader(self) -> Row | None:
        """The row that leads; None where nobody can tell."""
        return self.group[0] if len(self.group) == 1 else None

    def is_better(self, one: str, other: str) -> bool:
        """Is a row better than another one, after correction for all pairs and points?"""
        return any(
            (v.a, v.b, v.word) == (one, other, "better")
            and (v.p if v.p_any_seed is None else v.p_any_seed) * self.among < ALPHA
            for v in self.section.verdicts
        )

    def _is_blind(self, row: Row) -> bool:
        metric = self.section.metric
        score, floor = row.score(metric), self.section.reference("floor", metric)
        return score is not None and floor is not None and score.mean == floor.mean

    def lift(self, row: Row) -> float | None:
        """How far a row is on the way from the floor (0) to the best one (1)."""
        metric = self.section.metric
        score, floor = row.score(metric), self.section.reference("floor", metric)
        best = self.group[0].score(metric) if self.group else None
        if score is None or floor is None or best is None or best.mean == floor.mean:
            return None
        return (score.mean - floor.mean) / (best.mean - floor.mean)

    @cached_property
    def train_rows(self) -> float | None:
        found = [r["rows"]["train"] for row in self.section.rows for r in row.done]
        return found[0] if found else None


class Crossing(NamedTuple):
    before: str  # who led
    after: str  # who leads from there on
    where: float  # on the axis
    point: Point  # the first one that it leads


class Passing(NamedTuple):
    """A row that learns goes past one that learns nothing, such as a prompt without examples."""

    model: str
    reference: str
    where: float | None  # on the axis; None: ahead at the first point already
    score: float  # of the reference
    sure: float | None  # the first value from which on it is better, beyond chance; None: nowhere


@dataclass(frozen=True)
class Sweep:
    """Points of one task that differ in these settings alone, in their order."""

    task: str
    keys: Sequence[str]
    points: Sequence[Point]

    @property
    def axis(self) -> str | None:
        """The name of what grows from point to point; None where several settings change, or one
        that is no number."""
        if len(self.keys) != 1 or not all(
            _is_number(p.settings[self.keys[0]]) for p in self.points
        ):
            return None
        return "train rows" if self.keys[0] in ("rows", "train_rows") else self.keys[0]

    def value(self, point: Point) -> float:
        """Where a point is on the axis."""
        if self.axis == "train rows" and point.train_rows is not None:
            return float(point.train_rows)
        return float(point.settings[self.keys[0]])

    def label(self, point: Point) -> str:
        if self.axis == "train rows":
            return f"{self.value(point):,.0f}"
        if len(self.keys) == 1:
            return f"{point.settings[self.keys[0]]}"
        # Dials that are off are left out: what is left is what the problem is made of.
        on = [
            key if value == 1 else f"{key}={value}"
            for key, value in point.settings.items()
            if value
        ]
        return " + ".join(name.removeprefix(self._common) for name in on) or "nothing"

    @property
    def _common(self) -> str:
        """The word that the names of all keys begin with, with its underscore."""
        word = self.keys[0].partition("_")[0] + "_"
        return word if all(key.startswith(word) for key in self.keys) else ""

    def crossings(self) -> list[Crossing]:
        """Where the lead changes: between two points with a leader, where their scores would meet
        if both were straight lines over the axis (over its logarithm, where all values are
        positive)."""
        if self.axis is None:
            return []
        found = []
        led = [p for p in self.points if p.leader is not None]
        is_log = all(self.value(p) > 0 for p in led)
        for a, b in pairwise(led):
            assert a.leader
            assert b.leader
            before, after = a.leader.label, b.leader.label
            if before == after:
                continue
            gaps = [_gap(point, before, after) for point in (a, b)]
            if gaps[0] is None or gaps[1] is None:  # one of them was not there
                found.append(Crossing(before, after, self.value(b), b))
                continue
            found.append(Crossing(before, after, self._meeting(a, b, gaps[0], gaps[1], is_log), b))
        return found

    def _meeting(self, a: Point, b: Point, gap: float, later: float, is_log: bool) -> float:
        """Where two rows meet that are so far apart at two points, between these."""
        share = gap / (gap - later) if gap != later else 1.0
        low, high = self.value(a), self.value(b)
        if not is_log:
            return low + share * (high - low)
        return math.exp(math.log(low) + share * (math.log(high) - math.log(low)))

    @cached_property
    def passings(self) -> list[Passing]:
        """Where rows that learn from labels go past those that look at none, for good; the first
        to pass first. Rows that are behind at the last point are left out."""
        if self.axis is None:
            return []
        rows = [{row.label: row for row in point.done} for point in self.points]
        everywhere = [label for label in rows[0] if all(label in of for of in rows)]
        blind = [label for label in everywhere if all(_takes_no_labels(of[label]) for of in rows)]
        found = []
        for reference in blind:
            for model in everywhere:
                if model not in blind and (passing := self._passing(model, reference)):
                    found.append(passing)
        return sorted(found, key=lambda passing: passing.where or 0.0)

    def _passing(self, model: str, reference: str) -> Passing | None:
        gaps = [_gap(point, model, reference) or 0.0 for point in self.points]
        behind = [place for place, gap in enumerate(gaps) if gap <= 0]
        if behind and behind[-1] == len(gaps) - 1:
            return None
        where = None
        if behind:
            a, b = behind[-1], behind[-1] + 1
            is_log = all(self.value(point) > 0 for point in self.points)
            pair = self.points[a], self.points[b]
            where = self._meeting(*pair, gaps[a], gaps[b], is_log)
        sure = None
        for point in reversed(self.points):
            if not point.is_better(model, reference):
                break
            sure = self.value(point)
        row = next(row for row in self.points[-1].done if row.label == reference)
        score = row.score(self.points[-1].section.metric)
        assert score is not None
        return Passing(model, reference, where, score.mean, sure)

    def passing_sentence(self) -> str:
        """What passes what, and where; empty where nothing does."""
        parts = []
        for reference, group in groupby(
            sorted(self.passings, key=lambda p: p.reference), lambda p: p.reference
        ):
            said = [
                f"{p.model} "
                + ("at once" if p.where is None else f"at about {float(f'{p.where:.2g}'):,g}")
                + (f" (better from {p.sure:,g} on)" if p.sure is not None else " (not sure)")
                for p in group
            ]
            parts.append(f"Go past {reference}, which takes no {self.axis}: {', '.join(said)}.")
        return " ".join(parts)

    def sentence(self) -> str:
        """Where each model begins to lead, and where nobody can tell."""
        told = [p for p in self.points if p.group]
        if not told:
            return ""
        open_at = [p for p in told if p.leader is None]
        if self.axis is not None:
            led = [p for p in told if p.leader is not None]
            parts = []
            if led and led[0].leader:
                parts.append(f"{led[0].leader.label} leads at {self.label(led[0])} {self.axis}")
            for _, after, where, _ in self.crossings():
                parts.append(f"from about {float(f'{where:.2g}'):,g} on {after} does")
            for names, points in groupby(open_at, lambda p: ", ".join(r.label for r in p.group)):
                at = self._several([self.label(p) for p in points])
                parts.append(f"nobody can tell at {at}{'' if led else f' {self.axis}'} ({names})")
            return f"{'; '.join(parts)}."
        wins: dict[str, list[str]] = {}
        for point in told:
            if point.leader is not None:
                wins.setdefault(point.leader.label, []).append(self.label(point))
        often = sorted(wins.items(), key=lambda item: -len(item[1]))
        parts = [f"{model} leads in {self._counted(at)}" for model, at in often]
        if open_at:
            parts.append(f"nobody can tell in {self._counted([self.label(p) for p in open_at])}")
        return "; ".join(parts) + "."

    def _counted(self, at: Sequence[str]) -> str:
        return f"{len(at)} of {len(self.points)}" + (
            f" ({', '.join(at)})" if len(at) <= FEW else ""
        )

    @staticmethod
    def _several(labels: Sequence[str]) -> str:
        return ", ".join(labels) if len(labels) <= FEW else f"{labels[0]} to {labels[-1]}"


def sweeps(found: Sequence[Section]) -> list[Sweep]:
    """The sweeps among sections: for each task and control-free state of its code, the settings
    that are not the same in all of its sections."""
    groups: dict[tuple[Any, ...], list[Section]] = {}
    for section in broadest(found):
        if not section.control:
            code = section.everything[0].first["code"]
            groups.setdefault((section.task, code["task"]), []).append(section)
    made = []
    for (task, _), members in groups.items():
        settings = [section.everything[0].first["config"]["task"] for section in members]
        keys = [key for key in settings[0] if len({repr(s.get(key)) for s in settings}) > 1]
        if len(members) < 2 or not keys:
            continue
        points = [
            Point({key: s.get(key) for key in keys}, section, len(members))
            for s, section in zip(settings, members, strict=True)
        ]
        if all(_is_number(value) for p in points for value in p.settings.values()):
            points.sort(key=_place)
        made.append(Sweep(task, keys, points))
    return made


def _place(point: Point) -> tuple[Any, ...]:
    """Of several dials few that are on before many; the same ones from low to high."""
    values = list(point.settings.values())
    if len(values) == 1:
        return (values,)
    return sum(map(bool, values)), [value == 0 for value in values], values


def _is_number(value: Any) -> bool:
    """Can it be a place on an axis?"""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) <= 1e150


def _gap(point: Point, before: str, after: str) -> float | None:
    """How far `before` is ahead of `after` at a point."""
    metric = point.section.metric
    sign = point.section.main.sign
    scores = {row.label: row.score(metric) for row in point.done}
    one, other = scores.get(before), scores.get(after)
    return None if one is None or other is None else sign * (one.mean - other.mean)


def _takes_no_labels(row: Row) -> bool:
    return all((record.get("work") or {}).get("labels") == 0 for record in row.done)
