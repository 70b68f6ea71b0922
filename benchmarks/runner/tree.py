"""The processes below one: to find them, and to end them all.

A process group is not enough: whoever calls `setsid` has left it, and a daemon has lost its parent
as well. On Linux orphans are handed to the worker instead (`adopt_orphans`), so that everything a
cell has started stays below it. Elsewhere only what still hangs on a living parent is found.
"""

import contextlib
import ctypes
import os
import select
import signal
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import psutil

PROC = Path("/proc")
ADOPTS = sys.platform == "linux"
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # <sys/prctl.h>
PAUSE = 0.002  # seconds, for what was killed to be gone
SEEN = 500  # processes
PASSES = 1000
"""After as many it cannot be ended: it belongs to another user, or the kernel holds it."""


def adopt_orphans() -> None:
    """From now on, processes below this one that lose their parent are this one's children."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_with_parent(parent: int, with_signal: int) -> None:
    """Have this process sent a signal when its parent ends (Linux)."""
    _prctl(PR_SET_PDEATHSIG, with_signal)
    if os.getppid() != parent:  # it was faster
        os.kill(os.getpid(), with_signal)


def below(pid: int) -> Iterator[int]:
    """All processes below this one, those that nobody has waited for yet as well."""
    waiting = [pid]
    while waiting:
        for child in children(waiting.pop()):
            waiting.append(child)
            yield child


def first_below(pid: int) -> Iterator[int]:
    """As many of them as can be looked at in between: of a bomb there is no end."""
    return islice(below(pid), SEEN)


def children(pid: int) -> list[int]:
    """What this process has started or adopted."""
    found = []
    if not PROC.is_dir():
        with contextlib.suppress(psutil.Error):
            found = [child.pid for child in psutil.Process(pid).children()]
    with contextlib.suppress(OSError):  # it has ended
        for thread in (PROC / str(pid) / "task").iterdir():  # each may have started some
            with contextlib.suppress(OSError):
                found += [int(child) for child in (thread / "children").read_text().split()]
    return found


def end(pid: int, with_signal: int = signal.SIGKILL) -> None:
    """Kill a process and its group, if it leads one; or send them something milder."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, with_signal)


def reap(child: int | None = None) -> int | None:
    """Wait for what has ended, orphans too, and not for what goes on; the status of `child`, if it
    is among them."""
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == child:
                return ended[1]
    return None


def end_below() -> None:
    """End all processes below this one, and return when they are gone.

    A level at a time: those whose parent was killed are this one's children then. It is done again
    and again, as one may start the next while it is being killed, and without a look at the levels
    below: where hundreds fight for the processor, finding them all first took seconds.
    """
    for _ in range(PASSES):
        if not ADOPTS:
            for pid in list(below(os.getpid())):
                end(pid)
        for pid in (first := children(os.getpid())):
            end(pid)
        reap()
        if not first:
            return
        select.select([], [], [], PAUSE)


def _prctl(option: int, value: int) -> None:
    if ADOPTS:
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
