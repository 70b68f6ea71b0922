"""A control group of Linux for one cell: the kernel holds a limit on the memory of all that the
cell starts, in whatever session and however fast it takes it.

Only where groups may be made: as root, in a container that has its own, below a systemd user
session. Elsewhere `Group.make` gives None, and memory is looked at from outside (watch.py).
"""

import contextlib
import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

NAME = "model-eras-"
_numbers = itertools.count()


class Files(NamedTuple):
    """What a version of control groups calls its files."""

    most: tuple[tuple[str, str], ...]
    """That hold a limit, in the order in which they take one; the text may have `{}` for it."""
    peak: str
    events: str
    """With a line `oom_kill N`."""


VERSIONS = {
    1: Files(
        (("memory.limit_in_bytes", "{}"), ("memory.memsw.limit_in_bytes", "{}")),
        "memory.max_usage_in_bytes",
        "memory.oom_control",
    ),
    2: Files(
        (("memory.max", "{}"), ("memory.swap.max", "0"), ("memory.oom.group", "1")),
        "memory.peak",
        "memory.events",
    ),
}


class Group:
    """One that exists, until `remove`."""

    def __init__(self, folder: Path, version: int) -> None:
        self.folder, self._files = folder, VERSIONS[version]

    @classmethod
    def make(cls, most: int) -> "Group | None":
        """Of processes that take at most so many bytes together; None where that is not to be
        had."""
        for parent, version in _parents():
            folder = parent / f"{NAME}{os.getpid()}-{next(_numbers)}"
            _remove_left(parent)
            try:
                folder.mkdir()
            except OSError:
                continue
            group = cls(folder, version)
            if group._limit(most):
                return group
            group.remove()
        return None

    def _limit(self, most: int) -> bool:
        (first, text), *others = self._files.most
        try:
            (self.folder / first).write_text(text.format(most))
        except OSError:
            return False
        for name, text in others:  # of swap, which not every kernel counts
            with contextlib.suppress(OSError):
                (self.folder / name).write_text(text.format(most))
        return True

    def is_entered(self) -> bool:
        """Is a process in it?"""
        with contextlib.suppress(OSError):
            return bool((self.folder / "cgroup.procs").read_text().strip())
        return False

    def kills(self) -> int:
        """How many of its processes the kernel has ended, as the limit was reached."""
        with contextlib.suppress(OSError):
            found = re.search(r"^oom_kill (\d+)$", self._told(self._files.events), re.M)
            return int(found[1]) if found else 0
        return 0

    def peak(self) -> int | None:
        """Bytes that it had at most, where the kernel tells."""
        with contextlib.suppress(OSError, ValueError):
            return int(self._told(self._files.peak))
        return None

    def _told(self, name: str) -> str:
        return (self.folder / name).read_text()

    def remove(self) -> None:
        """Once its processes are gone."""
        with contextlib.suppress(OSError):
            self.folder.rmdir()


def enter(folder: str) -> None:
    """Put this process, with all that it will start, into the group of this folder."""
    with contextlib.suppress(OSError):  # then it is looked at from outside
        (Path(folder) / "cgroup.procs").write_text("0")


def _parents() -> Iterator[tuple[Path, int]]:
    """(folder in which a group may be made, version of control groups)"""
    with contextlib.suppress(OSError):
        mounted = [
            line.split(" - ") for line in Path("/proc/self/mountinfo").read_text().splitlines()
        ]
        own = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
        for head, tail in mounted:
            root, point = head.split()[3:5]
            kind, _, options = tail.split(" ", 2)
            if kind == "cgroup" and "memory" in options.split(","):
                for _, names, path in own:
                    if "memory" in names.split(","):
                        yield _below(point, root, path), 1
            elif kind == "cgroup2":
                for number, _, path in own:
                    here = _below(point, root, path)
                    # A group with processes of its own has no groups with limits below it: theirs
                    # are its neighbours, where whoever started this one left that to us.
                    for parent in (here, here.parent) if number == "0" else ():
                        control = parent / "cgroup.subtree_control"
                        if control.is_file() and "memory" in control.read_text().split():
                            yield parent, 2


def _below(point: str, root: str, path: str) -> Path:
    """Where a group lies whose path counts from another place than what is mounted here."""
    inside = path.removeprefix(root) if root != "/" and path.startswith(root) else path
    return Path(point, inside.lstrip("/"))


def _remove_left(parent: Path) -> None:
    """Groups of workers that were killed; those with processes stay, as the system has it."""
    for folder in parent.glob(f"{NAME}*"):
        pid = folder.name.removeprefix(NAME).partition("-")[0]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            with contextlib.suppress(OSError):
                folder.rmdir()
