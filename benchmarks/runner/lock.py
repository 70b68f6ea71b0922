"""One command at a time works on a run.

The lock is the system's, on a file in the run's folder: it ends with the process that has it, in
whatever way that ends, and holds between machines where their file system has locks. The file says
who that is. Who reads records (report, compare, …) takes no lock: records are whole at any time.
"""

import contextlib
import fcntl
import json
import os
import platform
import shlex
import sys
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO

import psutil

from benchmarks.errors import Busy

FILE = ".lock"
LONGEST = 160  # characters of a command line


class Lock:
    """Of a run's folder. A context manager; entering raises Busy if somebody else has it.

    A command has it for itself. One that hands its jobs to other processes shares it with them
    (`share`), so that it is taken as long as one of them works, whatever became of the others.
    """

    def __init__(self, folder: Path, shared: bool = False) -> None:
        """shared: for a job of a command, which has the lock already."""
        self.path = folder / FILE
        self._shared = shared
        self._file: IO[str] | None = None

    def __enter__(self) -> "Lock":
        with contextlib.suppress(OSError):  # of a folder that cannot be written, nothing will be
            self._file = self.path.open("a+", encoding="utf-8")
            self._take(fcntl.LOCK_SH if self._shared else fcntl.LOCK_EX)
        if not self._shared:
            self._write(json.dumps(_who()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._file is not None:
            if not self._shared:
                self._write("")
            self._file.close()

    def share(self) -> None:
        """Let this command's jobs in."""
        with contextlib.suppress(OSError):
            self._take(fcntl.LOCK_SH)

    def _take(self, how: int) -> None:
        """Raises Busy, and OSError where the file system has no locks: then there is none."""
        assert self._file is not None
        try:
            fcntl.flock(self._file, how | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            told = self._file.read()
            self._file.close()
            self._file = None
            raise Busy(_sentence(self.path.parent, told)) from None

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):
            if self._file is not None:
                self._file.truncate(0)
                self._file.write(text)
                self._file.flush()


def holder(folder: Path) -> str | None:
    """Who works on a run, in a few words; None if nobody does. Asked of what the file says and of
    the processes there are, as whoever tried the lock would be in somebody's way."""
    try:
        told = (folder / FILE).read_text(encoding="utf-8")
    except OSError:
        return None
    with contextlib.suppress(ValueError, KeyError, TypeError):
        who = json.loads(told)
        since = datetime.fromisoformat(who["since"]).timestamp()
        if who["host"] == platform.node():
            try:
                if psutil.Process(who["pid"]).create_time() > since + 1:  # another one by now
                    return None
            except psutil.NoSuchProcess:
                return None
        return _named(told)
    return None


def _who() -> dict[str, str | int]:
    command = shlex.join(["python", *sys.orig_argv[1:]])
    return {
        "pid": os.getpid(),
        "host": platform.node(),
        "since": datetime.now().astimezone().isoformat(sep=" ", timespec="seconds"),
        "command": command if len(command) <= LONGEST else f"{command[:LONGEST]}…",
    }


def _sentence(folder: Path, told: str) -> str:
    return (
        f"Run {folder.name} is being worked on by {_named(told)}. Wait for its end, or give this "
        "one another run=NAME."
    )


def _named(told: str) -> str:
    try:
        who = json.loads(told)
        return f"process {who['pid']} on {who['host']} since {who['since']}: {who['command']}"
    except (ValueError, KeyError, TypeError):  # it has the lock, and has not written yet
        return "another process"
