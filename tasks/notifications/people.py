"""How people react to notifications: what is known of them, what is hidden, and their log odds.

Users have observable attributes (`draw_users`) and hidden traits (`draw_traits`, a prior that
depends on the attributes). The true log odds of an open are

    intercept + still_log_odds(traits, sent) + moving_log_odds(traits, state, topic)

where the state is what the user has been sent and has opened so far. An ideal observer can draw
many people from the same prior and replay one user's log through the same functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from tasks.notifications import wording

FIRST_DAY = np.datetime64("2025-03-03T00:00:00", "s")  # a Monday
HOUR = 3600
DAY = 24 * HOUR
WAKING = 8 * HOUR, 22 * HOUR  # nothing is sent at night
WAKING_DAY = WAKING[1] - WAKING[0]
MOOD_SECONDS = 48 * HOUR  # how long an open colours what follows; fatigue fades twice as fast

AGE_BANDS = ("18-24", "25-34", "35-49", "50+")
PLANS = ("free", "plus", "premium")
PLATFORMS = ("android", "ios", "web")
COUNTRIES = ("BR", "DE", "IN", "US")
TOPICS = tuple(wording.PHRASES)
URGENCIES = tuple(wording.CLOSERS)
DISCOUNTS = (0, 10, 20, 30, 50)  # percent
# What a title is written from, in the order of wording.title.
TITLE_PARTS: tuple[Sequence[Any], ...] = (
    TOPICS,
    range(wording.PHRASES_A_TOPIC),
    DISCOUNTS,
    tuple(wording.OPENERS),
    URGENCIES,
    range(wording.CLOSERS_AN_URGENCY),
)

PLAN_SHARES = (0.6, 0.25, 0.15)
PLATFORM_SHARES = (0.5, 0.35, 0.15)
DISCOUNT_SHARES = (0.5, 0.14, 0.14, 0.12, 0.1)
URGENCY_SHARES = (0.4, 0.4, 0.2)


def centred(table: npt.ArrayLike, shares: tuple[float, ...] | None = None) -> np.ndarray:
    """The same effects with a mean of zero along the last axis, weighted by shares."""
    effects = np.asarray(table, np.float32)
    mean = np.average(effects, axis=-1, weights=shares)
    return effects - np.expand_dims(mean, -1).astype(np.float32)


# Effects in log odds at strength 1, centred: what one kind of signal says stays out of the others.
PLAN_BASE = centred([-0.2, 0.2, 0.5], PLAN_SHARES)
PLATFORM_BASE = centred([0.1, 0.1, -0.6], PLATFORM_SHARES)
TOPIC_BASE = centred([0.7, 0.4, 0.2, 0.1, -0.1, -0.2, -0.4, -0.7])
TOPIC_BASE_LATER = centred([-0.4, 0.1, -0.7, 0.7, -0.2, 0.4, 0.2, -0.1])
DISCOUNT_BASE = centred([-0.3, 0.2, 0.3, 0.4, 0.2], DISCOUNT_SHARES)  # 50 % looks too good
URGENCY_BASE = centred([0.0, 0.2, -0.4], URGENCY_SHARES)
HOUR_BASE = 0.5  # at noon and in the evening, against the hours between
WEEKEND_BASE = 0.2

# Rows: age bands or countries. Centred within each of them (or it would be a marginal effect of
# the user) and within each topic (or it would be one of the topic); then (topics, groups).
AGE_TASTE = centred(
    centred(
        [
            # fashion food  games music news  sport tech  travel
            [+1.3, +0.0, +1.9, +1.3, -1.6, +0.0, +0.0, -1.3],
            [+0.3, +0.6, +0.6, +0.3, -1.0, +0.3, +1.3, -0.3],
            [-0.6, +0.6, -1.0, -0.6, +0.6, +0.6, +0.0, +0.6],
            [-1.0, -0.6, -1.9, -1.0, +1.9, -0.6, -1.0, +1.3],
        ]
    ).T
)
COUNTRY_TASTE = centred(
    centred(
        [
            [+0.2, +0.0, +0.0, +0.6, -0.4, +0.8, -0.4, -0.2],
            [-0.4, -0.2, +0.0, -0.4, +0.4, +0.2, +0.2, +0.8],
            [+0.0, +0.2, +0.6, +0.0, +0.0, -0.4, +0.6, -0.6],
            [+0.4, +0.2, -0.4, +0.0, +0.2, -0.4, -0.2, +0.2],
        ]
    ).T
)
AGE_RHYTHM = centred(
    [
        [-1.2, -0.3, +0.3, +1.2],  # early rather than late, by age
        [-0.6, -0.6, +0.6, +0.6],  # at the ends of the day rather than in its middle
    ]
)
PLAN_DISCOUNT = centred([0.6, -0.5, -1.7], PLAN_SHARES)
AGE_WORDING = centred([-0.5, -0.2, 0.2, 0.5])
DISCOUNT_LEVEL = centred([0.0, 0.4, 0.8, 1.2, 2.0], DISCOUNT_SHARES)
URGENCY_LEVEL = centred([0.0, 0.5, 1.5], URGENCY_SHARES)

# What no count, rate or fading sum of the past holds, and no word of a title alone; each has a
# standard deviation of 1 at strength 1.
PLAY = np.array([1, 1, 1, 1, -1, -1, -1, -1], np.int8)  # fashion to music; -1: the world, from news
COUNTRY_PAIRING = np.array([1, -1, 1, -1], np.float32)
ROUND = np.array([1, 1, -1, -1], np.float32)  # open to two notifications, closed to the next two


class Columns:
    """Arrays that share their last axis, which `prefix` cuts."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def prefix(self, count: int, every: int = 1) -> Self:
        """The first `count` entries, or every so many of them, as views."""
        return self.take(slice(None, count, every))

    def take(self, which: slice | np.ndarray) -> Self:
        return type(self)(*(getattr(self, field.name)[..., which] for field in fields(self)))


@dataclass
class Users(Columns):
    """What the company knows of n users: codes into the tuples above, each (n,) int8."""

    age: np.ndarray
    plan: np.ndarray
    platform: np.ndarray
    country: np.ndarray


@dataclass
class Traits(Columns):
    """What nobody sees of n users, float32, in log odds at strength 1."""

    base: np.ndarray  # (n,)
    taste: np.ndarray  # (topics, n) at the start of the log
    taste_later: np.ndarray  # (topics, n) where drift leads to
    rhythm: np.ndarray  # (2, n) morning against evening, ends of the day against its middle
    discount: np.ndarray  # (n,) per unit of DISCOUNT_LEVEL
    fatigue: np.ndarray  # (n,) per notification too many
    mood: np.ndarray  # (n,) after an open; negative: an open satisfies
    wording: np.ndarray  # (n,) reaction to a pushy title
    pairing: np.ndarray  # (n,) 1 or -1: which phrases and closers go together
    phase: np.ndarray  # (n,) int8, where in a ROUND the user's first notification falls


@dataclass
class Sent(Columns):
    """n notifications (or one, as scalars): what is known at the moment of sending."""

    second: np.ndarray  # int32, since the first day's midnight
    topic: np.ndarray  # codes, int8
    discount: np.ndarray
    urgency: np.ndarray
    opener: np.ndarray
    phrase: np.ndarray
    closer: np.ndarray


@dataclass
class State(Columns):
    """What n users have been through so far, as it was at `second`."""

    second: np.ndarray  # (n,) int32, when the last notification was sent
    topic: np.ndarray  # (n,) int8, its topic; -1 before the first
    load: np.ndarray  # (n,) float32, notifications so far, fading with time
    mood: np.ndarray  # (n,) float32, opens above expectation so far, fading with time
    count: np.ndarray  # (n,) int32, notifications so far
    # What the last three spoke for, the latest first, (3, n) int8: 1 for play (it was opened, or
    # the world ignored), -1 for the world, 0 before the first.
    spoke: np.ndarray

    @classmethod
    def fresh(cls, n: int) -> Self:
        return cls(
            second=np.zeros(n, np.int32),
            topic=np.full(n, -1, np.int8),
            load=np.zeros(n, np.float32),
            mood=np.zeros(n, np.float32),
            count=np.zeros(n, np.int32),
            spoke=np.zeros((3, n), np.int8),
        )

    def until(self, second: np.ndarray) -> Self:
        """The same users when the next notification comes, their memories faded."""
        fade = np.exp((self.second - second) * np.float32(1 / MOOD_SECONDS))
        return replace(self, load=self.load * (fade * fade), mood=self.mood * fade)

    def after(self, sent: Sent, opened: np.ndarray, base_rate: float) -> Self:
        surprise = opened - np.float32(base_rate)
        now = np.where(opened, PLAY[sent.topic], -PLAY[sent.topic])
        return type(self)(
            second=sent.second,
            topic=sent.topic,
            load=self.load + 1,
            mood=self.mood + surprise,
            count=self.count + 1,
            spoke=np.stack([now, self.spoke[0], self.spoke[1]]),
        )


@dataclass(frozen=True)
class Strength:
    """How loud each kind of signal is (0 = off) and how far tastes drift (1 = to new ones)."""

    marginal: float
    interaction: float
    order: float
    text: float
    motif: float
    words: float
    rhythm: float
    drift: float
    days: int  # over which the drift happens

    @property
    def moves(self) -> bool:
        """Does anything depend on a user's past?"""
        return bool(self.order or self.motif or self.rhythm)


def draw_users(rng: np.random.Generator, n: int) -> Users:
    def codes(shares: tuple[float, ...]) -> np.ndarray:
        return np.searchsorted(np.cumsum(shares)[:-1], rng.random(n), side="right").astype(np.int8)

    return Users(codes((0.25,) * 4), codes(PLAN_SHARES), codes(PLATFORM_SHARES), codes((0.25,) * 4))


def draw_traits(rng: np.random.Generator, users: Users) -> Traits:
    """Draw hidden traits from the prior, given what is known of each user."""
    n = len(users.age)

    def normal(*shape: int) -> np.ndarray:
        return rng.standard_normal((*shape, n), dtype=np.float32)

    def peaked() -> np.ndarray:
        # An exponential tail: most topics leave a user cold, one or two do not.
        liking = rng.standard_exponential((len(TOPICS), n), dtype=np.float32)
        return liking - liking.mean(axis=0)

    segment = AGE_TASTE[:, users.age] + COUNTRY_TASTE[:, users.country]
    return Traits(
        base=PLAN_BASE[users.plan] + PLATFORM_BASE[users.platform] + 0.65 * normal(),
        taste=segment + 0.45 * peaked(),
        # Drift hands each group's liking on to another topic.
        taste_later=segment[::-1] + 0.45 * peaked(),
        rhythm=AGE_RHYTHM[:, users.age] + 0.35 * normal(2),
        discount=PLAN_DISCOUNT[users.plan] + 0.35 * normal(),
        fatigue=0.55 * np.exp(0.5 * normal()),
        mood=0.6 + 0.7 * normal(),
        wording=AGE_WORDING[users.age] + 0.5 * normal(),
        pairing=COUNTRY_PAIRING[users.country],
        phase=rng.integers(len(ROUND), size=n, dtype=np.int8),  # last: the draws above stay
    )


def still_log_odds(traits: Traits, sent: Sent, strength: Strength) -> np.ndarray:
    """The part that the user's past does not touch.

    One notification for each of n users, or one notification (scalars) for n draws of a user;
    (n,) float32 either way.
    """
    waking = (sent.second % DAY - WAKING[0]) * np.float32(1 / WAKING_DAY)  # 0 at 8 h, 1 at 22 h
    swing = np.cos(np.float32(np.pi) * waking)  # 1 in the morning, -1 late
    ends = 2 * swing * swing - 1  # cos(2 pi waking): 1 at both ends, -1 at 15 h
    user = np.arange(len(traits.base), dtype=np.int32)
    total = np.zeros(len(traits.base), np.float32)

    angle = sent.second * np.float32(strength.drift * np.pi / 2 / (strength.days * DAY))

    def drifted(now: np.ndarray, later: np.ndarray) -> np.ndarray:
        return now * np.cos(angle) + later * np.sin(angle)  # keeps the spread of tastes

    if strength.marginal:
        topic = TOPIC_BASE[sent.topic]
        if strength.drift:
            topic = drifted(topic, TOPIC_BASE_LATER[sent.topic])
        peaks = 2 * ends * ends - 1  # cos(4 pi waking): -1 at 11.5 h and 18.5 h
        weekend = (sent.second // DAY % 7 > 4) - np.float32(2 / 7)
        context = DISCOUNT_BASE[sent.discount] + URGENCY_BASE[sent.urgency] + topic
        context += -HOUR_BASE * peaks + WEEKEND_BASE * weekend
        total += np.float32(strength.marginal) * (traits.base + context)
    if strength.interaction:
        taste = traits.taste[sent.topic, user]
        if strength.drift:
            taste = drifted(taste, traits.taste_later[sent.topic, user])
        discount = DISCOUNT_LEVEL[sent.discount]
        reaction = taste + traits.rhythm[0] * swing + traits.rhythm[1] * ends
        reaction += (traits.discount + URGENCY_LEVEL[sent.urgency]) * discount
        total += np.float32(strength.interaction) * reaction
    if strength.text:
        appeal = wording.OPENER_APPEAL[sent.opener] + wording.PHRASE_APPEAL[sent.phrase]
        appeal = appeal + wording.CLOSER_APPEAL[sent.closer]
        appeal += traits.wording * wording.OPENER_PUSH[sent.opener]
        total += np.float32(strength.text) * appeal
    if strength.words:
        phrase = wording.PHRASE_SIDE[sent.topic, sent.phrase]
        closer = traits.pairing * wording.CLOSER_SIDE[sent.urgency, sent.closer]
        total += (
            np.float32(strength.words / np.sqrt(2))
            * phrase
            * (wording.OPENER_SIDE[sent.opener] + closer)
        )
    return total


def moving_log_odds(
    traits: Traits, state: State, topic: np.ndarray, strength: Strength
) -> np.ndarray:
    """The part that comes from the past: (n,) from a state brought up `until` now; (1,) for draws
    of one user, where none of their traits matters."""
    total = np.zeros(1, np.float32)
    if strength.order:
        too_many = np.maximum(state.load - np.float32(0.5), 0)
        again = (state.topic == topic) - np.float32(1 / len(TOPICS))
        moved = traits.mood * state.mood - traits.fatigue * too_many - again
        total = total + np.float32(strength.order) * moved
    if strength.motif:
        # World, play, play: a door opens. Backwards it closes. So whatever does not know the order
        # of the three expects nothing.
        last, between, first = state.spoke
        turned = (last - first) * ((between > 0) & (first != 0))
        total = total + np.float32(strength.motif) * turned
    if strength.rhythm:
        place = (state.count + traits.phase) % len(ROUND)
        total = total + np.float32(strength.rhythm) * ROUND[place]
    return total


def sigmoid(log_odds: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-log_odds))
