"""How numbers, rows and tables are written, on a terminal and as Markdown."""

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.analysis.summary import Row, Section, Spread

ABSENT = "–"


@dataclass(frozen=True)
class Column:
    """One column of a table: what it shows of a row, and how that is written."""

    heading: str
    value: Callable[[Row], Any]
    text: Callable[[Any], str]
    timed: bool = False
    """Does a clock stand behind it? Then a clock that is not like the others marks it."""

    def cell(self, row: Row) -> str:
        value = self.value(row)
        return ABSENT if value is None else self.text(value)


def spread_text(spread: Spread) -> str:
    digits = 3 if abs(spread.mean) < 10 else 1
    text = f"{spread.mean:.{digits}f}"
    if spread.deviation is None:
        return text
    return f"{text} ±{spread.deviation:.{digits}f}".replace("±0.", "±.")


def percent(spread: Spread) -> str:
    return f"{100 * spread.mean:.0f} %"


def seconds(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def number(value: float) -> str:
    """Two significant digits, and never an exponent."""
    rounded = float(f"{value:.2g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 10 or rounded == 0 else f"{rounded:g}"


def compact(value: float) -> str:
    for factor, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:.3g}{unit}"
    return f"{value:.0f}"


def title(section: Section) -> str:
    """Task, what differs from its defaults, seeds and rows."""
    seeds = {r["seed"] for row in section.everything for r in row.records}
    text = f"{section.label}: {len(seeds)} seed{'s' if len(seeds) != 1 else ''}"
    done = [r for row in section.everything for r in row.done]
    if done:
        rows = done[0]["rows"]
        text += f", {rows['train']:,} train and {rows['test']:,} test rows"
        text += f", threads {', '.join(sorted({str(r['config']['threads']) for r in done}))}"
    return text


def new_table(left: Iterable[str], right: Iterable[str], markdown: bool = False) -> Table:
    """An empty table with columns of texts (`left`) and of numbers behind them (`right`)."""
    table = Table(
        box=box.MARKDOWN if markdown else box.SIMPLE_HEAD,
        pad_edge=markdown,
        padding=(0, 1) if markdown else (0, 1, 0, 0),
    )
    for heading in left:
        table.add_column(heading, no_wrap=True)
    for heading in right:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def fitting(
    make: Callable[[list[Column]], Table], columns: list[Column], width: int
) -> list[Table]:
    """As few tables as hold these columns in `width` characters each."""
    tables, left = [], columns
    while left:
        n = len(left)
        while n > 1 and Console(width=1000).measure(make(left[:n])).maximum > width:
            n -= 1
        tables.append(make(left[:n]))
        left = left[n:]
    return tables


def markdown(write: Callable[[Console, io.StringIO], None]) -> str:
    """What `write` prints on a console that folds nothing, and writes beside it."""
    out = io.StringIO()
    write(Console(file=out, width=1000, color_system=None, markup=False), out)
    return "\n".join(line.rstrip() for line in out.getvalue().strip().splitlines()) + "\n"


def provenance(section: Section) -> str:
    """Where and when: one sentence, the same facts that stand in each record."""
    records = [r for row in section.everything for r in row.records]
    machines = {
        f"{m['processor']}, {m['cores']} cores, {m['memory_gb']:.0f} GB, Python {m['python']}"
        for m in (r["machine"] for r in records)
    }
    days = sorted({r["started"][:10] for r in records})
    return f"{'; '.join(sorted(machines))}; {' to '.join(dict.fromkeys((days[0], days[-1])))}."
