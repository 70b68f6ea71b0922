"""Where runs lie: in a folder of folders, or on object storage with a mirror here (store.py)."""

import contextlib
import hashlib
from pathlib import Path

import platformdirs

from benchmarks.errors import BadInput, tell
from benchmarks.records.records import Run
from benchmarks.records.store import ADDRESS, Store, Unreachable


def place_of(results: str | Path) -> Path:
    """The folder of all runs: of an address (`s3://bucket/results`) its mirror here."""
    text = str(results)
    if "://" not in text:
        return Path(results)
    address = text.rstrip("/")
    name = hashlib.sha256(address.encode()).hexdigest()[:16]
    mirror = Path(platformdirs.user_cache_dir("model-eras")) / "stores" / name
    mirror.mkdir(parents=True, exist_ok=True)
    (mirror / ADDRESS).write_text(address, encoding="utf-8")
    return mirror


def store_of(results: Path) -> "Store | None":
    """That a folder of runs mirrors, if it does. Raises BadInput for one that cannot be used."""
    try:
        address = (results / ADDRESS).read_text(encoding="utf-8")
    except OSError:
        return None
    return Store(address)


def open_run(results: Path, name: str) -> Run:
    """Open an existing run by name (or by path); BadInput lists those there are."""
    store = store_of(results)
    if store is not None:
        brought(store, results, name)
    for folder in (results / name, Path(name)):
        with contextlib.suppress(OSError, RuntimeError):  # a name too long, a user unknown
            folder = folder.expanduser()
            if (folder / "cells").is_dir():
                return Run(folder if folder.name.strip(".") else folder.resolve())
    runs = sorted(p.parent.name for p in results.glob("*/cells")) if results.is_dir() else []
    there = store.address if store is not None else f"{results}/"
    known = f"there are: {', '.join(runs)}" if runs else f"{there} holds none yet"
    raise BadInput(f"There is no run {name}; {known}.")


def brought(store: Store, results: Path, name: str | None = None) -> None:
    """Have in the mirror what the store has of this run, or of all; as it is while the store does
    not answer."""
    try:
        for run in store.names():
            if name in (None, run):
                store.pull(Run(results / run))
    except Unreachable as error:
        said = f"{store.address} does not answer ({error}): this is what was known here before"
        tell(f"warning: {said}", is_error=True)
