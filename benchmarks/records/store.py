"""Runs on object storage, so that drivers on several machines work on one run without a server.

In the store lies what lies in a run's folder, but for the place of what belongs to a record:

    RUN/cells/NAME.json      a record: put only where there is none, or where the one there is known
    RUN/files/HASH           predictions, answers, rows, artifacts: by what is in them
    RUN/claims/NAME          who runs a cell, as long as it runs

A record names the checksums of its files, so it is whole as soon as it is there, whoever wrote it.
Commands work on a mirror in the user's cache folder, which is also where records wait while the
network is down. All conditions are the store's own (if-none-match, if-match); one that ignores them
is refused.
"""

import contextlib
import hashlib
import json
import os
import threading
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.errors import BadInput
from benchmarks.records import files
from benchmarks.records.records import MOST, Run, parse

ADDRESS = ".store"  # in a mirror: where it is the mirror of
INDEX = (
    ".index.json"  # in a mirrored run: record -> what the store called it, and its checksum here
)
RETRY = {"max_retries": 8, "retry_timeout_s": 60}
HIDDEN = ("plan.json",)  # beside what begins with a dot: of this machine's command alone


class Unreachable(Exception):
    """The store does not answer, or refuses; the message says what it said, in a line."""


class Taken(Exception):
    """Somebody else was faster."""


class Store:
    """A place on object storage. Methods raise Unreachable."""

    def __init__(self, address: str) -> None:
        """Raises BadInput for an address that is none."""
        self.address = address
        try:
            import obstore  # only here: most results lie in a folder
            from obstore.store import from_url
        except ImportError:
            raise BadInput(
                f"results={address} needs pip install 'model-eras[store]', or give a folder."
            ) from None
        self._obstore = obstore
        plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
        retry: Any = {
            "max_retries": int(os.environ.get("MODEL_ERAS_STORE_RETRIES", RETRY["max_retries"])),
            "retry_timeout": _seconds(RETRY["retry_timeout_s"]),
        }
        try:
            options: Any = {"allow_http": True} if plain else None
            self._store = from_url(address, client_options=options, retry_config=retry)
        except Exception as error:
            raise BadInput(
                f"results={address} is no place on object storage ({first_line(error)}); give one "
                "such as s3://BUCKET/FOLDER, or a folder."
            ) from None

    # Objects ------------------------------------------------------------------------------------

    def create(self, key: str, data: bytes) -> str:
        """Where there is none; its tag. Raises Taken."""
        return self._put(key, data, "create")

    def update(self, key: str, data: bytes, tag: str) -> str:
        """In the place of the one with this tag; its own. Raises Taken."""
        return self._put(key, data, {"e_tag": tag})

    def put(self, key: str, data: bytes) -> str:
        """Whatever is there."""
        return self._put(key, data, "overwrite")

    def _put(self, key: str, data: bytes, mode: Any) -> str:
        wrong = self._obstore.exceptions
        try:
            return str(self._obstore.put(self._store, key, data, mode=mode)["e_tag"])
        except (wrong.AlreadyExistsError, wrong.PreconditionError):
            raise Taken from None
        except Exception as error:
            raise Unreachable(first_line(error)) from None

    def get(self, key: str) -> tuple[bytes, str] | None:
        """(what is there, its tag), None if nothing is."""
        try:
            found = self._obstore.get(self._store, key)
            return bytes(found.bytes()), str(found.meta["e_tag"])
        except FileNotFoundError:
            return None
        except Exception as error:
            raise Unreachable(first_line(error)) from None

    def tag(self, key: str) -> str | None:
        """Of what is there."""
        try:
            return str(self._obstore.head(self._store, key)["e_tag"])
        except FileNotFoundError:
            return None
        except Exception as error:
            raise Unreachable(first_line(error)) from None

    def delete(self, key: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            try:
                self._obstore.delete(self._store, key)
            except FileNotFoundError:
                raise
            except Exception as error:
                raise Unreachable(first_line(error)) from None

    def listed(self, prefix: str) -> Iterator[tuple[str, str]]:
        """(key, tag) of everything below."""
        try:
            for batch in self._obstore.list(self._store, prefix=prefix):
                for one in batch:
                    yield str(one["path"]), str(one["e_tag"])
        except Exception as error:
            raise Unreachable(first_line(error)) from None

    def probe(self) -> None:
        """Raises BadInput for a store that cannot be written to, or that ignores conditions: two
        drivers would run every cell twice and overwrite each other's records."""
        key = f".probe/{uuid.uuid4().hex}"
        try:
            tag = self.create(key, b"1")
            ignored = None
            with contextlib.suppress(Taken):
                self.create(key, b"2")
                ignored = "if-none-match: it creates a key twice"
            with contextlib.suppress(Taken):
                self.update(key, b"3", '"0"')
                ignored = ignored or "if-match: it replaces what it was not told of"
            if ignored is None:
                self.update(key, b"4", tag)
            with contextlib.suppress(Unreachable):
                self.delete(key)
        except (Unreachable, Taken) as error:
            raise BadInput(
                f"results={self.address} cannot be used: {error or 'it is odd'}."
            ) from None
        if ignored is not None:
            raise BadInput(
                f"results={self.address} ignores {ignored}, so that no two drivers could share it; "
                "take a store that keeps conditions, or a folder."
            )

    # Runs ---------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """Of the runs there are."""
        keys = (key.partition("/") for key, _ in self.listed(""))
        return sorted({run for run, _, rest in keys if rest.startswith("cells/")})

    def pull(self, run: Run) -> None:
        """Bring what the store has and the mirror has not."""
        run.cells.mkdir(parents=True, exist_ok=True)
        index = Index(run)
        for key, tag in self.listed(f"{run.name}/cells"):
            name = Path(key).stem
            if key.endswith(".json") and index.tag(name) != tag:
                self._bring(run, name, index)

    def _bring(self, run: Run, name: str, index: "Index") -> None:
        """A record, what belongs to it first."""
        found = self.get(f"{run.name}/cells/{name}.json")
        if found is None:
            return
        text, tag = found
        with contextlib.suppress(files.Unreadable):  # scan says what is wrong with it
            for suffix, facts in parse(text).get("files", {}).items():
                self._bring_file(run, f"{name}{suffix}", facts)
        files.write(run.cells / f"{name}.json", text)
        index.know(name, tag, text)

    def _bring_file(self, run: Run, name: str, facts: Mapping[str, Any]) -> None:
        file = run.cells / name
        if not file.resolve().is_relative_to(run.cells.resolve()):  # `../`: nobody's artifact
            return
        with contextlib.suppress(FileNotFoundError, files.Unreadable):
            if files.holds(file, facts):
                return
        found = self.get(f"{run.name}/files/{facts['blake2b']}")
        if found is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            files.write(file, found[0])

    def push(self, run: Run, name: str) -> bool:
        """Put a record there that this machine has made, its files first; False if somebody else
        has put one meanwhile, which the mirror has then."""
        index = Index(run)
        text = files.content(run.cells / f"{name}.json", MOST)
        key = f"{run.name}/cells/{name}.json"
        for suffix, facts in json.loads(text).get("files", {}).items():
            with contextlib.suppress(Taken):
                data = (run.cells / f"{name}{suffix}").read_bytes()
                self.create(f"{run.name}/files/{facts['blake2b']}", data)
        if (log := run.cells / f"{name}.log").exists():
            self.put(f"{run.name}/cells/{name}.log", log.read_bytes())
        known = index.tag(name)
        try:
            tag = self.create(key, text) if known is None else self.update(key, text, known)
        except Taken:
            there = self.get(key)
            if there is not None and there[0] == text:  # it had arrived before the network failed
                index.know(name, there[1], text)
                return True
            self._bring(run, name, index)
            return False
        index.know(name, tag, text)
        return True

    def waiting(self, run: Run) -> list[str]:
        """Names of records here that the store has not, as the network was down."""
        index = Index(run)
        return [
            file.stem
            for file in sorted(run.cells.glob("*.json"))
            if not index.is_known(file.stem, file.read_bytes())
        ]

    def push_tables(self, run: Run) -> None:
        """What stands beside the cells: tables and pages, as this machine has made them last."""
        for file in sorted(run.folder.iterdir()):
            if file.is_file() and not file.name.startswith(".") and file.name not in HIDDEN:
                self.put(f"{run.name}/{file.name}", file.read_bytes())


class Index:
    """What is known of the records of a mirrored run: their tags there, their checksums here."""

    _lock = threading.RLock()

    def __init__(self, run: Run) -> None:
        self._file = run.folder / INDEX
        with self._lock:
            self._known = self._read()

    def _read(self) -> dict[str, list[str]]:
        with contextlib.suppress(OSError, ValueError):
            found: dict[str, list[str]] = json.loads(self._file.read_text(encoding="utf-8"))
            return found
        return {}

    def tag(self, name: str) -> str | None:
        return self._known[name][0] if name in self._known else None

    def is_known(self, name: str, text: bytes) -> bool:
        return name in self._known and self._known[name][1] == checksum(text)

    def know(self, name: str, tag: str, text: bytes) -> None:
        with self._lock:
            self._known = self._read()  # another lane has written meanwhile
            self._known[name] = [tag, checksum(text)]
            files.write(self._file, json.dumps(self._known))


def checksum(text: bytes) -> str:
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300].rstrip(".:")


def _seconds(seconds: float) -> Any:
    from datetime import timedelta

    return timedelta(seconds=seconds)
