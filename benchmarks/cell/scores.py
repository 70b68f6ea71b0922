"""What a cell is scored by: its task's metrics, computed from answers as they are stored."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.cell.protocols import offered
from tasks.base import Data, floor_answers
from tasks.metrics import BESIDE, OF_KIND, Metric, applies, named


@dataclasses.dataclass(frozen=True)
class Scored:
    """What a cell is judged by."""

    metrics: list[Metric]
    scores: dict[str, float]
    floor: dict[str, float]
    ceiling: dict[str, float] | None


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
    metrics = [_named(metric, task) for metric in given or OF_KIND[data.kind]]
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
