"""For the ideal observer: the log with its mechanism, and the positions of the test rows."""

from typing import Any

import numpy as np

from tasks.base import Data
from tasks.notifications.observer import Watched


def view(_task: Any, data: Data) -> tuple[Watched, np.ndarray]:
    """Train: the whole log, of which each prediction uses what came before it. Test: (n_test,)."""
    users, notifications, split, mechanism = data.raw
    log = Watched.read(users, notifications, mechanism, split)
    return log, np.arange(split, len(notifications))
