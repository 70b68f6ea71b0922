"""What everything that is shown is made of: chapters of sentences, tables and pictures. They are
written by terminal.py, markdown.py, latex.py, spreadsheet.py and page.py."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.analysis.summary import Row, Section
from benchmarks.show.formats import ABSENT, Column, plain_value

MOST_MODELS = 10  # in a picture, the best ones
MARKS = ("✗", "?", "!", "*")
"""What a sentence can begin with: something ended badly or is not to be trusted, nobody can tell
yet, something is suspicious, a clock is not like the others."""


@dataclass(frozen=True)
class Head:
    """The head of a column."""

    text: str
    help: str = ""
    """What the column says, shown on hover and read out."""
    is_number: bool = True
    block: str = ""
    """Columns of one block stay together on a terminal where not all fit; those of none beside them
    are shown where there is room. A table with blocks is taken apart before a text in it is
    folded."""
    on_right: bool = False
    """Is it a word that stands among numbers, where all letters are as wide?"""

    @property
    def side(self) -> str:
        return "right" if self.is_number or self.on_right else "left"


@dataclass(frozen=True)
class Entry:
    """What stands in one place of a table."""

    text: str
    value: float | str | None = None
    """What the column is sorted by, unrounded, and what stands in the CSV."""
    link: str = ""
    """Where a page leads from here: another page beside it, or a place on it."""


@dataclass(frozen=True)
class Table:
    name: str
    """Of its files; unique on a page."""
    title: str
    heads: Sequence[Head]
    rows: Sequence[Sequence[Entry]]
    notes: Sequence[str] = ()
    """What there is to say on its rows, one sentence each, those that begin with a mark first."""
    legend: str = ""
    """What its columns mean. A terminal says it once for several tables; a page has the heads'
    help instead."""
    source: str = ""
    """Where and when it was measured, for readers who do not know: all but a terminal's."""
    faint: Collection[int] = ()
    """Places of rows that are no contestants but what these are held against."""
    beside: bool = False
    """May a page put it beside the next one, where both have room?"""
    folded: bool = False
    """Does the page show no more than its title until somebody asks for it?"""
    choose: str = ""
    """A column of whose values the page shows one at a time, if its reader wants it so."""

    def choices(self) -> list[str]:
        """What may be chosen."""
        place = next((k for k, head in enumerate(self.heads) if head.text == self.choose), None)
        return [] if place is None else list(dict.fromkeys(row[place].text for row in self.rows))

    def data(self) -> list[dict[str, Any]]:
        """One dict per row with what stands behind its entries."""
        names = [head.text for head in self.heads]
        return [
            {name: entry.value for name, entry in zip(names, row, strict=True)} for row in self.rows
        ]


@dataclass(frozen=True)
class Picture:
    name: str
    title: str
    caption: str
    """What to see in it, in a sentence or two; also what a screen reader says."""
    how: str = field(default="", kw_only=True)
    """How it was measured: one click away."""
    least: int = field(default=0, kw_only=True)
    """Pixels of width below which its texts would cover each other."""
    chart: Any
    """An Altair chart without data of its own, which reads the data set `name`."""
    data: Sequence[Mapping[str, Any]] = field(repr=False)


@dataclass(frozen=True)
class Widget:
    """A table that the page lets its reader change: a template of page.html.jinja, with the values
    it takes."""

    template: str
    values: Mapping[str, Any]
    table: Table
    """What it shows at first, and what is shown where nothing can be changed."""

    @property
    def name(self) -> str:
        return self.table.name


@dataclass(frozen=True)
class Tile:
    title: str
    text: str
    """The thing itself, in a word or two."""
    detail: str


@dataclass(frozen=True)
class Tiles:
    """What matters most, side by side."""

    tiles: Sequence[Tile]


Part = str | Table | Picture | Widget | Tiles
"""A str is a sentence or a few."""


@dataclass(frozen=True)
class Chapter:
    title: str
    """Empty where the parts speak for themselves."""
    parts: Sequence[Part]
    lead: bool = False
    """Is it what a reader came for? Then its words are large."""


def parts_of(chapters: Iterable[Chapter]) -> Iterator[Part]:
    for chapter in chapters:
        yield from chapter.parts


def on_paper(part: Part) -> str | Table | Picture:
    """A part as it is where nothing can be changed."""
    if isinstance(part, Tiles):
        return "; ".join(f"{tile.title}: {tile.text} ({tile.detail})" for tile in part.tiles) + "."
    return part.table if isinstance(part, Widget) else part


def marked(text: str) -> tuple[str, str]:
    """(the mark that a sentence begins with or nothing, the sentence without it)"""
    mark, _, rest = text.partition(" ")
    return (mark, rest) if mark in MARKS else ("", text)


def words(*texts: str) -> list[Entry]:
    """Entries that are sorted by what they show."""
    return [Entry(text, text) for text in texts]


def word_heads(*texts: str) -> list[Head]:
    return [Head(text, is_number=False) for text in texts]


def heads_of(columns: Iterable[Column], helps: Mapping[str, str]) -> list[Head]:
    """The heads of a table of models. helps: heading -> what it says."""
    return [
        Head("model", helps.get("model", ""), False),
        *(
            Head(c.heading, helps.get(c.heading, ""), c.is_number, c.block, c.on_right)
            for c in columns
        ),
    ]


def entries_of(
    row: Row, columns: Iterable[Column], starred: bool = False, unlike: bool = False
) -> list[Entry]:
    """The line of a model. starred: its clocks are not like the others'; unlike: its calls were
    timed in another way."""
    line = words(row.label)
    for column in columns:
        value = column.value(row)
        text = ABSENT if value is None else column.text(value)
        if text == ABSENT:
            line.append(Entry(text))
        else:
            star = "*" if (starred and column.timed) or (unlike and column.calls) else ""
            link = "#checks" if column.heading == "checks" else ""
            line.append(Entry(text + star, plain_value(value), link))
    return line


def best_rows(section: Section) -> Section:
    """The section with as many rows as a picture holds."""
    done = [row for row in section.rows if row.done]
    return replace(section, rows=done[:MOST_MODELS])


def labels_of(section: Section) -> list[str]:
    """Every model that pictures of a section show, in the order that gives them their colours:
    the order of names, so that a model looks the same on every page."""
    return sorted(row.label for row in best_rows(section).rows)
