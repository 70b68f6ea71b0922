"""Facts about the machine, the packages and the code that numbers come from."""

import contextlib
import hashlib
import os
import platform
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

PACKAGES = (
    "numpy",
    "pandas",
    "scipy",
    "scikit-learn",
    "scikit-learn-intelex",
    "xgboost",
    "torch",
    "duckdb",
    "pyarrow",
    "hydra-core",
)


def available_cores() -> int:
    """Cores this process may use (its affinity where the system has one)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def machine() -> dict[str, Any]:
    """Facts that times depend on, and `host`, which tells machines apart without naming them."""
    return {
        "processor": _processor(),
        "cores": available_cores(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "host": hashlib.sha256(platform.node().encode()).hexdigest()[:8],
    }


def fingerprint(facts: dict[str, Any]) -> tuple[Any, ...]:
    """Machines that differ in one of these are not the same for a clock."""
    names = ("processor", "cores", "memory_gb", "system", "architecture", "python")
    return tuple(facts.get(name) for name in names)


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


@cache
def versions(names: tuple[str, ...] = PACKAGES) -> dict[str, str]:
    """Versions of the installed packages that numbers depend on."""
    found = {}
    for name in names:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def git_commit(folder: Path) -> str | None:
    """The commit that is checked out, with `+` behind it where files other than results differ;
    None where this is no clone: the kit may be installed below a folder of somebody's own one."""
    if not (folder / ".git").exists():
        return None

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments],  # noqa: S607 - looked up on PATH, as in a shell
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        ).stdout.strip()

    try:
        commit = git("rev-parse", "--short=12", "HEAD")
        changed = git(
            "status", "--porcelain", "--untracked-files=no", "--", ".", ":(exclude)results"
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return commit + "+" * bool(changed)


def pools() -> dict[str, int]:
    """Threads that each library loaded in this process would use: OpenMP and BLAS libraries by
    name, torch, Polars. (XGBoost uses OpenMP's; DuckDB asks each connection, so a task says.)"""
    import threadpoolctl  # comes with scikit-learn; only cells have it loaded

    found: dict[str, int] = {}
    for pool in threadpoolctl.threadpool_info():
        found[pool["prefix"]] = max(pool["num_threads"], found.get(pool["prefix"], 0))
    loaded: Any = sys.modules
    if "torch" in loaded:
        found["torch"] = loaded["torch"].get_num_threads()
    if "polars" in loaded:
        found["polars"] = loaded["polars"].thread_pool_size()
    return found
