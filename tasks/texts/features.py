"""The words of the texts, counted and weighed (tasks.words)."""

from typing import Any

import pandas as pd

from tasks.base import Data
from tasks.texts import text
from tasks.words import tfidf


def view(task: Any, data: Data) -> tuple[pd.DataFrame, pd.DataFrame]:
    return tfidf(*text.view(task, data), task.terms)
