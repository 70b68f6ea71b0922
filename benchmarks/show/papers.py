"""Parts as Markdown and LaTeX for a README or a paper, and as files for slides and spreadsheets."""

import csv
import html
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import vl_convert
from tabulate import tabulate

from benchmarks.show.page import VEGA_LITE, parts_of, specification
from benchmarks.show.parts import Chapter, Part, Picture, Table, Widget

WIDTH = 640  # of a picture that has no page to fill, in pixels
ON_WHITE: Mapping[str, Any] = {
    "background": "white",
    "view": {"stroke": None},
    "axis": {"titleFontWeight": "normal", "gridColor": "#ddd"},
    "style": {"faint": {"stroke": "#777", "color": "#777"}},
}
"""What page.js takes from the page's theme."""


def markdown(title: str, chapters: Sequence[Chapter]) -> str:
    """Words, tables, and links to the pictures beside the file."""
    lines = [f"# {escaped(title)}", ""]
    for chapter in chapters:
        lines += [f"## {escaped(chapter.title)}", ""]
        for part in map(fixed, chapter.parts):
            if isinstance(part, str):
                lines += [escaped(part), ""]
            elif isinstance(part, Table):
                texts = [[escaped(cell.text) for cell in row] for row in part.rows]
                lines += [f"**{escaped(part.title)}**", "", _table(part, texts, "pipe"), ""]
                lines += [f"{escaped(note)}\n" for note in part.notes]
            elif isinstance(part, Picture):
                lines += [
                    f"![{escaped(part.title)}]({part.name}.svg)",
                    "",
                    escaped(part.caption),
                    "",
                ]
    return "\n".join(lines).rstrip() + "\n"


def latex(chapters: Sequence[Chapter]) -> str:
    """Every table in the form of booktabs, to be \\input where it is wanted."""
    made = []
    for part in map(fixed, parts_of(chapters)):
        if isinstance(part, Table):
            texts = [[cell.text for cell in row] for row in part.rows]
            made.append(f"% {part.title}\n{_table(part, texts, 'latex_booktabs')}\n")
    return "\n".join(made).translate(UNICODE)


def fixed(part: Part) -> str | Table | Picture:
    """A part as it is on paper, where nothing can be changed."""
    return part.table if isinstance(part, Widget) else part


UNICODE = str.maketrans(
    {
        "±": "$\\pm$",
        "µ": "$\\mu$",
        "²": "$^2$",
        "–": "--",
        "−": "$-$",
        "×": "$\\times$",
        "·": "$\\cdot$",
        "…": "\\ldots{}",
        "≥": "$\\geq$",
        "≤": "$\\leq$",
        "★": "$\\star$",
        "≈": "$\\approx$",
        "✓": "yes",
        "✗": "no",
    }
)
"""What plain LaTeX fonts may lack."""


def _table(part: Table, texts: Sequence[Sequence[str]], form: str) -> str:
    heads = [head.text if form.startswith("latex") else escaped(head.text) for head in part.heads]
    sides = ["right" if head.is_number else "left" for head in part.heads]
    return tabulate(
        texts,
        headers=heads,
        tablefmt=form,
        colalign=sides if texts else None,
        disable_numparse=True,
    )


def escaped(text: str) -> str:
    """A text that Markdown shows as it is, in a table as well."""
    text = " ".join(html.escape(text, quote=False).split())
    return re.sub(r"([\\`*_\[\]|])", r"\\\1", text)


def write(folder: Path, title: str, chapters: Sequence[Chapter]) -> None:
    """Write report.md, tables.tex, a CSV for each table and picture, pictures as SVG and PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text(markdown(title, chapters), encoding="utf-8")
    (folder / "tables.tex").write_text(latex(chapters), encoding="utf-8")
    for part in map(fixed, parts_of(chapters)):
        if isinstance(part, Table):
            _csv(folder / f"{part.name}.csv", part.data())
        elif isinstance(part, Picture):
            _csv(folder / f"{part.name}.csv", part.data)
            drawing = drawn(part)
            svg = vl_convert.vegalite_to_svg(drawing, vl_version=VEGA_LITE)
            (folder / f"{part.name}.svg").write_text(svg, encoding="utf-8")
            (folder / f"{part.name}.png").write_bytes(vl_convert.svg_to_png(svg, scale=2))


def drawn(picture: Picture) -> dict[str, Any]:
    """Vega-Lite with its data and a width, on white."""
    made = specification(picture)
    made["datasets"] = made.get("datasets", {}) | {picture.name: list(picture.data)}
    made["config"] = made.get("config", {}) | ON_WHITE
    for view in _views(made):
        if view.get("width") == "container":
            view["width"] = WIDTH
    return made


def _views(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield spec
    for key in ("layer", "hconcat", "vconcat", "concat"):
        for inner in spec.get(key, ()):
            yield from _views(inner)


def _csv(file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _safe(value) for name, value in row.items()} for row in rows)
    file.write_text(out.getvalue(), encoding="utf-8")


def _safe(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula stays a text."""
    is_formula = isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{value}" if is_formula else value
