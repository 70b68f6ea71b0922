"""What models spend, told to whoever watches the cell from outside (runner/watch.py)."""

import contextlib
import json
import threading
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.cell.protocols import offered

SECONDS = 0.1
SPENT = "spent"


class Meter(threading.Thread):
    """Tells the tokens and the money of all models of a cell, those that a search has tried as
    well. It ends with its process."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self._file = folder / SPENT
        self._models: list[tuple[weakref.ref[Any], dict[str, float]]] = []
        self._ended = threading.Event()

    def add(self, model: Any) -> None:
        with contextlib.suppress(TypeError):  # an object of which there are no weak references
            self._models.append((weakref.ref(model), {"tokens": 0, "money": 0.0}))

    def run(self) -> None:
        while not self._ended.wait(SECONDS):
            with contextlib.suppress(OSError):
                self.tell()

    def tell(self) -> None:
        for model, told in list(self._models):
            with contextlib.suppress(Exception):  # of a model that is not built to its end
                if (found := model()) is not None:
                    told |= spent(found)
        total = {name: sum(t[name] for _, t in self._models) for name in ("tokens", "money")}
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps(total), encoding="utf-8")
        part.replace(self._file)


def spent(model: Any) -> dict[str, float]:
    tokens: Mapping[str, int] = offered(model, "tokens_") or {}
    return {"tokens": sum(tokens.values()), "money": float(offered(model, "spent_") or 0.0)}
