"""How long cells will take, as those let expect that have ended."""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Protocol

from benchmarks.records.records import Record


class Named(Protocol):
    """A cell by its names."""

    @property
    def name(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def model(self) -> str: ...


def left_of(
    cells: Iterable[Named], finished: Iterable[Record], begun: Mapping[str, float] | None = None
) -> float | None:
    """Seconds of these cells, one after the other: each as the mean of its model on its task, or of
    all where there is none. None where nothing has ended. begun: by name, seconds that a cell has
    had already."""
    took: dict[tuple[str, str], list[float]] = defaultdict(list)
    for record in finished:
        if record["seconds"] is not None:
            took[record["task"], record["model"]].append(record["seconds"])
    if not took:
        return None
    means = {key: statistics.mean(seconds) for key, seconds in took.items()}
    usual, begun = statistics.mean(s for seconds in took.values() for s in seconds), begun or {}
    each = ((means.get((c.task, c.model), usual), begun.get(c.name, 0.0)) for c in cells)
    return sum(max(0.0, mean - had) for mean, had in each)
