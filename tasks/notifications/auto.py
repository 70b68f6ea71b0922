"""Features by a machine: the raw log, as `events` reads it, summed up by tasks.synthesis."""

from typing import Any

import numpy as np
import pandas as pd

from tasks.base import Data
from tasks.histories import histories
from tasks.notifications.people import DAY, HOUR
from tasks.synthesis import synthesise

SENT = ["topic", "discount", "urgency", "title"]
ABOUT = ["age_band", "plan", "platform", "country"]


def view(task: Any, data: Data) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What the tables are, and no more: which columns come of them follows from their types."""
    sent, users = data.raw.notifications.to_pandas(), data.raw.users.to_pandas()
    sent["title"] = sent["title"].astype("string")
    known = sent[["user_id"]].merge(users, on="user_id", how="left", validate="many_to_one")
    second, signed_up = (
        moment.to_numpy().astype("datetime64[s]").astype(np.int64)
        for moment in (sent["sent_at"], known["signed_up"])
    )
    user = sent["user_id"].to_numpy().astype(np.int64)
    now = pd.concat([sent[SENT], known[ABOUT]], axis=1)
    now["days_since_sign_up"] = (second - signed_up) / DAY
    events = pd.concat([sent[[*SENT, "opened"]], known[ABOUT]], axis=1)
    made = histories(now, user, second, events, user, second, known_after=HOUR)
    return synthesise(made, data.raw.train_rows, HOUR, ABOUT, task.n_jobs)
