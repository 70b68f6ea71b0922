"""Rows that look like a view's and hold nothing of it, for calls that come before the clock.

The first call of a library in a process loads what it had put off, starts its threads and fills
caches. That is no part of fitting this model to these rows, so it gets a phase of its own.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.cell.fields import one_line
from benchmarks.cell.protocols import METHOD_OF
from benchmarks.cell.rows import ROWS, synthetic
from tasks.base import Data


def labels(data: Data, n: int = ROWS) -> Any:
    """n labels as a model is given them, in which every class stands as often as the others;
    numbers for values; for answers those of the first train row alone tell what form they have."""
    if data.answer == "values":
        return np.random.default_rng(1).normal(size=n)
    if data.answer == "answers":
        first = data.train_labels[0]
        return ["now" if isinstance(first, str) else blank(first)] * n
    return data.told(np.arange(n) % len(data.classes))


def blank(answer: Any) -> Any:
    """An answer of the same form that holds nothing."""
    if isinstance(answer, dict):
        return {key: blank(value) for key, value in answer.items()}
    return [] if isinstance(answer, list) else type(answer)()


def warm_up(build: Callable[[], Any], rows: Any, data: Data) -> str | None:
    """Fit a model on made-up rows and predict them; None if that went well, else why not: a model
    that cannot be warmed up is judged by its real rows."""
    n = max(ROWS, 4 * len(data.classes))
    try:
        made = synthetic(rows, n)
        model = build().fit(made, labels(data, n))
        getattr(model, METHOD_OF[data.answer])(made)
    except Exception as error:  # whatever a model raises on nonsense is no verdict on it
        return one_line(error)
    return None
