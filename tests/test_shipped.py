"""The data sets that scikit-learn ships, as tasks."""

import numpy as np
import pytest

from benchmarks.cell import views
from tasks.base import UnknownView
from tasks.shipped import Shipped


@pytest.mark.parametrize(
    ("name", "kind", "shape", "classes"),
    [
        ("breast_cancer", "binary", (569, 30), ("benign", "malignant")),
        ("digits", "multiclass", (1797, 64), tuple("0123456789")),
        ("diabetes", "regression", (442, 10), ()),
    ],
)
def test_rows_labels_and_kind(
    name: str, kind: str, shape: tuple[int, int], classes: tuple[str, ...]
) -> None:
    task = Shipped(name=name)
    data = task.load(0)
    train, test = views.make(task, data, "features")
    assert (data.kind, data.classes) == (kind, classes)
    assert (len(train) + len(test), train.shape[1]) == shape
    assert (len(train), len(test)) == (len(data.train_labels), len(data.test_labels))
    assert len(test) == pytest.approx(0.3 * shape[0], abs=1)
    assert list(train.columns) == list(test.columns)
    if classes:
        codes = set(range(len(classes)))
        assert set(data.train_labels.tolist()) == set(data.test_labels.tolist()) == codes
        for label in codes:
            shares = [(part == label).mean() for part in (data.train_labels, data.test_labels)]
            assert shares[0] == pytest.approx(shares[1], abs=0.01)
    else:
        assert data.train_labels.dtype == np.float64


def test_names_belong_to_the_right_rows() -> None:
    task = Shipped(name="breast_cancer")
    data = task.load(0)
    train, _ = views.make(task, data, "features")
    radius = train.groupby(data.told(data.train_labels))["mean radius"].mean()
    assert radius["malignant"] > radius["benign"]  # 17.5 against 12.1 over all rows
    assert (data.train_labels == 1).mean() == pytest.approx(212 / 569, abs=0.01)


def test_a_seed_is_a_split() -> None:
    task = Shipped(name="digits", test_size=0.5)
    first, again, other = (views.make(task, task.load(seed), "features")[1] for seed in (0, 0, 1))
    assert len(first) == 899
    assert first.equals(again)
    assert not first.equals(other)


def test_an_unknown_view_is_refused_by_name() -> None:
    task = Shipped(name="digits")
    with pytest.raises(UnknownView, match="digits has no view 'text'; it offers features"):
        views.make(task, task.load(0), "text")
