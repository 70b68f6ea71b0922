"""New rows, read and predicted piece by piece by a model that was taken away."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet

from benchmarks.cell import jobs
from benchmarks.cell.answers import Asked
from benchmarks.cell.explain import Explainer, strongest
from benchmarks.cell.jobs import Refused
from benchmarks.cell.restored import restored
from benchmarks.cell.take import distance
from benchmarks.records.files import leaving
from tasks.base import Data

ROWS = 100_000  # at a time
SAME = 1e-4  # that far may answers be from those of the day it was taken, in standard deviations


def main(job: Mapping[str, Any], folder: Path) -> None:
    """job: `from`, a folder that was checked, with its `facts` (taken.json); the `path` of new rows
    and what reads it (`query`, `encoding`, `threads`); `out`, a file, in the form of its `ending`;
    `keep`, columns that go there as they are; `explain`, how many reasons."""
    jobs.end(lambda: scored(job), folder)


def scored(job: Mapping[str, Any]) -> dict[str, Any]:
    facts = job["facts"]
    model, reader, check = restored(job["from"], "model", "reader", "check")
    if hasattr(model, "n_jobs"):
        model.n_jobs = job["threads"]
    asked = Asked(model, stand_in(facts))
    if check is not None:
        refuse_other(job["from"], check, asked)
    explainer = Explainer(model, facts["model"]) if job["explain"] else None
    read = reader.pieces(
        job["path"],
        rows=ROWS,
        threads=job["threads"],
        query=job["query"],
        encoding=job["encoding"],
        keep=job["keep"],
    )
    count, out = 0, Output(Path(job["out"]), job["ending"])
    try:
        for raw, rows in in_sentences(read):
            answers = asked(rows, "predict")
            columns = told(answers, facts["classes"], count)
            if explainer is not None:
                columns |= reasons(
                    explainer, rows, answers, model, facts["classes"], job["explain"]
                )
            out.write(columns, kept(raw, job["keep"], columns, job["path"]))
            count += len(answers)
    finally:
        out.close()
    if not count:
        raise Refused(f"{job['path']} has no rows")
    return {"rows": count, "notes": reader.notes()}


def stand_in(facts: Mapping[str, Any]) -> Data:
    """What answers are asked for, without any rows."""
    classes = tuple(facts["classes"])
    none: Any = [] if facts["answer"] == "answers" else np.zeros(0, np.int64 if classes else float)
    return Data(raw=None, train_labels=none, test_labels=none, classes=classes)


def refuse_other(folder: str, check: Mapping[str, Any], asked: Asked) -> None:
    """Raise Refused if made-up rows are not answered as on the day when the model was taken."""
    then = check["answers"]
    apart = distance(then, asked(check["rows"], "checks"))
    unit = float(np.std(then)) or 1.0 if asked.data.answer == "values" else 1.0
    if apart > SAME * unit:
        raise Refused(
            f"{folder}: the model answers otherwise than on the day when it was taken (by "
            f"{apart:.2g}); install the versions in its requirements.txt"
        )


def in_sentences(read: Iterator[Any]) -> Iterator[Any]:
    """What a reader says is wrong with a file is what the user is told."""
    try:
        yield from read
    except ValueError as error:
        raise Refused(str(error)) from None


def told(answers: Any, classes: Sequence[str], first: int) -> dict[str, Any]:
    """Columns of an answer: the row, the prediction, and the probability of each class."""
    columns: dict[str, Any] = {"row": np.arange(first, first + len(answers))}
    if isinstance(answers, list):
        said = [a if isinstance(a, str) else json.dumps(a, ensure_ascii=False) for a in answers]
        return columns | {"prediction": said}
    if not np.isfinite(answers).all():
        raise ValueError(f"{(~np.isfinite(answers)).sum()} predictions are NaN or infinite")
    if not classes:
        return columns | {"prediction": answers}
    codes = pa.array(answers.argmax(axis=1).astype(np.int32))
    named = pa.DictionaryArray.from_arrays(codes, pa.array(classes))
    probabilities = {f"probability {name}": answers[:, k] for k, name in enumerate(classes)}
    return columns | {"prediction": named, **probabilities}


def reasons(
    explainer: Explainer, rows: Any, answers: Any, model: Any, classes: Sequence[str], n: int
) -> dict[str, Any]:
    """Columns of what moved each prediction: of two classes towards the second one of `classes`, of
    several towards the one that is predicted."""
    towards = None
    if classes:
        known = [str(name) for name in model.classes_]
        of_class = np.array([known.index(c) if c in known else 0 for c in classes])
        codes = np.ones(len(answers), int) if len(classes) == 2 else answers.argmax(axis=1)
        towards = of_class[codes]
    return strongest(*explainer(rows, towards), n)


def kept(
    raw: pa.Table, names: Sequence[str], columns: Mapping[str, Any], path: str
) -> dict[str, Any]:
    """Columns of the file that are wanted beside the answers. Raises Refused."""
    for name in names:
        if name not in raw.column_names:
            raise Refused(f"{path}: there is no column {name!r} to keep")
        if name in columns:
            raise Refused(f"--keep {name}: the answers have a column of that name")
    return {name: raw[name] for name in names}


class Output:
    """A Parquet or CSV file that is written piece by piece."""

    def __init__(self, file: Path, ending: str) -> None:
        self.file, self._is_csv = file, ending == ".csv"
        self._writer: Any = None
        self._schema: Any = None

    def write(self, columns: Mapping[str, Any], beside: Mapping[str, Any]) -> None:
        table = pa.table({**beside, **columns})
        with leaving():
            if self._writer is None:
                fields = [pa.field(f.name, flat(f.type)) for f in table.schema]
                # The writer of CSV knows no dictionary.
                self._schema = pa.schema(fields) if self._is_csv else table.schema
                kind = csv.CSVWriter if self._is_csv else parquet.ParquetWriter
                self._writer = kind(str(self.file), self._schema)
            self._writer.write_table(table.cast(self._schema))

    def close(self) -> None:
        if self._writer is not None:
            with leaving():
                self._writer.close()


def flat(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind
