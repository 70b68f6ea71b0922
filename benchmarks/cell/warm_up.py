"""Rows that look like a view's and hold nothing of it, for calls that come before the clock.

The first call of a library in a process loads what it had put off, starts its threads and fills
caches. That is no part of fitting this model to these rows, so it gets a phase of its own.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

ROWS = 64
WORDS = np.array(["now", "today", "sale", "news", "for", "you", "new", "last"], dtype=object)


class NoSynthetic(TypeError):
    """Rows of a kind that cannot be made up here: the model is not warmed up."""


def synthetic(rows: Any, n: int = ROWS) -> Any:
    """n made-up rows in the form of `rows`: a data frame with the same columns and types, an
    array of the same shape and type, or a list of texts. Raises NoSynthetic for anything else."""
    rng = np.random.default_rng(0)
    if hasattr(rows, "dtypes") and hasattr(rows, "columns"):
        columns = {i: _column(rows.iloc[:0, i], n, rng) for i in range(rows.shape[1])}
        made = type(rows)(columns)
        made.columns = rows.columns
        return made
    if isinstance(rows, np.ndarray):
        return _values(rows.dtype, (n, *rows.shape[1:]), rng)
    if isinstance(rows, list) and rows and isinstance(rows[0], str):
        return list(_texts(n, rng))
    raise NoSynthetic(type(rows).__name__)


def labels(kind: str, classes: Sequence[str], n: int = ROWS) -> np.ndarray:
    """(n,) labels in which every class stands as often as the others; numbers for regression."""
    if kind == "regression":
        return np.random.default_rng(1).normal(size=n)
    return np.array(classes, dtype=object)[np.arange(n) % len(classes)]


def warm_up(build: Callable[[], Any], rows: Any, kind: str, classes: Sequence[str]) -> str | None:
    """Fit a model on made-up rows and predict them; None if that went well, else why not: a model
    that cannot be warmed up is judged by its real rows."""
    n = max(ROWS, 4 * len(classes))
    try:
        made = synthetic(rows, n)
        model = build().fit(made, labels(kind, classes, n))
        predict = model.predict if kind == "regression" else model.predict_proba
        predict(made)
    except Exception as error:  # whatever a model raises on nonsense is no verdict on it
        return f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]
    return None


def _column(empty: Any, n: int, rng: np.random.Generator) -> Any:
    dtype = empty.dtype
    if hasattr(dtype, "categories"):
        codes = rng.integers(0, max(1, len(dtype.categories)), n) - (not len(dtype.categories))
        return type(empty.array).from_codes(codes, dtype=dtype)
    if isinstance(dtype, np.dtype):
        return _values(dtype, (n,), rng)
    if dtype.name.startswith(("string", "str")):
        return type(empty)(_texts(n, rng), dtype=dtype)
    return type(empty)(rng.integers(0, 2, n)).astype(dtype)  # nullable numbers and booleans


def _values(dtype: np.dtype[Any], shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    if dtype.kind == "f":
        return rng.normal(size=shape).astype(dtype)
    if dtype.kind == "O":
        return _texts(int(np.prod(shape)), rng).reshape(shape)
    if dtype.kind in "US":
        return _texts(int(np.prod(shape)), rng).reshape(shape).astype(dtype)
    return rng.integers(0, 2, shape).astype(dtype)  # whole numbers, booleans, moments


def _texts(n: int, rng: np.random.Generator) -> np.ndarray:
    texts = [" ".join(row) for row in WORDS[rng.integers(0, len(WORDS), (n, 4))]]
    return np.array(texts, dtype=object)
