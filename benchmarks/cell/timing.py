"""What is timed beside the phases: single calls by batch size, a cold start, the machine itself."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.cell import rows as of_rows
from benchmarks.cell.answers import Asked
from benchmarks.cell.build import supplied
from benchmarks.cell.clock import Clock, calibration, latency
from benchmarks.cell.protocols import offered
from tasks.base import Data


def latencies(
    asked: Asked, test: Any, clock: Clock, timing: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Seconds of one call by batch size, warm (see clock.latency): the batches of `timing`, and
    all test rows, whose one call is the phase `predict`. A batch larger than the test rows repeats
    them."""
    n_test, wall = of_rows.count(test), clock.phases["predict"]["wall"]
    timed: dict[str, dict[str, Any]] = {}
    for size in timing["batches"]:
        batch = of_rows.take(test, np.arange(size) % n_test)
        timed[str(size)] = latency(
            lambda batch=batch: asked(batch, "latency"),  # type: ignore[misc]
            timing["calls"],
            timing["seconds"],
        )
    return {str(n_test): {"p50": wall, "p99": None, "min": wall, "calls": 1}, **timed}


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
