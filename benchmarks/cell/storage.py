"""What a task prepares, kept in a folder: data, rows and what was measured, without a pickle.

Frames lie as Arrow files, which are mapped and not read; arrays as .npy; texts as JSON. Whatever
has no such form, or does not come back as it was, is not kept (see `Unstorable`).
"""

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tasks.base import Data
from tasks.histories import Histories
from tasks.pieces import Pieces

DONE = "entry.json"
"""Written last: a folder without it, or whose files are not as it says, is no entry."""


class Unstorable(TypeError):
    """Rows or labels of a kind that cannot be kept."""


class Damaged(ValueError):
    """A folder that is no entry, or not the one that was written."""


def write(folder: Path, data: Data, train: Any, test: Any, facts: dict[str, Any]) -> None:
    """Write an entry, whole or not at all. Raises Unstorable, and OSError for a disk that is full
    or read-only. Of two writers the later one finds the entry there and leaves it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    if (folder / DONE).exists():
        return
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for name, rows in (("train", train), ("test", test)):
            _write_rows(part, name, rows)
        arrays = {"truth": data.truth, "group": data.group, "test_ids": data.test_ids}
        arrays |= {"train_labels": data.train_labels, "test_labels": data.test_labels}
        for name, array in arrays.items():
            if isinstance(array, list):
                (part / f"{name}.json").write_text(json.dumps(array), encoding="utf-8")
            elif array is not None:
                _write_array(part / f"{name}.npy", np.asarray(array))
        sums = {file.name: _checksum(file) for file in sorted(part.iterdir())}
        entry = {"facts": facts, "classes": list(data.classes), "files": sums}
        (part / DONE).write_text(json.dumps(entry), encoding="utf-8")
        part.rename(folder)
    except OSError:
        if not (folder / DONE).exists():  # else another writer was faster
            raise
    except (TypeError, ValueError) as error:
        raise Unstorable(str(error)) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def read(folder: Path) -> tuple[Data, Any, Any, dict[str, Any]]:
    """(data without its raw part, train rows, test rows, facts). Raises Damaged, and
    FileNotFoundError if there is no entry."""
    text = (folder / DONE).read_text(encoding="utf-8")
    try:
        entry = json.loads(text)
        for name, checksum in entry["files"].items():
            if _checksum(folder / name) != checksum:
                raise Damaged(f"{folder / name} is not as it was written")
        parts = {
            name: _read_array(folder, name)
            for name in ("train_labels", "test_labels", "truth", "group", "test_ids")
        }
        data = Data(raw=None, classes=tuple(entry["classes"]), ordered=True, **parts)
        os.utime(folder / DONE)  # the entries that were used last are kept longest
        return data, _read_rows(folder, "train"), _read_rows(folder, "test"), entry["facts"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Damaged(f"the kept view {folder} is damaged ({error})") from None


def _write_rows(folder: Path, name: str, rows: Any) -> None:
    if isinstance(rows, pd.DataFrame):
        _write_frame(folder / f"{name}.arrow", rows)
    elif isinstance(rows, np.ndarray):
        _write_array(folder / f"{name}.npy", rows)
    elif isinstance(rows, list) and all(isinstance(row, str) for row in rows):
        (folder / f"{name}.json").write_text(json.dumps(rows), encoding="utf-8")
    elif isinstance(rows, Histories):
        for part, values in rows.parts().items():
            _write_rows(folder, f"{name}.{part}", values)
    elif isinstance(rows, Pieces):  # they stay where they are
        (folder / f"{name}.pieces.json").write_text(json.dumps(rows.state()), encoding="utf-8")
    else:
        raise Unstorable(f"rows of the type {type(rows).__name__}")


def _read_rows(folder: Path, name: str) -> Any:
    if (file := folder / f"{name}.arrow").exists():
        return _read_frame(file)
    if (folder / f"{name}.now.arrow").exists():
        return Histories(**{p: _read_rows(folder, f"{name}.{p}") for p in Histories.PARTS})
    if (file := folder / f"{name}.pieces.json").exists():
        return Pieces(**json.loads(file.read_text(encoding="utf-8")))
    return _read_array(folder, name)


def _write_frame(file: Path, rows: pd.DataFrame) -> None:
    import pyarrow
    from pyarrow import feather

    if not rows.columns.is_unique or not all(isinstance(name, str) for name in rows.columns):
        raise Unstorable("columns whose names are not texts, or stand twice")
    for name, dtype in rows.dtypes.items():
        if dtype.kind == "O" and isinstance(dtype, np.dtype):
            raise Unstorable(f"column {name} of any objects")
    try:
        feather.write_feather(pyarrow.Table.from_pandas(rows), file, compression="uncompressed")
    except pyarrow.ArrowException as error:
        raise Unstorable(str(error)) from None
    back = _read_frame(file)
    if not rows.dtypes.equals(back.dtypes) or not rows.index.equals(back.index):
        raise Unstorable("types of columns that do not come back as they were")


def _read_frame(file: Path) -> pd.DataFrame:
    from pyarrow import feather

    table = feather.read_table(file, memory_map=True)
    frame: pd.DataFrame = table.to_pandas(split_blocks=False)
    return frame


def _write_array(file: Path, array: np.ndarray) -> None:
    if array.dtype.hasobject:
        raise Unstorable("an array of any objects")
    np.save(file, array, allow_pickle=False)


def _read_array(folder: Path, name: str) -> Any:
    if (file := folder / f"{name}.json").exists():
        return json.loads(file.read_text(encoding="utf-8"))
    file = folder / f"{name}.npy"
    return np.load(file, allow_pickle=False) if file.exists() else None


def _checksum(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "blake2b").hexdigest()


def shrink(folder: Path, most: float) -> None:
    """Remove what was used longest ago until what is left has at most so many bytes."""
    entries = []
    for entry in folder.glob(f"*/{DONE}"):
        try:
            size = sum(file.stat().st_size for file in entry.parent.iterdir())
            entries.append((entry.stat().st_mtime, size, entry.parent))
        except OSError:  # somebody else removes it
            continue
    total = sum(size for _, size, _ in entries)
    for _, size, entry in sorted(entries):
        if total <= most:
            return
        shutil.rmtree(entry, ignore_errors=True)
        total -= size
