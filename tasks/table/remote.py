"""Files that lie elsewhere (http, S3, all that fsspec knows), fetched to where they can be read."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from glob import has_magic
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

REMOTE = re.compile(r"^[a-z][a-z0-9+.-]*://", re.I)


def is_remote(path: str) -> bool:
    return REMOTE.match(path) is not None


@contextmanager
def fetched(path: str) -> Iterator[str]:
    """A place on this machine that has what lies at `path`, while the context lasts: a file, or a
    folder for a folder or a glob. Raises ValueError in one sentence where it cannot be had."""
    if not is_remote(path):
        yield path
        return
    with TemporaryDirectory() as folder:
        try:
            place = fetch(path, Path(folder))
        except ImportError as error:
            raise ValueError(
                f"{path} needs pip install 'model-eras[remote]' ({' '.join(str(error).split())})"
            ) from None
        except FileNotFoundError:
            raise ValueError(f"there is no file {path}") from None
        except Exception as error:  # every store has its own
            why = " ".join(str(error).split()) or type(error).__name__
            raise ValueError(f"{path} cannot be read: {why[:300]}") from None
        yield str(place)


def fetch(path: str, folder: Path) -> Path:
    """Copy what lies at `path` into a folder of this machine; where it is there."""
    # Here, as tables that lie on this machine do without.
    from fsspec.core import url_to_fs

    system, place = url_to_fs(path)
    is_web = path.startswith("http")
    if has_magic(place) and not is_web:
        files, base = system.glob(place), place[: re.search(r"[*?\[]", place).start()]  # type: ignore[union-attr] # it has magic
        base = base.rpartition("/")[0]
    elif not is_web and system.isdir(place):
        files, base = system.find(place), place.rstrip("/")
    else:
        name = Path(unquote(urlsplit(path).path)).name or "data"
        system.get_file(place, str(folder / name))
        return folder / name
    if not files:
        raise FileNotFoundError("there is no such file")
    for file in map(str, files):
        there = folder / file.removeprefix(base).lstrip("/")
        if not there.resolve().is_relative_to(folder.resolve()):
            raise ValueError(f"{file} leads out of its folder")
        there.parent.mkdir(parents=True, exist_ok=True)
        system.get_file(file, str(there))
    return folder
