"""What is timed beside the phases: single calls by batch size, a cold start, the machine itself."""

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.cell import rows as of_rows
from benchmarks.cell.answers import Asked
from benchmarks.cell.build import supplied
from benchmarks.cell.clock import Clock, calibration, latency, stopwatch
from benchmarks.cell.protocols import offered
from tasks.base import Data


def latencies(
    asked: Asked, test: Any, clock: Clock, timing: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Seconds of one call by batch size, warm (see clock.latency): the batches of `timing`, and
    all test rows, whose one call is the phase `predict`. A batch larger than the test rows repeats
    them. Where a model has `inputs`, each call tells what it took to make its rows fit, apart."""
    n_test, wall = of_rows.count(test), clock.phases["predict"]["wall"]
    timed: dict[str, dict[str, Any]] = {}
    watched = Watched(asked)
    for size in timing["batches"]:
        batch = of_rows.take(test, np.arange(size) % n_test)
        timed[str(size)] = latency(
            lambda batch=batch: watched(batch, "latency"),  # type: ignore[misc]
            timing["calls"],
            timing["seconds"],
            watched.part,
        )
    return {str(n_test): {"p50": wall, "p99": None, "min": wall, "max": wall, "calls": 1}, **timed}


class Watched:
    """A model that is asked, with a stopwatch around its `inputs`; without one if it has none."""

    def __init__(self, asked: Asked) -> None:
        self._asked, self._spent = asked, 0.0
        inputs = offered(asked.model, "inputs")
        if not callable(inputs):
            return

        def timed(*arguments: Any) -> Any:
            with stopwatch() as took:
                made = inputs(*arguments)
            self._spent += took()
            return made

        # A copy, as the model itself is to stay what it was; its `predict` finds this one first.
        model = copy.copy(asked.model)
        model.inputs = timed
        self._asked = asked.of(model)

    def __call__(self, rows: Any, why: str) -> Any:
        self._spent = 0.0
        return self._asked(rows, why)

    def part(self) -> float:
        """Seconds that making inputs took in the last call."""
        return self._spent


def cold_start(
    job: Mapping[str, Any], model: Any, train: Any, data: Data
) -> dict[str, float] | None:
    """What a new process needs before its first prediction (see cell/cold_start.py)."""
    from benchmarks.cell.cold_start import measured

    config = {**job["model"], **(offered(model, "warm_up") or {})}
    return measured(config, supplied(job), train, data)


def slowdown(job: Mapping[str, Any]) -> float:
    """How many times as long a fixed piece of work took before and after as at its fastest; the
    smaller of the two, as a processor that is slow for a moment is so all the time."""
    if "calibration" not in job or job.get("fastest") is None:
        return 1.0
    after = calibration()["seconds"]
    return float(min(job["calibration"]["seconds"], after) / job["fastest"])
