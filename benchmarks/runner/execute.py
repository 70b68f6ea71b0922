"""Run cells one after another, record every ending, show how far it is.

Knows nothing of Hydra: it gets cells and leaves records.
"""

import contextlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn

from benchmarks.errors import BadInput, CannotWrite
from benchmarks.records import files, machine
from benchmarks.records.pace import left_of
from benchmarks.records.records import (
    MOST,
    ROWS,
    SCHEMA,
    Cell,
    Record,
    Run,
    Unrecordable,
    name_of,
)
from benchmarks.records.values import text_of
from benchmarks.runner.peaks import children_peaks
from benchmarks.runner.progress import Bar, last_line
from benchmarks.runner.shelf import NO_CACHE, Shelf, key_of
from benchmarks.runner.watch import MB, bytes_of, last_words
from benchmarks.runner.worker import Checked, Ending, Worker, WorkerDied, signal_name

ROOT = Path(__file__).parents[2]
PARTS = ("task", "model")
CHECK_SECONDS = 60.0
"""For the settings of a class to be checked before any cell runs; then it is left to the cells."""
QUICK: Mapping[str, Any] = {
    "batches": [1],
    "calls": 20,
    "seconds": 0.02,
    "cold_start": False,
    "audit": True,
}
"""What conf/timing/quick.yaml says (see benchmarks.plan.config.Timing)."""


def is_wanted(
    record: Record | None,
    limits: Mapping[str, Any],
    timing: Mapping[str, Any],
    fresh: bool,
    rerun: str,
) -> bool:
    """Does a cell with this record (None: without one) have to run?

    Every ending counts, so that a suite with a cell that hangs can be completed; a failed cell
    runs again when its code changes, when it may take longer than before, or when asked to. A cell
    that is done runs again for what is to be timed and was not.
    """
    if record is None or fresh:
        return True
    if is_eased(record, limits):
        return True
    if record["status"] == "done" and times_more(timing, record["timing"]):
        return True
    if rerun == "disturbed":
        return any(check["code"] == "ME08" for check in record.get("checks", ()))
    return rerun == "failed" and record["status"] != "done"


def is_eased(record: Record, limits: Mapping[str, Any]) -> bool:
    """Was its cell ended at a limit that is higher now?"""
    limit = (record.get("ended") or {}).get("limit")
    if limit is None and record["status"] == "timeout":  # an older record, that knew of no other
        limit = "seconds"
    if limit is None:
        return False
    was, now = record["limits"].get(limit), limits.get(limit)
    if was is None or now is None:
        return was is not None
    return bytes_of(was) < bytes_of(now) if limit == "memory" else was < now


def times_more(wanted: Mapping[str, Any], had: Mapping[str, Any]) -> bool:
    return (
        not set(wanted["batches"]) <= set(had["batches"])
        or wanted["calls"] > had["calls"]
        or wanted["cold_start"] > had["cold_start"]
    )


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


class Executor:
    """Runs the cells of one run in workers of its own. A context manager."""

    def __init__(
        self,
        run: Run,
        cells: Sequence[Cell],
        limits: Mapping[str, Any],
        console: Console,
        worker: Worker | None = None,
        checks_off: Sequence[str] = (),
        timing: Mapping[str, Any] = QUICK,
        metric: str | None = None,
        *,
        libraries: Collection[str] = (),
        check_rows: int = 1500,
        explain: Mapping[str, Any] | None = None,
        cache: Mapping[str, Any] = NO_CACHE,
        count: Callable[[Cell], dict[str, Any]] = no_count,
        line: Callable[[Record], str] = name_and_status,
    ) -> None:
        """limits: what a cell may take (see benchmarks.plan.config.Limits). worker: one that was
        started before, used for cells with as many threads; whoever started it ends it. checks_off:
        codes of checks that are not made. timing: what is timed, see QUICK. metric: that ranks and
        tunes; None for each task's main one. check_rows: that checks may ask a model for. explain:
        `seconds` that it may be asked what drives its answers, and `rows` that are kept. cache:
        `folder` and `gigabytes` of what is kept of expensive views. count: the work of a cell that
        is known before it runs. line: what is printed of a record.
        """
        self.run, self.limits, self.console = run, dict(limits), console
        self.checks_off, self.timing, self.metric = list(checks_off), dict(timing), metric
        self._count, self._line = count, line
        self._check_rows, self._explain = check_rows, dict(explain or {})
        self._rows_kept: set[str] = set()  # for one cell of those that read the same rows
        self._shelf = Shelf(cells, cache)
        self._known: dict[str, dict[str, Any]] = {}  # by name of the cell: what was counted
        self._fastest: float | None = None  # seconds of a calibration, the best of all
        self._libraries = libraries
        self._unchecked: set[str] = set()  # classes whose settings are checked in each cell
        self._workers: dict[int, Worker] = {}  # by number of threads, their libraries loaded
        self._given = worker
        self._left = {cell.name: cell for cell in cells}
        self._finished: list[Record] = []
        self._log: Path | None = None  # of the cell that runs
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

    def begin(self, cells: Sequence[Cell]) -> None:
        """Have a worker load what these cells need, and meanwhile count the work behind them."""
        for cell in cells[:1]:
            self._worker_for(cell)
        for cell in cells:
            self._counted(cell)

    def check(self, cells: Sequence[Cell]) -> None:
        """Raise BadInput if a task or model refuses its settings, before any cell is run."""
        configs = [cell.config[part] for part in PARTS for cell in cells]
        different = {json.dumps(config, sort_keys=True): config for config in configs}
        if not cells:
            return
        seconds = min(self.limits["seconds"], CHECK_SECONDS)
        try:
            checked = self._worker_for(cells[0]).check(list(different.values()), seconds)
        except WorkerDied:  # the cells will say so
            checked = Checked(None, tuple(config["_target_"] for config in configs))
        if checked.refusal is not None:
            raise BadInput(checked.refusal)
        self._unchecked.update(checked.unanswered)

    def execute(self, cell: Cell) -> Record:
        """Run one cell and return the record that was written, whatever became of the cell."""
        started = datetime.now(UTC)
        scratch = self.run.scratch(cell)
        try:
            try:
                ending, pools = self._run(cell, scratch)
            except WorkerDied:
                if (scratch / "phase").exists():
                    raise
                ending, pools = self._run(cell, scratch)  # it was not this cell that ended it
        except WorkerDied as death:
            ending, pools = death, None
        asked = {"limits": self.limits, "timing": self.timing}
        record = compose(cell, ending, scratch, asked, started, self._counted(cell)) | {
            "pools": pools
        }
        self._calibrated(record.get("calibration", {}).get("seconds"))
        if "unwritable" in record:
            raise CannotWrite(f"{self.run.cells} cannot be written ({record['unwritable']}).")
        record = self._recorded(cell, record, scratch)
        if ROWS in record.get("files", {}):
            self._rows_kept.add(key_of(cell))
        self._finished.append(record)
        self._left.pop(cell.name, None)
        self._progress.advance(self._bar)
        self.console.print(self._line(record), highlight=False)
        return record

    def _run(self, cell: Cell, scratch: Path) -> tuple[Ending | WorkerDied, dict[str, int] | None]:
        """Run a cell in its worker; how it ended, and the threads of libraries. Raises WorkerDied;
        the next cell then gets another worker."""
        try:
            worker = self._worker_for(cell)
            worker.wait()
            self._calibrated(worker.state.get("fastest"))
            self._show(cell)
            self._log = scratch / "cell.log"
            job = job_of(cell) | {
                "view": cell.view,
                "check": [p for p in PARTS if cell.config[p]["_target_"] in self._unchecked],
                "trials": str(self.run.trials(cell).resolve()),
                "name": cell.model,
                "task_name": cell.task,
                "cache": None if self._shelf.folder is None else str(self._shelf.folder),
                "cache_bytes": self._shelf.most_bytes,
                "checks_off": self.checks_off,
                "check_rows": self._check_rows,
                "explain": self._explained(cell),
                "limits": self.limits,
                "prepared": self._shelf.place(cell),
                "folders": self.run.folders(cell),
                "most_bytes": self.limits.get("artifact_mb", 50) * 1e6,
                "bound": cell.constants.get("bound", False),
                "timing": self.timing,
                "metric": self.metric,
                "fastest": self._fastest,
            }
            return worker.run(job, scratch, self.limits), worker.state.get("pools")
        except WorkerDied:
            dead = self._workers.pop(cell.config["threads"], None)
            if dead is self._given:
                self._given = None
            elif dead is not None:
                dead.__exit__()
            raise

    def _explained(self, cell: Cell) -> dict[str, Any]:
        """What of `explain` this cell is to do."""
        is_kept = cell.config.get("control") or key_of(cell) in self._rows_kept
        return {**self._explain, **({"rows": 0} if is_kept else {})}

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

    def _worker_for(self, cell: Cell) -> Worker:
        """A worker whose threads are fixed at the cell's number and whose libraries are loaded."""
        threads = cell.config["threads"]
        if threads not in self._workers:
            given = self._given
            worker = given if given and given.threads == threads else Worker(threads)
            worker.load(self._libraries)
            self._workers[threads] = worker
        return self._workers[threads]

    def _counted(self, cell: Cell) -> dict[str, Any]:
        if cell.name not in self._known:
            self._known[cell.name] = self._count(cell)
        return self._known[cell.name]

    def _calibrated(self, seconds: float | None) -> None:
        if seconds is not None:
            self._fastest = min(seconds, self._fastest or seconds)

    def _show(self, cell: Cell) -> None:
        seconds = left_of(self._left.values(), self._finished)
        left = "" if seconds is None else f"about {timedelta(seconds=round(seconds))} left"
        description = f"{escape(cell.task)} [bold]{escape(cell.model)}[/] seed {cell.seed}"
        self._progress.update(self._bar, description=description, left=left)


def job_of(cell: Cell) -> dict[str, Any]:
    return {**cell.config, "seed": cell.seed, "stamp": json.dumps(dict(cell.code), sort_keys=True)}


def compose(
    cell: Cell,
    ending: Ending | WorkerDied,
    scratch: Path,
    asked: Mapping[str, Any],
    started: datetime,
    counted: Mapping[str, Any],
) -> Record:
    """Put together what the cell left, how its process ended, and where it ran.

    asked: `limits` and `timing`, which are no part of a cell's config. counted: the part of its
    work ledger that was known before it ran.
    """
    outcome: dict[str, Any] = {}
    try:
        outcome = left_in(scratch / "outcome.json")
    except FileNotFoundError:
        status, reason = verdict_on(ending, scratch, asked["limits"])
        outcome = {"status": status, "reason": reason}
        with contextlib.suppress(FileNotFoundError, ValueError):
            outcome["phases"] = left_in(scratch / "phases")
    except ValueError as error:  # not what a cell leaves: its model wrote there
        outcome = {"status": "failed", "reason": f"what it left {error}"}
    if outcome["status"] not in ("done", "skipped"):
        if isinstance(ending, Ending) and ending.limit is not None:
            # It was asked to end, and left what it knew.
            outcome["status"], outcome["reason"] = verdict_on(ending, scratch, asked["limits"])
        outcome["ended"] = ended(ending, scratch)
    if isinstance(ending, Ending) and ending.children:
        for name, size in children_peaks(outcome.get("phases", {}), ending.children).items():
            outcome["phases"][name]["children_peak"] = size
    constants = cell.constants
    year = constants.get("year")
    work = {**counted, **outcome.pop("work", {})}
    return {
        "schema": SCHEMA,
        "task": cell.task,
        "model": cell.model,
        "seed": cell.seed,
        "era": None if constants.get("era") is None else str(constants["era"]),
        "year": year if type(year) is int else None,
        "view": cell.view,
        "bound": constants.get("bound") is True,
        **outcome,
        "work": work,
        "config": dict(cell.config),
        "changed": dict(cell.changed),
        "config_hash": cell.config_hash,
        "code": dict(cell.code),
        **asked,
        "seconds": ending.wall if isinstance(ending, Ending) else None,
        "started": started.isoformat(timespec="milliseconds"),
        **surroundings(),
    }


def left_in(file: Path) -> Any:
    """What a cell wrote there. Raises FileNotFoundError, ValueError."""
    return json.loads(files.content(file, 2 * MOST))


@cache
def surroundings() -> dict[str, Any]:
    """What is the same for all cells of this process. Where there is no commit, the kit's own
    version is one of the packages'."""
    commit = machine.git_commit(ROOT)
    kit = {} if commit else machine.versions(("model-eras",))
    return {
        "machine": machine.machine(),
        "packages": machine.versions() | kit,
        "commit": commit,
    }


def ended(ending: Ending | WorkerDied, scratch: Path) -> dict[str, Any]:
    """Of a cell that did not get to its end: the limit that it reached, the phase in which it was,
    and what it printed last."""
    limit, said = None, last_words(scratch / "cell.log")
    if isinstance(ending, Ending):
        limit, said = ending.limit, ending.said or said
    return {"limit": limit, "phase": phase_of(scratch), "said": [text_of(line) for line in said]}


def phase_of(scratch: Path) -> str | None:
    with contextlib.suppress(OSError):
        return (scratch / "phase").read_text("utf-8", "replace")[:100]
    return None


def verdict_on(
    ending: Ending | WorkerDied, scratch: Path, limits: Mapping[str, Any]
) -> tuple[str, str]:
    """Status and reason of a cell whose process left no outcome of its own, or was ended."""
    phase = phase_of(scratch)
    where = f"in {phase}" if phase else "before its first phase"
    if isinstance(ending, WorkerDied):
        return "failed", f"the worker ended {where}: {ending}"
    if ending.limit is not None:
        return stopped(ending.limit, limits, where)
    if ending.out_of_memory:
        return "out_of_memory", f"ended by the system for lack of memory {where}"
    if ending.exit_code < 0:
        return "failed", f"killed by signal {signal_name(-ending.exit_code)} {where}"
    return "failed", f"exited with code {ending.exit_code} {where}"


def stopped(limit: str, limits: Mapping[str, Any], where: str) -> tuple[str, str]:
    """The same for a cell that was ended at a limit."""
    most = limits[limit]
    if limit == "seconds":
        return "timeout", f"stopped after {most:g} s {where}"
    if limit == "memory":
        size = bytes_of(most) / MB
        return "out_of_memory", f"stopped {where}, as it took more than {size:,.0f} MB"
    return "failed", f"stopped {where}, as it took more than limits.{limit}={most:g}"
