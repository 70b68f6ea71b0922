"""What a model says of rows: asked for, checked, and kept as raw outcomes."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cell import checks
from benchmarks.cell.protocols import METHOD_OF, offered
from tasks.base import Data
from tasks.pieces import Pieces


class WrongAnswers(ValueError):
    """A model or a task gave something else than what was asked for."""


class ImpossiblePredictions(ValueError):
    """Predictions that no metric should be computed from (check ME05)."""


class OtherAnswers(ValueError):
    """The model gives other kinds of answers than the task asks for; the cell is skipped."""


class Asked:
    """A model, asked for answers; counts the rows it was asked for, by what it was asked for."""

    def __init__(self, model: Any, data: Data) -> None:
        self.model, self.data = model, data
        self.rows: dict[str, int] = {}

    def __call__(self, rows: Any, why: str) -> Any:
        self.rows[why] = self.rows.get(why, 0) + len(rows)
        return predict(self.model, rows, self.data)

    def of(self, model: Any) -> "Asked":
        """Another model that is asked in the place of this one, and counted with it."""
        other = Asked(model, self.data)
        other.rows = self.rows
        return other


def refuse_others(model: Any, data: Data, name: str) -> None:
    """Raises OtherAnswers before any work is done."""
    able = [
        answer
        for answer, method in METHOD_OF.items()
        if hasattr(model, method) and (answer in offered(model, "answers") or answer == "answers")
    ]
    if data.answer not in able:
        raise OtherAnswers(
            f"{name} gives {' and '.join(able) or 'no answers'}, and the task asks for "
            f"{data.answer}"
        )


def predict(model: Any, rows: Any, data: Data) -> Any:
    """(n, n_classes) probabilities with columns as in `data.classes`, (n,) values, or a list of n
    answers. Rows on disk are asked for a piece at a time."""
    if isinstance(rows, Pieces):
        return np.concatenate([predict(model, piece, data) for piece in rows.pieces()])
    if data.answer == "answers":
        return list(model.answer(rows))
    if data.answer == "values":
        return np.asarray(model.predict(rows), dtype=np.float64)
    probabilities = np.asarray(model.predict_proba(rows), dtype=np.float64)
    known = [str(name) for name in model.classes_]
    if tuple(known) == data.classes:
        return probabilities
    aligned = np.zeros((len(probabilities), len(data.classes)))
    aligned[:, [data.classes.index(name) for name in known]] = probabilities
    return aligned


def refuse_impossible(answers: Any, data: Data) -> None:
    """Raises WrongAnswers, or ImpossiblePredictions for what no metric should be computed from."""
    n_test, n_classes = len(data.test_labels), len(data.classes)
    if data.answer == "answers":
        if len(answers) != n_test:
            raise WrongAnswers(f"there are {len(answers):,} answers for {n_test:,} test rows")
        for place, answer in enumerate(answers):
            try:
                json.dumps(answer, allow_nan=False)
            except (TypeError, ValueError):
                raise WrongAnswers(
                    f"answer {place} is {type(answer).__name__}, which is neither a "
                    "text nor anything that JSON can hold"
                ) from None
        return
    shape = (n_test, n_classes) if n_classes else (n_test,)
    if answers.shape != shape:
        raise WrongAnswers(f"predictions have shape {answers.shape}, expected {shape}")
    if (impossible := checks.possible(answers, data.classes)) is not None:
        raise ImpossiblePredictions(impossible)


def save(folder: Path, answers: Any, truth: Any, data: Data, more: dict[str, np.ndarray]) -> None:
    """Keep raw outcomes, and what else the task knows of the test rows: arrays in cell.npz, or a
    line of JSON for each row in cell.answers.jsonl.

    more: arrays beside them, such as a metric's own influence of each row.
    """
    known: dict[str, Any] = {"group": data.group, "ids": data.test_ids, **more}
    beside = {name: array for name, array in known.items() if array is not None}
    if data.answer == "answers":
        _save_lines(folder / "cell.answers.jsonl", answers, truth, data.test_labels, beside)
        return
    arrays: dict[str, np.ndarray] = {"predictions": answers}
    if data.classes:
        arrays["classes"] = np.array(data.classes, dtype=str)
    arrays["labels"] = data.test_labels
    if truth is not None:
        arrays["truth"] = truth
    np.savez_compressed(folder / "cell.npz", allow_pickle=False, **arrays, **beside)


def _save_lines(
    file: Path, answers: Sequence[Any], truth: Any, labels: Sequence[Any], beside: dict[str, Any]
) -> None:
    with file.open("w", encoding="utf-8") as out:
        for k, (answer, label) in enumerate(zip(answers, labels, strict=True)):
            line = {"answer": answer, "label": label} | (
                {} if truth is None else {"truth": truth[k]}
            )
            line |= {name: array[k].item() for name, array in beside.items()}
            print(json.dumps(line, ensure_ascii=False), file=out)
