"""A log of push notifications as a company keeps it, and the true open probability of each.

`people` says who the users are and how they react; here they are sent notifications over some
weeks and open them or not. `docs/notifications.md` tells the same in words.

Rows are laid out position-major while they are made: first every user's first notification,
then every second one, and so on, with the busiest users first. The users who reach position k
are then a prefix of all users, one slice of memory, and the loop over positions needs no index.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pyarrow as pa

from tasks.notifications import people, wording
from tasks.notifications.people import (
    DAY,
    HOUR,
    WAKING,
    WAKING_DAY,
    Sent,
    State,
    Strength,
    Traits,
    Users,
)

# A user's notifications are at least an hour apart and an open counts within that hour, so the
# outcome of the previous one is always known when the next one is sent.
APART = HOUR
NOTIFICATIONS_A_DAY = 50 / 60  # per user: 50 in 60 days
HISTORY = 50  # notifications per user where neither users nor days are set


@dataclass
class Plan:
    """Who gets how many notifications: users sorted so that the busiest come first."""

    counts: np.ndarray  # (users,) int64, descending
    unseen: np.ndarray  # (users,) bool: signs up in the test period

    def __post_init__(self) -> None:
        positions = np.arange(self.counts[0])
        # How many users have a notification at each position, and where these rows begin.
        self.alive = len(self.counts) - np.searchsorted(self.counts[::-1], positions, side="right")
        self.starts = np.concatenate([[0], np.cumsum(self.alive)])

    def steps(self, every: int = 1) -> Iterator[tuple[int, slice]]:
        """(users alive, their rows) at each position; every so many users if asked."""
        for alive, start in zip(self.alive.tolist(), self.starts.tolist(), strict=False):
            yield alive, slice(start, start + alive, every)


def plan_counts(
    rng: np.random.Generator, rows: int, users: int, unseen_users: float, test_share: float
) -> Plan:
    """Share `rows` out among the users, some of them busier; unseen ones get a shorter time."""
    activity = rng.lognormal(sigma=0.35, size=users).clip(0.4, 2.5)
    unseen = np.arange(users) < round(unseen_users * users)
    activity[unseen] *= test_share
    ends = np.round(np.cumsum(activity) * (rows - users) / activity.sum()).astype(np.int64)
    counts = np.diff(ends, prepend=0) + 1  # nobody is left out
    order = np.argsort(-counts, kind="stable")
    return Plan(counts[order], unseen[order])


def draw_seconds(rng: np.random.Generator, plan: Plan, days: int, test_rows: int) -> np.ndarray:
    """When each notification is sent: (rows,) int32 seconds since the first midnight.

    Gaps are irregular (a Weibull of shape 2/3: bursts and pauses) and scaled so that each
    user's notifications fill the log, or the test period for users unseen in training. That
    period begins where the last `test_rows` of all rows begin.
    """
    rows = int(plan.starts[-1])
    users = len(plan.counts)
    gaps = rng.standard_exponential(rows, dtype=np.float32)
    gaps *= np.sqrt(gaps)
    total = rng.standard_exponential(users)  # begins as the pause after a user's last notification
    for alive, at in plan.steps():
        total[:alive] += gaps[at]
    waking = np.empty(rows, np.int32)  # counts waking seconds only

    def fill(chosen: np.ndarray, first: int, last: int) -> None:
        spare = last - first - APART * plan.counts[chosen]
        if len(spare) and spare.min() < 0:
            late = ", a larger test_share or fewer unseen_users" if first else ""
            raise ValueError(
                f"{plan.counts[chosen].max()} notifications for one user do not fit into "
                f"{(last - first) / WAKING_DAY:.1f} days of {WAKING_DAY // HOUR} hours, one hour "
                f"apart; ask for fewer rows, more users or more days{late}"
            )
        scale = spare / total[chosen]
        cumulated = np.zeros(len(chosen))
        for position, (alive, at) in enumerate(plan.steps()):
            reached = np.searchsorted(chosen, alive)
            mine = chosen[:reached] + at.start
            cumulated[:reached] += gaps[mine]
            waking[mine] = first + APART * position + (cumulated * scale)[:reached]

    known, unseen = np.flatnonzero(~plan.unseen), np.flatnonzero(plan.unseen)
    fill(known, 0, days * WAKING_DAY)
    if len(unseen):
        is_known = np.empty(rows, bool)
        for alive, at in plan.steps():
            is_known[at] = ~plan.unseen[:alive]
        # Train rows are all of known users, so their times alone say where the test begins.
        train_rows = rows - test_rows
        boundary = np.partition(waking[is_known], train_rows)[train_rows]
        fill(unseen, int(boundary), days * WAKING_DAY)
    return waking // WAKING_DAY * DAY + WAKING[0] + waking % WAKING_DAY


def draw_sent(rng: np.random.Generator, second: np.ndarray) -> Sent:
    """What is sent at these times: (rows,) codes."""
    rows = len(second)

    def uniform(levels: int) -> np.ndarray:
        return rng.integers(levels, size=rows, dtype=np.int8)

    def weighted(shares: tuple[float, ...]) -> np.ndarray:
        # Shares to the nearest 1/256: a random byte looks its code up.
        ends = np.round(np.cumsum(shares) * 256).astype(int)
        codes = np.repeat(np.arange(len(shares), dtype=np.int8), np.diff(ends, prepend=0))
        return codes[rng.integers(256, size=rows, dtype=np.uint8)]

    return Sent(
        second=second,
        topic=uniform(len(people.TOPICS)),
        discount=weighted(people.DISCOUNT_SHARES),
        urgency=weighted(people.URGENCY_SHARES),
        opener=uniform(len(wording.OPENERS)),
        phrase=uniform(wording.PHRASES_A_TOPIC),
        closer=uniform(wording.CLOSERS_AN_URGENCY),
    )


@dataclass
class Outcomes:
    """Drives the users through their notifications, position by position."""

    plan: Plan
    traits: Traits
    sent: Sent
    still: np.ndarray  # (rows,) float32
    luck: np.ndarray  # (rows,) float32 in [0, 1): opened where it is below the probability
    strength: Strength
    base_rate: float
    label_noise: float

    def simulate(self, intercept: float, every: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """(probability, opened) of all rows, or of every so many users and NaN elsewhere."""
        probability = np.full(len(self.still), np.nan, np.float32)
        opened = np.zeros(len(self.still), bool)
        state = State.fresh(len(range(0, len(self.plan.counts), every)))
        for alive, at in self.plan.steps(every):
            traits, sent = self.traits.prefix(alive, every), self.sent.take(at)
            log_odds = self.still[at] + np.float32(intercept)
            if self.strength.moves:
                state = state.prefix(len(log_odds)).until(sent.second)
                log_odds += people.moving_log_odds(traits, state, sent.topic, self.strength)
            chance = people.sigmoid(log_odds)
            # A noisy label is a coin that knows the base rate and nothing else.
            chance += np.float32(self.label_noise) * (np.float32(self.base_rate) - chance)
            probability[at] = chance
            opened[at] = self.luck[at] < chance
            if self.strength.moves:
                state = state.after(sent, opened[at], self.base_rate)
        return probability, opened

    def intercept(self) -> float:
        """Solve for the intercept that makes the mean probability the base rate.

        Newton's steps over the actual users, or over a few thousand of them in a large log.
        """
        every = max(1, len(self.plan.counts) // 4_000)
        value = float(np.log(self.base_rate / (1 - self.base_rate)))
        for _ in range(12):
            probability, _ = self.simulate(value, every)
            known = probability[~np.isnan(probability)].astype(np.float64)
            missing = self.base_rate - known.mean()
            if abs(missing) < 2e-4 or self.label_noise == 1:
                break
            value += missing / ((known * (1 - known)).mean() * (1 - self.label_noise))
        return value


@dataclass(frozen=True)
class Drawn:
    """A finished log and, apart from it, all that nobody at the company knows."""

    users: pa.Table  # user_id, age_band, plan, platform, country, signed_up
    notifications: pa.Table  # in time order; notification_id counts from 0
    probability: np.ndarray  # (rows,) float32, true open probabilities in the log's order
    train_rows: int  # the first so many rows of the log; the test period is the rest
    traits: Traits  # in the order of user_id
    strength: Strength
    intercept: float


def size(rows: int, users: int | None, days: int | None) -> tuple[int, int]:
    """(users, days): each follows from the rows where it is not set."""
    if users is None:
        history = HISTORY if days is None else days * NOTIFICATIONS_A_DAY
        users = max(2, round(rows / history))
    if days is None:
        days = max(1, round(rows / users / NOTIFICATIONS_A_DAY))
    if users > rows:
        raise ValueError(f"{users} users need at least as many rows, found rows={rows}")
    return users, days


def generate(
    seed: int,
    *,
    rows: int,
    users: int | None,
    days: int | None,
    base_rate: float,
    label_noise: float,
    drift: float,
    unseen_users: float,
    test_share: float,
    signal_marginal: float,
    signal_interaction: float,
    signal_order: float,
    signal_text: float,
    signal_motif: float,
    signal_words: float,
    signal_rhythm: float,
) -> Drawn:
    """Draw a log of `rows` notifications; the settings are those of `Notifications`.

    Each part has a random stream of its own, so that turning one dial leaves the other draws
    as they were. Raises ValueError if the notifications of one user do not fit into the days.
    """
    users, days = size(rows, users, days)
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(7)]
    people_rng, trait_rng, plan_rng, time_rng, sent_rng, luck_rng, id_rng = streams
    test_rows = round(test_share * rows)

    plan = plan_counts(plan_rng, rows, users, unseen_users, test_share)
    known = people.draw_users(people_rng, users)
    traits = people.draw_traits(trait_rng, known)
    sent = draw_sent(sent_rng, draw_seconds(time_rng, plan, days, test_rows))
    strength = Strength(
        marginal=signal_marginal,
        interaction=signal_interaction,
        order=signal_order,
        text=signal_text,
        motif=signal_motif,
        words=signal_words,
        rhythm=signal_rhythm,
        drift=drift,
        days=days,
    )

    still = np.empty(rows, np.float32)
    for alive, at in plan.steps():
        still[at] = people.still_log_odds(traits.prefix(alive), sent.take(at), strength)
    luck = luck_rng.random(rows, dtype=np.float32)
    outcomes = Outcomes(plan, traits, sent, still, luck, strength, base_rate, label_noise)
    intercept = outcomes.intercept()
    probability, opened = outcomes.simulate(intercept)

    # Only here do users get their ids: by lot, so that an id does not say how busy a user is.
    user_id = id_rng.permutation(users).astype(np.int32)
    by_id = np.argsort(user_id)
    user = np.empty(rows, np.int32)
    for alive, at in plan.steps():
        user[at] = user_id[:alive]
    # Time order, ties by user; both fit into one integer, which sorts faster than two keys.
    order = np.argsort(sent.second.astype(np.int64) * users + user)
    first_second = sent.second[: plan.alive[0]]
    tenure = id_rng.integers(1, 720 * DAY, users)
    tenure[plan.unseen] = id_rng.integers(1, DAY, plan.unseen.sum())
    second = sent.second[order]
    return Drawn(
        users=users_table(known, first_second - tenure, by_id),
        notifications=notifications_table(user, sent, opened, order),
        probability=probability[order],
        train_rows=int(np.searchsorted(second, second[rows - test_rows])),
        traits=traits.take(by_id),
        strength=strength,
        intercept=intercept,
    )


def coded(codes: np.ndarray, names: Sequence[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(codes, pa.array(names))


def timestamps(second: np.ndarray) -> pa.Array:
    return pa.array(people.FIRST_DAY + second.astype("timedelta64[s]"))


def users_table(known: Users, signed_up: np.ndarray, by_id: np.ndarray) -> pa.Table:
    return pa.table(
        {
            "user_id": np.arange(len(by_id), dtype=np.int32),
            "age_band": coded(known.age[by_id], people.AGE_BANDS),
            "plan": coded(known.plan[by_id], people.PLANS),
            "platform": coded(known.platform[by_id], people.PLATFORMS),
            "country": coded(known.country[by_id], people.COUNTRIES),
            "signed_up": timestamps(signed_up[by_id]),
        }
    )


def notifications_table(
    user: np.ndarray, sent: Sent, opened: np.ndarray, order: np.ndarray
) -> pa.Table:
    parts = (sent.topic, sent.phrase, sent.discount, sent.opener, sent.urgency, sent.closer)
    title = np.zeros(len(order), np.int32)  # counts through all that can be written, as product
    for codes, levels in zip(parts, people.TITLE_PARTS, strict=True):
        title *= len(levels)
        title += codes
    titles = [wording.title(*choice) for choice in product(*people.TITLE_PARTS)]
    return pa.table(
        {
            "notification_id": np.arange(len(order), dtype=np.int32),
            "user_id": user[order],
            "sent_at": timestamps(sent.second[order]),
            "topic": coded(sent.topic[order], people.TOPICS),
            "discount": np.array(people.DISCOUNTS, np.int8)[sent.discount[order]],
            "urgency": coded(sent.urgency[order], people.URGENCIES),
            "title": coded(title[order], titles),
            "opened": opened[order],
        }
    )
