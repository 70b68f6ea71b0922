"""How fast each model of conf/model/ that reads tables fits and predicts, on one of 5,000 × 30.

Those that read something else stand in bench_deep.py.
"""

import importlib
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import pytest
import yaml
from pytest_benchmark.fixture import BenchmarkFixture
from sklearn.datasets import make_classification

DEEP = ("convnet", "embedder", "factorisation", "hashed_logistic", "rocket")
DEEP += ("gru", "kalman", "transformer")
READERS = ("ranker", "rules")  # they answer in texts; the next are in bench_language.py
READERS += ("static", "encoder", "prompted", "finetuned", "finetuned_all")
CONFS = {
    path.stem: yaml.safe_load(path.read_text("utf-8"))["_target_"]
    for path in sorted((Path(__file__).parents[2] / "conf" / "model").glob("*.yaml"))
    # Neither a bound that reads one task only, nor what has nothing to say of classes.
    if "models." in path.read_text("utf-8") and path.stem not in ("ridge", *DEEP, *READERS)
}
every_model = pytest.mark.parametrize("name", CONFS)


def make(name: str) -> Any:
    module, attribute = CONFS[name].rsplit(".", 1)
    cls = getattr(importlib.import_module(module), attribute)
    threads = {"n_jobs": joblib.cpu_count()} if "n_jobs" in cls.__dataclass_fields__ else {}
    return cls(**threads)


def table(benchmark: BenchmarkFixture) -> tuple[pd.DataFrame, Any]:
    rows = 200 if benchmark.disabled else 5_000
    benchmark.extra_info["rows"] = rows
    X, y = make_classification(rows, 30, n_informative=10, random_state=0)
    return pd.DataFrame(X).add_prefix("x"), pd.Series(["no", "yes"])[y].to_numpy(object)


@every_model
def test_fit(benchmark: BenchmarkFixture, name: str) -> None:
    X, y = table(benchmark)
    model = benchmark.pedantic(
        lambda: make(name).fit(X, y), rounds=3, warmup_rounds=0 if benchmark.disabled else 1
    )
    assert list(model.classes_) == ["no", "yes"]


@every_model
def test_predict(benchmark: BenchmarkFixture, name: str) -> None:
    X, y = table(benchmark)
    model = make(name).fit(X, y)
    assert benchmark(model.predict_proba, X).shape == (len(X), 2)


@every_model
def test_predict_one_row(benchmark: BenchmarkFixture, name: str) -> None:
    X, y = table(benchmark)
    model = make(name).fit(X, y)
    assert benchmark(model.predict_proba, X.iloc[[0]]).shape == (1, 2)
