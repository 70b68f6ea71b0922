"""Rows in ten groups by what was predicted for them."""

import numpy as np

TENTHS = 10


def tenths(values: np.ndarray) -> np.ndarray:
    """(n,) numbers -> (n,) 0 to 9, from the least to the largest, of about as many rows each.

    Rows with the same value have no order: all of them are in the group that their middle is in,
    so that some groups may be larger than others and some empty.
    """
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(count) - count / 2
    return np.minimum(TENTHS * middle[place] / len(values), TENTHS - 1).astype(int)
