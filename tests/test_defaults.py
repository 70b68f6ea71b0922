"""Defaults are held against what they should be held against, on rows that did not choose them."""

import re
from functools import partial

import numpy as np
import pytest
import sklearn.ensemble
import sklearn.linear_model
import sklearn.svm
import xgboost
import yaml

from benchmarks.suites import defaults, real_tables
from models import logistic, ridge
from tests.conftest import ROOT
from tests.test_models import KINDS, made, table

SUITES = {
    path.stem: yaml.safe_load(path.read_text("utf-8"))["hydra"]["sweeper"]["params"]
    for path in sorted((ROOT / "conf" / "suite").glob("*.yaml"))
}


@pytest.mark.parametrize("suite", sorted(SUITES.keys() - {"own"}))  # of a table that chose nothing
def test_what_a_suite_shows_chose_no_default(suite):
    shown = {int(seed) for seed in str(SUITES[suite]["seed"]).split(",")}
    assert shown
    assert not shown & {*defaults.SEEN, *defaults.SEEDS}


def test_checks_are_on_seeds_that_chose_nothing():
    assert not {*defaults.SEEDS} & {*defaults.SEEN}


def test_the_reference_is_on_the_seeds_of_the_default_suite():
    (seeds,) = re.findall(r'"seed=(\S+)"', (ROOT / "noxfile.py").read_text("utf-8"))
    assert seeds in SUITES["default"]["seed"].split(",")


# A library's own defaults


ESTIMATORS = {
    "random_forest_library": (
        partial(sklearn.ensemble.RandomForestClassifier, random_state=0),
        partial(sklearn.ensemble.RandomForestRegressor, random_state=0),
    ),
    "xgboost_library": (
        partial(xgboost.XGBClassifier, random_state=0, enable_categorical=True),
        partial(xgboost.XGBRegressor, random_state=0, enable_categorical=True),
    ),
    "svm_library": (sklearn.svm.SVC, sklearn.svm.SVR),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_library_row_is_the_library_where_nobody_sets_anything(name, kind):
    X, y = table(300, 0, kind)
    ours = made(name, **{"engine": "sklearn"} if name == "svm_library" else {}).fit(X, y)
    its, rows = ESTIMATORS[name][kind == "regression"](), ours.inputs(X)
    if kind == "regression":
        its.fit(rows, (y - ours.offset_) / ours.scale_)
        found = its.predict(rows) * ours.scale_ + ours.offset_
        np.testing.assert_allclose(ours.predict(X), found, rtol=1e-4)
        return
    its.fit(rows, np.unique(y, return_inverse=True)[1])
    if name == "svm_library":  # whose probabilities are ours
        np.testing.assert_allclose(
            ours.model_.decision_function(rows), its.decision_function(rows), atol=1e-3
        )
    else:
        np.testing.assert_allclose(ours.predict_proba(X), its.predict_proba(rows), atol=1e-6)


def test_logistic_and_ridge_stand_on_their_library_s_own():
    assert logistic.Logistic().C == sklearn.linear_model.LogisticRegression().C
    assert ridge.Ridge().alpha == sklearn.linear_model.Ridge().alpha


def test_every_library_row_is_in_the_suite_that_shows_them():
    sweeper = yaml.safe_load((ROOT / "conf" / "config.yaml").read_text("utf-8"))["hydra"]["sweeper"]
    there = {path.stem for path in (ROOT / "conf" / "model").glob("*_library*.yaml")}
    assert set(sweeper["libraries"].split(",")) == there
    for suite in ("library", "full"):
        assert "${hydra.sweeper.libraries}" in SUITES[suite]["model"]


def test_a_row_for_the_other_kind_of_answer_is_skipped_and_not_failed(eras, records):
    done = eras("task=diabetes", "model=mlp_library,mlp_library_values", "seed=10")
    assert done.returncode == 0, done.stderr
    assert {r["model"]: r["status"] for r in records()} == {
        "mlp_library": "skipped",
        "mlp_library_values": "done",
    }


# Gains and losses


def test_a_gain_counts_a_row_once_however_often_it_was_tested():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=100), rng.normal(size=100)
    nothing = np.zeros(100)
    place = np.arange(100)
    value, noise = defaults.gain([(0.8, first)], [(0.7, nothing)], [place])
    assert value == pytest.approx(0.1)
    assert noise == pytest.approx(np.sqrt((first**2).sum()) / 100)
    same = defaults.gain([(0.8, first)] * 4, [(0.7, nothing)] * 4, [place] * 4)
    assert same == pytest.approx((value, noise))
    other = defaults.gain([(0.8, first), (0.8, second)], [(0.7, nothing)] * 2, [place, place + 100])
    assert other[1] == pytest.approx(np.sqrt((first**2).sum() + (second**2).sum()) / 200)


def test_a_loss_is_called_as_often_as_it_is_said_to_be():
    """Two models that are equal on rows of one table, split five times: 18 tables at once."""
    rng = np.random.default_rng(0)
    called = 0
    for _ in range(300):
        losses = False
        for _ in range(18):
            luck = rng.normal(size=200)  # of a row: what one model has and the other has not
            places = [rng.permutation(200)[:60] for _ in range(5)]
            ours = [(luck[p].mean(), luck[p] - luck[p].mean()) for p in places]
            value, noise = defaults.gain(ours, [(0.0, np.zeros(60))] * 5, places)
            losses |= defaults.Gain("m", "t", "r2", value, noise).loses(18)
        called += losses
    assert called / 300 < 0.09


def test_a_bad_default_is_found_and_an_equal_one_is_not(monkeypatch):
    confs = defaults.configs()
    confs["xgboost"] = {**confs["xgboost_library"], "max_depth": 1, "n_estimators": 2}
    confs["random_forest"] = confs["random_forest_library"]
    monkeypatch.setattr(defaults, "configs", lambda: confs)
    digits = real_tables.Real("digits", "", "target")
    library, search = defaults.on_table(digits, ["xgboost", "random_forest"], (0, 1), 0)
    found = {(g.model, g.metric): g for g in library}
    assert found["xgboost", "accuracy"].loses(2)
    assert found["random_forest", "accuracy"][3:] == (0.0, 0.0)
    assert not found["random_forest", "log_loss"].loses(2)
    assert search == []
    assert defaults.summary(library, "xgboost", ("accuracy",)).endswith("| digits |")
    assert defaults.summary(library, "random_forest", ("accuracy",)).endswith("| none |")


def test_a_search_is_made_on_train_rows_alone(monkeypatch):
    """Its trials never get a test row: they see as many rows as there are train rows."""
    seen = []
    original = defaults.answers

    def watched(model, train, labels, test, data):
        seen.append((len(train), len(test)))
        return original(model, train, labels, test, data)

    monkeypatch.setattr(defaults, "answers", watched)
    wine = real_tables.Real("wine", "", "target")
    _, search = defaults.on_table(wine, ["logistic"], (0,), 3)
    assert {g.metric for g in search} == {"accuracy", "log_loss"}
    assert seen == [(124, 54), *[(99, 25)] * 3, (124, 54)]


# The document


def test_the_document_tells_the_rounds_of_every_model_that_has_a_space():
    text = (ROOT / "docs" / "defaults.md").read_text("utf-8")
    rounds = text.partition("## Rounds")[2].partition("\n## ")[0]
    for name, conf in defaults.configs().items():
        if conf.get("space"):
            assert re.search(rf"^\| {name} \| \d+ \|", rounds, re.MULTILINE), name


def test_the_document_tells_every_table():
    text = (ROOT / "docs" / "defaults.md").read_text("utf-8")
    told = defaults.between(text, "real")
    for one in real_tables.TABLES:
        assert f"| {one.name} |" in told
    assert len(real_tables.TABLES) >= 10
