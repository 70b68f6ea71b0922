"""Where is it wrong? Classes taken for others, what a threshold finds and misses, residuals."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np

from benchmarks.analysis.curves import THRESHOLDS
from benchmarks.analysis.mistakes import Confusion, Found, Residuals
from benchmarks.show.parts import Picture
from benchmarks.show.pictures import COLOURS, Data, alone, by_model, over

SQUARE = 46  # pixels of a class
MOST_COUNTED = 12  # classes of a matrix that has room for numbers


def confused(made: Confusion, model: str, name: str) -> Picture:
    """What each class was taken for."""
    shares = made.shares
    data: Data = [
        {
            "is": true,
            "taken for": taken,
            "share": round(float(shares[i, j]), 4),
            "rows": int(made.counts[i, j]),
            "shown": f"{100 * shares[i, j]:.0f} %" if made.counts[i, j] else "",
            "right": i == j,
        }
        for i, true in enumerate(made.classes)
        for j, taken in enumerate(made.classes)
    ]
    order = list(made.classes)
    few = len(order) <= MOST_COUNTED
    quiet: dict[str, Any] = {"domain": False, "ticks": False, "labelLimit": 160}
    base = alt.Chart().encode(
        alt.X(
            "taken for:N",
            sort=order,
            axis=alt.Axis(orient="top", labelAngle=0 if len(order) < 5 else -40, **quiet),
        ),
        alt.Y("is:N", sort=order, title="what it is", axis=alt.Axis(**quiet)),
    )
    tips = ["is:N", "taken for:N", alt.Tooltip("share:Q", format=".1%"), "rows:Q"]
    light = alt.Scale(domain=[0, 1], range=["#e9eef4", COLOURS[0]])
    wrong = alt.Scale(domain=[0, 0.5], range=["#f6efe6", COLOURS[1]], clamp=True)
    squares = [
        base.transform_filter("datum.right")
        .mark_rect(cornerRadius=3)
        .encode(alt.Color("share:Q", scale=light, legend=None), tooltip=tips),
        base.transform_filter("!datum.right")
        .mark_rect(cornerRadius=3)
        .encode(alt.Color("share:Q", scale=wrong, legend=None), tooltip=tips),
    ]
    if few:
        squares.append(base.mark_text(color="#10202f").encode(text="shown:N"))
    chart = over(*squares, name=name, height=SQUARE * len(order)).resolve_scale(color="independent")
    worst = made.worst()
    title = f"{model} mistakes nothing"
    if worst is not None:
        title = f"{model} takes {100 * worst[2]:.0f} % of {worst[0]!r} for {worst[1]!r}"
    caption = (
        "Each line is a class, and what its rows were taken for, by the most probable class: "
        "blue where that is right. Rows of all seeds together."
    )
    return Picture(name, title, caption, chart, data)


def thresholds(
    models: Mapping[str, Found], labels: Sequence[str], positive: str, name: str
) -> Picture | None:
    """Precision and recall of each model over the threshold."""
    data: Data = []
    for label, made in models.items():
        for at, precision, recall in zip(THRESHOLDS, made.precision, made.recall, strict=True):
            point = {"model": label, "threshold": round(float(at), 3)}
            data.append({**point, "what": "recall", "share": round(float(recall), 4)})
            if np.isfinite(precision):
                data.append({**point, "what": "precision", "share": round(float(precision), 4)})
    if not data:
        return None
    first, made = next(iter(models.items()))
    half = int(np.searchsorted(THRESHOLDS, 0.5))
    model = by_model(labels, shown=list(models))
    base = alt.Chart()
    y = alt.Y("share:Q", title="share", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%"))
    lines = base.mark_line(opacity=0.9).encode(
        alt.X("threshold:Q", title="chosen from this probability on"),
        y,
        color=model["color"],
        strokeDash=alt.StrokeDash(
            "what:N",
            legend=alt.Legend(title=None),
            scale=alt.Scale(domain=["precision", "recall"], range=[[1, 0], [5, 4]]),
        ),
        tooltip=["model:N", "what:N", "threshold:Q", alt.Tooltip("share:Q", format=".1%")],
    )
    known = alone().mark_rule(style="faint", strokeDash=[1, 3])
    share = known.encode(y=alt.datum(made.share, type="quantitative"))
    title = f"From a probability of a half on, {first} finds {100 * made.recall[half]:.0f} %"
    if np.isfinite(made.precision[half]):
        title += f", and {100 * made.precision[half]:.0f} % of what it chooses is right"
    caption = (
        f"Precision: of the rows that are chosen, the share that is {positive!r}; recall: of all "
        f"that are, the share that is chosen. Dotted: choosing everybody is right in "
        f"{100 * made.share:.0f} %."
    )
    return Picture(name, title, caption, over(share, lines, name=name), data)


def off(made: Residuals, model: str, name: str) -> Picture:
    """How far off values are, over what was predicted."""
    data: Data = [
        {"predicted": float(value), "residual": float(gap)}
        for value, gap in zip(made.predicted, made.residual, strict=True)
    ]
    base = alt.Chart()
    points = base.mark_point(filled=True, size=22, opacity=0.45, color=COLOURS[0]).encode(
        alt.X("predicted:Q", title="predicted", scale=alt.Scale(zero=False)),
        alt.Y("residual:Q", title="true less predicted"),
        tooltip=[alt.Tooltip(f"{field}:Q", format=".4~g") for field in ("predicted", "residual")],
    )
    rules = [
        alone()
        .mark_rule(style="faint", strokeDash=[4, 3] if value else [1, 0])
        .encode(y=alt.datum(value, type="quantitative"))
        for value in (0.0, *made.spread)
    ]
    low, high = (f"{end:.3g}".replace("-", "−") for end in made.spread)
    title = f"Nine of ten predictions of {model} are off by {low} to {high}"
    caption = (
        "Each point is a test row; above the line it was more than predicted. Between "
        "the dashed lines are 90 % of all. A funnel says that large values are known less well, a "
        "bend that something is missing."
    )
    return Picture(name, title, caption, over(*rules, points, name=name), data)
