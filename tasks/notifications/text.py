"""The raw log as a person would tell it: who the user is, what came of the last notifications, and
the one at hand. A paragraph, for models that read.

Of a past the latest events alone are told, since each word is read at a price.
"""

from typing import Any

import numpy as np
import pandas as pd

from tasks.base import Data
from tasks.histories import Histories
from tasks.notifications import events

TOLD = 3  # events of a past, the latest ones
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def view(task: Any, data: Data) -> tuple[list[str], list[str]]:
    """(train, test)"""
    train, test = events.view(task, data)
    return told(train), told(test)


def told(rows: Histories) -> list[str]:
    """A paragraph for each row."""
    past, now = sentences(rows.events), sentences(rows.now)
    came = np.where(rows.events["opened"].to_numpy(dtype=bool), "opened", "ignored")
    users = rows.now[["age_band", "plan", "platform", "country"]].astype(str).agg(", ".join, axis=1)
    days = rows.now["days_since_sign_up"].to_numpy()
    texts = []
    for k, user in enumerate(users):
        lines = [f"User: {user}, here for {days[k]:.0f} days."]
        for place in range(max(rows.start[k], rows.stop[k] - TOLD), rows.stop[k]):
            ago = gap(rows.moment[k] - rows.event_moment[place])
            lines.append(f"{ago} ago: {past[place]} -> {came[place]}")
        lines.append(f"Now: {now[k]}")
        texts.append("\n".join(lines))
    return texts


def sentences(sent: pd.DataFrame) -> list[str]:
    """What was sent, and when."""
    columns = (sent[name] for name in ("weekday", "hour", "topic", "discount", "urgency", "title"))
    return [
        f"{DAYS[int(weekday)]} {int(hour):02d}:{int(hour % 1 * 60):02d}, {topic}, "
        f"{int(discount)}% off, {urgency} urgency: {title}"
        for weekday, hour, topic, discount, urgency, title in zip(*columns, strict=True)
    ]


def gap(seconds: int) -> str:
    """In hours up to two days, then in days."""
    hours = seconds / 3600
    if hours < 48:
        return f"{hours:.0f} hour{'' if round(hours) == 1 else 's'}"
    return f"{hours / 24:.0f} days"
