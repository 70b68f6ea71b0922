"""The raw events: of each label what is known at its moment, and what its entity did before.

Nothing is counted here, no rate is taken: what a past means is the model's to find.
"""

from typing import Any

from tasks.base import Data
from tasks.events.past import past_of
from tasks.histories import Histories, split


def view(_task: Any, data: Data) -> tuple[Histories, Histories]:
    return split(past_of(data.raw).made, data.raw.train_rows)
