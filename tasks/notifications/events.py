"""The raw log, as a sequence model reads it: each notification, and its user's earlier ones with
what came of them. Nothing is counted, no rate is taken: what a past means is the model's to find.

A user's notifications are at least an hour apart and an open counts within that hour, so of all
earlier ones it is known whether they were opened (the same holds in features.sql).
"""

from typing import Any

import numpy as np
import pandas as pd

from tasks.base import Data
from tasks.histories import Histories, histories, split
from tasks.notifications.people import DAY, HOUR

SENT = ["topic", "discount", "urgency", "title", "hour", "weekday"]


def view(_task: Any, data: Data) -> tuple[Histories, Histories]:
    """Of a row: the notification, and what is known of its user. Of its past: notifications, and
    `opened`."""
    log = data.raw
    # Dictionary columns come as categories; a title is a text that models read word by word.
    sent = log.notifications.to_pandas()
    sent["title"] = sent["title"].astype("string")
    second = sent["sent_at"].to_numpy().astype("datetime64[s]").astype(np.int64)
    sent["hour"] = (second % DAY / HOUR).astype(np.float32)
    sent["weekday"] = pd.Categorical((second // DAY + 3) % 7, categories=range(7))  # 0: Monday
    users = log.users.to_pandas().set_index("user_id")
    user = sent["user_id"].to_numpy().astype(np.int64)
    known = users.loc[user].reset_index(drop=True)
    signed_up = known.pop("signed_up").to_numpy().astype("datetime64[s]").astype(np.int64)
    known["days_since_sign_up"] = ((second - signed_up) / DAY).astype(np.float32)
    made = histories(
        pd.concat([sent[SENT], known], axis=1),
        user,
        second,
        sent[[*SENT, "opened"]],
        user,
        second,
        known_after=HOUR,
    )
    return split(made, log.train_rows)
