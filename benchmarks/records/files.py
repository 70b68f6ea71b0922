"""Files that hold results: read only where they are plain files of a bearable size, written whole
and on the disk before they have their name."""

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from benchmarks.errors import cannot_write

CHUNK = 1 << 20


class Unreadable(ValueError):
    """A file that does not hold what it should, with the end of a sentence about it."""


class Unwritable(Exception):
    """The disk does not take what a cell has to leave: no fault of its model or its task."""


@contextlib.contextmanager
def leaving() -> Iterator[None]:
    """Where the process of a cell leaves something in its folder. Raises Unwritable."""
    try:
        yield
    except OSError as error:
        raise Unwritable(error.strerror or str(error)) from None


def opened(path: Path) -> BinaryIO:
    """A file to be read. Raises FileNotFoundError, and Unreadable for what is no plain file: a
    link may lead anywhere, and a pipe would be waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        is_link = error.errno == errno.ELOOP
        raise Unreadable("is a link" if is_link else f"cannot be read ({error.strerror})") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Unreadable("is no plain file")
    return os.fdopen(descriptor, "rb")


def content(path: Path, most: int) -> bytes:
    """What a file holds, if that is at most so many bytes. Raises as `opened` does."""
    with opened(path) as file:
        try:
            found = file.read(most + 1)
        except OSError as error:
            raise Unreadable(f"cannot be read ({error.strerror})") from None
    if len(found) > most:
        raise Unreadable(f"is larger than {most / 1e6:,.0f} MB")
    return found


def facts(path: Path) -> dict[str, Any]:
    """Size and checksum: `bytes` and `blake2b`. Raises as `opened` does."""
    with opened(path) as file:
        found = hashlib.blake2b(digest_size=16)
        while block := file.read(CHUNK):
            found.update(block)
        return {"bytes": file.tell(), "blake2b": found.hexdigest()}


def holds(path: Path, known: Mapping[str, Any]) -> bool:
    """Is a file the one with these `facts`? One of another size is not read. Raises as `opened`."""
    with opened(path) as file:
        if os.fstat(file.fileno()).st_size != known["bytes"]:
            return False
    return facts(path) == known


def write(path: Path, text: str | bytes) -> None:
    """Whoever reads the file sees the old one or the new one. Raises CannotWrite."""
    data = text.encode("utf-8", "backslashreplace") if isinstance(text, str) else text
    part = path.with_name(f".{path.name[:200]}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        settle(part)
        part.replace(path)
        settle(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def settle(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a file system that cannot
            raise
    finally:
        os.close(descriptor)


def shorten(path: Path, most: int) -> None:
    """Leave of a long file its head and its tail, and between them how much is missing."""
    size = path.stat().st_size
    if size <= most:
        return
    half = most // 2
    with path.open("r+b") as file:
        file.seek(size - half)
        tail = file.read()
        file.seek(half)
        file.write(b"\n[... %d MB are left out here ...]\n" % (size // 10**6) + tail)
        file.truncate()
