"""Rows that lie on disk: what a model that goes over them a piece at a time needs beside its loop.

Such rows have a length, `pieces()`, frames one after the other, `blocks()`, places that are best
read at once, `frame(start, stop)` and `sample(n)`; a slice of them is again of the kind, or a frame
if it is short. (The kit's are in tasks/pieces.py.)
"""

from typing import Any

import pandas as pd

SAMPLE = 100_000  # rows that say what columns are like


def seen_of(X: Any) -> pd.DataFrame:
    """What levels, means and quantiles are learned from: all rows, or a sample of those on disk."""
    return X if isinstance(X, pd.DataFrame) else X.sample(SAMPLE)
