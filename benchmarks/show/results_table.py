"""The result table: what each model gave and what it took, and the same as rows for a CSV."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from benchmarks.analysis.summary import (
    Row,
    Section,
    Span,
    changes,
    phase,
    row_latency,
    tuned,
)
from benchmarks.analysis.verdicts import Verdict, percentage
from benchmarks.records.codes import NAMES
from benchmarks.records.records import memory_growth
from benchmarks.show.formats import (
    Column,
    compact,
    number,
    percent,
    provenance,
    seconds_span,
    section_title,
    span,
    spread_text,
)
from benchmarks.show.helps import results_helps
from benchmarks.show.parts import Entry, Table, entries_of, heads_of
from benchmarks.show.verdict_table import open_questions
from tasks.metrics import Facts

LEGEND = (
    "±: standard deviation over seeds. share: how much of the way from floor to ceiling the first "
    "metric has come (95 % interval, – where the two are too close to tell); known: from floor to "
    "the ideal observer. vs top: is it worse than the first row, equal in practice, or can nobody "
    "tell yet? rank: those that the verdicts leave open (95 %, of all rows together). a–b: from "
    "the least to the most over seeds (1 row of one seed: over calls). view, "
    "warm, fit: seconds to make the features, of first calls on made-up rows, and to learn. µs/row:"
    " predicting all test rows at once. 1 row ms: one call with one row; model ms: of it what the "
    "model takes once the row is fit for it. +MB: growth of memory in fit and predict. size: "
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
    clocks, unlike = section.strange_clocks, section.unlike_calls([1])
    lines = [entries_of(row, columns, row.label in clocks, row.label in unlike) for row in rows]
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
        *starred(section.strange_clocks),
        *starred(section.unlike_calls([1])),
        *open_questions(section),
        *lacking_seeds(section),
        *first_in_draws(section),
        *(f"note: {text}" for text in section.notices),
    )
    how = " · ".join(f"{row.label}: {row.notes()}" for row in section.rows if row.notes())
    unasked = "; ".join(f"not asked: {reason}" for reason in section.unasked.values())
    return [*marked, *filter(None, (unasked, how))]


def starred(reasons: Mapping[str, str]) -> list[str]:
    """Why rows have a star: a sentence each, or one on many rows of the same reason."""
    labels: dict[str, list[str]] = {}
    for label, reason in reasons.items():
        labels.setdefault(reason, []).append(label)
    return [
        f"* {names}: {reason}"
        for reason, of in labels.items()
        for names in ([", ".join(of)] if len(of) > 2 else of)
    ]


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
    """What is known of each row against the first one, and of its rank; no column without verdicts.
    On how many seeds it is, where a row lacks some."""
    columns = []
    if section.verdicts:
        top = section.rows[0].label
        known = {v.b: against(v, True) for v in section.verdicts if v.a == top}
        known |= {v.a: against(v, False) for v in section.verdicts if v.b == top}
        known[top] = "·"
        columns += [
            word_column("vs top", lambda row: known.get(row.label), "scores"),
            word_column("rank", partial(ranks, section), "scores"),
        ]
    if lacking_seeds(section):
        columns.append(word_column("seeds", partial(seeds_of, section), "scores"))
    return columns


def against(verdict: Verdict, is_behind: bool) -> str:
    """What a verdict says of a row, in a word. is_behind: is it the other one that did better?"""
    if verdict.word != "better":
        return {"equal in practice": "equal", "can't tell": "unclear"}[verdict.word]
    word = "worse" if is_behind else "better"
    return f"{word} this seed" if verdict.design == "one seed" else word


def ranks(section: Section, row: Row) -> str | None:
    """Those that a row may have."""
    known = section.standings.get(row.label)
    if known is None:
        return None
    return f"{known.low}–{known.high}" if known.low < known.high else f"{known.low}"


def seeds_of(section: Section, row: Row) -> str | None:
    have, every = section.seeds(row)
    return f"{have} of {every}" if row in section.rows and have else None


def lacking_seeds(section: Section) -> list[str]:
    """A sentence on each row that has no score on a seed on which another row has one."""
    found = []
    for row in section.rows:
        have, every = section.seeds(row)
        if 0 < have < every:
            how = "ranked on those in common" if row.is_ranked else "not ranked"
            found.append(f"{row.label}: {have} of {every} seeds, {how}")
    return found


def first_in_draws(section: Section) -> list[str]:
    """How often the first row, and others, come first when the test rows are drawn again."""
    first = {label: s.first for label, s in section.standings.items() if s.first is not None}
    often = [
        f"{label} in {percentage(share)}"
        for label, share in sorted(first.items(), key=lambda item: -item[1])
        if share >= 0.01
    ]
    return [f"First when the test rows are drawn again: {', '.join(often[:4])}."] if often else []


def word_column(heading: str, value: Callable[[Row], str | None], block: str) -> Column:
    return Column(heading, value, str, is_number=False, block=block, on_right=True)


def cost_columns(section: Section) -> list[Column]:
    """What an approach asks for; with the seconds of its search if there was any."""
    is_tuned = any(tuned(row.first) for row in section.rows)
    cost = partial(Column, block="costs")

    def scaled(of: Callable[[Row], Span | None], factor: float) -> Callable[[Row], Span | None]:
        def of_row(row: Row) -> Span | None:
            found = of(row)
            if found is None:
                return None
            return Span(factor * found.least, factor * found.median, factor * found.most)

        return of_row

    def of_phase(name: str, heading: str) -> Column:
        return cost(heading, lambda row: row.seconds(lambda r: phase(r, name)), seconds_span, True)

    def of_call(part: str | None, heading: str) -> Column:
        of = scaled(lambda row: row.call_seconds(1, part), 1e3)
        return cost(heading, of, span, True, calls=True)

    apart = any(row.call_seconds(1, "model") for row in section.everything)
    return [
        of_phase("view", "view s"),
        of_phase("warm_up", "warm s"),
        *([of_phase("tune", "tune s")] * is_tuned),
        of_phase("fit", "fit s"),
        cost("µs/row", scaled(lambda row: row.seconds(row_latency), 1e6), span, True),
        of_call(None, "1 row ms"),
        *([of_call("model", "model ms")] * apart),
        cost("+MB", megabytes, number),
        cost("size", size, str),
        word_column("checks", partial(check_codes, section), "costs"),
    ]


def megabytes(row: Row) -> float | None:
    grown = row.median(memory_growth)
    return None if grown is None else grown / 2**20


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
    standing = section.standings.get(row.label)
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
        "seeds_compared": len(row.compared),
        "rank_low": standing and standing.low,
        "rank_high": standing and standing.high,
        "first_share": standing and standing.first,
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
    clocks = section.strange_clocks.get(row.label), section.unlike_calls([1]).get(row.label)
    return line | {
        "share_of_ceiling": share and share.value,
        "share_of_ceiling_low": share and share.low,
        "share_of_ceiling_high": share and share.high,
        "share_of_known": known and known.value,
        "share_of_known_low": known and known.low,
        "share_of_known_high": known and known.high,
        "clock": "; ".join(filter(None, clocks)),
        **spread_data("view_seconds", row.seconds(lambda r: phase(r, "view"))),
        **spread_data("warm_up_seconds", row.seconds(lambda r: phase(r, "warm_up"))),
        "import_seconds": row.median(lambda r: r["cold_start"] and r["cold_start"]["import"]),
        "cold_start_seconds": row.median(lambda r: r["cold_start"] and r["cold_start"]["whole"]),
        **spread_data("tune_seconds", row.seconds(lambda r: phase(r, "tune"))),
        **spread_data("fit_seconds", row.seconds(lambda r: phase(r, "fit"))),
        **spread_data("predict_seconds_per_row", row.seconds(row_latency)),
        **spread_data("single_row_seconds", row.call_seconds(1)),
        **spread_data("single_row_inputs_seconds", row.call_seconds(1, "inputs")),
        **spread_data("single_row_model_seconds", row.call_seconds(1, "model")),
        "memory_growth_bytes": row.median(memory_growth),
        "parameters": row.median(lambda r: r["parameters"]),
        "size_bytes": row.median(lambda r: r["size_bytes"]),
        "threads": first["config"]["threads"],
        "device": first["config"]["device"],
    }


def spread_data(name: str, found: Span | None) -> dict[str, float | None]:
    """Median, least and most of a time."""
    return {
        name: None if found is None else found.median,
        f"{name}_least": None if found is None else found.least,
        f"{name}_most": None if found is None else found.most,
    }
