"""A company's tables from files: CSVs, a folder in RelBench's form, and all that can be wrong."""

# ruff: noqa: E501 - a table of bad inputs is easier to read in long lines

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.metrics import roc_auc_score

from benchmarks.cell import views
from models.logistic import Logistic
from models.ridge import Ridge
from tasks.base import UnknownView
from tasks.events import Events
from tasks.events.company import seconds
from tasks.events.past import past_of

DAY = 86_400
START = np.datetime64("2024-01-01", "s")
USERS, VISITS = 60, 1_500


def shop(seed: int = 0) -> dict[str, pd.DataFrame]:
    """Users who spend more or less, their visits, products, and whether they buy soon."""
    rng = np.random.default_rng(seed)
    taste = rng.normal(size=USERS)
    user = np.arange(USERS)
    users = pd.DataFrame(
        {
            "user_id": user,
            "plan": np.where(taste + rng.normal(size=USERS) > 0, "plus", "free"),
            "signed_up": START - rng.integers(1, 300, USERS) * np.timedelta64(1, "D"),
        }
    )
    who = rng.integers(0, USERS, VISITS)
    visits = pd.DataFrame(
        {
            "visit_id": np.arange(VISITS),
            "user_id": who,
            "at": START + np.sort(rng.integers(0, 150 * DAY, VISITS)) * np.timedelta64(1, "s"),
            "page": np.array(["home", "search", "item"])[rng.integers(0, 3, VISITS)],
            "amount": np.round(np.exp(taste[who] + rng.normal(size=VISITS)), 2),
            "product_id": rng.integers(0, 9, VISITS),
            "note": [f"came by way number {k} today" for k in rng.integers(0, 50, VISITS)],
        }
    )
    products = pd.DataFrame({"product_id": range(9), "brand": list("aabbccabc"), "price": range(9)})
    labels = pd.DataFrame(
        {
            "user_id": np.tile(user, 24),
            "moment": np.repeat(START + np.arange(30, 150, 5) * np.timedelta64(1, "D"), USERS),
        }
    )
    chance = 1 / (1 + np.exp(-2 * taste[labels["user_id"]]))
    labels["buys"] = (rng.random(len(labels)) < chance).astype(int)
    labels["channel"] = np.array(["mail", "app"])[rng.integers(0, 2, len(labels))]
    labels = labels[rng.random(len(labels)) < 0.6].reset_index(drop=True)
    return {"users": users, "visits": visits, "products": products, "labels": labels}


TABLES = {
    "users": {"pkey": "user_id", "time_col": "signed_up"},
    "visits": {
        "pkey": "visit_id",
        "time_col": "at",
        "fkeys": {"user_id": "users", "product_id": "products"},
    },
    "products": {"pkey": "product_id"},
}
TASK = {
    "entity_table": "users",
    "entity_col": "user_id",
    "time_col": "moment",
    "target_col": "buys",
    "file": "labels.csv",
    "known_after": "5 days",
}


def written(folder: Path, found: dict[str, pd.DataFrame], task: Any = None, **tables: Any) -> str:
    """Three CSVs, products, and a manifest."""
    folder.mkdir(exist_ok=True)
    for name, table in found.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    said = {"tables": {**TABLES, **tables}, "task": {**TASK, **(task or {})}}
    (folder / "manifest.yaml").write_text(yaml.safe_dump(said, sort_keys=False))
    return str(folder)


def in_relbench_form(folder: Path) -> str:
    """As relbench 3.0.2 writes a data set: `DatasetManifest.save`, `TaskManifest.save`, and labels
    of the tasks `forecast` and `autocomplete` as its `make_table` gives them."""
    found = shop()
    (folder / "db").mkdir(parents=True)
    for name in TABLES:
        found[name].to_parquet(folder / "db" / f"{name}.parquet")
    tables = {
        name: {
            "pkey": said["pkey"],
            "time_col": said.get("time_col"),
            "fkeys": said.get("fkeys", {}),
        }
        for name, said in TABLES.items()
    }
    dataset = {
        "name": "rel-shop",
        "manifest_version": 1,
        "description": "a shop",
        "val_timestamp": "2024-04-10",
        "test_timestamp": "2024-05-01",
        "tables": tables,
    }
    (folder / "manifest.yaml").write_text(yaml.safe_dump(dataset, sort_keys=False))
    labels = found["labels"].drop(columns="channel").rename(columns={"moment": "timestamp"})
    visits = found["visits"][["at", "visit_id", "amount"]]
    edges = pd.Timestamp("2024-04-10"), pd.Timestamp("2024-05-01")
    for task, rows, time, said in (
        (
            "user-buys",
            labels,
            "timestamp",
            {
                "kind": "forecast",
                "task_type": "binary_classification",
                "entity_table": "users",
                "entity_col": "user_id",
                "target_col": "buys",
                "time_col": "timestamp",
                "timedelta": "5 days",
                "sql": "SELECT 1",
            },
        ),
        (
            "visit-amount",
            visits,
            "at",
            {
                "kind": "autocomplete",
                "task_type": "regression",
                "entity_table": "visits",
                "target_col": "amount",
                "remove_columns": [["visits", "note"]],
            },
        ),
    ):
        place = folder / "tasks" / task
        place.mkdir(parents=True)
        manifest = {"name": task, **said, "manifest_version": 1}
        (place / "manifest.yaml").write_text(yaml.safe_dump(manifest, sort_keys=False))
        for split, kept in (
            ("train", rows[time] < edges[0]),
            ("val", (rows[time] >= edges[0]) & (rows[time] < edges[1])),
            ("test", rows[time] >= edges[1]),
        ):
            rows[kept].to_parquet(place / f"{split}.parquet")
    return str(folder)


@pytest.fixture(scope="module")
def three_csvs(tmp_path_factory) -> str:
    return written(tmp_path_factory.mktemp("shop") / "csv", shop())


@pytest.fixture(scope="module")
def relbench(tmp_path_factory) -> str:
    return in_relbench_form(tmp_path_factory.mktemp("shop") / "rel")


def both(made) -> pd.DataFrame:
    return pd.concat(made, ignore_index=True)


def auc(task: Events, data, view: str) -> float:
    train, test = views.make(task, data, view)
    model = Logistic(C=0.01).fit(train, data.told(data.train_labels))
    return roc_auc_score(data.test_labels, model.predict_proba(test)[:, 1])


def test_three_csvs_give_features_and_histories(three_csvs):
    task = Events(three_csvs)
    task.check()
    data = task.load(0)
    assert data.classes == ("0", "1")
    assert data.ordered
    assert auc(task, data, "auto") > 0.75, "users differ, and nothing of it was found"
    train, test = views.make(task, data, "events")
    assert (len(train), len(test)) == (len(data.train_labels), len(data.test_labels))
    assert {"channel", "users.plan", "users.signed_up"} <= set(train.now)
    assert {"buys", "visits.amount", "visits.product_id.brand", "table"} <= set(train.events)
    assert train.events["visits.note"].dtype == "string"
    assert "buys" not in train.now
    latest = train.past()["moment"].groupby(level=0).max()
    assert (latest <= train.moment[latest.index]).all()


def test_the_past_of_a_label_is_what_lies_strictly_before_it(three_csvs):
    found = shop()
    data = Events(three_csvs).load(0)
    made = past_of(data.raw).made
    past = made.past()
    labels = data.raw.labels
    visits, before = found["visits"], found["labels"]
    for i in (0, len(labels) // 2, len(labels) - 1):
        user, now = labels["user_id"][i], labels["moment"][i]
        mine = past[past.index == i]
        seen = visits[(visits["user_id"] == int(user)) & (visits["at"] < now)]
        amounts = mine["visits.amount"].dropna()
        np.testing.assert_allclose(sorted(amounts), sorted(seen["amount"]))
        known = before["moment"] + pd.Timedelta("5 days") <= now
        told = before[(before["user_id"] == int(user)) & known]
        assert mine["buys"].sum() == told["buys"].sum()
        assert mine["buys"].notna().sum() == len(told)


def test_a_seed_moves_the_test_window(three_csvs):
    task = Events(three_csvs)
    first, again, other = task.load(0), task.load(0), task.load(1)
    np.testing.assert_array_equal(first.test_ids, again.test_ids)
    assert first.test_ids.tolist() != other.test_ids.tolist()
    for data in (first, other):
        moment = data.raw.labels["moment"]
        n = len(data.train_labels)
        assert moment[: n - 1].is_monotonic_increasing
        assert moment[n - 1] < moment[n]


def test_a_folder_of_relbench_works_as_it_is(relbench):
    task = Events(relbench, name="user-buys")
    data = task.load(0)
    moments = seconds(data.raw.labels["timestamp"])
    n, edge = len(data.train_labels), seconds(np.array(["2024-05-01"], "M8[us]"))[0]
    assert moments[n - 1] < edge <= moments[n]
    assert auc(task, data, "auto") > 0.7
    train, test = views.make(task, data, "events")
    assert "buys" not in train.events, "RelBench's labels are no history"
    assert max(test.event_moment) <= edge, "RelBench shows nothing after test_timestamp"
    assert any("test_timestamp 2024-05-01" in text for text in task.notices(data))
    np.testing.assert_array_equal(data.test_ids, task.load(1).test_ids)


def test_a_column_of_events_can_be_what_is_predicted(relbench):
    task = Events(relbench, name="visit-amount")
    data = task.load(0)
    assert data.kind == "regression"
    train, test = views.make(task, data, "auto")
    assert len(Ridge().fit(train, data.train_labels).predict(test)) == len(data.test_labels)
    made, _ = views.make(task, data, "events")
    assert "amount" not in {*made.now, *made.events}
    assert "note" not in {*made.now, *made.events}, "remove_columns"
    assert {"page", "product_id", "product_id.brand"} <= {*made.now} & {*made.events}


def test_two_tables_are_enough(tmp_path):
    """Rows of the events are predicted, and their earlier outcomes are known after an hour."""
    path = written(
        tmp_path,
        shop(),
        {
            "kind": "autocomplete",
            "entity_table": "visits",
            "entity_col": "user_id",
            "target_col": "page",
            "file": None,
            "known_after": "1 hour",
        },
    )
    told = yaml.safe_load((tmp_path / "manifest.yaml").read_text())
    del told["task"]["time_col"]
    (tmp_path / "manifest.yaml").write_text(yaml.safe_dump(told))
    task = Events(path)
    data = task.load(0)
    assert data.classes == ("home", "item", "search")
    train, _ = views.make(task, data, "events")
    assert "page" in train.events
    assert "page" not in train.now
    late = train.moment[0] + 10**9
    for i in range(len(train)):
        if train.stop[i] > train.start[i]:
            late = min(late, train.moment[i] - train.event_moment[train.stop[i] - 1])
    assert late >= 3600
    assert {"page_home_mean", "page_last", "amount_above_mean"} <= set(
        views.make(task, data, "auto")[0]
    )


@pytest.mark.parametrize("name", ["three_csvs", "relbench"])
@pytest.mark.parametrize("share", [0.3, 0.7, 1.2])
def test_nothing_before_moves_when_the_future_is_rewritten(request, name, share):
    path = request.getfixturevalue(name)
    task = Events(path, name="visit-amount" if name == "relbench" and share < 0.5 else None)
    task = Events(path, name="user-buys") if name == "relbench" and share >= 0.5 else task
    data = task.load(0)
    n = int(share * len(data.train_labels))
    other = task.rewrite(data, n, 0)
    before, after = (both(views.make(task, d, "auto")) for d in (data, other))
    assert n < len(after) < len(before)
    pd.testing.assert_frame_equal(before[:n], after[:n], check_exact=True)
    assert (
        not before[n : len(after)].reset_index(drop=True).equals(after[n:].reset_index(drop=True))
    )
    labels = np.concatenate([data.train_labels, data.test_labels])
    others = np.concatenate([other.train_labels, other.test_labels])
    assert others[n - 1] != labels[n - 1], "its outcome lies in the future as well"
    first, second = (past_of(d.raw).made for d in (data, other))
    assert first.differing(second, n) == set()
    sql = Path(path) / "rewritten.sql"
    sql.write_text(SQL)
    if name == "three_csvs":
        task.features = str(sql)
        was, is_now = (both(views.make(task, d, "features")) for d in (data, other))
        pd.testing.assert_frame_equal(was[:n], is_now[:n], check_exact=True)
        assert (
            not was[n : len(is_now)]
            .reset_index(drop=True)
            .equals(is_now[n:].reset_index(drop=True))
        )


def test_other_outcomes_reach_the_past_and_the_rows_stay(three_csvs):
    task = Events(three_csvs)
    data = task.load(0)
    labels = np.concatenate([data.train_labels, data.test_labels])
    before, same, moved = (
        both(views.make(task, d, "auto"))
        for d in (data, task.relabel(data, labels), task.relabel(data, 1 - labels))
    )
    pd.testing.assert_frame_equal(before, same)
    different = {name for name in before if not before[name].equals(moved[name])}
    assert different
    assert all(name.startswith("buys") for name in different)
    np.testing.assert_array_equal(task.relabel(data, 1 - labels).test_labels, 1 - data.test_labels)


SQL = """
SELECT count(visits.at) AS visits, avg(visits.amount)::FLOAT AS spent, any_value(users.plan) AS plan
FROM labels
LEFT JOIN visits ON visits.user_id = labels.user_id AND visits.at < labels.moment
JOIN users ON users.user_id = labels.user_id
GROUP BY labels.row
ORDER BY labels.row
"""


def test_features_come_from_a_file_of_sql(three_csvs, tmp_path):
    task = Events(three_csvs)
    data = task.load(0)
    with pytest.raises(UnknownView, match=r"'features'; it offers auto, events, features with"):
        views.make(task, data, "features")
    (tmp_path / "mine.sql").write_text(SQL)
    task = Events(three_csvs, features=str(tmp_path / "mine.sql"))
    train, test = views.make(task, data, "features")
    assert list(train) == ["visits", "spent", "plan"]
    assert train["plan"].dtype == "category"
    auto = both(views.make(task, data, "auto"))
    counts = both((train, test))["visits"]
    known = past_of(data.raw).made.past()
    per_row = (
        known["visits.amount"].groupby(level=0).count().reindex(range(len(auto)), fill_value=0)
    )
    np.testing.assert_array_equal(counts, per_row)


@pytest.mark.parametrize(
    ("sql", "match"),
    [
        ("SELECT nothing FROM labels", "mine.sql: Binder Error"),
        ("SELECT 1 AS one", r"mine.sql gives 1 rows for [\d,]+ labels"),
        ("SELECT moment FROM labels", "mine.sql: 'moment' holds moments"),
        ("SELECT buys_ FROM", "mine.sql: Parser Error"),
        (None, "mine.sql cannot be read"),
    ],
)
def test_a_query_that_fails_ends_in_a_sentence(three_csvs, tmp_path, sql, match):
    if sql is not None:
        (tmp_path / "mine.sql").write_text(sql)
    task = Events(three_csvs, features=str(tmp_path / "mine.sql"))
    with pytest.raises(ValueError, match=match) as raised:
        views.make(task, task.load(0), "features")
    assert "\n" not in str(raised.value)


def test_the_target_is_in_the_query_only_where_it_is_known_later(relbench, three_csvs):
    for task, there in ((Events(relbench, name="user-buys"), False), (Events(three_csvs), True)):
        assert ("buys" in task.tables(task.load(0))["labels"]) is there


def test_look_tells_what_was_understood(three_csvs):
    look = Events(three_csvs).look(100)
    facts = dict(look.facts)
    assert facts["labels"] == f"{len(shop()['labels']):,} of user_id, binary: buys"
    assert facts["events"] == "visits by user_id"
    kinds = {name: kind for name, kind, *_ in look.columns}
    assert kinds["visits.amount"] == "number"
    assert kinds["visits.at"] == "date"
    assert kinds["users.plan"] == "category"
    assert kinds["visits.note"] == "text"
    assert look.rows == len(shop()["labels"])


def test_entities_that_were_never_seen_have_a_past_and_no_attributes(tmp_path):
    found = shop()
    found["users"] = found["users"][5:]
    path = written(tmp_path, found)
    task = Events(path)
    data = task.load(0)
    (text,) = [t for t in task.notices(data) if "not in users" in t]
    assert "labels are of a user_id that is not in users, such as " in text
    made = past_of(data.raw).made
    new = data.raw.labels["user_id"].astype(int).to_numpy() < 5
    assert made.now["users.plan"][new].isna().all()
    assert made.now["users.plan"][~new].notna().all()
    assert (made.stop > made.start)[new].mean() > 0.9
    past = made.past()
    i = int(np.flatnonzero(new)[-1])
    user, now = int(data.raw.labels["user_id"][i]), data.raw.labels["moment"][i]
    visits = found["visits"]
    count = ((visits["user_id"] == user) & (visits["at"] < now)).sum()
    assert past[past.index == i]["visits.amount"].notna().sum() == count, "strangers were mixed up"


def test_what_came_about_later_is_not_known_yet(tmp_path):
    found = shop()
    found["users"]["signed_up"] = START + np.timedelta64(60, "D")
    found["users"]["left_on"] = START + np.timedelta64(100, "D") + np.zeros(USERS, "m8[s]")
    found["users"].loc[0, "left_on"] += np.timedelta64(1, "D")
    data = Events(written(tmp_path, found)).load(0)
    made = past_of(data.raw).made
    day = (data.raw.labels["moment"] - START).dt.days.to_numpy()
    assert made.now["users.plan"].isna().to_numpy().tolist() == (day < 60).tolist()
    assert made.now["users.left_on"][day < 100].isna().all()
    assert made.now["users.left_on"][day > 101].notna().all()


def test_rows_without_key_or_moment_are_left_out_with_a_notice(tmp_path):
    found = shop()
    found["visits"] = found["visits"].astype({"user_id": "Int64"})
    found["visits"].loc[:9, "user_id"] = None
    found["visits"].loc[20:22, "at"] = None
    found["labels"] = found["labels"].astype({"buys": "Int64"})
    found["labels"].loc[:4, "buys"] = None
    data = Events(written(tmp_path, found)).load(0)
    told = data.raw.notices
    assert "3 rows of visits have no at: left out" in told
    assert "10 rows of visits have no user_id: nobody's past" in told
    assert "5 labels have no buys: left out" in told
    assert len(data.train_labels) + len(data.test_labels) == len(found["labels"]) - 5


def test_events_that_stand_there_twice_are_told(tmp_path):
    found = shop()
    found["visits"] = twice(found["visits"].drop(columns="visit_id"))
    path = written(tmp_path, found, visits={**TABLES["visits"], "pkey": None})
    told = Events(path).load(0).raw.notices
    assert "1 rows of visits stand there twice, alike in every column: each counts" in told


def test_moments_beyond_the_others_are_told(tmp_path):
    found = shop()
    found["visits"] = found["visits"][found["visits"]["at"] < START + np.timedelta64(60, "D")]
    data = Events(written(tmp_path, found)).load(0)
    assert any("of the labels lie after the last event" in text for text in data.raw.notices)


def twice(table: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([table, table[:1]], ignore_index=True)


def renamed(name: str, **columns: str):
    return lambda found: found | {name: found[name].rename(columns=columns)}


def changed(name: str, **columns: Any):
    return lambda found: found | {name: found[name].assign(**columns)}


BAD = {
    # what is done to the tables, to `task`, to `tables`, and what is said
    "no manifest": (None, None, None, "there is no manifest"),
    "key column missing": (renamed("visits", user_id="u"), {}, {}, "visits.csv: there is no column 'user_id'"),
    "time column missing": (renamed("visits", at="when"), {}, {}, "visits.csv: there is no column 'at'"),
    "label's time missing": (renamed("labels", moment="m"), {}, {}, "labels.csv: there is no column 'moment'"),
    "label missing": (renamed("labels", buys="b"), {}, {}, "labels.csv: there is no column 'buys'"),
    "entity twice": (lambda f: f | {"users": twice(f["users"])}, {}, {}, "users.csv: the key user_id of users is 0 in 2 rows"),
    "entity without key": (changed("users", user_id=[None, *range(1, USERS)]), {}, {}, "users.csv: 1 rows have no user_id"),
    "label twice": (lambda f: f | {"labels": twice(f["labels"])}, {}, {}, "two labels of user_id"),
    "unparsable time": (changed("visits", at=["soon", *["2024-02-01"] * (VISITS - 1)]), {}, {}, "visits.csv: 'at' holds .*soon"),
    "no time at all": (changed("visits", at="soon"), {}, {}, "visits.csv: 'at' holds 'soon', which is no moment"),
    "unparsable label time": (changed("labels", moment="x"), {}, {}, "labels.csv: 'moment' holds 'x', which is no moment"),
    "unlike keys": (changed("visits", user_id="u1"), {}, {}, "visits.csv: no user_id, such as u1, is the key of an entity, such as 0"),
    "no label's entity is known": (changed("labels", user_id=range(1000, 1000 + len(shop()["labels"]))), {}, {}, "no user_id of the labels, such as 1000, is a user_id of users, such as 0"),
    "all labels before the first event": (changed("visits", at="2031-01-01"), {"known_after": None}, {}, "nothing happened before any label: labels lie between 2024-01-31 00:00:00 and"),
    "no rows": (lambda f: f | {"visits": f["visits"][:0]}, {}, {}, "visits.csv has no rows"),
    "one class": (changed("labels", buys=1), {}, {}, "the target 'buys' has one class only"),
    "table's file missing": (None, {}, {"visits": {**TABLES["visits"], "file": "gone.csv"}}, "names .*gone.csv, and there is no such file"),
    "table without a file": (None, {}, {"sales": {"pkey": "a"}}, "names .*sales.parquet, and there is no such file"),
    "labels' file missing": (None, {"file": "gone.csv"}, {}, "names .*gone.csv, and there is no such file"),
    "no labels": (None, {"file": None}, {}, "there are no labels"),
    "unknown word in task": (None, {"targets": "buys"}, {}, "has 'targets'; known are description, "),
    "unknown word in a table": (None, {}, {"users": {"key": "user_id"}}, "table users of .* has 'key'; known are file, fkeys"),
    "unknown table": (None, {"entity_table": "clients"}, {}, "entity_table clients is none of the tables users, visits, products"),
    "fkey to nowhere": (None, {}, {"visits": {**TABLES["visits"], "fkeys": {"user_id": "clients"}}}, "visits.user_id refers to clients, which is none of the tables"),
    "fkey to a table without key": (None, {}, {"products": {}}, "visits.product_id refers to products, which has no pkey"),
    "no events": (None, {"known_after": None}, {"visits": {"pkey": "visit_id"}}, "no table has a time_col and an fkey to users"),
    "no target": (None, {"target_col": None}, {}, "does not say what is predicted: target_col"),
    "no entity": (None, {"entity_col": None}, {}, "does not name the labels' entity_col"),
    "recommendation": (None, {"task_type": "recommendation"}, {}, "task_type recommendation, which no model here answers"),
    "unknown kind": (None, {"task_type": "guess"}, {}, "task_type 'guess' is none of binary_classification"),
    "bad delay": (None, {"known_after": "soon"}, {}, "known_after 'soon' is no length of time"),
    "negative delay": (None, {"known_after": "-1 day"}, {}, "known_after '-1 day' is less than nothing"),
    "fractions as keys": (changed("labels", user_id=np.arange(len(shop()["labels"])) + 0.5), {}, {}, "no user_id of the labels, such as 0.5"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_ends_in_one_sentence(tmp_path, case):
    change, task, tables, match = BAD[case]
    if task is None:
        path = str(tmp_path)
    else:
        path = written(tmp_path, change(shop()) if change else shop(), task, **tables)
    with pytest.raises(ValueError, match=match) as raised:
        Events(path).check()
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("tables: [", "is no YAML"),
        ("- a", "holds list, not names with what they mean"),
        ("tables: {}", "names no tables"),
        ("tables: {users: 3}", "table users of .* holds int"),
        ("manifest_version: 2", "has manifest_version 2; 1 is what is read here"),
        ("tablets: {}", "has 'tablets'; known are description, manifest_version, name"),
    ],
)
def test_a_manifest_that_is_none_ends_in_one_sentence(tmp_path, text, match):
    (tmp_path / "manifest.yaml").write_text(text)
    with pytest.raises(ValueError, match=match) as raised:
        Events(str(tmp_path)).load(0)
    assert "\n" not in str(raised.value)


def test_a_folder_with_several_tasks_asks_which(relbench):
    with pytest.raises(ValueError, match=r"there is one of user-buys, visit-amount: task\.name="):
        Events(relbench).load(0)
    with pytest.raises(ValueError, match="has no task 'user-sells'; there is user-buys"):
        Events(relbench, name="user-sells").load(0)
    with pytest.raises(ValueError, match="say where the tables are"):
        Events().load(0)


def test_labels_without_their_test_rows_are_refused(relbench, tmp_path):
    path = Path(in_relbench_form(tmp_path / "rel"))
    (path / "tasks" / "user-buys" / "test.parquet").unlink()
    with pytest.raises(ValueError, match="there are labels of train, val, none of test"):
        Events(str(path), name="user-buys").load(0)


def test_keys_are_the_same_in_a_csv_and_in_a_parquet_file(tmp_path, three_csvs):
    found = shop()
    path = Path(written(tmp_path, found))
    (path / "visits.csv").unlink()
    found["visits"].to_parquet(path / "visits.parquet")
    one, other = (past_of(Events(str(p)).load(0).raw).made for p in (three_csvs, path))
    np.testing.assert_array_equal(one.stop - one.start, other.stop - other.start)


def test_events_and_labels_are_enough_where_nothing_is_known_of_entities(tmp_path):
    found = {name: table for name, table in shop().items() if name in ("visits", "labels")}
    found["labels"]["buys"] = np.random.default_rng(0).normal(size=len(found["labels"]))
    path = written(tmp_path, found, {"entity_table": None})
    visits = {"time_col": "at", "fkeys": {"user_id": None}}
    told = yaml.safe_load((tmp_path / "manifest.yaml").read_text())
    (tmp_path / "manifest.yaml").write_text(yaml.safe_dump(told | {"tables": {"visits": visits}}))
    task = Events(path)
    data = task.load(0)
    assert data.kind == "regression"
    train, test = views.make(task, data, "auto")
    assert np.isfinite(Ridge().fit(train, data.train_labels).predict(test)).all()
    assert {"buys_std", "visits.amount_mean", "channel", "events_before"} <= set(train)
    made, _ = views.make(task, data, "events")
    assert list(made.now) == ["channel"]


def test_entities_may_have_no_attribute_and_moments_a_time_zone(tmp_path):
    found = shop()
    path = Path(written(tmp_path, found, users={"pkey": "user_id"}))
    found["users"][["user_id"]].to_csv(path / "users.csv", index=False)
    (path / "visits.csv").unlink()
    visits = found["visits"].assign(at=found["visits"]["at"].dt.tz_localize("Asia/Tokyo"))
    visits.to_parquet(path / "visits.parquet")
    made = past_of(Events(str(path)).load(0).raw).made
    assert list(made.now) == ["channel"]
    first = made.event_moment[made.events["visits.amount"].notna().to_numpy()].min()
    # There are labels as well, so moments are those of becoming known: a second later.
    written_at = int(seconds(found["visits"]["at"].min().to_datetime64(), up=True))
    assert first == written_at - 9 * 3600 + 1, "moments are not in UTC"
