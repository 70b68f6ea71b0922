"""What tests of taking a model away share: small tables made up as CSV, a run over one, and its
test rows as a file of new ones."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import fit, predict
from benchmarks.records.records import Run

ROWS = 260
TARGET = "outcome"


def write_table(file: Path, kind: str, rows: int = ROWS) -> Path:
    """Numbers with gaps, whole numbers, categories, dates in two forms, and of several classes a
    text; what comes of a row depends on most of them."""
    rng = np.random.default_rng(7)
    price, tenure = rng.normal(50, 20, rows), rng.integers(0, 60, rows)
    plan = rng.choice(["basic", "plus", "Größe"], rows)
    since = pd.Timestamp("2021-03-01") + pd.to_timedelta(rng.integers(0, 900, rows), unit="D")
    paid = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 400, rows), unit="D")
    signal = (price - 50) / 20 - (tenure - 30) / 17 + 1.5 * (plan == "plus")
    signal = signal + np.asarray((since - since.min()).days) / 400 - 1 + 0.3 * rng.normal(size=rows)
    table: dict[str, Any] = {
        "price": [f"{value:.2f}" for value in price],
        "tenure": [str(value) for value in tenure],
        "plan": list(plan),
        "since": [f"{day:%Y-%m-%d}" for day in since],
        "last paid": [f"{day:%d.%m.%Y}" for day in paid],
    }
    for name, share in (("price", 0.1), ("plan", 0.05), ("last paid", 0.1)):
        for k in np.flatnonzero(rng.random(rows) < share):
            table[name][k] = "NA" if name == "price" else ""
    if kind == "multiclass":
        words = np.array(["late", "slow", "fine", "good", "bad", "parcel", "was", "the"])
        said = rng.choice(words, (rows, 6))
        signal = signal + (said == "good").sum(axis=1) - (said == "bad").sum(axis=1)
        table["note"] = [" ".join(line) for line in said]
    table[TARGET] = {
        "binary": lambda: np.where(signal > 0, "yes", "no"),
        "multiclass": lambda: np.array(["low", "middle", "top"])[np.digitize(signal, [-0.7, 0.8])],
        "regression": lambda: [f"{value:.3f}" for value in 1000 + 250 * signal],
    }[kind]()
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))
    return file


def task_of(file: Path) -> tuple[str, ...]:
    """Settings of the main job, for a table of ours."""
    return "task=table", f"task.path={file}", f"task.target={TARGET}"


def new_rows(table: Path, places: Sequence[int], file: Path, **changes: Any) -> Path:
    """These rows of a table as a file without the target, its columns in another order and one more
    beside them. changes: columns that are others then."""
    with table.open(newline="", encoding="utf-8") as opened:
        lines = list(csv.DictReader(opened))
    names = [name for name in reversed(lines[0]) if name != TARGET]
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, ["id", *names, *(c for c in changes if c not in names)])
        writer.writeheader()
        for k, place in enumerate(places):
            values = {name: lines[place][name] for name in names}
            writer.writerow({"id": f"n{k}", **values, **changes})
    return file


def outcomes(folder: Path, record: dict[str, Any]) -> dict[str, Any]:
    """Raw answers of a cell."""
    found = Run(folder).outcomes(record)
    assert found is not None
    return found


def taken(worker: Any, run: Path, model: str, folder: Path, *more: str) -> Path:
    """The folder that benchmarks.fit leaves of a row of a run."""
    worker.load(["skops.io"])  # which imports all of scikit-learn: once, and not in each child
    assert fit.main([str(run), model, "--to", str(folder), *more], worker) == 0
    return folder


def scored(worker: Any, folder: Path, new: Path, *more: str) -> pd.DataFrame:
    """What benchmarks.predict says of new rows."""
    out = new.with_suffix(".scored.parquet")
    assert predict.main([str(folder), str(new), "--out", str(out), *more], worker) == 0
    return pd.read_parquet(out)


def answers(found: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    """(n, n_classes) or (n,) of what was scored."""
    if not len(classes):
        return found["prediction"].to_numpy()
    return found[[f"probability {name}" for name in classes]].to_numpy()
