"""Models that read a signal learn what is there and nothing else, and refuse what does not fit."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import log_loss, r2_score, roc_auc_score

from models.convnet import ConvNet
from models.rocket import Rocket
from models.transformer import Transformer

SAMPLES, CHANNELS = 120, 2
WEAK = {"prior": 0.1, "prior_of_layers": 0.1}
MODELS = {
    "rocket": lambda **settings: Rocket(**{"stretches": 6, **settings}),
    "convnet": lambda **settings: ConvNet(
        **{"width": 8, "stride": 2, "batch_size": 32, "max_epochs": 15, **settings}
    ),
    "transformer": lambda **settings: Transformer(
        **{"width": 16, "patch": 8, "learning_rate": 0.005, "max_epochs": 15, **WEAK, **settings}
    ),
}
every_model = pytest.mark.parametrize("name", MODELS)


def signals(n: int, seed: int, kind: str = "multiclass") -> tuple[np.ndarray, np.ndarray]:
    """A short shape somewhere in noise, in the second of two channels: which one it is, or how
    large it is, is the label. Its place and the first channel tell nothing."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, CHANNELS, SAMPLES)).astype(np.float32)
    codes, size = random.integers(3, size=n), random.uniform(2, 6, n)
    place = random.integers(0, SAMPLES - 20, n)
    time = np.arange(20)
    shapes = np.array([np.sin(2 * np.pi * time / 10), np.sin(2 * np.pi * time / 5), 0 * time])
    for row in range(n):
        shape = shapes[0] * size[row] if kind == "regression" else 3 * shapes[codes[row]]
        X[row, 1, place[row] : place[row] + 20] += shape
    if kind == "regression":
        return X, 100 + 10 * size
    names = np.array(["slow", "quick", "none"], dtype=object)
    return X, names[codes]


@cache
def fitted(name: str, kind: str) -> Any:
    return MODELS[name]().fit(*signals(600, 0, kind))


@every_model
def test_learns_a_shape_wherever_it_is(name: str) -> None:
    X, y = signals(300, 1)
    model = fitted(name, "multiclass")
    p = model.predict_proba(X)
    assert list(model.classes_) == ["none", "quick", "slow"]
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-6)
    assert roc_auc_score(y, p, multi_class="ovr") > 0.95
    assert log_loss(y, p) < 0.6 * np.log(3)


@every_model
def test_learns_how_large_something_is(name: str) -> None:
    X, y = signals(300, 1, "regression")
    assert r2_score(y, fitted(name, "regression").predict(X)) > 0.5


@every_model
def test_two_classes(name: str) -> None:
    X, y = signals(400, 0)
    two = y != "none"
    p = MODELS[name]().fit(X[two], y[two]).predict_proba(X[two])
    assert p.shape == (two.sum(), 2)
    assert ((p[:, 1] > 0.5) == (y[two] == "slow")).mean() > 0.9


@every_model
def test_labels_that_have_nothing_to_do_with_the_signals_are_chance(name: str) -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(900, CHANNELS, SAMPLES)).astype(np.float32)
    y = np.array(["slow", "quick", "none"], dtype=object)[random.integers(3, size=900)]
    p = MODELS[name]().fit(X[:500], y[:500]).predict_proba(X[500:])
    assert abs(roc_auc_score(y[500:], p, multi_class="ovr") - 0.5) < 0.08
    assert log_loss(y[500:], p) < 1.15 * np.log(3)


@every_model
@pytest.mark.parametrize("kind", ["multiclass", "regression"])
def test_gaps_constant_channels_and_silence(name: str, kind: str) -> None:
    X, y = signals(300, 0, kind)
    X[:, 0] = 7.0
    X[::3, 1, 30:50] = np.nan
    X[5] = np.nan
    before = X.copy()
    model = MODELS[name]().fit(X, y)
    np.testing.assert_array_equal(X, before)
    rows, _ = signals(40, 1, kind)
    rows[0], rows[1], rows[2, 0], rows[3, :, 10:90] = np.nan, 0.0, np.nan, np.nan
    found = model.predict(rows) if kind == "regression" else model.predict_proba(rows)
    assert np.isfinite(found).all()


@every_model
def test_gaps_where_train_rows_had_none(name: str) -> None:
    X, y = signals(200, 1)
    X[:, 1, 100:] = np.nan
    p = fitted(name, "multiclass").predict_proba(X)
    assert np.isfinite(p).all()
    assert roc_auc_score(y, p, multi_class="ovr") > 0.75


@every_model
def test_where_nothing_was_recorded_can_be_what_tells(name: str) -> None:
    X, _ = signals(400, 0)
    y = np.array(["whole", "gap"], dtype=object)[np.arange(400) % 2]
    X[1::2, 0, 40:60] = np.nan
    p = MODELS[name]().fit(X[:300], y[:300]).predict_proba(X[300:])
    assert ((p[:, 0] > 0.5) == (y[300:] == "gap")).mean() > 0.95


@every_model
def test_the_same_seed_gives_the_same_answers_to_the_bit_and_another_others(name: str) -> None:
    train, (X, _) = signals(200, 0), signals(50, 1)
    quick = {} if name == "rocket" else {"max_epochs": 2, "device": "cpu"}
    once, again, other = (
        MODELS[name](random_state=seed, **quick).fit(*train).predict_proba(X) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(once, again)
    assert (once != other).any()


@every_model
def test_a_signal_is_judged_by_itself(name: str) -> None:
    X, _ = signals(70, 1)
    model = fitted(name, "multiclass")
    together = model.predict_proba(X)
    order = np.random.default_rng(0).permutation(len(X))
    # On a GPU it counts in bfloat16, and other shapes of a batch have other kernels.
    rounded = 1e-5 if getattr(model, "notes_", {}).get("device", "cpu") == "cpu" else 1e-2
    for found, known in (
        (model.predict_proba(X[order]), together[order]),
        (model.predict_proba(X[7:8]), together[7:8]),
    ):
        np.testing.assert_allclose(found, known, rtol=10 * rounded, atol=rounded)


@every_model
@pytest.mark.parametrize("shape", [(3, CHANNELS, 100), (3, 1, SAMPLES)])
def test_signals_of_another_length_are_refused(name: str, shape: tuple[int, ...]) -> None:
    sentence = r"^the model learned from signals of the shape \(2, 120\) and is asked about [^\n]+$"
    with pytest.raises(ValueError, match=sentence):
        fitted(name, "multiclass").predict_proba(np.zeros(shape, np.float32))


@every_model
@pytest.mark.parametrize("samples", [1, 5, 40])
def test_short_signals(name: str, samples: int) -> None:
    random = np.random.default_rng(0)
    y = np.array(["low", "high"], dtype=object)[np.arange(130) % 2]
    X = (random.normal(size=(130, 1, samples)) - 2 * (y == "low")[:, None, None]).astype(np.float32)
    p = MODELS[name](**({} if name == "rocket" else {"max_epochs": 3})).fit(X, y).predict_proba(X)
    assert np.isfinite(p).all()


@every_model
def test_what_is_recorded(name: str) -> None:
    model = fitted(name, "multiclass")
    assert isinstance(model.n_parameters_, int)
    assert model.n_parameters_ > 100
    if name != "rocket":
        assert model.notes_["device"] in ("cpu", "cuda", "xpu", "mps")
        assert all(len(curve) <= 15 for curve in model.history_.values())
    else:
        assert 0 < model.notes_["C"] < 1


def test_rocket_chooses_its_price_on_the_tail() -> None:
    """Where the tail follows the head a loose line is best, where it does not the tightest is."""
    X, y = signals(500, 0)
    unlike = y.copy()
    unlike[:] = np.random.default_rng(0).permutation(y)
    chosen = [MODELS["rocket"]().fit(X, labels).notes_["C"] for labels in (y, unlike)]
    assert chosen[1] < chosen[0]
    # A class that the tail alone has, and labels of which there is one in the head.
    for labels in (["a"] * 450 + ["b"] * 50, ["a", "b"] * 225 + ["c"] * 50):
        p = MODELS["rocket"]().fit(X, np.array(labels, dtype=object)).predict_proba(X)
        assert p.shape == (500, len(set(labels)))


def test_convnet_stops_on_the_tail() -> None:
    X, y = signals(500, 0)
    turned = y.copy()
    turned[450:] = np.where(y[450:] == "slow", "quick", "slow")
    settings = {"max_epochs": 8, "patience": 2, "learning_rate": 0.02}
    same, other = (MODELS["convnet"](**settings).fit(X, labels) for labels in (y, turned))
    assert same.notes_["rows_held_out"] == 50
    assert same.notes_["best_epoch"] > other.notes_["best_epoch"]


@pytest.mark.parametrize("name", ["convnet", "transformer"])
def test_goes_on_from_a_checkpoint(name: str, tmp_path) -> None:
    train, (X, _) = signals(150, 0), signals(20, 1)
    # Not on a GPU, where sums of many threads come in any order.
    quick = {"max_epochs": 2, "device": "cpu"}
    whole = MODELS[name](**quick).fit(*train).predict_proba(X)
    kept = MODELS[name](**quick, checkpoints=str(tmp_path)).fit(*train)
    np.testing.assert_array_equal(kept.predict_proba(X), whole)


@every_model
@pytest.mark.parametrize("what", ["target", "signals"])
@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_no_unit_changes_what_is_explained(name: str, what: str, unit: float) -> None:
    (X, y), (X_test, y_test) = signals(600, 0, "regression"), signals(300, 1, "regression")
    usual = r2_score(y_test, fitted(name, "regression").predict(X_test))
    if what == "target":
        y, y_test = y * unit, y_test * unit
    else:
        X, X_test = X * np.float32(unit), X_test * np.float32(unit)
    found = r2_score(y_test, MODELS[name]().fit(X, y).predict(X_test))
    assert found == pytest.approx(usual, abs=0.03)
