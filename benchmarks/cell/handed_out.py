"""The rows of a split, written for whoever predicts them elsewhere: train rows with their labels,
test rows without."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.cell import jobs, views
from benchmarks.cell.jobs import Refused
from benchmarks.cell.prepared import task_of
from benchmarks.cell.protocols import offered
from benchmarks.records.files import leaving
from tasks.base import Data

ROW, TARGET, TEXT = "row", "target", "text"


def main(job: Mapping[str, Any], folder: Path) -> None:
    """job: a `task`, `seeds`, the `view` that is written where the task has no rows as they were
    given, and `into`, a folder."""
    jobs.end(lambda: handed_out(job), folder)


def handed_out(job: Mapping[str, Any]) -> dict[str, Any]:
    """Write `seed-N/train.parquet` and `test.parquet` for each seed; what there is to know."""
    told: dict[str, Any] = {}
    for seed in job["seeds"]:
        task = task_of({**job, "seed": seed})
        data = loaded(task, seed)
        train, test, target = frames(task, data, job["view"])
        _, test_rows = views.numbered(data)
        labels = data.told(data.train_labels)
        if isinstance(labels, list):
            raise Refused("answers that are texts or JSON are no column of labels")
        clash = {ROW, target} & {*train.columns}
        if clash:
            raise Refused(f"the rows have a column {sorted(clash)[0]!r} already")
        folder = Path(job["into"]) / f"seed-{seed}"
        with leaving():
            folder.mkdir(parents=True)
            train.assign(**{target: labels}).to_parquet(folder / "train.parquet", index=False)
            test = test.reset_index(drop=True)
            test.insert(0, ROW, test_rows)
            test.to_parquet(folder / "test.parquet", index=False)
        told = {
            "kind": data.kind,
            "classes": list(data.classes),
            "target": target,
            "train": len(train),
            "test": len(test),
            "columns": train.shape[1],
        }
    return told


def loaded(task: Any, seed: int) -> Data:
    """Raises Refused with what the task says is wrong."""
    try:
        data: Data = task.load(seed)
        return data
    except (ValueError, OSError) as error:
        raise Refused(str(error)) from None


def frames(task: Any, data: Data, view: str) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """(train rows, test rows, name of the target): as they were given where the task says so, else
    those of a view that is a table or texts. Raises Refused for any other."""
    own = offered(task, "as_given")
    if own is not None:
        train, test, target = own(data)
        return train, test, target
    train, test = views.make(task, data, view)
    if isinstance(train, list) and all(isinstance(row, str) for row in train):
        return pd.DataFrame({TEXT: train}), pd.DataFrame({TEXT: test}), TARGET
    if isinstance(train, np.ndarray) and train.ndim == 2:
        names = [f"column {k}" for k in range(train.shape[1])]
        return pd.DataFrame(train, columns=names), pd.DataFrame(test, columns=names), TARGET
    if not isinstance(train, pd.DataFrame):
        raise Refused(
            f"the view {view!r} has rows of the type {type(train).__name__}, which are no table; "
            "say --view features"
        )
    return train, test, TARGET
