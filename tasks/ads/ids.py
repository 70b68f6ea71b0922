"""Ids: every field of an impression as one number, which means nothing but itself.

The hash is BLAKE2b (RFC 7693) of the text `field=value`, cut to 31 bits: the same on every machine
and with every version of Python, and nothing has to be learned or kept to apply it.
"""

import hashlib
from typing import Any

import numpy as np
import pandas as pd

from tasks.ads.generator import DAY, HOUR
from tasks.base import Data


def view(task: Any, data: Data) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(n, fields) int64 from 0 to 2**31 - 1, of train and of test rows."""
    tables = {name: table.to_pandas() for name, table in task.tables(data).items()}
    rows = tables["impressions"]
    ads, users, publishers = (tables[name] for name in ("ads", "users", "publishers"))
    ad, user, publisher = (rows[f"{name}_id"].to_numpy() for name in ("ad", "user", "publisher"))
    moment = rows["moment"].to_numpy()
    fields = {
        "user": hashed("user", user),
        "age_band": hashed("age_band", users["age_band"])[user],
        "country": hashed("country", users["country"])[user],
        "ad": hashed("ad", ad),
        "campaign": hashed("campaign", ads["campaign_id"])[ad],
        "advertiser": hashed("advertiser", ads["advertiser_id"])[ad],
        "category": hashed("category", ads["category"])[ad],
        "publisher": hashed("publisher", publisher),
        "section": hashed("section", publishers["section"])[publisher],
        "slot": hashed("slot", rows["slot"]),
        "device": hashed("device", rows["device"]),
        "hour": hashed("hour", moment // HOUR % 24),
        "weekday": hashed("weekday", (moment // DAY + 3) % 7),  # the first of 1970 was a Thursday
    }
    table = pd.DataFrame(fields)
    split = len(data.train_labels)
    return table[:split], table[split:].reset_index(drop=True)


def hashed(field: str, values: Any) -> np.ndarray:
    """(n,) int64: each value's text with the field's name, so that user 7 is not ad 7."""
    place, levels = pd.factorize(values)
    texts = (f"{field}={level}".encode() for level in levels)
    digests = b"".join(hashlib.blake2b(text, digest_size=4).digest() for text in texts)
    return (np.frombuffer(digests, ">u4").astype(np.int64) >> 1)[place]
