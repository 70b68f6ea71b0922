"""How numbers are written, and what a section is called, the same wherever they are shown."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.analysis.summary import Row, Section, Spread

ABSENT = "–"


@dataclass(frozen=True)
class Column:
    """One column of a table of models: what it shows of a row, and how that is written."""

    heading: str
    value: Callable[[Row], Any]
    text: Callable[[Any], str]
    timed: bool = False
    """Does a clock stand behind it? Then a clock that is not like the others marks it."""
    is_number: bool = True
    block: str = ""
    on_right: bool = False
    """The three as of parts.Head."""


def plain_value(value: Any) -> float | str | None:
    """What a column shows, as one number or text; of several numbers the first."""
    if isinstance(value, Spread):
        return value.mean
    if isinstance(value, tuple):
        return plain_value(value[0])
    return value if value is None or isinstance(value, int | float | str) else str(value)


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


def section_title(section: Section) -> str:
    """Task, what differs from its defaults, seeds and rows."""
    seeds = {r["seed"] for row in section.everything for r in row.records}
    text = f"{section.label}: {len(seeds)} seed{'s' if len(seeds) != 1 else ''}"
    done = [r for row in section.everything for r in row.done]
    if done:
        rows = done[0]["rows"]
        text += f", {rows['train']:,} train and {rows['test']:,} test rows"
        text += f", threads {', '.join(sorted({str(r['config']['threads']) for r in done}))}"
    return text


def provenance(section: Section) -> str:
    """Where and when: one sentence, the same facts that stand in each record."""
    records = [r for row in section.everything for r in row.records]
    machines = {
        f"{m['processor']}, {m['cores']} cores, {m['memory_gb']:.0f} GB, Python {m['python']}"
        for m in (r["machine"] for r in records)
    }
    days = sorted({r["started"][:10] for r in records})
    return f"{'; '.join(sorted(machines))}; {' to '.join(dict.fromkeys((days[0], days[-1])))}."
