"""A view of a task, found by its name: a method of the task, or a file of its folder."""

import importlib
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cell import rows as of_rows
from benchmarks.cell.protocols import offered
from tasks.base import Data, UnknownView

ROWS = "rows"  # a view that every task has (see `numbered`)


def make(task: Any, data: Data, names: str) -> tuple[Any, Any]:
    """(train rows, test rows). Raises UnknownView, and ValueError for rows that do not fit."""
    return first(task, data, names)[1:]


def first(task: Any, data: Data, names: str) -> tuple[str, Any, Any]:
    """(name, train rows, test rows) of the first of these views that the task offers: a model may
    read several, as in `events|signal`. Raises as `make` does."""
    *better, last = names.split("|")
    for name in better:
        try:
            return name, *_fitting(task, data, name)
        except UnknownView:
            continue
    return last, *_fitting(task, data, last)


def _fitting(task: Any, data: Data, name: str) -> tuple[Any, Any]:
    train, test = _made(task, data, name)
    of_rows.refuse_unlike(train, test, len(data.train_labels), len(data.test_labels), name)
    return train, test


def numbered(data: Data) -> tuple[np.ndarray, np.ndarray]:
    """Which rows these are, and nothing of what stands in them: test rows by their number in the
    data set, or among the test rows where every seed draws its own; train rows below 0."""
    n = len(data.test_labels)
    test = np.arange(n) if data.test_ids is None else np.asarray(data.test_ids)
    return -1 - np.arange(len(data.train_labels)), test.astype(np.int64)


def _made(task: Any, data: Data, name: str) -> tuple[Any, Any]:
    if name == ROWS:
        return numbered(data)
    if hasattr(task, "view"):
        made = task.view(data, name)
    elif (folder := folder_of(task)) is None or not name.isidentifier():
        raise UnknownView(type(task).__name__, name, offered_views(task))
    elif (folder / f"{name}.py").is_file():
        module = importlib.import_module(f"{type(task).__module__}.{name}")
        if not hasattr(module, "view"):  # a file of the folder that is no view
            raise UnknownView(type(task).__name__, name, offered_views(task))
        made = module.view(task, data)
    elif (folder / f"{name}.sql").is_file():
        made = query(task, data, (folder / f"{name}.sql").read_text(encoding="utf-8"))
    else:
        raise UnknownView(type(task).__name__, name, offered_views(task))
    if not isinstance(made, tuple) or len(made) != 2:
        raise ValueError(f"the view {name!r} gives {type(made).__name__}, not (train, test)")
    return made


def folder_of(task: Any) -> Path | None:
    """The folder that a task's files stand in; None for a task that is a single file."""
    source = Path(inspect.getfile(type(task)))
    return source.parent if source.name == "__init__.py" else None


def offered_views(task: Any) -> Sequence[str]:
    """Names of the views that files of the task's folder make."""
    folder = folder_of(task)
    if folder is None:
        return ("none: it has no method `view`",)
    texts = {file: file.read_text(encoding="utf-8") for file in folder.glob("*.py")}
    makes = [file.stem for file, text in texts.items() if "\ndef view(" in text]
    return sorted({*makes, *(file.stem for file in folder.glob("*.sql"))})


def query(task: Any, data: Data, sql: str) -> tuple[Any, Any]:
    """Run SQL over a task's tables: a row for each train row, then one for each test row."""
    from tasks.engines import run  # only tasks with a view in SQL need it

    tables = offered(task, "tables")(data)
    threads, engine = getattr(task, "n_jobs", 1), getattr(task, "sql_engine", "duckdb")
    made = run(sql, tables, engine, threads, offered(task, "levels"))
    key = offered(task, "key")
    if key is not None and not made.pop(key).is_monotonic_increasing:
        raise ValueError(f"the rows of a view in SQL do not come in the order of {key}")
    split = len(data.train_labels)
    return of_rows.take(made, slice(None, split)), of_rows.anew(
        of_rows.take(made, slice(split, None))
    )
