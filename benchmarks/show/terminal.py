"""Parts on a terminal: words and tables that fit its width. Pictures are for pages."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.segment import Segment
from rich.table import Table as Lines
from rich.text import Text

from benchmarks.errors import plain
from benchmarks.show.parts import Chapter, Entry, Head, Table, marked, on_paper

STYLES = {"✗": "red", "better": "green", "worse": "red"}
NAME, WORDS = 12, 17  # characters of the first column, and of texts, that are never folded
HEAD = 8  # characters of a head, at least
WIDE, NARROW = 2, 1  # spaces between columns, and where there is no room for them


def printed(chapters: Iterable[Chapter], width: int) -> Group:
    """Chapters, a blank line between any two things of which the first does not end in one."""
    lines: list[RenderableType] = []
    for chapter in chapters:
        if chapter.title:
            lines.append(Text(plain(chapter.title), style="bold"))
        begin = len(lines)
        shown = [part for part in map(on_paper, chapter.parts) if isinstance(part, str | Table)]
        last = {part.legend: part for part in shown if isinstance(part, Table)}
        for part in shown:
            if isinstance(part, str):
                lines.append(_sentence(part))
                continue
            if len(lines) > begin and isinstance(lines[-1], Text):  # tables end in a blank line
                lines.append(Text(""))
            lines += laid_out(part, width, "italic" if chapter.title else "bold")
            if part.legend and last[part.legend] is part:
                lines.append(Text(plain(part.legend), style="dim"))
        lines.append(Text(""))
    return Group(*lines[:-1])


class Terminal(Console):
    """Where everything is printed: whatever texts hold, none of it steers the terminal, and what
    it has no characters for is replaced (errors.command)."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:  # rich's own line ends are the only ones
                text = "\n".join(map(plain, segment.text.split("\n")))
                yield Segment(text, segment.style)

    def on_broken_pipe(self) -> None:
        raise  # rich calls this where it caught the error; errors.command ends it


def laid_out(table: Table, width: int, style: str = "italic") -> Iterator[RenderableType]:
    """As few tables as hold all columns in `width` characters, the first column in each, with
    title and notes."""
    if table.title:
        yield Text(plain(table.title), style=style)
    for columns in layout(table, width):
        yield _lines(table, columns, width)
    yield from map(_sentence, table.notes)


def layout(table: Table, width: int) -> list[list[int]]:
    """The columns beside the first one, as they are spread over tables: one if all fit; else each
    block in one of its own, with the columns of no block where there is room for them."""
    names = [head.block for head in table.heads[1:]]
    every = list(range(1, len(table.heads)))
    blocks = [name for name in dict.fromkeys(names) if name]
    if not blocks:
        return _split(table, every, width, _folded_width, NARROW)
    of = {name: [k for k in every if table.heads[k].block == name] for name in ("", *blocks)}
    ways = [[every]]
    ways += [[of[""] * (name == host) + of[name] for name in blocks] for host in reversed(blocks)]
    for way in ways:
        if all(_needed(table, columns, _whole_width, WIDE) <= width for columns in way):
            return way
    split = partial(_split, width=width, measure=_whole_width, gap=WIDE)
    return [part for name in blocks for part in split(table, of[name])]


Measure = Callable[[Table, int], int]


def _split(
    table: Table, columns: list[int], width: int, measure: Measure, gap: int
) -> list[list[int]]:
    """As few tables as hold these columns in their order."""
    made = []
    while columns:
        n = len(columns)
        while n > 1 and _needed(table, columns[:n], measure, gap) > width:
            n -= 1
        made.append(columns[:n])
        columns = columns[n:]
    return made or [[]]


def _needed(table: Table, columns: Sequence[int], measure: Measure, gap: int) -> int:
    """Characters that the first column and these take, with the gaps between them and a margin."""
    return sum(measure(table, k) for k in (0, *columns)) + gap * len(columns) + 2


def _folded_width(table: Table, column: int) -> int:
    return max(_least(table, column), min(_head_length(table, column), HEAD))


def _headed_width(table: Table, column: int) -> int:
    return max(_least(table, column), _head_length(table, column))


def _whole_width(table: Table, column: int) -> int:
    return max(_longest(table, column), _head_length(table, column))


def _least(table: Table, column: int) -> int:
    """Numbers are never folded, long texts are, and so are heads."""
    if table.heads[column].is_number:
        return _longest(table, column)
    return min(_longest(table, column), WORDS if column else NAME)


def _longest(table: Table, column: int) -> int:
    return max((cell_len(plain(row[column].text)) for row in table.rows), default=0)


def _head_length(table: Table, column: int) -> int:
    return cell_len(plain(table.heads[column].text))


def _lines(table: Table, columns: Sequence[int], width: int) -> Lines:
    gap = WIDE if _needed(table, columns, _headed_width, WIDE) <= width else NARROW
    whole = _needed(table, columns, _headed_width, gap) <= width
    padding = (0, gap - 1, 0, 0)  # the box has a space of its own between columns
    shown = Lines(box=box.SIMPLE_HEAD, pad_edge=False, padding=padding)
    for k in (0, *columns):
        head, most = table.heads[k], _longest(table, k)
        title = plain(head.text) if whole else _folded(plain(head.text), max(most, HEAD))
        fixed = max(most, *map(cell_len, title.split("\n"))) if most <= _least(table, k) else None
        shown.add_column(
            Text(title),
            justify="right" if head.side == "right" else "left",
            overflow="fold",
            width=fixed,
            no_wrap=fixed is not None,
            min_width=_least(table, k),
        )
    for place, row in enumerate(table.rows):
        is_faint = place in table.faint
        if is_faint and not any(row[k].text for k in columns):
            continue  # nothing to hold the others against
        entries = (_entry(table.heads[k], row[k]) for k in (0, *columns))
        shown.add_row(*entries, style="dim" if is_faint else "")
    return shown


def _folded(text: str, width: int) -> str:
    """In lines of that many characters."""
    return "\n".join(text[k : k + width] for k in range(0, len(text), width))


def _sentence(text: str) -> Text:
    return Text(plain(text), style=STYLES.get(marked(text)[0], ""))


def _entry(head: Head, entry: Entry) -> Text:
    style = STYLES.get(entry.text, "") if head.text == "verdict" else ""
    return Text(plain(entry.text), style=style)
