"""The work ledger as a table: what each approach asked of people, of machines, and of both."""

from collections.abc import Callable
from typing import Any

from benchmarks.analysis.summary import Row, Section, total_seconds
from benchmarks.show.formats import Column, compact, number, seconds, seconds_span, section_title
from benchmarks.show.helps import LEDGER
from benchmarks.show.parts import Table, entries_of, heads_of

LEGEND = (
    "SQL, Python: lines of feature code that the model's view needs; model: lines of its file; "
    "loops: of these, lines of training loops. raw, designed: columns read, and features that "
    "somebody thought of. knobs: settings; tuned: those that were searched. fits: all that were "
    "made for one model. tokens: that a language model read and wrote; read, written: of these, "
    "for one prediction. total s: load, view, search, fit and predict. disk: bytes as stored. "
    "packages: beyond numpy and pandas, with their size. cold s: a new process until its first "
    "prediction (timing=full). prepares: by what classes the model makes the view fit for it. "
    "docs/work-ledger.md says how each is counted."
)


def of_work(name: str) -> Callable[[Row], float | None]:
    return lambda row: row.median(lambda r: (r.get("work") or {}).get(name))


def count(value: float) -> str:
    return f"{value:,.0f}"


def word(name: str) -> Callable[[Row], str | None]:
    def of(row: Row) -> str | None:
        return (row.first.get("work") or {}).get(name)

    return of


def packages(row: Row) -> int | None:
    names: Any = (row.first.get("work") or {}).get("packages")
    return None if names is None else len(names)


def preparation(row: Row) -> str | None:
    names: Any = (row.first.get("work") or {}).get("preparation")
    return None if names is None else " ".join(names) or "nothing"


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
    Column("tokens", of_work("tokens"), compact),
    Column("read", of_work("tokens_read_each"), number),
    Column("written", of_work("tokens_written_each"), number),
    Column("total s", lambda row: row.seconds(total_seconds), seconds_span, True),
    Column("parameters", lambda row: row.median(lambda r: r["parameters"]), compact),
    Column("disk", lambda row: row.median(lambda r: r["size_bytes"]), lambda b: f"{compact(b)}B"),
    Column("packages", packages, count),
    Column("MB", lambda row: megabytes(of_work("package_bytes")(row)), number),
    Column("GPU", word("gpu"), str, is_number=False, on_right=True),
    Column(
        "cold s",
        lambda row: row.median(lambda r: (r["cold_start"] or {}).get("whole")),
        seconds,
        True,
    ),
    Column("prepares", preparation, str, is_number=False, on_right=True),
)


def megabytes(size: float | None) -> float | None:
    return None if size is None else size / 1e6


def ledger_table(section: Section, name: str = "work") -> Table | None:
    """None if nothing was counted: records of older versions have no ledger."""
    if not any(r.get("work") for row in section.rows for r in row.done):
        return None
    columns = [c for c in COLUMNS if any(c.value(row) is not None for row in section.rows)]
    return Table(
        name,
        f"{section_title(section)}: the work ledger",
        heads_of(columns, LEDGER),
        [entries_of(row, columns) for row in section.rows],
        legend=LEGEND,
    )
