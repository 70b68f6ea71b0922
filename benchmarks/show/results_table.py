"""The result table: what each model gave and what it took, and the same as rows for a CSV."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from benchmarks.analysis.summary import (
    Row,
    Section,
    changes,
    phase,
    row_latency,
    single_latency,
    tuned,
)
from benchmarks.records.codes import NAMES
from benchmarks.records.records import Record, memory_growth
from benchmarks.show.formats import (
    Column,
    compact,
    number,
    percent,
    provenance,
    seconds,
    section_title,
    spread_text,
)
from benchmarks.show.helps import results_helps
from benchmarks.show.parts import Entry, Table, entries_of, heads_of
from benchmarks.show.verdict_table import open_questions
from tasks.metrics import Facts

LEGEND = (
    "±: standard deviation over seeds. share: how much of the way from floor to ceiling the "
    "first metric has come; known: from floor to the ideal observer. vs top: is it worse than the "
    "first row, equal in practice, or can nobody tell yet? view, warm, fit: median seconds to make "
    "the features, of first calls on made-up rows, and to learn. µs/row: predicting all test rows "
    "at once. 1 row ms: one call with one row. +MB: growth of memory in fit and predict. size: "
    "learned numbers (of trees: nodes), or bytes."
)


def results_table(section: Section, name: str = "results", most: int | None = None) -> Table:
    """Models best first; above them the ceiling and what is no contestant, below the floor. most:
    rows that are shown; None for all."""
    columns = [
        *origin_columns(),
        *score_columns(section),
        *verdict_columns(section),
        *cost_columns(section),
    ]
    rows = section.everything[:most]
    lines = [entries_of(row, columns, row.label in section.strange_clocks) for row in rows]
    faint = set(range(len(section.bounds)))
    if ceiling := reference_entries(section, "ceiling", columns):
        lines.insert(0, ceiling)
        faint.add(len(section.bounds))
    if floor := reference_entries(section, "floor", columns):
        faint.add(len(lines))
        lines.append(floor)
    hidden = len(section.everything) - len(rows)
    notes = [f"{hidden:,} more rows are in table.csv."] if hidden else []
    return Table(
        name,
        section_title(section),
        heads_of(columns, results_helps(section)),
        lines,
        [*notes, *findings(section)],
        legend=LEGEND,
        source=provenance(section),
        faint=faint,
    )


def findings(section: Section) -> list[str]:
    """What there is to say on the rows: marked, how it was done last."""
    marked = (
        *(f"✗ {row.label}: {row.ending()}" for row in section.everything if row.ending()),
        *(f"✗ {label}: do not trust: {reason}" for label, reason in section.distrust.items()),
        *(f"! {text}" for text in fired_checks(section)),
        *(f"* {label}: {reason}" for label, reason in section.strange_clocks.items()),
        *open_questions(section),
        *(f"note: {text}" for text in section.notices),
    )
    how = " · ".join(f"{row.label}: {row.notes()}" for row in section.rows if row.notes())
    unasked = "; ".join(f"not asked: {reason}" for reason in section.unasked.values())
    return [*marked, *filter(None, (unasked, how))]


def reference_entries(section: Section, name: str, columns: Sequence[Column]) -> list[Entry]:
    """`ceiling` or `floor` as a line of the table; empty where nobody knows it."""
    metrics = {metric.label: metric.name for metric in section.metrics}
    line, is_known = [Entry(name, name)], False
    for column in columns:
        known = None
        if column.heading in metrics:
            known = section.reference(name, metrics[column.heading])
        line.append(Entry(spread_text(known), known.mean) if known else Entry(""))
        is_known |= known is not None
    return line if is_known else []


def origin_columns() -> list[Column]:
    return [
        Column("era", lambda row: row.first["era"], str, is_number=False),
        Column("year", lambda row: row.first["year"], str),
    ]


def metric_column(metric: Facts) -> Column:
    return Column(metric.label, lambda row: row.score(metric.name), spread_text, block="scores")


def score_columns(section: Section) -> list[Column]:
    """What an approach gives."""
    columns = [*map(metric_column, section.metrics)]
    columns.append(Column("share", lambda row: row.share(), percent, block="scores"))
    if section.bounds:
        columns.append(Column("known", section.known, percent, block="scores"))
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
    return [word_column("vs top", lambda row: known.get(row.label), "scores")]


def word_column(heading: str, value: Callable[[Row], str | None], block: str) -> Column:
    return Column(heading, value, str, is_number=False, block=block, on_right=True)


def cost_columns(section: Section) -> list[Column]:
    """What an approach asks for; with the seconds of its search if there was any."""
    is_tuned = any(tuned(row.first) for row in section.rows)
    cost = partial(Column, block="costs")

    def scaled(
        value: Callable[[Record], float | None], factor: float
    ) -> Callable[[Row], float | None]:
        def of_row(row: Row) -> float | None:
            median = row.median(value)
            return None if median is None else factor * median

        return of_row

    def of_phase(name: str, heading: str) -> Column:
        return cost(heading, lambda row: row.median(lambda r: phase(r, name)), seconds, True)

    return [
        of_phase("view", "view s"),
        of_phase("warm_up", "warm s"),
        *([of_phase("tune", "tune s")] * is_tuned),
        of_phase("fit", "fit s"),
        cost("µs/row", scaled(row_latency, 1e6), number, True),
        cost("1 row ms", scaled(single_latency, 1e3), number, True),
        cost("+MB", scaled(memory_growth, 2**-20), number),
        cost("size", size, str),
        word_column("checks", partial(check_codes, section), "costs"),
    ]


def size(row: Row) -> str | None:
    """Learned numbers where the model counts them, else bytes as pickled."""
    parameters = row.median(lambda r: r["parameters"])
    if parameters is not None:
        return compact(parameters)
    pickled = row.median(lambda r: r["size_bytes"])
    return None if pickled is None else compact(pickled) + "B"


def check_codes(section: Section, row: Row) -> str:
    """`do not trust` after a failed control; else the checks that fired, without the letters that
    all codes share."""
    if row.label in section.distrust:
        return "do not trust"
    return " ".join(code.removeprefix("ME") for code in row.checks())


def fired_checks(section: Section) -> list[str]:
    """One line per check that fired: what it is, and for which rows."""
    lines: dict[str, list[str]] = {}
    for row in section.everything:
        for code, text in row.checks().items():
            lines.setdefault(code, []).append(f"{row.label} ({text})")
    return [f"{code} {NAMES[code]}: {', '.join(rows)}" for code, rows in sorted(lines.items())]


def results_data(sections: Iterable[Section]) -> list[dict[str, Any]]:
    """One dict per row with unrounded numbers."""
    return [row_data(section, row) for section in sections for row in section.everything]


def row_data(section: Section, row: Row) -> dict[str, Any]:
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
    for metric in (m.name for m in section.metrics):
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
