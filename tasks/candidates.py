"""Documents as what might be read out of them: what the view `features` gives where an answer is a
part of a text.

Whoever wants a value out of a document looks at all that could be it. The candidates of all
documents lie in one table, of which each document has a stretch.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Candidates:
    """n documents and m candidates.

    Columns of the table are numbers, truth values, or texts (type `string`): the words about a
    candidate, from which a model may learn those that matter.
    """

    table: pd.DataFrame
    """(m, columns) what is known of each candidate"""
    field: np.ndarray
    """(m,) str objects: the field of the answer that it may be the value of"""
    value: np.ndarray
    """(m,) str objects: what the answer would be, in the form that labels have"""
    start: np.ndarray
    """(n,) int64: the candidates of document i stand at start[i] to stop[i]; it may have none"""
    stop: np.ndarray
    """(n,) int64"""

    def __post_init__(self) -> None:
        m = len(self.table)
        for name in ("field", "value"):
            if len(getattr(self, name)) != m:
                raise ValueError(
                    f"there are {m:,} candidates and {len(getattr(self, name)):,} of {name}"
                )
        if len(self.start) != len(self.stop):
            raise ValueError(f"{len(self.start):,} stretches begin and {len(self.stop):,} end")
        if len(self.start) and (self.start.min() < 0 or self.stop.max() > m):
            raise ValueError(f"a document reaches beyond the {m:,} candidates that there are")

    def __len__(self) -> int:
        return len(self.start)

    def __getitem__(self, rows: slice | np.ndarray) -> "Candidates":
        """These documents, in this order, over the same candidates."""
        return Candidates(self.table, self.field, self.value, self.start[rows], self.stop[rows])
