"""The models that read ids: what each can learn of them, and what it does with those never seen."""

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import r2_score, roc_auc_score

from benchmarks.cell import views
from benchmarks.cell.controls import ShuffledLabels
from models.embedder import Embedder
from models.factorisation import Factorisation, Machine
from models.hashed_logistic import HashedLogistic
from models.parts.ids import Vocabulary
from models.parts.target import Target
from tasks.ads import Ads

MODELS = [HashedLogistic, Factorisation, Embedder]
BRIEF: dict[Any, dict[str, Any]] = {
    HashedLogistic: {"buckets": 4096},
    Factorisation: {"max_epochs": 2},
    Embedder: {"max_epochs": 2},
}
every_model = pytest.mark.parametrize("model", MODELS)


def ids(rows: int, seed: int, levels: int = 6, fields: str = "abc") -> pd.DataFrame:
    random = np.random.default_rng(seed)
    drawn = random.integers(levels, size=(rows, len(fields)))
    far = np.random.default_rng(99).integers(2**31, size=(len(fields), levels))
    return pd.DataFrame({name: far[k][drawn[:, k]] for k, name in enumerate(fields)})


def parity(X: pd.DataFrame, fields: str) -> np.ndarray:
    """(n,) -1 or 1: the product of one sign for each field's id, so that fewer tell nothing."""
    signs = np.ones(len(X))
    for name in fields:
        signs *= np.where(pd.factorize(X[name], sort=True)[0] % 2, 1, -1)
    return signs


def labels(signs: np.ndarray, seed: int) -> np.ndarray:
    chance = np.random.default_rng(seed).random(len(signs)) < 0.5 + 0.4 * signs
    return np.where(chance, "yes", "no").astype(object)


def score(model: Any, X: pd.DataFrame, y: np.ndarray) -> float:
    return float(roc_auc_score(y == "yes", model.predict_proba(X)[:, 1]))


PLANTED = {
    HashedLogistic: {"C": 1.0, "buckets": 2**16},
    Factorisation: {"prior": 1.0, "max_epochs": 20, "learning_rate": 0.03},
    Embedder: {"prior": 1.0, "max_epochs": 20, "learning_rate": 0.02, "patience": None},
}


@every_model
def test_learns_what_two_ids_tell_together(model: Any) -> None:
    X, new = ids(4_000, 0), ids(2_000, 1)
    y, truth = labels(parity(X, "ab"), 2), labels(parity(new, "ab"), 3)
    assert score(model(**PLANTED[model]).fit(X, y), new, truth) > 0.87  # the most is .90


def test_without_crosses_two_ids_tell_nothing_together() -> None:
    X, new = ids(4_000, 0), ids(2_000, 1)
    y, truth = labels(parity(X, "ab"), 2), labels(parity(new, "ab"), 3)
    assert score(HashedLogistic(crosses=False, C=1.0, buckets=2**16).fit(X, y), new, truth) < 0.55


@pytest.mark.slow
def test_three_ids_together_are_for_the_embedder_alone() -> None:
    X, new = ids(8_000, 0), ids(2_000, 1)
    y, truth = labels(parity(X, "abc"), 2), labels(parity(new, "abc"), 3)
    found = {m: score(m(**PLANTED[m]).fit(X, y), new, truth) for m in MODELS}
    assert found[Embedder] > 0.85
    assert max(found[HashedLogistic], found[Factorisation]) < 0.6


def test_the_trick_is_the_double_sum_and_so_is_its_gradient() -> None:
    torch.manual_seed(0)
    machine = Machine(size=40, outputs=2, factors=5).double()
    machine.table.data.normal_()
    rows = torch.randint(40, (7, 6))
    bias, table = machine.bias, machine.table.view(40, 2, 6)
    naive = torch.stack(
        [
            bias
            + sum(table[i, :, 0] for i in row)
            + sum(
                (table[i, :, 1:] * table[j, :, 1:]).sum(-1)
                for i, j in itertools.combinations(row.tolist(), 2)
            )
            for row in rows
        ]
    )
    torch.testing.assert_close(machine(rows), naive)
    weights = torch.randn(7, 2, dtype=torch.float64)
    (mine,) = torch.autograd.grad((machine(rows) * weights).sum(), machine.table)
    (slow,) = torch.autograd.grad((naive * weights).sum(), machine.table)
    torch.testing.assert_close(mine, slow)


def test_a_factorisation_judges_pairs_it_never_saw() -> None:
    # Rank one: the sign of a pair follows from two signs, and a third of the pairs is left out.
    X = ids(12_000, 0, levels=12, fields="ab")
    codes = [pd.factorize(X[name], sort=True)[0] for name in "ab"]
    left_out = (codes[0] + codes[1]) % 3 == 0
    signs = parity(X, "ab")
    y = labels(signs, 1)
    found = {}
    for model in (HashedLogistic, Factorisation):
        made = model(**PLANTED[model]).fit(X[~left_out].reset_index(drop=True), y[~left_out])
        found[model] = score(made, X[left_out], y[left_out])
    assert found[Factorisation] > 0.85
    assert found[HashedLogistic] < 0.6


@pytest.mark.slow
@every_model
def test_ids_never_seen_are_all_alike_and_leave_the_others_their_say(model: Any) -> None:
    X = ids(4_000, 0)
    y = labels(parity(X, "a"), 2)
    made = model(**PLANTED[model]).fit(X, y)
    new = X[:200].reset_index(drop=True)
    new["b"] = np.arange(200) + 5
    assert score(made, new, y[:200]) > 0.85
    assert np.isfinite(made.predict_proba(new)).all()
    if model is not HashedLogistic:  # there they fall into weights of chance, or into none
        other = new.assign(b=2**31 - 1)
        np.testing.assert_array_equal(made.predict_proba(new), made.predict_proba(other))


def test_rare_ids_share_the_place_of_those_never_seen() -> None:
    X = pd.DataFrame({"a": [5, 5, 9, 7, 7, 7], "b": [1, 1, 1, 1, 1, 1]})
    places = Vocabulary(X, 2)(pd.DataFrame({"a": [5, 7, 9, 4, 100], "b": [1, 0, 2, 1, 1]}), "cpu")
    assert places.tolist() == [[1, 4], [2, 3], [0, 3], [0, 4], [0, 4]]
    assert Vocabulary(X, 2).size == 5
    assert Vocabulary(X, 1).size == 6


@pytest.mark.slow
@every_model
def test_the_same_number_in_two_fields_is_two_ids(model: Any) -> None:
    random = np.random.default_rng(0)
    X = pd.DataFrame(random.integers(2, size=(3_000, 2)), columns=["a", "b"])
    y = labels(np.where(X["a"] == 1, 1.0, -1.0), 1)  # the other field has the same two numbers
    made = model(**PLANTED[model]).fit(X, y)
    found = made.predict_proba(pd.DataFrame({"a": [0, 0, 1, 1], "b": [0, 1, 0, 1]}))[:, 1]
    assert found[:2].max() < 0.2
    assert found[2:].min() > 0.8


@every_model
def test_columns_are_found_by_their_names(model: Any) -> None:
    X = ids(600, 0)
    made = model(**BRIEF[model]).fit(X, labels(parity(X, "a"), 1))
    np.testing.assert_array_equal(made.predict_proba(X), made.predict_proba(X[["c", "a", "b"]]))


@every_model
def test_same_seed_same_answers_to_the_bit(model: Any) -> None:
    X = ids(600, 0)
    y = labels(parity(X, "a"), 1)
    one, again = (model(**BRIEF[model]).fit(X, y).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(one, again)


@pytest.mark.slow
@every_model
def test_several_classes(model: Any) -> None:
    X, new = ids(4_000, 0), ids(500, 1)
    names = np.array(["one", "three", "two"], dtype=object)

    def classes(rows: pd.DataFrame) -> np.ndarray:
        codes = [pd.factorize(rows[name], sort=True)[0] for name in "ab"]
        return names[sum(codes) % 3]

    made = model(**PLANTED[model]).fit(X, classes(X))
    found = made.predict_proba(new)
    assert list(made.classes_) == sorted(names)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    assert (made.classes_[found.argmax(axis=1)] == classes(new)).mean() > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("model", [Factorisation, Embedder])
def test_values(model: Any) -> None:
    X, new = ids(4_000, 0), ids(500, 1)
    made = model(**PLANTED[model]).fit(X, 100 + 10 * parity(X, "ab"))
    assert r2_score(100 + 10 * parity(new, "ab"), made.predict(new)) > 0.9


def test_who_cannot_answer_says_who_can() -> None:
    with pytest.raises(
        ValueError, match=r"^hashed_logistic predicts [^\n]+ there is factorisation$"
    ):
        HashedLogistic().fit(ids(10, 0), np.arange(10.0))


@every_model
def test_what_is_no_id_is_refused_in_a_sentence(model: Any) -> None:
    X = ids(50, 0).assign(price=0.5)
    with pytest.raises(ValueError, match=r"^column 'price' holds float64; ids are whole numbers$"):
        model().fit(X, labels(parity(X, "a"), 1))


@pytest.mark.parametrize("model", [Factorisation, Embedder])
def test_a_prior_keeps_what_is_rare_near_zero(model: Any) -> None:
    X = ids(2_000, 0, levels=300)
    y = labels(np.zeros(2_000), 1)
    loose, tight = (
        model(prior=prior, max_epochs=4, patience=None).fit(X, y).model_.table.square().mean()
        for prior in (0.0, 300.0)
    )
    assert tight < 0.3 * loose


@pytest.mark.parametrize("model", [Factorisation, Embedder])
def test_a_fit_that_was_cut_off_goes_on_to_the_same_weights(
    model: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    X = ids(600, 0)
    y = labels(parity(X, "a"), 1)
    settings: dict[str, Any] = {"max_epochs": 3, "patience": None}
    whole = model(**settings).fit(X, y).predict_proba(X)
    made = model(**settings, checkpoints=str(tmp_path))
    asked = 0

    def loss(*given: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked == 15:
            raise KeyboardInterrupt
        return plain(*given)

    plain = Target.loss
    with monkeypatch.context() as patched:
        patched.setattr(Target, "loss", loss)
        with pytest.raises(KeyboardInterrupt):
            made.fit(X, y)
    again = model(**settings, checkpoints=str(tmp_path)).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(again, whole)


@every_model
def test_finds_nothing_in_shuffled_labels_of_ads_and_something_in_true_ones(model: Any) -> None:
    task = Ads(rows=10_000)
    control = ShuffledLabels(task, 0)
    for made, is_shuffled in ((control, True), (task, False)):
        data = made.load(0)
        train, test = views.make(made, data, "ids")
        found = model().fit(train, data.told(data.train_labels)).predict_proba(test)[:, ::-1]
        assert control.finding(data, found, "ids").passed is is_shuffled
