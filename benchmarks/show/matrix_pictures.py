"""The matrix of models by tasks, and the dial of views, as pictures."""

from typing import Any

import altair as alt

from benchmarks.analysis.advice import advise
from benchmarks.analysis.dial import Dial
from benchmarks.analysis.matrix import Matrix
from benchmarks.show.matrix_table import rank_text, square_text, square_value
from benchmarks.show.parts import Picture
from benchmarks.show.pictures import COLOURS, Data, over


def matrix_picture(made: Matrix, name: str = "home-grounds-map") -> Picture:
    """Models by tasks, oldest first: the stronger the colour, the nearer to the ceiling."""
    data: Data = []
    for model, squares in zip(made.models, made.squares, strict=True):
        for section, square in zip(made.sections, squares, strict=True):
            times = square.seconds
            data.append(
                {
                    "model": model,
                    "task": section.label,
                    "value": square_value(square),
                    "rank": rank_text(square) if square.has_score else square.why[0],
                    "below": square_text(square).partition(": ")[2] if square.has_score else "",
                    "seconds": times.median if times else None,
                    "why": square.why[1],
                }
            )
    tasks = [section.label for section in made.sections]
    quiet: dict[str, Any] = {"domain": False, "ticks": False, "labelLimit": 320}
    base = alt.Chart().encode(
        alt.X("task:N", sort=tasks, title=None, axis=alt.Axis(orient="top", labelAngle=0, **quiet)),
        alt.Y("model:N", sort=list(made.models), title=None, axis=alt.Axis(**quiet)),
    )
    tips = [
        "model:N",
        "task:N",
        alt.Tooltip("rank:N"),
        alt.Tooltip("value:Q", title="share of the way to the ceiling", format=".3f"),
        alt.Tooltip("seconds:Q", format=".3~r"),
        alt.Tooltip("why:N", title="why there is none"),
    ]
    scale = alt.Scale(domain=[0, 1], range=["#e9eef4", COLOURS[0]], clamp=True)
    has = alt.datum.value != None  # noqa: E711 - an expression of Vega
    chart = over(
        base.transform_filter(has)
        .mark_rect()
        .encode(color=alt.Color("value:Q", scale=scale, title="share"), tooltip=tips),
        base.transform_filter(has)
        .mark_text(dy=-7, fontWeight="bold", color="#10202f")
        .encode(text="rank:N", tooltip=tips),
        base.transform_filter(has)
        .mark_text(dy=8, fontSize=10, color="#10202f")
        .encode(text="below:N", tooltip=tips),
        base.transform_filter("datum.value == null")
        .mark_text(style="faint", fontSize=10, strokeWidth=0)
        .encode(text="rank:N", tooltip=tips),
        name=name,
        height=40 * len(made.models),
    )
    caption = (
        "Large: the ranks that verdicts leave open. Small: how far from floor to ceiling, and "
        f"seconds in all. Models by their years. {' '.join(made.sentences())}"
    )
    names = [found.best.label for section in made.sections if (found := advise(section))]
    title = f"On {len(names)} tasks {len(set(names))} models are first: {', '.join(names)}"
    return Picture(name, title, caption, chart, data)


def dial_picture(made: Dial, name: str) -> Picture:
    """A line for each model, a point on it for each view that it was tried on."""
    data: Data = [
        {"model": model, "view": view, "score": made.score(model, view)}
        for model, views in made.rows.items()
        for view in views
    ]
    label = made.section.main.label
    x = alt.X("score:Q", scale=alt.Scale(zero=False), title=label)
    y = alt.Y("model:N", sort=list(made.rows), title=None)
    colours = [COLOURS[k % len(COLOURS)] for k in range(len(made.views))]
    colour = alt.Color(
        "view:N",
        scale=alt.Scale(domain=list(made.views), range=colours),
        legend=alt.Legend(title="view"),
    )
    base = alt.Chart()
    chart = over(
        base.mark_line(style="faint").encode(x, y, detail="model:N"),
        base.mark_point(size=110, filled=True, opacity=1).encode(
            x,
            y,
            color=colour,
            shape=alt.Shape("view:N", scale=alt.Scale(domain=list(made.views)), legend=None),
            tooltip=["model:N", "view:N", alt.Tooltip("score:Q", title=label, format=".4f")],
        ),
        name=name,
        height=34 * max(4, len(made.rows)),
    )
    caption = f"{made.section.label}: a line is a model, a point the view that it read."
    return Picture(name, made.sentence().removesuffix("."), caption, chart, data)
