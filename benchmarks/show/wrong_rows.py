"""Where is it wrong, row by row: parts of the test rows, the worst first, and rows on which two
models differ most."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import altair as alt
import numpy as np
from markupsafe import Markup

from benchmarks.analysis.segments import Kept, Segment, most_apart, said, segments
from benchmarks.analysis.summary import Section
from benchmarks.show.colours import colours
from benchmarks.show.formats import ABSENT
from benchmarks.show.page import in_script
from benchmarks.show.parts import Entry, Head, Part, Picture, Table, Widget, labels_of, words
from benchmarks.show.pictures import Data, alone, over

WORST = 10  # segments that are drawn
MOST_SEGMENTS = 200  # that are listed
EACH = 8  # rows of every two models
MOST_COLUMNS = 30  # that are shown of a row
ERROR = {
    "binary": "one less the probability that was given to what came",
    "multiclass": "one less the probability that was given to what came",
    "regression": "distance of the prediction from what came",
    "answers": "share of answers that are not the right one",
}


def by_segment(section: Section, kept: Kept, label: str, name: str) -> list[Part | None]:
    """The parts on which a model is worst, drawn, and all of them as a table."""
    found = segments(kept, label)
    if not found:
        return []
    everywhere = float(kept.loss(label).mean())
    return [
        worst(section, kept, label, found, everywhere, name),
        listed(kept, label, found, everywhere, f"{name}-all"),
    ]


def worst(
    section: Section, kept: Kept, label: str, found: Sequence[Segment], everywhere: float, name: str
) -> Picture:
    shown = found[:WORST]
    data: Data = [
        {
            "where": f"{s.column}: {s.part}",
            "error": s.error,
            "low": everywhere + s.low,
            "high": everywhere + s.high,
            "rows": s.rows,
            "sure": "worse" if s.is_worse else "not sure",
        }
        for s in shown
    ]
    order = [d["where"] for d in data]
    y = alt.Y(
        "where:N", sort=order, title=None, axis=alt.Axis(labelLimit=260, domain=False, ticks=False)
    )
    labels = labels_of(section)
    mine = alt.value(colours(labels)[labels.index(label)])
    faint = alt.condition("datum.sure === 'worse'", alt.value(1.0), alt.value(0.35))
    base = alt.Chart()
    tips = ["where:N", *(alt.Tooltip(f"{f}:Q", format=".3~r") for f in ("error", "low", "high"))]
    layers = [
        base.mark_rule(strokeWidth=3).encode(
            alt.X("low:Q", title="error", scale=alt.Scale(zero=False)),
            alt.X2("high:Q"),
            y,
            color=mine,
            opacity=faint,
        ),
        base.mark_point(filled=True, size=90).encode(
            alt.X("error:Q", title="error", scale=alt.Scale(zero=False)),
            y,
            color=mine,
            opacity=faint,
            tooltip=[*tips, "rows:Q"],
        ),
        alone()
        .mark_rule(style="faint", strokeDash=[4, 3])
        .encode(x=alt.datum(everywhere, type="quantitative")),
    ]
    first = shown[0]
    title = f"No part of the rows is worse for {label} beyond chance"
    if first.is_worse:
        title = (
            f"{label} is most wrong where {first.column} is {first.part}: "
            f"{first.error:.3g}, {everywhere:.3g} on all rows"
        )
    caption = (
        f"Error: {ERROR[kept.kind]}. Dashed: its mean over all rows. Bars: 95 % intervals, "
        "corrected for all parts that were looked at; pale where the difference may be chance."
    )
    chart = over(*layers, name=name, height=28 * len(data) + 20)
    return Picture(name, title, caption, chart, data, how=of_rows(kept))


def of_rows(kept: Kept) -> str:
    return (
        f"{len(kept.given.places):,} test rows of seed {kept.seed}, evenly spread "
        "(explain.rows). Numbers are parted into fifths, other columns by their most frequent "
        "values; parts of fewer than 30 rows are left out."
    )


def listed(kept: Kept, label: str, found: Sequence[Segment], everywhere: float, name: str) -> Table:
    heads = [
        Head("column", is_number=False),
        Head("part", is_number=False),
        Head("rows"),
        Head("error", ERROR[kept.kind]),
        Head("beyond all", "its error less that of all rows"),
        Head("interval", "95 %, corrected for all parts", False),
    ]
    rows = [
        [
            *words(s.column, s.part),
            Entry(f"{s.rows:,}", s.rows),
            Entry(f"{s.error:.3g}", s.error),
            Entry(f"{s.beyond:+.3g}".replace("-", "−"), s.beyond),
            *words(f"{s.low:+.3g} to {s.high:+.3g}".replace("-", "−")),
        ]
        for s in found[:MOST_SEGMENTS]
    ]
    title = f"{label}: its error on each part of the test rows, {everywhere:.3g} on all"
    return Table(name, title, heads, rows, [of_rows(kept)], folded=True, choose="column")


def apart(kept: Kept, labels: Sequence[str], first: Sequence[str], name: str) -> Widget | None:
    """Rows on which two models differ most, for any two. first: those that are shown at first."""
    there = [label for label in labels if label in kept.said]
    places = most_apart(kept, there, EACH)
    if len(there) < 2 or not places:
        return None
    columns = list(kept.given.columns)[:MOST_COLUMNS]
    rows = [
        {
            "row": str(int(kept.given.places[k])),
            "label": label_of(kept, k),
            "said": [told(kept, label, k) for label in there],
            "values": [text_of(kept.given.columns[column][k]) for column in columns],
        }
        for k in places
    ]
    index = {k: at for at, k in enumerate(places)}
    pairs = {}
    for a, b in combinations(there, 2):
        distance = kept.apart(a, b)
        order = np.argsort(-distance, kind="stable")[:EACH]
        pairs[f"{a}\n{b}"] = [index[k] for k in order.tolist() if distance[k] > 0]
    numbers = kept.kind in ("binary", "regression")
    begin = [label for label in first if label in there][:2]
    begin += [label for label in there if label not in begin][: 2 - len(begin)]
    data = {
        "models": there,
        "columns": columns,
        "rows": rows,
        "pairs": pairs,
        "numbers": numbers,
        "first": begin,
    }
    title = "The rows on which two models differ most"
    values = {
        "name": name,
        "title": title,
        "models": there,
        "data": Markup(in_script(data)),  # noqa: S704 - escaped for a script
    }
    return Widget("apart.html.jinja", values, at_first(kept, data, name, title))


def at_first(kept: Kept, data: dict[str, Any], name: str, title: str) -> Table:
    a, b = data["first"]
    places = [data["models"].index(label) for label in (a, b)]
    found = data["pairs"].get(f"{a}\n{b}") or data["pairs"].get(f"{b}\n{a}") or []
    heads = [
        Head("row", is_number=False),
        Head("it was", is_number=False),
        *(Head(label, is_number=data["numbers"]) for label in (a, b)),
        *(Head(column, is_number=False) for column in data["columns"]),
    ]
    lines = [
        words(row["row"], row["label"], *(row["said"][place] for place in places), *row["values"])
        for row in (data["rows"][k] for k in found)
    ]
    what = {
        "binary": f"Of each model the probability of {''.join(kept.classes[-1:])!r}. ",
        "multiclass": "Of each model its most probable class, and how probable. ",
    }.get(kept.kind, "")
    note = f"{what}{len(kept.given.places):,} test rows of seed {kept.seed} were looked at."
    return Table(name, title, heads, lines, [note])


def label_of(kept: Kept, k: int) -> str:
    value = kept.labels[k]
    if kept.classes:
        return str(kept.classes[int(value)])
    return str(value) if kept.kind == "answers" else f"{value:.4g}"


def told(kept: Kept, label: str, k: int) -> str:
    """What a model said of a row."""
    value = kept.said[label][k]
    if kept.kind == "binary":
        return f"{value[1]:.3f}"
    if kept.kind == "multiclass":
        most = int(np.argmax(value))
        return f"{kept.classes[most]} {value[most]:.2f}"
    return str(value) if kept.kind == "answers" else f"{value:.4g}"


def text_of(value: Any) -> str:
    if isinstance(value, np.datetime64):
        return ABSENT if np.isnat(value) else str(value)[:16].replace("T", " ")
    if not isinstance(value, float | np.floating):
        return ABSENT if value is None else str(value)
    number = float(value)
    if not np.isfinite(number):
        return ABSENT
    return said(number) if abs(number) < 1e15 else f"{number:.3g}"
