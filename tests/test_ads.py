"""The home of ids: how its log comes about, what is known of it and when, and its two views."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from benchmarks.cell import rows as of_rows
from benchmarks.cell import views
from benchmarks.cell.controls import CONTROLS
from tasks.ads import CLASSES, Ads, as_data, is_late
from tasks.ads.generator import DAY, FIRST_SECOND, HOUR, ClickLog, coded, zipf
from tasks.ads.ids import hashed
from tasks.base import Data
from tasks.metrics import STANDARD


def auc(probability: np.ndarray, labels: np.ndarray) -> float:
    return STANDARD["roc_auc"].of(np.column_stack([1 - probability, probability]), labels)


def ceiling(data: Data) -> float:
    return auc(data.truth[:, 1], data.test_labels)


@pytest.fixture(scope="module")
def data() -> Data:
    return Ads(rows=40_000).load(0)


def frame(data: Data) -> pd.DataFrame:
    """Impressions with what they are of."""
    tables = {name: table.to_pandas() for name, table in Ads().tables(data).items()}
    rows = tables["impressions"].merge(tables["ads"], on="ad_id", how="left")
    return rows.merge(tables["publishers"], on="publisher_id", how="left")


def test_the_truth_is_calibrated(data: Data) -> None:
    order = np.argsort(data.truth[:, 1])
    for part in np.array_split(order, 10):
        expected, spread = data.truth[part, 1].sum(), data.truth[part].prod(axis=1).sum() ** 0.5
        assert abs(data.test_labels[part].sum() - expected) < 4 * spread


@pytest.mark.parametrize("base_rate", [0.02, 0.2, 0.6])
def test_the_mean_is_the_base_rate(base_rate: float) -> None:
    found = Ads(rows=20_000, base_rate=base_rate).load(1)
    labels = np.concatenate([found.train_labels, found.test_labels])
    assert labels.mean() == pytest.approx(base_rate, rel=0.1)


def test_rows_come_in_order_of_time_and_the_last_are_tested_on(data: Data) -> None:
    moment = data.raw.moment
    assert (np.diff(moment) >= 0).all()
    assert FIRST_SECOND <= moment[0] < moment[-1] < FIRST_SECOND + 14 * DAY
    assert (len(data.train_labels), len(data.test_labels)) == (28_000, 12_000)
    assert data.ordered


def test_few_ids_are_frequent_and_most_are_rare() -> None:
    drawn = np.bincount(zipf(np.random.default_rng(0), 1_000, 1.0, 400_000))
    assert len(drawn) == 1_000
    # Ten times the rank, a tenth of the share; the continuous law's steps at ranks 10 and 100.
    expected = np.log(11 / 10) / np.log(101 / 100)
    assert drawn[9] / drawn[99] == pytest.approx(expected, rel=0.1)
    flat = np.bincount(zipf(np.random.default_rng(0), 100, 0.0, 100_000))
    assert flat.max() < 1.2 * flat.min()
    for name in ("publisher_id", "campaign_id"):
        counts = frame(Ads(rows=20_000).load(0))[name].value_counts().to_numpy()
        assert counts[: len(counts) // 10].sum() > 0.4 * counts.sum()


def test_campaigns_come_and_go(data: Data) -> None:
    rows = frame(data)
    train, test = rows[:28_000], rows[28_000:]
    unseen = ~test["campaign_id"].isin(train["campaign_id"])
    assert 0.05 < unseen.mean() < 0.5
    gone = ~train["campaign_id"].isin(test["campaign_id"])
    assert gone.mean() > 0.1
    assert (rows["created"] <= rows["moment"]).all()
    # A place has one campaign at a time, so that no more are live than there are places.
    spans = rows.groupby("campaign_id")["moment"].agg(["min", "max"])
    noon = FIRST_SECOND + 7 * DAY + DAY // 2
    assert ((spans["min"] <= noon) & (spans["max"] >= noon)).sum() <= round(0.35 * 40_000**0.5)
    # Those who pay for them are known already.
    assert test["advertiser_id"].isin(train["advertiser_id"]).mean() > 0.95
    long_lived = frame(Ads(rows=40_000, campaign_days=1_000.0).load(0))
    known = long_lived["campaign_id"][:28_000]
    assert long_lived["campaign_id"][28_000:].isin(known).mean() > 0.99


def test_every_kind_of_signal_can_be_switched_off() -> None:
    off = {"signal_marginal": 0.0, "signal_pairs": 0.0, "signal_triples": 0.0}
    nothing = Ads(rows=5_000, **off).load(0)
    np.testing.assert_allclose(nothing.truth[:, 1], 0.25, atol=1e-6)
    for name in off:
        alone = Ads(rows=20_000, **{**off, name: 1.0}).load(0)
        assert ceiling(alone) > 0.53, name


def test_pairs_and_triples_are_no_single_ids_doing() -> None:
    """A share of the truth's variance that single ids explain, by the means of each id."""

    def explained(**strengths: float) -> float:
        settings = {"signal_marginal": 0.0, "signal_pairs": 0.0, "signal_triples": 0.0, **strengths}
        found = Ads(rows=60_000, test_share=0.5, users=300, **settings).load(0)
        log_odds = np.log(found.truth[:, 1] / found.truth[:, 0])
        rest = log_odds - log_odds.mean()
        table = frame(found)[30_000:].reset_index(drop=True)
        for _ in range(5):  # backfitting
            for name in ("user_id", "ad_id", "publisher_id", "slot", "device"):
                rest = rest - pd.Series(rest).groupby(table[name]).transform("mean").to_numpy()
        return 1 - rest.var() / log_odds.var()

    assert explained(signal_marginal=1.0) > 0.95
    # What is left to single ids is what a small sample of partners happens to have in common.
    assert explained(signal_pairs=1.0) < 0.45
    assert explained(signal_triples=1.0) < 0.35


def tiny(lags: list[int], split: int = 4) -> Data:
    """Six impressions an hour apart, all clicked in the end, so many seconds after."""
    n = len(lags)
    log = ClickLog(
        users=pa.table({"user_id": [0], "age_band": ["50+"], "country": ["US"]}),
        publishers=pa.table({"publisher_id": [0], "section": ["news"]}),
        ads=pa.table(
            {
                "ad_id": [0],
                "campaign_id": [0],
                "advertiser_id": [0],
                "category": ["car"],
                "created": [FIRST_SECOND],
            }
        ),
        impressions=pa.table(
            {
                "impression_id": np.arange(n, dtype=np.int32),
                "moment": FIRST_SECOND + HOUR * np.arange(n),
                "user_id": np.zeros(n, np.int32),
                "ad_id": np.zeros(n, np.int32),
                "publisher_id": np.zeros(n, np.int32),
                "slot": coded(np.zeros(n), ["top"]),
                "device": coded(np.zeros(n), ["phone"]),
            }
        ),
        clicked=np.ones(n, bool),
        lag=np.array(lags),
        train_rows=split,
    )
    return as_data(log)


def test_a_click_that_comes_too_late_is_no_click_in_train_labels() -> None:
    # The last train row is shown at 3 h, so models are trained at 4 h.
    data = tiny([60, 3 * HOUR, 2 * HOUR + 1, HOUR, 9 * HOUR, 60])
    assert data.train_labels.tolist() == [1, 1, 0, 1]
    assert data.test_labels.tolist() == [1, 1]  # in the end
    assert is_late(data.raw).tolist() == [False, False, True, False, False, False]


def test_a_click_is_known_to_features_when_it_is_on_record() -> None:
    data = tiny([60, 3 * HOUR, 60, 60, 60, 60])
    features = pd.concat(views.make(Ads(), data, "features"), ignore_index=True)
    assert features["user_shown"].tolist() == [0, 1, 2, 3, 4, 5]
    # Row 1's click is on record at 4 h sharp: a second later it counts, so for row 5 alone.
    since = features["hours_since_last_click"]
    expected = [np.nan, 1 - 1 / 60, 2 - 1 / 60, 1 - 1 / 60, 1 - 1 / 60, 1 - 1 / 60]
    np.testing.assert_allclose(since, expected, rtol=1e-5)


def test_delay_takes_clicks_from_the_newest_train_rows_alone() -> None:
    at_once, late = (Ads(rows=40_000, delay=delay).load(0) for delay in (0.0, 48.0))
    np.testing.assert_array_equal(at_once.test_labels, late.test_labels)
    np.testing.assert_array_equal(at_once.truth, late.truth)
    assert (late.train_labels <= at_once.train_labels).all()
    early, newest = (
        late.train_labels[part].sum() / at_once.train_labels[part].sum()
        for part in (slice(0, 7_000), slice(-3_000, None))
    )
    assert early > 0.95
    assert newest < 0.5
    assert not is_late(at_once.raw).any()


def test_labels_dealt_out_anew_come_back_as_given_with_delay() -> None:
    task = Ads(rows=3_000, delay=24.0)
    data = task.load(0)
    labels = np.concatenate([data.train_labels, data.test_labels])
    same = task.relabel(data, labels)
    np.testing.assert_array_equal(same.train_labels, data.train_labels)
    pd.testing.assert_frame_equal(*(views.make(task, d, "features")[1] for d in (data, same)))
    turned = task.relabel(data, 1 - labels)
    np.testing.assert_array_equal(turned.train_labels, 1 - data.train_labels)
    np.testing.assert_array_equal(turned.test_labels, 1 - data.test_labels)


@pytest.mark.parametrize("delay", [0.0, 12.0])
@pytest.mark.parametrize("name", ["features", "ids"])
def test_no_view_knows_the_future(delay: float, name: str) -> None:
    task = Ads(rows=3_000, delay=delay)
    data = task.load(0)
    before = of_rows.join(*views.make(task, data, name))
    for n in (700, 1_500, 2_400):
        other = task.rewrite(data, n, 0)
        after = of_rows.join(*views.make(task, other, name))
        pd.testing.assert_frame_equal(before[:n], after[:n], check_exact=True)
        assert n < len(after) < len(before)


def test_the_control_catches_a_planted_column() -> None:
    control = CONTROLS["future_column"](Ads(rows=3_000), 0)
    data = control.load(0)
    for view in ("features", "ids"):
        finding = control.finding(data, np.empty(0), view)
        assert finding.passed, finding.text


def test_ids_hold_no_label_and_nothing_but_ids(data: Data) -> None:
    task = Ads(rows=40_000)
    train, test = views.make(task, data, "ids")
    turned = task.relabel(
        data, 1 - np.concatenate([data.train_labels, data.test_labels]).astype(np.int16)
    )
    for one, other in zip((train, test), views.make(task, turned, "ids"), strict=True):
        pd.testing.assert_frame_equal(one, other)
    assert set(train.dtypes) == {np.dtype(np.int64)}
    assert train.to_numpy().min() >= 0
    assert train.to_numpy().max() < 2**31
    assert list(test.index) == list(range(12_000))
    raw = frame(data)
    for field, column in (("ad", "ad_id"), ("user", "user_id"), ("slot", "slot")):
        codes = pd.factorize(pd.concat([train, test])[field])[0]
        np.testing.assert_array_equal(codes, pd.factorize(raw[column])[0])


def test_hashes_are_the_same_on_every_machine() -> None:
    # `printf user=7 | b2sum -l 32` says a5a194cc; the last bit is cut off.
    users = [0xA5A194CC >> 1, 253_579_718, 0xA5A194CC >> 1]
    assert hashed("user", np.array([7, 0, 7])).tolist() == users
    slots = pd.Series(["top", "side"])
    for kind in ("object", "category", "string"):
        assert hashed("slot", slots.astype(kind)).tolist() == [1_102_062_241, 2_050_990_611]
    assert hashed("ad", np.array([7], np.int32)).tolist() != users[:1]


def test_hours_and_weekdays_are_those_of_the_calendar(data: Data) -> None:
    table = pd.concat(views.make(Ads(), data, "ids"), ignore_index=True)
    clock = pd.to_datetime(data.raw.moment, unit="s")
    np.testing.assert_array_equal(table["hour"], hashed("hour", np.array(clock.hour)))
    np.testing.assert_array_equal(table["weekday"], hashed("weekday", np.array(clock.day_of_week)))
    features = pd.concat(views.make(Ads(), data, "features"), ignore_index=True)
    np.testing.assert_array_equal(features["hour"], clock.hour)
    np.testing.assert_array_equal(features["weekday"], clock.day_of_week)


def smoothed(clicked: float, shown: float, towards: float, weight: int) -> float:
    return (clicked + weight * towards) / (shown + weight)


@pytest.mark.parametrize("delay", [0.0, 30.0])
def test_features_are_what_plain_python_counts(delay: float) -> None:
    task = Ads(rows=600, users=6, publishers=3, live_campaigns=4, days=3, delay=delay)
    data = task.load(3)
    features = pd.concat(views.make(task, data, "features"), ignore_index=True)
    rows = frame(data).to_dict("records")
    person = data.raw.users.to_pandas()
    for row, clicked, lag in zip(rows, data.raw.clicked, data.raw.lag, strict=True):
        row["known"] = row["moment"] + lag if clicked else np.inf
        row["segment"] = tuple(person.loc[row["user_id"], ["age_band", "country"]])
    for place in range(0, 600, 7):
        row, found = rows[place], features.loc[place]
        now, midnight = row["moment"], row["moment"] // DAY * DAY

        def counted(until: int, *same: str, row: dict = row) -> tuple[int, int]:
            """(shown, clicked) before a second, of rows that are alike in these."""
            alike = [r for r in rows if all(r[name] == row[name] for name in same)]
            return (
                sum(r["moment"] < until for r in alike),
                sum(r["known"] < until for r in alike),
            )

        expected: dict[str, float] = defaultdict(lambda: np.nan)
        shown, clicked = counted(now, "user_id")
        expected["user_shown"] = shown
        expected["user_shown_24h"] = shown - counted(now - DAY, "user_id")[0]
        expected["user_category_shown"] = counted(now, "user_id", "category")[0]
        expected["user_advertiser_shown"] = counted(now, "user_id", "advertiser_id")[0]
        expected["days_since_created"] = (now - row["created"]) / DAY
        past = [r for r in rows if r["user_id"] == row["user_id"]]
        if before := [r["moment"] for r in past if r["moment"] < now]:
            expected["hours_since_last_shown"] = (now - max(before)) / HOUR
        if before := [r["known"] for r in past if r["known"] < now]:
            expected["hours_since_last_click"] = (now - max(before)) / HOUR
        in_all = counted(midnight)
        if in_all[0]:
            rate = in_all[1] / in_all[0]
            user = expected["user_rate"] = smoothed(clicked, shown, rate, 5)
            for name, column in (
                ("category", "category"),
                ("section", "section"),
                ("advertiser", "advertiser_id"),
            ):
                n, k = counted(now, "user_id", column)
                expected[f"user_{name}_rate"] = smoothed(k, n, user, 5)
            for name, same in (
                ("publisher", ("publisher_id",)),
                ("section_category", ("section", "category")),
                ("segment_category", ("segment", "category")),
            ):
                n, k = counted(midnight, *same)
                expected[f"{name}_rate"] = smoothed(k, n, rate, 20)
            for name in ("advertiser", "campaign", "ad"):  # each towards the one before
                n, k = counted(midnight, f"{name}_id")
                rate = expected[f"{name}_rate"] = smoothed(k, n, rate, 20)
                if name != "advertiser" and n + k:
                    expected[f"{name}_shown"] = n
        numbers = found.drop(
            ["slot", "device", "hour", "weekday", "category", "section", "age_band", "country"]
        )
        for name, value in numbers.items():
            assert value == pytest.approx(expected[name], rel=1e-5, nan_ok=True), (place, name)


def test_threads_change_no_feature(data: Data) -> None:
    one, two = (views.make(Ads(rows=40_000, n_jobs=n), data, "features")[0] for n in (1, 2))
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_an_ad_that_is_new_has_no_night_behind_it(data: Data) -> None:
    features = pd.concat(views.make(Ads(), data, "features"), ignore_index=True)
    rows = frame(data)
    first = rows.groupby("campaign_id")["moment"].transform("min") // DAY
    is_new = (rows["moment"] // DAY == first).to_numpy()
    assert features["campaign_shown"].isna().to_numpy()[is_new].all()
    assert features["campaign_shown"].notna().to_numpy()[~is_new].all()
    later = is_new & (rows["moment"] >= FIRST_SECOND + DAY).to_numpy()
    np.testing.assert_array_equal(
        features["campaign_rate"][later], features["advertiser_rate"][later]
    )


def test_settings_that_do_not_fit_end_in_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"^users=500 need at least as many rows=200$"):
        Ads(rows=200, users=500).check()
    with pytest.raises(ValueError, match=r"^live_campaigns=300 need at least as many rows=200$"):
        Ads(rows=200, live_campaigns=300).check()
    Ads(rows=200).check()


def test_other_dials_leave_the_other_draws_as_they_were() -> None:
    plain, delayed, louder = (
        Ads(rows=2_000, **dials).load(0) for dials in ({}, {"delay": 5.0}, {"signal_pairs": 2.0})
    )
    assert plain.raw.impressions.equals(delayed.raw.impressions)
    assert plain.raw.impressions.equals(louder.raw.impressions)
    assert (plain.raw.clicked != louder.raw.clicked).any()


def test_classes_are_named_and_the_positive_one_is_last(data: Data) -> None:
    assert data.classes == CLASSES == ("passed", "clicked")
    moved = replace(data.raw, clicked=~data.raw.clicked)
    assert as_data(moved).train_labels.mean() == pytest.approx(1 - data.train_labels.mean())
