"""Verdicts on pairs of models as a table, and as rows for a CSV."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from benchmarks.analysis.summary import Section
from benchmarks.analysis.verdicts import Verdict, signed
from benchmarks.show.formats import provenance, section_title
from benchmarks.show.helps import VERDICTS
from benchmarks.show.parts import Entry, Head, Table, words
from tasks.metrics import Facts

NAMES = ("task", *(field.name for field in fields(Verdict)))
"""The columns of verdicts.csv."""


def open_questions(section: Section) -> list[str]:
    """What nobody can tell yet about the first row, and what it would take."""
    if not section.verdicts:
        return []
    top = section.rows[0].label
    return [
        f"? {verdict.sentence()}."
        for verdict in section.verdicts
        if verdict.word == "can't tell" and top in (verdict.a, verdict.b)
    ]


def verdicts_table(section: Section, name: str = "verdicts") -> Table | None:
    """One line per pair, the better one first; None without verdicts."""
    if not section.verdicts:
        return None
    heads = [
        *(Head(text, VERDICTS.get(text, ""), False) for text in ("model", "against", "verdict")),
        *(Head(text, VERDICTS[text]) for text in ("better by", "interval", "p")),
    ]
    lines = [
        [
            *words(v.a, v.b, v.said + v.advice()),
            Entry(signed(v.difference), v.difference),
            Entry(v.interval(), v.low),
            Entry(f"{v.p:.3f}" if v.p >= 0.001 else "<.001", v.p),
        ]
        for v in section.verdicts
    ]
    return Table(
        name,
        section_title(section),
        heads,
        lines,
        legend=how_judged(section),
        source=provenance(section),
    )


def how_judged(section: Section) -> str:
    """How the verdicts came about, in one line."""
    first = section.verdicts[0]
    seeds = sorted({v.seeds for v in section.verdicts})
    bands = sorted({f"{v.band:.2g}" for v in section.verdicts})
    means = {
        "one seed": "about these trained models alone, as one seed does not tell how seeds differ",
        "new rows": "over seeds and test rows",
        "same rows": "over seeds and test rows, all seeds being tested on the same rows",
        "scores only": "over seeds, from one score of each (paired t-test)",
        "new splits": "over seeds and test rows, a row counting once however many seeds it tests",
    }
    designs = "; ".join(means[d] for d in dict.fromkeys(v.design for v in section.verdicts))
    return (
        f"{metric_named(section, first.metric).label}, seeds in common: "
        f"{', '.join(map(str, seeds))}. interval: it decides; {designs}; 95 %, corrected for "
        f"{len(section.verdicts)} pairs (Holm), as is p, of no difference. Better: it excludes "
        "zero. Equal in practice: it lies within "
        f"±{bands[0]}{' to ' + bands[-1] if len(bands) > 1 else ''}."
    )


def metric_named(section: Section, name: str) -> Facts:
    return next(metric for metric in section.metrics if metric.name == name)


def verdicts_data(sections: Iterable[Section]) -> list[dict[str, Any]]:
    """One dict per pair with unrounded numbers."""
    return [{"task": s.label, **vars(verdict)} for s in sections for verdict in s.verdicts]
