"""Will this user open this push notification?

A log of notifications from a generator that knows each one's true open probability, read
through the feature engineering of a real team (`features.sql`), trained on the past and tested
on the future. `docs/notifications.md` tells how the log comes about.
"""

import calendar
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np
import pyarrow as pa
from annotated_types import Ge, Gt, Le, Lt

from tasks.base import Data
from tasks.notifications import people
from tasks.notifications.generator import APART, generate, size
from tasks.notifications.observer import Mechanism
from tasks.notifications.people import WAKING_DAY

FEATURES = Path(__file__).with_name("features.sql")
CLASSES = ("ignored", "opened")
KNOWN_AFTER = np.timedelta64(1, "h")  # from sending to knowing whether it was opened


class Log(NamedTuple):
    """What the company has, in time order; nothing in it tells a true probability."""

    users: pa.Table
    notifications: pa.Table
    train_rows: int  # the first so many notifications; the rest are the test rows
    mechanism: Mechanism  # for the ideal observer alone


@dataclass
class Notifications:
    """A binary task: `ignored` or `opened`.

    The signals' strengths are relative: 0 switches a kind off, 1 is the default loudness.
    """

    # Of views in SQL: which row it is, whose past a row is made of, and what texts may be.
    key: ClassVar[str] = "notification_id"
    cut_by: ClassVar[str] = "user_id"
    levels: ClassVar[dict[str, tuple[str, ...]]] = {
        "topic": people.TOPICS,
        "urgency": people.URGENCIES,
        "age_band": people.AGE_BANDS,
        "plan": people.PLANS,
        "platform": people.PLATFORMS,
        "country": people.COUNTRIES,
        "part_of_day": ("morning", "midday", "afternoon", "evening"),
        "weekday": tuple(calendar.day_name),
    }

    # notifications in the log, train and test together
    rows: Annotated[int, Ge(100)] = 20_000
    # how many users share them; unset: about 50 notifications each
    users: Annotated[int | None, Ge(2)] = None
    # how long the log is; unset: so long that each user gets 5 notifications in 6 days
    days: Annotated[int | None, Ge(1)] = None
    # share of rows, the last in time, that models are tested on
    test_share: Annotated[float, Ge(0.05), Le(0.5)] = 0.3
    # mean open probability
    base_rate: Annotated[float, Gt(0), Lt(1)] = 0.3
    # share of outcomes that are a coin toss at the base rate
    label_noise: Annotated[float, Ge(0), Le(1)] = 0.0
    # how far tastes move over the log, in quarter turns: at 1 none of the first is left at the end
    drift: Annotated[float, Ge(0), Le(1)] = 0.1
    # share of users who sign up in the test period and were never seen before
    unseen_users: Annotated[float, Ge(0), Le(0.4)] = 0.05
    # what a single column tells: how often this user opens, which topics and hours are popular
    signal_marginal: Annotated[float, Ge(0)] = 1.0
    # what two columns tell together: this user's taste in topics, times of day and discounts
    signal_interaction: Annotated[float, Ge(0)] = 1.0
    # what the order of past events tells: fatigue, mood after an open, the same topic again
    signal_order: Annotated[float, Ge(0)] = 1.0
    # what the words of the title tell
    signal_text: Annotated[float, Ge(0)] = 1.0
    # what the order of a user's last three notifications tells, and no count of them
    signal_motif: Annotated[float, Ge(0)] = 0.0
    # what two parts of a title tell together, and neither alone
    signal_words: Annotated[float, Ge(0)] = 0.0
    # what the place in a user's own round of four notifications tells
    signal_rhythm: Annotated[float, Ge(0)] = 0.0
    # supplied by the runner: threads for views in SQL, and what runs them (tasks.engines)
    n_jobs: int = 1
    sql_engine: str = "duckdb"

    def dials(self) -> dict[str, Any]:
        """What the generator is called with, beside the seed."""
        supplied = ("n_jobs", "sql_engine")
        return {name: value for name, value in asdict(self).items() if name not in supplied}

    def check(self) -> None:
        """Raise ValueError if users and days leave no room for the rows."""
        users, days = size(self.rows, self.users, self.days)
        most = users * days * (WAKING_DAY // APART)
        if self.rows > most:
            raise ValueError(
                f"{self.rows:,} notifications do not fit: {users:,} users have room for {most:,} "
                f"in {days} days; ask for fewer rows, more users or more days"
            )

    def load(self, seed: int) -> Data:
        """Draw a log. Raises ValueError if users and days leave no room for the rows."""
        drawn = generate(seed, **self.dials())
        opened = drawn.notifications["opened"].to_numpy()
        labels = opened.astype(np.int16)
        split = drawn.train_rows
        probability = drawn.probability[split:].astype(np.float64)
        return Data(
            raw=Log(
                drawn.users,
                drawn.notifications,
                split,
                Mechanism(drawn.strength, drawn.intercept, self.base_rate, self.label_noise),
            ),
            train_labels=labels[:split],
            test_labels=labels[split:],
            classes=CLASSES,
            truth=np.column_stack([1 - probability, probability]),
            group=drawn.notifications["user_id"].to_numpy()[split:],
        )

    def tables(self, data: Data) -> dict[str, pa.Table]:
        """What features.sql reads."""
        return {"users": data.raw.users, "notifications": data.raw.notifications}

    def raw_columns(self, data: Data, view: str) -> list[str]:
        """Columns of the raw tables that a view reads: those that its SQL names, or all."""
        tables = data.raw.users, data.raw.notifications
        names = dict.fromkeys(name for table in tables for name in table.column_names)
        file = FEATURES.with_name(f"{view}.sql")
        if not file.is_file():
            return list(names)
        named = set(re.findall(r"\w+", file.read_text("utf-8")))
        return [name for name in names if not named.isdisjoint((name, f"{name}_second"))]

    def relabel(self, data: Data, labels: np.ndarray) -> Data:
        """The same notifications with these outcomes: (n_train + n_test,) codes."""
        opened = pa.array(labels == 1)
        log: Log = data.raw
        place = log.notifications.schema.get_field_index("opened")
        changed = log.notifications.set_column(place, "opened", opened)
        split = log.train_rows
        return replace(
            data,
            raw=log._replace(notifications=changed),
            train_labels=labels[:split],
            test_labels=labels[split:],
            truth=None,
        )

    def rewrite(self, data: Data, n: int, seed: int) -> Data:
        """The log as it was when notification n - 1 was sent, and another future: the outcomes that
        were not known by then are turned round; later notifications have other contents, come
        sooner, and half of them never do."""
        log: Log = data.raw
        sent = log.notifications["sent_at"].to_numpy()
        labels = np.concatenate([data.train_labels, data.test_labels])
        unknown = sent > sent[n - 1] - KNOWN_AFTER
        labels = np.where(unknown, 1 - labels, labels)
        random = np.random.default_rng([seed, n])
        contents = ["topic", "discount", "urgency", "title"]
        order = np.arange(len(labels))
        order[n:] = random.permutation(order[n:])
        changed = log.notifications
        for name in contents:
            place = changed.schema.get_field_index(name)
            changed = changed.set_column(place, name, changed[name].take(pa.array(order)))
        sent = sent.copy()
        sent[n:] -= (sent[n:] - sent[n - 1]) // 2  # half the waiting, in the same order
        place = changed.schema.get_field_index("sent_at")
        moved = pa.array(sent, changed.schema.field("sent_at").type)
        changed = changed.set_column(place, "sent_at", moved)
        stays = np.arange(len(labels)) < n
        stays[n:] = random.random(len(labels) - n) < 0.5
        stays[-1] = True  # there is a test row left
        split = int(stays[: log.train_rows].sum())
        assert data.group is not None
        kept = replace(
            data,
            raw=log._replace(notifications=changed.filter(pa.array(stays)), train_rows=split),
            group=data.group[stays[log.train_rows :]],
        )
        return self.relabel(kept, labels[stays])
