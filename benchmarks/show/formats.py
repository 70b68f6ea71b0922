"""How numbers are written, and what a section is called, the same wherever they are shown."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.analysis.ratios import Ratio
from benchmarks.analysis.summary import Row, Section, Span, Spread

ABSENT = "–"


@dataclass(frozen=True)
class Column:
    """One column of a table of models: what it shows of a row, and how that is written."""

    heading: str
    value: Callable[[Row], Any]
    text: Callable[[Any], str]
    timed: bool = False
    """Does a clock stand behind it? Then a clock that is not like the others marks it."""
    calls: bool = False
    """Are single calls behind it? Then one that was timed in another way marks it as well."""
    is_number: bool = True
    block: str = ""
    on_right: bool = False
    """The three as of parts.Head."""


def plain_value(value: Any) -> float | str | None:
    """What a column shows, as one number or text; of several numbers the first."""
    if isinstance(value, Spread):
        return value.mean
    if isinstance(value, Ratio):
        return value.value
    if isinstance(value, Span):
        return value.median
    if isinstance(value, tuple):
        return plain_value(value[0])
    return value if value is None or isinstance(value, int | float | str) else str(value)


def spread_text(spread: Spread) -> str:
    digits = 3 if abs(spread.mean) < 10 else 1
    text = f"{spread.mean:.{digits}f}"
    if spread.deviation is None:
        return text
    return f"{text} ±{spread.deviation:.{digits}f}".replace("±0.", "±.")


def percent(ratio: Ratio, to: str = "–", unit: str = "%") -> str:
    """The interval of a ratio, in whole per cent; the ratio itself where nothing tells one."""
    ends = (ratio.value,) if ratio.low is None or ratio.high is None else (ratio.low, ratio.high)
    texts = (f"{round(100 * end)}".replace("-", "−") for end in ends)
    return to.join(dict.fromkeys(texts)) + unit


def span(spread: Span, one: Callable[[float], str] | None = None) -> str:
    """From the least to the most, in two significant digits; one number, written as `one` says,
    where there is nothing between."""
    if spread.least == spread.most:
        return (one or number)(spread.median)
    low, high = (
        brief(end) if one is seconds else number(end) for end in (spread.least, spread.most)
    )
    return low if low == high else f"{low.removeprefix('0')}–{high.removeprefix('0')}"


def seconds_span(spread: Span) -> str:
    return span(spread, seconds)


def brief(value: float) -> str:
    """Seconds in two digits, and no more than hundredths."""
    return f"{value:.2f}" if value < 0.995 else f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"


def seconds(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def number(value: float) -> str:
    """Two significant digits, and never an exponent."""
    rounded = float(f"{value:.2g}")
    if abs(rounded) >= 10 or rounded == 0:
        return f"{rounded:,.0f}"
    return f"{rounded:.12f}".rstrip("0").rstrip(".")


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
        tested = "" if section.part else f" and {rows['test']:,} test"
        text += f", {rows['train']:,} train{tested} rows"
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
