"""Where rows are kept that several models read: by what they are made of.

A view that costs little is kept as long as the command runs, for the models of a seed; one that
its task calls expensive stays in a folder outside of all runs. Who makes and reads what lies there
is cell/prepared.py.
"""

import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import platformdirs

from benchmarks.records import machine
from benchmarks.records.records import Cell

FORM = 1  # of what is kept: another one is another entry
NO_CACHE: Mapping[str, Any] = {"folder": None, "gigabytes": 0.0}


class Shelf:
    """Places for the rows of these cells; `close` removes those of this command alone."""

    def __init__(self, cells: Sequence[Cell], cache: Mapping[str, Any]) -> None:
        """cache: `folder` (None: that of the user, as the system has it) and `gigabytes`, at most;
        0 keeps nothing from command to command."""
        self._cache = cache
        self._readers = Counter(key_of(cell) for cell in cells)
        self._own: Path | None = None

    def place(self, cell: Cell) -> dict[str, Any] | None:
        """`folder` of the cell's rows, and whether they are `expensive` (then at most `most_bytes`
        are kept); None for rows that nobody else reads."""
        key = key_of(cell)
        if cell.expensive and self.folder is not None:
            folder = self.folder / "views" / key
            return {"folder": str(folder), "expensive": True, "most_bytes": self.most_bytes}
        if self._readers[key] < 2:
            return None
        if self._own is None:
            self._own = Path(tempfile.mkdtemp(prefix="model-eras-"))
        return {"folder": str(self._own / key), "expensive": False}

    @property
    def folder(self) -> Path | None:
        """What outlives this command; None where nothing may."""
        if not float(self._cache["gigabytes"]):
            return None
        folder = self._cache["folder"] or platformdirs.user_cache_dir("model-eras")
        return Path(folder).expanduser().resolve()

    @property
    def most_bytes(self) -> float:
        return float(self._cache["gigabytes"]) * 1e9

    def close(self) -> None:
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)


def key_of(cell: Cell) -> str:
    """The same for cells whose models read the same rows."""
    made_of = {
        "form": FORM,
        "task": {k: v for k, v in cell.config["task"].items() if k != "train_rows"},
        "code": {name: code for name, code in cell.code.items() if name != "model"},
        "view": cell.view,
        "seed": cell.seed,
        "threads": cell.config["threads"],
        "control": cell.config.get("control"),
        "engine": cell.config.get("engine"),
        "packages": machine.versions(),
    }
    text = json.dumps(made_of, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]
