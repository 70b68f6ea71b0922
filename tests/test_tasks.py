"""The contract of a task, held against every task of conf/task/ and the one of the docs."""

import json
import pkgutil
import re
import sys

import numpy as np
import pandas as pd
import pytest
import yaml

from benchmarks.cell import rows, views
from benchmarks.cell.scores import metrics_of, scores
from tasks.base import Data, UnknownView, floor_answers, standard_scores
from tasks.metrics import BESIDE, OF_KIND
from tests.conftest import ROOT
from tests.examples import assert_same

DATA = ROOT / "tests" / "data"
BROUGHT = {  # what a task reads that brings no rows of its own
    "table": {"path": str(DATA / "orders.csv"), "target": "returned"},
    "events": {"path": str(DATA / "shop"), "features": str(DATA / "shop" / "features.sql")},
    "parquet": {
        **{"path": str(DATA / "orders.parquet"), "target": "returned"},
        **{"split": "random", "whole": True},
    },
    "texts": {"path": str(DATA / "texts" / "tickets.csv"), "target": "team"},
    "newsgroups": {"path": str(DATA / "texts")},
    "reuters": {"path": str(DATA / "texts")},
}


FEWER = {"heartbeat": 600, "receipts": 600}  # where making a row takes longest


def documented_task():
    """The example of docs/adding-a-task.md, so that it keeps working."""
    text = (ROOT / "docs" / "adding-a-task.md").read_text()
    (source,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    module = type(sys)("documented")
    sys.modules["documented"] = module  # dataclass looks its module up
    exec(source, module.__dict__)
    return module.Coin()


def tasks():
    for file in sorted((ROOT / "conf" / "task").glob("*.yaml")):
        config = yaml.safe_load(file.read_text())
        target = pkgutil.resolve_name(config.pop("_target_"))
        fields = getattr(target, "__dataclass_fields__", {})
        small = {"rows": FEWER.get(file.stem, 3_000)} if "rows" in fields else {}
        if config.get("id"):
            continue  # it would have to be fetched
        if file.stem in BROUGHT:
            small = BROUGHT[file.stem]
        yield pytest.param(target(**config, **small), id=file.stem)
    yield pytest.param(documented_task(), id="documented")


@pytest.fixture(params=tasks(), scope="module")
def task(request):
    return request.param


@pytest.fixture(scope="module")
def data(task) -> Data:
    return task.load(0)


def test_a_seed_gives_the_same_rows_and_another_seed_others(task, data):
    again, other = task.load(0), task.load(1)
    np.testing.assert_array_equal(again.train_labels, data.train_labels)
    np.testing.assert_array_equal(again.test_labels, data.test_labels)
    made = [views.make(task, d, "features") for d in (data, again)]
    for a, b in zip(*made, strict=True):
        assert_same(a, b)
    with pytest.raises(AssertionError):
        assert_same(made[0][0], views.make(task, other, "features")[0])


def test_labels_are_names_numbers_or_answers(data):
    for labels in (data.train_labels, data.test_labels):
        if data.kind == "answers":
            assert all(json.loads(json.dumps(label)) == label for label in labels)
        elif data.kind == "regression":
            assert labels.dtype == np.float64
            assert np.isfinite(labels).all()
        else:
            assert labels.dtype == np.int16
            there = set(data.told(labels))
            assert there == set(data.classes), "a class is missing on one side of the split"
            assert all(type(name) is str for name in data.classes)


def test_the_view_has_the_rows_of_the_labels_and_does_not_hold_them(task, data):
    train, test = views.make(task, data, "features")
    assert (len(train), len(test)) == (len(data.train_labels), len(data.test_labels))
    if isinstance(train, pd.DataFrame):
        assert list(train.columns) == list(test.columns)
        pd.testing.assert_series_equal(train.dtypes, test.dtypes)
        for name in train:
            codes = pd.factorize(train[name])[0]
            labels = pd.factorize(data.train_labels)[0]
            assert not np.array_equal(codes, labels), f"{name} is the label"


def test_an_unknown_view_is_refused_by_name(task, data):
    with pytest.raises(UnknownView, match=r"no view 'smells'; it offers .*features"):
        views.make(task, data, "smells")


def test_truth_is_a_distribution_and_no_one_beats_it(task, data):
    if data.truth is None:
        pytest.skip("real data: nobody knows the truth")
    if data.kind == "answers":
        metrics = metrics_of(task, data)
        ceiling, floor = (scores(task, data, metrics, a) for a in (data.truth, floor_answers(data)))
        assert all(ceiling[m.name] > floor[m.name] + 0.1 for m in metrics)
        return
    assert data.truth.shape == (len(data.test_labels), len(data.classes))
    np.testing.assert_allclose(data.truth.sum(axis=1), 1, atol=1e-5)
    hits = data.test_labels == len(data.classes) - 1
    p = data.truth[:, -1]
    expected, spread = p.sum(), np.sqrt((p * (1 - p)).sum())
    assert abs(hits.sum() - expected) <= 5 * spread, "labels are not drawn from the truth"
    ceiling, floor = (
        scores(task, data, metrics_of(task, data), p) for p in (data.truth, floor_answers(data))
    )
    assert ceiling["log_loss"] < floor["log_loss"]
    assert ceiling["roc_auc"] > floor["roc_auc"] + 0.1


def test_scores_are_the_metrics_of_the_kind(task, data):
    metrics = metrics_of(task, data)
    found = scores(task, data, metrics, floor_answers(data))
    if hasattr(task, "metrics"):
        assert {*(m.name for m in metrics), *OF_KIND[data.kind], *BESIDE[data.kind]} == set(found)
        return
    assert [metric.name for metric in metrics] == list(OF_KIND[data.kind])
    assert list(found) == [*OF_KIND[data.kind], *BESIDE[data.kind]]
    if data.kind == "regression":
        assert found["r2"] == pytest.approx(0, abs=0.05)
    else:
        assert found["roc_auc"] == 0.5


def test_group_is_one_per_test_row(data):
    assert data.group is None or len(data.group) == len(data.test_labels)


def test_other_outcomes_reach_every_view_and_the_rows_stay(task, data):
    if not hasattr(task, "relabel"):
        pytest.skip("its raw data hold no outcomes")
    labels = np.concatenate([data.train_labels, data.test_labels])
    same = task.relabel(data, labels)
    other = task.relabel(data, labels[::-1])
    np.testing.assert_array_equal(other.train_labels, labels[::-1][: len(data.train_labels)])
    before, after, moved = (
        pd.concat(views.make(task, d, "features"), ignore_index=True) for d in (data, same, other)
    )
    pd.testing.assert_frame_equal(before, after)
    assert not before.equals(moved)


def test_the_past_does_not_move_when_the_future_is_rewritten(task, data):
    if not hasattr(task, "rewrite"):
        pytest.skip("its rows have no order in time")
    n = len(data.train_labels) // 2
    other = task.rewrite(data, n, 0)
    before, after = (
        pd.concat(views.make(task, d, "features"), ignore_index=True) for d in (data, other)
    )
    pd.testing.assert_frame_equal(before[:n], after[:n], check_exact=True)
    assert n < len(after) < len(before), "no later row is gone"
    was, is_now = before[n : len(after)], after[n:]
    moved = was.ne(is_now) & ~(was.isna() & is_now.isna())
    assert moved.any(axis=1).mean() > 0.9
    outcomes, others = (
        np.concatenate([d.train_labels, d.test_labels])[n:].mean() for d in (data, other)
    )
    assert others == pytest.approx(1 - outcomes, abs=0.05), "outcomes are not turned round"


def test_scores_agree_with_scikit_learn():
    from sklearn import metrics

    rng = np.random.default_rng(0)
    classes = ("b", "c", "a")  # not in the order of the alphabet
    labels = np.array(classes, dtype=object)[rng.integers(3, size=400)]
    p = rng.dirichlet((1, 1, 1), size=400)
    ordered = p[:, [2, 0, 1]]
    found = standard_scores(Data(None, labels, labels, classes), p)
    names = ["a", "b", "c"]
    assert found["log_loss"] == pytest.approx(metrics.log_loss(labels, ordered, labels=names))
    assert found["roc_auc"] == pytest.approx(
        metrics.roc_auc_score(labels, ordered, multi_class="ovr", labels=names)
    )
    predicted = np.array(names, dtype=object)[ordered.argmax(axis=1)]
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(labels, predicted))


def offered(task) -> list[str]:
    """Names of its views, without what is for a bound alone."""
    if hasattr(task, "view"):
        return ["features"]
    return [name for name in views.offered_views(task) if name != "watched"]


def test_no_view_moves_when_the_future_is_rewritten(task, data):
    if not hasattr(task, "rewrite"):
        pytest.skip("its rows have no order in time")
    for n in (len(data.train_labels) // 3, len(data.train_labels) + 20):
        other = task.rewrite(data, n, 1)
        for name in offered(task):
            before, after = (rows.join(*views.make(task, d, name)) for d in (data, other))
            assert rows.differing(before, after, n) == set(), name
            assert len(after) < len(before)


def test_every_view_follows_the_outcomes_or_holds_none(task, data):
    """Views that hold outcomes hold those of the past: with other outcomes they are others."""
    if not hasattr(task, "relabel"):
        pytest.skip("its raw data hold no outcomes")
    labels = np.concatenate([data.train_labels, data.test_labels])
    other = task.relabel(data, labels[::-1])
    for name in offered(task):
        before, after = (rows.join(*views.make(task, d, name)) for d in (data, other))
        moved = rows.differing(before, after, len(before))
        assert bool(moved) is (name != "ids"), name
