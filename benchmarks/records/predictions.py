"""The raw outcomes of a cell, as results/README.md has them: read with nothing taken on trust.

Headers are looked at before anything is unpacked: an archive of a few kilobytes may hold gigabytes.
"""

import json
import math
import zipfile
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import IO, Any

from benchmarks.records.files import Unreadable, content, opened

MOST = 2**30  # bytes of answers, and of an archive that would be unpacked
PACKED = 200  # times smaller than what it holds is a larger archive at most
LONGEST = 2**20  # bytes of an id or the name of a group
CLASSES = 2**26  # bytes of all names of classes
INFLUENCES = ("influence_", "subset_influence_")  # what their names begin with


def read_arrays(
    file: Path, record: Mapping[str, Any], names: Collection[str] | None = None
) -> dict[str, Any]:
    """Those of these names that are there, and influences; None for all. Raises FileNotFoundError,
    and Unreadable for anything but arrays of the shapes and types that such a record has."""
    import numpy as np  # only here: listing records should not wait for it

    found: dict[str, Any] = {}
    try:
        with opened(file) as packed, zipfile.ZipFile(packed) as archive:
            most = max(MOST, PACKED * file.stat().st_size)
            for member in archive.infolist():
                name = member.filename.removesuffix(".npy")
                if names is None or name in names or name.startswith(INFLUENCES):
                    with archive.open(member) as stream:
                        if np.lib.format.read_magic(stream) != (1, 0):
                            raise Unreadable(f"holds {name} in an unknown form")
                        shape, by_columns, dtype = np.lib.format.read_array_header_1_0(stream)
                        _refuse_array(name, shape, dtype, record, most)
                        values = np.frombuffer(_exactly(stream, shape, dtype), dtype)
                        found[name] = values.reshape(shape, order="F" if by_columns else "C")
    except Unreadable:
        raise
    except FileNotFoundError:
        raise
    except (
        OSError,
        EOFError,
        ValueError,
        KeyError,
        RuntimeError,  # a password
        NotImplementedError,  # a way to compress
        MemoryError,
        zlib.error,
        zipfile.BadZipFile,
    ):
        raise Unreadable("is no archive of arrays, or is damaged") from None
    _refuse_values(found, record)
    return found


def _exactly(stream: IO[bytes], shape: tuple[int, ...], dtype: Any) -> bytearray:
    """The values that a header announces, no more and no less."""
    size = math.prod(shape) * dtype.itemsize
    data = bytearray(stream.read(size))
    if len(data) < size or stream.read(1):
        raise Unreadable("holds another number of values than it says")
    return data


def _refuse_array(
    name: str, shape: tuple[int, ...], dtype: Any, record: Mapping[str, Any], most: int
) -> None:
    """Raise Unreadable for what is not as in results/README.md, by its header alone."""
    n_test, is_number = record["rows"]["test"], record.get("kind") == "regression"
    size = math.prod(shape) * dtype.itemsize
    if name == "classes":
        good = dtype.kind == "U" and len(shape) == 1 and size <= CLASSES
    elif name in ("predictions", "truth"):
        good = dtype.kind == "f" and len(shape) == (1 if is_number else 2)
    elif name.startswith(INFLUENCES):
        good = dtype.kind == "f" and len(shape) == 1
    elif name == "labels":
        good = dtype.kind in ("biuf" if is_number else "biu") and len(shape) == 1
    else:
        good = dtype.kind in "biufUSmM" and len(shape) == 1 and dtype.itemsize <= LONGEST
    if not good or (name != "classes" and shape[0] != n_test) or size > most:
        raise Unreadable(f"holds {name} of another shape or type (shape {shape}, {dtype})")


def _refuse_values(found: dict[str, Any], record: Mapping[str, Any]) -> None:
    """Raise Unreadable for arrays that do not fit each other, and for predictions or labels that
    are not finite; anything else that is not is left out."""
    import numpy as np

    numbers = [name for name, array in found.items() if array.dtype.kind == "f"]
    for name in numbers:
        if name not in ("ids", "group") and not np.isfinite(found[name]).all():
            if name in ("predictions", "labels"):
                raise Unreadable(f"holds {name} that are not finite")
            del found[name]
    predictions, labels = found.get("predictions"), found.get("labels")
    if predictions is None or labels is None:
        if not {"predictions", "labels"} & found.keys():
            return
        raise Unreadable("holds no predictions, or no labels")
    if record.get("kind") == "regression":
        return
    classes = predictions.shape[1]
    if classes < 2 or (record.get("kind") == "binary" and classes > 2):
        raise Unreadable(f"holds predictions of {classes} classes")
    if len(labels) and not 0 <= labels.min() <= labels.max() < classes:
        raise Unreadable("holds labels of no class")
    others = {"truth": predictions.shape, "classes": (classes,)}
    if any(name in found and found[name].shape != shape for name, shape in others.items()):
        raise Unreadable("holds arrays of different numbers of classes")


def read_answers(file: Path, record: Mapping[str, Any]) -> dict[str, Any]:
    """Of a cell whose answers are texts or JSON: a line for each test row. Raises as `read_arrays`
    does."""
    import numpy as np

    try:
        lines = [json.loads(line) for line in content(file, MOST).decode("utf-8").splitlines()]
    except Unreadable:
        raise
    except (ValueError, RecursionError):
        raise Unreadable("holds lines that are no JSON") from None
    if len(lines) != record["rows"]["test"] or not all(isinstance(line, dict) for line in lines):
        raise Unreadable("does not hold an answer for each test row")
    fields = set(lines[0])
    if not {"answer", "label"} <= fields or any(set(line) != fields for line in lines):
        raise Unreadable("holds lines of different fields")
    found: dict[str, Any] = {
        "predictions": [line["answer"] for line in lines],
        "labels": [line["label"] for line in lines],
    }
    if "truth" in fields:
        found["truth"] = [line["truth"] for line in lines]
    for name in fields - {"answer", "label", "truth"}:
        values = [line[name] for line in lines]
        kinds = {type(value) for value in values}
        wanted = {int, float} if name.startswith(INFLUENCES) else {int, float, str}
        if not kinds <= wanted or (str in kinds and len(kinds) > 1):
            raise Unreadable(f"holds {name} of another type")
        try:
            found[name] = np.array(values)
        except (ValueError, OverflowError):
            raise Unreadable(f"holds {name} of another type") from None
        if found[name].dtype.kind not in "iufU" or (
            name.startswith(INFLUENCES) and not np.isfinite(found[name]).all()
        ):
            raise Unreadable(f"holds {name} of another type")
    return found
