"""What only the process of a cell can tell, in the form that its record keeps."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from benchmarks.cell import rows as of_rows
from benchmarks.cell.prepared import Prepared
from benchmarks.cell.protocols import offered
from benchmarks.cell.scores import Scored
from tasks.base import Data

CURVE = 2_000  # points of a curve that are kept, evenly spread


def judged_fields(data: Data, scored: Scored) -> dict[str, Any]:
    """What the cell is judged by, with all that a table needs to know of the metrics."""
    return {
        "kind": data.kind,
        "answer": data.answer,
        "metric": scored.metrics[0].name,
        "metrics": [dataclasses.asdict(metric.facts()) for metric in scored.metrics],
        "scores": finite(scored.scores),
        "ceiling": None if scored.ceiling is None else finite(scored.ceiling),
        "floor": finite(scored.floor),
    }


def columns_of(rows: Any) -> int | None:
    shape = of_rows.shape(rows)
    return shape[1] if len(shape) > 1 else None


def curves(history: Any) -> dict[str, list[float | None]] | None:
    """Curves of a fit, with at most CURVE points each."""
    if not history:
        return None
    found = {}
    for name, values in history.items():
        every = -(-len(values) // CURVE)
        found[str(name)] = [float(v) if math.isfinite(v) else None for v in values[::every]]
    return found


def work(made: Prepared, model: Any, tuning: Mapping[str, Any] | None) -> dict[str, Any]:
    """The part of the work ledger that sources do not tell (docs/work-ledger.md)."""
    columns: dict[str, int | None] = {"raw_columns": None, "designed_columns": None}
    if (raw := made.facts["raw_columns"]) is not None:
        designed = [name for name in of_rows.names(made.train) or [] if name not in set(raw)]
        is_general = made.facts["general"]
        columns = {
            "raw_columns": len(set(raw)),
            "designed_columns": 0 if is_general else len(designed),
        }
    foreign = offered(model, "estimator")
    knobs = {} if foreign is None else {"knobs": len(foreign.get_params(deep=False))}
    trials = tuning["used"]["trials"] if tuning else 0
    return {
        **columns,
        "fits": offered(model, "n_fits_") * (1 + trials),
        "labels": len(made.data.train_labels),
        "tokens": offered(model, "n_tokens_"),
        **knobs,
    }


def finite(values: Mapping[str, float]) -> dict[str, float | None]:
    """JSON has no NaN; a metric that does not exist for these rows is null."""
    return {k: float(v) if math.isfinite(v) else None for k, v in values.items()}


def plain(value: Any) -> Any:
    """What a model notes may be a NumPy number or anything else; JSON gets a number or a text."""
    return value.item() if hasattr(value, "item") else str(value)


def one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:300] if text else type(error).__name__
