"""What a cell will take, before it has taken it: seconds and memory, from the size of its rows.

What cells of the usual models took on a hundred real tables (forecast.json, written by
benchmarks/suites/forecasts) says how seconds and memory grow with the rows; a piece of work of two
milliseconds says how fast this machine is beside that one; and whatever the same model has taken
here before corrects both, the more so the more alike the rows were. A model that is not among the
usual ones is known by its records alone.

The contract: a forecast is not under what the cell then takes by more than a tenth of that, and not
over twice that. How often it holds: docs/forecasts.md.
"""

import contextlib
import json
import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from benchmarks.records.records import Cell, Record

KNOWN = Path(__file__).with_name("forecast.json")
UNDER, OVER = 0.9, 2.0
"""Parts of the true figure between which a forecast keeps the contract."""
MARGIN = math.sqrt(UNDER * OVER)
"""What is likely, times this, is in the middle of what keeps the contract."""
OVERHEAD, LEAST_MB = 0.25, 40.0  # of a cell whose model does nothing
PRIOR = 1.0  # what is said of all machines counts as much as one record of rows of the same size
MOST = 100  # records of a kind, the latest ones: a forecast costs no more the longer a run is
SAME_TABLE = 10.0  # records of rows of the same size that one of the same rows counts as much as
USUAL_TIMING = 1.0  # seconds for calls of one size
ELSEWHERE = frozenset({"load", "view", "facts"})
"""Phases of whoever made the rows."""


class Size(NamedTuple):
    """Of the rows that a model learns from."""

    train: int
    columns: int
    levels: int = 0
    """Of all columns that are categories."""
    outputs: int = 1
    """Classes, of a problem with more than two."""


class Kind(NamedTuple):
    """Cells of one kind take alike on rows of one size."""

    model: str
    settings: str = ""
    """Those that are not as they stand in its YAML and class, and how it is searched."""
    threads: int = 0
    device: str | None = None
    """Where it is not what is there (`auto`)."""


class Taken(NamedTuple):
    """By a cell that was done."""

    size: Size
    rows: str
    """Which ones they were."""
    seconds: float
    """Without the making of its rows."""
    memory: float | None
    """Bytes."""


@dataclass(frozen=True)
class Forecast:
    seconds: float
    """Wall seconds from the start of its process to its end."""
    memory: float
    """Bytes at its peak, over what it has at its start: what `limits.memory` is about."""

    @property
    def likely(self) -> float:
        """The seconds that it will take with even chances of more or less."""
        return self.seconds / MARGIN

    def breaks(self, limits: Mapping[str, float | None]) -> list[tuple[str, bool]]:
        """(a limit that may be too low, is it so for certain?); memory in bytes."""
        found = []
        for name, most in (("seconds", self.seconds), ("memory", self.memory)):
            limit = limits.get(name)
            if limit is not None and limit < most / UNDER:
                found.append((name, limit < most / OVER))
        return found


class Named(Protocol):
    """A cell by its names."""

    @property
    def name(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def model(self) -> str: ...


class Forecaster:
    """Knows what cells took; says what others will take."""

    def __init__(
        self, calibration: float | None = None, known: Mapping[str, Any] | None = None
    ) -> None:
        """calibration: seconds of the piece of work on this machine (cell/clock.py), at its best;
        None where nobody has measured it, which is taken for as fast as where the tables were.
        known: what forecast.json holds, unless it says something else."""
        self._known = shipped() if known is None else known
        self.calibrated(calibration)
        self._learned: dict[Kind, dict[str, Taken]] = defaultdict(dict)  # by name of the cell
        self._sizes: dict[str, Size] = {}
        self._making: dict[str, float] = {}

    def calibrated(self, seconds: float | None) -> None:
        """See `__init__`; what is no time is no measurement."""
        reference = self._known["calibration"]
        self._speed = (seconds if seconds and seconds > 0 else reference) / reference

    def learn(self, record: Record) -> None:
        """Take in what a cell of this machine took; nothing of one that did not get to its end."""
        size = size_of(record)
        if record["status"] != "done" or record.get("stated") or size is None:
            return
        if not is_usual(record["timing"]):
            return
        rows, kind = rows_of(record), kind_of(record)
        self._sizes[rows] = size
        phases = record["phases"]
        if ELSEWHERE & phases.keys():
            self._making[rows] = sum(phases[name]["wall"] for name in ELSEWHERE if name in phases)
        if record["seconds"] is None or any(c["code"] == "ME08" for c in record.get("checks", ())):
            return
        alone = record["seconds"] - phases.get("make", {"wall": 0.0})["wall"]
        if record.get("prepared", {}).get("origin") == "own":
            alone -= self._making.get(rows, 0.0)
        of_kind = self._learned[kind]
        of_kind.pop(_name(record), None)
        of_kind[_name(record)] = Taken(size, rows, max(alone, 1e-3), memory_of(record))
        if len(of_kind) > MOST:
            del of_kind[next(iter(of_kind))]

    def size(self, rows: str) -> Size | None:
        """That rows had whose cells were learned from."""
        return self._sizes.get(rows)

    def making(self, rows: str) -> float:
        """Seconds that it took to make these rows, as far as anyone knows."""
        return self._making.get(rows, 0.0)

    def forecast(self, kind: Kind, size: Size, rows: str = "", before: float = 0.0) -> Forecast:
        """Of a cell on rows of this size. rows: which ones they are (see `rows_of`). before:
        seconds that pass until it has them. Raises LookupError for a model of which nothing is
        known."""
        told = self._learned.get(kind, {}).values()
        if not told and not self._is_held_against_tables(kind):
            raise LookupError(kind.model)
        prior = PRIOR if self._is_held_against_tables(kind) else 1e-6
        sums = [[0.0, prior], [0.0, prior]]
        for taken in told:
            weight = SAME_TABLE if taken.rows == rows else nearness(size, taken.size)
            found = (taken.seconds, None if taken.memory is None else taken.memory / 1e6)
            expected_of = self._plain(kind, taken.size)
            for total, true, expected in zip(sums, found, expected_of, strict=True):
                if true is not None:
                    total[0] += weight * math.log(true / expected)
                    total[1] += weight
        by_time, by_memory = (math.exp(total / weight) for total, weight in sums)
        seconds, megabytes = self._plain(kind, size)
        return Forecast(MARGIN * (seconds * by_time + before), MARGIN * megabytes * by_memory * 1e6)

    def _is_held_against_tables(self, kind: Kind) -> bool:
        """They were run with the usual settings, on a processor."""
        usual = not kind.settings and kind.device in (None, "cpu")
        return usual and kind.model in self._known["models"]

    def _plain(self, kind: Kind, size: Size) -> tuple[float, float]:
        """(seconds, MB) by what the tables say, or by what says no more than how both grow."""
        if not self._is_held_against_tables(kind):
            return rough(size)
        factors = self._known["models"][kind.model]
        seconds, megabytes = (grown(size, factors[name]) for name in ("seconds", "megabytes"))
        return seconds * self._speed, megabytes


def left_of(
    cells: Iterable[Named],
    finished: Iterable[Record],
    begun: Mapping[str, float] | None = None,
    forecaster: Forecaster | None = None,
) -> float | None:
    """Seconds of these cells, one after the other: each as the mean of its model on its task, where
    there is none as forecast from the size of its task's rows, else as the mean of all. None where
    nothing has ended. begun: by name, seconds that a cell has had already."""
    took: dict[tuple[str, str], list[float]] = defaultdict(list)
    sizes: dict[str, tuple[Size, int]] = {}
    for record in finished:
        if record["seconds"] is not None:
            took[record["task"], record["model"]].append(record["seconds"])
        if (size := size_of(record)) is not None:
            sizes[record["task"]] = size, record["config"]["threads"]
    if not took:
        return None
    known, begun = forecaster or Forecaster(), begun or {}
    means = {key: statistics.mean(seconds) for key, seconds in took.items()}
    usual = statistics.mean(s for seconds in took.values() for s in seconds)

    @cache
    def expected(task: str, model: str) -> float:
        if (task, model) in means:
            return means[task, model]
        with contextlib.suppress(LookupError):
            size, threads = sizes[task]
            return known.forecast(Kind(model, "", threads), size).likely
        return usual

    return sum(max(0.0, expected(c.task, c.model) - begun.get(c.name, 0.0)) for c in cells)


def grown(size: Size, factors: Sequence[float]) -> float:
    """Σ factor · rows^i · w · (outputs − 1)^k over i, k in 0, 1 and w in 1, columns, levels."""
    return sum(f * term for f, term in zip(factors, terms(size), strict=True))


def terms(size: Size) -> list[float]:
    """In ten thousands of rows, and tens of columns and levels."""
    return [
        rows * width * outputs
        for rows in (1.0, size.train / 1e4)
        for width in (1.0, size.columns / 10, size.levels / 10)
        for outputs in (1.0, float(size.outputs - 1))
    ]


def rough(size: Size) -> tuple[float, float]:
    """(seconds, MB) that only say how both grow, of a model that nobody has held against tables."""
    values = size.train * max(size.columns, 1)
    return OVERHEAD + values / 1e6, LEAST_MB + values * 32 / 1e6


def nearness(one: Size, other: Size) -> float:
    """1 of rows of the same size, .4 of tenfold ones."""
    apart = [
        abs(math.log10(max(a, 1) / max(b, 1)))
        for a, b in ((one.train, other.train), (one.columns, other.columns))
    ]
    return math.exp(-sum(apart))


def rows_of(one: Cell | Record) -> str:
    """The same for cells whose models learn from the same rows, whatever the seed."""
    config, view, code = (
        (one.config, one.view, one.code)
        if isinstance(one, Cell)
        else (one["config"], one["view"], one["code"])
    )
    made_of = [config["task"], config.get("control"), view, code.get("task"), code.get("data")]
    return json.dumps(made_of, sort_keys=True)


def kind_of(one: Cell | Record) -> Kind:
    config, changed, model = (
        (one.config, one.changed, one.model)
        if isinstance(one, Cell)
        else (one["config"], one["changed"], one["model"])
    )
    settings = [changed.get("model", {}), config.get("tune", {}).get("budget", {})]
    text = json.dumps(settings, sort_keys=True) if any(settings) else ""
    device = config.get("device")
    return Kind(model, text, config["threads"], None if device == "auto" else device)


def is_usual(timing: Mapping[str, Any]) -> bool:
    """Are calls timed for a moment (timing=quick)? What takes longer is no part of a forecast."""
    return bool(timing["seconds"] <= USUAL_TIMING and not timing["cold_start"])


def size_of(record: Record) -> Size | None:
    if not record.get("rows"):
        return None
    return Size(
        record["rows"]["train"],
        record.get("columns") or 1,
        record.get("levels") or 0,
        record.get("outputs") or 1,
    )


def memory_of(record: Record) -> float | None:
    """Bytes at the peak of a cell's process, and of those that it started, over what it had at its
    start; None where it was not looked at."""
    made = record.get("prepared", {}).get("origin")
    own = {n: p for n, p in record["phases"].items() if n not in ELSEWHERE or made == "own"}
    if not own or any("peak" not in phase for phase in own.values()):
        return None
    first = min(own.values(), key=lambda phase: phase.get("start", 0.0))
    # Of the process that made the rows its own copy of what it shares is no growth.
    peak = max(
        p["peak"] + (p.get("children_peak", 0) if n != "make" else 0) for n, p in own.items()
    )
    return max(1e6, float(peak - (first["peak"] - first.get("memory_growth", 0.0))))


def _name(record: Record) -> str:
    return f"{record['task']}-{record['model']}-{record['seed']}-{record['config_hash']}"


@cache
def shipped() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(KNOWN.read_text(encoding="utf-8"))
    return found
