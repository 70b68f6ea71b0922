"""Formats in which texts are numbers, times of day, lengths of time or moments.

A format belongs to a column: one that explains every value of it, or none. Nothing here looks at a
value alone, and where two formats explain all values both are given, for someone to choose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

FIRST = 50  # different texts, of which half must fit for a format to be tried on all
SPACES = " \u00a0\u202f"
INFINITE = r"^[+-]?(?i:inf|infinity)$"
NUMBER = {
    ".": (
        r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$",
        # 1,234,567.8 and 1 234.5 and 1'234, and 12,34,567 as it is written in India
        rf"^[+-]?[1-9]\d{{0,2}}([,'’{SPACES}]\d{{3}})+(\.\d*)?$|^[+-]?[1-9]\d?(,\d\d)+,\d{{3}}(\.\d*)?$",
    ),
    ",": (
        r"^[+-]?(\d+(,\d*)?|,\d+)([eE][+-]?\d+)?$",
        rf"^[+-]?[1-9]\d{{0,2}}([.'’{SPACES}]\d{{3}})+(,\d*)?$",
    ),
}
"""Decimal sign -> how numbers look without and with signs between the thousands."""
UNITS = "%$€£¥₹"
DECIMAL = {".": "decimal point", ",": "decimal comma"}

ORDERS = {"dmy": "day first", "mdy": "month first", "ymd": "year first"}
MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
CLOCK = (
    r"(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?P<f>[.,]\d+)?)?(?: ?(?P<p>[AaPp])\.?[Mm]\.?)?"
)
ZONE = r"(?: ?(?P<z>Z|UTC|GMT|[+-]\d{2}:?\d{2}))?"
WEEKDAY = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|mon|tue|wed|thu|fri|sat|sun)[a-z]*[.,]* +)?"
DAY = r"[1-9]\d{3}-\d{2}-\d{2}"
TIME = r"[T ]\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?"
HOURS = (
    r"^(?P<s>-)?(?P<H>\d+):(?P<M>[0-5]\d)(?::(?P<S>[0-5]\d)(?P<f>[.,]\d+)?)?"
    r"(?: ?(?P<p>[AaPp])\.?[Mm]\.?)?$"
)
LENGTH = (
    r"^-?(?:\d+ days?(?:,? [+-]?\d{1,2}:\d{2}:\d{2}(?:\.\d+)?)?"
    r"|P\d+D(?:T.*)?|PT(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)$"
)


class Reading(NamedTuple):
    """What a format makes of the different texts of a column."""

    kind: str
    """number or date"""
    way: str
    """The format in a word: a decimal sign, the order of a date, or what there is only one of."""
    told: str
    """The format, for people."""
    values: pa.Array
    """int64, float64 or timestamp[us]; null where the format does not explain the text."""
    key: tuple[str, ...] = ()
    """By which `again` reads other texts in this format."""

    @property
    def explains(self) -> np.ndarray:
        return pc.is_valid(self.values).to_numpy(zero_copy_only=False)


def readings(levels: pa.Array) -> list[Reading]:
    """What each format that fits makes of the different texts of a column."""
    first = levels.slice(0, FIRST).to_pylist()
    found = [
        *numbers(*without_unit(levels, first)),
        *lengths(levels, first),
        *moments(levels, first),
    ]
    return [reading for reading in found if reading.explains.any()]


def without_unit(levels: pa.Array, first: list[str]) -> tuple[pa.Array, list[str], str]:
    """(texts, the first of them, their unit): without the sign that stands once in each of them."""
    for unit in UNITS:
        if all(unit in text for text in first):
            bare = without_sign(levels, unit)
            if not pc.any(pc.match_substring(bare, unit)).as_py():
                return bare, bare.slice(0, FIRST).to_pylist(), unit
    return levels, first, ""


def without_sign(levels: pa.Array, unit: str) -> pa.Array:
    return pc.replace_substring_regex(levels, rf"^([+-]?)[{unit}] ?| ?[{unit}]$", r"\1")


def again(key: tuple[str, ...], texts: pa.Array) -> pa.Array:
    """What a format that was chosen before (Reading.key) makes of other texts: int64, float64 or
    timestamp[us]; null where it does not explain them."""
    kind, *how = key
    if kind == "number":
        sign, unit = how
        return in_decimals(without_sign(texts, unit) if unit else texts, sign)[0]
    if kind == "clock":
        return on_clock(texts)[0]
    if kind == "length":
        return long(texts)
    if kind == "pattern":
        return by_pattern(texts, how[0]).values
    (date,) = (date for _, told, date in layouts() if told == how[0])
    return in_calendar(texts, date)[0]


def fits_half(pattern: str, texts: list[str]) -> bool:
    return 2 * sum(re.match(pattern, text) is not None for text in texts) >= len(texts)


def numbers(levels: pa.Array, first: list[str], unit: str) -> Iterator[Reading]:
    for sign, (plain, grouped) in NUMBER.items():
        if not fits_half(f"{plain}|{grouped}|{INFINITE}", first):
            continue
        values, is_grouped = in_decimals(levels, sign)
        told = DECIMAL[sign] + ", thousands apart" * is_grouped + f", {unit}" * bool(unit)
        yield Reading("number", sign, told, values, ("number", sign, unit))


def in_decimals(levels: pa.Array, sign: str) -> tuple[pa.Array, bool]:
    """(numbers with this decimal sign, does any have signs between its thousands?)"""
    is_plain, is_grouped = (pc.match_substring_regex(levels, p) for p in NUMBER[sign])
    is_infinite = pc.match_substring_regex(levels, INFINITE)
    fits = pc.or_(pc.or_(is_plain, is_grouped), is_infinite)
    texts = pc.if_else(fits, levels, pa.scalar(None, levels.type))
    separated = pc.replace_substring_regex(texts, f"[^0-9eE+{re.escape(sign)}-]", "")
    texts = pc.if_else(is_infinite, texts, separated)
    if sign == ",":
        texts = pc.replace_substring(texts, ",", ".")
    return whole_or_not(pc.utf8_ltrim(texts, "+")), bool(pc.any(is_grouped).as_py())


def whole_or_not(texts: pa.Array) -> pa.Array:
    """Whole numbers as int64 where all are and it holds them, else float64."""
    try:
        return texts.cast(pa.int64())
    except pa.ArrowInvalid:
        return texts.cast(pa.float64())


def lengths(levels: pa.Array, first: list[str]) -> Iterator[Reading]:
    """Times of day and lengths of time, as seconds."""
    if fits_half(HOURS, first):
        values, parts = on_clock(levels)
        if one_way(parts):
            only = (parts.text("S") == "").all()
            told = "hours and minutes" if only else "hours, minutes and seconds"
            yield Reading("number", "clock", f"{told}, in seconds", values, ("clock",))
    if fits_half(LENGTH, first):
        told = "lengths of time, in seconds"
        yield Reading("number", "length", told, long(levels), ("length",))


def on_clock(levels: pa.Array) -> tuple[pa.Array, Fields]:
    """(seconds of times of day, what these are made of)"""
    parts = fields(levels, HOURS)
    seconds, fits = clock(parts, most=np.iinfo(np.int64).max)
    seconds = np.where(parts.text("s") == "-", -seconds, seconds)
    return pa.array(seconds, mask=~fits), parts


def long(levels: pa.Array) -> pa.Array:
    """Seconds of lengths of time."""
    fits = pc.match_substring_regex(levels, LENGTH).to_numpy(zero_copy_only=False)
    found = pd.to_timedelta(pd.Series(levels.to_pylist()).where(fits), errors="coerce")
    return pa.array(found.dt.total_seconds(), from_pandas=True)


@cache
def layouts() -> tuple[tuple[str, str, str], ...]:
    """(order, how it is told, what a date looks like in it); never one that two dates could share
    with a version (10.4.2), a record (3-1-2) or a telephone number."""
    year, short, ours = r"(?P<y>\d{4})", r"(?P<yy>\d{2})", r"(?P<y>(?:19|20)\d{2})"
    number, two = r"\d{1,2}", r"\d{2}"
    found = []
    for sign in ("-", "/", ".", " "):
        s, d, m = re.escape(sign), f"(?P<d>{number})", f"(?P<m>{number})"
        found += [
            ("ymd", f"year{sign}month{sign}day", year + s + m + s + d),
            ("dmy", f"day{sign}month{sign}year", d + s + m + s + year),
            ("mdy", f"month{sign}day{sign}year", m + s + d + s + year),
        ]
        if sign != "/":
            d, m = f"(?P<d>{two})", f"(?P<m>{two})"
        if sign != " ":
            found += [
                ("dmy", f"day{sign}month{sign}year of two digits", d + s + m + s + short),
                ("mdy", f"month{sign}day{sign}year of two digits", m + s + d + s + short),
                (
                    "ymd",
                    f"year of two digits{sign}month{sign}day",
                    short + s + f"(?P<m>{two})" + s + f"(?P<d>{two})",
                ),
            ]
    d, name, gap = r"(?P<d>\d{1,2})", r"(?P<b>[A-Za-z]{3,9})", r"[-/ .,]+"
    found += [
        ("name", "day, name of the month, year", rf"{d}(?:st|nd|rd|th)?{gap}{name}{gap}{year}"),
        ("name", "day, name of the month, year of two digits", d + gap + name + gap + short),
        ("name", "name of the month, day, year", rf"{name}{gap}{d}(?:st|nd|rd|th)?{gap}{year}"),
        ("name", "year, name of the month, day", year + gap + name + gap + d),
        ("name", "name of the month, year", name + gap + year),
        ("name", "year, name of the month", year + gap + name),
        ("month", "year-month", ours + f"[-/](?P<m>{two})"),
        ("month", "month/year", f"(?P<m>{number})[-/]" + ours),
        ("week", "week of the year (ISO)", r"(?P<y>\d{4})-?W(?P<w>\d{1,2})(?:-?(?P<u>[1-7]))?"),
        ("ymd", COMPACT, ours + r"(?P<m>\d{2})(?P<d>\d{2})"),
    ]
    return tuple(found)


def moments(levels: pa.Array, first: list[str]) -> Iterator[Reading]:
    for order, told, date in layouts():
        if not fits_half(as_moment(date), first):
            continue
        values, parts = in_calendar(levels, date)
        with_clock = parts.there & (parts.text("H") != "")
        with_zone = parts.text("z") != ""
        if not one_way(parts) or (with_zone.any() and not with_zone[with_clock].all()):
            continue
        key = ("moment", told)
        told += ", with the time of day" * bool(with_clock.any())
        told += ", in UTC" * bool(with_zone.any())
        if "two digits" in told:
            told += " (1969 to 2068)"
        yield Reading("date", order, told, values, key)


def as_moment(date: str) -> str:
    """What a moment looks like whose date looks like this."""
    return rf"^{WEEKDAY}{date}(?:(?:T| +|, *){CLOCK}{ZONE})?$"


def in_calendar(levels: pa.Array, date: str) -> tuple[pa.Array, Fields]:
    """(moments whose date looks like this, what these are made of)"""
    parts = fields(levels, as_moment(date))
    days, fits = calendar(parts)
    seconds, in_a_day = clock(parts)
    moment = days.astype("M8[us]") + np.round((seconds - offsets(parts.text("z"))) * 1e6).astype(
        "m8[us]"
    )
    return pa.array(np.where(fits & in_a_day, moment, np.datetime64("NaT"))), parts


def is_stored_moment(text: str) -> bool:
    return re.fullmatch(f"{DAY}(?:{TIME})?", text) is not None


def stored_moments(texts: pa.ChunkedArray) -> Reading | None:
    """What `moments` makes of texts as databases write moments, without taking them apart: None
    unless each is one, and all have a time of day or none has."""
    told = "year-month-day"
    for pattern, ending in ((DAY, ""), (DAY + TIME, ", with the time of day")):
        if pc.all(pc.match_substring_regex(texts, f"^{pattern}$")).as_py():
            try:
                values = texts.cast(pa.timestamp("us"))
            except pa.ArrowInvalid:  # one that no calendar has
                return None
            return Reading("date", "ymd", told + ending, values, ("moment", told))
    return None


class Fields(NamedTuple):
    """The named parts of a pattern, of every text: empty where it has none."""

    parts: dict[str, np.ndarray]
    there: np.ndarray
    """Does the pattern fit?"""

    def text(self, name: str) -> np.ndarray:
        return self.parts.get(name, np.full(len(self.there), "", dtype=object))

    def number(self, name: str, absent: int = 0) -> np.ndarray:
        texts = self.text(name)
        return np.where(texts == "", str(absent), texts).astype(np.int64)


def fields(levels: pa.Array, pattern: str) -> Fields:
    found = pc.extract_regex(levels, pattern=pattern)
    there = pc.is_valid(found).to_numpy(zero_copy_only=False)
    names = [found.type.field(k).name for k in range(found.type.num_fields)]
    columns = (pc.fill_null(part, "").to_numpy(zero_copy_only=False) for part in found.flatten())
    return Fields(dict(zip(names, columns, strict=True)), there)


def calendar(parts: Fields) -> tuple[np.ndarray, np.ndarray]:
    """(days, which of them there are)"""
    year = parts.number("y")
    if "yy" in parts.parts:
        year = parts.number("yy")
        year += np.where(year < 69, 2000, 1900)  # as POSIX has it
    if "w" in parts.parts:
        week, weekday = parts.number("w"), parts.number("u", 1)
        fourth = (year - 1970).astype("M8[Y]").astype("M8[D]") + 3  # lies in the first week
        monday = fourth - (fourth.astype(np.int64) + 3) % 7 + 7 * (week - 1)
        fits = (monday + 3).astype("M8[Y]").astype(np.int64) + 1970 == year
        return monday + (weekday - 1), fits & parts.there & (year > 0)
    if "b" in parts.parts:
        month = np.array([month_of(name) for name in parts.text("b")])
    else:
        month = parts.number("m", 1)
    days, fits = days_of(year, month, parts.number("d", 1))
    return days, fits & parts.there


def days_of(year: np.ndarray, month: np.ndarray, day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(days, which of them there are)"""
    months = ((year - 1970) * 12 + month - 1).astype("M8[M]")
    days = months.astype("M8[D]") + (day - 1)
    fits = (month >= 1) & (month <= 12) & (days.astype("M8[M]") == months) & (year > 0)
    return days, fits


@cache
def month_of(name: str) -> int:
    """1 to 12, or 0 for what is no month's name or its beginning."""
    plain = name.lower()
    for place, whole in enumerate(MONTHS, 1):
        if plain in (whole, whole[:3], whole[:4] * (whole == "september")):
            return place
    return 0


def clock(parts: Fields, most: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """(seconds since midnight, which of them there are)"""
    hour, minute, second = (parts.number(name) for name in "HMS")
    half = parts.text("p")
    has_half = half != ""
    fits = (hour < most) & (minute < 60) & (second < 60) & parts.there
    fits &= ~has_half | ((hour >= 1) & (hour <= 12))
    hour = np.where(has_half, hour % 12 + 12 * np.isin(half, ("p", "P")), hour)
    fraction = parts.text("f")
    some = fraction != ""
    seconds = (hour * 3600 + minute * 60 + second).astype(np.float64)
    seconds[some] += [float("0." + text[1:]) for text in fraction[some]]
    return seconds, fits


def one_way(parts: Fields) -> bool:
    """Have all times of day a half of the day (AM, PM), or none?"""
    timed = parts.there & (parts.text("H") != "")
    halves = parts.text("p")[timed] != ""
    return not timed.any() or bool(halves.all() or not halves.any())


def offsets(zones: np.ndarray) -> np.ndarray:
    """Seconds that a clock of each zone is ahead of UTC."""

    @cache
    def ahead(zone: str) -> int:
        if zone in ("", "Z", "UTC", "GMT"):
            return 0
        digits = zone[1:].replace(":", "")
        return (-1 if zone[0] == "-" else 1) * (int(digits[:2]) * 3600 + int(digits[2:]) * 60)

    return np.array([ahead(zone) for zone in zones], dtype=np.float64)


def by_pattern(levels: pa.Array, pattern: str) -> Reading:
    """Moments written as a strptime pattern says. Raises ValueError for one that is none."""
    try:
        found = pd.to_datetime(
            pd.Series(levels.to_pylist()), format=pattern, errors="coerce", utc=True
        )
    except ValueError as error:
        raise ValueError(f"task.dates={pattern}: {error}") from None
    values = pa.array(found.dt.tz_localize(None).astype("datetime64[us]"), from_pandas=True)
    return Reading("date", pattern, pattern, values, ("pattern", pattern))


COMPACT = "year, month and day without signs"
YEARS = (2000, 2040)  # in which whole numbers may be seconds since 1970
SINCE = {"seconds": 10**6, "milliseconds": 10**3, "microseconds": 1}


def since_1970(low: float, high: float) -> str | None:
    """The unit in which numbers between these are moments of our time."""
    begin, end = ((year - 1970) * 365.2425 * 86_400 * 1e6 for year in YEARS)
    for unit, microseconds in SINCE.items():
        if begin <= low * microseconds and high * microseconds <= end:
            return unit
    return None


def from_numbers(values: pa.Array) -> tuple[str, pa.Array] | None:
    """(how it is told, moments) of numbers that say when: 20240131, years, or time since 1970."""
    floats = values.cast(pa.float64(), safe=False)
    ends = pc.min_max(floats)
    low, high = ends["min"].as_py(), ends["max"].as_py()
    if low is None or not np.isfinite([low, high]).all():
        return None
    if (unit := since_1970(low, high)) is not None:
        told = f"{unit} since 1970"
    elif not pc.all(pc.equal(floats, pc.floor(floats))).as_py():
        return None
    elif low >= 1 and high <= 9999:
        told = "years"
    elif low >= 19000101 and high < 21010101:
        told = COMPACT
    else:
        return None
    found = counted(values, told)
    return None if found.null_count > values.null_count else (told, found)


def counted(values: pa.Array, told: str) -> pa.Array:
    """Moments that numbers say in this way (see `from_numbers`); null for what is none."""
    floats = values.cast(pa.float64(), safe=False)
    if told.endswith("since 1970"):
        exact = values if pa.types.is_integer(values.type) else floats
        scaled = pc.multiply(exact, SINCE[told.split()[0]]).cast(pa.int64(), safe=False)
        return scaled.cast(pa.timestamp("us"))
    there = pc.is_valid(values).to_numpy(zero_copy_only=False)
    n = pc.fill_null(floats, 0).cast(pa.int64(), safe=False).to_numpy()
    n = n * 10_000 + 101 if told == "years" else n
    days, fits = days_of(n // 10_000, n // 100 % 100, n % 100)
    return pa.array(days.astype("M8[us]"), mask=~(there & fits))
