"""What only the process of a cell can tell, in the form that its record keeps."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from benchmarks.cell import rows as of_rows
from benchmarks.cell.prepared import Prepared
from benchmarks.cell.protocols import offered
from benchmarks.cell.scores import Scored
from benchmarks.records.values import TooMuch, plain_data, text_of
from tasks.base import Data

CURVE = 2_000  # points of a curve that are kept, evenly spread
NOTE = 300  # characters of a text that a model notes: a table shows it
NOTES = 100_000  # characters of all that it notes
LARGEST = 1e150  # of scores: a record takes no larger one


def judged_fields(data: Data, scored: Scored) -> dict[str, Any]:
    """What the cell is judged by, with all that a table needs to know of the metrics."""
    return {
        "kind": data.kind,
        "answer": data.answer,
        "metric": scored.metrics[0].name,
        "metrics": [dataclasses.asdict(metric.facts()) for metric in scored.metrics],
        **judged(scored),
        "same_rows": data.test_ids is not None,
    }


def judged(scored: Scored) -> dict[str, Any]:
    """How good it is, and how bad and how good it could be."""
    return {
        "scores": finite(scored.scores),
        "ceiling": None if scored.ceiling is None else finite(scored.ceiling),
        "floor": finite(scored.floor),
        "lifts": scored.lifts,
    }


def columns_of(rows: Any) -> int | None:
    shape = of_rows.shape(rows)
    return shape[1] if len(shape) == 2 else None


def size_of(rows: Any, data: Data) -> dict[str, int]:
    """What a forecast goes by (benchmarks.records.forecast.Size): of a frame's columns that are
    categories the levels in all, and the classes of a problem with more than two."""
    kinds = rows.dtypes if hasattr(rows, "dtypes") and hasattr(rows, "columns") else []
    levels = sum(len(kind.categories) for kind in kinds if hasattr(kind, "categories"))
    outputs = len(data.classes) if data.kind == "multiclass" else 1
    return {"columns": columns_of(rows) or 1, "levels": levels, "outputs": outputs}


def curves(history: Any) -> dict[str, list[float | None]] | None:
    """Curves of a fit, with at most CURVE points each; None for what is no curves."""
    if not isinstance(history, Mapping):
        return None
    found = {}
    for name, values in history.items():
        values = plain_data(values)
        if isinstance(values, list) and values:
            found[text_of(name)] = [number(v) for v in values[:: -(-len(values) // CURVE)]]
    return found or None


def noted(notes: Any) -> dict[str, Any]:
    """What a model wants to be known, as far as it is short: `left_out` names what is not."""
    kept: dict[str, Any] = {}
    left_out, left = [], NOTES
    for name, value in (notes if isinstance(notes, Mapping) else {"notes": notes}).items():
        try:
            note = plain_data({name: value})
        except TooMuch:
            left_out.append(text_of(name))
            continue
        ((name, value),) = note.items()
        if isinstance(value, str) and len(value) > NOTE:
            note = {name: f"{value[:NOTE]}…"}
        if (size := len(json.dumps(note))) > left:
            left_out.append(name)
            continue
        kept |= note
        left -= size
    if left_out:
        kept["left_out"] = f"{', '.join(left_out)[:NOTE]} (longer than a record keeps)"
    return kept


@dataclasses.dataclass(frozen=True)
class Tokens:
    """What a language model has read and written."""

    read: int = 0
    written: int = 0

    @classmethod
    def of(cls, model: Any) -> "Tokens":
        """So far; none of a model that reads none."""
        told = offered(model, "tokens_") or {}
        return cls(*(whole(told.get(name)) or 0 for name in ("read", "written")))

    def since(self, before: "Tokens") -> "Tokens":
        return Tokens(self.read - before.read, self.written - before.written)

    def plus(self, read: int) -> "Tokens":
        return Tokens(self.read + read, self.written)


@dataclasses.dataclass(frozen=True)
class Spent:
    """Tokens for learning, and for predicting the test rows."""

    fit: Tokens
    predict: Tokens

    def fields(self, rows: int) -> dict[str, Any]:
        """For the ledger; all null for a model that reads none."""
        read, written = self.fit.read + self.predict.read, self.fit.written + self.predict.written
        if not read + written:
            return {"tokens": None}
        return {
            "tokens": read + written,
            "tokens_read": read,
            "tokens_written": written,
            "tokens_read_each": self.predict.read / rows,
            "tokens_written_each": self.predict.written / rows,
        }


def work(
    made: Prepared,
    model: Any,
    tuning: Mapping[str, Any] | None,
    spent: "Spent",
) -> dict[str, Any]:
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
    labels = whole(offered(model, "labels_"))
    return {
        **columns,
        "fits": None if (fits := whole(offered(model, "n_fits_"))) is None else fits * (1 + trials),
        "labels": len(made.data.train_labels) if labels is None else labels,
        **spent.fields(len(made.data.test_labels)),
        **knobs,
    }


def finite(values: Mapping[str, float]) -> dict[str, float | None]:
    """JSON has no NaN; a metric that does not exist for these rows is null."""
    return {k: number(v) for k, v in values.items()}


def number(value: Any) -> float | None:
    """None for what is no number, or none that can be reckoned with."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if abs(found) <= LARGEST else None


def whole(value: Any) -> int | None:
    """A count as a record takes it; None for what is none."""
    found = number(value)
    return int(found) if found is not None and 0 <= found <= 2**53 else None


def one_line(error: BaseException) -> str:
    name, text = type(error).__name__, text_of(error)
    if name == "AcceleratorError":  # of torch; behind the first line is where one may read on
        text = text.partition("\n")[0]
    text = " ".join(text.split())
    return f"{name}: {text}"[:NOTE] if text and text != name else name
