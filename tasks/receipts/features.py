"""What an engineer builds in a week: all that could be a total, a date or a number, and what stands
about it.

Whether an amount is the total shows in where it stands, in how large it is beside the others, and
in the words about it. The words are handed on as they are; a model learns from train rows which of
them matter.
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tasks.base import Data
from tasks.candidates import Candidates
from tasks.receipts.normal import FIELDS, MONTHS, amount, date, iso, number

MOST = 200  # candidates of a field in a document, the first ones
SUMMED = 40  # amounts of a document, the largest ones, that are tried as sums
WORDS = 28  # characters of words about a candidate that are looked at
MONEY = re.compile(
    r"(?<![\w.,/'-])\d{1,3}(?:[.,' ]?\d{3}){0,3}[.,]\d\d(?![\w%]|[.,/'-]\d)", re.ASCII
)
NAMED = "|".join(sorted(MONTHS, key=len, reverse=True))
DATE = re.compile(
    r"(?<![\w./-])(?:\d{4}-\d\d-\d\d|\d\d?\.\d\d?\.\d{4}|\d\d?/\d\d?/(?:\d{4}|\d\d)"
    rf"|\d\d?[. -]{{1,2}}(?:{NAMED})[. -]{{1,2}}\d{{4}}|(?:{NAMED})\.? \d\d?, \d{{4}})(?![\w/-])",
    re.IGNORECASE,
)
NUMBER = re.compile(r"(?<![\w./-])[A-Z0-9][A-Z0-9./-]*\d(?![\w%])", re.ASCII)
SLASHED = re.compile(r"(\d\d?)/(\d\d?)/(\d{4}|\d\d)")
ZIP = re.compile(r"\b[A-Z]{2} \d{5}\b")  # of an American address
CURRENCY = re.compile(r"[$€£]|\b(?:USD|EUR|GBP|CHF|CAD|AUD|SEK|kr)\b")
LINE_END = re.compile(r"\r\n?|\n")
# Columns of the table
NUMBERS = (
    *("from_top", "from_bottom", "depth", "column", "is_first", "is_last", "on_line"),
    *("characters", "digits", "letters", "currency"),
    *("size", "of_largest", "is_largest", "rank", "alike", "sums", "parts"),
    *("days_after_first", "days_before_last", "only_one"),
)
TEXTS = ("before", "after", "above")


class Span(NamedTuple):
    """A part of a line that may be the value of a field."""

    field: str
    value: str
    line: int
    start: int
    stop: int


def view(_task: Any, data: Data) -> tuple[Candidates, Candidates]:
    """-> candidates of the train rows, of the test rows"""
    train, test = (candidates([document.text for document in part]) for part in data.raw)
    return train, test


def candidates(texts: list[str]) -> Candidates:
    """All that may be the total, the date or the number of these documents."""
    spans: list[Span] = []
    rows: list[dict[str, Any]] = []
    ends = [0]
    for text in texts:
        text = text.encode(errors="replace").decode()  # half a character cannot be kept
        lines = LINE_END.split(text)
        found = list(spans_of(lines, month_first=ZIP.search(text) is not None))
        spans += found
        rows += described(found, lines)
        ends.append(len(spans))
    table = pd.DataFrame(rows, columns=[*NUMBERS, *TEXTS]).astype(
        dict.fromkeys(NUMBERS, "float64") | dict.fromkeys(TEXTS, "string")
    )
    field, value = (np.array([span[k] for span in spans], dtype=object) for k in (0, 1))
    edges = np.array(ends, dtype=np.int64)
    return Candidates(table, field, value, edges[:-1], edges[1:])


def spans_of(lines: list[str], month_first: bool) -> Iterator[Span]:
    """Days, amounts, and then, of what is left, all that has three digits; line by line. Of
    03/04/2024 it takes the reading of the country that the address is of."""
    counts: Counter[str] = Counter()
    for k, line in enumerate(lines):
        taken: list[Span] = []
        for field, form in (("date", DATE), ("total", MONEY), ("number", NUMBER)):
            for match in form.finditer(line):
                start, stop = match.span()
                if counts[field] >= MOST:
                    break
                if field == "number" and any(s.start < stop and start < s.stop for s in taken):
                    continue
                value = read(field, match[0], month_first)
                if value is not None and not (field == "total" and line[:start].endswith("-")):
                    counts[field] += 1
                    taken.append(Span(field, value, k, start, stop))
        yield from sorted(taken, key=lambda span: span.start)


def read(field: str, text: str, month_first: bool) -> str | None:
    """The value in normal form; None where it is none."""
    if field == "total":
        return amount(text)
    if field == "number":
        return number(text) if sum(map(str.isdigit, text)) >= 3 else None
    if slashed := SLASHED.fullmatch(text):
        first, second, year = map(int, slashed.groups())
        month, of_month = (first, second) if month_first else (second, first)
        return iso(year if year > 99 else 2000 + year, month, of_month)
    return date(text)


def described(spans: list[Span], lines: list[str]) -> Iterator[dict[str, Any]]:
    """What is known of each candidate of a document."""
    of_field = {field: [s.value for s in spans if s.field == field] for field in FIELDS}
    alike = Counter((span.field, span.value) for span in spans)
    on_line = Counter((span.field, span.line) for span in spans)
    amounts = sorted({float(value) for value in of_field["total"]}, reverse=True)
    rank = {value: k for k, value in enumerate(amounts)}
    sums, parts = added_up(amounts)
    days = [np.datetime64(value) for value in of_field["date"]]
    for k, span in enumerate(spans):
        line, (start, stop) = lines[span.line], span[3:]
        # The words about it reach as far as what else on its line may be a value.
        left = spans[k - 1].stop if k and spans[k - 1].line == span.line else 0
        right = len(line)
        if k + 1 < len(spans) and spans[k + 1].line == span.line:
            right = spans[k + 1].start
        printed = line[start:stop]
        found = {
            "from_top": min(span.line, 30),
            "from_bottom": min(len(lines) - span.line, 30),
            "depth": span.line / len(lines),
            "column": min(start, 60),
            "is_first": not line[:start].strip(),
            "is_last": not line[stop:].strip(),
            "on_line": on_line[span.field, span.line],
            "characters": stop - start,
            "digits": sum(map(str.isdigit, printed)),
            "letters": sum(map(str.isalpha, printed)),
            "currency": CURRENCY.search(line[max(0, start - 4) : stop + 4]) is not None,
            "alike": alike[span.field, span.value],
            "only_one": len(of_field[span.field]) == 1,
            "before": line[max(left, start - WORDS) : start],
            "after": line[stop : min(right, stop + WORDS)],
            "above": above(lines[span.line - 1], start) if span.line else "",
        }
        if span.field == "total":
            size = float(span.value)
            found |= {
                "size": np.log1p(size),
                "of_largest": size / (amounts[0] or 1),
                "is_largest": size == amounts[0],
                "rank": rank[size],
                "sums": sums[size],
                "parts": parts[size],
            }
        if span.field == "date":
            day = np.datetime64(span.value)
            found["days_after_first"] = min(400, int((day - min(days)).astype(int)))
            found["days_before_last"] = min(400, int((max(days) - day).astype(int)))
        yield found


def added_up(amounts: list[float]) -> tuple[Counter[float], Counter[float]]:
    """How often each of the largest amounts is the sum of two others, and how often a part of one:
    the net and the tax are the total, and the total and the change are what was given."""
    cents = {round(100 * amount): amount for amount in amounts[:SUMMED]}
    sums: Counter[float] = Counter()
    parts: Counter[float] = Counter()
    for one, other in combinations(cents, 2):
        if (whole := cents.get(one + other)) is not None:
            sums[whole] += 1
            parts.update((cents[one], cents[other]))
    return sums, parts


def above(line: str, column: int) -> str:
    """What stands over a column of the next line, as far as the next wide gap."""
    return line[column : column + WORDS].split("  ")[0]
