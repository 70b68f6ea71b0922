"""The test rows that stand for all: what a model that reads slowly is asked for, and what every
other one is scored on as well, so that pairs stay pairs.

A record of a model that was asked for all test rows keeps its scores on the subset under `subset`;
one that was asked for the subset alone says in `rows` how many there are (`of`).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

ROWS = 500
FEWEST = 2 * ROWS  # of fewer test rows all are asked for
PREFIX = "subset_"  # of influences on the subset alone


def places(n_test: int) -> "np.ndarray | None":
    """(ROWS,) places of test rows, by chance, in their order: the same ones whatever the model and
    the seed. None where there are too few test rows for a subset."""
    import numpy as np  # only here: listing records should not wait for it

    if n_test < FEWEST:
        return None
    return np.sort(np.random.default_rng(14).permutation(n_test)[:ROWS])


def restricted(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """The record as one of a cell that was asked for the subset alone, with the record itself as
    `whole`. None where it keeps no scores on the subset."""
    found = record.get("subset")
    if not found:
        return None
    rows = {**record["rows"], "test": found["rows"], "of": record["rows"]["test"]}
    return {**record, **found, "rows": rows, "whole": record}


def restricted_outcomes(arrays: Mapping[str, Any]) -> dict[str, Any] | None:
    """Raw outcomes of all test rows -> those of the subset."""
    at = places(len(arrays["labels"]))
    if at is None:
        return None
    kept = {}
    for name, values in arrays.items():
        if name == "classes":
            kept[name] = values
        elif not name.startswith("influence_"):  # of a metric on all rows
            kept[name.removeprefix(PREFIX)] = taken(values, at)
    return kept


def taken(values: Any, at: "np.ndarray") -> Any:
    """Those at these places."""
    return [values[place] for place in at.tolist()] if isinstance(values, list) else values[at]


def whole_of(record: dict[str, Any]) -> dict[str, Any]:
    """The record that this one is a part of; else itself. Its clocks are those of all its rows."""
    found: dict[str, Any] = record.get("whole", record)
    return found
