"""Models that read raw events: what they must not know, what they must find, and what they bear."""

import dataclasses
import sys
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import log_loss, r2_score, roc_auc_score
from torch.nn import functional

from models.gru import GRU
from models.kalman import Kalman
from models.parts import training
from models.parts.sequences import Columns, Reader
from models.parts.target import Target
from models.transformer import Transformer
from tasks.histories import Histories, histories

MODELS = {"gru": GRU, "kalman": Kalman, "transformer": Transformer}
KINDS = ("binary", "multiclass", "regression")
# Few rows tell little, so for what is planted here the priors are weak.
WEAK: dict[str, dict[str, Any]] = {
    "gru": {"prior": 1.0, "prior_of_embeddings": 3.0, "prior_of_layers": 1.0},
    "kalman": {"prior": 0.3, "prior_of_states": 1.0},
    "transformer": {"prior": 1.0, "prior_of_embeddings": 3.0, "prior_of_layers": 3.0},
}
every_model = pytest.mark.parametrize("name", MODELS)


def log(
    entities: int, length: int, seed: int, known_after: int = 1
) -> tuple[Histories, dict[str, np.ndarray]]:
    """Each event of each entity as a row, over all events; and what is behind them, row by row.

    topic, price (with gaps), title and flag stand in both tables, `came` and `points` in events
    alone; of rows alone there are an attribute of the entity and what changes from row to row.
    """
    random = np.random.default_rng(seed)
    n = entities * length
    entity = np.tile(np.arange(entities), length)
    hours = random.uniform(2, 10, (length, entities)).cumsum(axis=0)
    moment = (1_700_000_000 + 3600 * hours).ravel().astype(np.int64)
    order = np.argsort(moment, kind="stable")
    entity, moment = entity[order], moment[order]
    topic = random.choice(["music", "news", "sport"], n)
    sent = pd.DataFrame(
        {
            "topic": pd.Categorical(topic),
            "price": np.where(random.random(n) < 0.1, np.nan, random.normal(size=n)),
            "title": pd.Series(
                random.choice(["Now or never!", "a calm evening"], n), dtype="string"
            ),
            "flag": random.random(n) < 0.5,
        }
    )
    came = random.random(n) < 0.5
    events = sent.assign(came=came, points=random.normal(size=n))
    plan = random.choice(["free", "paid"], entities)[entity]
    now = sent.assign(plan=pd.Categorical(plan), queue=random.normal(size=n))
    made = histories(now, entity, moment, events, entity, moment, known_after)
    return made, {"came": came, "entity": entity, "music": topic == "music", "paid": plan == "paid"}


def planted(entities: int, seed: int, kind: str) -> tuple[Histories, np.ndarray]:
    """What the row is (its topic, its entity's plan) and what came of the event before it."""
    X, behind = log(entities, 12, seed)
    last = came_before(X, 1)
    score = 2.0 * behind["music"] + behind["paid"] + 2.0 * last
    score += 0.3 * np.random.default_rng(seed).normal(size=len(score))
    if kind == "regression":
        return X, 100 + 10 * score
    names = ["no", "yes"] if kind == "binary" else ["much", "none", "some"]
    return X, np.array(names, dtype=object)[np.digitize(score, [2.3, 3.5][: len(names) - 1])]


def came_before(X: Histories, steps: int) -> np.ndarray:
    """What came of the last event (1), or of one before it; 0 where there is none."""
    place = X.stop - steps
    came = X.events["came"].to_numpy()
    return np.where(place >= X.start, came[np.maximum(place, 0)], 0)


def short(name: str, **settings: Any) -> Any:
    return MODELS[name](**{"max_epochs": 2, "batch_size": 8, "device": "cpu", **settings})


def given_by(model: Any, X: Any) -> np.ndarray:
    return model.predict(X) if model.target_.is_number else model.predict_proba(X)


@cache
def briefly_fitted(name: str, kind: str = "binary") -> Any:
    return short(name).fit(*planted(20, 0, kind))


def replaced(X: Histories, **parts: Any) -> Histories:
    return dataclasses.replace(X, **parts)


def with_other_events(X: Histories, keep: np.ndarray, seed: int = 0) -> Histories:
    """All events but those to keep are others, came out otherwise, and happened at other times."""
    random = np.random.default_rng(seed)
    other = np.where(keep, np.arange(len(keep)), random.permutation(len(keep)))
    events = X.events.iloc[other].reset_index(drop=True)
    events["came"] = np.where(keep, X.events["came"], ~X.events["came"])
    moment = np.where(keep, X.event_moment, X.event_moment + random.integers(1, 9**6, len(keep)))
    return replaced(X, events=events, event_moment=moment)


@every_model
def test_no_answer_moves_with_what_is_not_in_its_past(name: str) -> None:
    """Later events of its entity, its own event, and all events of others."""
    model, (X, _) = briefly_fitted(name), planted(20, 1, "binary")
    usual, place = given_by(model, X), np.arange(len(X.events))
    for row in (0, 30, 111, len(X) - 1):
        own = (place >= X.start[row]) & (place < X.stop[row])
        changed = given_by(model, with_other_events(X, own))
        np.testing.assert_array_equal(changed[row], usual[row])
        if own.any():  # and does with what is
            changed = given_by(model, with_other_events(X, np.zeros(len(own), bool)))
            assert (changed[row] != usual[row]).any()


@every_model
def test_no_answer_moves_with_other_rows(name: str) -> None:
    model, (X, _) = briefly_fitted(name), planted(20, 1, "binary")
    usual = given_by(model, X)
    now = X.now.iloc[::-1].reset_index(drop=True)
    now.loc[57] = X.now.loc[57]
    moment = X.moment + 10**6
    moment[57] = X.moment[57]
    changed = given_by(model, replaced(X, now=now.astype(X.now.dtypes), moment=moment))
    np.testing.assert_array_equal(changed[57], usual[57])


@every_model
def test_a_step_of_training_sees_no_more_than_an_answer(name: str) -> None:
    """The loss of a row, as it is trained on, does not know what came of later events."""
    model, (X, _) = briefly_fitted(name), planted(20, 1, "binary")
    row = 111
    place = np.arange(len(X.events))
    own = (place >= X.start[row]) & (place < X.stop[row])

    def outputs(X: Histories) -> np.ndarray:
        made = model.inputs(X)
        model.model_.train()
        torch.manual_seed(0)  # of dropout
        rows, found = model.model_(made, torch.arange(len(made.length)))
        return found[rows == row].detach().numpy()

    np.testing.assert_array_equal(outputs(with_other_events(X, own)), outputs(X))
    assert (outputs(with_other_events(X, ~own)) != outputs(X)).any()


@every_model
def test_no_weight_learns_from_rows_held_out(name: str) -> None:
    X, y = planted(20, 0, "binary")
    head = len(y) - briefly_fitted(name).notes_["rows_held_out"]
    turned = y.copy()
    turned[head:] = np.where(y[head:] == "yes", "no", "yes")
    model = short(name).fit(X, turned)
    np.testing.assert_array_equal(given_by(model, X), given_by(briefly_fitted(name), X))
    turned[head - 1] = "no" if y[head - 1] == "yes" else "yes"
    model = short(name).fit(X, turned)
    assert (given_by(model, X) != given_by(briefly_fitted(name), X)).any()


@pytest.mark.slow
@every_model
def test_a_planted_leak_is_found_and_without_it_there_is_nothing(name: str) -> None:
    """The label is what came of the row's own event, a coin: known only if a past goes too far."""
    auc = {}
    for leak in (0, 1):
        X, behind = log(60, 12, 0, known_after=1 - leak)
        y = np.array(["no", "yes"], dtype=object)[behind["came"].astype(int)]
        model = MODELS[name](max_epochs=12, batch_size=8, device="cpu", **WEAK[name])
        model.fit(X[:500], y[:500])
        auc[leak] = roc_auc_score(y[500:] == "yes", model.predict_proba(X[500:])[:, 1])
    assert auc[1] > 0.9
    assert 0.38 < auc[0] < 0.62  # 220 coins: .5 ± 3 × .039


@every_model
def test_finds_what_came_of_the_event_before_last(name: str) -> None:
    X, _ = log(120, 10, 0)
    y = np.array(["no", "yes"], dtype=object)[came_before(X, 2).astype(int)]
    model = MODELS[name](max_epochs=24, batch_size=8, device="cpu", **WEAK[name])
    model.fit(X[:800], y[:800])
    assert roc_auc_score(y[800:] == "yes", model.predict_proba(X[800:])[:, 1]) > 0.9


@every_model
def test_finds_nothing_where_labels_are_mixed(name: str) -> None:
    X, y = planted(60, 0, "binary")
    mixed = np.random.default_rng(0).permutation(y)
    model = MODELS[name](max_epochs=8, batch_size=8, device="cpu").fit(X[:500], mixed[:500])
    found = model.predict_proba(X[500:])[:, 1]
    assert 0.38 < roc_auc_score(mixed[500:] == "yes", found) < 0.62  # 220 rows: .5 ± 3 × .039


@every_model
@pytest.mark.parametrize("kind", KINDS)
def test_beats_the_floor_on_what_rows_and_pasts_say(name: str, kind: str) -> None:
    model = MODELS[name](max_epochs=16, batch_size=8, device="cpu", **WEAK[name])
    model.fit(*planted(80, 0, kind))
    X, y = planted(40, 1, kind)
    found = given_by(model, X)
    if kind == "regression":
        assert r2_score(y, found) > 0.7
        return
    assert list(model.classes_) == sorted(set(y))
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-9)
    shares = np.unique(y, return_counts=True)[1] / len(y)
    assert log_loss(y, found) < 0.6 * log_loss(y, np.tile(shares, (len(y), 1)))


@every_model
@pytest.mark.parametrize("kind", KINDS)
def test_a_row_is_judged_by_itself(name: str, kind: str) -> None:
    model, (X, _) = briefly_fitted(name, kind), planted(20, 2, kind)
    together = given_by(model, X)
    order = np.random.default_rng(0).permutation(len(X))
    np.testing.assert_allclose(given_by(model, X[order]), together[order], rtol=1e-4, atol=1e-5)
    for row in (0, 111, len(X) - 1):
        alone = given_by(model, X[np.array([row])].trimmed())
        np.testing.assert_allclose(alone, together[[row]], rtol=1e-4, atol=1e-5)


@every_model
def test_rows_at_other_moments_than_events(name: str) -> None:
    """Two rows between the same events share a past, and differ by how long it is over."""
    model, (X, _) = briefly_fitted(name), planted(20, 2, "binary")
    twice = X[np.array([200, 200])]
    later = replaced(twice, moment=twice.moment + np.array([0, 86_400 * 7]))
    soon, late = given_by(model, later)
    np.testing.assert_allclose(soon, given_by(model, X)[200], rtol=1e-4, atol=1e-5)
    assert (soon != late).any()


@every_model
def test_an_attribute_that_changes_is_read_as_each_row_has_it(name: str) -> None:
    model, (X, _) = briefly_fitted(name), planted(20, 2, "binary")
    assert list(model.prepare_.attributes.known) == ["plan"]
    assert list(model.prepare_.context.known) == ["queue"]
    now = X.now.copy()
    now.loc[200, "plan"] = "paid" if now.loc[200, "plan"] == "free" else "free"
    changed, usual = given_by(model, replaced(X, now=now)), given_by(model, X)
    others = np.arange(len(X)) != 200
    np.testing.assert_allclose(changed[others], usual[others], rtol=1e-4, atol=1e-5)
    assert (changed[200] != usual[200]).any()


@every_model
def test_of_a_long_past_the_latest_events_count(name: str) -> None:
    X, behind = log(4, 60, 0)
    y = np.array(["no", "yes"], dtype=object)[behind["music"].astype(int)]
    model = short(name, most_events=8).fit(X, y)
    row = len(X) - 1
    assert X.stop[row] - X.start[row] > 50
    usual, place = given_by(model, X), np.arange(len(X.events))
    older = place < X.stop[row] - 8
    np.testing.assert_array_equal(given_by(model, with_other_events(X, ~older))[row], usual[row])
    for back in (1, 4):  # half of them always count
        latest = place == X.stop[row] - back
        assert (given_by(model, with_other_events(X, ~latest))[row] != usual[row]).any()
    alone = given_by(model, X[np.array([row])].trimmed())
    np.testing.assert_allclose(alone[0], usual[row], rtol=1e-4, atol=1e-5)


@every_model
def test_bears_what_it_has_never_seen(name: str) -> None:
    X, _ = planted(20, 3, "binary")
    for table in (X.now, X.events):
        table["topic"] = pd.Categorical(np.resize(["opera", None, "music"], len(table)))
        table["title"] = pd.Series(
            np.resize(["Ünseen words?", None, ""], len(table)), dtype="string"
        )
        table["price"] = np.resize([np.inf, -np.inf, np.nan, 1e300], len(table))
        table["flag"] = np.resize(np.array([None, True], dtype=object), len(table))
    X.now["plan"] = None
    X.events["came"] = np.resize(np.array([None, False], dtype=object), len(X.events))
    X.events["points"] = np.nan
    assert np.isfinite(given_by(briefly_fitted(name), X)).all()


@every_model
def test_what_is_not_known_of_an_event_is_no_surprise(name: str) -> None:
    """Without any outcome, whatever the columns were like, a kalman state stays where it was."""
    X, y = planted(20, 0, "binary")
    bare = replaced(X, events=X.events.drop(columns=["came", "points"]))
    model = short(name).fit(bare, y)
    assert np.isfinite(given_by(model, bare)).all()
    if name == "kalman":
        calls = []
        model.model_.filter = lambda *given: (
            calls.append(given) or type(model.model_).filter(model.model_, *given)
        )
        given_by(model, bare)
        assert not any(known.any() for *_, known in calls)


@every_model
def test_small_logs(name: str) -> None:
    X, y = planted(3, 0, "binary")
    first = X[np.flatnonzero(X.stop == X.start)].trimmed()  # nobody has a past
    assert len(first.events) == 0
    one = np.flatnonzero(X.start == X.start[0])
    two = np.array(["no", "yes"], dtype=object)
    for rows, labels in ((first, np.resize(two, len(first))), (X[one].trimmed(), y[one])):
        model = short(name).fit(rows, labels)
        assert given_by(model, rows).shape == (len(rows), len(model.classes_))
        assert np.isfinite(given_by(model, X)).all()
        assert given_by(model, X[np.array([5])]).shape == (1, len(model.classes_))
    assert np.isfinite(given_by(short(name).fit(X[:2], two), X)).all()
    same = np.full(len(X), "no", dtype=object)
    np.testing.assert_array_equal(given_by(short(name).fit(X, same), X), np.ones((len(X), 1)))


@every_model
def test_same_seed_same_answers_to_the_bit_and_another_is_another_model(name: str) -> None:
    X, _ = planted(20, 3, "binary")
    usual = given_by(briefly_fitted(name), X)
    again, other = (short(name, random_state=k).fit(*planted(20, 0, "binary")) for k in (0, 1))
    np.testing.assert_array_equal(given_by(again, X), usual)
    assert (given_by(other, X) != usual).any()


@every_model
def test_changes_nothing_it_was_given(name: str) -> None:
    (X, y), (before, labels) = planted(20, 0, "binary"), planted(20, 0, "binary")
    model = short(name).fit(X, y)
    given_by(model, X)
    assert not before.differing(X, len(X))
    np.testing.assert_array_equal(y, labels)
    assert all(len(curve) == 2 for curve in model.history_.values())


@every_model
def test_a_column_that_cannot_be_read_ends_in_a_sentence(name: str) -> None:
    X, y = planted(20, 0, "binary")
    X.now["when"] = pd.Timestamp("2025-01-01")
    with pytest.raises(ValueError, match=r"^column 'when' holds datetime64[^\n]+ can be read$"):
        short(name).fit(X, y)


def test_another_kind_of_column_than_it_was_fitted_on_ends_in_a_sentence() -> None:
    X, _ = planted(20, 0, "binary")
    X.events["points"] = pd.Categorical(np.resize(["many", "few"], len(X.events)))
    with pytest.raises(ValueError, match=r"^column 'points' should hold numbers: [^\n]+$"):
        given_by(briefly_fitted("gru"), X)


@every_model
def test_a_fit_that_was_broken_off_ends_as_one_that_was_not(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken off at the end of an epoch, and in the middle of the next: not a bit differs."""
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    X, y = planted(20, 0, "binary")
    other, _ = planted(20, 1, "binary")
    places: list[list[int]] = []  # of all steps, with those that were broken off

    class Watched(Target):
        stop_at: ClassVar[int] = -1
        steps: ClassVar[int] = 0

        def loss(self, outputs: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
            if torch.is_grad_enabled():  # a step of training, not the curve
                Watched.steps += 1
                if self.steps == self.stop_at:
                    raise Stopped
                places.append(values.tolist())
            return super().loss(outputs, values)

    def fit(stop_at: int = -1, **settings: Any) -> Any:
        Watched.stop_at, Watched.steps = stop_at, 0
        brief = {"max_epochs": 2, "batch_size": 8, "device": "cpu"}
        return MODELS[name](**{**brief, **settings}).fit(X, y)

    monkeypatch.setattr(sys.modules[MODELS[name].__module__], "Target", Watched)
    whole, all_steps = fit(), Watched.steps
    undisturbed = places.copy()
    assert all_steps == 6  # 20 entities by 8, twice
    places.clear()
    for stop_at in (3, 3):  # the third step, and the fifth: the one after two more
        with pytest.raises(Stopped):
            fit(stop_at, checkpoints=str(tmp_path))
    resumed = fit(checkpoints=str(tmp_path))
    assert places == undisturbed
    assert resumed.notes_["checkpoint"] == "gone on from epoch 2, step 1"
    assert resumed.history_ == whole.history_
    np.testing.assert_array_equal(given_by(resumed, other), given_by(whole, other))


@every_model
def test_two_threads_give_the_same_weights_to_the_bit(name: str) -> None:
    """Long pasts of many entities, so that gradients are added up by several threads."""
    X, y = planted(400, 0, "binary")
    other, _ = planted(20, 1, "binary")
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        brief = {"max_epochs": 1, "batch_size": 200, "device": "cpu"}
        once, again = (given_by(MODELS[name](**brief).fit(X, y), other) for _ in range(2))
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(once, again)


class Stopped(Exception):
    pass


class TestReader:
    def test_tokens_of_columns_are_apart_whatever_words_are_rare(self) -> None:
        """A token stands for one thing; words that one text alone has are no tokens."""
        texts = ["aa once", "aa bb twice?", "bb thrice, zz", "zz", None]
        table = pd.DataFrame({"text": pd.Series(texts, dtype="string")})
        table["level"] = pd.Categorical(["x", "y", "x", None, "y"])
        table["number"] = [1.0, 2.0, 3.0, 4.0, np.nan]
        columns = Columns(table)
        owner: dict[int, str] = {}
        for name in table:
            others = {c: table[c].where(np.zeros(5, bool)) for c in table if c != name}
            tokens, weights = columns(table.assign(**others), "cpu")
            used = set(tokens[(weights != 0) & (tokens > 0)].tolist())
            missing = {first for first, _, _ in columns.known.values()}
            for token in used - missing:
                assert owner.setdefault(token, name) == name
        assert max(owner) < columns.size
        assert sum(name == "text" for name in owner.values()) == len({"aa", "bb", "zz"})
        assert sum(name == "level" for name in owner.values()) == 2

    def test_rows_of_an_entity_share_a_stretch(self) -> None:
        X, behind = log(20, 12, 0)
        made = Reader(X, 256)(X, "cpu")
        assert len(made.length) == 20
        rows, owner, events, real = made.batch(torch.arange(20))
        assert sorted(rows.tolist()) == list(range(len(X)))
        for row, stretch in zip(rows.tolist(), owner.tolist(), strict=True):
            seen = events[stretch][: made.place[row]].tolist()
            assert seen == list(range(X.start[row], X.stop[row]))
            assert real[stretch][: made.place[row]].all()
        entities = behind["entity"][rows]
        assert len(set(zip(entities, owner.tolist(), strict=True))) == 20


def waves(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Slow or quick oscillations in two channels, with stretches that were not recorded."""
    random = np.random.default_rng(seed)
    quick = random.random(rows) < 0.5
    time = np.arange(200) / 100
    phase = random.uniform(0, 2 * np.pi, (rows, 1))
    wave = np.sin(2 * np.pi * np.where(quick, 7, 4)[:, None] * time + phase)
    X = np.stack([wave, random.normal(size=wave.shape)], axis=1).astype(np.float32)
    X[::5, 0, 30:60] = np.nan
    return X, np.where(quick, "quick", "slow").astype(object)


class TestSignal:
    def test_tells_slow_from_quick(self) -> None:
        weak = WEAK["transformer"]
        model = Transformer(max_epochs=25, device="cpu", patch=20, learning_rate=0.01, **weak)
        model.fit(*waves(600, 0))
        X, y = waves(300, 1)
        assert roc_auc_score(y == "slow", model.predict_proba(X)[:, 1]) > 0.95
        alone = model.predict_proba(X[[7]])
        np.testing.assert_allclose(alone, model.predict_proba(X)[[7]], rtol=1e-4, atol=1e-5)

    def test_bears_gaps_and_flat_lines_and_patches_that_do_not_come_out_even(self) -> None:
        X, y = waves(40, 0)
        X[0], X[1, 1], X[2] = np.nan, 3.0, np.inf
        model = Transformer(max_epochs=1, device="cpu", patch=33).fit(X, y)
        assert np.isfinite(model.predict_proba(X)).all()
        empty = Transformer(max_epochs=1, device="cpu").fit(np.full_like(X, np.nan), y)
        assert np.isfinite(empty.predict_proba(X)).all()

    def test_another_shape_ends_in_a_sentence(self) -> None:
        X, y = waves(40, 0)
        model = Transformer(max_epochs=1, device="cpu").fit(X, y)
        said = r"^the model learned from signals of the shape \(2, 200\) and is asked about [^\n]+$"
        with pytest.raises(ValueError, match=said):
            model.predict_proba(X[:, :, :150])


@pytest.mark.parametrize("view", ["events", "signal"])
def test_what_attention_is_told_lies_in_memory_as_kernels_on_cuda_need_it(
    view: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They take a bias of full shape whose last dimension is contiguous, or none."""
    plain, told = functional.scaled_dot_product_attention, []

    def watched(query: Any, key: Any, value: Any, attn_mask: Any = None) -> Any:
        told.append(attn_mask)
        if attn_mask is not None:
            assert attn_mask.shape == (*query.shape[:3], key.shape[2])
            assert attn_mask.is_contiguous()
            assert attn_mask.stride(-1) == 1  # where there is but one thing to look at too
        assert all(x.stride(-1) == 1 for x in (query, key, value))
        return plain(query, key, value, attn_mask=attn_mask)

    monkeypatch.setattr(functional, "scaled_dot_product_attention", watched)
    X, y = waves(40, 0) if view == "signal" else planted(20, 0, "binary")
    model = short("transformer").fit(X, y)
    given_by(model, X)
    given_by(model, X[:1])  # has no past
    assert len(told) > 4
    assert {bias is None for bias in told} == {view == "signal"}


def test_heads_that_cannot_share_the_width() -> None:
    with pytest.raises(ValueError, match=r"^width=30 cannot be shared by heads=4$"):
        short("transformer", width=30).fit(*planted(5, 0, "binary"))
