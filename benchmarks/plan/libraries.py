"""Libraries that a worker loads ahead for all cells, read from the sources of tasks and models.

Code of a task or a model is never loaded ahead, ours no more than a user's: what dies there, hangs,
or changes a library would reach every cell. Its own cell loads it.
"""

from collections.abc import Iterable

from benchmarks.plan.settings import read_settings
from benchmarks.plan.sources import find_source, imported, top
from benchmarks.records.records import Cell

NUMBERS = ("numpy", "scipy", "pandas", "pyarrow", "duckdb")
LEARNING = ("sklearn", "sklearnex", "daal4py", "xgboost", "torch", "optuna")
BELOW = ("annotated_types", "joblib", "psutil", "pydantic", "threadpoolctl")
HARMLESS = frozenset((*NUMBERS, *LEARNING, *BELOW))
"""Loading these changes nothing for others, and starts no thread that a fork would miss."""
FIRST_OPTIMIZER = "torch._dynamo"
"""Torch's compiler, which its first optimizer of a process loads, for a second."""


def libraries_of(cells: Iterable[Cell]) -> set[str]:
    """Dotted names of what these cells need: what the modules of their tasks and models, and the
    files of their own that those import, take from harmless libraries when they are loaded; and
    modules of the kit that only some cells need."""
    targets, found = set(), set()
    for cell in cells:
        targets |= {cell.config[part]["_target_"] for part in ("task", "model")}
        if "tune" in cell.config:
            found.add("benchmarks.cell.tune")
        if read_settings(cell.config["model"]["_target_"]) is None:
            found.add("benchmarks.cell.foreign")
    found |= _harmless(target.rpartition(".")[0] for target in targets)
    return found | ({FIRST_OPTIMIZER} if "torch" in map(top, found) else set())


def _harmless(modules: Iterable[str]) -> set[str]:
    found: set[str] = set()
    seen: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if top(name) in HARMLESS:
            found.add(name)
        elif (source := find_source(f"{name}.x")) is not None:
            waiting += imported(name, source)
    return found
