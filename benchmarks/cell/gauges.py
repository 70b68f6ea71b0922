"""What is read before and after each phase of a cell, besides the time: processor, memory, energy.

A gauge is read at the start of a phase and tells its figures at the end. One that the machine does
not offer tells nothing: no figure is estimated.
"""

import contextlib
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

POWERCAP = Path("/sys/class/powercap")
Figures = dict[str, float]
Gauge = Callable[[], Callable[[], Figures]]
"""Called at the start of a phase; what it returns is called at the end."""


def cpu_seconds() -> float:
    """CPU seconds of this process and of its children that have ended."""
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in spent)


def processor() -> Callable[[], Figures]:
    """`cpu` seconds of this process; `others`, of all other processes of the machine, steal
    included; `steal`, what the host of a virtual machine took."""

    def machine() -> tuple[float, float]:
        spent = psutil.cpu_times()
        idle = spent.idle + getattr(spent, "iowait", 0.0)
        guests = getattr(spent, "guest", 0.0) + getattr(spent, "guest_nice", 0.0)  # are in user
        return float(sum(spent)) - idle - guests, float(getattr(spent, "steal", 0.0))

    (all_before, steal_before), before = machine(), cpu_seconds()

    def end() -> Figures:
        cpu, (all_after, steal_after) = cpu_seconds() - before, machine()
        others = max(0.0, all_after - all_before - cpu)
        return {"cpu": cpu, "others": others, "steal": steal_after - steal_before}

    return end


def memory() -> Callable[[], Figures]:
    """`peak`: bytes of the highest resident set; `memory_growth`: over the state before.

    Linux keeps the high-water mark (VmHWM) until `5` is written to clear_refs (proc(5)).
    Elsewhere the peak is that of the whole process so far: growth is then a lower bound.
    """
    resident = _reset_peak()

    def end() -> Figures:
        peak = _peak()
        return {"memory_growth": max(0, peak - resident), "peak": peak}

    return end


def _status_bytes(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise LookupError(field)


def _reset_peak() -> int:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
        return _status_bytes("VmRSS")
    return max(psutil.Process().memory_info().rss, _peak())


def _peak() -> int:
    with contextlib.suppress(OSError, LookupError):
        return _status_bytes("VmHWM")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def gpu_memory() -> Callable[[], Figures]:
    """`gpu_peak`: bytes that torch had allocated at most, over all GPUs it uses; nothing where
    torch has used none. Memory that XGBoost takes on a GPU by itself is not in it."""

    def used() -> list[Any]:
        return [backend for backend in _torch_backends() if backend.is_initialized()]

    for backend in used():
        for device in range(backend.device_count()):
            backend.reset_peak_memory_stats(device)

    def end() -> Figures:
        peaks = [
            backend.max_memory_allocated(device)
            for backend in used()
            for device in range(backend.device_count())
        ]
        return {"gpu_peak": sum(peaks)} if peaks else {}

    return end


def _torch_backends() -> list[Any]:
    torch: Any = sys.modules.get("torch")
    return [torch.cuda, torch.xpu] if torch is not None else []


def energy() -> Callable[[], Figures]:
    """`joules` of the processors (RAPL, Linux) and `gpu_joules` of all NVIDIA GPUs (NVML), by
    whichever process; each only where it can be read. Many systems let root alone read RAPL."""
    packages = _rapl()
    nvidia = _nvidia_joules()

    def end() -> Figures:
        found: Figures = {}
        after = _rapl()
        if packages and packages.keys() == after.keys():
            spent = [(after[p][0] - packages[p][0]) % after[p][1] for p in packages]
            found["joules"] = sum(spent) / 1e6
        if nvidia is not None and (now := _nvidia_joules()) is not None:
            found["gpu_joules"] = now - nvidia
        return found

    return end


def _rapl() -> dict[str, tuple[int, int]]:
    """Per processor package: micro-joules so far, and where that counter starts again."""
    found = {}
    with contextlib.suppress(OSError, ValueError):
        for package in sorted(POWERCAP.glob("intel-rapl:[0-9]*")):
            if package.name.count(":") == 1:  # a second colon: a part of a package
                spent = int((package / "energy_uj").read_text())
                found[package.name] = spent, int((package / "max_energy_range_uj").read_text())
    return found


def _nvidia_joules() -> float | None:
    """Joules since the driver was loaded; None unless a GPU is in use and NVML can be asked."""
    torch: Any = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return None
    try:
        import pynvml  # package nvidia-ml-py, which CUDA builds of torch do not bring
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        handles = map(pynvml.nvmlDeviceGetHandleByIndex, range(pynvml.nvmlDeviceGetCount()))
        return sum(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) for handle in handles) / 1e3
    except pynvml.NVMLError:
        return None


GAUGES: tuple[Gauge, ...] = (processor, memory, gpu_memory, energy)
