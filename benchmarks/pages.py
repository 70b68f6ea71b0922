"""All that a run has to show, put together: on a terminal, and as files in its folder."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Group, RenderableType

from benchmarks import table, timing_table, verdict_table
from benchmarks.summary import Section


def render(found: Sequence[Section], width: int) -> RenderableType:
    return Group(table.render(found, width), timing_table.render(found))


def write(folder: Path, found: Sequence[Section]) -> None:
    """Write table.md, table.csv, verdicts.md and verdicts.csv of a run."""
    tables = [table.to_markdown(found), timing_table.to_markdown(found)]
    texts = {
        "table.md": "\n".join(text for text in tables if text.strip()),
        "table.csv": table.to_csv(found),
        "verdicts.md": verdict_table.to_markdown(found),
        "verdicts.csv": verdict_table.to_csv(found),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
