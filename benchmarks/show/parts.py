"""What a page is made of: chapters with words, tables and pictures, each with its numbers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.analysis.summary import Row, Section, Spread
from benchmarks.show.formats import ABSENT, Column

MOST_MODELS = 10  # in a picture, the best ones


@dataclass(frozen=True)
class Head:
    """The head of a column."""

    text: str
    help: str = ""
    """What the column says, shown on hover and read out."""
    is_number: bool = True


@dataclass(frozen=True)
class Cell:
    text: str
    value: float | str | None = None
    """What the column is sorted by, unrounded, and what stands in the CSV."""


@dataclass(frozen=True)
class Table:
    name: str
    """Of its files; unique on a page."""
    title: str
    heads: Sequence[Head]
    rows: Sequence[Sequence[Cell]]
    notes: Sequence[str] = ()
    folded: bool = False
    """Does the page show no more than its title until somebody asks for it?"""

    def data(self) -> list[dict[str, Any]]:
        """One dict per row with what stands behind its cells."""
        names = [head.text for head in self.heads]
        return [
            {name: cell.value for name, cell in zip(names, row, strict=True)} for row in self.rows
        ]


@dataclass(frozen=True)
class Picture:
    name: str
    title: str
    caption: str
    """What to see in it, in a sentence or two; also what a screen reader says."""
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


Part = str | Table | Picture | Widget


@dataclass(frozen=True)
class Chapter:
    title: str
    parts: Sequence[Part]
    lead: bool = False
    """Is it what a reader came for? Then its words are large."""


def plain(value: Any) -> float | str | None:
    """What a column of a result table shows, as one number or text."""
    if isinstance(value, Spread):
        return value.mean
    return value if value is None or isinstance(value, int | float | str) else str(value)


def table(
    name: str,
    title: str,
    rows: Iterable[Row],
    columns: Sequence[Column],
    helps: Mapping[str, str],
    write: Callable[[Column, Row], str] = Column.cell,
    texts: Sequence[str] = (),
) -> Table:
    """A table of summed-up rows. helps: heading -> what it says. texts: headings of columns that
    hold no numbers."""
    heads = [Head("model", helps.get("model", ""), False)]
    heads += [Head(c.heading, helps.get(c.heading, ""), c.heading not in texts) for c in columns]
    lines = [
        [Cell(row.label, row.label)]
        + [
            Cell(text := write(c, row), None if text == ABSENT else plain(c.value(row)))
            for c in columns
        ]
        for row in rows
    ]
    return Table(name, title, heads, lines)


def best_rows(section: Section) -> Section:
    """The section with as many rows as a picture holds."""
    done = [row for row in section.rows if row.done]
    return replace(section, rows=done[:MOST_MODELS])


def labels_of(section: Section) -> list[str]:
    """Every model that pictures of a section show, in the order that gives them their colours:
    the order of names, so that a model looks the same on every page."""
    return sorted(row.label for row in best_rows(section).rows)
