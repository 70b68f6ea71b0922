"""A log of advertisements as an exchange keeps it, and the true click probability of each.

`docs/ads.md` tells the same in words. What is common to all seeds (which categories a section
suits, what an age band likes) is drawn once, from a seed of its own; a seed draws users, campaigns,
publishers, impressions and clicks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

FIRST_SECOND = 1_740_960_000  # 2025-03-03T00:00:00 UTC, a Monday, in Unix seconds
HOUR = 3600
DAY = 24 * HOUR

AGE_BANDS = ("18-24", "25-34", "35-49", "50+")
COUNTRIES = ("BR", "DE", "IN", "US")
CATEGORIES = ("bank", "car", "fashion", "food", "game", "insurance", "phone", "travel")
SECTIONS = ("business", "cooking", "culture", "games", "news", "sport", "tech", "weather")
DEVICES = ("phone", "tablet", "desktop")
SLOTS = ("top", "feed", "side", "bottom")

FACTORS = 3  # numbers that say what a user likes, and what an ad has of it
# What factors are made of, in shares of their variance: age band, country, the user's own; and
# category, advertiser, campaign, the ad's own.
USER_SHARES = (0.2, 0.2, 0.6)
AD_SHARES = (0.2, 0.5, 0.2, 0.1)
AD_BIAS_SHARES = (0.4, 0.35, 0.25)  # advertiser, campaign, the ad's own
# Standard deviations in log odds at strength 1. How large they are is a design choice: they set how
# far apart the eras of ids lie (docs/ads.md).
USER_BIAS, AD_BIAS, PUBLISHER_BIAS = 0.6, 0.5, 0.4
TASTE, AFFINITY_SIZE, SITUATION = 1.2, 0.5, 0.35
USERS_SKEW = 0.6  # of the skew of campaigns and publishers: no user is as large as a publisher
ROWS_A_USER = 80  # where the number of users is not set
CAMPAIGNS = 0.35  # live at a time, per square root of the rows, where their number is not set
CREATIVES = 4  # ads of a campaign, at most
DEVICE_SHARES = (0.65, 0.1, 0.25)
SLOT_SHARES = (0.2, 0.4, 0.25, 0.15)
# Impressions in each hour of the day, in relation to each other.
HOURS = (2, 1, 1, 1, 1, 2, 4, 6, 7, 6, 6, 6, 8, 7, 6, 6, 6, 7, 8, 10, 11, 11, 8, 4)
SLOT_EFFECT = (0.6, 0.3, -0.4, -0.9)  # log odds at strength 1
DEVICE_EFFECT = (0.15, 0.1, -0.4)
HOUR_EFFECT = 0.25  # more in the evening than in the morning


def common() -> tuple[np.ndarray, ...]:
    """What every seed shares, float32: the mean factors of age bands, countries and categories,
    the gates of sections (each (levels, FACTORS)), and the affinity (sections, categories)."""
    rng = np.random.default_rng(2010)
    sizes = len(AGE_BANDS), len(COUNTRIES), len(CATEGORIES), len(SECTIONS)
    tables = [rng.normal(size=(n, FACTORS)) for n in sizes]
    tables.append(rng.normal(size=(len(SECTIONS), len(CATEGORIES))))
    # Centred along both axes, so that a pair says nothing that one of the two says alone.
    tables = [t - t.mean(axis=0) for t in tables]
    tables[-1] -= tables[-1].mean(axis=1, keepdims=True)
    return tuple((t / t.std()).astype(np.float32) for t in tables)


AGE_FACTOR, COUNTRY_FACTOR, CATEGORY_FACTOR, SECTION_GATE, AFFINITY = common()


@dataclass(frozen=True)
class ClickLog:
    """What the exchange has, in order of time; nothing in it tells a true probability."""

    users: pa.Table  # user_id, age_band, country
    publishers: pa.Table  # publisher_id, section
    ads: pa.Table  # ad_id, campaign_id, advertiser_id, category, created (Unix seconds)
    # impression_id, which counts from 0, moment (Unix seconds), user_id, ad_id, publisher_id,
    # slot, device
    impressions: pa.Table
    clicked: np.ndarray  # (rows,) bool: in the end
    # (rows,) int64 seconds from an impression to its click's arrival, where there is a click; the
    # others have one too, for those who give rows other outcomes.
    lag: np.ndarray
    train_rows: int  # the first so many impressions; the rest are the test rows

    @property
    def moment(self) -> np.ndarray:
        """(rows,) int64 Unix seconds"""
        return self.impressions["moment"].to_numpy()


def zipf(rng: np.random.Generator, levels: int, skew: float, size: int) -> np.ndarray:
    """(size,) int32 ranks from 0 on whose shares fall with the rank to the power of -skew: the
    inverse of a continuous power law's distribution, rounded down."""
    luck = rng.random(size, dtype=np.float32).astype(np.float64)
    power = 1 - skew
    if abs(power) < 1e-6:
        rank = np.exp(luck * np.log(levels + 1))
    else:
        rank = (1 + luck * ((levels + 1) ** power - 1)) ** (1 / power)
    return np.minimum(rank.astype(np.int32) - 1, levels - 1)


def codes(rng: np.random.Generator, shares: Sequence[float], size: int) -> np.ndarray:
    """(size,) int8 with these shares."""
    luck = rng.random(size, dtype=np.float32)
    found = np.zeros(size, np.int8)
    for end in np.cumsum(shares)[:-1]:
        found += luck >= end
    return found


def draw_moments(rng: np.random.Generator, rows: int, days: int) -> np.ndarray:
    """(rows,) int64 seconds since the first midnight, rising: by chance, more in the evening."""
    passed = np.cumsum(rng.standard_exponential(rows))
    passed *= days / (passed[-1] + 1)  # in days, if all hours were alike
    day = np.floor(passed)
    shares = np.concatenate([[0], np.cumsum(HOURS)]) / sum(HOURS)
    hour = np.interp(passed - day, shares, np.arange(25))
    return (day * DAY + hour * HOUR).astype(np.int64)


@dataclass
class Campaigns:
    """Campaigns one after another in each of so many places, and their ads."""

    key: np.ndarray  # (campaigns,) int64: place and start in one rising number
    start: np.ndarray  # (campaigns,) int64 seconds; below 0: before the log
    advertiser: np.ndarray  # (campaigns,) codes
    category: np.ndarray  # (campaigns,) codes: the advertiser's
    first_ad: np.ndarray  # (campaigns,) int64
    ads: np.ndarray  # (campaigns,) int64: how many
    bias: np.ndarray  # (ads,) float32, log odds at strength 1
    factor: np.ndarray  # (ads, FACTORS) float32

    @property
    def campaign(self) -> np.ndarray:
        """(ads,) the campaign of each"""
        return np.repeat(np.arange(len(self.start)), self.ads)


def draw_campaigns(
    rng: np.random.Generator, places: int, days: int, campaign_days: float, skew: float
) -> Campaigns:
    """A campaign lives for an exponential time, and another one takes its place."""
    expected = days / campaign_days
    most = int(expected + 6 * expected**0.5 + 10)  # six standard deviations above the mean
    ends = np.cumsum(rng.exponential(campaign_days * DAY, (places, most)), axis=1)
    starts = np.concatenate([np.zeros((places, 1)), ends], axis=1).astype(np.int64)
    place, turn = np.nonzero(starts < days * DAY)
    key = place * (days * DAY) + starts[place, turn]
    start = starts[place, turn]
    # Those that are there at first have been there for a while.
    before = rng.exponential(campaign_days * DAY, len(start)).astype(np.int64)
    start = np.where(turn == 0, -before, start)
    n = len(start)

    advertisers = max(2, round(0.6 * places))
    advertiser = zipf(rng, advertisers, 0.6 * skew, n)
    category = rng.integers(len(CATEGORIES), size=advertisers)
    ads = rng.integers(1, CREATIVES + 1, n)
    campaign = np.repeat(np.arange(n), ads)

    def nested(own: np.ndarray, shares: Sequence[float]) -> np.ndarray:
        """Advertiser, campaign and ad each add a part, in shares of the variance."""
        sizes = advertisers, n, len(campaign)
        of_ad = advertiser[campaign], campaign, np.arange(len(campaign))
        for levels, places_of, share in zip(sizes, of_ad, shares, strict=True):
            drawn = rng.standard_normal((levels, *own.shape[1:]), dtype=np.float32)
            own = own + np.float32(share**0.5) * drawn[places_of]
        return own

    bias = nested(np.zeros(len(campaign), np.float32), AD_BIAS_SHARES)
    mean = np.float32(AD_SHARES[0] ** 0.5) * CATEGORY_FACTOR[category[advertiser[campaign]]]
    factor = nested(mean, AD_SHARES[1:])
    first_ad = np.cumsum(ads) - ads
    return Campaigns(
        key, start, advertiser, category[advertiser], first_ad, ads, AD_BIAS * bias, factor
    )


def size(rows: int, users: int | None, live_campaigns: int | None) -> tuple[int, int]:
    """(users, campaigns live at a time): what is not set follows from the rows."""
    return (
        users or max(2, round(rows / ROWS_A_USER)),
        live_campaigns or max(2, round(CAMPAIGNS * rows**0.5)),
    )


def sigmoid(log_odds: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-log_odds))


def intercept_for(log_odds: np.ndarray, base_rate: float) -> float:
    """What makes the mean probability the base rate, by Newton's steps on some of the rows."""
    some = log_odds[:: max(1, len(log_odds) // 50_000)].astype(np.float64)
    value = float(np.log(base_rate / (1 - base_rate)))
    for _ in range(20):
        chance = sigmoid(some + value)
        missing = base_rate - chance.mean()
        if abs(missing) < 1e-6:
            break
        value += missing / (chance * (1 - chance)).mean()
    return value


def generate(
    seed: int,
    *,
    rows: int,
    users: int | None,
    publishers: int,
    live_campaigns: int | None,
    days: int,
    campaign_days: float,
    skew: float,
    test_share: float,
    base_rate: float,
    delay: float,
    signal_marginal: float,
    signal_pairs: float,
    signal_triples: float,
) -> tuple[ClickLog, np.ndarray]:
    """A log of `rows` impressions, and (rows,) float32 true click probabilities.

    The settings are those of `Ads`. Each part has a random stream of its own, so that turning one
    dial leaves the other draws as they were.
    """
    users, places = size(rows, users, live_campaigns)
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(6)]
    user_rng, publisher_rng, campaign_rng, shown_rng, luck_rng, lag_rng = streams

    age, country = user_rng.integers(4, size=(2, users))
    habit = codes(user_rng, DEVICE_SHARES, users)  # the device a user mostly has
    normal = user_rng.standard_normal((users, FACTORS + 1), dtype=np.float32)
    of_age, of_country, own = np.sqrt(USER_SHARES, dtype=np.float32)
    user_factor = of_age * AGE_FACTOR[age] + of_country * COUNTRY_FACTOR[country]
    user_factor += own * normal[:, 1:]
    user_bias = np.float32(USER_BIAS) * normal[:, 0]
    section = publisher_rng.integers(len(SECTIONS), size=publishers)
    liked = publisher_rng.standard_normal(publishers, dtype=np.float32)
    publisher_bias = np.float32(PUBLISHER_BIAS) * liked
    campaigns = draw_campaigns(campaign_rng, places, days, campaign_days, skew)

    moment = draw_moments(shown_rng, rows, days)
    # By lot, so that an id does not say how often it comes.
    user = user_rng.permutation(users).astype(np.int32)[
        zipf(shown_rng, users, USERS_SKEW * skew, rows)
    ]
    publisher = publisher_rng.permutation(publishers).astype(np.int32)[
        zipf(shown_rng, publishers, skew, rows)
    ]
    place = zipf(shown_rng, places, skew, rows)
    campaign = np.searchsorted(campaigns.key, place * (days * DAY) + moment, "right") - 1
    which = shown_rng.random(rows, dtype=np.float32) * campaigns.ads[campaign]
    ad = (campaigns.first_ad[campaign] + which.astype(np.int64)).astype(np.int32)
    slot = codes(shown_rng, SLOT_SHARES, rows)
    other = codes(shown_rng, DEVICE_SHARES, rows)
    device = np.where(shown_rng.random(rows, dtype=np.float32) < 0.8, habit[user], other)

    log_odds = np.zeros(rows, np.float32)
    where = section[publisher].astype(np.int8)
    if signal_marginal:
        hour = np.arange(24)
        by_hour = (HOUR_EFFECT * np.cos((hour - 20) * np.pi / 12)).astype(np.float32)
        of_row = campaigns.bias[ad] + user_bias[user] + publisher_bias[publisher]
        of_row += np.array(SLOT_EFFECT, np.float32)[slot]
        of_row += np.array(DEVICE_EFFECT, np.float32)[device] + by_hour[moment // HOUR % 24]
        log_odds += np.float32(signal_marginal) * of_row
    if signal_pairs or signal_triples:
        both = user_factor[user] * campaigns.factor[ad]  # (rows, FACTORS)
        # A taste is the same everywhere, and in each section one of its numbers counts more.
        gate = TASTE * signal_pairs + SITUATION * signal_triples * SECTION_GATE
        gate = (gate * FACTORS**-0.5).astype(np.float32)
        log_odds += np.einsum("nk,nk->n", both, gate[where])
        category = campaigns.category[campaign]
        log_odds += np.float32(AFFINITY_SIZE * signal_pairs) * AFFINITY[where, category]
    chance = sigmoid(log_odds + np.float32(intercept_for(log_odds, base_rate)))
    clicked = luck_rng.random(rows, dtype=np.float32) < chance

    # A click comes within minutes and is on record within the hour, if nothing delays it.
    lag = 1 + np.minimum(lag_rng.exponential(60, rows), HOUR - 2)
    if delay:
        lag += lag_rng.exponential(delay * HOUR, rows)

    shown = pa.table(
        {
            "impression_id": np.arange(rows, dtype=np.int32),
            "moment": FIRST_SECOND + moment,
            "user_id": user,
            "ad_id": ad,
            "publisher_id": publisher,
            "slot": coded(slot, SLOTS),
            "device": coded(device, DEVICES),
        }
    )
    log = ClickLog(
        users=pa.table(
            {
                "user_id": np.arange(users, dtype=np.int32),
                "age_band": coded(age, AGE_BANDS),
                "country": coded(country, COUNTRIES),
            }
        ),
        publishers=pa.table(
            {
                "publisher_id": np.arange(publishers, dtype=np.int32),
                "section": coded(section, SECTIONS),
            }
        ),
        ads=ads_table(campaigns),
        impressions=shown,
        clicked=clicked,
        lag=lag.astype(np.int64),
        train_rows=rows - round(test_share * rows),
    )
    return log, chance


def coded(of: np.ndarray, names: Sequence[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(of.astype(np.int8), pa.array(names))


def ads_table(campaigns: Campaigns) -> pa.Table:
    campaign = campaigns.campaign
    return pa.table(
        {
            "ad_id": np.arange(len(campaign), dtype=np.int32),
            "campaign_id": campaign.astype(np.int32),
            "advertiser_id": campaigns.advertiser[campaign].astype(np.int32),
            "category": coded(campaigns.category[campaign], CATEGORIES),
            "created": FIRST_SECOND + campaigns.start[campaign],
        }
    )
