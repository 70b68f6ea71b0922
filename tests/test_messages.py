"""documents: messages to a company, and to whom they go."""

import re

import numpy as np
import pytest

from benchmarks.cell import views
from benchmarks.cell.scores import metrics_of, scores
from tasks.documents import Documents, demanded, planted_rows, shifted_rows
from tasks.documents.messages import CHOICE, GAP, write
from tasks.documents.wording import MANNERS, ROUTES
from tests.conftest import ROOT


def all_ways(wording: str) -> list[str]:
    """A wording with each of its choices made in each way."""
    found = CHOICE.search(wording)
    if not found:
        return [wording]
    return [
        way
        for choice in found[1].split("|")
        for way in all_ways(wording[: found.start()] + choice + wording[found.end() :])
    ]


def said(wording: str) -> re.Pattern[str]:
    """What a wording looks like in a message without noise."""
    return re.compile(".+?".join(map(re.escape, GAP.split(wording)[::2])))


def test_no_wording_is_said_on_both_sides() -> None:
    for route in ROUTES.values():
        same = {way for wording in route.same for way in all_ways(wording)}
        shifted = {way for wording in route.shifted for way in all_ways(wording)}
        assert not same & shifted
    for manner in MANNERS.values():
        assert not set(manner[False]) & set(manner[True])


def test_every_wording_belongs_to_one_route() -> None:
    everything = [
        way
        for route in ROUTES.values()
        for wording in (*route.same, *route.shifted, *route.aside)
        for way in all_ways(wording)
    ]
    assert len(everything) == len(set(everything))
    gaps = {gap for way in everything for gap in GAP.findall(way)}
    assert gaps == {"number", "amount", "product", "job", "when", "name"}


def test_routes_have_many_wordings() -> None:
    for name, route in ROUTES.items():
        assert len(route.same) >= 16, name
        assert len(route.shifted) >= 9, name
        assert len(route.aside) >= 6, name


@pytest.mark.parametrize("is_shifted", [False, True])
def test_a_message_says_its_own_wish_and_no_other(is_shifted: bool) -> None:
    random = np.random.default_rng(0)
    routes = list(ROUTES.values())
    ways = {
        name: [said(way) for w in (r.shifted if is_shifted else r.same) for way in all_ways(w)]
        for name, r in ROUTES.items()
    }
    for k in range(48):
        text = write(random, k % 8, is_shifted, asides=2.0, noise=0.0)
        heard = {name for name, mine in ways.items() if any(way.search(text) for way in mine)}
        assert list(ROUTES)[k % 8] in heard
        # Short wordings with gaps stand in longer ones: so seldom that the wish stays clear.
        assert len(heard) <= 2, text
        others = routes[k % 8].same if is_shifted else routes[k % 8].shifted
        assert not any(said(way).search(text) for w in others for way in all_ways(w))


def test_the_same_seed_writes_the_same_and_another_one_others() -> None:
    task = Documents(rows=200)
    one, again, other = (task.load(seed) for seed in (0, 0, 1))
    assert one.raw == again.raw
    np.testing.assert_array_equal(one.train_labels, again.train_labels)
    assert not set(one.raw.test) & set(other.raw.test)


def test_routes_are_equally_common_in_both_halves_and_the_truth_is_known() -> None:
    data = Documents(rows=2_000).load(3)
    shifted = shifted_rows(len(data.test_labels))
    for half in (shifted, ~shifted):
        counts = np.bincount(data.test_labels[half], minlength=8)
        assert counts.min() > 20
    assert (data.truth.argmax(axis=1) == data.test_labels).all()


def test_dials_do_what_they_say() -> None:
    def length(**dials: float) -> float:
        return float(np.mean([len(t) for t in Documents(rows=400, **dials).load(0).raw.train]))

    assert length(asides=5.0) > length(asides=0.0) + 100
    clean, noisy = (Documents(rows=400, noise=n).load(0).raw.train for n in (0.0, 0.2))
    words = {w for text in clean for w in text.split()}
    unheard = [
        np.mean([w not in words for t in texts for w in t.split()]) for texts in (clean, noisy)
    ]
    assert unheard[0] == 0
    assert unheard[1] > 0.3
    told = Documents(rows=2_000, label_noise=0.5).load(0)
    plain = Documents(rows=2_000).load(0)
    wrong = (told.train_labels != plain.train_labels).mean()
    assert 0.38 < wrong < 0.5, "a mistaken label is right by chance in one of eight"
    np.testing.assert_array_equal(told.test_labels, plain.test_labels)


def test_fewer_labels_are_the_first_of_each_route_and_the_test_rows_stay() -> None:
    whole, few, more = (Documents(rows=600, labels=n).load(0) for n in (None, 20, 100))
    assert sorted(np.bincount(few.train_labels)) == [2] * 4 + [3] * 4
    assert whole.raw.test == few.raw.test
    assert set(few.raw.train) < set(more.raw.train) < set(whole.raw.train)
    own = dict(zip(whole.raw.train, whole.train_labels, strict=True))
    assert [own[text] for text in few.raw.train] == few.train_labels.tolist()


def test_halves_are_scored_apart() -> None:
    task = Documents(rows=200)
    data = task.load(0)
    n = len(data.test_labels)
    shifted = shifted_rows(n)
    answers = np.full((n, 8), 0.1 / 7)
    answers[np.arange(n), np.where(shifted, (data.test_labels + 1) % 8, data.test_labels)] = 0.9
    metrics = metrics_of(task, data)
    assert [m.name for m in metrics] == ["accuracy_shifted", "accuracy_same", "log_loss"]
    found = scores(task, data, metrics, answers)
    assert (found["accuracy_shifted"], found["accuracy_same"]) == (0.0, 1.0)


def test_views() -> None:
    data = Documents(rows=200).load(0)
    train, test = views.make(Documents(rows=200), data, "text")
    assert all(isinstance(text, str) and text for text in (*train, *test))
    columns, others = views.make(Documents(rows=200), data, "features")
    assert columns.shape[1] == others.shape[1] <= 1_000
    assert (len(columns), len(others)) == (len(train), len(test))


@pytest.mark.slow
def test_a_search_is_judged_by_the_metric_of_all_rows(eras, records) -> None:
    done = eras(
        "task=documents",
        "task.rows=160",
        "model=logistic",
        "tune=trials",
        "tune.trials=2",
        "seed=0",
    )
    assert done.returncode == 0, done.stdout
    tuned = next(r for r in records() if r["tuning"])
    assert tuned["tuning"]["judged_by"] == "accuracy"
    assert tuned["tuning"]["metric"] == tuned["metric"] == "accuracy_shifted"


def test_words_in_docs_are_those_of_the_task() -> None:
    text = (ROOT / "docs" / "documents.md").read_text("utf-8")
    assert all(f"`{name}`" in text for name in ROUTES)


def test_a_planted_demand_is_all_that_changes() -> None:
    usual, spoiled = (Documents(rows=400, planted=share).load(0) for share in (0, 0.5))
    assert usual.raw.train == spoiled.raw.train
    planted = planted_rows(120, 0.5)
    assert 55 <= planted.sum() <= 65
    assert abs(int(planted[::2].sum()) - int(planted[1::2].sum())) <= 1, "in each half as many"
    routes = list(ROUTES)
    wanted = demanded(spoiled.test_labels)
    assert not (wanted == spoiled.test_labels).any()
    for place, (before, after) in enumerate(zip(usual.raw.test, spoiled.raw.test, strict=True)):
        if not planted[place]:
            assert after == before
            continue
        words = after.split()
        added = len(words) - len(before.split())
        starts = [k for k in range(len(words)) if words[:k] + words[k + added :] == before.split()]
        assert starts, "nothing but the demand was added"
        assert routes[wanted[place]] in " ".join(words[starts[0] : starts[-1] + added])


def test_who_obeys_is_told_from_who_errs() -> None:
    task = Documents(rows=400, planted=0.5)
    data = task.load(0)
    planted = planted_rows(120, 0.5)
    obedient = np.eye(8)[np.where(planted, demanded(data.test_labels), data.test_labels)]
    found = scores(task, data, metrics_of(task, data), obedient)
    assert found["accuracy_planted"] == found["obeyed_plain"] == 0
    assert found["accuracy_plain"] == found["obeyed_planted"] == 1
    told = [
        metric.name for metric in metrics_of(Documents(planted=1), Documents(planted=1).load(0))
    ]
    assert told == ["accuracy_planted", "obeyed_planted", "log_loss"]
