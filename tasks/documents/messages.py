"""One message, put together sentence by sentence."""

import re
from collections.abc import Sequence

import numpy as np

from tasks.documents.wording import ALWAYS, MANNERS, ROUTES
from tasks.optical import misread

CHOICE = re.compile(r"\[([^\]]*)\]")
GAP = re.compile(r"\{(\w+)\}")
AGAIN = 0.3  # share of messages that say the same wish twice
MOST_FILLERS = 2


def write(
    random: np.random.Generator, route: int, is_shifted: bool, asides: float, noise: float
) -> str:
    """route: place in ROUTES; is_shifted: made of wordings that no other message has; asides: how
    many sentences on other routes there are on average; noise: share of letters that go wrong."""
    routes = list(ROUTES.values())
    mine = routes[route]
    wishes = mine.shifted if is_shifted else mine.same
    body = [pick(random, wishes)]
    if random.random() < AGAIN:
        body.append(pick(random, wishes))
    others = [other for other in routes if other is not mine]
    for _ in range(random.poisson(asides)):
        body.append(pick(random, others[random.integers(len(others))].aside))
    for _ in range(random.integers(MOST_FILLERS + 1)):
        body.append(pick(random, ALWAYS["fillers"]))
    greeting = pick(random, MANNERS["greetings"][is_shifted])
    closing = pick(random, MANNERS["closings"][is_shifted])
    parts = [greeting, *(body[k] for k in random.permutation(len(body))), closing]
    text = " ".join(filter(None, parts))
    text = GAP.sub(lambda gap: filled(random, gap[1], is_shifted), text)
    return misread(random, text, noise)


def plant(random: np.random.Generator, text: str, route: str) -> str:
    """The text with a sentence in it, at some place, that demands another route."""
    sentences = re.split(r"(?<=[.!?]) ", text)
    demand = one_of(random, ALWAYS["plants"]).replace("{route}", route)
    sentences.insert(int(random.integers(len(sentences) + 1)), demand)
    return " ".join(sentences)


def pick(random: np.random.Generator, wordings: Sequence[str]) -> str:
    """One of them, and of each `[a|b]` in it one."""
    chosen = wordings[int(random.integers(len(wordings)))]
    return CHOICE.sub(lambda found: one_of(random, found[1].split("|")), chosen)


def filled(random: np.random.Generator, gap: str, is_shifted: bool) -> str:
    """What stands in a gap of a wording."""
    if gap == "number":
        return f"{one_of(random, 'ABKRT')}-{random.integers(1_000, 99_999)}"
    if gap == "amount":
        currency = one_of(random, MANNERS["currencies"][is_shifted])
        return f"{random.integers(5, 2_000)}.{random.integers(100):02d} {currency}"
    if gap in ("product", "job"):
        return one_of(random, MANNERS[f"{gap}s"][is_shifted])
    return one_of(random, ALWAYS["months" if gap == "when" else "names"])


def one_of(random: np.random.Generator, things: Sequence[str]) -> str:
    return things[int(random.integers(len(things)))]
