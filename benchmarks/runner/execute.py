"""Run cells, one after another or some side by side, record every ending, show how far it is.

Knows nothing of Hydra: it gets cells and leaves records.
"""

import contextlib
import json
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn

from benchmarks.errors import BadInput, CannotWrite, plain
from benchmarks.records.forecast import Forecast, Size
from benchmarks.records.records import ROWS, Cell, Record, Run, Unrecordable, name_of
from benchmarks.runner.compose import compose
from benchmarks.runner.outlook import Outlook
from benchmarks.runner.progress import Bar, last_line
from benchmarks.runner.settings import Settings
from benchmarks.runner.shelf import Shelf, key_of
from benchmarks.runner.worker import Checked, Ending, Worker, WorkerDied

PARTS = ("task", "model")
MOST_SECONDS, MOST_BYTES = 1e9, 10**18  # that a record takes
CHECK_SECONDS = 60.0
"""For the settings of a class to be checked before any cell runs; then it is left to the cells."""
KNOWN_BEFORE = (
    *("schema", "task", "model", "seed", "era", "year", "view", "bound", "config", "changed"),
    *("config_hash", "code", "limits", "timing", "seconds", "started", "machine", "packages"),
    *("commit", "pools"),
)
"""Fields of a record that say nothing of what became of its cell."""


def no_count(_: Cell) -> dict[str, Any]:
    return {}


def name_and_status(record: Record) -> str:
    return f"{name_of(record)} {record['status']}"


class Stopped(Exception):
    """Its command ends, and nothing became of the cell."""


class Executor:
    """Runs the cells of one run in workers of its own. A context manager."""

    def __init__(
        self,
        run: Run,
        cells: Sequence[Cell],
        settings: Settings,
        console: Console,
        worker: Worker | None = None,
        *,
        count: Callable[[Cell], dict[str, Any]] = no_count,
        line: Callable[[Record], str] = name_and_status,
        after: Callable[[Cell], None] = lambda _: None,
    ) -> None:
        """worker: one that was started before, used for cells with as many threads; whoever started
        it ends it. count: the work of a cell that is known before it runs. line: what is printed of
        a record. after: called when a record is written.
        """
        self.run, self.settings, self.console = run, settings, console
        self._count, self._line, self._after = count, line, after
        self._rows_kept: set[str] = set()  # for one cell of those that read the same rows
        self._shelf = Shelf(cells, settings.cache)
        self.outlook = Outlook(settings.limits, settings.timing)
        self._expected: dict[str, Forecast] = {}  # by name of the cell
        self._known: dict[str, dict[str, Any]] = {}  # by name of the cell: what was counted
        self._fastest: float | None = None  # seconds of a calibration, the best of all
        self._unchecked: set[str] = set()  # classes whose settings are checked in each cell
        self._workers: dict[tuple[int, int], Worker] = {}  # by lane and threads, libraries loaded
        self._given = worker
        self._left = {cell.name: cell for cell in cells}
        self._finished: list[Record] = []
        self._log: Path | None = None  # of the cell that began last
        self._lock = threading.RLock()  # of all that lanes share
        self._stopped = False
        self.lost_worker = False  # has one that was given died?
        self._progress = Bar(
            lambda: last_line(self._log),
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            transient=True,
            # The cells use all cores: drawing often would disturb their clock.
            refresh_per_second=2,
            disable=not console.is_terminal or not cells,
        )
        self._bar = self._progress.add_task("loading libraries", total=len(cells), left="")

    def __enter__(self) -> "Executor":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
        self._shelf.close()
        for worker in self._workers.values():
            if worker is not self._given:
                worker.__exit__()

    def execute_all(self, cells: Iterable[Cell]) -> list[Record]:
        """Run cells as they come, `settings.beside` of them at a time, each lane on cores of its
        own; their records, in the order in which they ended. Raises CannotWrite."""
        if self.settings.beside == 1:
            return [self.execute(cell) for cell in cells]
        coming, records, turn = iter(cells), list[Record](), threading.Lock()

        def lane(number: int) -> None:
            while not self._stopped:
                with turn:
                    cell = next(coming, None)
                if cell is None:
                    return
                records.append(self.execute(cell, number))

        with ThreadPoolExecutor(self.settings.beside) as pool:
            lanes = [pool.submit(lane, number) for number in range(self.settings.beside)]
            try:
                wait(lanes, return_when=FIRST_EXCEPTION)
                failed = [done for done in lanes if done.done() and done.exception()]
            finally:
                self._stopped = not all(done.done() for done in lanes)
                if self._stopped:
                    for worker in list(self._workers.values()):
                        worker.stop()
        for done in failed:
            done.result()
        return records

    def begin(self, cells: Sequence[Cell]) -> None:
        """Have a worker load what these cells need, and meanwhile count the work behind them."""
        for cell in cells[:1]:
            self._worker_for(cell)
        for cell in cells:
            self.counted(cell)

    def check(self, cells: Sequence[Cell]) -> None:
        """Raise BadInput if a task or model refuses its settings, before any cell is run."""
        configs = [cell.config[part] for part in PARTS for cell in cells]
        different = {json.dumps(config, sort_keys=True): config for config in configs}
        if not cells:
            return
        seconds = min(self.settings.limits["seconds"], CHECK_SECONDS)
        try:
            checked = self._worker_for(cells[0]).check(
                list(different.values()), seconds, self.settings.allow
            )
        except WorkerDied:  # the cells will say so
            checked = Checked(None, tuple(config["_target_"] for config in configs))
        if checked.refusal is not None:
            raise BadInput(checked.refusal)
        self._unchecked.update(checked.unanswered)

    def execute(self, cell: Cell, lane: int = 0) -> Record:
        """Run one cell and return the record that was written, whatever became of the cell."""
        started = datetime.now(UTC)
        scratch = self.run.scratch(cell)
        try:
            try:
                ending, pools = self._run(cell, scratch, lane)
            except WorkerDied:
                if self._stopped:
                    raise Stopped from None
                if (scratch / "phase").exists():
                    raise
                ending, pools = self._run(cell, scratch, lane)  # not this cell ended it
        except WorkerDied as death:
            ending, pools = death, None
        asked = {"limits": dict(self.settings.limits), "timing": dict(self.settings.timing)}
        record = compose(cell, ending, scratch, asked, started, self.counted(cell)) | {
            "pools": pools,
            "expected": self._expectation(cell),
            **({"beside": self.settings.beside} if self.settings.beside > 1 else {}),
        }
        with self._lock:
            return self.finish(cell, record, scratch)

    def _expectation(self, cell: Cell) -> dict[str, float] | None:
        found = self._expected.get(cell.name)
        if found is None:
            return None
        return {
            "seconds": min(MOST_SECONDS, round(found.seconds, 3)),
            "memory": min(MOST_BYTES, round(found.memory)),
        }

    def finish(self, cell: Cell, record: Record, scratch: Path) -> Record:
        """Write the record of a cell, and tell of it."""
        self._calibrated(record.get("calibration", {}).get("seconds"))
        if "unwritable" in record:
            raise CannotWrite(f"{self.run.cells} cannot be written ({record['unwritable']}).")
        record = self._recorded(cell, record, scratch)
        if ROWS in record.get("files", {}):
            self._rows_kept.add(key_of(cell))
        self._after(cell)
        self._finished.append(record)
        self.outlook.ended(cell, record)
        self._left.pop(cell.name, None)
        self._progress.advance(self._bar)
        self.console.print(self._line(record), highlight=False)
        return record

    def _run(
        self, cell: Cell, scratch: Path, lane: int
    ) -> tuple[Ending | WorkerDied, dict[str, int] | None]:
        """Run a cell in its worker; how it ended, and the threads of libraries. Raises WorkerDied;
        the next cell then gets another worker."""
        try:
            worker = self._worker_for(cell, lane)
            worker.wait()
            with self._lock:
                self._calibrated(worker.state.get("fastest"))
                self._show(cell)
                self._log = scratch / "cell.log"
                self._foretell(cell, self.outlook.before(cell))
                prepared, explain = self._shelf.place(cell), self._explained(cell)
            job = job_of(cell) | {
                "view": cell.view,
                "check": [p for p in PARTS if cell.config[p]["_target_"] in self._unchecked],
                "trials": str(self.run.trials(cell).resolve()),
                "name": cell.model,
                "task_name": cell.task,
                "cache": None if self._shelf.folder is None else str(self._shelf.folder),
                "cache_bytes": self._shelf.most_bytes,
                "checks_off": list(self.settings.checks_off),
                "check_rows": self.settings.check_rows,
                "explain": explain,
                "limits": dict(self.settings.limits),
                "prepared": prepared,
                "folders": self.run.folders(cell),
                "most_bytes": self.settings.limits.get("artifact_mb", 50) * 1e6,
                "bound": cell.constants.get("bound", False),
                "timing": dict(self.settings.timing),
                "metric": self.settings.metric,
                "allow": list(self.settings.allow),
                "fastest": self._fastest,
            }
            ending = worker.run(job, scratch, self.settings.limits, partial(self._told, cell))
            return ending, worker.state.get("pools")
        except WorkerDied:
            dead = self._workers.pop((lane, cell.config["threads"]), None)
            if dead is self._given:
                self._given, self.lost_worker = None, True
            elif dead is not None:
                dead.__exit__()
            raise

    def _told(self, cell: Cell, size: dict[str, int], making: float) -> None:
        """The cell has its rows, and their size."""
        with self._lock:
            found = self.outlook.seen(cell, Size(**size), making)
            if cell.name not in self._expected:
                self._foretell(cell, found)

    def _foretell(self, cell: Cell, found: Forecast | None) -> None:
        """Keep what a cell is expected to take, and say which limits stand against it."""
        if found is not None:
            self._expected[cell.name] = found
            for sentence in self.outlook.warnings(cell, found):
                self.console.print(f"[yellow]![/] {escape(plain(sentence))}", highlight=False)

    def _explained(self, cell: Cell) -> dict[str, Any]:
        """What of `explain` this cell is to do."""
        is_kept = cell.config.get("control") or key_of(cell) in self._rows_kept
        return {**self.settings.explain, **({"rows": 0} if is_kept else {})}

    def _recorded(self, cell: Cell, record: Record, scratch: Path) -> Record:
        """The record as it was written; that of a failed cell if it cannot be. Raises CannotWrite
        if none can be."""
        try:
            return self.run.write(cell, record, scratch)
        except Unrecordable as error:
            failed = {name: record[name] for name in KNOWN_BEFORE if name in record}
            failed |= {"status": "failed", "reason": str(error)}
        with contextlib.suppress(Unrecordable):  # something lies where the record belongs
            return self.run.write(cell, failed, scratch)
        return failed

    def _worker_for(self, cell: Cell, lane: int = 0) -> Worker:
        """A worker whose threads are fixed at the cell's number and whose libraries are loaded."""
        threads = cell.config["threads"]
        if (lane, threads) not in self._workers:
            given, beside = self._given, self.settings.beside > 1
            if given and given.threads == threads and not beside:
                worker = given
            else:
                worker = Worker(threads, cores=cores_of(lane, threads) if beside else None)
            worker.load(self.settings.libraries)
            self._workers[lane, threads] = worker
        return self._workers[lane, threads]

    def counted(self, cell: Cell) -> dict[str, Any]:
        """Its work that is known before it runs."""
        with self._lock:
            if cell.name not in self._known:
                self._known[cell.name] = self._count(cell)
            return self._known[cell.name]

    def _calibrated(self, seconds: float | None) -> None:
        if seconds is not None:
            self._fastest = min(seconds, self._fastest or seconds)
            self.outlook.calibrated(self._fastest)

    def _show(self, cell: Cell) -> None:
        if self._progress.disable:
            return
        seconds = self.outlook.left(self._left.values(), self._finished)
        left = "" if seconds is None else f"about {timedelta(seconds=round(seconds))} left"
        description = f"{escape(cell.task)} [bold]{escape(cell.model)}[/] seed {cell.seed}"
        self._progress.update(self._bar, description=description, left=left)


def cores_of(lane: int, threads: int) -> list[int] | None:
    """Those of a lane, where the system lets processes be tied to cores."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    there = sorted(os.sched_getaffinity(0))
    return there[lane * threads : (lane + 1) * threads] or None


def job_of(cell: Cell) -> dict[str, Any]:
    return {**cell.config, "seed": cell.seed, "stamp": json.dumps(dict(cell.code), sort_keys=True)}
