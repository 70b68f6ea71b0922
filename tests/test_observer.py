"""The ideal observer: that it reads the log right, sees no future, and is a bound."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from benchmarks.cell import views
from models.boosting import XGBoost
from tasks.notifications import Notifications, people
from tasks.notifications.generator import generate
from tasks.notifications.observer import IdealObserver, Mechanism, Watched

FEW = {"rows": 4000, "users": 80}


def watched(seed: int = 0, **settings):
    task = Notifications(**(FEW | settings))
    data = task.load(seed)
    return task, data, *views.make(task, data, "watched")


def predicted(log: Watched, rows: np.ndarray, draws: int = 1000, seed: int = 0) -> np.ndarray:
    observer = IdealObserver(draws, seed, n_jobs=2).fit(log, np.array(["ignored", "opened"]))
    return observer.predict_proba(rows)[:, 1]


@pytest.mark.parametrize(
    "dials", [{}, {f"signal_{name}": 1.5 for name in ("motif", "words", "rhythm")}]
)
def test_the_log_as_it_reads_it_gives_the_true_probabilities_back(dials):
    settings = Notifications(**FEW, drift=0.5, label_noise=0.1, **dials).dials()
    drawn = generate(0, **settings)
    mechanism = Mechanism(drawn.strength, drawn.intercept, settings["base_rate"], 0.1)
    log = Watched.read(drawn.users, drawn.notifications, mechanism)
    replayed = np.empty(len(log.user))
    for user in range(len(log.users.age)):
        state, traits = people.State.fresh(1), drawn.traits.take(np.array([user]))
        for row in np.flatnonzero(log.user == user):
            sent = log.sent.take(np.array([row]))
            state = state.until(sent.second)
            log_odds = people.still_log_odds(traits, sent, drawn.strength)
            log_odds += people.moving_log_odds(traits, state, sent.topic, drawn.strength)
            chance = people.sigmoid(log_odds + drawn.intercept)
            replayed[row] = (chance + 0.1 * (0.3 - chance))[0]
            state = state.after(sent, log.opened[[row]], 0.3)
    np.testing.assert_allclose(replayed, drawn.probability, atol=1e-4)


@pytest.mark.slow
def test_it_lies_between_the_best_model_and_the_oracle_and_is_calibrated():
    task, data, log, rows = watched(rows=10_000, users=200)
    opened = data.test_labels == 1
    p = predicted(log, rows, 2000)
    train, test = views.make(task, data, "features")
    model = XGBoost(n_jobs=2).fit(train, data.told(data.train_labels)).predict_proba(test)[:, 1]
    oracle = data.truth[:, 1]
    assert roc_auc_score(opened, model) < roc_auc_score(opened, p) < roc_auc_score(opened, oracle)
    assert log_loss(opened, model) > log_loss(opened, p) > log_loss(opened, oracle)
    # In each fifth of the predictions as many opens as predicted, within 3.5 standard deviations.
    for part in np.array_split(np.argsort(p), 5):
        spread = np.sqrt((p[part] * (1 - p[part])).sum())
        assert abs(opened[part].sum() - p[part].sum()) < 3.5 * spread


def test_nothing_later_moves_a_prediction():
    _, _, log, rows = watched()
    before = predicted(log, rows, 200)
    cut = rows[len(rows) // 2]
    other = log.opened.copy()
    other[cut:] = ~other[cut:]
    after = predicted(replace(log, opened=other), rows, 200)
    np.testing.assert_array_equal(before[rows <= cut], after[rows <= cut])
    assert (before[rows > cut] != after[rows > cut]).mean() > 0.5


@pytest.mark.parametrize("kind", ["motif", "words", "rhythm"])
def test_it_knows_what_is_planted_as_far_as_it_can_be_known(kind):
    off = {f"signal_{name}": 0.0 for name in ("marginal", "interaction", "order", "text")}
    _, data, log, rows = watched(**off, **{f"signal_{kind}": 1.0}, drift=0.0)
    p, truth = predicted(log, rows), data.truth[:, 1]
    if kind != "rhythm":  # nothing of it is hidden
        np.testing.assert_allclose(p, truth, atol=1e-4)
    else:  # nothing but where a user's begins, which the past soon tells
        assert np.corrcoef(p, truth)[0, 1] > 0.9
        assert np.abs(p - truth).max() > 0.1


def test_without_signals_it_knows_the_base_rate_and_no_more():
    off = dict.fromkeys(("marginal", "interaction", "order", "text"), 0.0)
    _, _, log, rows = watched(**{f"signal_{name}": value for name, value in off.items()})
    np.testing.assert_allclose(predicted(log, rows, 10), 0.3, atol=1e-3)


def test_its_error_falls_with_the_draws_and_is_the_one_it_states():
    _, _, log, rows = watched()
    stated, found = {}, {}
    for draws in (200, 5000):
        observer = IdealObserver(draws, n_jobs=2).fit(log, np.array(["ignored", "opened"]))
        p = observer.predict_proba(rows)[:, 1]
        stated[draws] = observer.notes_["monte_carlo_error"]
        found[draws] = np.sqrt(np.mean((p - predicted(log, rows, draws, seed=1)) ** 2) / 2)
    assert stated[5000] < stated[200] / 2
    for draws in stated:
        assert found[draws] == pytest.approx(stated[draws], rel=0.3)


@pytest.mark.slow
def test_tables_hold_models_against_it(eras, records):
    done = eras(
        "task=notifications",
        "task.rows=2000",
        "model=baseline,logistic,ideal_observer",
        "model.draws=100",
    )
    assert done.returncode == 2, "baseline has no draws"
    arguments = ("task=notifications", "task.rows=2000", "seed=0")
    assert eras(*arguments, "model=ideal_observer").returncode == 0
    shown = eras(*arguments, "model=baseline,logistic").stdout
    lines = [line.split() for line in shown.splitlines()]
    names = [line[0] for line in lines if line]
    assert names.index("ceiling") < names.index("ideal_observer") < names.index("logistic")
    assert "known" in shown
    assert {r["model"]: r["bound"] for r in records()} == {
        "baseline": False,
        "logistic": False,
        "ideal_observer": True,
    }
    elsewhere = eras("task=coin", "model=ideal_observer", "run=b")
    assert elsewhere.returncode == 0
    assert "coin has no view 'watched'" in elsewhere.stdout
