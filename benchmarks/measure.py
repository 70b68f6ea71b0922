"""The clock, the memory gauge, and the facts about the machine.

Times are wall seconds (`perf_counter`) beside CPU seconds of the process and its children:
where the two disagree, something else had the processor or the work ran in parallel.
"""

import contextlib
import gc
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

PACKAGES = (
    "numpy", "pandas", "scipy", "scikit-learn", "scikit-learn-intelex", "xgboost", "torch",
    "duckdb", "pyarrow", "hydra-core",
)  # fmt: skip


def _cpu_seconds() -> float:
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in spent)


def _all_cpu_seconds() -> float:
    """CPU seconds of the whole machine, and of what its host took from it (steal)."""
    spent = psutil.cpu_times()
    idle = spent.idle + getattr(spent, "iowait", 0.0)
    guests = getattr(spent, "guest", 0.0) + getattr(spent, "guest_nice", 0.0)  # counted as user
    return float(sum(spent)) - idle - guests


def _status_bytes(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise LookupError(field)


def _reset_peak() -> int:
    """Start a new peak and return the resident bytes of now.

    Linux keeps the high-water mark (VmHWM) until `5` is written to clear_refs (proc(5)).
    Elsewhere the peak is that of the whole process so far: growth is then a lower bound.
    """
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
        return _status_bytes("VmRSS")
    return max(psutil.Process().memory_info().rss, _peak())


def _peak() -> int:
    """Bytes of the highest resident set since the last reset."""
    with contextlib.suppress(OSError, LookupError):
        return _status_bytes("VmHWM")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


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
    """Seconds and memory of each phase of a cell.

    >>> clock = Clock()
    >>> with clock.phase("fit"):
    ...     model.fit(X, y)
    >>> clock.phases["fit"]
    {"wall": s, "cpu": s, "others": s, "memory_growth": bytes, "peak": bytes}

    `others` are CPU seconds of all other processes of the machine, steal included.
    """

    def __init__(self, on_phase: Callable[[str], Any] = lambda _: None) -> None:
        self.phases: dict[str, dict[str, float]] = {}
        self._on_phase = on_phase

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        self._on_phase(name)
        gc.collect()  # the garbage of the phase before is not this phase's work
        resident = _reset_peak()
        synchronise()
        all_cpu, cpu, wall = _all_cpu_seconds(), _cpu_seconds(), time.perf_counter()
        try:
            yield
        finally:
            synchronise()
            wall, cpu = time.perf_counter() - wall, _cpu_seconds() - cpu
            others = max(0.0, _all_cpu_seconds() - all_cpu - cpu)
            peak = _peak()
            self.phases[name] = {
                "wall": wall, "cpu": cpu, "others": others,
                "memory_growth": max(0, peak - resident), "peak": peak,
            }  # fmt: skip


def latency(
    call: Callable[[], Any], budget: float = 0.04, most: int = 50, warm_up: bool = True
) -> dict[str, float]:
    """Time one call again and again: the median of at most `most` calls within `budget` seconds,
    of one at least. A call before them is the warm-up and does not count."""
    if warm_up:
        call()
    seconds: list[float] = []
    end = time.perf_counter() + budget
    while not seconds or (len(seconds) < most and time.perf_counter() < end):
        start = time.perf_counter()
        call()
        synchronise()
        seconds.append(time.perf_counter() - start)
    return {"median": statistics.median(seconds), "min": min(seconds), "calls": len(seconds)}


def available_cores() -> int:
    """Cores this process may use (its affinity where the system has one)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def machine() -> dict[str, Any]:
    """Facts about the machine that times depend on."""
    return {
        "processor": _processor(),
        "cores": available_cores(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Versions of the installed packages that numbers depend on."""
    found = {}
    for name in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def git_commit(folder: Path) -> str | None:
    """The commit that is checked out, with `+` behind it where files other than results differ."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments],  # noqa: S607 - looked up on PATH, as in a shell
            cwd=folder, capture_output=True, text=True, timeout=10, check=True,
        ).stdout.strip()  # fmt: skip

    try:
        commit = git("rev-parse", "--short=12", "HEAD")
        changed = git(
            "status", "--porcelain", "--untracked-files=no", "--", ".", ":(exclude)results"
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return commit + "+" * bool(changed)
