"""Chapters on a terminal: words and tables that fit its width. Pictures are for pages."""

from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table as Lines
from rich.text import Text

from benchmarks.show.parts import Cell, Chapter, Head, Table

STYLES = {"✗": "red", "better": "green", "worse": "red"}
NAME, WORDS = 12, 17  # characters of the first column, and of texts, that are never folded
HEAD = 8  # characters of a head, at least


def render(found: Iterable[Chapter], width: int) -> Group:
    parts: list[RenderableType] = []
    for chapter in found:
        parts.append(Text(plain(chapter.title), style="bold"))
        begin = len(parts)
        for part in chapter.parts:
            if isinstance(part, str):
                parts.append(sentence(part))
            elif isinstance(part, Table):
                if isinstance(parts[-1], Text) and len(parts) > begin:  # tables end in a blank line
                    parts.append(Text(""))
                parts += of_table(part, width)
        parts.append(Text(""))
    return Group(*parts[:-1])


def sentence(text: str) -> Text:
    return Text(plain(text), style=STYLES.get(text[:1], ""))


def plain(text: str) -> str:
    """Without the characters that would steer a terminal."""
    return "".join(c if c.isprintable() else "�" for c in text)


def of_table(table: Table, width: int) -> Iterator[RenderableType]:
    """As few tables as hold all columns in `width` characters, the first column in each."""
    if table.title:
        yield Text(plain(table.title), style="italic")
    left = list(range(1, len(table.heads)))
    while left:
        n = len(left)
        while n > 1 and narrowest(table, left[:n]) > width:
            n -= 1
        yield lines(table, [0, *left[:n]])
        left = left[n:]
    yield from map(sentence, table.notes)


def narrowest(table: Table, columns: Sequence[int]) -> int:
    """Characters that the first column and these take at least."""
    return sum(max(least(table, k), min(len(table.heads[k].text), HEAD)) + 1 for k in (0, *columns))


def least(table: Table, column: int) -> int:
    """Numbers are never folded, long texts are, and so are heads."""
    if table.heads[column].is_number:
        return longest(table, column)
    return min(longest(table, column), WORDS if column else NAME)


def longest(table: Table, column: int) -> int:
    return max((cell_len(row[column].text) for row in table.rows), default=0)


def lines(table: Table, columns: Sequence[int]) -> Lines:
    shown = Lines(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for k in columns:
        head, most = table.heads[k], longest(table, k)
        title = folded(plain(head.text), max(most, HEAD))
        fixed = max(most, *map(cell_len, title.split("\n"))) if most <= least(table, k) else None
        shown.add_column(
            Text(title),
            justify="right" if head.is_number else "left",
            overflow="fold",
            width=fixed,
            no_wrap=fixed is not None,
            min_width=least(table, k),
        )
    for row in table.rows:
        shown.add_row(*(text(table.heads[k], row[k]) for k in columns))
    return shown


def folded(text: str, width: int) -> str:
    """In lines of that many characters."""
    return "\n".join(text[k : k + width] for k in range(0, len(text), width))


def text(head: Head, cell: Cell) -> Text:
    style = STYLES.get(cell.text, "") if head.text == "verdict" else ""
    return Text(plain(cell.text), style=style)
