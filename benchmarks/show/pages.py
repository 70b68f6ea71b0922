"""All that a run has to show, put together: on a terminal, and as files in its folder."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Group, RenderableType

from benchmarks.analysis.summary import Section
from benchmarks.show import (
    control_table,
    ledger_table,
    sweep_table,
    table,
    timing_table,
    verdict_table,
)

MANY = 4  # tables of one sweep that are not printed one by one


def render(found: Sequence[Section], width: int) -> RenderableType:
    honest = [section for section in found if not section.control]
    swept = sweep_table.render(honest)
    many = len(honest) > MANY and bool(swept.renderables)
    shown = [] if many else honest  # the sweep says it shorter; table.md has all
    parts = (
        table.render(shown, width),
        timing_table.render(shown, width),
        control_table.render(found),
        swept,
    )
    return Group(*(line for part in parts if part.renderables for line in (part, "")))


def write(folder: Path, found: Sequence[Section]) -> None:
    """Write table.md, table.csv, verdicts.md and verdicts.csv of a run."""
    honest = [section for section in found if not section.control]
    tables = (
        table.to_markdown(honest),
        timing_table.to_markdown(honest),
        ledger_table.to_markdown(honest),
        control_table.to_markdown(found),
        sweep_table.to_markdown(honest),
    )
    texts = {
        "table.md": "\n".join(text for text in tables if text.strip()),
        "table.csv": table.to_csv(found),
        "verdicts.md": verdict_table.to_markdown(honest),
        "verdicts.csv": verdict_table.to_csv(honest),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def draw(folder: Path, found: Sequence[Section]) -> list[Path]:
    """Write the pictures that a run is for, as SVG."""
    from benchmarks.show import headline  # only after cells ran: it loads for most of a second

    return headline.write(folder, found)
