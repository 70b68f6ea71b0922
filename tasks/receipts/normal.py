"""One form for every answer: 1234.50, 2024-03-17, RE-20391.

A model may say the same in other forms. Those that can mean one thing only are understood; anything
else is no answer, which is wrong and counted.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date as day
from decimal import Decimal
from typing import Any

LONGEST = 64  # characters; no answer is longer
CURRENCY = r"(?:usd|eur|gbp|chf|cad|aud|sek|[ac]?\$|€|£|kr\.?)"
PLAIN = r"(?P<plain>[0-9]{1,12})"
GROUPS = r"(?P<first>[0-9]{1,3})(?P<groups>(?P<sign>[,.'’ ])[0-9]{3}(?:(?P=sign)[0-9]{3}){0,3})"
MONEY = re.compile(
    rf"(?:{CURRENCY}\s?)?(?:{PLAIN}|{GROUPS})(?:(?P<point>[.,])(?P<cents>[0-9]{{1,2}}))?"
    rf"(?:\s?{CURRENCY})?"
)
MONTHS = {
    name: k
    for k, names in enumerate(
        (
            "january jan januar",
            "february feb februar",
            "march mar märz mär",
            "april apr",
            "may mai",
            "june jun juni",
            "july jul juli",
            "august aug",
            "september sep sept",
            "october oct oktober okt",
            "november nov",
            "december dec dezember dez",
        ),
        1,
    )
    for name in names.split()
}
MONTH = r"(?P<month>[a-zä]{3,9})"
YEAR = r"(?P<y>[0-9]{4})"
DAY = r"(?P<d>[0-9]{1,2})"
DATES = tuple(
    re.compile(form)
    for form in (
        rf"{YEAR}(?P<sep>[-/.])(?P<m>[0-9]{{1,2}})(?P=sep){DAY}",
        rf"{DAY}\. ?(?P<m>[0-9]{{1,2}})\. ?{YEAR}",
        rf"{DAY}(?:st|nd|rd|th)?[ .-]{{1,2}}{MONTH}[ .,-]{{1,2}}{YEAR}",
        rf"{MONTH}\.? {DAY}(?:st|nd|rd|th)?,? {YEAR}",
    )
)
EITHER = re.compile(rf"(?P<a>[0-9]{{1,2}})(?P<sep>[-/])(?P<b>[0-9]{{1,2}})(?P=sep){YEAR}")
NUMBER = re.compile(r"[A-Z0-9][A-Z0-9/.-]*")


def amount(value: Any) -> str | None:
    """An amount with two decimals; None for what is none, or could be two: 1,234 may be a thousand
    or one and a bit."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value) if abs(value) < 1e12 else ""  # nor is it for what is no number
    if (text := _text(value)) is None or (found := MONEY.fullmatch(text.casefold())) is None:
        return None
    sign, groups = found["sign"], found["groups"] or ""
    if sign is not None and sign in (found["point"] or ".,") and not _is_plain(groups, found):
        return None
    whole = found["plain"] or found["first"] + re.sub(r"[^0-9]", "", groups)
    return f"{Decimal(whole + '.' + (found['cents'] or '0')):.2f}"


def _is_plain(groups: str, found: re.Match[str]) -> bool:
    """Several groups and no decimals: 1,234,567 is one thing only."""
    return found["point"] is None and len(groups) > 4


def date(value: Any) -> str | None:
    """A day as 2024-03-17; None for what is none, or could be two: 03/04/2024."""
    if (text := _text(value)) is None:
        return None
    text = text.casefold()
    for form in DATES:
        if found := form.fullmatch(text):
            named = found.groupdict()
            month = MONTHS.get(named["month"], 0) if "month" in named else int(named["m"])
            return iso(int(named["y"]), month, int(named["d"]))
    if found := EITHER.fullmatch(text):
        year, a, b = int(found["y"]), int(found["a"]), int(found["b"])
        readings = {iso(year, a, b), iso(year, b, a)} - {None}
        return readings.pop() if len(readings) == 1 else None
    return None


def iso(year: int, month: int, of_month: int) -> str | None:
    """None for a day that no calendar has."""
    try:
        return day(year, month, of_month).isoformat()
    except ValueError:
        return None


def number(value: Any) -> str | None:
    """A receipt's number as it is printed, in upper case and without blanks."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1e15:
        value = str(value)
    if (text := _text(value)) is None:
        return None
    text = "".join(text.split()).upper().removeprefix("#")
    return text if NUMBER.fullmatch(text) and re.search("[0-9]", text) else None


def _text(value: Any) -> str | None:
    if not isinstance(value, str) or len(value) > LONGEST:
        return None
    return " ".join(unicodedata.normalize("NFKC", value).split())


FIELDS: Mapping[str, Callable[[Any], str | None]] = {
    "total": amount,
    "date": date,
    "number": number,
}


def normal(answer: Any) -> dict[str, str | None]:
    """What a model's answer says of each field; None where it says nothing that can be understood.

    answer: a dict, or a text that is JSON of one.
    """
    if isinstance(answer, str):
        try:
            answer = json.loads(answer)
        except (ValueError, RecursionError):
            answer = None
    said = answer if isinstance(answer, dict) else {}
    return {field: read(said.get(field)) for field, read in FIELDS.items()}
