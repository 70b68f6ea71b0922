"""Result tables of summed-up records: on a terminal, as Markdown, as CSV."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchmarks.analysis.summary import (
    Row,
    Section,
    changes,
    memory_growth,
    phase,
    row_latency,
    single_latency,
    tuned,
)
from benchmarks.records.codes import NAMES
from benchmarks.records.records import Record
from benchmarks.show.formats import (
    ABSENT,
    Column,
    compact,
    fitting,
    markdown,
    new_table,
    number,
    percent,
    provenance,
    seconds,
    spread_text,
    title,
)
from benchmarks.show.verdict_table import open_questions
from tasks.base import METRICS, METRICS_OF


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


def cost_columns(section: Section | None = None) -> list[Column]:
    """What an approach asks for; with the seconds of its search if there was any."""
    is_tuned = section is not None and any(tuned(row.first) for row in section.rows)

    def scaled(
        value: Callable[[Record], float | None], factor: float
    ) -> Callable[[Row], float | None]:
        def of_row(row: Row) -> float | None:
            median = row.median(value)
            return None if median is None else factor * median

        return of_row

    def of_phase(name: str, heading: str) -> Column:
        return Column(heading, lambda row: row.median(lambda r: phase(r, name)), seconds, True)

    return [
        of_phase("view", "view s"),
        of_phase("warm_up", "warm s"),
        *([of_phase("tune", "tune s")] * is_tuned),
        of_phase("fit", "fit s"),
        Column("µs/row", scaled(row_latency, 1e6), number, True),
        Column("1 row ms", scaled(single_latency, 1e3), number, True),
        Column("+MB", scaled(memory_growth, 2**-20), number),
        Column("size", size, str),
        Column("checks", partial(marks, section), str),
    ]


COLUMN_NOTES = (
    "±: standard deviation over seeds. share: how much of the way from floor to ceiling the "
    "first metric has come; known: from floor to the ideal observer. vs top: is it worse than the "
    "first row, equal in practice, or can nobody tell yet? view, warm, fit: median seconds to make "
    "the features, of first calls on made-up rows, and to learn. µs/row: predicting all test rows "
    "at once. 1 row ms: one call with one row. +MB: growth of memory in fit and predict. size: "
    "learned numbers (of trees: nodes), or bytes."
)


def size(row: Row) -> str | None:
    """Learned numbers where the model counts them, else bytes as pickled."""
    parameters = row.median(lambda r: r["parameters"])
    if parameters is not None:
        return compact(parameters)
    pickled = row.median(lambda r: r["size_bytes"])
    return None if pickled is None else compact(pickled) + "B"


def marks(section: Section | None, row: Row) -> str:
    """`do not trust` after a failed control; else the checks that fired, without the letters that
    all codes share."""
    if section is not None and row.label in section.distrust:
        return "do not trust"
    return " ".join(code.removeprefix("ME") for code in row.checks())


def fired(section: Section) -> list[str]:
    """One line per check that fired: what it is, and for which rows."""
    lines: dict[str, list[str]] = {}
    for row in section.everything:
        for code, text in row.checks().items():
            lines.setdefault(code, []).append(f"{row.label} ({text})")
    return [f"{code} {NAMES[code]}: {', '.join(rows)}" for code, rows in sorted(lines.items())]


def to_table(section: Section, columns: Sequence[Column], markdown: bool = False) -> Table:
    """Models best first; above them the ceiling and below the floor where there are scores."""
    texts = [c.heading for c in columns if c.heading == "era"]
    table = new_table(
        ["model", *texts], [c.heading for c in columns if c.heading != "era"], markdown
    )
    metrics = {METRICS[m].label: m for m in METRICS_OF[section.kind]}

    def reference_row(name: str) -> None:
        known = {
            c.heading: section.reference(name, metrics[c.heading])
            for c in columns
            if c.heading in metrics
        }
        if any(known.values()):
            texts = [spread_text(s) if (s := known.get(c.heading)) else "" for c in columns]
            table.add_row(Text(name), *map(Text, texts), style="dim")

    def cells(row: Row) -> list[Text]:
        return [Text(cell(section, column, row)) for column in columns]

    reference_row("ceiling")
    for row in section.bounds:
        table.add_row(Text(row.label), *cells(row), style="dim")
    for row in section.rows:
        table.add_row(Text(row.label), *cells(row))
    reference_row("floor")
    return table


def cell(section: Section, column: Column, row: Row) -> str:
    """The text of a row in a column, with a star where its clock is not like the others'."""
    text = column.cell(row)
    starred = column.timed and row.label in section.strange_clocks and text != ABSENT
    return f"{text}*" if starred else text


def distrusted(section: Section) -> list[str]:
    return [f"{label}: do not trust: {reason}" for label, reason in section.distrust.items()]


def strange_clocks(section: Section) -> list[str]:
    return [f"{label}: {reason}" for label, reason in section.strange_clocks.items()]


def notes(section: Section) -> str:
    """One line on how the models did it; empty if none has anything to say."""
    return " · ".join(f"{row.label}: {row.notes()}" for row in section.rows if row.notes())


def endings(section: Section) -> list[str]:
    return [f"{row.label}: {row.ending()}" for row in section.everything if row.ending()]


def render(found: Iterable[Section], width: int) -> Group:
    """Tables for a terminal of `width` columns: one wide one, or scores above costs."""
    parts: list[RenderableType] = []
    for section in found:
        origin, costs = origin_columns(), cost_columns(section)
        scores = [*score_columns(section), *verdict_columns(section)]
        parts.append(Text(title(section), style="bold"))
        parts += layout(section, origin, scores, costs, width)
        parts += [Text(f"✗ {text}", style="red") for text in endings(section)]
        parts += [Text(f"✗ {text}", style="red") for text in distrusted(section)]
        parts += [Text(f"? {text}") for text in open_questions(section)]
        parts += [Text(f"! {text}") for text in fired(section)]
        parts += [Text(f"* {text}") for text in strange_clocks(section)]
        if notes(section):
            parts.append(Text(notes(section), style="dim"))
    return Group(*parts, *([Text(COLUMN_NOTES, style="dim")] if parts else []))


def layout(
    section: Section, origin: list[Column], scores: list[Column], costs: list[Column], width: int
) -> list[Table]:
    """One wide table if it fits, or scores above costs, with the origin where there is room."""
    make = partial(to_table, section)
    ways = ([[*origin, *scores, *costs]], [scores, [*origin, *costs]], [[*origin, *scores], costs])
    for way in ways:
        if all(len(fitting(make, columns, width)) == 1 for columns in way):
            return [make(columns) for columns in way]
    return [*fitting(make, scores, width), *fitting(make, costs, width)]


def to_markdown(found: Iterable[Section]) -> str:
    """All sections as Markdown, with a line on the machine under each."""

    def write(console: Console, out: io.StringIO) -> None:
        for section in found:
            out.write(f"### {title(section)}\n")
            scores = [*score_columns(section), *verdict_columns(section)]
            columns = [*origin_columns(), *scores, *cost_columns(section)]
            console.print(to_table(section, columns, markdown=True))
            for text in [*endings(section), *distrusted(section)]:
                out.write(f"- {text}\n")
            questions = " ".join(f"{text}." for text in open_questions(section))
            out.write("".join(f"- {text}\n" for text in fired(section)))
            out.write("".join(f"- \\* {text}\n" for text in strange_clocks(section)))
            below = (questions, notes(section), COLUMN_NOTES, provenance(section))
            out.write("".join(f"\n{text}\n" for text in below if text) + "\n")

    return markdown(write)


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
        "control": section.control or "",
        "do_not_trust": section.distrust.get(row.label, ""),
        "notes": row.notes(),
    }
    for metric in METRICS_OF[section.kind]:
        score = row.score(metric)
        line[metric] = score and score.mean
        line[f"{metric}_deviation"] = score and score.deviation
    return line | {
        "share_of_ceiling": share and share.mean,
        "share_of_known": known and known.mean,
        "clock": section.strange_clocks.get(row.label, ""),
        "view_seconds": row.median(lambda r: phase(r, "view")),
        "warm_up_seconds": row.median(lambda r: phase(r, "warm_up")),
        "import_seconds": row.median(lambda r: r["cold_start"] and r["cold_start"]["import"]),
        "cold_start_seconds": row.median(lambda r: r["cold_start"] and r["cold_start"]["whole"]),
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
