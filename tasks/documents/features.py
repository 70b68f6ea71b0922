"""Words and pairs of words, as one counted them from the seventies on."""

from typing import Any

import pandas as pd

from tasks.base import Data
from tasks.words import tfidf


def view(_task: Any, data: Data) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(train, test): a column for each of the commonest terms of train rows"""
    return tfidf(data.raw.train, data.raw.test)
