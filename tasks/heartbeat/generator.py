"""Patients, what is wrong with their hearts and how badly, and what an electrode picks up.

`docs/heartbeat.md` tells the same in words. The severity of a condition is 0 in those who do not
have it and 1 in those who have it, with a normal spread of `overlap` about either. The trace
follows from severities, never from the label, so they tell all that it can tell of the label, and

    P(class | severities) = softmax(log share + (severity - 1/2) / overlap²)

by Bayes' rule, where `normal` is counted as a severity of 1/2.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from tasks.heartbeat.dynamics import HIGH, Bumps, Rhythm, beats, trace

CLASSES = (
    "normal",
    "atrial fibrillation",
    "extra beats",
    "slow conduction",
    "broad beats",
    "poor blood supply",
)
CHRONIC = 0.7  # share of recordings that show what their patient usually has
UPSIDE_DOWN = 0.1  # share of patients whose electrodes are swapped
CHUNK = 250  # recordings that are drawn together, from random numbers of their own
EARLIER = 2.0  # seconds of beats before a recording begins, and after it has ended


class Trait(NamedTuple):
    """How people differ: the median, and the standard deviations between patients and between the
    recordings of one; of the logarithm where a value has one sign."""

    median: float
    patients: float
    recordings: float
    has_sign: bool = True

    def moved(self, by: np.ndarray) -> np.ndarray:
        return self.median * np.exp(by) if self.has_sign else self.median + by


# Set by hand: values of healthy adults (Surawicz and Knilans, "Chou's Electrocardiography"), and
# waves that point up or down, as an electrode may sit anywhere.
TRAITS = {
    "rate": Trait(74, 0.16, 0.10),  # beats a minute
    "variability": Trait(0.05, 0.4, 0.3),  # of the time between two beats, as a share of it
    "breathing": Trait(HIGH, 0.12, 0.05),  # Hz
    "gain": Trait(1.0, 0.2, 0.1),  # millivolts of R: skin, fat, distance
    "p": Trait(0.12, 0.06, 0.01, False),  # of the height of R, as are the next three
    "q": Trait(-0.12, 0.10, 0.02, False),
    "s": Trait(-0.40, 0.35, 0.03, False),
    "t": Trait(0.25, 0.15, 0.04, False),
    "p_width": Trait(0.022, 0.15, 0.05),  # seconds, a standard deviation, as are the next two
    "qrs_width": Trait(0.011, 0.10, 0.02),
    "t_width": Trait(0.045, 0.15, 0.05),
    "qt": Trait(0.30, 0.06, 0.02),  # seconds from R to the top of T, where a beat takes one
}
Traits = dict[str, np.ndarray]  # (n, 1) each


class Conditions(NamedTuple):
    """Whose recordings they are and what they show, n each, patient by patient."""

    patients: np.ndarray  # codes
    labels: np.ndarray  # codes into CLASSES
    severity: np.ndarray  # (n, 5), of all classes but `normal`
    probability: np.ndarray  # (n, 6) of each class, given the severities


class Loudness(NamedTuple):
    """Of what is not the heart; 1 is usual."""

    noise: float
    wander: float
    motion: float


def generate(
    seed: int,
    conditions: Conditions,
    hertz: int,
    seconds: float,
    loudness: Loudness,
    threads: int = 1,
) -> np.ndarray:
    """(n, samples) float32, millivolts: a recording for each. `threads` change nothing in it."""
    patients, rng = conditions.patients, np.random.default_rng([seed, 1])
    people = int(patients.max()) + 1
    between = {name: rng.normal(0, trait.patients, people) for name, trait in TRAITS.items()}
    turned = np.where(rng.random(people) < UPSIDE_DOWN, -1.0, 1.0)

    def draw(first: int) -> np.ndarray:
        part = slice(first, first + CHUNK)
        who, chance = patients[part], np.random.default_rng([seed, 2, first])
        traits = {
            name: trait.moved(between[name][who] + chance.normal(0, trait.recordings, len(who)))
            for name, trait in TRAITS.items()
        }
        columns = {name: values[:, None] for name, values in traits.items()}
        seen = heart(chance, columns, conditions.severity[part], hertz, seconds)
        seen *= turned[who, None]
        seen += disturbance(chance, len(who), seen.shape[1], hertz, loudness)
        return seen.astype(np.float32)

    with ThreadPoolExecutor(threads) as pool:
        return np.concatenate(list(pool.map(draw, range(0, len(patients), CHUNK))))


def draw_conditions(
    seed: int, rows: int, patients: int, normal_share: float, overlap: float
) -> Conditions:
    """Who comes how often, with what, and how badly."""
    rng = np.random.default_rng([seed, 0])
    often = rng.standard_exponential(patients)
    ends = np.rint(np.cumsum(often) * (rows - patients) / often.sum()).astype(np.int64)
    patient = np.repeat(np.arange(patients), np.diff(ends, prepend=0) + 1)  # nobody is left out
    others = len(CLASSES) - 1
    share = np.array([normal_share, *[(1 - normal_share) / others] * others])
    usual = rng.choice(len(share), patients, p=share)[patient]
    passing = rng.choice(len(share), rows, p=share)
    labels = np.where(rng.random(rows) < CHRONIC, usual, passing)
    has_it = labels[:, None] == np.arange(1, len(share))
    severity = has_it + overlap * rng.normal(size=(rows, others))
    return Conditions(patient, labels, severity, probabilities(severity, share, overlap))


def probabilities(severity: np.ndarray, share: np.ndarray, overlap: float) -> np.ndarray:
    """(n, 6) of each class given the severities, (n, 5): the softmax above."""
    if overlap == 0:
        return np.column_stack([severity.sum(axis=1) == 0, severity]).astype(np.float64)
    evidence = np.pad((severity - 0.5) / overlap**2, ((0, 0), (1, 0)))
    odds = np.exp(evidence - evidence.max(axis=1, keepdims=True)) * share
    return odds / odds.sum(axis=1, keepdims=True)


def present(severity: np.ndarray) -> np.ndarray:
    """A severity as a share between 0 and 1 that never stops growing."""
    return 1 / (1 + np.exp(-6 * (severity - 0.5)))


def heart(
    rng: np.random.Generator, traits: Traits, severity: np.ndarray, hertz: float, seconds: float
) -> np.ndarray:
    """(n, samples) millivolts of hearts with these traits and severities, (n, 5)."""
    n, period = len(severity), 60 / traits["rate"][:, 0]
    fibrillation, extra = (present(severity[:, [k]]) for k in (0, 1))
    # Twice as many as there is room for at the mean: an irregular heart may be a quick one.
    most = int((seconds + 2 * EARLIER) / (0.5 * period.min())) + 2
    is_extra, factor = irregularity(rng, fibrillation, extra, most)
    rhythm = Rhythm(
        period,
        traits["variability"][:, 0] * period,
        rng.uniform(0.3, 0.7, n),
        traits["breathing"][:, 0],
    )
    peaks = beats(rng, rhythm, -EARLIER - rng.random(n) * period, factor)
    before = np.diff(peaks, axis=1, prepend=peaks[:, :1] - period[:, None])[:, :most]
    time = np.arange(round(hertz * seconds)) / hertz
    breath = np.sin(2 * np.pi * (traits["breathing"] * time + rng.random((n, 1))))
    seen = trace(peaks[:, :most], beat(traits, severity, is_extra, before), 0.05 * breath, hertz)
    # Atria that flutter: 4.5 to 8 waves a second, quicker and slower by turns.
    drift = np.sin(2 * np.pi * (rng.uniform(0.1, 0.4, (n, 1)) * time + rng.random((n, 1))))
    turn = 2 * np.pi * rng.uniform(4.5, 8.0, (n, 1)) * time + 1.5 * drift
    seen += 0.05 * fibrillation * (np.sin(turn) + 0.4 * np.sin(2 * turn))
    return traits["gain"] * seen


def irregularity(
    rng: np.random.Generator, fibrillation: np.ndarray, extra: np.ndarray, most: int
) -> tuple[np.ndarray, np.ndarray]:
    """(n, most) which beats are extra ones, and what the time to the next beat is multiplied by.

    An extra beat comes early and before a pause that makes up for it, so that the others keep their
    step; up to one in four beats is such a one. In a fibrillating heart every beat comes by chance.
    """
    n = len(extra)
    waited = np.cumsum(0.22 * extra * rng.uniform(0.5, 1.5, (n, most)), axis=1)
    count = np.floor(waited + rng.random((n, 1)))
    is_extra = np.diff(count, axis=1, prepend=count[:, :1]) > 0
    comes_next = np.pad(is_extra[:, 1:], ((0, 0), (0, 1)))
    early = rng.uniform(0.6, 0.9, (n, 1))
    factor = np.where(comes_next, early, 1.0) * np.where(is_extra, 2 - early, 1.0)
    return is_extra, factor * np.exp(0.14 * fibrillation * rng.normal(size=(n, most)))


def beat(traits: Traits, severity: np.ndarray, is_extra: np.ndarray, before: np.ndarray) -> Bumps:
    """P, Q, R, S, T, a second R, and ST of every beat.

    before: (n, beats) seconds since the beat before it: T is later and longer after a long one
    (Bazett 1920).
    """
    fibrillation, _, slow, broad, starved = severity.T[:, :, None]
    qrs, stretch = traits["qrs_width"], np.sqrt(before.clip(0.4, 1.5))
    bumps = (  # seconds from R, width in seconds, height as a share of R's
        (-0.16 - 0.055 * slow, traits["p_width"], traits["p"] * (1 - present(fibrillation))),
        (-2.6 * qrs, 0.9 * qrs, traits["q"]),
        (0.0, qrs, 1.0),
        (2.6 * qrs, qrs, traits["s"]),
        (traits["qt"] * stretch, traits["t_width"] * stretch, traits["t"]),
        (5.2 * qrs, 1.2 * qrs, 0.25 * broad),
        ((traits["qt"] - 2 * traits["t_width"]) * stretch, 0.03, -0.12 * starved),
    )
    # A beat that begins in a ventricle has no P and is broad, and its T points the other way.
    foreign = (
        (0.0, 0.02, 0.0),
        (0.0, 0.02, 0.0),
        (0.0, 0.03, 1.2),
        (0.08, 0.04, -0.6),
        (0.32, 0.06, -0.35),
        (0.0, 0.02, 0.0),
        (0.0, 0.03, 0.0),
    )
    made = [
        np.stack(
            [np.where(is_extra, odd[k], own[k]) for own, odd in zip(bumps, foreign, strict=True)], 2
        )
        for k in range(3)
    ]
    return Bumps(*made)


def disturbance(
    rng: np.random.Generator, n: int, samples: int, hertz: float, loudness: Loudness
) -> np.ndarray:
    """(n, samples) float32 millivolts of everything that is not the heart."""
    time = (np.arange(samples) / hertz).astype(np.float32)
    muscles = 0.06 * loudness.noise * rng.lognormal(0, 0.5, (n, 1)).astype(np.float32)
    found = muscles * rng.standard_normal((n, samples), dtype=np.float32)
    for _ in range(3):  # the line wanders as skin sweats and the chest moves
        found += waves(rng, n, time, 0.12 * loudness.wander, 0.05, 0.6)
    # Movements: bursts of what a careless eye takes for beats.
    row = np.repeat(np.arange(n), rng.poisson(1.5 * loudness.motion, n))
    middle = rng.uniform(0, time[-1], (len(row), 1)).astype(np.float32)
    length = rng.uniform(0.15, 0.6, (len(row), 1)).astype(np.float32)
    burst = sum(waves(rng, len(row), time, 0.3, 0.8, 10.0) for _ in range(3))
    np.add.at(found, row, burst * np.exp(-0.5 * ((time - middle) / length) ** 2))
    return found


def waves(
    rng: np.random.Generator, n: int, time: np.ndarray, size: float, low: float, high: float
) -> np.ndarray:
    """(n, samples) float32: a wave each, of a frequency between two."""
    sizes = size * np.abs(rng.normal(size=(n, 1)))
    turns = 2 * np.pi * rng.uniform(low, high, (n, 1)), 2 * np.pi * rng.random((n, 1))
    rate, begin = (part.astype(np.float32) for part in turns)
    return sizes.astype(np.float32) * np.sin(rate * time + begin)
