"""What the cells of a command are expected to take, and which limits may not allow it."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.records import files, machine
from benchmarks.records.forecast import (
    OVER,
    UNDER,
    Forecast,
    Forecaster,
    Size,
    is_usual,
    kind_of,
    left_of,
    rows_of,
)
from benchmarks.records.records import MOST, Cell, Record, parse
from benchmarks.runner.shelf import key_of
from benchmarks.runner.watch import MB, bytes_of

EARLIER = 200  # records of this machine that are learned from, the latest ones
READ = 3  # times as many are read to find them


class Outlook:
    """Of one command."""

    def __init__(self, limits: Mapping[str, Any], timing: Mapping[str, Any]) -> None:
        self._is_usual = is_usual(timing)
        self._said = limits
        memory = limits.get("memory")
        self._limits = {
            "seconds": limits.get("seconds"),
            "memory": None if memory is None else float(bytes_of(memory)),
        }
        self._forecaster = Forecaster()
        self._there: set[str] = set()  # rows that were made since the command began
        self._warned: set[tuple[Any, ...]] = set()

    def calibrated(self, seconds: float) -> None:
        """See Forecaster."""
        self._forecaster.calibrated(seconds)

    def learn(self, records: Iterable[Record]) -> None:
        for record in records:
            self._forecaster.learn(record)

    def before(self, cell: Cell) -> Forecast | None:
        """Of a cell that has not begun; None where nobody knows the size of its rows, or nothing
        of its model."""
        rows, key = rows_of(cell), key_of(cell)
        size = self._forecaster.size(rows)
        if size is None:
            return None
        making = 0.0 if key in self._there else self._forecaster.making(rows)
        return self._of(cell, size, making)

    def seen(self, cell: Cell, size: Size, making: float) -> Forecast | None:
        """Of a cell that has its rows. making: seconds that this took of its own."""
        return self._of(cell, size, making)

    def ended(self, cell: Cell, record: Record) -> None:
        self._forecaster.learn(record)
        if record.get("prepared", {}).get("origin") in ("made", "found"):
            self._there.add(key_of(cell))

    def warnings(self, cell: Cell, forecast: Forecast) -> Iterator[str]:
        """A sentence on each limit that the cell is expected to reach, once for all seeds."""
        for name, certain in forecast.breaks(self._limits):
            about = (name, rows_of(cell), kind_of(cell))
            if about in self._warned:
                continue
            self._warned.add(about)
            most = forecast.seconds if name == "seconds" else forecast.memory / MB
            unit = "s" if name == "seconds" else "MB"
            verdict = "does not allow it" if certain else "may not be enough"
            yield (
                f"{cell.model} on {cell.task} is expected to take {shown(most / OVER)} to "
                f"{shown(most / UNDER)} {unit}: limits.{name}={self._said[name]:g} {verdict}"
            )

    def left(self, cells: Iterable[Cell], finished: Iterable[Record]) -> float | None:
        """Seconds, likely."""
        return left_of(cells, finished, forecaster=self._forecaster)

    def _of(self, cell: Cell, size: Size, before: float) -> Forecast | None:
        if not self._is_usual:
            return None
        with contextlib.suppress(LookupError):
            return self._forecaster.forecast(kind_of(cell), size, rows_of(cell), before)
        return None


def shown(number: float) -> str:
    """With two digits that count."""
    rounded = float(f"{number:.2g}")
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:g}"


def earlier(results: Path, run: str = "", most: int = EARLIER) -> list[Record]:
    """The latest records of all runs in a folder that this machine made, the last one last; those
    of one run behind all others."""
    found: list[Record] = []
    here = machine.fingerprint(machine.machine())
    for path in islice(latest(results, run), READ * most):
        with contextlib.suppress(OSError, files.Unreadable):
            record = parse(files.content(path, MOST))
            if machine.fingerprint(record["machine"]) == here:
                found.append(record)
        if len(found) == most:
            break
    return found[::-1]


def latest(results: Path, run: str) -> Iterator[Path]:
    """Files of records, the last one first; run by run, that of one run before all others."""

    def moment(path: Path) -> float:
        with contextlib.suppress(OSError):
            return path.stat().st_mtime
        return 0.0

    with contextlib.suppress(OSError):
        folders = sorted(results.glob("*/cells"), key=moment, reverse=True)
        for folder in sorted(folders, key=lambda folder: folder.parent.name != run):
            yield from sorted(folder.glob("*.json"), key=moment, reverse=True)
