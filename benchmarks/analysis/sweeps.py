"""A task under several settings: who leads where, and where the lines cross."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

from benchmarks.analysis.summary import Row, Section

CLOSE = ("equal in practice", "can't tell")
FEW = 6  # points that are named in a sentence


@dataclass(frozen=True)
class Point:
    """One setting of the task."""

    settings: Mapping[str, Any]
    """Those that are not the same in all points of the sweep."""
    section: Section

    @cached_property
    def done(self) -> list[Row]:
        """Rows with a score, best first."""
        return [row for row in self.section.rows if row.score(self.section.metric) is not None]

    @cached_property
    def leader(self) -> Row | None:
        """The best row; None if it cannot be told from one that knows no more than the floor."""
        if not self.done:
            return None
        close = {row.label: row for row in self.done if row.label in self._close_to(self.done[0])}
        return None if any(self._is_blind(row) for row in close.values()) else self.done[0]

    @cached_property
    def beside(self) -> list[str]:
        """Labels of rows of which nobody can say that they are worse than the leader."""
        return [] if self.leader is None else self._close_to(self.leader)

    def _close_to(self, row: Row) -> list[str]:
        return [
            v.b if v.a == row.label else v.a
            for v in self.section.verdicts
            if row.label in (v.a, v.b) and v.word in CLOSE
        ]

    def _is_blind(self, row: Row) -> bool:
        metric = self.section.metric
        score, floor = row.score(metric), self.section.reference("floor", metric)
        return score is not None and floor is not None and score.mean == floor.mean

    def lift(self, row: Row) -> float | None:
        """How far a row is on the way from the floor (0) to the leader (1)."""
        metric = self.section.metric
        score, floor = row.score(metric), self.section.reference("floor", metric)
        best = self.leader.score(metric) if self.leader else None
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
        return "train rows" if self.keys[0] == "rows" else self.keys[0]

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
        """Where the lead changes: between two points, where their
        scores would meet if both were straight lines over the axis (over its logarithm, where all
        values are positive)."""
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
            share = gaps[0] / (gaps[0] - gaps[1]) if gaps[0] != gaps[1] else 1.0
            low, high = self.value(a), self.value(b)
            where = (
                math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
                if is_log
                else low + share * (high - low)
            )
            found.append(Crossing(before, after, where, b))
        return found

    def sentence(self) -> str:
        """Where each model begins to lead."""
        led = [p for p in self.points if p.leader is not None]
        if not led:
            return ""
        if self.axis is not None:
            first = led[0].leader
            assert first
            text = f"{first.label} leads at {self.label(led[0])} {self.axis}"
            text += unsure(led[0])
            for _, after, where, point in self.crossings():
                text += f"; from about {float(f'{where:.2g}'):,g} on {after} does"
                text += unsure(point)
            return f"{text}."
        wins: dict[str, list[str]] = {}
        for point in led:
            assert point.leader
            wins.setdefault(point.leader.label, []).append(self.label(point))
        often = sorted(wins.items(), key=lambda item: -len(item[1]))
        parts = [
            f"{model} leads in {len(at)} of {len(self.points)}"
            + (f" ({', '.join(at)})" if len(at) <= FEW else "")
            for model, at in often
        ]
        return "; ".join(parts) + "."


def sweeps(found: Sequence[Section]) -> list[Sweep]:
    """The sweeps among sections: for each task and control-free state of its code, the settings
    that are not the same in all of its sections."""
    groups: dict[tuple[Any, ...], list[Section]] = {}
    for section in found:
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
            Point({key: s.get(key) for key in keys}, section)
            for s, section in zip(settings, members, strict=True)
        ]
        if all(_is_number(value) for p in points for value in p.settings.values()):
            points.sort(
                key=lambda p: (
                    (sum(map(bool, p.settings.values())), [-v for v in p.settings.values()])
                    if len(keys) > 1
                    else (0, [p.settings[keys[0]]])
                )
            )
        made.append(Sweep(task, keys, points))
    return made


def unsure(point: Point) -> str:
    """Who may be as good as the leader of a point."""
    beside = point.beside
    return f" ({', '.join(beside)} may be as good)" if beside else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _gap(point: Point, before: str, after: str) -> float | None:
    """How far `before` is ahead of `after` at a point."""
    metric = point.section.metric
    sign = point.section.main.sign
    scores = {row.label: row.score(metric) for row in point.done}
    one, other = scores.get(before), scores.get(after)
    return None if one is None or other is None else sign * (one.mean - other.mean)
