"""What the cells of a command share, wherever they run."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.runner.shelf import NO_CACHE

QUICK: Mapping[str, Any] = {
    "batches": [1],
    "calls": 20,
    "seconds": 0.02,
    "cold_start": False,
    "audit": True,
}
"""What conf/timing/quick.yaml says (see benchmarks.plan.config.Timing)."""


@dataclass(frozen=True)
class Settings:
    """Of JSON's values, so that they can be sent to another machine."""

    limits: Mapping[str, Any]
    """What a cell may take (see benchmarks.plan.config.Limits)."""
    timing: Mapping[str, Any] = field(default_factory=lambda: dict(QUICK))
    """What is timed."""
    metric: str | None = None
    """That ranks and tunes; None for each task's main one."""
    checks_off: Sequence[str] = ()
    """Codes of checks that are not made."""
    check_rows: int = 1500
    """That checks may ask a model for."""
    explain: Mapping[str, Any] = field(default_factory=dict)
    """`seconds` that a model may be asked what drives its answers, and `rows` that are kept."""
    cache: Mapping[str, Any] = field(default_factory=lambda: dict(NO_CACHE))
    """`folder` and `gigabytes` of what is kept of expensive views."""
    libraries: Collection[str] = ()
    """That are loaded before any cell begins."""
    allow: Sequence[str] = ()
    """Packages whose classes may be built, beside those that always may."""
    beside: int = 1
    """Cells that run on the machine at the same time: their times are not those of a machine that
    does nothing else."""
