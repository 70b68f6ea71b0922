"""The data sets that scikit-learn ships, as tasks."""

import numpy as np
import pytest

from tasks.base import UnknownView, floor_predictions
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
    train, test = task.view(data, "features")
    assert (data.kind, data.classes) == (kind, classes)
    assert (len(train) + len(test), train.shape[1]) == shape
    assert (len(train), len(test)) == (len(data.train_labels), len(data.test_labels))
    assert len(test) == pytest.approx(0.3 * shape[0], abs=1)
    assert list(train.columns) == list(test.columns)
    if classes:
        assert set(data.train_labels) == set(data.test_labels) == set(classes)
        for label in classes:
            shares = [(part == label).mean() for part in (data.train_labels, data.test_labels)]
            assert shares[0] == pytest.approx(shares[1], abs=0.01)
    else:
        assert data.train_labels.dtype == np.float64
    assert task.score(data, floor_predictions(data))


def test_names_belong_to_the_right_rows() -> None:
    task = Shipped(name="breast_cancer")
    data = task.load(0)
    train, _ = task.view(data, "features")
    radius = train.groupby(data.train_labels)["mean radius"].mean()
    assert radius["malignant"] > radius["benign"]  # 17.5 against 12.1 over all rows
    assert (data.train_labels == "malignant").mean() == pytest.approx(212 / 569, abs=0.01)


def test_a_seed_is_a_split() -> None:
    task = Shipped(name="digits", test_size=0.5)
    first, again, other = (task.view(task.load(seed), "features")[1] for seed in (0, 0, 1))
    assert len(first) == 899
    assert first.equals(again)
    assert not first.equals(other)


def test_an_unknown_view_is_refused_by_name() -> None:
    task = Shipped(name="digits")
    with pytest.raises(UnknownView, match="digits has no view 'text'; it offers features"):
        task.view(task.load(0), "text")
