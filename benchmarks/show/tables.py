"""The tables of a report: results, work, failures, checks, and how it was measured."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.analysis.summary import Section, tuned
from benchmarks.records.codes import NAMES
from benchmarks.records.records import Record
from benchmarks.show import helps, pictures
from benchmarks.show import table as results
from benchmarks.show.formats import ABSENT, provenance, title
from benchmarks.show.ledger_table import COLUMNS as LEDGER
from benchmarks.show.ledger_table import NOTES as LEDGER_NOTES
from benchmarks.show.ledger_table import counted
from benchmarks.show.parts import Cell, Head, Part, Table, table
from benchmarks.show.verdict_table import open_questions
from tasks.base import METRICS, METRICS_OF

MOST_ROWS = 200  # of a table on the page; all of them are in table.csv


def results_of(section: Section, name: str, folded: bool = False) -> Table:
    columns = [
        *results.origin_columns(),
        *results.score_columns(section),
        *results.verdict_columns(section),
        *results.cost_columns(section),
    ]
    rows = [*section.bounds, *section.rows][:MOST_ROWS]
    write: Any = lambda column, row: results.cell(section, column, row)  # noqa: E731
    made = table(
        name, title(section), rows, columns, helps.RESULTS, write, ("era", "vs top", "checks")
    )
    lines = list(made.rows)
    for place, reference in ((0, "ceiling"), (len(lines), "floor")):
        if line := reference_line(section, reference, made.heads):
            lines.insert(place if place == 0 else len(lines), line)
    notes = [f"? {text}" for text in open_questions(section)]
    notes += [f"* {text}" for text in results.strange_clocks(section)]
    notes += [results.notes(section), provenance(section)]
    hidden = len(section.rows) + len(section.bounds) - len(rows)
    if hidden:
        notes.insert(0, f"{hidden:,} more rows are in table.csv.")
    notes = [note for note in notes if note]
    return Table(made.name, made.title, made.heads, lines, notes, folded)


def reference_line(section: Section, name: str, heads: Sequence[Head]) -> list[Cell]:
    """`ceiling` or `floor` as a line of the table; empty where nobody knows it."""
    cells, known = [Cell(name, name)], False
    columns = {c.heading: c for c in results.score_columns(section)}
    labels = {METRICS[m].label: m for m in METRICS_OF[section.kind]}
    for head in heads[1:]:
        spread = section.reference(name, labels[head.text]) if head.text in labels else None
        known |= spread is not None
        text = columns[head.text].text(spread) if spread is not None else ""
        cells.append(Cell(text, spread.mean if spread else None))
    return cells if known else []


def ledger_of(section: Section, name: str) -> list[Part | None]:
    if not counted(section):
        return []
    rows = section.rows
    columns = [c for c in LEDGER if any(c.value(row) is not None for row in rows)]
    made = table(
        name,
        f"{section.label}: what each approach asked for",
        rows,
        columns,
        helps.LEDGER,
        texts=("GPU", "prepares"),
    )
    made = Table(made.name, made.title, made.heads, made.rows, [LEDGER_NOTES])
    return [pictures.ledger(section, f"{name}-map"), made]


def failures(found: Sequence[Section], unreadable: Sequence[str]) -> Part | None:
    heads = [Head(text, is_number=False) for text in ("model", "task", "seed", "ended", "reason")]
    lines = [
        [
            Cell(t, t)
            for t in (row.label, section.label, str(r["seed"]), r["status"], str(r["reason"]))
        ]
        for section in found
        for row in section.everything
        for r in row.records
        if r["status"] != "done"
    ]
    if not lines and not unreadable:
        return "Every cell of this run came to its end."
    more = (
        f"{len(lines) - MOST_ROWS:,} more are in records.parquet." if len(lines) > MOST_ROWS else ""
    )
    notes = [text for text in (*unreadable[:MOST_ROWS], more) if text]
    return Table("failures", "Cells without a score", heads, lines[:MOST_ROWS], notes)


def checks(found: Sequence[Section]) -> Part | None:
    """One line per check and model, with the first of the texts."""
    heads = [Head(text, is_number=False) for text in ("check", "what", "model", "where", "found")]
    fired: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    for section in found:
        for row in section.everything:
            for code, text in row.checks().items():
                key = code, NAMES.get(code, code), row.label
                fired.setdefault(key, []).append((section.label, text))
        for label, reason in section.distrust.items():
            fired.setdefault(("control", "do not trust", label), []).append((section.label, reason))
    if not fired:
        return "Nothing suspicious was found: docs/checks.md lists what was looked for."
    lines = []
    for key, places in sorted(fired.items()):
        label, text = places[0]
        where = label if len(places) == 1 else f"{label} and {len(places) - 1} more"
        lines.append([Cell(t, t) for t in (*key, where, text)])
    title = "What makes a number suspicious (docs/checks.md)"
    return Table("checks", title, heads, lines[:MOST_ROWS])


def measured(found: Sequence[Section]) -> list[Part | None]:
    records = [r for s in found for row in s.everything for r in row.records]
    if not records:
        return []

    def values(of: Callable[[Record], Any]) -> str:
        return ", ".join(sorted({str(of(r)) for r in records})) or ABSENT

    def machine(record: Record) -> str:
        m = record["machine"]
        return (
            f"{m['processor']}, {m['cores']} cores, {m['memory_gb']:.0f} GB, "
            f"{m.get('system', '')}, Python {m['python']}"
        )

    versions = sorted({f"{k} {v}" for r in records for k, v in r["packages"].items()})
    days = sorted({r["started"][:16].replace("T", " ") for r in records})
    facts = [
        ("machine", values(machine)),
        ("when (UTC)", days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"),
        ("commit", values(lambda r: r.get("commit"))),
        ("cells", f"{len(records):,}"),
        ("seeds", values(lambda r: r["seed"])),
        ("threads", values(lambda r: r["config"].get("threads"))),
        ("limit", values(lambda r: f"{r['limits']['seconds']:g} s a cell")),
        ("packages", ", ".join(versions)),
    ]
    clock = (
        "Every cell ran in a process of its own, on the same rows and the same split as all other "
        "models of its seed. Warm-up, scoring and checks are outside the clock; docs/measuring.md "
        "says what is inside, results/README.md what a record holds."
    )
    heads = [Head("what", is_number=False), Head("is", is_number=False)]
    return [
        clock,
        Table("measured", "Where and when", heads, [[Cell(k, k), Cell(v, v)] for k, v in facts]),
    ]


def settings(found: Sequence[Section]) -> Part | None:
    """The resolved settings of every task and model, once each."""
    heads = [Head(text, is_number=False) for text in ("part", "settings")]
    lines: dict[tuple[str, str], None] = {}
    for section in found:
        for row in section.everything:
            for part, label in (("task", section.label), ("model", row.label)):
                lines.setdefault((f"{part} {label}", as_text(row.first["config"][part])))
            if tuned(row.first):
                for r in row.done:
                    name = f"chosen for {row.label}, seed {r['seed']}"
                    lines.setdefault((name, as_text(r["tuning"]["chosen"])))
    if not lines:
        return None
    rows = [[Cell(t, t) for t in line] for line in lines][:MOST_ROWS]
    return Table("settings", "The settings behind every row", heads, rows)


def as_text(settings: Mapping[str, Any]) -> str:
    """The class, and the settings as one would type them."""
    words = [
        f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in settings.items() if k != "_target_"
    ]
    return " ".join([str(settings.get("_target_", "")), *words]).strip() or "no setting"
