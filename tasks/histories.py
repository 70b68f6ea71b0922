"""Rows with a past: what the view `events` gives.

A row is known by what it is at its moment (`now`) and by what happened to the same entity before
it. The events of all rows lie in one table, grouped by entity and oldest first, of which each row
has a stretch: rows of one user share its beginning, and the later ones see more of it.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Histories:
    """n rows and the m events before them.

    Columns are numbers, truth values, categories, or texts (type `string`). A column that stands in
    both tables means the same in both; those that stand in `events` alone are what came of it.
    """

    now: pd.DataFrame
    """(n, columns) what is known of each row at its moment; nothing of its own outcome."""
    moment: np.ndarray
    """(n,) int64, seconds"""
    events: pd.DataFrame
    """(m, columns) what happened, and what came of it; only what is in some row's past"""
    event_moment: np.ndarray
    """(m,) int64, seconds; rising within an entity"""
    start: np.ndarray
    """(n,) int64: the past of row i is `events[start[i]:stop[i]]`; equal for rows of an entity."""
    stop: np.ndarray
    """(n,) int64"""

    PARTS: ClassVar = ("now", "moment", "events", "event_moment", "start", "stop")

    def __post_init__(self) -> None:
        n, m = len(self.now), len(self.events)
        for name, length in (("moment", n), ("start", n), ("stop", n), ("event_moment", m)):
            if len(getattr(self, name)) != length:
                raise ValueError(
                    f"histories have {length:,} "
                    f"{'events' if name == 'event_moment' else 'rows'} and "
                    f"{len(getattr(self, name)):,} values of {name}"
                )
        if n and (self.start.min() < 0 or self.stop.max() > m):
            raise ValueError(f"a past reaches beyond the {m:,} events that there are")

    def __len__(self) -> int:
        return len(self.now)

    def __getitem__(self, rows: slice | np.ndarray) -> "Histories":
        """These rows, in this order, over the same events."""
        now = self.now.iloc[rows].reset_index(drop=True)
        moment, start, stop = self.moment[rows], self.start[rows], self.stop[rows]
        return Histories(now, moment, self.events, self.event_moment, start, stop)

    def trimmed(self) -> "Histories":
        """The same rows over those events alone that are in the past of one of them."""
        m = len(self.events)
        edges = np.zeros(m + 1, np.int64)  # how many pasts begin at an event, less those that end
        np.add.at(edges, self.start, 1)
        np.add.at(edges, self.stop, -1)
        kept = np.cumsum(edges[:-1]) > 0
        place = np.concatenate([[0], np.cumsum(kept)])
        return Histories(
            self.now,
            self.moment,
            self.events[kept].reset_index(drop=True),
            self.event_moment[kept],
            place[self.start],
            place[self.stop],
        )

    def joined(self, other: "Histories") -> "Histories":
        """All rows of both, each with its own past."""
        m = len(self.events)
        return Histories(
            pd.concat([self.now, other.now], ignore_index=True),
            np.concatenate([self.moment, other.moment]),
            pd.concat([self.events, other.events], ignore_index=True),
            np.concatenate([self.event_moment, other.event_moment]),
            np.concatenate([self.start, other.start + m]),
            np.concatenate([self.stop, other.stop + m]),
        )

    def differing(self, other: "Histories", n: int) -> set[str]:
        """Names of what is not exactly alike in the first n rows of both: columns of `now`, and
        `events.NAME` for those of their pasts."""
        found = {str(c) for c in self.now if not self.now[c][:n].equals(other.now[c][:n])}
        if not np.array_equal(self.moment[:n], other.moment[:n]):
            found.add("moment")
        mine, theirs = self[:n].past(), other[:n].past()
        if not np.array_equal(mine.index, theirs.index):
            return found | {"events"}
        return found | {f"events.{c}" for c in mine if not mine[c].equals(theirs[c])}

    def past(self) -> pd.DataFrame:
        """Every event of every row's past, row by row: the events' columns and `moment`, with the
        row's place as the index."""
        length = self.stop - self.start
        row = np.repeat(np.arange(len(self)), length)
        first = np.repeat(self.start - np.cumsum(length) + length, length)
        place = first + np.arange(len(row))
        found = self.events.iloc[place].assign(moment=self.event_moment[place])
        return found.set_index(row)

    def parts(self) -> dict[str, Any]:
        """Frames and arrays that `Histories(**parts)` makes the same rows of."""
        return {name: getattr(self, name) for name in self.PARTS}


def histories(
    now: pd.DataFrame,
    entity: np.ndarray,
    moment: np.ndarray,
    events: pd.DataFrame,
    event_entity: np.ndarray,
    event_moment: np.ndarray,
    known_after: int = 0,
) -> Histories:
    """Rows with the pasts that they have by their moment.

    now: (n, columns); entity: (n,) integer codes; moment: (n,) seconds. events: (m, columns) in any
    order, with their entities and moments. known_after: seconds from an event to the moment at
    which what came of it is known; an event is in the past of rows from then on.
    """
    order = np.lexsort((event_moment, event_entity))
    owner, known = event_entity[order], event_moment[order] + known_after
    first = np.searchsorted(owner, entity)
    # One sorted key for both: entities follow each other, and moments within them.
    low = int(min(known.min(initial=0), moment.min(initial=0)))
    span = int(max(known.max(initial=0), moment.max(initial=0))) - low + 2
    stop = np.searchsorted(owner * span + known - low, entity * span + moment - low, "right")
    return Histories(
        now.reset_index(drop=True),
        np.asarray(moment, np.int64),
        events.iloc[order].reset_index(drop=True),
        np.asarray(event_moment[order], np.int64),
        first.astype(np.int64),
        np.maximum(stop, first).astype(np.int64),
    )


def split(made: Histories, n_train: int) -> tuple[Histories, Histories]:
    """Train rows, which know nothing of the events after the last of them, and test rows."""
    return made[:n_train].trimmed(), made[n_train:].trimmed()
