"""All that a run has to show, put together: on a terminal, and as files in its folder."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Group, RenderableType

from benchmarks.analysis.dial import dial
from benchmarks.analysis.matrix import matrix
from benchmarks.analysis.summary import Section
from benchmarks.analysis.sweeps import sweeps
from benchmarks.records import files
from benchmarks.show import markdown, terminal
from benchmarks.show.control_table import control_groups, controls_table
from benchmarks.show.latency_table import latency_table
from benchmarks.show.ledger_table import ledger_table
from benchmarks.show.matrix_table import dial_table, matrix_table
from benchmarks.show.parts import Chapter, Table
from benchmarks.show.results_table import results_data, results_table
from benchmarks.show.spreadsheet import csv_text
from benchmarks.show.sweep_table import sweep_table
from benchmarks.show.verdict_table import NAMES, verdicts_data, verdicts_table

MANY = 4  # tables of one sweep that are not printed one by one


def render(sections: Sequence[Section], width: int) -> RenderableType:
    """What a terminal of `width` characters shows of a run."""
    return Group(terminal.printed(shown_chapters(sections), width), "")


def shown_chapters(sections: Sequence[Section]) -> list[Chapter]:
    honest = honest_ones(sections)
    swept = [sweep_table(sweep) for sweep in sweeps(honest)]
    many = len(honest) > MANY and bool(swept)
    shown = [] if many else honest  # the sweep says it shorter; table.md has all
    kinds = (
        [results_table(section) for section in shown],
        present(latency_table(section) for section in shown),
        [controls_table(group) for group in control_groups(sections)],
        swept,
        grounds_and_dials(honest),
    )
    return [Chapter("", tables) for tables in kinds if tables]


def write(folder: Path, sections: Sequence[Section]) -> None:
    """Write table.md, table.csv, verdicts.md and verdicts.csv of a run."""
    honest = honest_ones(sections)
    tables = [
        *(results_table(section) for section in honest),
        *present(latency_table(section) for section in honest),
        *present(ledger_table(section) for section in honest),
        *(controls_table(group) for group in control_groups(sections)),
        *(sweep_table(sweep) for sweep in sweeps(honest)),
        *grounds_and_dials(honest),
    ]
    texts = {
        "table.md": markdown.fragment(tables),
        "table.csv": csv_text(results_data(sections)),
        "verdicts.md": markdown.fragment(present(verdicts_table(s) for s in honest)),
        "verdicts.csv": csv_text(verdicts_data(honest), NAMES),
    }
    for name, text in texts.items():
        files.write(folder / name, text)


def grounds_and_dials(sections: Sequence[Section]) -> list[Table]:
    """Models by tasks, and models by views, where a run has several of them."""
    made = matrix(sections)
    found = [
        dial_table(one, f"views-{k}") for k, one in enumerate(filter(None, map(dial, sections)), 1)
    ]
    return [*([] if made is None else [matrix_table(made)]), *found]


def draw(folder: Path, sections: Sequence[Section]) -> list[Path]:
    """Write the pictures that a run is for, as SVG."""
    from benchmarks.show import headline  # only after cells ran: it loads for most of a second

    return headline.write_pictures(folder, sections)


def honest_ones(sections: Sequence[Section]) -> list[Section]:
    return [section for section in sections if not section.control]


def present(tables: Iterable[Table | None]) -> list[Table]:
    return [table for table in tables if table is not None]
