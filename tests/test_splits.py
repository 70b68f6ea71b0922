"""Order and splits: what stands where nobody holds it against time, and what a split says."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, r2_score

from benchmarks import look
from benchmarks.cell import prepared, tune, views
from tasks.base import Data, dealt
from tasks.shipped import Shipped
from tasks.table import Table
from tasks.table.split import is_of_row, nearest, periods
from tests.test_models import model_class

TAILS = (0.1, 0.2, 0.5)  # of the network, of XGBoost and the tuner, of the kernel machines


@pytest.fixture
def write(tmp_path) -> Callable[[pd.DataFrame], str]:
    def save(rows: pd.DataFrame) -> str:
        path = tmp_path / "rows.csv"
        rows.to_csv(path, index=False)
        return str(path)

    return save


def curved(rows: int = 600) -> pd.DataFrame:
    """Sorted by its target, as exports often are."""
    x = np.random.default_rng(0).normal(size=(rows, 4))
    y = x[:, 0] + np.sin(2 * x[:, 1]) + x[:, 2] * x[:, 3]
    return pd.DataFrame(x, columns=list("abcd")).assign(y=y).sort_values("y")


def blobs(rows: int = 450) -> pd.DataFrame:
    labels = np.repeat([0, 1, 2], rows // 3)
    x = np.random.default_rng(0).normal(size=(rows, 2)) + 2 * np.eye(3)[labels][:, :2]
    return pd.DataFrame(x, columns=["a", "b"]).assign(y=np.array(["u", "v", "w"])[labels])


# Order


@pytest.mark.parametrize("share", TAILS)
@pytest.mark.parametrize("rare", [3, 40, 500])
def test_any_tail_of_dealt_rows_has_its_share_of_each_class(share, rare):
    labels = np.sort(np.r_[np.zeros(1000, int), np.ones(rare, int)])
    order = dealt(labels, 0)
    assert sorted(order) == list(range(len(labels)))
    tail = labels[order][round(len(labels) * (1 - share)) :]
    assert abs((tail == 1).sum() - share * rare) <= 1.5
    assert (dealt(labels, 0) == order).all()
    assert (dealt(labels, 1) != order).any()


@pytest.mark.parametrize("share", TAILS)
def test_any_tail_of_dealt_values_is_like_all_of_them(share):
    values = np.sort(np.random.default_rng(0).lognormal(size=1000))
    tail = values[dealt(values, 0)][round(1000 * (1 - share)) :]
    for quantile in (0.1, 0.5, 0.9):
        near = np.quantile(values, [quantile - 0.06, quantile + 0.06])
        assert near[0] < np.quantile(tail, quantile) < near[1]


@pytest.mark.parametrize("kind", ["classes", "values"])
def test_a_tail_of_dealt_groups_cuts_through_one_at_most_and_is_like_the_whole(kind):
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(300), rng.integers(1, 9, 300))
    chance = (np.arange(300) / 300)[group]  # groups differ, and stand in order of it
    labels = (rng.random(len(group)) < chance).astype(int) if kind == "classes" else chance
    order = dealt(labels, 0, group)
    for share in TAILS:
        cut = round(len(group) * (1 - share))
        head, tail = order[:cut], order[cut:]
        assert len(set(group[head]) & set(group[tail])) <= 1
        assert labels[tail].mean() == pytest.approx(labels.mean(), abs=0.06)


def test_answers_are_dealt_too():
    assert sorted(dealt(["a", "b", "c"], 0)) == [0, 1, 2]


@pytest.mark.parametrize(
    "name", ["svm", "nystroem", "xgboost", pytest.param("network", marks=pytest.mark.slow)]
)
def test_a_file_sorted_by_its_target_is_learned_as_well_as_a_mixed_one(name, write):
    for rows, score in ((curved(), r2_score), (blobs(), accuracy_score)):
        found = []
        for table in (rows, rows.sample(frac=1, random_state=0)):
            task = Table(path=write(table), target="y")
            values = []
            for seed in range(2):
                data = task.load(seed)
                train, test = views.make(task, data, "features")
                model = model_class(name)(random_state=seed).fit(
                    train, data.told(data.train_labels)
                )
                if data.classes:
                    answers = model.classes_[model.predict_proba(test).argmax(axis=1)]
                else:
                    answers = model.predict(test)
                values.append(score(data.told(data.test_labels), answers))
            found.append(np.mean(values))
        assert found[0] == pytest.approx(found[1], abs=0.05), (name, found)


@dataclass
class Sorted:
    """Another author's task, whose rows stand in the order of their outcome."""

    by_time: bool = False

    def load(self, seed: int) -> Data:
        labels = np.r_[np.zeros(80, int), np.ones(20, int)]
        return Data(np.arange(100.0), labels, labels, ("no", "yes"), ordered=self.by_time)

    def view(self, data: Data, name: str) -> tuple[Any, Any]:
        return data.raw[:, None], data.raw[:, None]


@pytest.mark.parametrize("by_time", [False, True])
def test_rows_of_any_task_are_dealt_out_unless_they_are_in_order(by_time):
    job = {"task": {}, "seed": 0}
    made = prepared._own(job, Sorted(by_time), prepared.Clock(), "features")
    labels = made.data.train_labels
    np.testing.assert_array_equal(labels, made.train[:, 0] >= 80)  # rows keep their labels
    assert (labels[-20:].sum() == 20) if by_time else (3 <= labels[-20:].sum() <= 5)


@pytest.mark.parametrize(
    "task", [Shipped("digits"), Shipped("breast_cancer"), Shipped("diabetes"), Table(name="iris")]
)
def test_shipped_rows_are_dealt_out(task):
    data = task.load(0)
    assert data.ordered
    labels = data.train_labels
    tail = labels[round(0.8 * len(labels)) :]
    if data.classes:
        shares = [
            np.bincount(part, minlength=len(data.classes)) / len(part) for part in (labels, tail)
        ]
        np.testing.assert_allclose(*shares, atol=2 / len(tail))
    assert not (np.sort(labels) == labels).all()


def test_a_tuned_cell_on_a_sorted_file_works(eras, records, write):
    rows = blobs().query("y != 'w'")
    few = ("tune=trials", "tune.trials=2", "model=logistic")
    done = eras("task=table", f"task.path={write(rows)}", "task.target=y", *few)
    assert done.returncode == 0, done.stdout + done.stderr
    (tuned,) = (record for record in records() if record["tuning"])
    assert all(np.isfinite(trial["score"]) for trial in tuned["tuning"]["trials"])


def test_trials_are_scored_on_rows_of_every_class():
    labels = np.r_[np.zeros(50, int), np.ones(10, int), np.zeros(40, int)]
    data = Data(None, labels, labels, ("a", "b"), ordered=True)
    assert tune.head_of(data) == 59
    early = np.r_[np.ones(10, int), np.zeros(90, int)]
    assert tune.head_of(Data(None, early, early, ("a", "b"))) == 50  # never less than half
    assert tune.head_of(Data(None, np.arange(100.0), np.arange(100.0))) == 80


# By time


@pytest.mark.parametrize(
    "name",
    [
        *("birth_date", "birthdate", "BirthDate", "date_of_birth", "dob_date", "expiry_date"),
        *("expires_at", "expiration_time", "due_date", "dueDate", "due_on", "end_date", "EndTime"),
        *("ends_on", "valid_until_date", "valid_to_date", "deadline_date", "maturity_date"),
        *("renewal_date", "next_visit_date", "closed_at", "cancelled_at", "planned_time"),
        *("expected_delivery_date", "deathdate", "contract_end_date", "last_login_time"),
    ],
)
def test_moments_of_something_else_are_no_time_of_the_row(name, write):
    rows = pd.DataFrame({name: pd.date_range("2024-01-01", periods=200), "x": range(200)})
    rows["x"] = np.random.default_rng(0).normal(size=200)
    rows["y"] = ["a", "b"] * 100
    found = Table(path=write(rows), target="y").understand().plan
    assert found.way == "random", name
    with pytest.raises(ValueError, match=r"task\.time=COLUMN: .* does not sound like when a row"):
        Table(path=write(rows), target="y", split="time").check()
    said = Table(path=write(rows), target="y", time=name)
    assert said.understand().plan[:2] == ("time", name)
    beside = rows.assign(created_at=rows[name])
    assert Table(path=write(beside), target="y").understand().plan[:2] == ("time", "created_at")


@pytest.mark.parametrize(
    "name",
    [
        "sent_at",
        "created_at",
        "order_date",
        "timestamp",
        "Date",
        "event_time",
        "weekend_date",
        "day",
    ],
)
def test_moments_of_the_row_are(name):
    assert is_of_row(name)


@pytest.mark.parametrize(
    "texts",
    [
        ["2024-W9", "2024-W10", "2025-W1"],
        ["W9 2024", "W10 2024"],
        ["KW 9/2024", "KW 10/2024"],
        ["Q4 2023", "Q1 2024"],
        ["2023-Q4", "2024Q1"],
        ["1Q 2024", "2Q 2024"],
        ["H2 2023", "H1 2024"],
        ["Dec 2023", "Jan 2024", "Sept. 2024"],
        ["2023 december", "2024 april"],
        ["2024-9", "2024-10"],
        ["9", "10", "11.5"],
    ],
)
def test_parts_of_a_year_are_ordered_as_time(texts):
    assert (np.diff(periods(texts, "when")) > 0).all()


@pytest.mark.parametrize(
    "texts",
    [
        ["jan", "feb"],
        ["January", "March"],
        ["Mon", "Tue"],
        ["Q1", "Q2"],
        ["W9", "W10"],
        ["Q1 2024", "2024-W9"],
        ["2024-13"],
        ["spring 2024"],
        ["early", "late"],
        ["marching 2024"],
    ],
)
def test_texts_that_have_no_order_of_time_are_refused(texts, write):
    with pytest.raises(ValueError, match=r"'when' holds texts such as .* no order of time"):
        periods(texts, "when")


def test_weeks_are_split_as_weeks(write):
    weeks = [f"2024-W{1 + k // 10}" for k in range(200)]
    rows = pd.DataFrame({"week": weeks, "x": np.random.default_rng(0).normal(size=200)})
    rows = rows.assign(y=["a", "b"] * 100).sample(frac=1, random_state=0)
    task = Table(path=write(rows), target="y", time="week")
    data = task.load(0)
    week = rows["week"].str.extract(r"W(\d+)")[0].astype(int).to_numpy()
    assert week[data.raw.train].max() < week[data.raw.test].min()
    assert len(data.test_labels) == 60


@pytest.mark.parametrize("seed", range(10))
def test_no_moment_is_on_both_sides_and_the_cut_comes_as_near_as_it_can(seed, write):
    day = np.repeat([1, 2, 3, 4, 5], [100, 60, 300, 40, 100])
    rows = pd.DataFrame({"day": day, "x": np.random.default_rng(0).normal(size=600)})
    rows = rows.assign(y=["a", "b"] * 300).sample(frac=1, random_state=0)
    data = Table(path=write(rows), target="y", time="day").load(seed)
    days = data.raw.found.table["day"].to_numpy()
    train, test = days[data.raw.train], days[data.raw.test]
    assert train.max() < test.min()
    assert (np.diff(train) >= 0).all()
    assert len(test) >= 0.5 * 0.3 * 600


def test_within_a_moment_train_rows_are_dealt_out(write):
    day = np.repeat([1, 2, 3], [300, 300, 300])
    rows = pd.DataFrame({"day": day, "x": np.random.default_rng(0).normal(size=900)})
    rows["y"] = ["a"] * 200 + ["b"] * 100 + ["a"] * 200 + ["b"] * 100 + ["a", "b"] * 150
    labels = Table(path=write(rows), target="y", time="day").load(0).train_labels
    assert len(labels) == 600
    assert abs((labels[-120:] == 1).sum() - 40) <= 2  # in the file the last 100 are all b


def test_rows_without_a_moment_come_first_and_are_told(write):
    days = pd.Series(pd.date_range("2024-01-01", periods=400))
    days[np.arange(400) % 40 == 0] = None
    rows = pd.DataFrame({"sent_at": days, "x": np.random.default_rng(0).normal(size=400)})
    task = Table(path=write(rows.assign(y=["a", "b"] * 200)), target="y")
    data = task.load(0)
    moments = data.raw.found.table["sent_at"]
    assert moments.iloc[data.raw.test].notna().all()
    assert "10 rows without sent_at stand before all others" in task.notices(data)


# By group


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "sizes",
    [[600, 100, 100, 100, 100], [1] * 500 + [500], [40] * 25, [700, 100, 100, 100], [5, 995]],
    ids=["one heavy", "half in one", "alike", "most in one", "two"],
)
def test_groups_reach_the_asked_share_of_rows(sizes, seed, write):
    group = np.repeat(np.arange(len(sizes)), sizes)
    rows = pd.DataFrame({"user": [f"u{g}" for g in group], "y": ["a", "b"] * (len(group) // 2)})
    rows["x"] = np.random.default_rng(0).normal(size=len(rows))
    data = Table(path=write(rows), target="y", group="user").load(seed)
    possible = {0}
    for size in sizes:
        possible |= {total + size for total in possible}
    n = len(rows)
    best = min(abs(total - 0.3 * n) for total in possible if 0 < total < n)
    assert abs(len(data.test_labels) - 0.3 * n) <= best + 0.01 * n
    users = data.raw.found.table["user"].astype(str)
    assert not set(users.iloc[data.raw.train]) & set(users.iloc[data.raw.test])


def test_groups_keep_the_shares_of_classes(write):
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(200), rng.integers(1, 10, 200))
    rare = group % 10 == 0  # every tenth user, and all of its rows
    rows = pd.DataFrame({"user_id": group + 1000, "y": np.where(rare, "yes", "no")})
    rows["x"] = rng.normal(size=len(rows))
    task = Table(path=write(rows), target="y", group="user_id")
    shares = [(task.load(seed).test_labels == 1).mean() for seed in range(5)]
    assert np.abs(np.array(shares) - rare.mean()).max() < 0.03
    assert len({tuple(task.load(seed).test_ids) for seed in range(3)}) == 3


def test_rows_without_a_group_are_groups_of_their_own(write):
    users = np.array([f"u{k // 4}" for k in range(200)] + [""] * 200)
    rows = pd.DataFrame({"user": users, "x": np.random.default_rng(0).normal(size=400)})
    task = Table(path=write(rows.assign(y=["a", "b"] * 200)), target="y", group="user")
    data = task.load(0)
    missing = data.raw.found.table["user"].isna().to_numpy()
    assert missing.sum() == 200
    assert missing[data.raw.test].any()
    assert missing[data.raw.train].any()
    own = data.group[missing[data.raw.test]]
    assert len(set(own)) == len(own)
    assert "200 rows without user are groups of their own" in task.notices(data)


def test_what_is_taken_comes_as_near_as_it_can():
    size = np.array([50, 30, 20, 10])
    for goal, order in ((30, [0, 1, 2, 3]), (30, [3, 2, 1, 0]), (45, [1, 0, 3, 2])):
        taken = size[nearest(size, np.array(order), goal)].sum()
        assert abs(taken - goal) <= 5
    assert nearest(np.array([95, 5]), np.array([0, 1]), 30).tolist() == [False, True]


# What is said of it


def test_a_split_tells_what_it_reached_in_look_table_and_page(eras, records, write):
    rows = pd.DataFrame({"day": np.repeat([1, 2, 3, 4], [300, 100, 150, 50])})
    rows["x"] = np.random.default_rng(0).normal(size=600)
    rows = rows.assign(y=["a", "b"] * 300)
    path = write(rows)
    said = "split by day: tested are 3 to 4, 33% of the rows (asked: 30%); 150 rows share the first"
    arguments = ("task=table", f"task.path={path}", "task.target=y", "task.time=day")
    facts = " ".join(text for _, text in look.look(look.task_of(arguments)[1]).facts)
    assert said in facts
    done = eras(*arguments, "model=baseline", "seed=0")
    assert done.returncode == 0, done.stderr
    assert said in " ".join(done.stdout.split())
    (record,) = records()
    assert said in record["notices"]
