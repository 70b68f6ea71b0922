"""Who runs which cell of a run that lies on object storage: one driver each, and no server.

A claim is an object that only the first can create. Whoever has it changes it again and again; one
that has not changed for LEASE_SECONDS of somebody's own watching belongs to a driver that is gone,
and is taken over by whoever replaces exactly what was seen. No clock is compared with another one.
"""

import json
import os
import platform
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import psutil

from benchmarks.errors import tell
from benchmarks.records.records import Cell, Run
from benchmarks.records.store import Store, Taken, Unreachable

LEASE_SECONDS = float(os.environ.get("MODEL_ERAS_LEASE_SECONDS", "60"))
POLL_SECONDS = 1.0


class Claims:
    """Of the cells that a command wants. A context manager."""

    def __init__(self, store: Store, run: Run, cells: Sequence[Cell]) -> None:
        self.store, self.run = store, run
        self.waiting = {cell.name: cell for cell in cells}
        self._outdated = {name: store.tag(self._record(name)) for name in self.waiting}
        self._held: dict[str, str] = {}  # name -> tag of our claim
        self._seen: dict[str, tuple[str, float]] = {}  # name -> tag of another's, since when
        self._beats = 0
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._told = False
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> "Claims":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        for name in list(self._held):  # nothing came of these: whoever is next may have them
            self._release(name)

    def __iter__(self) -> Iterator[Cell]:
        """Cells as they may be run here, until each has a record of somebody's."""
        while self.waiting:
            found = self.now(most=1)
            yield from found
            if not found and self.waiting:
                self._ended.wait(POLL_SECONDS)

    def batches(self) -> Iterator[list[Cell]]:
        """The same, all that can be had at a time."""
        while self.waiting:
            if found := self.now():
                yield found
            else:
                self._ended.wait(POLL_SECONDS)

    def now(self, most: int | None = None) -> list[Cell]:
        """Those that can be had at this moment, at most so many; they are this driver's then."""
        found: list[Cell] = []
        for name, cell in list(self.waiting.items()):
            if most is not None and len(found) >= most:
                break
            try:
                is_ours = self._take(name)
            except Unreachable as error:
                self._tell(error)
                break
            if is_ours is not False:
                del self.waiting[name]
            if is_ours:
                found.append(cell)
        return found

    def finished(self, cell: Cell) -> None:
        """Put its record into the store; while that cannot be, it waits in the mirror."""
        try:
            self.store.push(self.run, cell.name)
        except Unreachable as error:
            self._tell(error)
        self._release(cell.name)

    def _take(self, name: str) -> bool | None:
        """Is it ours now? None if it has a record by now."""
        if self.store.tag(self._record(name)) != self._outdated[name]:
            return None
        key = self._claim(name)
        if name in self._held:  # from a try that the network cut short
            return True
        try:
            tag = self.store.create(key, self._who())
        except Taken:
            found = self.store.get(key)
            if found is None:
                return False  # gone again: there will be a record, or another chance
            told, tag = found
            since = self._seen.get(name, ("", 0.0))
            if since[0] != tag:
                since = self._seen[name] = tag, time.monotonic()
            if not is_gone(told) and time.monotonic() - since[1] < LEASE_SECONDS:
                return False
            try:
                tag = self.store.update(key, self._who(), tag)
            except Taken:
                return False
        with self._lock:
            self._held[name] = tag
        if self.store.tag(self._record(name)) != self._outdated[name]:
            self._release(name)  # its record came between the two looks
            return None
        return True

    def _release(self, name: str) -> None:
        with self._lock:
            self._held.pop(name, None)
        try:
            self.store.delete(self._claim(name))
        except Unreachable as error:
            self._tell(error)

    def _beat(self) -> None:
        while not self._ended.wait(LEASE_SECONDS / 4):
            with self._lock:
                held = dict(self._held)
            for name, tag in held.items():
                try:
                    new = self.store.update(self._claim(name), self._who(), tag)
                except (Taken, Unreachable):  # taken over, or to be tried again
                    continue
                with self._lock:
                    if name in self._held:
                        self._held[name] = new

    def _who(self) -> bytes:
        self._beats += 1
        started = psutil.Process().create_time()
        who = {"host": platform.node(), "pid": os.getpid(), "since": started, "beat": self._beats}
        return json.dumps(who).encode()

    def _tell(self, error: Unreachable) -> None:
        if not self._told:
            self._told = True
            tell(
                f"{self.store.address} does not answer ({error}); records wait in {self.run.cells} "
                "until it does, or until the next command.",
                is_error=True,
            )

    def _record(self, name: str) -> str:
        return f"{self.run.name}/cells/{name}.json"

    def _claim(self, name: str) -> str:
        return f"{self.run.name}/claims/{name}"


def is_gone(told: bytes) -> bool:
    """Is it a claim of a process of this machine that has ended?"""
    try:
        who: dict[str, Any] = json.loads(told)
        if who["host"] != platform.node():
            return False
        return abs(psutil.Process(who["pid"]).create_time() - who["since"]) > 1
    except psutil.NoSuchProcess:
        return True
    except (ValueError, KeyError, TypeError):
        return False
