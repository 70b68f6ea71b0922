"""What is particular to the table model that this project trained: tables, training, weights."""

import hashlib
import math

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from sklearn.metrics import roc_auc_score

from benchmarks.suites.table_prior import evaluate, train
from benchmarks.suites.table_prior.prior import MOST_CLASSES, draw
from benchmarks.suites.table_prior.tables import CHOSEN_ON, JUDGED
from models.parts import in_context
from models.parts.in_context import CLASSES, MARK, WIDTHS, InContext
from models.random_forest import RandomForest
from models.table_prior import WEIGHTS, TablePrior
from tasks.table import Table
from tests.examples import table

DRAWS = [draw(np.random.default_rng(seed), 120, 6) for seed in range(150)]


def test_made_up_tables_follow_from_their_seed() -> None:
    for seed in (0, 7):
        X, y = draw(np.random.default_rng(seed), 120, 6)
        np.testing.assert_array_equal(X, DRAWS[seed][0])
        np.testing.assert_array_equal(y, DRAWS[seed][1])


def test_made_up_tables_are_of_many_kinds() -> None:
    for X, y in DRAWS:
        assert X.shape == (120, 6)
        assert X.dtype == np.float32
        assert not np.isinf(X).any()
        assert set(y) == set(range(y.max() + 1)), "class codes without a gap"
    classes = [y.max() + 1 for _, y in DRAWS]
    assert min(classes) == 2
    assert max(classes) == MOST_CLASSES
    assert 0.1 < np.mean([np.isnan(X).any() for X, _ in DRAWS]) < 0.6
    few_values = [np.mean([len(np.unique(column)) < 17 for column in X.T]) for X, _ in DRAWS]
    assert min(few_values) == 0
    assert max(few_values) == 1
    rarest = [np.bincount(y).min() / len(y) for _, y in DRAWS]
    assert min(rarest) < 0.05 < 0.4 < max(rarest)


def test_some_made_up_tables_can_be_learned_and_some_hardly() -> None:
    areas = []
    for X, y in (one for one in DRAWS[:40] if one[1].max() == 1):
        frame = pd.DataFrame(X).add_prefix("column ")
        labels = np.array(["no", "yes"], dtype=object)[y]
        if set(y[:80]) == set(y[80:]) == {0, 1}:
            model = RandomForest(n_estimators=30, engine="sklearn").fit(frame[:80], labels[:80])
            areas.append(roc_auc_score(y[80:], model.predict_proba(frame[80:])[:, 1]))
    assert min(areas) < 0.65
    assert max(areas) > 0.95
    assert 0.65 < np.mean(areas) < 0.95


def test_what_was_chosen_on_is_not_what_is_judged_on() -> None:
    chosen, judged = ({one.source or one.name for one in part} for part in (CHOSEN_ON, JUDGED))
    assert not chosen & judged
    assert len(judged) >= 20


def test_an_own_label_is_no_part_of_what_a_row_looks_like() -> None:
    """Of four rows with four values each is alone: its like know nothing, unless it is asked for
    as a row without a label, which is like the one that has the same value."""
    X, y = torch.tensor([[[1.0], [2.0], [3.0], [4.0]]]), torch.tensor([[0, 0, 1, 1]])
    memory = InContext().remember(X, y, torch.zeros(1, 1, 1, MARK))
    told = in_context.described(memory, X, own=True)[0, :, 0, -2 * (CLASSES + 1) :]
    assert told[:, :2].abs().max() < 0.01
    told = in_context.described(memory, X, own=False)[0, :, 0, -2 * (CLASSES + 1) :]
    assert (told[:2, 0] > 0.2).all()
    assert (told[2:, 1] > 0.2).all()


def test_comparing_in_parts_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y, known, marks = train.batch(np.random.default_rng(2), cells=600)
    network = InContext()
    given = (X[:, :known], y[:, :known], X[:, known:], marks)
    whole = network(*given)
    monkeypatch.setattr(in_context, "AT_ONCE", 2_000)
    torch.testing.assert_close(network(*given), whole, rtol=0, atol=1e-5)
    assert whole.shape == (len(X), X.shape[1] - known, CLASSES)
    assert marks.shape[-1] == MARK
    assert len(WIDTHS) == 2


class Killed(Exception):
    pass


def test_a_training_that_was_killed_ends_at_the_same_bits(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(train, "LOG_STEPS", 3)
    small = train.batch
    monkeypatch.setattr(train, "batch", lambda rng: small(rng, cells=300))
    whole = train.run(tmp_path / "whole", seed=3, steps=5, anneal=4)
    assert whole.step == 9
    assert whole.began == 5
    assert all(math.isfinite(loss) for loss in whole.losses)
    # Stopped after step 2, killed in step 4, whose work is lost, and again while the rate falls.
    one_step = train.Training.one_step

    def killed_at(step: int):
        def step_or_die(self, rate):
            if self.step == step:
                raise Killed
            one_step(self, rate)

        return step_or_die

    train.run(tmp_path / "parts", seed=3, steps=2)
    for step in (4, 7):
        every = 1e9 if step == 4 else 0
        with monkeypatch.context() as patched:
            patched.setattr(train.Training, "one_step", killed_at(step))
            with pytest.raises(Killed):
                train.run(tmp_path / "parts", seed=3, steps=5, anneal=4, every=every)
    resumed = train.run(tmp_path / "parts", seed=3, steps=5, anneal=4)
    assert resumed.losses == whole.losses
    for name, weight in whole.network.state_dict().items():
        assert torch.equal(weight, resumed.network.state_dict()[name]), name


def test_the_rate_falls_beside_the_steady_training_not_within_it(tmp_path, monkeypatch) -> None:
    small = train.batch
    monkeypatch.setattr(train, "batch", lambda rng: small(rng, cells=300))
    train.run(tmp_path, steps=2)
    before = (tmp_path / "steady.safetensors").read_bytes()
    assert train.run(tmp_path, anneal=2).began == 2
    assert (tmp_path / "steady.safetensors").read_bytes() == before
    assert train.run(tmp_path, steps=3).began is None
    assert train.run(tmp_path, anneal=1).began == 3


@pytest.mark.parametrize(
    ("left", "why"), [(b"no checkpoint", "damaged"), ("seed 4", "of another seed .4.")]
)
def test_a_checkpoint_that_cannot_be_gone_on_from_is_refused(left, why, tmp_path) -> None:
    if isinstance(left, bytes):
        (tmp_path / "steady.safetensors").write_bytes(left)
    else:
        train.Training(4).keep(tmp_path / "steady.safetensors")
    with pytest.raises(ValueError, match=why):
        train.run(tmp_path, seed=3, steps=1)


def test_a_gain_has_the_interval_that_students_t_says() -> None:
    # Mean 2, standard deviation 1, three draws: 4.303 / √3.
    assert evaluate.gain(pd.Series([1.0, 2.0, 3.0])) == "+2.0000 ± 2.4841, 3 of 3"


def test_the_page_has_a_line_for_each_size_and_each_table() -> None:
    places = pd.MultiIndex.from_tuples(
        [("one", 100), ("one", 300), ("two", 100), ("two", 300)], names=["table", "size"]
    )
    scores = pd.DataFrame({model: [0.6, 0.7, 0.8, 0.9] for model in evaluate.MODELS}, places)
    lines = evaluate.page(scores).splitlines()
    assert "| 100 | 2 | 0.7000 | 0.7000 | 0.7000 | 0.7000 |" in lines
    assert sum(line.startswith(("| one |", "| two |")) for line in lines) == 4


def test_a_short_table_has_no_score_for_many_rows() -> None:
    wine = next(one for one in CHOSEN_ON if one.name == "wine")
    assert evaluate.score(wine, 0, 300, "logistic") is None
    assert evaluate.score(wine, 0, 100, "logistic") > 0.95


def test_weights_are_small_and_those_of_the_card() -> None:
    assert WEIGHTS.stat().st_size <= 4_000_000
    card = WEIGHTS.with_suffix(".md").read_text("utf-8")
    assert hashlib.sha256(WEIGHTS.read_bytes()).hexdigest() in card


@pytest.mark.parametrize("name", ["breast_cancer", "wine"])
def test_learns_from_real_rows_nearly_as_a_forest_does(name: str) -> None:
    task = Table(name=name, split="random")
    data = task.load(0)
    train_rows, test_rows = task.view(data, "features")
    labels, truth = data.told(data.train_labels)[:100], data.told(data.test_labels)
    area = {}
    for model in (TablePrior(ensemble=4, device="cpu"), RandomForest(engine="sklearn")):
        shares = model.fit(train_rows[:100], labels).predict_proba(test_rows)
        columns = enumerate(model.classes_)
        area[type(model)] = np.mean([roc_auc_score(truth == c, shares[:, k]) for k, c in columns])
    assert area[TablePrior] > 0.9
    assert area[TablePrior] > area[RandomForest] - 0.02


def test_the_order_of_train_rows_does_not_matter() -> None:
    X, y = table(150, 0, "multiclass")
    asked, _ = table(50, 1, "multiclass")
    order = np.random.default_rng(0).permutation(len(X))
    one = TablePrior(ensemble=2, device="cpu").fit(X, y)
    other = TablePrior(ensemble=2, device="cpu").fit(X.iloc[order].reset_index(drop=True), y[order])
    np.testing.assert_allclose(one.predict_proba(asked), other.predict_proba(asked), atol=1e-4)


def test_an_answer_does_not_depend_on_who_else_asks() -> None:
    X, y = table(100, 0, "binary")
    asked, _ = table(40, 1, "binary")
    model = TablePrior(ensemble=2, device="cpu").fit(X, y)
    alone = model.predict_proba(asked[:1])
    np.testing.assert_allclose(model.predict_proba(asked)[:1], alone, atol=1e-5)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_bits_each_time(threads: int) -> None:
    X, y = table(30, 0, "binary")
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        model = TablePrior(ensemble=1, device="cpu")
        first, second = (model.fit(X, y).predict_proba(X) for _ in range(2))
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(first, second)


def test_wide_and_long_tables_are_looked_at_in_parts() -> None:
    X, y = table(120, 0, "binary")
    wide = pd.concat([X, X.select_dtypes(float).add_suffix(" again")], axis=1)
    model = TablePrior(ensemble=3, context=50, columns=4, device="cpu").fit(wide, y)
    assert [len(look.columns) for look in model.looks_] == [4] * 3
    assert len({tuple(look.columns) for look in model.looks_}) > 1
    assert [memory.labels.shape[1] for memory in model.memories_] == [50] * 3
    np.testing.assert_allclose(model.predict_proba(wide).sum(axis=1), 1)


def test_gaps_constants_and_new_categories() -> None:
    rng = np.random.default_rng(0)
    y = np.array(["a", "b"], dtype=object)[np.arange(80) % 2]
    X = pd.DataFrame(
        {
            "told": np.where(y == "a", 0.0, 1.0) + 0.3 * rng.standard_normal(80),
            "same": 7.0,
            "nothing": np.nan,
            "far": 1e12 + rng.standard_normal(80),
            "level": pd.Categorical(np.where(rng.random(80) < 0.1, None, "x")),
        }
    )
    new = X.assign(
        told=[np.nan] * 40 + list(X["told"][40:]),
        same=[-1e30, 1e30] * 40,
        nothing=5.0,
        level=pd.Categorical(["never seen"] * 80),
    )
    shares = TablePrior(device="cpu").fit(X, y).predict_proba(new)
    assert np.isfinite(shares).all()
    assert roc_auc_score(y[40:] == "b", shares[40:, 1]) > 0.8


def test_what_it_cannot_answer_is_refused() -> None:
    X, _ = table(60, 0, "binary")
    with pytest.raises(ValueError, match="at most 10 classes, and this has 12"):
        TablePrior().fit(X, np.array([f"class {k % 12}" for k in range(60)], dtype=object))
    with pytest.raises(ValueError, match="no answer for numbers"):
        TablePrior().fit(X, np.arange(60.0))


def test_weights_that_cannot_be_used_end_in_one_sentence(tmp_path) -> None:
    X, y = table(60, 0, "binary")
    whole = WEIGHTS.read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.safetensors").write_text("these are no weights")
    (tmp_path / "empty.safetensors").touch()
    save_file(InContext(cell=32).state_dict(), tmp_path / "other.safetensors")
    for name, why in {
        "none": "is missing",
        "cut": "is damaged",
        "text": "is damaged",
        "empty": "is damaged",
        "other": "of another architecture",
    }.items():
        file = tmp_path / f"{name}.safetensors"
        with pytest.raises(ValueError, match=why) as refusal:
            TablePrior(weights=str(file)).fit(X, y)
        assert str(file) in str(refusal.value)
        assert "\n" not in str(refusal.value)
