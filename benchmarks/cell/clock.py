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
from collections.abc import Callable, Iterator, Sequence
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

    def another(self) -> "Clock":
        """Of a part of the work that is done in another process."""
        return Clock(self._on_phase, bool(self._gauges))

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


@contextlib.contextmanager
def stopwatch() -> Iterator[Callable[[], float]]:
    """Seconds of what stands in it, once it has ended."""
    ends: list[float] = []
    begin = time.perf_counter()
    yield lambda: ends[0] - begin
    synchronise()
    ends.append(time.perf_counter())


def latency(
    call: Callable[[], Any],
    calls: int,
    seconds: float,
    part: Callable[[], float] | None = None,
) -> dict[str, Any]:
    """Time one call again and again, at most `calls` times within `seconds`, but three times.

    part: seconds that a part of the last call took, which is called `inputs`; the rest of it is
    the `model`. Returns `p50`, `min`, `max` and `calls`, of whole calls and under the names of
    the parts of each; and `p99` with its 95 % interval, None from less than CALLS_FOR_P99 calls.
    Nothing is warmed up: the caller has.
    """
    took: list[float] = []
    of_part: list[float] = []
    end = time.perf_counter() + seconds
    while len(took) < min(3, calls) or (len(took) < calls and time.perf_counter() < end):
        begin = time.perf_counter()
        call()
        synchronise()
        took.append(time.perf_counter() - begin)
        if part is not None:
            of_part.append(part())
    parts = {}
    if any(of_part):
        rest = [whole - spent for whole, spent in zip(took, of_part, strict=True)]
        parts = {"inputs": summed(of_part), "model": summed(rest)}
    return {**summed(took), **percentile_99(took), "calls": len(took), **parts}


def summed(took: Sequence[float]) -> dict[str, float]:
    return {"p50": statistics.median(took), "min": min(took), "max": max(took)}


def percentile_99(took: Sequence[float]) -> dict[str, float | None]:
    """With the two calls, by order of their length, between which it lies with a probability of
    95 %: as many calls are shorter than it as a binomial distribution says (David and Nagaraja
    2003, "Order Statistics", 7.1)."""
    n = len(took)
    if n < CALLS_FOR_P99:
        return dict.fromkeys(("p99", "p99_low", "p99_high"))
    from scipy.stats import binom  # only who asks for it waits

    ordered = sorted(took)
    low, high = (int(binom.ppf(share, n, 0.99)) for share in (0.025, 0.975))
    return {
        "p99": statistics.quantiles(took, n=100)[98],
        "p99_low": ordered[low - 1],
        "p99_high": ordered[min(high, n - 1)],
    }
