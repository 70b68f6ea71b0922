"""The log is what it claims to be, every dial does what it says, no feature knows the future."""

from itertools import compress, product

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.cell import views
from benchmarks.cell.scores import metrics_of, scores
from tasks import engines
from tasks.base import UnknownView
from tasks.notifications import FEATURES, Notifications, people, wording
from tasks.notifications.generator import Drawn, generate


def features(users: pa.Table, notifications: pa.Table, threads: int = 1) -> pd.DataFrame:
    """features.sql over these tables."""
    tables = {"users": users, "notifications": notifications}
    made = engines.run(
        FEATURES.read_text("utf-8"), tables, threads=threads, levels=Notifications.levels
    )
    return made.drop(columns=Notifications.key)


SIGNALS = ("marginal", "interaction", "order", "text", "motif", "words", "rhythm")
OFF = {f"signal_{kind}": 0.0 for kind in SIGNALS}


def draw(seed: int = 0, **dials: float) -> Drawn:
    return generate(seed, **Notifications(**dials).dials())


def only(kind: str) -> dict[str, float]:
    return OFF | {f"signal_{kind}": 1.0, "drift": 0.0}


def ceiling(**dials: float) -> float:
    drawn = draw(**dials)
    return roc_auc_score(drawn.notifications["opened"].to_numpy(), drawn.probability)


def frame(drawn: Drawn) -> pd.DataFrame:
    """The log with its users and, for tests only, the true log odds."""
    rows = drawn.notifications.to_pandas().merge(drawn.users.to_pandas(), on="user_id")
    rows = rows.sort_values("notification_id", ignore_index=True)
    probability = drawn.probability.astype(float)
    return rows.assign(
        log_odds=np.log(probability / (1 - probability)),
        hour=rows.sent_at.dt.hour,
        opener=rows.title.astype(str).str.extract("^(.*?[:?!])")[0],
    )


def explained(rows: pd.DataFrame, *columns: str) -> float:
    """Share of the variance of the true log odds that the groups of these columns explain,
    adjusted for how many groups there are."""
    groups = rows.groupby(list(columns), observed=True).log_odds
    left = ((rows.log_odds - groups.transform("mean")) ** 2).sum() / (len(rows) - groups.ngroups)
    return float(1 - left / rows.log_odds.var())


# The log


def test_a_seed_gives_the_same_log_again_and_another_seed_another() -> None:
    first, again, other = draw(1, rows=500), draw(1, rows=500), draw(2, rows=500)
    assert first.notifications.equals(again.notifications)
    assert first.users.equals(again.users)
    assert np.array_equal(first.probability, again.probability)
    assert not first.notifications.equals(other.notifications)


@pytest.mark.parametrize(
    ("dials", "users", "last_day"),
    [
        ({"rows": 3_001}, 60, 60),
        ({"rows": 3_001, "users": 30}, 30, 120),
        ({"rows": 3_001, "days": 30}, 120, 30),
        ({"rows": 900, "users": 70, "days": 20}, 70, 20),
    ],
)
def test_rows_users_and_days_follow_from_each_other(
    dials: dict[str, int], users: int, last_day: int
) -> None:
    drawn = draw(**dials)
    rows = drawn.notifications.to_pandas()
    assert len(rows) == len(drawn.probability) == dials["rows"]
    assert drawn.users["user_id"].to_pylist() == list(range(users))
    assert set(rows.user_id) == set(range(users))
    days = (rows.sent_at - pd.Timestamp("2025-03-03")) / pd.Timedelta(days=1)
    assert last_day * 0.9 < days.max() < last_day


def test_the_log_is_in_time_order_by_day_and_an_hour_apart_for_each_user() -> None:
    rows = frame(draw(rows=5_000))
    assert rows.notification_id.tolist() == list(range(5_000))
    assert rows.sent_at.is_monotonic_increasing
    gaps = rows.groupby("user_id").sent_at.diff().dropna()
    assert gaps.min() >= pd.Timedelta(hours=1)
    assert rows.hour.between(8, 21).all()
    assert (rows.signed_up < rows.sent_at).all()


def test_titles_say_what_is_offered() -> None:
    rows = frame(draw(rows=2_000))
    said = rows.title.astype(str).str.extract(r"(\d+)% off")[0].astype(float).fillna(0)
    assert (said == rows.discount).all()


def test_labels_are_drawn_from_the_true_probabilities_which_no_table_holds() -> None:
    drawn = draw(rows=50_000)
    opened = drawn.notifications["opened"].to_numpy()
    for part in np.array_split(np.argsort(drawn.probability), 10):
        chance = drawn.probability[part].astype(float)
        error = np.sqrt((chance * (1 - chance)).sum()) / len(part)
        assert abs(opened[part].mean() - chance.mean()) < 4 * error
    assert not any(
        pa.types.is_floating(field.type)
        for table in (drawn.users, drawn.notifications)
        for field in table.schema
    )


def test_too_many_notifications_for_the_time_is_one_sentence() -> None:
    with pytest.raises(ValueError, match=r"do not fit into 2\.0 days .* ask for fewer rows"):
        draw(rows=1_000, users=10, days=2)
    with pytest.raises(ValueError, match="need at least as many rows, found rows=100"):
        draw(rows=100, users=200)


# The dials


def test_no_signal_leaves_nothing_to_know() -> None:
    drawn = draw(**OFF, rows=2_000, base_rate=0.2)
    assert np.allclose(drawn.probability, 0.2)
    assert ceiling(**OFF, rows=2_000) == 0.5


def test_noise_lowers_the_ceiling() -> None:
    levels = [ceiling(label_noise=noise) for noise in (0.0, 0.3, 0.6, 1.0)]
    assert levels == sorted(levels, reverse=True)
    assert levels[0] > 0.85
    assert levels[-1] == 0.5


@pytest.mark.parametrize("base_rate", [0.05, 0.3, 0.7])
@pytest.mark.parametrize(
    "dials",
    [
        {},
        {"label_noise": 0.4},
        {"signal_order": 3.0},
        {"signal_motif": 2.0, "signal_words": 2.0, "signal_rhythm": 2.0},
        {"unseen_users": 0.4, "drift": 1.0},
        OFF,
        {"rows": 300_000},
    ],
)
def test_the_base_rate_is_met_whatever_the_other_dials(
    base_rate: float, dials: dict[str, float]
) -> None:
    drawn = draw(base_rate=base_rate, **dials)
    assert abs(drawn.probability.mean(dtype=float) - base_rate) < 0.01


def test_drift_moves_tastes_between_train_and_test() -> None:
    def kept(drift: float) -> float:
        """Correlation of what topics are worth to age bands, first against last quarter."""
        rows = frame(draw(**OFF | {"signal_marginal": 1.0, "signal_interaction": 1.0}, drift=drift))
        worth = [
            part.groupby(["age_band", "topic"], observed=True).log_odds.mean()
            for part in (rows[:5_000], rows[-5_000:])
        ]
        return worth[0].corr(worth[1])

    assert kept(0.0) > 0.9
    assert kept(0.0) > kept(0.5) + 0.1 > kept(1.0) + 0.2


def test_drift_leaves_the_ceiling_where_it_was() -> None:
    assert abs(ceiling(drift=1.0) - ceiling(drift=0.0)) < 0.015


@pytest.mark.parametrize("share", [0.0, 0.1, 0.4])
@pytest.mark.parametrize("test_share", [0.1, 0.3])
def test_unseen_users_appear_in_the_test_period_only(share: float, test_share: float) -> None:
    drawn = draw(unseen_users=share, test_share=test_share)
    user = drawn.notifications["user_id"].to_numpy()
    seen = np.unique(user[: drawn.train_rows])
    assert len(seen) == pytest.approx((1 - share) * 400, abs=2)
    assert drawn.train_rows == pytest.approx((1 - test_share) * 20_000, abs=5)


@pytest.mark.parametrize("kind", SIGNALS)
def test_each_signal_alone_is_something_to_know_and_louder_is_more(kind: str) -> None:
    quiet, loud = ceiling(**only(kind)), ceiling(**only(kind) | {f"signal_{kind}": 2.0})
    assert 0.6 < quiet < loud


COLUMNS = ("user_id", "topic", "discount", "urgency", "hour", "age_band", "plan", "opener")


def test_marginal_signal_is_in_single_columns() -> None:
    rows = frame(draw(**only("marginal")))
    shares = {column: explained(rows, column) for column in COLUMNS}
    assert shares["user_id"] > 0.3
    assert shares["topic"] > 0.1
    assert shares["user_id"] + shares["topic"] + shares["hour"] + shares["discount"] > 0.8


def test_interaction_signal_is_in_no_single_column_but_in_pairs() -> None:
    rows = frame(draw(**only("interaction"), rows=100_000))
    assert max(explained(rows, column) for column in COLUMNS) < 0.06
    assert explained(rows, "age_band", "topic") > 0.2
    assert explained(rows, "user_id", "topic") > 0.4


def test_text_signal_is_in_the_words() -> None:
    rows = frame(draw(**only("text")))
    assert explained(rows, "opener") > 0.4
    others = [column for column in COLUMNS if column not in ("opener", "urgency")]
    assert max(explained(rows, column) for column in others) < 0.1


def replay(
    drawn: Drawn, user: int, opened: np.ndarray, dealt: np.ndarray | slice = slice(None)
) -> np.ndarray:
    """A user's open probabilities from the public pieces, as an ideal observer would; from a past
    of which topics and outcomes were dealt anew if asked."""
    mine = drawn.notifications.filter(np.equal(drawn.notifications["user_id"], user))
    seconds = (mine["sent_at"].to_numpy() - np.datetime64("2025-03-03")).astype("timedelta64[s]")
    topics = mine["topic"].combine_chunks().indices.to_numpy()
    traits = drawn.traits.take(np.array([user]))
    state = people.State.fresh(1)
    chances = []
    before = zip(topics[dealt], opened[dealt], strict=True)
    for second, topic in zip(seconds.astype(np.int32), topics, strict=True):
        zero = np.int8(0)
        sent = people.Sent(np.array([second]), np.array([topic]), zero, zero, zero, zero, zero)
        state = state.until(sent.second)
        log_odds = people.moving_log_odds(traits, state, sent.topic, drawn.strength)
        chances.append(people.sigmoid(log_odds + np.float32(drawn.intercept))[0])
        sent.topic[:], outcome = next(before)
        state = state.after(sent, outcome, 0.3)
    return np.array(chances)


def test_order_signal_is_replayed_from_the_past_and_lost_when_the_past_is_shuffled() -> None:
    drawn = draw(**only("order"))
    user, opened = (drawn.notifications[name].to_numpy() for name in ("user_id", "opened"))
    rng = np.random.default_rng(0)
    truth, ordered, shuffled = [], [], []
    for one in range(60):
        mine = opened[user == one]
        truth.append(drawn.probability[user == one])
        ordered.append(replay(drawn, one, mine))
        shuffled.append(replay(drawn, one, rng.permutation(mine)))
    assert np.allclose(np.concatenate(ordered), np.concatenate(truth), atol=1e-5)
    agreement = np.corrcoef(np.concatenate(shuffled), np.concatenate(truth))[0, 1]
    assert agreement < 0.75

    rows = frame(drawn)
    assert max(explained(rows, column) for column in COLUMNS if column != "user_id") < 0.05


@pytest.mark.parametrize("kind", ["motif", "rhythm"])
def test_motifs_and_rhythms_are_replayed_and_lost_when_the_past_is_shuffled(kind: str) -> None:
    drawn = draw(**only(kind), rows=10_000)
    user, opened = (drawn.notifications[name].to_numpy() for name in ("user_id", "opened"))
    rng = np.random.default_rng(0)
    truth, ordered, shuffled = [], [], []
    for one in range(100):
        mine = opened[user == one]
        truth.append(drawn.probability[user == one])
        ordered.append(replay(drawn, one, mine))
        shuffled.append(replay(drawn, one, mine, rng.permutation(len(mine))))
    assert np.allclose(np.concatenate(ordered), np.concatenate(truth), atol=1e-5)
    agreement = np.corrcoef(np.concatenate(shuffled), np.concatenate(truth))[0, 1]
    # A rhythm counts notifications, whatever these were; where it begins is the user's own.
    assert agreement == pytest.approx(1) if kind == "rhythm" else abs(agreement) < 0.1


def auc_of_line(known: pd.DataFrame, drawn: Drawn) -> float:
    """Of a logistic regression on these columns, fitted to the train rows, on the test rows."""
    columns = pd.get_dummies(known, dtype=float).fillna(-1)
    opened, split = drawn.notifications["opened"].to_numpy(), drawn.train_rows
    line = make_pipeline(StandardScaler(), LogisticRegression()).fit(
        columns[:split], opened[:split]
    )
    return roc_auc_score(opened[split:], line.predict_proba(columns[split:])[:, 1])


def pattern(kind: str, rows: pd.DataFrame) -> pd.DataFrame:
    """What is planted, read off the raw log: what a person would have to think of."""
    if kind == "words":
        openers, closers = list(wording.OPENERS), sum(wording.CLOSERS.values(), ())
        phrases = sum(wording.PHRASES.values(), ())
        parts = rows.title.astype(str).str.extract(r"^(.*?[:?!]) (.*?)(?:, \d+% off)?\.(?: (.+))?$")
        opener = wording.OPENER_SIDE[parts[0].map(openers.index)]
        phrase = wording.PHRASE_SIDE.ravel()[parts[1].map(phrases.index)]
        closer = wording.CLOSER_SIDE.ravel()[parts[2].fillna("").map(closers.index)]
        both = closer * np.where(rows.country.isin(["BR", "IN"]), 1, -1)
        return pd.DataFrame({"opener": opener * phrase, "closer": both * phrase})
    play = rows.topic.isin(["fashion", "food", "games", "music"])
    rows = rows.assign(spoke=np.where(play == rows.opened, "P", "W"))
    by_user = rows.groupby("user_id")
    if kind == "motif":
        three = by_user.spoke.shift(3) + by_user.spoke.shift(2) + by_user.spoke.shift(1)
        return pd.DataFrame({"three": three.where(three.isin(["WPP", "PPW"]), "")})
    # A round has four: two ago it was the other way round, four ago the same.
    ago = {k: by_user.opened.shift(k).astype(float) - 0.3 for k in range(2, 26, 2)}
    same = pd.DataFrame({k: outcome if k % 4 == 0 else -outcome for k, outcome in ago.items()})
    return pd.DataFrame({"in_step": same.mean(axis=1).fillna(0)})


@pytest.mark.parametrize(("kind", "hidden"), [("motif", 0.55), ("words", 0.53), ("rhythm", 0.6)])
def test_what_is_planted_is_found_by_who_looks_for_it_and_by_no_line_on_the_features(
    kind: str, hidden: float
) -> None:
    drawn = draw(**only(kind))
    rows = frame(drawn)
    assert max(explained(rows, column) for column in COLUMNS if column != "user_id") < 0.03
    found = auc_of_line(pattern(kind, rows), drawn)
    assert found > 0.65
    assert auc_of_line(features(drawn.users, drawn.notifications), drawn) < hidden
    if kind != "rhythm":  # of which it is to be found out where a user's begins
        truth = drawn.probability[drawn.train_rows :]
        opened = drawn.notifications["opened"].to_numpy()[drawn.train_rows :]
        assert found == pytest.approx(roc_auc_score(opened, truth), abs=0.01)


def test_a_dial_moves_no_draw_of_another() -> None:
    plain, loud = draw(), draw(signal_motif=1.0, signal_words=1.0, signal_rhythm=1.0)
    assert plain.users.equals(loud.users)
    drop = "opened"
    assert plain.notifications.drop([drop]).equals(loud.notifications.drop([drop]))
    assert all(
        np.array_equal(getattr(plain.traits, name), getattr(loud.traits, name))
        for name in ("base", "taste", "mood", "phase")
    )
    assert (plain.probability != loud.probability).mean() > 0.9


# The task


def test_the_task_splits_by_time_and_keeps_rows_in_line() -> None:
    task = Notifications(rows=3_000)
    data = task.load(3)
    train, test = views.make(task, data, "features")
    log = data.raw.notifications.to_pandas()
    split = len(train)
    assert (len(train), len(test)) == (len(data.train_labels), len(data.test_labels))
    assert log.sent_at[split - 1] < log.sent_at[split]
    assert list(train.columns) == list(test.columns)
    assert (train.dtypes == test.dtypes).all()
    assert train.discount.tolist() == log.discount[:split].tolist()
    assert test.topic.astype(str).tolist() == log.topic[split:].astype(str).tolist()
    assert test.index[0] == 0
    assert set(data.told(data.train_labels)) == {"ignored", "opened"} == set(data.classes)
    assert ((data.test_labels == 1) == log.opened[split:]).all()
    assert data.truth.shape == (len(test), 2)
    assert np.allclose(data.truth.sum(axis=1), 1)
    assert (data.group == log.user_id[split:]).all()
    assert scores(task, data, metrics_of(task, data), data.truth)["roc_auc"] > 0.8


def test_an_unknown_view_is_refused_by_name() -> None:
    task = Notifications(rows=100)
    with pytest.raises(UnknownView, match=r"no view 'sound'; it offers .*features"):
        views.make(task, task.load(0), "sound")


# The features


def test_threads_are_those_asked_for_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    connect = duckdb.connect
    monkeypatch.setattr(duckdb, "connect", lambda **how: asked.append(how) or connect(**how))
    drawn = draw(rows=5_000)
    one, two = (features(drawn.users, drawn.notifications, threads) for threads in (1, 2))
    assert asked == [{"config": {"threads": 1}}, {"config": {"threads": 2}}]
    pd.testing.assert_frame_equal(one, two, check_exact=True)
    task = Notifications(rows=100, n_jobs=3)
    views.make(task, task.load(0), "features")
    assert asked[-1] == {"config": {"threads": 3}}


def test_categories_stay_categories_and_numbers_are_plain() -> None:
    drawn = draw(rows=500)
    table = features(drawn.users, drawn.notifications)
    categories = set(table.select_dtypes("category").columns)
    assert categories == {
        "topic",
        "urgency",
        "part_of_day",
        "weekday",
        "age_band",
        "plan",
        "platform",
        "country",
    }
    assert list(table.topic.cat.categories) == list(people.TOPICS)
    rest = table.drop(columns=list(categories))
    assert all(isinstance(dtype, np.dtype) and dtype.kind in "iufb" for dtype in rest.dtypes)
    assert not {"user_id", "notification_id", "opened"} & set(table.columns)


def small_log(rows: list[tuple[int, str, str, int, bool]]) -> tuple[pa.Table, pa.Table]:
    """(users, notifications) from (user, sent_at, topic, discount, opened) in time order."""
    users = sorted({row[0] for row in rows})
    known = pd.DataFrame(
        {
            "user_id": users,
            "age_band": "50+",
            "plan": "free",
            "platform": "web",
            "country": "DE",
            "signed_up": pd.Timestamp("2025-01-01"),
        }
    )
    log = pd.DataFrame(rows, columns=["user_id", "sent_at", "topic", "discount", "opened"])
    log["sent_at"] = pd.to_datetime(log.sent_at).astype("datetime64[s]")
    log.insert(0, "notification_id", range(len(log)))
    log["urgency"] = "low"
    log["title"] = "Did you know? tasty recipes."
    return pa.Table.from_pandas(known), pa.Table.from_pandas(log)


def test_features_of_a_log_small_enough_to_do_by_hand() -> None:
    table = features(
        *small_log(
            [
                (7, "2025-03-03 08:00", "food", 0, True),
                (9, "2025-03-03 08:00", "food", 0, False),
                (7, "2025-03-03 20:00", "food", 10, False),
                (7, "2025-03-04 08:00", "news", 0, False),
                (7, "2025-03-05 09:00", "food", 10, True),
            ]
        )
    )
    assert table.sent_before.tolist() == [0, 0, 1, 2, 3]
    assert table.sent_24h.tolist() == [0, 0, 1, 2, 0]
    assert table.sent_72h.tolist() == [0, 0, 1, 2, 3]
    assert table.opened_72h.tolist() == [0, 0, 1, 1, 1]
    assert table.topic_sent_before.tolist() == [0, 0, 1, 0, 2]
    assert table.topic_again.tolist() == [False, False, True, False, False]
    nan = np.nan
    columns = {
        "last_opened": [nan, nan, 1, 0, 0],
        "opened_of_last_3": [nan, nan, 1, 1, 1],
        "hours_since_last": [nan, nan, 12, 12, 25],
        "hours_since_open": [nan, nan, 12, 24, 49],
        "hours_since_topic": [nan, nan, 12, nan, 37],
        "unopened_streak": [nan, nan, 0, 1, 2],
        # By the night of the 3rd, food had 1 open of 3; by that of the 4th, news had 0 of 1.
        "topic_rate": [nan, nan, nan, nan, 1 / 3],
        "user_rate": [nan, nan, nan, (1 + 5 / 3) / (2 + 5), (1 + 5 / 4) / (3 + 5)],
        "user_offer_rate": [nan, nan, nan, (1 + 5 * 8 / 21) / (1 + 5), (5 * 9 / 32) / (1 + 5)],
    }
    for name, expected in columns.items():
        assert np.allclose(table[name], expected, equal_nan=True), name


def test_the_night_report_leaves_out_what_was_sent_in_the_hour_before() -> None:
    def topic_rates(late: bool) -> list[float]:
        table = features(
            *small_log(
                [
                    (1, "2025-03-03 22:30", "food", 0, True),
                    (2, "2025-03-03 23:30", "food", 0, late),
                    (3, "2025-03-04 00:00", "food", 0, True),
                    (3, "2025-03-05 00:00", "food", 0, True),
                ]
            )
        )
        return table.topic_rate[2:].tolist()

    assert topic_rates(late=False) == [1.0, pytest.approx(2 / 3)]
    assert topic_rates(late=True) == [1.0, 1.0]


def test_a_new_user_has_rates_of_the_company_and_no_past() -> None:
    drawn = draw(unseen_users=0.2, rows=4_000)
    table = features(drawn.users, drawn.notifications)[drawn.train_rows :]
    first = table[table.sent_before == 0]
    assert len(first) >= 10
    assert first[["last_opened", "hours_since_last", "unopened_streak"]].isna().all(axis=None)
    assert first.user_rate.between(0.2, 0.4).all()
    assert np.allclose(first.user_rate, first.user_topic_rate)


def test_features_do_not_depend_on_the_number_of_threads() -> None:
    drawn = draw(rows=30_000)
    read = {"users": drawn.users, "notifications": drawn.notifications}
    tables = [
        engines.run(FEATURES.read_text("utf-8"), read, threads=threads) for threads in (1, 2, 3)
    ]
    pd.testing.assert_frame_equal(tables[0], tables[1], check_exact=True)
    pd.testing.assert_frame_equal(tables[0], tables[2], check_exact=True)


@st.composite
def logs(draw: st.DrawFn) -> pd.DataFrame:
    """Three users over three days, crowded where it matters: ties, and the hours near midnight.

    The third user is sent everything at half past, so that each is an hour from itself.
    """
    moments = [
        (pd.Timestamp("2025-03-03") + pd.Timedelta(days=day, hours=hour + user // 2 / 2), user)
        for day, hour, user in product(range(3), (0, 1, 9, 22, 23), range(3))
    ]
    sent = draw(st.lists(st.booleans(), min_size=len(moments), max_size=len(moments)).filter(any))
    rows = sorted(compress(moments, sent))
    n = len(rows)

    def column(values: st.SearchStrategy) -> list:
        return draw(st.lists(values, min_size=n, max_size=n))

    return pd.DataFrame(
        {
            "user_id": [user for _, user in rows],
            "sent_at": [sent_at for sent_at, _ in rows],
            "topic": column(st.sampled_from(people.TOPICS[:2])),
            "discount": column(st.sampled_from((0, 10))),
            "opened": column(st.booleans()),
        }
    )


@settings(max_examples=25, deadline=None)
@given(log=logs(), data=st.data())
def test_no_feature_moves_when_the_future_changes(log: pd.DataFrame, data: st.DataObject) -> None:
    now = data.draw(st.sampled_from(list(log.sent_at)), label="now")
    # An outcome is known an hour after sending: all from here on, the row's own too, may change.
    unknown = log.sent_at > now - pd.Timedelta(hours=1)
    later = log.sent_at > now
    other = log.assign(opened=log.opened ^ unknown)
    change = data.draw(st.sampled_from(["outcomes", "topics", "deleted", "repeated"]))
    if change == "topics":
        other.loc[later, "topic"] = people.TOPICS[2]
    elif change == "deleted":
        other = other[~later]
    elif change == "repeated":
        more = other[later]
        more = more.assign(sent_at=more.sent_at + pd.Timedelta(days=9))
        other = pd.concat([other, more], ignore_index=True)

    before, after = (
        features(*small_log(list(version.itertuples(index=False, name=None))))
        for version in (log, other)
    )
    known = int((~later).sum())
    pd.testing.assert_frame_equal(before[:known], after[:known], check_exact=True)


def test_the_past_does_move_features() -> None:
    """The property above could not fail if features never looked at outcomes at all."""
    rows = [(1, f"2025-03-0{day} 09:00", "food", 0, True) for day in (3, 4, 5)]
    other = [(*rows[0][:4], False), *rows[1:]]
    before, after = features(*small_log(rows)), features(*small_log(other))
    moved = (before != after) & ~(before.isna() & after.isna())
    assert not moved.iloc[0].any()
    assert {"last_opened", "opened_of_last_3"} <= set(moved.columns[moved.iloc[1]])
    assert {"topic_rate", "user_rate", "user_topic_rate"} <= set(moved.columns[moved.iloc[2]])
