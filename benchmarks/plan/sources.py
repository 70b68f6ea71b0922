"""The files behind a task or a model: where they lie, and whether they are still the same."""

import functools
import hashlib
import sys
from collections.abc import Iterable
from glob import glob
from pathlib import Path


def find_source(target: str) -> Path | None:
    """Find the file that defines `package.module.Class`, importing nothing."""
    parts = target.split(".")[:-1]
    for folder in sys.path if parts else ():
        base = Path(folder or ".").joinpath(*parts)
        for candidate in (base.with_suffix(".py"), base / "__init__.py"):
            if candidate.is_file():
                return candidate
    return None


def code_hash(target: str) -> str | None:
    """Hash the source that stands behind a target: its file, or its folder for a package.

    Results of code that has changed are not results of the code that is there.
    """
    source = find_source(target)
    if source is None:
        return None
    files = [source]
    if source.name == "__init__.py":
        files = sorted(p for p in source.parent.iterdir() if p.suffix in (".py", ".sql"))
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def data_hash(places: Iterable[str]) -> str | None:
    """Hash the data that a task reads: files, folders or patterns; None if nothing is there."""
    digest, found = hashlib.sha256(), False
    for place in places:
        for file in _files(place):
            state = file.stat()
            digest.update(_file_hash(file, (state.st_size, state.st_mtime_ns)))
            found = True
    return digest.hexdigest()[:12] if found else None


def _files(place: str) -> list[Path]:
    """What lies there; nothing where that cannot be asked, as whoever reads it will say why."""
    if not place.strip():  # to a path it is the folder one is in
        return []
    try:
        path = Path(place)  # such a file is meant, whatever its name looks like
        path = path if path.exists() else path.expanduser()
        if path.exists():
            found = sorted(path.rglob("*")) if path.is_dir() else [path]
        else:
            found = [Path(match) for match in sorted(glob(str(path), recursive=True))]  # noqa: PTH207 - pathlib takes no absolute ones
        return [file for file in found if file.is_file()]
    except (OSError, RuntimeError):  # a name that is too long, a user who does not exist
        return []


@functools.cache
def _file_hash(file: Path, _state: tuple[int, int]) -> bytes:
    """Of the content; size and moment of change are there for the cache."""
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").digest()
    except OSError:  # whoever reads it will say what is wrong
        return b""
