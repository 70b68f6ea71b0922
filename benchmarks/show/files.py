"""Parts as files: Markdown and LaTeX for a README or a paper, the rest for slides and
spreadsheets."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.errors import cannot_write
from benchmarks.records.files import write
from benchmarks.show import latex, markdown
from benchmarks.show.drawing import png, svg
from benchmarks.show.parts import Chapter, Picture, Table, on_paper, parts_of
from benchmarks.show.spreadsheet import csv_text


def write_files(folder: Path, title: str, chapters: Sequence[Chapter]) -> None:
    """Write report.md, tables.tex, a CSV for each table and picture, pictures as SVG and PNG."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from None
    texts = {
        "report.md": markdown.document(title, chapters),
        "tables.tex": latex.tabulars(chapters),
    }
    for part in map(on_paper, parts_of(chapters)):
        if isinstance(part, Table):
            texts[f"{part.name}.csv"] = csv_text(part.data())
        elif isinstance(part, Picture):
            texts[f"{part.name}.csv"] = csv_text(part.data)
            texts[f"{part.name}.svg"] = drawn = svg(part)
            write(folder / f"{part.name}.png", png(drawn))
    for name, text in texts.items():
        write(folder / name, text)
