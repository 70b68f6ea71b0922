"""What a task prepares for a model: its data, a view, and what it says of both.

Every model of a seed reads the same rows. So they are made once, by a process that does nothing
else, and kept for the others in a folder that lives as long as the command; a view that its task
calls expensive is kept in a bounded cache from run to run. What the making took is charged to
every cell that used it, and the record says whether this one waited for it.
"""

import dataclasses
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cell import rows as of_rows
from benchmarks.cell import storage, views
from benchmarks.cell.build import TRAIN_ROWS, build, supplied
from benchmarks.cell.clock import Clock
from benchmarks.cell.controls import CONTROLS
from benchmarks.cell.protocols import offered
from tasks.base import Data, dealt


class FewRows(ValueError):
    """There are fewer train rows than were asked for; the cell is skipped."""


@dataclass(frozen=True)
class Prepared:
    data: Data
    """Without its raw part where the rows were kept by another process."""
    train: Any
    test: Any
    facts: Mapping[str, Any]
    """`view`, the one that was made, and what the task says: `raw_columns`, `suspicions`,
    `notices`, `general`."""
    origin: str
    """`made` for this cell and kept, `found` kept, or made by this cell and not kept: `own`"""
    why: str = ""
    """Nothing was kept: the reason."""


def shared(job: Mapping[str, Any], clock: Clock) -> Prepared | str:
    """The rows that other cells read as well, with the phases `load` and `view` of whoever made
    them; else why they could not be kept, empty where none are shared.

    To be asked for before the model is loaded: what its module changes in a library must not reach
    the rows of others.
    """
    place = job.get("prepared")
    if place is None or job.get("control"):
        return ""
    folder = Path(place["folder"])
    with clock.phase("read"):
        kept = _read(folder)
    if kept is not None:
        return _kept(kept, clock, "found")
    if not hasattr(os, "fork") or sys.platform == "darwin":
        return _make(job, clock, folder, place)
    with clock.phase("make"):  # until the rows are there: what the cell waits for
        why = _make_elsewhere(job, clock, folder, place)
        kept = _read(folder)
    return why if kept is None else _kept(kept, clock, "made")


def prepare(
    job: Mapping[str, Any], task: Any, clock: Clock, view: str, kept: Prepared | str
) -> Prepared:
    """The rows that a model is given: those that are kept for all (see `shared`), else this cell's
    own. Raises what the task raises."""
    if isinstance(kept, str):
        return _own(job, task, clock, view, kept)
    if view != job["view"]:
        return _own(
            job, task, clock, view, f"the model reads {view}, its source says {job['view']}"
        )
    return kept


def _own(job: Mapping[str, Any], task: Any, clock: Clock, view: str, why: str = "") -> Prepared:
    """Load and make the view in this process."""
    with clock.phase("load"):
        data = task.load(job["seed"])
    with clock.phase("view"):
        view, train, test = views.first(task, data, view)
        ordered, train = in_order(task, data, train, job["seed"])
    with clock.phase("facts"):
        facts = facts_of(task, data, view)
    return Prepared(ordered, train, test, facts, "own", why)


def in_order(task: Any, data: Data, train: Any, seed: int) -> tuple[Data, Any]:
    """The train rows and their labels in an order whose last ones are a fair holdout: as the task
    gives them where it says so, or where they are in order of time; else dealt out by the seed."""
    if data.ordered or offered(task, "rewrite") is not None:
        return data, train
    order = dealt(data.train_labels, seed)
    labels = of_rows.take(data.train_labels, order)
    rows = of_rows.anew(of_rows.take(train, order))
    return dataclasses.replace(data, train_labels=labels, ordered=True), rows


def with_fewer(made: Prepared, task: Any, job: Mapping[str, Any]) -> Prepared:
    """With the last train rows alone, where the job's task says how many (`train_rows`): those
    before the test rows where there is time, and by chance where there is none. So the rows of a
    small number are among those of a larger one, and a holdout of the last ones stays what it is.
    Raises FewRows where there are not so many."""
    wanted = job["task"].get(TRAIN_ROWS)
    if wanted is None or hasattr(task, TRAIN_ROWS):
        return made
    there = len(made.data.train_labels)
    if wanted > there:
        raise FewRows(f"there are {there:,} train rows (task.train_rows={wanted:,})")
    part = slice(there - wanted, None)
    labels = of_rows.take(made.data.train_labels, part)
    rows = of_rows.anew(of_rows.take(made.train, part))
    data = dataclasses.replace(made.data, train_labels=labels)
    return dataclasses.replace(made, data=data, train=rows)


def task_of(job: Mapping[str, Any]) -> Any:
    """The task of a job, spoiled where a control is asked for."""
    task = build(job["task"], supplied(job))
    if name := job.get("control"):
        return CONTROLS[name](task, job["seed"])
    return task


def is_general(task: Any, view: str) -> bool:
    """Did nobody write this view for the problem at hand?"""
    general = offered(task, "general")
    return general if isinstance(general, bool) else view in general


def facts_of(task: Any, data: Data, view: str) -> dict[str, Any]:
    raw = None if view == views.ROWS else offered(task, "raw_columns")
    suspicions, notices = offered(task, "suspicions"), offered(task, "notices")
    return {
        "view": view,
        "general": is_general(task, view),
        "raw_columns": None if raw is None else [str(name) for name in raw(data, view)],
        "suspicions": [] if suspicions is None else list(suspicions(data)),
        "notices": [] if notices is None else list(notices(data)),
    }


def _read(folder: Path) -> Any:
    try:
        return storage.read(folder)
    except OSError:  # there is no entry, or it cannot be read: whoever makes one will say why
        return None
    except storage.Damaged as error:
        print(f"{error}: it is made again", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        return None


def _kept(kept: tuple[Data, Any, Any, dict[str, Any]], clock: Clock, origin: str) -> Prepared:
    data, train, test, facts = kept
    clock.phases |= facts.pop("phases")
    return Prepared(data, train, test, facts, origin)


def _keep(made: Prepared, clock: Clock, folder: Path, place: Mapping[str, Any]) -> Prepared:
    phases = {name: clock.phases[name] for name in ("load", "view", "facts")}
    try:
        storage.write(folder, made.data, made.train, made.test, {**made.facts, "phases": phases})
        if place["expensive"]:
            storage.shrink(folder.parent, place["most_bytes"])
    except (storage.Unstorable, OSError) as error:
        return Prepared(made.data, made.train, made.test, made.facts, "own", str(error))
    return Prepared(made.data, made.train, made.test, made.facts, "made")


def _make(
    job: Mapping[str, Any], clock: Clock, folder: Path, place: Mapping[str, Any]
) -> Prepared | str:
    """Load, make the view and keep it, in this process; empty where a task shares no rows."""
    with clock.phase("import"):
        task = task_of(job)
    if offered(task, "score") is not None:
        return ""  # it may ask for the raw data
    return _keep(_own(job, task, clock, job["view"]), clock, folder, place)


def _make_elsewhere(
    job: Mapping[str, Any], clock: Clock, folder: Path, place: Mapping[str, Any]
) -> str:
    """Make the rows in a child, so that this process's memory and warmth are those of a cell that
    finds them made. Empty, or why nothing was kept; then the cell does it itself, and what goes
    wrong goes wrong there."""
    with tempfile.TemporaryFile() as told:
        pid = os.fork()
        if not pid:
            code = 1
            try:
                made = _make(job, clock.another(), folder, place)
                told.write(made.why.encode() if isinstance(made, Prepared) else b"")
                told.flush()
                code = 0
            except BaseException:  # told again by the cell, which tries it itself
                traceback.print_exc()
            finally:
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        told.seek(0)
        reason = told.read().decode(errors="replace")
    return reason or ("" if status == 0 else "the rows could not be made in a process of their own")
