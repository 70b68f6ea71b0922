"""How fast the deep era is: generators and views by the row, models by the epoch and the fit."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from sklearn.metrics import roc_auc_score

from benchmarks.cell import views
from models.convnet import ConvNet
from models.embedder import Embedder
from models.factorisation import Factorisation
from models.gru import GRU
from models.hashed_logistic import HashedLogistic
from models.kalman import Kalman
from models.rocket import Rocket
from models.transformer import Transformer
from tasks.ads import Ads
from tasks.base import Data
from tasks.heartbeat import Heartbeat
from tasks.notifications import Notifications

THREADS = 2


def task(name: str, rows: int) -> Any:
    """rows: train and test rows together."""
    if name == "heartbeat":
        return Heartbeat(rows=rows)
    return {"ads": Ads, "notifications": Notifications}[name](rows=rows, n_jobs=THREADS)


@cache
def made(name: str, view: str, rows: int) -> tuple[Data, Any, Any]:
    one = task(name, rows)
    data = one.load(0)
    return data, *views.make(one, data, view)


def sized(benchmark: BenchmarkFixture, rows: int, few: int) -> int:
    benchmark.extra_info["rows"] = rows = few if benchmark.disabled else rows
    return rows


@pytest.mark.parametrize(
    ("name", "rows"), [("notifications", 1_000_000), ("ads", 1_000_000), ("heartbeat", 6_000)]
)
def test_load(benchmark: BenchmarkFixture, name: str, rows: int) -> None:
    one = task(name, sized(benchmark, rows, 600))
    data = benchmark.pedantic(one.load, args=(0,), rounds=3)
    assert len(data.train_labels) + len(data.test_labels) == one.rows


@pytest.mark.parametrize(
    ("name", "view", "rows"),
    [
        ("notifications", "features", 200_000),
        ("notifications", "features_rich", 200_000),
        ("notifications", "auto", 200_000),
        ("notifications", "events", 200_000),
        ("ads", "features", 200_000),
        ("ads", "ids", 200_000),
        ("heartbeat", "features", 2_000),
    ],
)
def test_view(benchmark: BenchmarkFixture, name: str, view: str, rows: int) -> None:
    one = task(name, sized(benchmark, rows, 600))
    data = one.load(0)
    train, _ = benchmark.pedantic(views.make, args=(one, data, view), rounds=3)
    assert len(train) == len(data.train_labels)


@pytest.mark.parametrize("way", ["copy", "batches", "batches of two columns"])
def test_batches(benchmark: BenchmarkFixture, way: str) -> None:
    """What a loop's batches cost, rows by lot, against what the memory gives: `gb_s` a second,
    counted once in reading and once in writing."""
    columns = 2 if way.endswith("columns") else 96
    rows = torch.zeros(sized(benchmark, 1_000_000, 600), columns)
    places = torch.randperm(len(rows)).split(512)

    def move() -> int:
        if way == "copy":
            return len(rows.clone())
        return sum(len(rows[batch]) for batch in places)

    assert benchmark.pedantic(move, rounds=5, warmup_rounds=1) == len(rows)
    if not benchmark.disabled:
        least = benchmark.stats.stats.min
        benchmark.extra_info["gb_s"] = 2 * rows.numel() * rows.element_size() / least / 1e9


# Train rows are about 70 % of these.
@pytest.mark.parametrize(
    ("model", "name", "view", "rows"),
    [
        (lambda: Transformer(max_epochs=1), "notifications", "events", 343_000),
        (lambda: GRU(max_epochs=1), "notifications", "events", 343_000),
        (lambda: Kalman(max_epochs=1), "notifications", "events", 343_000),
        (lambda: Embedder(max_epochs=1), "ads", "ids", 1_430_000),
        (lambda: Factorisation(max_epochs=1), "ads", "ids", 1_430_000),
    ],
    ids=["transformer", "gru", "kalman", "embedder", "factorisation"],
)
def test_epoch(
    benchmark: BenchmarkFixture, model: Callable[[], Any], name: str, view: str, rows: int
) -> None:
    data, train, _ = made(name, view, sized(benchmark, rows, 600))
    benchmark.extra_info["train_rows"] = len(train)
    labels = data.told(data.train_labels)
    fitted = benchmark.pedantic(lambda: model().fit(train, labels), rounds=1)
    assert fitted.notes_["best_epoch"] == 1


@pytest.mark.parametrize(
    ("model", "name", "view", "rows"),
    [
        (GRU, "notifications", "events", 20_000),
        (Transformer, "notifications", "events", 20_000),
        (Kalman, "notifications", "events", 20_000),
        (Rocket, "heartbeat", "signal", 6_000),
        (ConvNet, "heartbeat", "signal", 6_000),
        (HashedLogistic, "ads", "ids", 100_000),
        (Factorisation, "ads", "ids", 100_000),
        (Embedder, "ads", "ids", 100_000),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_fit(benchmark: BenchmarkFixture, model: Any, name: str, view: str, rows: int) -> None:
    """A whole fit; `roc_auc` of the test rows stands beside it."""
    data, train, test = made(name, view, sized(benchmark, rows, 300))
    short = getattr(model, "warm_up", {}) if benchmark.disabled else {}
    labels = data.told(data.train_labels)
    fitted = benchmark.pedantic(lambda: model(**short).fit(train, labels), rounds=1)
    found = fitted.predict_proba(test)[:, [list(fitted.classes_).index(c) for c in data.classes]]
    scored = found[:, 1] if len(data.classes) == 2 else found
    auc = roc_auc_score(data.test_labels, scored, multi_class="ovr")
    benchmark.extra_info["roc_auc"] = auc
    assert 0 < auc <= 1
