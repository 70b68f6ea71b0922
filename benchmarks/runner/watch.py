"""What a cell takes, seen from outside: all its processes, whatever they do.

Time is the clock's. Memory is held by the kernel where that may be asked of it (cgroup.py), else
looked at here; never by a limit on addresses, which libraries reserve by the gigabyte and never
touch. Tokens and money are what the cell's process tells of its model (cell/meter.py).
"""

import contextlib
import json
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any

import psutil

from benchmarks.records import files
from benchmarks.records.forecast import Size
from benchmarks.runner import tree
from benchmarks.runner.cgroup import Group

LOOK_SECONDS = 0.1  # between two looks at what a cell takes
PSS_SECONDS = 1.0  # between two looks that take up to 40 ms
SPENT = "spent"  # the file in which a cell tells its tokens and its money
SIZE = "size.json"  # and the one in which it tells the size of its rows, once it has them
MOST_TOLD, LARGEST = 10_000, 2**53  # bytes, and what is no number of rows any more
LINES, CHARACTERS = 5, 300  # of what a cell printed last
MB = 10**6


@dataclass(frozen=True)
class Limits:
    """What a cell may take; None where it may take anything."""

    seconds: float
    memory: int | None = None
    """Bytes, with all that it starts, over what it had at its start."""
    tokens: int | None = None
    money: float | None = None
    ask: float = 0.0
    """Seconds that it has, once it was asked to end (SIGINT), to leave what it knows."""
    terminate: float = 0.0
    """Seconds behind that, once it was told to end (SIGTERM), before it is killed."""

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> "Limits":
        """Of a config's `limits` (benchmarks.plan.config), whose memory is megabytes or a share of
        the machine's."""
        known = {k: said[k] for k in cls.__dataclass_fields__ if said.get(k) is not None}
        if "memory" in known:
            known["memory"] = bytes_of(known["memory"])
        return cls(**known)


def bytes_of(memory: float) -> int:
    """Of megabytes, or of a share of the machine's memory, which is 1 at most."""
    whole = psutil.virtual_memory().total
    return round(memory * (whole if memory <= 1 else MB))


@dataclass
class Watch:
    """One cell, from the start of its process."""

    pid: int
    above: int
    """The process that started it, and adopts what it leaves behind."""
    folder: Path
    limits: Limits
    started: float
    """By the clock that `look` is given the time of."""
    group: Group | None = None
    audit: bool = False
    """Is the memory of the cell's own children wanted?"""
    tells: bool = False
    """Will the cell tell the size of its rows?"""
    children: list[tuple[float, int]] = field(default_factory=list)
    """(moment, bytes) of the children's memory, where there was any."""

    def __post_init__(self) -> None:
        self._looked = self._weighed = -1e9
        self._resident, self._shared = resident(self.pid), 0
        if self.limits.memory is not None and self.group is None:
            self._shared = proportional(self.pid)

    def look(self, now: float) -> str | None:
        """The limit that is reached, if one is."""
        if now - self.started >= self.limits.seconds:
            return "seconds"
        if not self.is_curious or now - self._looked < LOOK_SECONDS:
            return None
        if self.group is not None and self._looked > -1e9 and not self.group.is_entered():
            self.group = None  # it could not, or has left: it is looked at from here on
        self._looked = now
        if self.limits.tokens is not None or self.limits.money is not None:
            tokens, money = spent(self.folder)
            if self.limits.tokens is not None and tokens > self.limits.tokens:
                return "tokens"
            if self.limits.money is not None and money > self.limits.money:
                return "money"
        return "memory" if self._is_too_large(now) else None

    @property
    def is_curious(self) -> bool:
        """Is there anything to look at but the clock?"""
        wanted = (self.limits.memory, self.limits.tokens, self.limits.money)
        return self.audit or any(limit is not None for limit in wanted)

    def told(self) -> tuple[dict[str, int], float] | None:
        """The size of its rows and the seconds that it took to make them, once."""
        path = self.folder / SIZE
        if not self.tells or not path.exists():
            return None
        self.tells = False  # what cannot be read will be no better at the next look
        wrong = (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError)
        with contextlib.suppress(*wrong):
            size = json.loads(files.content(path, MOST_TOLD))
            least = {"columns": 1, "outputs": 1}
            numbers = {
                name: max(least.get(name, 0), min(int(size[name]), LARGEST))
                for name in Size._fields
            }
            return numbers, max(0.0, min(float(size["making"]), float(LARGEST)))
        return None

    def steps(self, passed: str) -> Iterator[tuple[signal.Signals, float]]:
        """(what is sent to a cell that has reached a limit, seconds that it then has): it is asked,
        told, and killed. Whoever takes too much memory would take more meanwhile."""
        if passed != "memory":
            asked = ((signal.SIGINT, self.limits.ask), (signal.SIGTERM, self.limits.terminate))
            yield from ((number, seconds) for number, seconds in asked if seconds)
        yield from repeat((signal.SIGKILL, 1.0))

    def pause(self, now: float) -> float:
        """Seconds until the next look."""
        left = max(0.0, self.started + self.limits.seconds - now)
        return min(left, LOOK_SECONDS) if self.is_curious or self.tells else left

    def _is_too_large(self, now: float) -> bool:
        most = self.limits.memory
        if not self.audit and (most is None or self.group is not None):
            return most is not None and self.group is not None and self.group.kills() > 0
        sizes = {pid: resident(pid) for pid in tree.first_below(self.above) if pid != self.pid}
        below = sum(sizes.values())
        if self.audit and below:
            self.children.append((now, below))
        if most is None:
            return False
        if self.group is not None:
            return self.group.kills() > 0
        # Resident pages that processes share are counted in each: never too little, and cheap.
        if resident(self.pid) - self._resident + below <= most:
            return False
        if now - self._weighed < PSS_SECONDS:
            return False
        self._weighed = now
        return sum(map(proportional, (self.pid, *sizes))) - self._shared > most


def resident(pid: int) -> int:
    """Bytes of a process's resident pages; none of one that has ended."""
    with contextlib.suppress(psutil.Error, OSError):
        return int(psutil.Process(pid).memory_info().rss)
    return 0


def proportional(pid: int) -> int:
    """The same, each page divided by the processes that share it (PSS); where a system does not
    tell, the pages that are shared with nobody."""
    with contextlib.suppress(psutil.Error, OSError):
        found = psutil.Process(pid).memory_full_info()
        return int(getattr(found, "pss", None) or found.uss)
    return 0


def spent(folder: Path) -> tuple[int, float]:
    """(tokens, money) that a cell tells of; nothing where it has not yet told."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        told = json.loads((folder / SPENT).read_text("utf-8"))
        return int(told["tokens"]), float(told["money"])
    return 0, 0.0


def last_words(log: Path) -> list[str]:
    """The last lines that a cell has printed."""
    with contextlib.suppress(OSError), log.open("rb") as opened:
        opened.seek(max(0, opened.seek(0, 2) - LINES * CHARACTERS * 4))
        lines = opened.read().decode(errors="replace").splitlines()
        return [line[:CHARACTERS] for line in lines if line.strip()][-LINES:]
    return []
