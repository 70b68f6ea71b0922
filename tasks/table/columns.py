"""What the columns of a table are: numbers, categories, dates, texts, or nothing to learn from.

A column has one format, the one that explains all its values (tasks.table.formats), or it is plain
text: docs/adr/0011-a-column-has-one-format.md.
"""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tasks.table import formats
from tasks.table.formats import Reading
from tasks.table.target import FEW

Kind = Literal["number", "category", "date", "text", "out"]

MISSING = (
    *("", "NA", "N/A", "n/a", "na", "NaN", "nan", "NULL", "Null", "null", "None", "none"),
    *("?", "-", "--", ".", "#N/A", "<NA>", "NaT", "missing", "0000-00-00", "0000-00-00 00:00:00"),
)
"""Spellings of a missing value in a column of numbers or dates."""
NOTHING = ("", "NaN", "nan", "NULL", "null", "#N/A", "<NA>", "NaT")
"""Those of them that only programs write, and that are missing in every column: the others may be
words, such as the region NA or the plan None."""

MOSTLY = 0.95  # share of a column's values that have to be numbers or dates beside mere words
NEARLY = 0.75  # from this share on somebody should be asked
WORDS = 4  # words a value has on average in a column of texts
UNIQUE = 0.97  # from this share of different values on a column only names its rows
SOME = 10  # values that can't all be dates by chance
SAMPLED = 1_000  # rows that samples are taken from
EXACT = 2**53  # beyond it float64 has not every whole number
ID_NAME = re.compile(
    r"(^|[\s_.-])(id|ids|uuid|guid|key|index|nr|no)$|^(id|uuid|index)([\s_.-]|$)", re.I
)
CODE_NAME = re.compile(
    r"(^|[\s_.-])(code|sku|isbn|ean|upc|phone|telephone|tel|fax|iban|account)s?$", re.I
)
POST_NAME = re.compile(r"(^|[\s_.-])((zip|post|postal)[\s_.-]?(codes?)?|plz)$", re.I)
TIME_NAME = re.compile(r"(time|date|stamp|epoch|(^|_)ts$|_at$|_on$|created|updated)", re.I)
LEADING_ZERO = r"^[+-]?0\d"
EXPONENT = r"^\d+[eE]\d+$"
DECIMALS = ("number", ".", "")  # the format of what needs no second look
FRACTION = r"\.|[eE][+-]"
WHOLE = r"^[+-]?\d{16,}$"


@dataclass
class How:
    """How the values of a column were read, so that new ones are read the same (again.py)."""

    stored: str = "text"
    """As what the file had them (`stored_as`)."""
    key: tuple[str, ...] = ()
    """The format of texts that are numbers or moments (formats.again)."""
    since: str = ""
    """What numbers that say when count (formats.from_numbers)."""
    by_text: bool = False
    """Are numbers the names of categories?"""
    missing: list[str] = field(default_factory=list)
    """Spellings of a missing value."""
    words: list[str] = field(default_factory=list)
    """Mere words among numbers or moments, which are missing as well."""
    lossy: bool = False
    """Is missing whatever the format does not explain?"""


@dataclass
class Column:
    """What is known of a column before it is split."""

    name: str
    kind: Kind
    missing: int = 0
    distinct: int = 0
    """Different values, exactly; of numbers with a fraction nobody counts them (0)."""
    notes: list[str] = field(default_factory=list)
    """What was done to it, or why it is left out."""
    samples: list[str] = field(default_factory=list)
    """The first three different values, as they are stored."""
    format: str = ""
    """How its values are written, and from where to where they reach."""
    spelled: list[str] = field(default_factory=list)
    """How its missing values are spelled, beside not at all; three ways at most."""
    doubts: dict[str, str] = field(default_factory=dict)
    """What may be meant otherwise, or was left out: a kind of doubt (tasks.table.doubts) -> an
    example of it."""
    how: How = field(default_factory=How)

    def told(self, rows: int) -> tuple[str, str, str]:
        """(what it is taken for, three values of it, what was understood), for people."""
        different = f"{self.distinct:,} values" if self.kind == "category" else ""
        spelled = f" ({', '.join(self.spelled)})" if self.spelled else ""
        gaps = f"{self.missing / rows:.0%} missing{spelled}" if self.missing else ""
        said = "; ".join(filter(None, (self.format, different, gaps, *self.notes)))
        return ("left out" if self.kind == "out" else self.kind), ", ".join(self.samples), said


class Rules(NamedTuple):
    """What the user has said, for all columns or by column."""

    missing: Sequence[str] | None = None
    dates: str | Mapping[str, str] | None = None
    decimal: str | Mapping[str, str] | None = None

    def spellings(self) -> tuple[Sequence[str], Sequence[str]]:
        """What is missing in (a column of numbers or dates, any other)."""
        if self.missing is None:
            return MISSING, NOTHING
        return ("", *self.missing), ("", *self.missing)

    def way(self, name: str, kind: str) -> str | None:
        """The format that a column is said to have."""
        said = self.dates if kind == "date" else self.decimal
        return said.get(name) if isinstance(said, Mapping) else said


class Texts(NamedTuple):
    """A column of texts by its different values, without blanks around them and in one form of
    Unicode."""

    levels: pa.Array
    codes: np.ndarray
    """(n,) place in `levels`, -1 where there is none"""
    counts: np.ndarray
    merged: str = ""
    """An example of texts that became one."""

    @classmethod
    def of(cls, values: pa.ChunkedArray) -> Texts:
        if pa.types.is_dictionary(values.type):
            encoded = values.unify_dictionaries()
        else:
            encoded = values.dictionary_encode()
        # All chunks share one dictionary now. To combine them would merge it once for each.
        chunks = encoded.chunks or [pa.array([], encoded.type)]
        indices = pa.chunked_array([chunk.indices for chunk in chunks])
        written = chunks[0].dictionary.cast(pa.string())
        clean = pc.utf8_trim_whitespace(written)
        if not pc.all(pc.string_is_ascii(clean)).as_py():  # ASCII has one form
            clean = pc.utf8_normalize(clean, "NFC")
        clean = clean.dictionary_encode()
        of = np.append(pc.fill_null(clean.indices, -1).to_numpy(), -1).astype(np.int32)
        codes = of[pc.fill_null(indices.cast(pa.int32()), -1).to_numpy()]
        merged = ""
        if len(clean.dictionary) < len(written):
            twice = np.flatnonzero(pd.Series(of[:-1]).duplicated(keep=False))
            texts = (written[int(k)].as_py() for k in twice)
            merged = next(
                (text for text in texts if text != text.strip() or not text.isascii()), ""
            )
        counts = np.bincount(codes[codes >= 0], minlength=len(clean.dictionary))
        return cls(clean.dictionary, codes, counts, merged)

    def without(self, spellings: Sequence[str]) -> Texts:
        """None of these spellings, and no text that stands in no row."""
        keep = ~_mask(pc.is_in(self.levels, pa.array(spellings, pa.string())))
        return self.where(keep & (self.counts > 0))

    def where(self, keep: np.ndarray) -> Texts:
        places = np.append(np.where(keep, np.cumsum(keep) - 1, -1), -1).astype(np.int32)
        levels = self.levels.filter(pa.array(keep))
        return Texts(levels, places[self.codes], self.counts[keep], self.merged)

    def matching(self, pattern: str) -> np.ndarray:
        return _mask(pc.match_substring_regex(self.levels, pattern))

    def spelled(self, spellings: Sequence[str]) -> list[str]:
        """Which of these there are, three at most."""
        there = pc.is_in(self.levels, pa.array(spellings, pa.string()))
        return [text for text in self.levels.filter(there).to_pylist() if text][:3]

    def rows(self, keep: np.ndarray | None = None) -> int:
        return int(self.counts.sum() if keep is None else self.counts[keep].sum())

    def deal(self, values: pa.Array) -> pa.Array:
        """To every row what belongs to its text."""
        return values.take(pa.array(self.codes, mask=self.codes < 0))

    def category(self) -> pd.Categorical:
        names = pd.Index(self.levels.to_pylist(), dtype=object).astype(str)
        order = names.sort_values()
        codes = np.append(order.get_indexer(names), -1).astype(np.int32)[self.codes]
        return pd.Categorical.from_codes(codes, order)


@dataclass
class Draft:
    """A column on its way: what its values can be."""

    column: Column
    asked: Kind | None
    is_target: bool
    keep: bool
    """Is it needed, whatever it looks like?"""
    stored: pa.Array | None = None
    """Numbers or moments, where there is no choice."""
    texts: Texts | None = None
    present: Texts | None = None
    """Those texts that do not spell a missing number."""
    rest: Texts | None = None
    """Those of them that are no mere words."""
    choices: list[Reading] = field(default_factory=list)
    """Formats that explain equally much of `rest`: all of it, unless its kind was asked for."""


def understand(
    table: dict[str, pa.ChunkedArray],
    target: str | None,
    keep: Sequence[str],
    asked: Mapping[str, Kind],
    rules: Rules,
) -> tuple[pd.DataFrame, list[Column]]:
    """The table as what its texts stand for, and what each column is, the target (if it is known)
    the last one.

    table: emptied, as there may be no memory for two forms of it. keep: columns that are never left
    out as an id, such as the one that rows are grouped by. asked: kinds that the user has chosen,
    by column. All values are looked at, and nothing is learned from those of the target beside what
    it is itself; nor does the value of one row depend on another row's. Raises ValueError where a
    column cannot be what the user says.
    """
    drafts = []
    for name in sorted(table, key=lambda name: name == target):
        draft = Draft(Column(name, "out"), asked.get(name), name == target, name in keep)
        examine(draft, table.pop(name), rules)
        drafts.append(draft)
    evidence = Counter(draft.choices[0].way for draft in drafts if len(draft.choices) == 1)
    typed: dict[str, Any] = {}
    for draft in drafts:
        values = decide(draft, rules, evidence)
        if draft.column.kind != "out" or draft.is_target:
            typed[draft.column.name] = values
        draft.stored = draft.texts = draft.present = draft.rest = None
        draft.choices = []
    return pd.DataFrame(typed), [draft.column for draft in drafts]


def examine(draft: Draft, values: pa.ChunkedArray, rules: Rules) -> None:
    """Find what a column may be, without choosing."""
    column, asked = draft.column, draft.asked
    kind = column.how.stored = stored_as(values.type)
    column.how.missing = list(rules.spellings()[0])
    if kind == "nothing":
        column.notes.append(f"holds {values.type}, which no model reads")
        return
    column.samples = samples(values)
    if kind in ("number", "date") and asked not in ("category", "text"):
        draft.stored = stored_values(values, rules.spellings()[0])
    elif kind == "text" and asked in (None, "number") and not draft.is_target:
        draft.stored = plain_numbers(column, values, rules.spellings()[0])
        if draft.stored is None and asked is None and rules.dates is None:
            draft.stored = plain_moments(draft, values, rules.spellings()[0])
    if draft.stored is not None:
        return
    draft.texts = Texts.of(as_texts(values))
    if kind == "number" and asked is None:
        column.doubts["digits"] = repr(column.samples[0])
        return
    if kind == "boolean" or asked in ("category", "text", "out"):
        return
    of_numbers, of_words = rules.spellings()
    draft.present = present = draft.texts.without(of_numbers)
    classes = draft.is_target and asked is None and len(present.levels) <= FEW
    if classes:  # what spells a gap among numbers may be one of them
        draft.present = present = draft.texts.without(of_words)
    words = ~present.matching(rf"\d|{formats.INFINITE}")
    share = present.rows(words) / max(1, present.rows())
    if words.all() or (asked is None and share > 1 - NEARLY):
        return
    draft.rest = rest = present.where(~words)
    column.how.words = present.levels.filter(pa.array(words)).to_pylist()
    found = formats_of(draft, rest.levels, rules)
    if draft.asked is not None and not draft.is_target:
        most = max((rest.rows(reading.explains) for reading in found), default=0)
        draft.choices = [r for r in found if rest.rows(r.explains) == most]
        return
    only_gaps = share == 0 if classes else share <= 1 - MOSTLY or asked is not None
    whole = [reading for reading in found if reading.explains.all() and only_gaps]
    draft.choices = [reading for reading in whole if reading.kind == "number"] or whole
    if draft.is_target:  # labels that look like dates are labels
        draft.choices = [reading for reading in draft.choices if reading.kind == "number"]
    elif found and not whole:
        near = max(found, key=lambda reading: rest.rows(reading.explains))
        if rest.rows(near.explains) >= NEARLY * present.rows():
            others = rest.where(~near.explains) if only_gaps else present.where(words)
            column.doubts[f"nearly {near.kind}"] = repr(others.levels[0].as_py())


def formats_of(draft: Draft, levels: pa.Array, rules: Rules) -> list[Reading]:
    """The formats that may be meant, of the kind that was asked for."""
    pattern = rules.way(draft.column.name, "date")
    if pattern is not None and "%" in pattern and draft.asked in (None, "date"):
        found = formats.by_pattern(levels, pattern)
        if isinstance(rules.dates, Mapping) and not draft.is_target:
            draft.asked = "date"
        if found.explains.all() or draft.asked == "date":
            return [found]
    readings = formats.readings(levels)
    if draft.asked == "date":  # numbers can say when as well
        return [r for r in readings if r.kind == "date"] or readings
    return [r for r in readings if draft.asked in (None, r.kind)]


def decide(draft: Draft, rules: Rules, evidence: Mapping[str, int]) -> Any:
    """Choose the kind of a column, and give its values as a data frame takes them."""
    values = draft.stored
    if draft.rest is not None and draft.choices:
        reading = chosen(draft, draft.rest, rules, evidence)
        if draft.asked is not None or not is_code(draft.column, draft.rest, reading):
            values = draft.rest.deal(reading.values)
            draft.column.format = reading.told
            draft.column.how.key = reading.key
            draft.column.how.lossy = not reading.explains.all()
            tell_missing(draft, reading, rules.spellings()[0])
    if values is None:
        return decide_texts(draft, rules)
    if pa.types.is_timestamp(values.type):
        return decide_moments(draft, values)
    return decide_numbers(draft, values, rules)


def chosen(draft: Draft, rest: Texts, rules: Rules, evidence: Mapping[str, int]) -> Reading:
    """One of the formats that explain a column equally well: as the user says, as other columns of
    the file suggest, else the first. Raises ValueError where the user's explains nothing."""
    column, choices = draft.column, draft.choices
    kind = choices[0].kind
    said = rules.way(column.name, kind)
    for reading in choices:
        if reading.way == said:
            return reading
    setting, given = ("dates", rules.dates) if kind == "date" else ("decimal", rules.decimal)
    if said is not None and isinstance(given, Mapping):
        raise ValueError(
            f"task.{setting}={{{column.name}: {said}}} does not explain all of {column.name!r}, "
            f"such as {column.samples[0]!r}; there is {choices[0].told}"
        )
    if len(choices) == 1 or (kind == "number" and choices[0].values.equals(choices[1].values)):
        return choices[0]
    american = any(re.search(r"[AaPp]\.?[Mm]\.?$", text) for text in column.samples)

    def rank(reading: Reading) -> tuple[int, int, bool]:
        # A year of two digits in the wrong place reaches over decades.
        span = years(reading.values) if "two digits" in reading.told else 0
        return span, -evidence[reading.way], not (american and reading.way == "mdy")

    best, other = sorted(choices, key=rank)[:2]
    differ = np.flatnonzero(_mask(pc.not_equal(best.values, other.values)))
    if len(differ):
        text = rest.levels[int(differ[0])].as_py()
        ways = [written(reading.values[int(differ[0])].as_py()) for reading in (best, other)]
        way = {".": "point", ",": "comma"}.get(other.way, other.way)
        column.doubts[f"{setting} {way}"] = f"{text!r} is read as {ways[0]}, not {ways[1]}"
    return best


def years(values: pa.Array) -> int:
    ends = pc.min_max(values).as_py()
    return 0 if ends["min"] is None else ends["max"].year - ends["min"].year


def is_code(column: Column, rest: Texts, reading: Reading) -> bool:
    """Would a number lose what the texts say? They are a category then, and somebody is asked."""
    if reading.way not in formats.DECIMAL:
        return False
    exact = pa.types.is_integer(reading.values.type) and bool((rest.codes >= 0).all())
    signs = {
        "zeros": rest.matching(LEADING_ZERO),
        "exponents": rest.matching(EXPONENT) & (not rest.matching(FRACTION).any()),
        "digits": rest.matching(WHOLE) & (not exact),
    }
    for doubt, those in signs.items():
        if those.any():
            column.doubts[doubt] = repr(rest.levels[int(np.flatnonzero(those)[0])].as_py())
            return True
    return False


def tell_missing(draft: Draft, reading: Reading, spellings: Sequence[str]) -> None:
    """Say what becomes missing, and which spellings of a label become one."""
    texts, present, rest, column = draft.texts, draft.present, draft.rest, draft.column
    assert texts is not None
    assert present is not None
    assert rest is not None
    column.spelled = texts.spelled(spellings)
    lost = present.rows() - rest.rows(reading.explains)
    if lost:
        column.notes.append(f"{lost:,} are no {reading.kind}s: missing")
        kept = rest.where(reading.explains).levels
        other = present.levels.filter(pc.invert(pc.is_in(present.levels, kept)))[0].as_py()
        column.doubts[f"lost {reading.kind}"] = f"{other!r} and such ({lost:,} rows)"
    if draft.is_target:
        numbers = pd.Series(reading.values.to_pylist())
        twice = numbers[numbers.duplicated(keep=False)]
        if len(twice):
            first = rest.levels.take(pa.array(np.flatnonzero(numbers == twice.iloc[0]))).to_pylist()
            column.doubts["merged"] = " and ".join(map(repr, first))


def decide_numbers(draft: Draft, values: pa.Array, rules: Rules) -> Any:
    column = draft.column
    if draft.is_target:
        column.kind, column.missing = "number", values.null_count
        return _numpy(values)
    if draft.asked == "date":
        moments = formats.from_numbers(values)
        if moments is None:
            raise ValueError(
                f"task.types={{{column.name}: date}}: {column.samples[0]!r} is no moment"
            )
        column.format = column.how.since = moments[0]
        return decide_moments(draft, moments[1])
    finite = pc.is_finite(values)
    if infinite := pc.sum(pc.invert(finite)).as_py():
        column.notes.append(f"{infinite:,} infinite: missing")
        column.doubts["infinite"] = f"{infinite:,} rows"
        values = pc.if_else(finite, values, pa.scalar(None, values.type))
    column.missing, present = values.null_count, len(values) - values.null_count
    low, high = pc.min_max(values).as_py().values()
    is_whole = (
        pa.types.is_integer(values.type) or pc.all(pc.equal(values, pc.floor(values))).as_py()
    )
    column.distinct = (
        pc.count_distinct(values, mode="only_valid").as_py() if is_whole else 2 * (low != high)
    )
    column.kind = "number"
    reach = f"{written(low)} to {written(high)}"
    column.format = ", ".join(filter(None, (column.format, reach if present else "")))
    if draft.asked is not None or (draft.keep and column.distinct <= 1):
        return _numpy(values)
    if column.distinct <= 1:
        column.kind = "out"
        column.notes.append("has one value only" if present else "has no value")
        return None
    name, is_id = column.name, bool(ID_NAME.search(column.name))
    if is_whole and not draft.keep:
        unique = column.distinct > UNIQUE * present and present > MOSTLY * len(values)
        if unique and (is_id or high - low < 1.1 * present):
            column.kind = "out"
            column.notes.append("numbers the rows")
            return None
    too_long = is_whole and max(abs(low), abs(high)) > EXACT and values.null_count
    if is_whole and (too_long or (POST_NAME.search(name) and low >= 0)):
        column.doubts["digits" if too_long else "post"] = repr(column.samples[0])
        column.format, column.how.by_text = "", True
        draft.texts = Texts.of(as_texts(pa.chunked_array([values])))
        return decide_texts(draft, rules)
    moments = formats.from_numbers(values) if is_whole and not is_id and present >= SOME else None
    if moments is not None and moments[0] != "years":
        if moments[0] == formats.COMPACT or TIME_NAME.search(name):
            column.doubts["moments"] = f"{column.samples[0]} is {moments[0]}"
            column.format, column.notes, column.how.since = moments[0], [], moments[0]
            return decide_moments(draft, moments[1])
        column.doubts["perhaps moments"] = f"{column.samples[0]} may be {moments[0]}"
    elif is_whole and not draft.keep and (is_id or CODE_NAME.search(name)):
        column.doubts["called"] = column.samples[0]
    return _numpy(values)


def decide_moments(draft: Draft, values: pa.Array) -> Any:
    column = draft.column
    column.kind, column.missing = "date", values.null_count
    low, high = pc.min_max(values).as_py().values()
    if draft.asked is None and not draft.keep and low == high:
        column.kind = "out"
        column.notes.append("has no value" if low is None else "has one value only")
        return None
    if low is not None:
        reach = f"{written(low)} to {written(high)}"
        column.format = ", ".join(filter(None, (column.format, reach)))
    return values.to_numpy(zero_copy_only=False).astype("M8[us]")


def decide_texts(draft: Draft, rules: Rules) -> Any:
    column, asked, texts = draft.column, draft.asked, draft.texts
    if texts is None:  # of a type that no model reads
        return None
    if asked in ("number", "date") and not draft.is_target and draft.present is not None:
        raise ValueError(
            f"task.types={{{column.name}: {asked}}}: {column.samples[0]!r} is no {asked}"
        )
    of_numbers, of_words = rules.spellings()
    spellings = of_words if len(texts.without(of_numbers).levels) else of_numbers
    known = texts.without(spellings)
    column.how.missing, column.how.words = list(spellings), []
    column.spelled = texts.spelled(spellings)
    if column.spelled and len(known.levels):
        column.doubts["gaps"] = " and ".join(map(repr, column.spelled))
    present, column.distinct = known.rows(), len(known.levels)
    column.missing = len(known.codes) - present
    spaces = pc.count_substring(known.levels, " ").to_numpy() + 1
    words = float(spaces @ known.counts) / max(present, 1)
    column.kind = "text" if words >= WORDS and not draft.is_target else "category"
    if asked in ("category", "text", "out"):
        column.kind = asked
    elif not draft.keep and not draft.is_target:
        unique = (
            column.distinct > UNIQUE * present and present > FEW and "post" not in column.doubts
        )
        if column.distinct <= 1:
            column.kind = "out"
            column.notes.append("has one value only" if present else "has no value")
        elif column.kind == "category" and unique:
            column.kind = "out"
            every = "a different value in every row"
            nearly = f"{column.distinct:,} different values in {present:,} rows"
            column.notes.append(every if column.distinct == present else nearly)
    if asked is not None:
        column.notes.append("as you said")
    if column.kind == "out":
        column.doubts = {k: v for k, v in column.doubts.items() if k.startswith("nearly")}
        return None
    if column.kind == "text":
        return known.deal(known.levels).to_pandas()
    if kept := known.spelled(of_numbers):
        column.doubts["spelled"] = (
            f"{kept[0]!r} ({known.rows(_mask(pc.equal(known.levels, kept[0]))):,} rows)"
        )
    if known.merged:
        column.doubts["merged"] = f"{known.merged!r} and the same in another form"
    if alike := alike_levels(known.levels):
        column.doubts["alike"] = alike
    return known.category()


def alike_levels(levels: pa.Array) -> str:
    """Two levels that only a person might take for one, if there are any."""
    if len(levels) > 10_000:
        return ""
    seen: dict[str, str] = {}
    for level in levels.to_pylist():
        plain = level.casefold()
        with contextlib.suppress(ValueError):
            plain = repr(float(plain)) if len(plain) < 16 else plain  # what float64 keeps
        if plain in seen:
            return f"{seen[plain]!r} and {level!r}"
        seen[plain] = level
    return ""


def stored_as(kind: pa.DataType) -> str:
    """number, date, boolean or text; or nothing that a model reads."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "date"
    if pa.types.is_duration(kind) or pa.types.is_time(kind):
        return "number"
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return (
        "text" if is_text or pa.types.is_string_view(kind) or pa.types.is_null(kind) else "nothing"
    )


def stored_values(values: pa.ChunkedArray, spellings: Sequence[str]) -> pa.Array | None:
    """Numbers as int64 or float64, moments as timestamp[us] in UTC; None where that loses digits
    that tell values apart."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    kind = values.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _one(values.cast(pa.timestamp("us"), safe=False))
    if pa.types.is_duration(kind) or pa.types.is_time(kind):
        per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
        whole = values.cast(pa.int32() if kind.bit_width == 32 else pa.int64()).cast(pa.float64())
        return _one(pc.divide(whole, float(per_second)))
    found = _one(values)
    if pa.types.is_integer(kind) or (pa.types.is_decimal(kind) and kind.scale <= 0):
        try:
            found = found.cast(pa.int64())
        except pa.ArrowInvalid:  # 20 digits
            return None
    else:
        found = found.cast(pa.float64(), safe=False)
        found = pc.if_else(pc.is_nan(found), pa.scalar(None, pa.float64()), found)
        if pa.types.is_decimal(kind) and kind.precision > 15:
            mode = "only_valid"
            if pc.count_distinct(found, mode) != pc.count_distinct(values, mode):
                return None
    for spelling in spellings:
        with contextlib.suppress(ValueError, pa.ArrowInvalid):
            gone = pa.scalar(float(spelling), pa.float64()).cast(found.type)
            found = pc.if_else(pc.equal(found, gone), pa.scalar(None, found.type), found)
    return found


def plain_numbers(
    column: Column, values: pa.ChunkedArray, spellings: Sequence[str]
) -> pa.Array | None:
    """What needs no second look, in a fraction of the time: numbers of which none could be meant in
    another way."""
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return None
    gone = pc.is_in(values, value_set=pa.array(spellings, values.type))
    present = pc.if_else(gone, pa.scalar(None, values.type), values)
    if present.null_count == len(present):
        return None
    try:
        found = present.cast(pa.int64())
    except pa.ArrowInvalid:
        try:
            found = present.cast(pa.float64())
        except pa.ArrowInvalid:
            return None
    zeros = pc.or_(pc.starts_with(present, "0"), pc.starts_with(present, "-0"))
    if pc.any(pc.match_substring_regex(present.filter(zeros), r"^-?0[0-9xX]")).as_py():
        return None
    if pa.types.is_integer(found.type):
        low, high = pc.min_max(found).as_py().values()
        if found.null_count and max(-low, high) > EXACT:
            return None
        column.format = ""
    else:
        grouped = formats.NUMBER[","][1]
        if pc.any(pc.match_substring(present, "e")).as_py() or (
            pc.any(pc.match_substring(present, "E")).as_py()
            or pc.any(pc.is_nan(found)).as_py()
            or pc.any(pc.greater_equal(pc.abs(found), float(EXACT))).as_py()
            or (_fits_all(present.slice(0, 1000), grouped) and _fits_all(present, grouped))
        ):
            return None
        column.format = formats.DECIMAL["."]
    column.how.key = DECIMALS
    if found.null_count:
        column.spelled = [t for t in pc.unique(values.filter(gone)).to_pylist() if t][:3]
    return _one(found)


def plain_moments(
    draft: Draft, values: pa.ChunkedArray, spellings: Sequence[str]
) -> pa.Array | None:
    """The same for moments, as databases write them."""
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return None
    first = [text for text in values.slice(0, SAMPLED).unique().to_pylist() if text is not None]
    first = [text for text in first if text not in spellings]
    if not first or not all(map(formats.is_stored_moment, first)):
        return None
    gone = pc.is_in(values, value_set=pa.array(spellings, values.type))
    present = pc.if_else(gone, pa.scalar(None, values.type), values)
    if (reading := formats.stored_moments(present)) is None:
        return None
    draft.column.format, draft.column.how.key = reading.told, reading.key
    draft.choices = [reading]  # tells of other columns
    draft.column.spelled = [t for t in pc.unique(values.filter(gone)).to_pylist() if t][:3]
    return _one(reading.values)


def _fits_all(texts: pa.ChunkedArray, pattern: str) -> bool:
    return pc.all(pc.match_substring_regex(texts, pattern)).as_py() is not False


def as_texts(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Stored values as somebody would write them; texts as they are."""
    kind = stored_as(values.type)
    if kind == "text":
        return values.cast(pa.string()) if pa.types.is_null(values.type) else values
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_floating(values.type):
        with contextlib.suppress(pa.ArrowInvalid):  # 1.0 is written 1 if all numbers are whole
            values = values.cast(pa.int64())
    return values.cast(pa.string())


def samples(values: pa.ChunkedArray) -> list[str]:
    """The first three different values."""
    first = as_texts(values.slice(0, SAMPLED)).unique()
    found = first.cast(pa.string()).drop_null().to_pylist()
    return [text if len(text) <= 20 else text[:19] + "…" for text in found if text.strip()][:3]


def written(value: Any) -> str:
    """A number or a moment for people; what a number has before its point is told in full."""
    if isinstance(value, datetime):
        return value.isoformat(" ").removesuffix(" 00:00:00")
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if 1e5 <= abs(value) < 1e15 else f"{value:.6g}"


def _mask(flags: Any) -> np.ndarray:
    return pc.fill_null(flags, False).to_numpy(zero_copy_only=False)


def _one(values: pa.ChunkedArray | pa.Array) -> pa.Array:
    found = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if isinstance(found, pa.ChunkedArray):  # of no chunk
        return pa.concat_arrays(found.chunks) if found.num_chunks else pa.array([], found.type)
    return found


def _numpy(values: pa.Array) -> np.ndarray:
    """int64 without gaps, else float64 with NaN for them."""
    return values.to_numpy(zero_copy_only=False)
