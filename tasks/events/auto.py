"""Features by a machine: the past that `events` holds, summed up by tasks.synthesis."""

from typing import Any

import pandas as pd

from tasks.base import Data
from tasks.events.past import past_of
from tasks.synthesis import synthesise


def view(task: Any, data: Data) -> tuple[pd.DataFrame, pd.DataFrame]:
    past = past_of(data.raw, with_attributes=True)
    split = data.raw.train_rows
    return synthesise(past.made, split, past.known_after, past.about, task.n_jobs)
