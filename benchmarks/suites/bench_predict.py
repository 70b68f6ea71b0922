"""How fast new rows are scored by a model that was taken away, against what nobody can do without:
reading the file, and the model's own call."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import csv

from benchmarks.cell import scored, take
from benchmarks.cell.restored import restored
from benchmarks.suites.own_table import write_long

MODELS = {
    "xgboost": "models.boosting.XGBoost",
    "logistic": "models.logistic.Logistic",
    "network": "models.network.Network",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("predict")


@pytest.fixture(scope="module")
def new(folder, request) -> Path:
    """A million rows of a table with numbers, categories and a date."""
    small = request.config.getoption("benchmark_disable")
    file = folder / "new.csv"
    write_long(file, 3_000 if small else 1_000_000)
    return file


def taken(folder: Path, name: str) -> tuple[Path, dict[str, Any]]:
    """A model that learned from 20,000 rows of such a table."""
    table = folder / "table.csv"
    if not table.exists():
        write_long(table, 20_000)
    into = folder / name
    into.mkdir()
    task = {"_target_": "tasks.table.Table", "path": str(table), "target": "y", "split": "random"}
    job = {"task": task, "model": {"_target_": MODELS[name]}, "seed": 0, "threads": 2}
    return into, take.taken({**job, "rows": "all", "into": str(into), "name": name})


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("way", ["kit", "own call and reading"])
def test_a_million_rows(benchmark, folder, new, name, way):
    benchmark.group = f"{name}: a million new rows"
    at = folder / f"{name}-{way[:3]}"
    at.mkdir()
    into, facts = taken(at, name)
    out = at / "scored.parquet"
    job = {
        "from": str(into),
        "facts": {**facts, "model": name},
        "path": str(new),
        "out": str(out),
        "ending": ".parquet",
        "keep": [],
        "explain": 0,
        "query": None,
        "encoding": None,
        "threads": 2,
    }
    if way == "kit":
        told = benchmark.pedantic(lambda: scored.scored(job), rounds=3)
        assert told["rows"] == len(pd.read_parquet(out, columns=["row"]))
        return
    model, reader = restored(into, "model", "reader")
    kinds = {c.name: pa.float64() if c.kind == "number" else pa.string() for c in reader.columns}
    rows = pd.concat([rows for _, rows in reader.pieces(str(new), 10**9)], ignore_index=True)
    for column, levels in reader.tellable.preparation.levels_.items():
        rows[column] = pd.Categorical(rows[column].astype(object), categories=levels)

    def by_hand() -> np.ndarray:
        csv.read_csv(new, convert_options=csv.ConvertOptions(column_types=kinds)).to_pandas()
        return model.predict_proba(rows)

    assert len(benchmark.pedantic(by_hand, rounds=3)) == len(rows)
