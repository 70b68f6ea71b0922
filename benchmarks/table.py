"""Result tables of summed-up records: on a terminal, as Markdown, as CSV."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchmarks.checks import NAMES
from benchmarks.records import Record
from benchmarks.summary import (
    Row,
    Section,
    Spread,
    changes,
    memory_growth,
    phase,
    row_latency,
    single_latency,
    tuned,
)
from benchmarks.verdicts import Verdict, signed
from tasks.base import METRICS, METRICS_OF

ABSENT = "–"


@dataclass(frozen=True)
class Column:
    """One column of a table: what it shows of a row, and how that is written."""

    heading: str
    value: Callable[[Row], Any]
    text: Callable[[Any], str]

    def cell(self, row: Row) -> str:
        value = self.value(row)
        return ABSENT if value is None else self.text(value)


def origin_columns() -> list[Column]:
    return [
        Column("era", lambda row: row.first["era"], str),
        Column("year", lambda row: row.first["year"], str),
    ]


def metric_column(metric: str) -> Column:
    return Column(METRICS[metric].label, lambda row: row.score(metric), spread_text)


def score_columns(section: Section) -> list[Column]:
    """What an approach gives."""
    columns = [*map(metric_column, METRICS_OF[section.kind])]
    columns.append(Column("share", lambda row: row.share(), percent))
    if section.bounds:
        columns.append(Column("known", section.known, percent))
    return columns


def verdict_columns(section: Section) -> list[Column]:
    """What is known of each row against the first one; no column without verdicts."""
    if not section.verdicts:
        return []
    top = section.rows[0].label
    on_top = {v.b: v.word for v in section.verdicts if v.a == top}
    on_top |= {v.a: v.word for v in section.verdicts if v.b == top}
    words = {"better": "worse", "equal in practice": "equal", "can't tell": "unclear"}
    known = {label: words[word] for label, word in on_top.items()} | {top: "·"}
    return [Column("vs top", lambda row: known.get(row.label), str)]


def cost_columns(is_tuned: bool = False) -> list[Column]:
    """What an approach asks for; with the seconds of its search if there was any."""

    def scaled(value: Callable[[Record], float], factor: float) -> Callable[[Row], float | None]:
        return lambda row: row.median(lambda record: factor * value(record))

    return [
        Column("view s", lambda row: row.median(lambda r: phase(r, "view")), seconds),
        *(
            [Column("tune s", lambda row: row.median(lambda r: phase(r, "tune")), seconds)]
            * is_tuned
        ),
        Column("fit s", lambda row: row.median(lambda r: phase(r, "fit")), seconds),
        Column("µs/row", scaled(row_latency, 1e6), number),
        Column("1 row ms", scaled(single_latency, 1e3), number),
        Column("+MB", scaled(memory_growth, 2**-20), number),
        Column("size", size, str),
        Column("checks", marks, str),
    ]


def is_tuned(section: Section) -> bool:
    return any(tuned(row.first) for row in section.rows)


COLUMN_NOTES = (
    "±: standard deviation over seeds. share: how much of the way from floor to ceiling the "
    "first metric has come; known: from floor to the ideal observer. vs top: is it worse than the "
    "first row, equal in practice, or can nobody tell yet? view, fit: median seconds. µs/row: "
    "predicting all test rows at once, warm. 1 row ms: one call with one row, warm. +MB: growth of "
    "memory in fit and predict. size: learned numbers (of trees: nodes), or bytes."
)


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


def size(row: Row) -> str | None:
    """Learned numbers where the model counts them, else bytes as pickled."""
    parameters = row.median(lambda r: r["parameters"])
    if parameters is not None:
        return compact(parameters)
    pickled = row.median(lambda r: r["size_bytes"])
    return None if pickled is None else compact(pickled) + "B"


def marks(row: Row) -> str:
    """The checks that fired, without the letters that all codes share."""
    return " ".join(code.removeprefix("ME") for code in row.checks())


def fired(section: Section) -> list[str]:
    """One line per check that fired: what it is, and for which rows."""
    lines: dict[str, list[str]] = {}
    for row in section.everything:
        for code, text in row.checks().items():
            lines.setdefault(code, []).append(f"{row.label} ({text})")
    return [f"{code} {NAMES[code]}: {', '.join(rows)}" for code, rows in sorted(lines.items())]


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


def new_table(columns: Sequence[Column], markdown: bool = False) -> Table:
    table = Table(
        box=box.MARKDOWN if markdown else box.SIMPLE_HEAD,
        pad_edge=markdown,
        padding=(0, 1) if markdown else (0, 1, 0, 0),
    )
    table.add_column("model", no_wrap=True)
    for column in columns:
        justify: Any = "left" if column.heading == "era" else "right"
        table.add_column(column.heading, justify=justify, no_wrap=True)
    return table


def to_table(section: Section, columns: Sequence[Column], markdown: bool = False) -> Table:
    """Models best first; above them the ceiling and below the floor where there are scores."""
    table = new_table(columns, markdown)
    metrics = {METRICS[m].label: m for m in METRICS_OF[section.kind]}

    def reference_row(name: str) -> None:
        known = {c.heading: section.reference(name, metrics[c.heading])
                 for c in columns if c.heading in metrics}  # fmt: skip
        if any(known.values()):
            texts = [spread_text(s) if (s := known.get(c.heading)) else "" for c in columns]
            table.add_row(Text(name), *map(Text, texts), style="dim")

    reference_row("ceiling")
    for row in section.bounds:
        texts = [Text(column.cell(row)) for column in columns]
        table.add_row(Text(row.label), *texts, style="dim")
    for row in section.rows:
        table.add_row(Text(row.label), *[Text(column.cell(row)) for column in columns])
    reference_row("floor")
    return table


def open_questions(section: Section) -> list[str]:
    """What nobody can tell yet about the first row, and what it would take."""
    if not section.verdicts:
        return []
    top = section.rows[0].label
    return [
        verdict.sentence()
        for verdict in section.verdicts
        if verdict.word == "can't tell" and top in (verdict.a, verdict.b)
    ]


def verdict_table(section: Section, markdown: bool = False) -> Table:
    """One line per pair, the better one first."""
    table = Table(
        box=box.MARKDOWN if markdown else box.SIMPLE_HEAD,
        pad_edge=markdown,
        padding=(0, 1) if markdown else (0, 1, 0, 0),
    )
    for heading in ("model", "against", "verdict"):
        table.add_column(heading, no_wrap=True)
    for heading in ("better by", "95 %", "p"):
        table.add_column(heading, justify="right", no_wrap=True)
    for v in section.verdicts:
        interval = f"{signed(v.low)} to {signed(v.high)}"
        p = f"{v.p:.3f}" if v.p >= 0.001 else "<.001"
        word = v.word + v.advice() if markdown else v.word
        texts = (v.a, v.b, word, signed(v.difference), interval, p)
        table.add_row(*map(Text, texts))
    return table


def verdict_notes(section: Section) -> str:
    """How the verdicts under `verdict_table` came about, in one line."""
    first = section.verdicts[0]
    seeds = sorted({v.seeds for v in section.verdicts})
    bands = sorted({f"{v.band:.2g}" for v in section.verdicts})
    means = {
        "one seed": "for these trained models only, as one seed does not tell how seeds differ",
        "new rows": "over seeds and test rows",
        "same rows": "over seeds and test rows, all seeds being tested on the same rows",
        "new splits": "over new splits of the same rows (Nadeau and Bengio 2003)",
    }
    return (
        f"{METRICS[first.metric].label}, seeds in common: {', '.join(map(str, seeds))}. "
        f"95 %: interval {means[first.design]}. p: of no difference, corrected for "
        f"{len(section.verdicts)} pairs (Holm). Equal in practice: the interval lies within "
        f"±{bands[0]}{' to ' + bands[-1] if len(bands) > 1 else ''}."
    )


def render_verdicts(found: Iterable[Section]) -> RenderableType:
    """All verdicts of each section."""
    parts: list[RenderableType] = []
    for section in found:
        if section.verdicts:
            parts += [
                Text(title(section), style="bold"),
                verdict_table(section),
                *(Text(f"? {v.sentence()}") for v in section.verdicts if v.advice()),
                Text(verdict_notes(section), style="dim"),
            ]
    return Group(*parts)


def notes(section: Section) -> str:
    """One line on how the models did it; empty if none has anything to say."""
    return " · ".join(f"{row.label}: {row.notes()}" for row in section.rows if row.notes())


def endings(section: Section) -> list[str]:
    return [f"{row.label}: {row.ending()}" for row in section.everything if row.ending()]


def render(found: Iterable[Section], width: int) -> RenderableType:
    """Tables for a terminal of `width` columns: one wide one, or scores above costs."""
    parts: list[RenderableType] = []
    for section in found:
        origin, costs = origin_columns(), cost_columns(is_tuned(section))
        scores = [*score_columns(section), *verdict_columns(section)]
        parts.append(Text(title(section), style="bold"))
        parts += fitting(section, origin, scores, costs, width)
        parts += [Text(f"✗ {text}", style="red") for text in endings(section)]
        parts += [Text(f"? {text}") for text in open_questions(section)]
        parts += [Text(f"! {text}") for text in fired(section)]
        if notes(section):
            parts.append(Text(notes(section), style="dim"))
    parts.append(Text(COLUMN_NOTES, style="dim"))
    return Group(*parts)


def fitting(
    section: Section, origin: list[Column], scores: list[Column], costs: list[Column], width: int
) -> list[Table]:
    """One wide table if it fits, or scores above costs, with the origin where there is room."""
    layouts = (
        [[*origin, *scores, *costs]],
        [scores, [*origin, *costs]],
        [[*origin, *scores], costs],
    )
    measure = Console(width=1000).measure
    for layout in layouts:
        tables = [to_table(section, columns) for columns in layout]
        if all(measure(table).maximum <= width for table in tables):
            return tables
    return [to_table(section, scores), to_table(section, costs)]


def to_markdown(found: Iterable[Section]) -> str:
    """All sections as Markdown, with a line on the machine under each."""
    out = io.StringIO()
    console = Console(file=out, width=1000, color_system=None, markup=False)
    for section in found:
        out.write(f"### {title(section)}\n")
        scores = [*score_columns(section), *verdict_columns(section)]
        columns = [*origin_columns(), *scores, *cost_columns(is_tuned(section))]
        console.print(to_table(section, columns, markdown=True))
        for text in endings(section):
            out.write(f"- {text}\n")
        questions = " ".join(f"{text}." for text in open_questions(section))
        out.write("".join(f"- {text}\n" for text in fired(section)))
        below = (questions, notes(section), COLUMN_NOTES, provenance(section))
        out.write("".join(f"\n{text}\n" for text in below if text) + "\n")
    return trimmed(out.getvalue())


def verdicts_to_markdown(found: Iterable[Section]) -> str:
    """A verdict on each pair of every section."""
    out = io.StringIO()
    console = Console(file=out, width=1000, color_system=None, markup=False)
    for section in found:
        if section.verdicts:
            out.write(f"### {title(section)}\n")
            console.print(verdict_table(section, markdown=True))
            out.write(f"\n{verdict_notes(section)}\n\n{provenance(section)}\n\n")
    return trimmed(out.getvalue())


def trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines()) + "\n"


def provenance(section: Section) -> str:
    """Where and when: one sentence, the same facts that stand in each record."""
    records = [r for row in section.everything for r in row.records]
    machines = {
        f"{m['processor']}, {m['cores']} cores, {m['memory_gb']:.0f} GB, Python {m['python']}"
        for m in (r["machine"] for r in records)
    }
    days = sorted({r["started"][:10] for r in records})
    return f"{'; '.join(sorted(machines))}; {' to '.join(dict.fromkeys((days[0], days[-1])))}."


def to_csv(found: Iterable[Section]) -> str:
    """One line per row with unrounded numbers, for a spreadsheet or a data frame."""
    lines: list[dict[str, Any]] = []
    for section in found:
        for row in section.everything:
            lines.append(csv_line(section, row))
    names = list(dict.fromkeys(name for line in lines for name in line))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue()


def csv_line(section: Section, row: Row) -> dict[str, Any]:
    first, share, known = row.first, row.share(), section.known(row)
    line: dict[str, Any] = {
        "task": section.task,
        "task_settings": changes(first, "task"),
        "model": first["model"],
        "model_settings": changes(first, "model"),
        "tuned": tuned(first),
        "era": first["era"],
        "year": first["year"],
        "seeds": len(row.records),
        "seeds_done": len(row.done),
        "ending": row.ending(),
        "checks": " ".join(row.checks()),
        "notes": row.notes(),
    }
    for metric in METRICS_OF[section.kind]:
        score = row.score(metric)
        line[metric] = score and score.mean
        line[f"{metric}_deviation"] = score and score.deviation
    return line | {
        "share_of_ceiling": share and share.mean,
        "share_of_known": known and known.mean,
        "view_seconds": row.median(lambda r: phase(r, "view")),
        "tune_seconds": row.median(lambda r: phase(r, "tune")),
        "fit_seconds": row.median(lambda r: phase(r, "fit")),
        "predict_seconds_per_row": row.median(row_latency),
        "single_row_seconds": row.median(single_latency),
        "memory_growth_bytes": row.median(memory_growth),
        "parameters": row.median(lambda r: r["parameters"]),
        "size_bytes": row.median(lambda r: r["size_bytes"]),
        "threads": first["config"]["threads"],
        "device": first["config"]["device"],
    }


def verdicts_to_csv(found: Iterable[Section]) -> str:
    """One line per pair with unrounded numbers."""
    out = io.StringIO()
    names = ["task", *(field.name for field in fields(Verdict))]
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    for section in found:
        writer.writerows({"task": section.label, **vars(v)} for v in section.verdicts)
    return out.getvalue()


def write_tables(folder: Path, found: Sequence[Section]) -> None:
    """Write table.md, table.csv, verdicts.md and verdicts.csv of a run."""
    (folder / "table.md").write_text(to_markdown(found), encoding="utf-8")
    (folder / "table.csv").write_text(to_csv(found), encoding="utf-8")
    (folder / "verdicts.md").write_text(verdicts_to_markdown(found), encoding="utf-8")
    (folder / "verdicts.csv").write_text(verdicts_to_csv(found), encoding="utf-8")
