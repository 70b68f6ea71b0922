"""Will this person click on this advertisement?

A log of impressions from a generator that knows each one's true click probability: users, ads,
campaigns and publishers are ids, a few of them frequent and most of them rare, and campaigns come
and go. Trained on the past, tested on the future. `docs/ads.md` tells how the log comes about.
"""

import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import pyarrow as pa
from annotated_types import Ge, Gt, Le, Lt

from tasks.ads import generator
from tasks.ads.generator import HOUR, ClickLog, generate, size
from tasks.base import Data

FEATURES = Path(__file__).with_name("features.sql")
CLASSES = ("passed", "clicked")


@dataclass
class Ads:
    """A binary task: `passed` or `clicked`.

    The signals' strengths are relative: 0 switches a kind off, 1 is the default loudness.
    """

    # Of views in SQL: which row it is, whose past a row is made of, and what texts may be.
    key: ClassVar[str] = "impression_id"
    cut_by: ClassVar[str] = "user_id"
    levels: ClassVar[dict[str, tuple[str, ...]]] = {
        "slot": generator.SLOTS,
        "device": generator.DEVICES,
        "category": generator.CATEGORIES,
        "section": generator.SECTIONS,
        "age_band": generator.AGE_BANDS,
        "country": generator.COUNTRIES,
    }

    # impressions in the log, train and test together
    rows: Annotated[int, Ge(100)] = 100_000
    # how many users share them; unset: 80 impressions each
    users: Annotated[int | None, Ge(2)] = None
    # where ads are shown
    publishers: Annotated[int, Ge(2)] = 120
    # campaigns at a time; unset: 0.35 times the square root of the rows
    live_campaigns: Annotated[int | None, Ge(2)] = None
    # how long the log is
    days: Annotated[int, Ge(1)] = 14
    # how long a campaign lives on average, until another one takes its place
    campaign_days: Annotated[float, Gt(0)] = 10.0
    # the exponent of Zipf's law for campaigns and publishers; users have 0.6 of it
    skew: Annotated[float, Ge(0), Le(2)] = 1.0
    # share of rows, the last in time, that models are tested on
    test_share: Annotated[float, Ge(0.05), Le(0.5)] = 0.3
    # mean click probability; that of Criteo's public log is 0.256
    base_rate: Annotated[float, Gt(0), Lt(1)] = 0.25
    # hours until a click is on record, on average; 0: within the hour
    delay: Annotated[float, Ge(0)] = 0.0
    # what a single id tells: this user, ad, publisher, slot
    signal_marginal: Annotated[float, Ge(0)] = 1.0
    # what two ids tell together: this user's taste in what the ad has; section and category
    signal_pairs: Annotated[float, Ge(0)] = 1.0
    # what three ids tell together: the taste of this user in this section
    signal_triples: Annotated[float, Ge(0)] = 1.0
    # supplied by the runner: threads for views in SQL, and what runs them (tasks.engines)
    n_jobs: int = 1
    sql_engine: str = "duckdb"

    def dials(self) -> dict[str, Any]:
        """What the generator is called with, beside the seed."""
        supplied = ("n_jobs", "sql_engine")
        return {name: value for name, value in asdict(self).items() if name not in supplied}

    def check(self) -> None:
        """Raise ValueError if there are fewer rows than users or campaigns to share them."""
        users, live = size(self.rows, self.users, self.live_campaigns)
        for number, name in ((users, "users"), (live, "live_campaigns")):
            if number > self.rows:
                raise ValueError(f"{name}={number:,} need at least as many rows={self.rows:,}")

    def load(self, seed: int) -> Data:
        """Draw a log."""
        log, probability = generate(seed, **self.dials())
        test = probability[log.train_rows :].astype(np.float64)
        return as_data(log, np.column_stack([1 - test, test]))

    def tables(self, data: Data) -> dict[str, pa.Table]:
        """What the views read."""
        log: ClickLog = data.raw
        there = np.flatnonzero(log.clicked)
        clicks = {
            "impression_id": there.astype(np.int32),
            "moment": (log.moment + log.lag)[there],
        }
        names = "users", "publishers", "ads", "impressions"
        return {name: getattr(log, name) for name in names} | {"clicks": pa.table(clicks)}

    def raw_columns(self, data: Data, view: str) -> list[str]:
        """Columns of the raw tables that a view reads: those that features.sql names, or all but
        the clicks'."""
        tables = self.tables(data)
        if view != "features":
            del tables["clicks"]
        names = dict.fromkeys(name for table in tables.values() for name in table.column_names)
        named = set(re.findall(r"\w+", FEATURES.read_text("utf-8")))
        return [name for name in names if view != "features" or name in named]

    def relabel(self, data: Data, labels: np.ndarray) -> Data:
        """The same impressions with these outcomes: (n_train + n_test,) codes. Clicks that came too
        late for a train row's label stay; a click that its label knows of came in time."""
        log: ClickLog = data.raw
        clicked = labels == 1
        late = is_late(log)
        in_time = np.minimum(log.lag, HOUR - 1)
        changed = replace(
            log,
            clicked=clicked | (log.clicked & late),
            lag=np.where(clicked & late, in_time, log.lag),
        )
        return as_data(changed)

    def rewrite(self, data: Data, n: int, seed: int) -> Data:
        """The log as it was when impression n - 1 was shown, and another future: the outcomes that
        were not known by then are turned round; later impressions are of other ads, in other
        places, and come sooner, and half of them never do."""
        log: ClickLog = data.raw
        moment = log.moment.copy()
        unknown = moment + log.lag > moment[n - 1]
        unknown[n:] = True
        clicked = log.clicked ^ unknown
        random = np.random.default_rng([seed, n])
        order = np.arange(len(moment))
        order[n:] = random.permutation(order[n:])
        shown = log.impressions
        for name in ("ad_id", "publisher_id", "slot", "device"):
            place = shown.schema.get_field_index(name)
            shown = shown.set_column(place, name, shown[name].take(pa.array(order)))
        moment[n:] -= (moment[n:] - moment[n - 1]) // 2  # half the waiting, in the same order
        shown = shown.set_column(shown.schema.get_field_index("moment"), "moment", [moment])
        stays = np.arange(len(moment)) < n
        stays[n:] = random.random(len(moment) - n) < 0.5
        stays[-1] = True  # there is a test row left
        shown = shown.filter(pa.array(stays))
        # The n rows keep their numbers, and clicks are found by them.
        numbers = pa.array(np.arange(len(shown), dtype=np.int32))
        shown = shown.set_column(0, "impression_id", numbers)
        return as_data(
            replace(
                log,
                impressions=shown,
                clicked=clicked[stays],
                lag=log.lag[stays],
                train_rows=int(stays[: log.train_rows].sum()),
            )
        )


def is_late(log: ClickLog) -> np.ndarray:
    """(rows,) bool: train rows whose click, if there is one, is not on record when models are
    trained, an hour after the last of the train rows was shown."""
    moment, split = log.moment, log.train_rows
    late = moment + log.lag > moment[split - 1] + HOUR
    late[split:] = False
    return late


def as_data(log: ClickLog, truth: np.ndarray | None = None) -> Data:
    """Train labels are what is on record when models are trained; test labels are what came of
    each row in the end."""
    labels = (log.clicked & ~is_late(log)).astype(np.int16)
    split = log.train_rows
    return Data(
        raw=log,
        train_labels=labels[:split],
        test_labels=labels[split:],
        classes=CLASSES,
        truth=truth,
        group=log.impressions["user_id"].to_numpy()[split:],
        ordered=True,
    )
