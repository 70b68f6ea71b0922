"""What an engineer builds in a week: all that could be a total, a date or a number, and what stands
about it.

Whether an amount is the total shows in where it stands, in how large it is beside the others, and
in the words about it. The words are handed on as they are; a model learns from train rows which of
them matter.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tasks.base import Data
from tasks.candidates import Candidates
from tasks.receipts.normal import MONTHS, amount, date, iso, number

MOST = 200  # candidates of a field in a document, the first ones
WORDS = 28  # characters of words about a candidate that are looked at
MONEY = re.compile(r"(?<![\w.,/'-])\d{1,3}(?:[.,' ]?\d{3}){0,3}[.,]\d\d(?![\w%]|[.,/'-]\d)", re.ASCII)
NAMED = "|".join(sorted(MONTHS, key=len, reverse=True))
DATE = re.compile(
    r"(?<![\w./-])(?:\d{4}-\d\d-\d\d|\d\d?\.\d\d?\.\d{4}|\d\d?/\d\d?/(?:\d{4}|\d\d)"
    rf"|\d\d?[. -]{{1,2}}(?:{NAMED})[. -]{{1,2}}\d{{4}}|(?:{NAMED})\.? \d\d?, \d{{4}})(?![\w/-])",
    re.IGNORECASE,
)
NUMBER = re.compile(r"(?<![\w./-])[A-Z0-9][A-Z0-9./-]*\d(?![\w%])", re.ASCII)
SLASHED = re.compile(r"(\d\d?)/(\d\d?)/(\d{4}|\d\d)")
ZIP = re.compile(r"\b[A-Z]{2} \d{5}\b")  # of an American address
CURRENCY = re.compile(r"[$€£]|\b(?:USD|EUR|GBP|CHF|CAD|SEK|kr)\b")
LINE_END = re.compile(r"\r\n?|\n")


class Span(NamedTuple):
    """A part of a line that may be the value of a field."""

    field: str
    value: str
    line: int
    start: int
    stop: int


def view(_task: Any, data: Data) -> tuple[Candidates, Candidates]:
    """-> candidates of the train rows, of the test rows"""
    return tuple(candidates([d.text for d in part]) for part in data.raw)  # type: ignore[return-value]


def candidates(texts: list[str]) -> Candidates:
    """All that may be the total, the date or the number of these documents."""
    spans, tables = [], []
    for text in texts:
        lines = LINE_END.split(text)
        found = list(spans_of(lines, month_first=ZIP.search(text) is not None))
        spans.append(found)
        tables += [described(span, lines, found) for span in ()]  # pragma: no cover
    raise NotImplementedError
