"""Libraries that a worker loads ahead for all cells, read from the sources of tasks and models.

Code of a task or a model is never loaded ahead, ours no more than a user's: what dies there, hangs,
or changes a library would reach every cell. Its own cell loads it.
"""

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.plan.settings import read_settings
from benchmarks.plan.sources import find_source
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
    return found | ({FIRST_OPTIMIZER} if "torch" in map(_top, found) else set())


def _harmless(modules: Iterable[str]) -> set[str]:
    found: set[str] = set()
    seen: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if _top(name) in HARMLESS:
            found.add(name)
        elif (source := find_source(f"{name}.x")) is not None:
            waiting += _imported(name, source)
    return found


def _imported(module: str, source: Path) -> Iterator[str]:
    """Dotted names that a file of one's own imports when it is loaded: modules, and what it takes
    from them, which may be modules too."""
    if {"site-packages", "dist-packages"}.intersection(source.parts):
        return
    try:
        tree = ast.parse(source.read_bytes())
    except (SyntaxError, ValueError):  # its cell will say so
        return
    package = module if source.name == "__init__.py" else module.rpartition(".")[0]
    for node in _loaded(tree.body):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            above = package.split(".")[: package.count(".") + 2 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names = [base, *(f"{base}.{a.name}" for a in node.names if a.name != "*")]
        yield from (name for name in names if _top(name) not in sys.stdlib_module_names)


def _loaded(body: Iterable[ast.AST]) -> Iterator[ast.Import | ast.ImportFrom]:
    """Imports that are made when a file is loaded: not those inside functions, nor those for a
    type checker."""
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _loaded(node.orelse)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.expr):
            yield from _loaded(ast.iter_child_nodes(node))


def _top(name: str) -> str:
    return name.partition(".")[0]
