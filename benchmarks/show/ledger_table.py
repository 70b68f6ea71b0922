"""The work ledger as a table: what each approach asked of people, of machines, and of both."""

import io
from collections.abc import Callable, Iterable
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.analysis.summary import Row, Section, phase
from benchmarks.records.records import Record
from benchmarks.show.formats import Column, compact, markdown, new_table, number, seconds, title

NOTES = (
    "SQL, Python: lines of feature code that the model's view needs; model: lines of its file; "
    "loops: of these, lines of training loops. raw, designed: columns read, and features that "
    "somebody thought of. knobs: settings; tuned: those that were searched. fits: all that were "
    "made for one model. total s: load, view, search, fit and predict. disk: bytes as stored. "
    "packages: beyond numpy and pandas, with their size. cold s: a new process until its first "
    "prediction (timing=full). prepares: by what classes the model makes the view fit for it. "
    "docs/work-ledger.md says how each is counted."
)
WORK_PHASES = ("load", "view", "tune", "fit", "predict")


def of_work(name: str) -> Callable[[Row], float | None]:
    return lambda row: row.median(lambda r: (r.get("work") or {}).get(name))


def total_seconds(record: Record) -> float:
    return sum(phase(record, name) or 0.0 for name in WORK_PHASES)


def count(value: float) -> str:
    return f"{value:,.0f}"


def word(name: str) -> Callable[[Row], str | None]:
    def of(row: Row) -> str | None:
        return (row.first.get("work") or {}).get(name)

    return of


def packages(row: Row) -> int | None:
    found: Any = (row.first.get("work") or {}).get("packages")
    return None if found is None else len(found)


def preparation(row: Row) -> str | None:
    found: Any = (row.first.get("work") or {}).get("preparation")
    return None if found is None else " ".join(found) or "nothing"


COLUMNS = (
    Column("SQL", of_work("feature_lines_sql"), count),
    Column("Python", of_work("feature_lines_python"), count),
    Column("model", of_work("model_lines"), count),
    Column("loops", of_work("loop_lines"), count),
    Column("raw", of_work("raw_columns"), count),
    Column("designed", of_work("designed_columns"), count),
    Column("knobs", of_work("knobs"), count),
    Column("tuned", of_work("knobs_tuned"), count),
    Column("fits", of_work("fits"), count),
    Column("labels", of_work("labels"), count),
    Column("total s", lambda row: row.median(total_seconds), seconds, True),
    Column("parameters", lambda row: row.median(lambda r: r["parameters"]), compact),
    Column("disk", lambda row: row.median(lambda r: r["size_bytes"]), lambda b: f"{compact(b)}B"),
    Column("packages", packages, count),
    Column("MB", lambda row: megabytes(of_work("package_bytes")(row)), number),
    Column("GPU", word("gpu"), str),
    Column(
        "cold s",
        lambda row: row.median(lambda r: (r["cold_start"] or {}).get("whole")),
        seconds,
        True,
    ),
    Column("prepares", preparation, str),
)


def megabytes(size: float | None) -> float | None:
    return None if size is None else size / 1e6


def counted(section: Section) -> bool:
    """Is there a ledger at all? Records of older versions have none."""
    return any(r.get("work") for row in section.rows for r in row.done)


def to_table(section: Section, as_markdown: bool = False) -> Table:
    columns = [c for c in COLUMNS if any(c.value(row) is not None for row in section.rows)]
    table = new_table(["model"], [c.heading for c in columns], as_markdown)
    for row in section.rows:
        table.add_row(Text(row.label), *(Text(c.cell(row)) for c in columns))
    return table


def to_markdown(found: Iterable[Section]) -> str:
    """Empty if nothing was counted."""

    def write(console: Console, out: io.StringIO) -> None:
        for section in found:
            if counted(section):
                out.write(f"### {title(section)}: the work ledger\n")
                console.print(to_table(section, as_markdown=True))
                out.write(f"\n{NOTES}\n\n")

    return markdown(write)
