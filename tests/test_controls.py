"""Controls: honest models and tasks pass, a planted leak does not, and the table says so."""

import typing

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from benchmarks.analysis.summary import sections
from benchmarks.cell import controls, views
from benchmarks.cell import rows as of_rows
from benchmarks.cell.controls import (
    CONTROLS,
    DuplicateUsers,
    FutureColumn,
    Impossible,
    KeptOrder,
    ShuffledLabels,
    ShuffledOrder,
)
from benchmarks.plan.config import RunConfig
from benchmarks.show.control_table import control_groups, controls_table
from benchmarks.show.markdown import fragment
from benchmarks.show.results_table import results_data, results_table
from benchmarks.show.spreadsheet import csv_text
from tasks.base import Data, UnknownView
from tasks.histories import Histories, histories, split
from tasks.notifications import Notifications
from tests.harness import Coin, Leaky


def test_the_names_that_can_be_asked_for_are_the_controls_there_are():
    choices = typing.get_args(RunConfig.model_fields["control"].annotation)
    assert set(typing.get_args(choices[0])) == set(CONTROLS)


@pytest.mark.parametrize("regression", [False, True])
def test_shuffled_labels_leave_the_rows_and_nothing_to_learn(regression):
    honest = Coin(rows=3000, regression=regression)
    task = ShuffledLabels(honest, 0)
    data, plain = task.load(0), honest.load(0)
    assert sorted(controls.all_labels(data)) == sorted(controls.all_labels(plain))
    assert (data.test_labels != plain.test_labels).any()
    assert data.truth is None
    _, test = views.make(task, data, "features")
    np.testing.assert_array_equal(test, views.make(honest, plain, "features")[1])

    p = 1 / (1 + np.exp(-2 * test[:, 0]))
    blind = 0.1 * test[:, 0] if regression else np.column_stack([1 - p, p])
    found = task.finding(data, blind, "features")
    assert found.passed
    assert "on shuffled labels, chance is" in found.text
    if regression:
        knowing = data.test_labels + np.random.default_rng(0).normal(size=len(data.test_labels))
    else:
        knows = 0.3 + 0.4 * (data.test_labels == 1)
        knowing = np.column_stack([1 - knows, knows])
    assert task.finding(data, knowing, "features").passed is False


def test_a_planted_column_is_caught_and_an_honest_task_has_no_other():
    task = FutureColumn(Leaky(leak=False), 0)
    data = task.load(0)
    train, _ = views.make(task, data, "features")
    assert list(train.columns) == ["number", "last", "planted"]
    right = train["planted"] == (data.train_labels == 1)
    assert 0.85 < right.mean() < 0.99
    assert task.finding(data, None, "features") == controls.Finding(
        True, "the planted column was caught"
    )


def test_a_leak_of_the_task_itself_is_named():
    task = FutureColumn(Leaky(), 0)
    found = task.finding(task.load(0), None, "features")
    assert found == controls.Finding(False, "knows the future: own")


def test_a_test_that_sees_nothing_fails(monkeypatch):
    monkeypatch.setattr(of_rows, "differing", lambda *_: set())
    task = FutureColumn(Leaky(leak=False), 0)
    found = task.finding(task.load(0), None, "features")
    assert found == controls.Finding(False, "the planted column was not caught")


class Watching(Notifications):
    """Its view knows, beside what is known, one thing that only the future tells."""

    def __init__(self, leak: str) -> None:
        super().__init__(rows=3000)
        self.leak = leak

    def view(self, data, name):
        sql = (views.folder_of(Notifications()) / f"{name}.sql").read_text("utf-8")
        train, test = views.query(self, data, sql)
        log = data.raw.notifications.to_pandas()
        by_user = log.groupby("user_id")["sent_at"]
        day = log["sent_at"].dt.date
        column = {
            "until the next": (by_user.shift(-1) - log["sent_at"]).dt.total_seconds(),
            "sent in all": by_user.transform("size"),
            "sent that day": log.groupby(["user_id", day])["sent_at"].transform("size"),
            "place from the end": by_user.cumcount(ascending=False),
            "since the last": (log["sent_at"] - by_user.shift(1)).dt.total_seconds(),
        }[self.leak].to_numpy(float)
        n = len(train)
        return train.assign(**{self.leak: column[:n]}), test.assign(**{self.leak: column[n:]})


def only_outcomes_and_contents(task, data, n, seed):
    """What rewriting the future did before: no row was moved in time or deleted."""
    labels = controls.all_labels(data)
    labels[n - 1 :] = 1 - labels[n - 1 :]
    return task.relabel(data, labels)


@pytest.mark.parametrize(
    "leak", ["until the next", "sent in all", "sent that day", "place from the end"]
)
def test_what_future_times_give_away_is_caught_and_was_not(leak, monkeypatch):
    task = FutureColumn(Watching(leak), 0)
    found = task.finding(task.load(0), None, "features")
    assert found == controls.Finding(False, f"knows the future: {leak}")
    monkeypatch.setattr(Watching, "rewrite", only_outcomes_and_contents)
    before = task.finding(task.load(0), None, "features")
    assert before.passed
    assert "no later row was deleted" in before.text


def test_what_past_times_tell_is_no_leak():
    task = FutureColumn(Watching("since the last"), 0)
    found = task.finding(task.load(0), None, "features")
    assert found == controls.Finding(True, "the planted column was caught")


def test_a_future_that_takes_the_past_along_is_refused(monkeypatch):
    monkeypatch.setattr(Leaky, "rewrite", lambda self, data, n, seed: Leaky(rows=9).load(0))
    task = FutureColumn(Leaky(leak=False), 0)
    with pytest.raises(ValueError, match=r"rewrite was to keep .* rows and left 9"):
        task.finding(task.load(0), None, "features")


def test_what_has_no_order_in_time_has_no_future():
    with pytest.raises(Impossible, match="no order in time"):
        FutureColumn(Coin(), 0)
    with pytest.raises(of_rows.Unjoinable):
        of_rows.with_column(object(), "planted", np.zeros(3))
    with pytest.raises(of_rows.Unjoinable):
        of_rows.join(object(), object())


def test_arrays_are_compared_column_by_column():
    before = np.arange(12.0).reshape(4, 3)
    before[0, 1] = np.nan
    after = before.copy()
    after[3, 0], after[1, 2] = 99, 99
    assert of_rows.differing(before, after, 3) == {"2"}
    assert of_rows.differing(before, after, 4) == {"0", "2"}
    assert controls.named_planted({"0", "2"}, before) == {"0", "planted"}


@pytest.mark.parametrize("honest", [Coin(rows=300), Leaky()])
def test_half_of_the_rows_stand_twice_and_are_split_at_random(honest):
    plain, task = honest.load(0), DuplicateUsers(honest, 0)
    data = task.load(0)
    train, test = (pd.DataFrame(part) for part in views.make(task, data, "features"))
    assert (len(train), len(test)) == (len(plain.train_labels), len(plain.test_labels))
    column = train.columns[0]
    twins = test[column].isin(train[column]).mean()
    assert 0.5 < twins < 0.8
    together = pd.concat([train, test])[column].value_counts()
    assert (together == 2).all()
    # Labels went with their rows.
    known = dict(
        zip(
            pd.DataFrame(of_rows.join(*views.make(honest, plain, "features"))).iloc[:, 0],
            controls.all_labels(plain),
            strict=True,
        )
    )
    assert [known[x] for x in test[column]] == list(data.test_labels)
    with pytest.raises(UnknownView):
        views.make(task, data, "songs")


class Remembering:
    """200 people, to each of whom 20 things happen; a row at each. Its label is what came last, or
    what came most often, but for one in ten."""

    def __init__(self, label: str, length: int = 20) -> None:
        self.label, self.length = label, length

    def load(self, seed: int) -> Data:
        rng = np.random.default_rng(seed)
        n = 200 * self.length
        person, moment = np.tile(np.arange(200), self.length), np.arange(n)
        rate = np.full(200, 0.5) if self.label == "last" else rng.random(200)
        came = rng.random(n) < rate[person]
        table = came.reshape(self.length, 200)
        if self.label == "last":
            label = np.concatenate([rng.random((1, 200)) < 0.5, table[:-1]]).ravel()
        else:
            label = rate[person] > 0.5
        label = np.where(rng.random(n) < 0.1, ~label, label).astype(np.int16)
        what = pd.DataFrame({"name": pd.Series([f"thing {k}" for k in range(n)], dtype="string")})
        now = pd.DataFrame({"old": person % 2 == 0})
        made = histories(now, person, moment, what.assign(came=came), person, moment, known_after=1)
        return Data(made, label[: n // 2], label[n // 2 :], ("no", "yes"))

    def view(self, data: Data, name: str) -> tuple[Histories, Histories]:
        return split(data.raw, len(data.train_labels))


def read_order_and_count(rows: Histories) -> np.ndarray:
    """(n, 2): what came last, and how often it came."""
    came = rows.past()["came"].astype(float).groupby(level=0)
    read = pd.DataFrame({"last": came.last(), "share": came.mean()})
    return read.reindex(range(len(rows)), fill_value=0.5).to_numpy()


def score_on(task) -> float:
    """Of a model of events, fitted and tested on what the task gives."""
    data = task.load(0)
    train, test = task.view(data, "events")
    line = LogisticRegression().fit(read_order_and_count(train), data.train_labels)
    answers = line.predict_proba(read_order_and_count(test))
    assert task.finding(data, answers, "events").passed is None
    return roc_auc_score(data.test_labels, answers[:, 1])


def test_where_order_is_all_a_shuffled_order_costs_the_score_and_where_counts_are_it_does_not():
    kept, shuffled = (score_on(c(Remembering("last"), 0)) for c in (KeptOrder, ShuffledOrder))
    assert kept > 0.85
    assert shuffled < 0.65
    kept, shuffled = (score_on(c(Remembering("most"), 0)) for c in (KeptOrder, ShuffledOrder))
    assert kept > 0.85
    assert shuffled == pytest.approx(kept, abs=0.02)


@pytest.mark.parametrize("control", [KeptOrder, ShuffledOrder])
@pytest.mark.parametrize("length", [20, 80])
def test_each_row_keeps_what_happened_before_it_and_the_moments(control, length):
    honest = Remembering("last", length)
    data = honest.load(0)
    in_order = 0
    for plain, found in zip(
        honest.view(data, "events"), control(honest, 0).view(data, "events"), strict=True
    ):
        assert found.now.equals(plain.now)
        np.testing.assert_array_equal(found.moment, plain.moment)
        assert len(found.trimmed().events) == len(found.events)
        for row in range(0, len(plain), 61):
            first = max(plain.start[row], plain.stop[row] - controls.LATEST)
            whole = slice(first, plain.stop[row])
            own = slice(found.start[row], found.stop[row])
            np.testing.assert_array_equal(found.event_moment[own], plain.event_moment[whole])
            before, after = plain.events[whole], found.events[own]
            # Each event came with what came of it.
            assert sorted(map(tuple, after.to_numpy())) == sorted(map(tuple, before.to_numpy()))
            in_order += len(before) > 4 and list(after["name"]) == list(before["name"])
    assert in_order == 0 if control is ShuffledOrder else in_order > 30


def test_rows_share_no_past_but_the_empty_one_and_the_lot_is_the_seeds():
    honest = Remembering("last")
    data = honest.load(0)
    first, again, other = (ShuffledOrder(honest, s).view(data, "events")[1] for s in (0, 0, 1))
    assert first.past().equals(again.past())
    assert not first.past().equals(other.past())
    full = first.stop > first.start
    assert len(np.unique(first.start[full])) == full.sum()


def test_without_events_there_is_no_order():
    for task in (KeptOrder(Coin(), 0), ShuffledOrder(Notifications(rows=300), 0)):
        with pytest.raises(Impossible, match="the view 'features' gives no events, which could"):
            task.view(task.load(0), "features")


def test_what_was_order_is_told_from_the_two_scores(record):
    def under(control, auc, model="gru"):
        made = record(model, auc=auc, control={"name": control, "passed": None, "text": "so it is"})
        made["config"]["control"] = control
        return made

    pairs = [under("kept_order", 0.9), under("shuffled_order", 0.8)]
    alone = [under("kept_order", 0.9, "svm"), record(auc=0.8)]
    text = fragment(map(controls_table, control_groups(sections([*pairs, *alone]))))
    worth = "gru: the order of events was worth 0.100 of ROC AUC, 25% of its lead over the floor"
    assert worth in text
    assert "svm: " not in text
    pairs = [under("kept_order", 0.49), under("shuffled_order", 0.51)]
    text = fragment(map(controls_table, control_groups(sections(pairs))))
    assert "gru: the order of events was worth -0.020 of ROC AUC\n" in text


def test_a_failed_control_marks_the_honest_row_and_the_exit_code(eras, records):
    controls = "control=null,shuffled_labels,future_column,duplicate_users"
    done = eras("task=leaky", "model=steep", controls)
    assert done.returncode == 1
    text = " ".join(done.stdout.split())
    assert "steep: do not trust: " in text
    assert "knows the future: own" in text
    by_name = {r["config"].get("control"): r for r in records()}
    assert by_name[None]["control"] is None
    assert by_name["future_column"]["control"]["passed"] is False
    assert by_name["duplicate_users"]["control"]["passed"] is None
    assert by_name["shuffled_labels"]["control"]["passed"] is False
    assert all(r["status"] == "done" for r in by_name.values())


def test_an_honest_task_is_all_green_and_what_makes_no_sense_is_skipped(eras, records):
    named = "control=null,shuffled_labels,future_column,shuffled_order"
    done = eras("task=coin", "task.rows=900", named)
    assert done.returncode == 0, done.stdout
    assert "do not trust" not in done.stdout
    status = {r["config"].get("control"): (r["status"], r["reason"]) for r in records()}
    assert status["shuffled_labels"] == ("done", None)
    assert status["future_column"][0] == "skipped"
    assert "no order in time" in status["future_column"][1]
    assert status["shuffled_order"][0] == "skipped"
    assert "gives no events" in status["shuffled_order"][1]


def test_controls_stand_beside_the_honest_score_and_never_in_its_table(record):
    def under(control, passed, auc):
        made = record(auc=auc, control={"name": control, "passed": passed, "text": "so <it> is"})
        made["config"]["control"] = control
        return made

    found = sections(
        [
            record(auc=0.8),
            under("shuffled_labels", False, 0.7),
            under("duplicate_users", None, 0.9),
            record("other", auc=0.6),
        ]
    )
    honest = next(section for section in found if not section.control)
    assert honest.distrust == {"svm": "shuffled_labels: so <it> is"}
    text = fragment(map(controls_table, control_groups(found)))
    lines = [
        [c.strip() for c in line.split("|")[1:-1]] for line in text.splitlines() if "|" in line
    ]
    assert lines[0] == ["model", "honest", "duplicate_users", "shuffled_labels"]
    assert ["svm", "0.800", "0.900", "0.700 ✗"] in lines
    assert ["other", "0.600", "–", "–"] in lines
    assert "svm, shuffled_labels: so &lt;it> is" in text
    main = fragment([results_table(honest)])
    assert "do not trust" in next(line for line in main.splitlines() if line.startswith("| svm"))
    assert "svm: do not trust: shuffled_labels: so &lt;it> is" in main
    assert "shuffled_labels" in csv_text(results_data(found))
    assert control_groups(sections([record()])) == []
