"""The trace as it was recorded."""

from typing import Any

import numpy as np

from tasks.base import Data


def view(task: Any, data: Data) -> tuple[np.ndarray, np.ndarray]:  # noqa: ARG001 - views are called alike
    """(n, 1, samples) float32, millivolts; NaN where nothing was recorded."""
    raw = data.raw
    return raw.signals[raw.train][:, None], raw.signals[raw.test][:, None]
