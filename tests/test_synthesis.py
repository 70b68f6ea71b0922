"""Features by a machine: known answers against plain Python, and nothing of what comes later."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks.cell import views
from models.logistic import Logistic
from tasks import synthesis
from tasks.histories import histories
from tasks.notifications import Notifications
from tasks.synthesis import DAY, PRIOR, synthesise

HOUR = 3600
PLANS = ["free", "plus"]


def log(seed: int = 0, m: int = 400, entities: int = 12) -> dict[str, np.ndarray]:
    """A made-up log: a shop's visits, each of which is a row as well."""
    rng = np.random.default_rng(seed)
    return {
        "entity": rng.integers(entities, size=m),
        "moment": np.sort(rng.integers(0, 40 * DAY, size=m)) + 10_000 * DAY,
        "page": rng.integers(-1, 3, size=m),  # -1: missing
        "price": np.where(rng.random(m) < 0.1, np.nan, rng.integers(-3, 4, size=m)),
        "amount": np.where(rng.random(m) < 0.2, np.nan, rng.normal(1e6, 1, size=m)),
        "bought": rng.random(m) < 0.4,
        "end": rng.integers(3, size=m),
        "plan": rng.integers(2, size=entities),
    }


def rows_of(found: dict[str, np.ndarray], known_after: int = HOUR):
    """Its rows with their pasts."""

    def category(codes, levels):
        return pd.Categorical.from_codes(codes, levels)

    now = pd.DataFrame(
        {
            "page": category(found["page"], ["home", "item", "cart"]),
            "price": found["price"],
            "plan": category(found["plan"][found["entity"]], PLANS),
            "note": pd.Series(["Buy 2 now!", None] * len(found["page"]), dtype="string")[
                : len(found["page"])
            ],
        }
    )
    came = {
        "amount": found["amount"],
        "bought": found["bought"],
        "end": category(found["end"], ["a", "b", "c"]),
    }
    events = now[["page", "price", "plan"]].assign(**came)
    key, moment = found["entity"], found["moment"]
    return histories(now, key, moment, events, key, moment, known_after)


def made(found: dict[str, np.ndarray], n_train: int, n_jobs: int = 1) -> pd.DataFrame:
    train, test = synthesise(rows_of(found), n_train, HOUR, ["plan"], n_jobs)
    return pd.concat([train, test], ignore_index=True)


def test_columns_are_what_plain_python_computes():
    found = log()
    n = len(found["moment"])
    columns = made(found, n)
    expected: dict[str, list[float]] = {}

    def mean(values, before):
        known = [v for v in values if v == v]
        if before != before:
            return np.mean(known) if known else np.nan
        return (sum(known) + PRIOR * before) / (len(known) + PRIOR)

    def plain(values):
        known = [v for v in values if v == v]
        return np.mean(known) if known else np.nan

    for i in range(n):
        now = found["moment"][i]
        past = [
            j
            for j in range(n)
            if found["entity"][j] == found["entity"][i] and found["moment"][j] + HOUR <= now
        ]
        night = now // DAY * DAY
        everybody = [j for j in range(n) if found["moment"][j] + HOUR <= night]
        page, plan, price = (found[c] for c in ("page", "plan", "price"))
        whose = plan[found["entity"]]
        same = [j for j in past if page[j] == page[i]]
        all_same = [j for j in everybody if page[j] == page[i]]
        both = [j for j in all_same if whose[j] == whose[i]]
        week = [j for j in past if now - found["moment"][j] <= 7 * DAY]
        bought, amount = found["bought"].astype(float), found["amount"]
        rate, amount_rate = plain(bought[everybody]), plain(amount[everybody])
        own, own_amount = mean(bought[past], rate), mean(amount[past], amount_rate)
        rate_same = mean(bought[all_same], rate)
        buys = [j for j in past if bought[j]]
        seen = [v for v in amount[past] if v == v]
        sold = [j for j in past if amount[j] > 0]
        ends = Counter(found["end"][past])
        sign = [j for j in past if np.sign(price[j]) == np.sign(price[i])]
        row = {
            "events_before": len(past),
            "events_7d": len(week),
            "days_since_last": (now - found["moment"][past[-1]]) / DAY if past else np.nan,
            "days_since_first": (now - found["moment"][past[0]]) / DAY if past else np.nan,
            "bought_rate": rate,
            "bought_mean": own,
            "bought_mean_7d": mean(bought[week], own),
            "bought_mean_last_3": mean(bought[past[-3:]], own),
            "bought_last": bought[past[-1]] if past else np.nan,
            "bought_sum": bought[past].sum(),
            "bought_days_since": (now - found["moment"][buys[-1]]) / DAY if buys else np.nan,
            "bought_events_since": len(past) - 1 - past.index(buys[-1]) if buys else np.nan,
            "amount_mean": own_amount,
            "amount_events_since": len(past) - 1 - past.index(sold[-1]) if sold else np.nan,
            "amount_min": min(seen, default=np.nan),
            "amount_max": max(seen, default=np.nan),
            "amount_std": np.std(seen) if seen else np.nan,
            "end_b_mean": mean(found["end"][past] == 1.0, plain(found["end"][everybody] == 1)),
            "end_distinct": len(ends),
            "page_distinct": len({*page[past]} - {-1}),
            "page_again": float(page[past[-1]] == page[i]) if past else np.nan,
            "price_above_mean": price[i] - plain(price[past]),
            "events_same_page": len(same),
            "days_since_same_page": (now - found["moment"][same[-1]]) / DAY if same else np.nan,
            "bought_mean_same_page": mean(bought[same], own),
            "bought_rate_same_page": rate_same,
            "bought_rate_same_page_plan": mean(bought[both], rate_same),
            "bought_rate_same_plan": mean(
                bought[[j for j in everybody if whose[j] == whose[i]]], rate
            ),
            "hour": now % DAY / HOUR,
        }
        if past and page[past[-1]] < 0:
            row["page_again"] = np.nan
        if np.isnan(price[i]):
            sign = [j for j in past if np.isnan(price[j])]
        row["events_same_price_sign"] = len(sign)
        for name, value in row.items():
            expected.setdefault(name, []).append(value)
        usual = columns["end_mode"].iloc[i]
        if past:
            assert ends["abc".index(usual)] == max(ends.values())
        else:
            assert pd.isna(usual)
    for name, values in expected.items():
        np.testing.assert_allclose(
            columns[name].to_numpy(float), values, rtol=2e-6, atol=2e-4, err_msg=name
        )
    assert columns["weekday"].iloc[0] == pd.Timestamp(int(found["moment"][0]), unit="s").day_name()
    assert columns["note_words"].iloc[0] == 3
    assert [columns[f"note_{part}"].iloc[0] for part in ("digits", "capitals", "marks")] == [
        1,
        1,
        1,
    ]
    assert np.isnan(columns["note_characters"].iloc[1])
    assert columns["plan"].dtype == "category"


@pytest.mark.parametrize("seed", range(5))
def test_no_bit_moves_when_later_events_are_others(seed):
    found, other = log(seed), log(seed + 100)
    n = len(found["moment"]) // 2
    cut = found["moment"][n - 1]
    changed = {name: values.copy() for name, values in found.items()}
    for name in ("entity", "page", "price", "amount", "end"):
        changed[name][n:] = other[name][n:]
    changed["amount"][n:] *= 1e9  # what a sum over all would round away
    unknown = found["moment"] + HOUR > cut
    changed["bought"][unknown] ^= True
    changed["amount"][unknown] = -1.0
    changed["end"][unknown] = 2
    changed["moment"][n:] -= (changed["moment"][n:] - cut) // 2
    stays = np.arange(len(unknown)) < n + 20
    changed = {k: v[stays] if len(v) == len(stays) else v for k, v in changed.items()}
    before, after = made(found, n), made(changed, n)
    pd.testing.assert_frame_equal(before[:n], after[:n], check_exact=True)
    assert not before[n : n + 20].reset_index(drop=True).equals(after[n:].reset_index(drop=True))


def test_threads_change_nothing():
    found = log(3, m=2_000)
    pd.testing.assert_frame_equal(made(found, 1_000), made(found, 1_000, 4), check_exact=True)


def test_sums_that_are_no_whole_numbers_are_as_exact_as_those_of_the_entity_alone():
    """0.1 added to 1e16 is lost: an entity beside a rich one keeps its own sums."""
    m = 60
    found = log(1, m=m, entities=2)
    found["amount"] = np.where(found["entity"] == 0, 1e16, 0.1)
    columns = made(found, m)
    poor = found["entity"] == 1
    expected = [0.1 * columns["events_before"].iloc[i] for i in np.flatnonzero(poor)]
    np.testing.assert_allclose(columns["amount_sum"][poor], expected, rtol=1e-6)


def test_columns_follow_from_types_and_not_from_values():
    """A column that came or went with what its values are would tell of rows to come."""
    found, other = log(), log(1)
    other |= {"moment": other["moment"] * 0 + 10_000 * DAY, "page": other["page"] * 0}
    other["amount"] = np.round(other["bought"] * 1.0)
    assert list(made(found, 200)) == list(made(other, 200))
    pd.testing.assert_series_equal(made(found, 200).dtypes, made(other, 200).dtypes)


def test_a_category_keeps_the_levels_that_appear_first(monkeypatch):
    monkeypatch.setattr(synthesis, "LEVELS", 2)
    found = log()
    found["page"][:3] = [2, -1, 0]
    page = made(found, 100)["page"]
    assert set(page.dropna()) == {"home", "cart", synthesis.RARE}
    assert (page[found["page"] == 1] == synthesis.RARE).all()
    assert (page[found["page"] == 2] == "cart").all()
    assert page[found["page"] < 0].isna().all()


def test_rows_without_any_event_have_what_they_are_alone():
    rows = rows_of(log())
    nothing = replace(
        rows,
        events=rows.events[:0],
        event_moment=rows.event_moment[:0],
        start=np.zeros(len(rows), np.int64),
        stop=np.zeros(len(rows), np.int64),
    )
    train, test = synthesise(nothing, 300)
    assert (len(train), len(test)) == (300, 100)
    assert {"page", "price", "hour", "note_words"} <= set(train.columns)
    assert not [name for name in train if "before" in name or "bought" in name]


def test_many_kinds_give_the_same_rates_as_few(monkeypatch):
    """Of many nights and kinds only those with events have a sum."""
    found = log()
    few = made(found, 300)
    monkeypatch.setattr(synthesis, "DENSE", 0)
    pd.testing.assert_frame_equal(few, made(found, 300))


@pytest.fixture(scope="module")
def notifications():
    task = Notifications(rows=3_000)
    return task, task.load(0)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_auto_knows_nothing_of_what_comes_after_a_notification(notifications, share):
    task, data = notifications
    n = int(share * len(data.train_labels))
    other = task.rewrite(data, n, 1)
    before, after = (
        pd.concat(views.make(task, d, "auto"), ignore_index=True) for d in (data, other)
    )
    pd.testing.assert_frame_equal(before[:n], after[:n], check_exact=True)


def test_auto_is_no_worse_than_a_week_of_feature_work():
    task = Notifications(rows=20_000)
    data = task.load(0)
    scores = {}
    for view in ("features", "auto"):
        train, test = views.make(task, data, view)
        model = Logistic().fit(train, data.told(data.train_labels))
        scores[view] = roc_auc_score(data.test_labels, model.predict_proba(test)[:, 1])
    assert scores["auto"] > scores["features"] - 0.005
