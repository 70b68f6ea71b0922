"""Which metric ranks and which are shown: a constant is never good, a class may be absent."""

import math
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.analysis.summary import sections
from benchmarks.cell.checks import better_than_floor
from benchmarks.cell.scores import metrics_of, scores
from benchmarks.show.results_table import results_table
from tasks.base import Data, floor_answers
from tasks.metrics import BESIDE, OF_KIND, STANDARD, named
from tests.test_checks import good

CLASSES = ("a", "b", "c")


def drawn(shares, rows: int, seed: int = 0) -> Data:
    """Labels of as many classes as there are shares; the first third are train rows."""
    random = np.random.default_rng(seed)
    codes = random.permutation(np.repeat(np.arange(len(shares)), np.array(shares) * rows // 100))
    return Data(None, codes[: rows // 3], codes[rows // 3 :], CLASSES[: len(shares)])


def guess(data: Data, signal: float, seed: int = 1) -> np.ndarray:
    """Probabilities that know a little: less than that a row is not of the largest class."""
    labels = data.test_labels
    score = np.random.default_rng(seed).normal(size=(len(labels), len(data.classes)))
    score[np.arange(len(labels)), labels] += signal
    p = np.exp(score) * floor_answers(data)
    return p / p.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("shares", [(96, 3, 1), (1, 96, 3), (90, 5, 5), (50, 30, 20), (96, 4)])
def test_a_constant_gains_nothing_on_what_ranks_and_is_shown(shares):
    data = drawn(shares, 6000)
    metrics = metrics_of(None, data)
    floor, known = (scores(None, data, metrics, p) for p in (floor_answers(data), guess(data, 1.5)))
    for metric in metrics:
        assert metric.sign * (known[metric.name] - floor[metric.name]) > 0, metric.name
    assert metrics[0].name == "roc_auc"
    assert floor["roc_auc"] == 0.5
    names = [metric.name for metric in metrics]
    assert ("accuracy" in names) == (max(shares) <= 80)
    assert ("average_precision" in names) == (max(shares) > 80)
    if "average_precision" in names:
        there = np.bincount(data.test_labels) / len(data.test_labels)
        chance = there[1] if len(shares) == 2 else there.mean()
        assert floor["average_precision"] == pytest.approx(chance)


def test_by_accuracy_the_constant_would_have_come_before_who_knows_something():
    """What the ranking was by: why it is no longer."""
    data = drawn((96, 3, 1), 6000)
    bold = guess(data, 2.0) / floor_answers(data)  # ignores how rare the others are
    bold /= bold.sum(axis=1, keepdims=True)
    of = {"constant": floor_answers(data), "bold": bold}
    found = {name: scores(None, data, metrics_of(None, data), p) for name, p in of.items()}
    assert found["constant"]["accuracy"] > found["bold"]["accuracy"]
    assert found["constant"]["roc_auc"] + 0.2 < found["bold"]["roc_auc"]


@pytest.mark.parametrize(
    ("common", "shown"), [(70, "accuracy"), (80, "accuracy"), (81, "average_precision")]
)
def test_few_positives_begin_below_a_fifth(common, shown):
    for shares in ((common, 100 - common), (100 - common, common)):
        assert [m.name for m in metrics_of(None, drawn(shares, 300))][1] == shown


def test_what_a_task_names_is_left_alone():
    class Own:
        metrics = ("accuracy", "brier")

    names = [metric.name for metric in metrics_of(Own(), drawn((96, 4), 300))]
    assert names == ["accuracy", "brier"]


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_a_class_that_no_test_row_has_is_left_out(name):
    whole = drawn((60, 30, 10), 900)
    p = guess(whole, 1.0)
    there = whole.test_labels < 2
    labels, p = whole.test_labels[there], p[there]
    metric = named(name)
    value, each = metric.influence(p, labels)
    assert metric.of(p, labels) == pytest.approx(value)
    # By hand: each of the two that are there, against the rest.
    alone = [
        metric.of(np.column_stack([1 - p[:, k], p[:, k]]), (labels == k).astype(int))
        for k in (0, 1)
    ]
    assert value == pytest.approx(np.mean(alone))
    assert np.isfinite(each).all()
    assert each.mean() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_rows_of_one_class_have_no_ranking_and_break_nothing(kind):
    labels = np.ones(50, int)
    p = np.random.default_rng(0).dirichlet(np.ones(2 if kind == "binary" else 3), 50)
    data = Data(None, labels, labels, CLASSES[: p.shape[1]])
    found = scores(None, data, [], p)
    assert set(found) == {*OF_KIND[kind], *BESIDE[kind]}
    assert math.isnan(found["roc_auc"])
    value, each = STANDARD["roc_auc"].influence(p, labels)
    assert math.isnan(value)
    assert not each.any()


def test_no_better_than_the_floor_goes_by_what_ranks():
    """All rows are called the largest class: an accuracy of .96, and nothing learned."""
    data = drawn((96, 3, 1), 6000)
    blind = guess(data, 0.0)
    (metric, *_) = metrics_of(None, data)
    cell = replace(good(), data=data, metric=metric, predictions=blind)
    assert "ROC AUC" in better_than_floor(cell)
    assert better_than_floor(replace(cell, predictions=guess(data, 1.5))) is None


def test_a_table_of_rare_classes_is_ordered_by_what_was_learned(eras, records, tmp_path):
    random = np.random.default_rng(0)
    kind = random.permutation(np.repeat(["usual", "rare", "rarest"], [1152, 36, 12]))
    signal = np.select([kind == "rare", kind == "rarest"], [1.5, -1.5]) + random.normal(size=1200)
    path = tmp_path / "rare.csv"
    noise = random.normal(size=1200)
    pd.DataFrame({"signal": signal, "noise": noise, "kind": kind}).to_csv(path, index=False)
    done = eras("task=table", f"task.path={path}", "task.target=kind", "model=baseline,logistic")
    assert done.returncode == 0, done.stderr
    (section,) = sections(records())
    assert [row.label for row in section.rows] == ["logistic", "baseline"]
    shown = results_table(section)
    heads = [head.text for head in shown.heads]
    assert "ROC AUC" in heads
    assert "accuracy" not in heads
    floor = next(row for row in shown.rows if row[0].text == "floor")
    assert float(floor[heads.index("average precision")].text) == pytest.approx(1 / 3, abs=0.01)


def test_records_keep_the_metrics_that_they_were_made_with(record):
    """Made before several classes were ranked by ROC AUC."""
    old = ("accuracy", "roc_auc", "log_loss")
    facts = [asdict(STANDARD[name].facts()) for name in old]
    made = [
        record(
            model,
            kind="multiclass",
            metric="accuracy",
            metrics=facts,
            scores={"accuracy": accuracy, "roc_auc": 1 - accuracy, "log_loss": 1.0},
        )
        for model, accuracy in (("a", 0.7), ("b", 0.9))
    ]
    (section,) = sections(made)
    assert section.metric == "accuracy"
    assert [row.label for row in section.rows] == ["b", "a"]
