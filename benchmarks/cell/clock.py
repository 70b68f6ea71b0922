"""The clock: seconds of phases, of single calls, and of a piece of work that is always the same.

Times are wall seconds (`perf_counter`) beside CPU seconds of the process and its children:
where the two disagree, something else had the processor or the work ran in parallel.
"""

import contextlib
import gc
import hashlib
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.cell.gauges import GAUGES

CALLS_FOR_P99 = 1_000
KERNEL = bytes(2**20)


def synchronise() -> None:
    """Wait for work that was only queued on a GPU, so that the clock sees it end."""
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return
    for backend in (torch.cuda, torch.xpu):
        if backend.is_initialized():
            backend.synchronize()
    if torch.backends.mps.is_available():
        torch.mps.synchronize()


class Clock:
    """Seconds of each phase of a cell, and what the gauges tell of it.

    >>> clock = Clock()
    >>> with clock.phase("fit"):
    ...     model.fit(X, y)
    >>> clock.phases["fit"]
    {"start": s, "wall": s, "cpu": s, "others": s, "steal": s, "memory_growth": bytes, ...}

    `start` counts from an arbitrary moment that all processes of a machine share.
    """

    def __init__(self, on_phase: Callable[[str], Any] = lambda _: None, audit: bool = True) -> None:
        """audit: False reads no gauges, which leaves `start` and `wall`."""
        self.phases: dict[str, dict[str, float]] = {}
        self._on_phase = on_phase
        self._gauges = GAUGES if audit else ()

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        self._on_phase(name)
        gc.collect()  # the garbage of the phase before is not this phase's work
        synchronise()
        ends = [start() for start in self._gauges]
        begin = time.perf_counter()
        try:
            yield
        finally:
            synchronise()
            self.phases[name] = {"start": begin, "wall": time.perf_counter() - begin}
            for end in ends:
                self.phases[name] |= end()


def calibration() -> dict[str, float]:
    """How fast the machine is just now: the best of five rounds of a piece of work that is always
    the same (`seconds`, about 2 ms), and the `load` of the last minute (runnable processes)."""

    def kernel() -> float:
        begin, total = time.perf_counter(), 0
        for i in range(20_000):
            total += i * i
        hashlib.sha256(KERNEL).digest()
        return time.perf_counter() - begin

    return {"seconds": min(kernel() for _ in range(5)), "load": os.getloadavg()[0]}


def latency(call: Callable[[], Any], calls: int, seconds: float) -> dict[str, Any]:
    """Time one call again and again, at most `calls` times within `seconds`, but three times.

    Returns `p50`, `p99` (None from less than CALLS_FOR_P99 calls), `min` and `calls`. Nothing is
    warmed up: the caller has.
    """
    took: list[float] = []
    end = time.perf_counter() + seconds
    while len(took) < min(3, calls) or (len(took) < calls and time.perf_counter() < end):
        begin = time.perf_counter()
        call()
        synchronise()
        took.append(time.perf_counter() - begin)
    p99 = statistics.quantiles(took, n=100)[98] if len(took) >= CALLS_FOR_P99 else None
    return {"p50": statistics.median(took), "p99": p99, "min": min(took), "calls": len(took)}
