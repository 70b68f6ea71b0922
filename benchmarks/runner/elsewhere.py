"""The cells of a run on a cluster: handed over, waited for, given again where they were lost."""

import contextlib
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from benchmarks.errors import tell
from benchmarks.records.records import Cell, Record
from benchmarks.runner.clusters import Cluster, Lost
from benchmarks.runner.compose import compose
from benchmarks.runner.execute import Executor
from benchmarks.runner.remote import request_of, taken_in
from benchmarks.runner.worker import WorkerDied

LOST_AT_MOST = 3  # times: a cell that takes its nodes along is the cell's fault


def execute_on(cluster: Cluster, executor: Executor, cells: Iterable[Cell]) -> list[Record]:
    """Run these there; their records, in the order in which they came. Raises CannotWrite."""
    run, records = executor.run, []
    token = f".driver-{uuid.uuid4().hex}"
    (run.folder / token).touch()

    def hand_over(wanted: list[Cell]) -> dict[Any, Cell]:
        requests = [
            request_of(cell, executor.settings, executor.counted(cell), run, token)
            for cell in wanted
        ]
        return dict(zip(cluster.submit(requests), wanted, strict=True))

    try:
        under_way, lost = hand_over(list(cells)), dict[str, int]()
        while under_way:
            again = []
            for task, came in cluster.ended(under_way):
                cell = under_way.pop(task)
                if isinstance(came, Lost):
                    lost[cell.name] = lost.get(cell.name, 0) + 1
                    if lost[cell.name] < LOST_AT_MOST:
                        said = f"{cell.task} {cell.model} seed {cell.seed} was lost, and runs again"
                        tell(f"{said}: {came}", is_error=True)
                        again.append(cell)
                        continue
                records.append(received(executor, cell, came, lost.get(cell.name, 0)))
            under_way |= hand_over(again)
    finally:
        with contextlib.suppress(OSError):
            (run.folder / token).unlink()
    return records


def received(executor: Executor, cell: Cell, came: bytes | Lost, lost: int) -> Record:
    """Write the record that came, or that of a cell that was lost too often."""
    if isinstance(came, bytes):
        try:
            record, scratch = taken_in(executor.run, cell, came)
        except ValueError as error:
            came = Lost(str(error))
    if isinstance(came, Lost):
        scratch = executor.run.scratch(cell)
        asked = {"limits": dict(executor.settings.limits), "timing": dict(executor.settings.timing)}
        now, counted = datetime.now(UTC), executor.counted(cell)
        death = WorkerDied(f"lost {lost} times with its node ({came})")
        record = compose(cell, death, scratch, asked, now, counted)
    return executor.finish(cell, record | ({"lost": lost} if lost else {}), scratch)
