"""Work in the process of a cell that leaves no record: asked for, waited for, and told."""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.errors import BadInput, CannotWrite
from benchmarks.records import files
from benchmarks.runner.compose import verdict_on
from benchmarks.runner.worker import Worker, WorkerDied

SECONDS = 30 * 86_400.0  # that it may take: whoever waits for it can end it
MOST = 2**26  # bytes of an outcome


class JobFailed(Exception):
    """It was no mistake of whoever asked; the message says what went wrong, in a line."""


def outcome_of(job: Mapping[str, Any], threads: int, worker: Worker | None = None) -> Any:
    """What the work returned (benchmarks.runner.worker.WORK). worker: one that was started before
    with as many threads.

    Raises BadInput with its sentence for what it refuses, CannotWrite, and JobFailed, which then
    names the file that has what was printed.
    """
    asked = {**job, "threads": threads, "timing": {"audit": False}}
    with (
        tempfile.TemporaryDirectory(prefix="model-eras-") as folder,
        contextlib.ExitStack() as ends,
    ):
        scratch = Path(folder)
        if worker is None or worker.threads != threads:
            worker = ends.enter_context(Worker(threads))
        try:
            ending: Any = worker.run(asked, scratch, {"seconds": SECONDS})
        except WorkerDied as death:
            ending = death
        try:
            found = json.loads(files.content(scratch / "outcome.json", MOST))
        except FileNotFoundError:
            _, reason = verdict_on(ending, scratch, {"seconds": SECONDS})
            found = {"status": "failed", "reason": reason}
        if found["status"] == "failed":
            raise JobFailed(f"{found['reason']}{_log_of(scratch)}")
    if found["status"] == "refused":
        raise BadInput(found["reason"])
    if found["status"] == "unwritable":
        raise CannotWrite(
            f"{job.get('out') or job.get('into')} cannot be written ({found['reason']})."
        )
    return found


def _log_of(scratch: Path) -> str:
    """Where what was printed stays."""
    log = scratch / "cell.log"
    if not log.is_file() or not log.stat().st_size:
        return ""
    descriptor, kept = tempfile.mkstemp(prefix="model-eras-", suffix=".log")
    with open(descriptor, "wb") as out, log.open("rb") as printed:  # noqa: PTH123 - a descriptor
        shutil.copyfileobj(printed, out)
    return f"; what it printed: {kept}"
