"""Verdicts on pairs of models as text: on a terminal, as Markdown, as CSV."""

import csv
import io
from collections.abc import Iterable
from dataclasses import fields

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchmarks.analysis.summary import Section
from benchmarks.analysis.verdicts import Verdict, signed
from benchmarks.show.formats import markdown, new_table, provenance, title
from tasks.base import METRICS


def open_questions(section: Section) -> list[str]:
    """What nobody can tell yet about the first row, and what it would take."""
    if not section.verdicts:
        return []
    top = section.rows[0].label
    return [
        verdict.sentence()
        for verdict in section.verdicts
        if verdict.word == "can't tell" and top in (verdict.a, verdict.b)
    ]


def to_table(section: Section, markdown: bool = False) -> Table:
    """One line per pair, the better one first."""
    left, right = ("model", "against", "verdict"), ("better by", "95 %", "p")
    table = new_table(left, right, markdown)
    for v in section.verdicts:
        interval = f"{signed(v.low)} to {signed(v.high)}"
        p = f"{v.p:.3f}" if v.p >= 0.001 else "<.001"
        word = v.word + v.advice() if markdown else v.word
        texts = (v.a, v.b, word, signed(v.difference), interval, p)
        table.add_row(*map(Text, texts))
    return table


def notes(section: Section) -> str:
    """How the verdicts under `verdict_table` came about, in one line."""
    first = section.verdicts[0]
    seeds = sorted({v.seeds for v in section.verdicts})
    bands = sorted({f"{v.band:.2g}" for v in section.verdicts})
    means = {
        "one seed": "for these trained models only, as one seed does not tell how seeds differ",
        "new rows": "over seeds and test rows",
        "same rows": "over seeds and test rows, all seeds being tested on the same rows",
        "new splits": "over new splits of the same rows (Nadeau and Bengio 2003)",
    }
    return (
        f"{METRICS[first.metric].label}, seeds in common: {', '.join(map(str, seeds))}. "
        f"95 %: interval {means[first.design]}. p: of no difference, corrected for "
        f"{len(section.verdicts)} pairs (Holm). Equal in practice: the interval lies within "
        f"±{bands[0]}{' to ' + bands[-1] if len(bands) > 1 else ''}."
    )


def render(found: Iterable[Section]) -> RenderableType:
    """All verdicts of each section."""
    parts: list[RenderableType] = []
    for section in found:
        if section.verdicts:
            parts += [
                Text(title(section), style="bold"),
                to_table(section),
                *(Text(f"? {v.sentence()}") for v in section.verdicts if v.advice()),
                Text(notes(section), style="dim"),
            ]
    return Group(*parts)


def to_markdown(found: Iterable[Section]) -> str:
    """A verdict on each pair of every section."""

    def write(console: Console, out: io.StringIO) -> None:
        for section in found:
            if section.verdicts:
                out.write(f"### {title(section)}\n")
                console.print(to_table(section, markdown=True))
                out.write(f"\n{notes(section)}\n\n{provenance(section)}\n\n")

    return markdown(write)


def to_csv(found: Iterable[Section]) -> str:
    """One line per pair with unrounded numbers."""
    out = io.StringIO()
    names = ["task", *(field.name for field in fields(Verdict))]
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    for section in found:
        writer.writerows({"task": section.label, **vars(v)} for v in section.verdicts)
    return out.getvalue()
