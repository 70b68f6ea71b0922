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
from pathlib import Path

import psutil

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # <sys/prctl.h>
PAUSE = 0.002  # seconds, for what was killed to be gone
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


def below(pid: int) -> list[int]:
    """All processes below this one, those that nobody has waited for yet as well."""
    if not Path("/proc/self/task").is_dir():
        with contextlib.suppress(psutil.Error):
            return [child.pid for child in psutil.Process(pid).children(recursive=True)]
        return []
    found, waiting = [], [pid]
    while waiting:
        children = _children(waiting.pop())
        found += children
        waiting += children
    return found


def end(pid: int) -> None:
    """Kill a process and its group, if it leads one."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def end_below() -> None:
    """End all processes below this one, and return when they are gone.

    Again and again: while one is being killed, another may be starting the next.
    """
    for _ in range(PASSES):
        for pid in (pids := below(os.getpid())):
            end(pid)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not pids:
            return
        select.select([], [], [], PAUSE)


def _children(pid: int) -> list[int]:
    found = []
    with contextlib.suppress(OSError):  # it has ended
        for thread in Path(f"/proc/{pid}/task").iterdir():  # each may have started some
            with contextlib.suppress(OSError):
                found += [int(child) for child in (thread / "children").read_text().split()]
    return found


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
