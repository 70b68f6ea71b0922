"""features_rich.sql: known answers, a second reading of its words in plain Python, no future."""

from itertools import compress, product
from math import exp, log
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tasks.notifications
from benchmarks.cell import views
from models.logistic import Logistic
from tasks import engines
from tasks.notifications import Notifications

SQL = Path(tasks.notifications.__file__).with_name("features_rich.sql").read_text("utf-8")
CATEGORIES = {"topic", "urgency", "age_band", "plan", "platform", "country"}
PLAIN = {  # what a row of these tests is where it says nothing else
    "age_band": "50+",
    "plan": "free",
    "platform": "web",
    "country": "DE",
    "topic": "food",
    "discount": 20,
    "urgency": "low",
    "title": "Did you know? tasty recipes.",
    "opened": False,
}
OF_USERS = ["age_band", "plan", "platform", "country"]


def tables(rows: list[dict[str, Any]]) -> dict[str, pa.Table]:
    """The company's two tables from rows with user, sent_at, and whatever is not PLAIN."""
    log = pd.DataFrame([PLAIN | row for row in rows]).rename(columns={"user": "user_id"})
    log["sent_at"] = pd.to_datetime(log.sent_at, format="ISO8601").astype("datetime64[s]")
    log.insert(0, "notification_id", range(len(log)))
    users = log.drop_duplicates("user_id")[["user_id", *OF_USERS]]
    users = users.assign(signed_up=pd.Timestamp("2025-01-01"))
    return {
        "users": pa.Table.from_pandas(users, preserve_index=False),
        "notifications": pa.Table.from_pandas(log.drop(columns=OF_USERS), preserve_index=False),
    }


def rich(rows: list[dict[str, Any]]) -> pd.DataFrame:
    made = engines.run(SQL, tables(rows), levels=Notifications.levels)
    return made.drop(columns=Notifications.key)


def at(user: int, sent_at: str, **other: Any) -> dict[str, Any]:
    return {"user": user, "sent_at": sent_at, **other}


def log_odds(p: float) -> float:
    return log(p / (1 - p))


# Known answers


def test_the_first_night_expects_nothing_and_the_next_what_was_seen() -> None:
    table = rich(
        [
            at(1, "2025-03-03 08:00", opened=True),
            at(2, "2025-03-03 08:00"),
            at(3, "2025-03-04 08:00", opened=True),
            at(3, "2025-03-05 08:00"),
            at(3, "2025-03-06 08:00"),
        ]
    )
    # One open of two: even odds. Then 2 of 3, and each of the eleven attributes, whose one value
    # is shrunk less than what it leans on, adds the difference. Then 2 of 4.
    given = (2 + 20 * 0.6) / (3 + 20)
    adds = log_odds((2 + 20 * given) / (3 + 20)) - log_odds(given)
    expected = [np.nan, np.nan, 0.0, log_odds(0.6) + 11 * adds, 0.0]
    np.testing.assert_allclose(table.expected_log_odds, expected, atol=1e-9)
    # The third user's open was worth .5 with evidence .25; evidence of 2 stands against it.
    p = 1 / (1 + exp(-expected[3]))
    surprise = [0, 0, 0, 0.5 / (0.25 + 2), (0.5 - p) / (0.25 + p * (1 - p) + 2)]
    np.testing.assert_allclose(table.user_surprise, surprise, atol=1e-6)


def test_sums_fade_by_the_hour_over_ten_days_and_no_longer() -> None:
    # The query counts in blocks of ten days: these moments lie on both sides of a border.
    assert (pd.Timestamp("2025-03-13") - pd.Timestamp(0)).days % 10 == 0
    moments = ["03-03 08:00", "03-12 20:00", "03-12 23:00", "03-13 08:00", "03-13 09:00"]
    moments += ["03-22 22:59:59", "03-22 23:59:59"]
    opened = [True, True, False, True, False, True, False]
    rows = [at(1, f"2025-{m}", opened=o) for m, o in zip(moments, opened, strict=True)]
    rows.append(at(2, "2025-03-23 08:00"))
    table = rich(rows)
    hours = [(pd.Timestamp(row["sent_at"]) - pd.Timestamp("2025-03-03")) for row in rows]
    hours = [moment.total_seconds() / 3600 for moment in hours]

    def fading(k: int, tau: float, what: list[Any]) -> float:
        ages = [(hours[k] - hours[j], what[j]) for j in range(min(k, 7))]
        return sum(w * exp(-age / tau) for age, w in ages if age <= 240)

    assert hours[5] - hours[1] > 240 >= hours[5] - hours[2], "one just out, one just in"
    sent = [fading(k, 24, [1] * 7) for k in range(7)] + [0]
    opens = [fading(k, 48, opened) for k in range(7)] + [0]
    np.testing.assert_allclose(table.sent_lately, sent, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(table.opened_lately, opens, rtol=1e-6, atol=1e-9)
    p = 1 / (1 + np.exp(-table.expected_log_odds.fillna(0.0)))
    known = table.expected_log_odds.notna()
    surprise = (known * (np.array([*opened, False]) - p)).tolist()
    lately = [fading(k, 48, surprise) for k in range(7)] + [0]
    np.testing.assert_allclose(table.surprise_lately, lately, atol=2e-6)


@pytest.mark.parametrize(
    ("title", "parts", "pressure"),
    [
        ("Did you know? tasty recipes.", ("Did you know?", "tasty recipes", ""), 0),
        ("LAST CHANCE! tunes, 10% off. GO GO GO!", ("LAST CHANCE!", "tunes", "GO GO GO!"), 2),
        ("Hurry up: city trips. Ends tonight.", ("Hurry up:", "city trips", "Ends tonight."), 1),
        ("plain words without a mark", ("", "plain words without a mark", ""), 0),
        ("", ("", "", ""), 0),
    ],
)
def test_a_title_is_split_at_its_punctuation(title: str, parts: tuple, pressure: int) -> None:
    split = (
        SQL[: SQL.index("CREATE TEMPORARY VIEW sent")] + "SELECT opener, phrase, closer FROM titles"
    )
    found = engines.run(split, tables([at(1, "2025-03-03 08:00", title=title)]))
    assert tuple(found.iloc[0]) == parts
    assert rich([at(1, "2025-03-03 08:00", title=title)]).title_pressure.tolist() == [pressure]


def test_a_part_that_nobody_opens_lowers_what_is_expected_of_the_next() -> None:
    titles = ["Up: a. Now.", "Down: a. Now."]
    day = [
        at(user, "2025-03-03 08:00", title=titles[user % 2], opened=user % 2 == 0)
        for user in range(40)
    ]
    table = rich([*day, *(at(50 + k, "2025-03-04 08:00", title=titles[k]) for k in range(2))])
    up, down = table.expected_log_odds[40:]
    # Openers have 20 of 20 and 0 of 20 with a prior of 20 at one half, the rest adds nothing.
    assert up == pytest.approx(log_odds(0.75), abs=1e-9)
    assert down == pytest.approx(log_odds(0.25), abs=1e-9)


def test_the_night_leaves_out_what_was_sent_in_the_hour_before() -> None:
    def expected(late: bool) -> list[float]:
        rows = [at(1, "2025-03-03 22:30", opened=True), at(2, "2025-03-03 23:30", opened=late)]
        return rich([*rows, at(3, "2025-03-04 00:00"), at(3, "2025-03-05 00:00")]).expected_log_odds

    no, yes = expected(False), expected(True)
    assert no[2] == yes[2] > 0
    assert no[3] < yes[3]


# The words of the file, read a second time

TREE = [  # attribute, what it leans on
    ("age_band", None),
    ("topic", "age_band"),
    ("hour", "age_band"),
    ("country", "topic"),
    ("phrase", "topic"),
    ("plan", None),
    ("platform", "plan"),
    ("discount", "plan"),
    ("urgency", "discount"),
    ("opener", None),
    ("closer", None),
]
REACTIONS = {  # column -> what people react to, and its usual size
    "discount_surprise": (lambda row: row["discount"] - 20, 20),
    "hour_surprise": (lambda row: row["hour"] - 15, 4),
    "ends_surprise": (lambda row: (row["hour"] - 15) ** 2 - 16, 16),
    "pressure_surprise": (lambda row: row["pressure"] - 1, 1),
    "mood_surprise": (lambda row: round(100 * row["surprise_lately"]), 100),
}


def in_plain_python(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """The numbers of features_rich.sql, row by row from the whole past of each row."""
    openers = ("Did you know?", "Hurry up:")
    done: list[dict[str, Any]] = []
    for own in rows:
        row = PLAIN | own
        moment = pd.Timestamp(row["sent_at"])
        opener = next(o for o in openers if row["title"].startswith(o))
        phrase, _, closer = row["title"].removeprefix(opener).strip().partition(". ")
        pressure = int("!" in row["title"]) + int(any(w in row["title"] for w in ("Hurry", "Only")))
        row |= {"moment": moment, "hour": moment.hour, "opener": opener, "closer": closer}
        row |= {"phrase": phrase.rstrip("."), "pressure": pressure}
        told = [d for d in done if d["moment"] + pd.Timedelta(hours=1) < moment.normalize()]
        row["expected_log_odds"] = expectation(row, told)
        past = [d for d in done if d["user"] == row["user"]]
        row |= of_the_user(row, past)
        p = 1 / (1 + exp(-row["expected_log_odds"]))  # NaN stays NaN
        row["s"], row["e"] = (row["opened"] - p, p * (1 - p)) if p == p else (0.0, 0.0)
        done.append(row)
    return pd.DataFrame(done)


def expectation(row: dict[str, Any], told: list[dict[str, Any]]) -> float:
    """Log odds by what the nightly job had been told."""
    if not told:
        return np.nan
    rate = (sum(d["opened"] for d in told) + 1) / (len(told) + 2)
    total = log_odds(rate)
    for attribute, leans_on in TREE:
        alike = [d for d in told if leans_on is None or d[leans_on] == row[leans_on]]
        given = (sum(d["opened"] for d in alike) + 20 * rate) / (len(alike) + 20)
        same = [d for d in alike if d[attribute] == row[attribute]]
        own = (sum(d["opened"] for d in same) + 20 * given) / (len(same) + 20)
        total += log_odds(own) - log_odds(given)
    return total


def of_the_user(row: dict[str, Any], past: list[dict[str, Any]]) -> dict[str, Any]:
    """What the user's own past says."""
    found = {"sent_before": len(past)}
    found["topic_again"] = bool(past) and past[-1]["topic"] == row["topic"]
    user = sum(d["s"] for d in past) / (sum(d["e"] for d in past) + 2)
    on_topic = [d for d in past if d["topic"] == row["topic"]]
    evidence = sum(d["e"] for d in on_topic)
    found["user_surprise"] = user
    found["topic_surprise"] = (sum(d["s"] for d in on_topic) - user * evidence) / (evidence + 2)
    ages = [((row["moment"] - d["moment"]).total_seconds() / 86400, d) for d in past]
    ages = [(days, d) for days, d in ages if days <= 10]
    found["sent_lately"] = sum(exp(-days) for days, _ in ages)
    found["opened_lately"] = sum(d["opened"] * exp(-days / 2) for days, d in ages)
    found["surprise_lately"] = sum(d["s"] * exp(-days / 2) for days, d in ages)
    for name, (reacts_to, size) in REACTIONS.items():
        rest = sum((d["s"] - user * d["e"]) * reacts_to(d) for d in past)
        slope = rest / (sum(d["e"] * reacts_to(d) ** 2 for d in past) + 2 * size**2)
        found[name] = slope * reacts_to(row | found)
    return found


def made_up(n: int, seed: int) -> list[dict[str, Any]]:
    """A log of four users over 25 days, two of which have no sends, in time order."""
    random = np.random.default_rng(seed)
    hours = np.sort(random.choice(25 * 24, size=n, replace=False))
    hours = hours[(hours // 24 != 7) & (hours // 24 != 8)]
    of_user = [
        {"age_band": "18-24", "plan": "plus"},
        {"platform": "ios", "country": "US"},
        {"plan": "premium"},
        {},
    ]
    titles = ["Did you know? tasty recipes.", "Hurry up: tasty recipes. Only today!"]
    titles += ["Hurry up: city trips.", "Did you know? city trips. See it now."]
    rows = []
    for hour in hours:
        user = int(random.integers(4))
        row = at(user, str(pd.Timestamp("2025-03-03") + pd.Timedelta(hours=int(hour))))
        row |= of_user[user]
        row |= {
            "topic": str(random.choice(["food", "news"])),
            "discount": int(random.choice([0, 20, 50])),
            "urgency": str(random.choice(["low", "high"])),
            "title": str(random.choice(titles)),
            "opened": bool(random.random() < 0.4),
        }
        rows.append(row)
    return rows


@pytest.mark.parametrize("seed", [0, 1])
def test_a_second_reading_in_plain_python_finds_the_same(seed: int) -> None:
    rows = made_up(150, seed)
    table, plain = rich(rows), in_plain_python(rows)
    assert plain.expected_log_odds.isna().any()
    assert plain.expected_log_odds.notna().mean() > 0.9
    numbers = [name for name in table if name in plain and name not in CATEGORIES]
    assert {"expected_log_odds", "topic_surprise", "surprise_lately", *REACTIONS} <= set(numbers)
    for name in numbers:
        np.testing.assert_allclose(
            table[name].astype(float), plain[name].astype(float), atol=2e-4, err_msg=name
        )
        assert plain[name].nunique() > 1, f"{name} stands still"


# The future, threads, and what models can read


@st.composite
def logs(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Three users over three days, crowded where it matters: ties, and the hours near midnight.
    The third user is sent everything at half past, so that each is an hour from itself."""
    moments = [
        (pd.Timestamp("2025-03-12") + pd.Timedelta(days=day, hours=hour + user // 2 / 2), user)
        for day, hour, user in product(range(3), (0, 1, 9, 22, 23), range(3))
    ]
    sent = draw(st.lists(st.booleans(), min_size=len(moments), max_size=len(moments)).filter(any))
    values = st.fixed_dictionaries(
        {
            "topic": st.sampled_from(("food", "news")),
            "discount": st.sampled_from((0, 50)),
            "title": st.sampled_from(("Hurry up: trips.", "New: trips. Only today!")),
            "opened": st.booleans(),
        }
    )
    return [
        at(user, str(moment), **draw(values)) for moment, user in sorted(compress(moments, sent))
    ]


@settings(max_examples=20, deadline=None)
@given(log=logs(), data=st.data())
def test_no_feature_moves_when_the_future_changes(log: list[dict], data: st.DataObject) -> None:
    now = pd.Timestamp(data.draw(st.sampled_from([row["sent_at"] for row in log]), label="now"))
    change = data.draw(st.sampled_from(["outcomes", "contents", "deleted", "repeated"]))
    other, known = [], 0
    for row in log:
        moment = pd.Timestamp(row["sent_at"])
        # Known an hour after sending: outcomes from here on, the row's own too, may change.
        turned = row | {"opened": row["opened"] ^ (moment > now - pd.Timedelta(hours=1))}
        known += moment <= now
        if moment > now and change == "contents":
            turned |= {"topic": "games", "title": "Stop! never seen. Go!", "discount": 30}
        if moment <= now or change != "deleted":
            other.append(turned)
    if change == "repeated":
        later = [row for row in other if pd.Timestamp(row["sent_at"]) > now]
        other += [
            row | {"sent_at": str(pd.Timestamp(row["sent_at"]) + pd.Timedelta(days=9))}
            for row in later
        ]
    before, after = rich(log), rich(other)
    pd.testing.assert_frame_equal(before[:known], after[:known], check_exact=True)


@pytest.mark.parametrize(("share", "seed"), [(0.1, 0), (0.5, 1), (0.9, 2)])
def test_the_past_does_not_move_when_the_future_is_rewritten(share: float, seed: int) -> None:
    task = Notifications(rows=3_000)
    data = task.load(seed)
    n = round(share * task.rows)
    before, after = (
        pd.concat(views.make(task, d, "features_rich"), ignore_index=True)
        for d in (data, task.rewrite(data, n, seed))
    )
    pd.testing.assert_frame_equal(before[:n], after[:n], check_exact=True)
    was, is_now = before[n : len(after)], after[n:]
    assert (was.ne(is_now) & ~(was.isna() & is_now.isna())).any(axis=1).mean() > 0.9


def test_the_past_does_move_features() -> None:
    """The properties above could not fail if features never looked at outcomes at all."""
    rows = [at(1, f"2025-03-0{day} 09:00", opened=True) for day in (3, 4, 5)]
    other = [rows[0], rows[1] | {"opened": False}, rows[2]]
    before, after = rich(rows), rich(other)
    moved = (before != after) & ~(before.isna() & after.isna())
    assert not moved[:2].any(axis=None)
    assert {"expected_log_odds", "user_surprise", "opened_lately", "surprise_lately"} <= set(
        moved.columns[moved.iloc[2]]
    )


def test_features_do_not_depend_on_the_number_of_threads() -> None:
    task = Notifications(rows=30_000)
    data = task.load(0)
    one, two, three = (
        engines.run(SQL, task.tables(data), threads=threads) for threads in (1, 2, 3)
    )
    pd.testing.assert_frame_equal(one, two, check_exact=True)
    pd.testing.assert_frame_equal(one, three, check_exact=True)


def test_rows_stand_in_the_order_of_the_labels_and_no_column_is_one() -> None:
    task = Notifications(rows=3_000)
    data = task.load(0)
    first, second = (
        pd.concat(views.make(task, data, name), ignore_index=True)
        for name in ("features", "features_rich")
    )
    assert len(first) == len(second) == task.rows
    for name in {*first} & {*second}:
        assert (first[name].astype(str) == second[name].astype(str)).all(), name
    assert not {"user_id", "notification_id", "opened"} & set(second)
    labels = np.concatenate([data.train_labels, data.test_labels])
    for name in second:
        codes = pd.factorize(second[name])[0]
        assert not np.array_equal(codes, pd.factorize(labels)[0]), f"{name} is the label"
        if name not in CATEGORIES:
            near = abs(np.corrcoef(second[name].astype(float).fillna(0), labels)[0, 1])
            assert near < 0.6, f"{name} knows the label"


def test_models_can_read_every_column() -> None:
    task = Notifications(rows=500)
    train, test = views.make(task, task.load(0), "features_rich")
    assert set(train.select_dtypes("category").columns) == CATEGORIES
    rest = train.drop(columns=list(CATEGORIES)).dtypes
    assert all(isinstance(dtype, np.dtype) and dtype.kind in "ifb" for dtype in rest)
    assert list(train.columns) == list(test.columns)
    numbers = pd.concat([train, test])[rest.index].drop(columns="expected_log_odds").astype(float)
    assert np.isfinite(numbers.to_numpy()).all(), "only a first day's expectation is missing"


@pytest.mark.parametrize("opened", [True, False])
def test_one_user_who_always_does_the_same_and_days_without_sends(opened: bool) -> None:
    days = (3, 4, 5, 20)
    table = rich([at(1, f"2025-03-{day:02} 09:00", opened=opened) for day in days])
    assert table.expected_log_odds.isna().tolist() == [True, False, False, False]
    numbers = table.drop(columns=[*CATEGORIES, "expected_log_odds"]).astype(float).to_numpy()
    assert np.isfinite(numbers).all()
    sign = 1 if opened else -1
    assert (sign * table.expected_log_odds.diff()[2:] > 0).all(), (
        "each day it is less of a surprise"
    )
    assert (sign * table.user_surprise[2:] > 0).all()
    assert table.sent_lately.tolist()[3] == 0, "fifteen days later it is forgotten"


def test_the_second_month_pays_for_the_oldest_model() -> None:
    task = Notifications(rows=8_000)
    data = task.load(7)
    aucs = {}
    for name in ("features", "features_rich"):
        train, test = views.make(task, data, name)
        model = Logistic().fit(train, np.array(data.told(data.train_labels), dtype=object))
        opens = model.predict_proba(test)[:, list(model.classes_).index("opened")]
        order = pd.Series(opens).rank().to_numpy()
        hits = data.test_labels == 1
        wins = order[hits].sum() - hits.sum() * (hits.sum() + 1) / 2
        aucs[name] = wins / (hits.sum() * (~hits).sum())
    assert aucs["features_rich"] > aucs["features"] + 0.03
