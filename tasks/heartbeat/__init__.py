"""What is the matter with this heart? Ten seconds of one electrode, as a watch records them.

Hearts come from a published model of the electrocardiogram, so the true probability of each class
is known; or recordings are read from a folder of WFDB files, as PhysioNet's are:

python -m benchmarks task=heartbeat model=xgboost,rocket,convnet
python -m benchmarks task=heartbeat task.path=recordings/ model=rocket

`docs/heartbeat.md` tells how hearts, patients and classes come about.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from tasks.base import Data, dealt, labels_of, spread, strata_of_groups
from tasks.heartbeat import recordings
from tasks.heartbeat.generator import CLASSES, Loudness, draw_conditions, generate

RECORDINGS_OF_A_PATIENT = 3  # on average, where nobody says how many patients there are
DRAWS = 30  # of patients to test, until every class is on both sides


class Raw(NamedTuple):
    """All recordings, and which of them are train and test rows."""

    signals: np.ndarray  # (n, samples) float32, millivolts; NaN where nothing was recorded
    train: np.ndarray  # places, in the order in which models see them
    test: np.ndarray
    said: list[str]  # on how they were read, a sentence each


@dataclass
class Heartbeat:
    """A multiclass task; no patient is on both sides of the split."""

    files: ClassVar[tuple[str, ...]] = ("path",)

    # recordings, train and test together
    rows: Annotated[int, Ge(60)] = 6_000
    # how many patients they are of; unset: a third as many
    patients: Annotated[int | None, Ge(20)] = None
    # samples a second
    hertz: Annotated[int, Ge(50), Le(1_000)] = 125
    # length of a recording
    seconds: Annotated[float, Ge(3), Le(120)] = 10.0
    # share of recordings of healthy hearts; the five other classes are equally common
    normal_share: Annotated[float, Gt(0), Lt(1)] = 0.3
    # how much a condition's severity varies about 0 in those without it and 1 in those with it; at
    # 0 a perfect cardiologist makes no mistake
    overlap: Annotated[float, Ge(0), Le(1)] = 0.4
    # loudness of muscles and electronics; 0 is silence, 1 is usual
    noise: Annotated[float, Ge(0)] = 1.0
    # how far the line wanders with sweat and breath
    wander: Annotated[float, Ge(0)] = 1.0
    # how many movements there are in a recording
    motion: Annotated[float, Ge(0)] = 1.0
    # share of recordings that models are tested on
    test_share: Annotated[float, Ge(0.05), Le(0.5)] = 0.33
    # instead of the dials above: a folder of WFDB records (docs/heartbeat.md)
    path: str | None = None
    # the name of the signal that is read from them; unset: the first one
    lead: str | None = None
    # supplied by the runner: threads that draw recordings
    n_jobs: int = 1

    def check(self) -> None:
        """Raise ValueError where patients and recordings, or files and labels, do not fit."""
        if self.path is not None:
            self.load(0)
        elif self.patients is not None and self.patients > self.rows:
            raise ValueError(
                f"{self.patients:,} patients need a recording each, and there are {self.rows:,}: "
                "ask for more rows or fewer patients"
            )

    def load(self, seed: int) -> Data:
        """Draw recordings, or read them. Raises ValueError with one sentence."""
        if self.path is not None:
            return self._read(self.path, seed)
        self.check()
        patients = self.patients or max(20, self.rows // RECORDINGS_OF_A_PATIENT)
        drawn = draw_conditions(seed, self.rows, patients, self.normal_share, self.overlap)
        loudness = Loudness(self.noise, self.wander, self.motion)
        signals = generate(seed, drawn, self.hertz, self.seconds, loudness, self.n_jobs)
        train, test = by_patient(drawn.labels, CLASSES, drawn.patients, self.test_share, seed)
        return Data(
            raw=Raw(signals, train, test, []),
            train_labels=drawn.labels[train],
            test_labels=drawn.labels[test],
            classes=CLASSES,
            truth=drawn.probability[test],
            group=drawn.patients[test],
            ordered=True,
        )

    def notices(self, data: Data) -> list[str]:
        """How recordings were read, a sentence each."""
        return list(data.raw.said)

    def _read(self, path: str, seed: int) -> Data:
        found = recordings.read(path, self.hertz, self.seconds, self.lead)
        # The healthy first, so that of two classes the illness is the positive one.
        classes = tuple(
            sorted(set(found.labels), key=lambda name: (name.lower() != "normal", name))
        )
        if len(classes) < 2:
            raise ValueError(f"all recordings of {path} have the label {classes[0]!r}")
        labels = labels_of(found.labels, classes)
        _, patients = np.unique(found.patients, return_inverse=True)
        train, test = by_patient(labels, classes, patients, self.test_share, seed)
        return Data(
            raw=Raw(found.signals, train, test, found.said),
            train_labels=labels[train],
            test_labels=labels[test],
            classes=classes,
            group=patients[test],
            test_ids=test,
            ordered=True,
        )


def by_patient(
    labels: np.ndarray, classes: tuple[str, ...], patients: np.ndarray, share: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Places of train rows, as `dealt`, and of test rows, which are about `share` of all and of
    other patients.

    labels: (n,) codes into classes; patients: (n,) codes from 0 on. Raises ValueError where a class
    cannot be on both sides.
    """
    size = np.bincount(patients)
    if len(size) < 2:
        raise ValueError("all recordings are of one patient: none would be left to test on")
    alike, rng = strata_of_groups(labels, patients), np.random.default_rng([seed, 7])
    for _ in range(DRAWS):
        order = np.argsort(spread(alike, rng))
        tested = np.cumsum(size[order])
        last = int(np.abs(tested[:-1] - share * len(labels)).argmin())
        is_test = np.isin(patients, order[: last + 1])
        there = [np.bincount(labels[side], minlength=len(classes)) for side in (~is_test, is_test)]
        if min(counts.min() for counts in there) > 0:
            break
    else:
        rarest = int(np.minimum(*there).argmin())
        who = np.unique(patients[labels == rarest])
        raise ValueError(
            f"the class {classes[rarest]!r} is not on both sides of a split by patient: it has "
            f"{(labels == rarest).sum():,} recordings of {len(who):,} patients"
        )
    train, test = np.flatnonzero(~is_test), np.flatnonzero(is_test)
    _, together = np.unique(patients[train], return_inverse=True)
    return train[dealt(labels[train], seed, together)], test
