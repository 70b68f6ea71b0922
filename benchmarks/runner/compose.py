"""From what a cell left, how its process ended and where it ran: its record."""

import contextlib
import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.records import files, machine
from benchmarks.records.records import MOST, SCHEMA, Cell, Record
from benchmarks.records.values import text_of
from benchmarks.runner.peaks import children_peaks
from benchmarks.runner.watch import MB, bytes_of, last_words
from benchmarks.runner.worker import Ending, WorkerDied, signal_name

ROOT = Path(__file__).parents[2]


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
