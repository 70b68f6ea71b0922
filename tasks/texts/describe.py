"""What is in texts, for a look before the wait."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache

import numpy as np

SHOWN = 10  # classes
SAMPLE = 2_000  # texts whose scripts are told
BEGIN = 1_000  # characters of each
MIXED = 0.1  # share of letters in another script


def facts(
    texts: Sequence[str], labels: np.ndarray, classes: Sequence[str]
) -> list[tuple[str, str]]:
    """(label, text); labels: (n,) codes into classes."""
    counts = np.bincount(labels, minlength=len(classes))
    order = np.argsort(-counts, kind="stable")[:SHOWN]
    each = [f"{shown(classes[k])} {counts[k] / len(texts):.1%} ({counts[k]:,})" for k in order]
    more = [f"{len(classes) - SHOWN:,} more"] * (len(classes) > SHOWN)
    lengths = np.array([len(text) for text in texts])
    middle, long, most = np.quantile(lengths, [0.5, 0.95, 1])
    return [
        ("classes", f"{len(classes):,}: " + ", ".join([*each, *more])),
        ("characters", f"{middle:,.0f} (median), {long:,.0f} (95 %), {most:,.0f} (longest)"),
        ("scripts", scripts(texts)),
    ]


def scripts(texts: Sequence[str]) -> str:
    """In which scripts texts are, by the names that Unicode gives to their letters."""
    places = np.random.default_rng(0).permutation(len(texts))[:SAMPLE]
    mainly: Counter[str] = Counter()
    mixed = 0
    for place in places:
        letters = Counter(texts[place][:BEGIN])
        found: Counter[str] = Counter()
        for letter, times in letters.items():
            if (script := script_of(letter)) is not None:
                found[script] += times
        if found:
            mainly[found.most_common(1)[0][0]] += 1
            mixed += max(found.values()) < (1 - MIXED) * found.total()
    said = [f"{name} {times / len(places):.1%}" for name, times in mainly.most_common(SHOWN)]
    said += [f"none {1 - mainly.total() / len(places):.1%}"] * (mainly.total() < len(places))
    said += [f"{mixed / len(places):.1%} of the texts mix several"] * (mixed > 0)
    return ", ".join(said)


@cache
def script_of(letter: str) -> str | None:
    """`latin`, `arabic`, `cjk`, …; None for what is no letter."""
    if not letter.isalpha():
        return None
    name = unicodedata.name(unicodedata.normalize("NFKC", letter)[0], "")
    return name.partition(" ")[0].lower() or None


def shown(name: str) -> str:
    return name if len(name) <= 30 else name[:29] + "…"
