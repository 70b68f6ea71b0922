"""What a cell is scored by: its task's metrics, computed from answers as they are stored."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.analysis.linear import Linear
from benchmarks.cell.protocols import offered
from tasks.base import Data, floor_answers
from tasks.metrics import BESIDE, OF_KIND, Metric, applies, named, usual


@dataclasses.dataclass(frozen=True)
class Scored:
    """What a cell is judged by."""

    metrics: list[Metric]
    scores: dict[str, float]
    floor: dict[str, float]
    ceiling: dict[str, float] | None
    lifts: dict[str, dict[str, float]]
    """See `lifts`."""


class UnknownMetric(ValueError):
    """A metric that nobody describes, or that these outcomes do not have."""


def metrics_of(task: Any, data: Data, main: str | None = None) -> list[Metric]:
    """The metrics that the task is judged by, the main one first: those it names; else those that
    its `score` gives; else those of its kind. Raises UnknownMetric.

    main: the name of another one that is to come first.
    """
    given = offered(task, "metrics")
    given = given(data) if callable(given) else given
    if not given and offered(task, "score") is not None:
        given = list(task.score(data, floor_answers(data)))
    names = given or usual(data.kind, most_common(data))
    metrics = [_named(metric, task) for metric in names]
    if main is None or main == metrics[0].name:
        return metrics
    known = {metric.name: metric for metric in metrics}
    if main not in known:
        if not applies(main, data.kind):
            beside = [n for n in (*OF_KIND[data.kind], *BESIDE[data.kind]) if n not in known]
            raise UnknownMetric(
                f"{type(task).__name__} has no metric {main!r}; it has: "
                f"{', '.join([*known, *beside])}"
            )
        known[main] = _named(main, task)
    return [known[main], *(metric for name, metric in known.items() if name != main)]


def most_common(data: Data) -> float:
    """Share of the rows, train and test, that the most common class holds; 0 without classes."""
    if not data.classes:
        return 0.0
    counts = np.bincount(np.concatenate([data.train_labels, data.test_labels]))
    return float(counts.max() / counts.sum())


def _named(metric: str | Metric, task: Any) -> Metric:
    if isinstance(metric, Metric):
        return metric
    standard = named(metric)
    if standard is None:
        raise UnknownMetric(
            f"{type(task).__name__} names the metric {metric!r}, which nobody "
            "describes: give a Metric (tasks/metrics.py), or one of "
            f"{', '.join((*OF_KIND['binary'], *BESIDE['binary'], 'r2'))}, …"
        )
    return standard


def scores(
    task: Any, data: Data, metrics: Sequence[Metric], answers: Any, only: str | None = None
) -> dict[str, float]:
    """Name -> value on the test rows: of the task's metrics, and of all others that can be had;
    or of one of them alone."""
    score = offered(task, "score")
    own: Mapping[str, float] = score(data, answers) if score is not None else {}
    known = {metric.name: metric for metric in metrics}
    for name in own:
        if name not in known and named(name) is None:
            raise UnknownMetric(
                f"{type(task).__name__}.score gives {name!r}, which nobody describes: name it in "
                "`metrics` as a Metric (tasks/metrics.py)"
            )
    names = (only,) if only else dict.fromkeys((*known, *OF_KIND[data.kind], *BESIDE[data.kind]))
    values = {} if only else dict(own)
    for name in names:
        metric = known.get(name) or _named(name, task)
        values[name] = own[name] if name in own else metric.of(answers, data.test_labels)
    return {name: float(value) for name, value in values.items()}


def linear(metric: Metric, answers: Any, data: Data) -> Linear:
    """A metric that has an influence, on the test rows, clustered by what they have in common."""
    assert metric.influence
    value, each = metric.influence(answers, data.test_labels)
    if data.group is None:
        return Linear(value, each, len(each))
    _, group = np.unique(data.group, return_inverse=True)
    return Linear(value, np.bincount(group, each), len(each))


def lifts(
    data: Data, metrics: Sequence[Metric], answers: Any, truth: Any, floor: Any
) -> dict[str, dict[str, float]]:
    """Metric -> how the test rows make vary what the `score` and the `ceiling` have above the
    floor: the variance of each, and `both`, their covariance. Without truth only of the score."""
    found = {}
    for metric in metrics:
        if metric.influence is None:
            continue
        base = linear(metric, floor, data)
        score = linear(metric, answers, data).minus(base)
        found[metric.name] = {"score": score.variance()}
        if truth is not None:
            ceiling = linear(metric, truth, data).minus(base)
            apart = score.minus(ceiling).variance()
            both = (score.variance() + ceiling.variance() - apart) / 2
            found[metric.name] |= {"ceiling": ceiling.variance(), "both": both}
    return {n: of for n, of in found.items() if all(map(math.isfinite, of.values()))}


def stored(answers: Any) -> Any:
    """Answers as they are kept: probabilities in float32, values as they are, since what is to be
    told apart may be small beside their size. Scores are computed from these, so that a metric
    computed later from the file is the same number."""
    if isinstance(answers, list):
        return answers
    return answers.astype(np.float32 if answers.ndim == 2 else np.float64)


def scored_on(task: Any, data: Data, metrics: list[Metric], answers: Any) -> Scored:
    """How answers, as they are kept, are judged."""
    truth = None if data.truth is None else stored(data.truth)
    floor = stored(floor_answers(data))
    return Scored(
        metrics,
        scores(task, data, metrics, answers),
        scores(task, data, metrics, floor),
        None if truth is None else scores(task, data, metrics, truth),
        lifts(data, metrics, answers, truth, floor),
    )


def own_influences(data: Data, metrics: Sequence[Metric], answers: Any) -> dict[str, np.ndarray]:
    """Of metrics that a report could not compute by itself: how each row moves them."""
    return {
        f"influence_{metric.name}": metric.influence(answers, data.test_labels)[1]
        for metric in metrics
        if metric.influence is not None
        and named(metric.name) is not metric
        and not metric.name.startswith("recall_at_")
    }
