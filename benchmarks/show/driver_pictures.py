"""What drives it? How much each column is worth to each model."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import altair as alt

from benchmarks.analysis.advice import Advice
from benchmarks.analysis.driving import Driven, driven
from benchmarks.analysis.summary import Section
from benchmarks.show.colours import colours
from benchmarks.show.parts import Entry, Head, Part, Picture, Table, best_rows, labels_of, words
from benchmarks.show.pictures import NAMES, SQUARE, Data, alone, over

MOST_DRAWN = 12  # columns
HOW = (
    "A column's values are dealt out anew among test rows, the model is asked again, and its score "
    "compared with what it was on the same rows (permutation importance, Breiman 2001). Models "
    "that were asked for as many rows met the same deals. A column that others can stand in for is "
    "worth little to a model that has those too; one that is worth much need not be a cause. "
    "Intervals: 95 %, over test rows and seeds, corrected for all columns of a model."
)


def parts(advice: Advice, name: str) -> list[Part | None]:
    section = best_rows(advice.section)
    found = {row.label: driven(row) for row in section.rows}
    told = [made for made in found.values() if isinstance(made, Driven)]
    why = [f"{label}: {made}" for label, made in found.items() if isinstance(made, str) and made]
    notes = [f"Not asked: {'; '.join(why)}."] if why else []
    if not told:
        return list(notes)
    lead = next((made for made in told if made.label == advice.use.label), told[0])
    whole = table(told, f"{name}-all", notes)
    moved = [made for made in told if any(d.low > 0 for d in made.drivers)]
    if len(moved) < 2:
        return [strongest(section, lead, name), whole]
    return [strongest(section, lead, name), side_by_side(moved, f"{name}-models"), whole]


def strongest(section: Section, lead: Driven, name: str) -> Picture:
    """Of one model, with intervals."""
    shown = lead.drivers[:MOST_DRAWN]
    data: Data = [{"column": d.column, "drop": d.drop, "low": d.low, "high": d.high} for d in shown]
    y = alt.Y(
        "column:N",
        sort=[d["column"] for d in data],
        title=None,
        axis=alt.Axis(labelLimit=220, domain=False, ticks=False),
    )
    labels = labels_of(section)
    colour = colours(labels)[labels.index(lead.label)]
    title = f"{lead.metric}, worse without it by"
    base = alt.Chart()
    tips = ["column:N", *(alt.Tooltip(f"{f}:Q", format="+.4f") for f in ("drop", "low", "high"))]
    layers = [
        alone().mark_rule(style="faint").encode(x=alt.datum(0, type="quantitative")),
        base.mark_rule(strokeWidth=3, opacity=0.45, color=colour).encode(
            alt.X("low:Q", title=title), alt.X2("high:Q"), y
        ),
        base.mark_point(filled=True, size=90, opacity=1, color=colour).encode(
            alt.X("drop:Q", title=title), y, tooltip=tips
        ),
    ]
    first = next((d for d in lead.drivers if d.low > 0), None)
    finding = f"Nothing that {lead.label} reads matters beyond chance"
    if first is not None:
        worth = f"{first.drop:.3f}" if first.drop >= 0.0005 else f"{first.drop:.2g}"
        finding = f"{lead.label} leans most on {first.column}: {lead.metric} {worth}"
    more = len(lead.drivers) - len(shown)
    caption = "How much worse the score is where a column says nothing any more." + (
        f" {more} more columns stand in the table." if more else ""
    )
    chart = over(*layers, name=name, height=26 * len(data) + 20)
    return Picture(name, finding, caption, chart, data, how=f"{lead.rows:,} rows a seed. {HOW}")


def side_by_side(told: Sequence[Driven], name: str) -> Picture:
    """Columns by models; the stronger, the more a model leans on it."""
    most: dict[str, float] = {}
    for made in told:
        for d in made.drivers:
            most[d.column] = max(most.get(d.column, 0.0), d.drop)
    columns = sorted(most, key=lambda column: -most[column])[:MOST_DRAWN]
    models = [made.label for made in told]
    data: Data = [
        {
            "model": made.label,
            "column": d.column,
            "drop": d.drop,
            "low": d.low,
            "high": d.high,
            "shown": f"{d.drop:.3f}".replace("-", "−").replace("0.", ".", 1) if d.low > 0 else "·",
            "strength": max(0.0, d.drop) if d.low > 0 else 0.0,
        }
        for made in told
        for d in made.drivers
        if d.column in columns
    ]
    quiet: dict[str, Any] = {"domain": False, "ticks": False, "labelLimit": 200}
    above = alt.Axis(orient="top", labelAngle=-35, **quiet)
    base = alt.Chart().encode(
        alt.X("model:N", sort=models, title=None, axis=above),
        alt.Y("column:N", sort=columns, title=None, axis=alt.Axis(**quiet)),
    )
    scale = alt.Scale(type="sqrt", range=[0.04, 0.8])
    tips = ["model:N", "column:N"]
    figures = [alt.Tooltip(f"{f}:Q", format="+.4f") for f in ("drop", "low", "high")]
    chart = over(
        base.mark_rect(cornerRadius=3, color="#3b82c4").encode(
            opacity=alt.Opacity("strength:Q", scale=scale, legend=None), tooltip=[*tips, *figures]
        ),
        base.mark_text(fontSize=11, style="ink").encode(text="shown:N"),
        name=name,
        height=28 * len(columns) + 10,
    )
    agreed = [made.drivers[0].column for made in told]
    usual = max(dict.fromkeys(agreed), key=agreed.count)
    title = f"{agreed.count(usual)} of {len(told)} models lean most on {usual}"
    metrics = ", ".join(dict.fromkeys(made.metric for made in told))
    caption = (
        f"How much worse {metrics} is without a column, model by model. A dot: not beyond chance; "
        "nothing: the model does not read it."
    )
    least = SQUARE * len(models) + NAMES
    return Picture(name, title, caption, chart, data, how=HOW, least=least)


def table(told: Sequence[Driven], name: str, notes: Sequence[str]) -> Table:
    heads = [
        Head("model", is_number=False),
        Head("column", is_number=False),
        Head("worth", "by how much the score is worse where the column is dealt out anew"),
        Head("interval", "95 %, over test rows and seeds, corrected for all columns", False),
        Head("of", is_number=False),
    ]
    rows = [
        [
            *words(made.label, d.column),
            Entry(f"{d.drop:+.4f}".replace("-", "−"), d.drop),
            *words(f"{d.low:+.4f} to {d.high:+.4f}".replace("-", "−"), made.metric),
        ]
        for made in told
        for d in made.drivers
    ]
    return replace(
        Table(name, "What each column is worth to each model", heads, rows, [*notes, HOW]),
        folded=True,
        choose="model",
    )
