"""All that a run has to show, put together: on a terminal, and as files in its folder."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Group, RenderableType

from benchmarks import control_table, ledger_table, table, timing_table, verdict_table
from benchmarks.summary import Section


def render(found: Sequence[Section], width: int) -> RenderableType:
    honest = [section for section in found if not section.control]
    parts = (table.render(honest, width), timing_table.render(honest), control_table.render(found))
    return Group(*(line for part in parts if part.renderables for line in (part, "")))


def write(folder: Path, found: Sequence[Section]) -> None:
    """Write table.md, table.csv, verdicts.md and verdicts.csv of a run."""
    honest = [section for section in found if not section.control]
    tables = (
        table.to_markdown(honest), timing_table.to_markdown(honest),
        ledger_table.to_markdown(honest), control_table.to_markdown(found),
    )  # fmt: skip
    texts = {
        "table.md": "\n".join(text for text in tables if text.strip()),
        "table.csv": table.to_csv(found),
        "verdicts.md": verdict_table.to_markdown(honest),
        "verdicts.csv": verdict_table.to_csv(honest),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
