"""Regular expressions: what a person who has seen the documents writes down about them.

You do: read some hundred documents, and note how each value is called and what it looks like.
It does: looks for these words, takes what stands behind or beneath them, and never learns another.
Pays in: a person's days; a wording that nobody thought of is not found.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Le

# By the fields of `receipts`, and written for no other task: the words of the documents that were
# there to be read, and some that anybody would think of.
LABELS = {
    "total": "grand total, invoice total, total to pay, to pay, total, balance due",
    "date": "invoice date, date of issue, date of sale, sale date, issued, invoiced on, sold on, "
    "date, dated",
    "number": "invoice no, invoice number, invoice id, inv. no, receipt no, rcpt no, "
    "receipt number, ticket, invoice, receipt, bill no, bill number",
}
GAPS = {"total": r"[^\d\n-]{0,30}", "date": "[ .:=>-]*", "number": "[ .:=>-]*"}  # before a value
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTH = f"(?:{'|'.join(MONTHS)})[a-z]*"
VALUES = {
    "total": r"(\d{1,3}(?:[,.]?\d{3})*[.,]\d\d)(?![\d,.])",
    "date": r"(\d{4}-\d\d-\d\d|\d\d?[/.]\d\d?[/.](?:\d{4}|\d\d)"
    rf"|\d\d? {MONTH} \d{{4}}|{MONTH} \d\d?, \d{{4}})(?!\d)",
    "number": r"((?=[A-Z0-9/-]{0,9}\d)[A-Z0-9][A-Z0-9/-]{3,30})(?!\w)",
}
FORMS = {field: re.compile(form, re.ASCII | re.IGNORECASE) for field, form in VALUES.items()}
AMERICAN = re.compile(r"\b[A-Z]{2} \d{5}\b", re.ASCII)  # state and ZIP: months come first


@dataclass
class Rules:
    # A word whose value was the right one in a smaller share of the train rows is struck out.
    precision: Annotated[float, Ge(0), Le(1)] = 0.5
    view: str = "text"  # which view of the task it reads

    era: ClassVar[str] = "rules"
    # MUC-4, the Fourth Message Understanding Conference: systems of patterns written by hand.
    year: ClassVar[int] = 1992
    answers: ClassVar[tuple[str, ...]] = ("answers",)

    def fit(self, X: list[str], y: list[dict[str, str]]) -> "Rules":
        """X: n texts; y: n answers of `receipts`. It learns no word and no form: it only strikes
        out words that misled it, and tries those first that were right most often."""
        known = set(LABELS)
        if not all(isinstance(answer, dict) and set(answer) == known for answer in y):
            raise ValueError(
                f"rules are written for receipts and find {', '.join(LABELS)}: no other answers"
            )
        lines = [text.splitlines() for text in X]
        self.labels_: dict[str, list[str]] = {}
        struck: list[str] = []
        for field, labels in LABELS.items():
            right = {}
            for label in labels.split(", "):
                said = [self._value(field, [label], document) for document in lines]
                hits = [s == answer[field] for s, answer in zip(said, y, strict=True) if s]
                right[label] = sum(hits) / len(hits) if hits else 1.0
            kept = [label for label in right if right[label] >= self.precision]
            self.labels_[field] = sorted(kept, key=lambda label: -right[label])
            struck += [label for label in right if label not in kept]
        self.n_parameters_ = sum(map(len, self.labels_.values()))  # words that are left
        self.notes_: dict[str, Any] = {"struck_out": ", ".join(struck)}
        return self

    def answer(self, X: list[str]) -> list[dict[str, str]]:
        """-> n answers; a field that was not found is left out."""
        answers = []
        for text in X:
            lines = text.splitlines()
            said = {f: self._value(f, labels, lines) for f, labels in self.labels_.items()}
            answers.append({field: value for field, value in said.items() if value is not None})
        return answers

    def _value(self, field: str, labels: list[str], lines: list[str]) -> str | None:
        """What stands by the first of these words that is there; of several totals the last."""
        for label in labels:
            found = list(values_by(label, field, lines))
            if found:
                return in_one_form(field, found[-1 if field == "total" else 0], lines)
        return None


def values_by(label: str, field: str, lines: list[str]) -> Iterator[str]:
    """What stands behind a word on its line; else what begins beneath it."""
    word = re.compile(rf"(?<![\w-]){re.escape(label)}\b{GAPS[field]}", re.IGNORECASE)
    form = FORMS[field]
    for k, line in enumerate(lines):
        for there in word.finditer(line):
            found = form.match(line, there.end())
            if found is None and k + 1 < len(lines):
                found = form.match(lines[k + 1], there.start())
            if found is not None:
                yield found[1]


def in_one_form(field: str, text: str, lines: list[str]) -> str | None:
    """1234.50, 2024-03-17, INV-20391; None for a day that no calendar has."""
    if field == "total":
        return f"{re.sub('[.,]', '', text[:-3])}.{text[-2:]}"
    if field == "number":
        return text.upper()
    parts = [part for part in re.split(r"[^a-z0-9]+", text.casefold()) if part]
    if "-" in text:
        year, month, day = map(int, parts)
    elif named := [part for part in parts if part.isalpha()]:
        month = MONTHS.index(named[0][:3]) + 1
        day, year = (int(part) for part in parts if part.isdigit())
    else:
        day, month, year = map(int, parts)
        if "/" in text and any(AMERICAN.search(line) for line in lines):
            day, month = month, day
    try:
        return date(year if year > 99 else 2000 + year, month, day).isoformat()
    except ValueError:
        return None
