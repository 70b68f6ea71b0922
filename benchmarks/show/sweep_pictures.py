"""The pictures of a sweep: score over what grows, and the map of who leads where."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from benchmarks.analysis.sweeps import Sweep
from benchmarks.show.parts import Picture
from benchmarks.show.pictures import Data, alone, by_model, log_axis, over


def sweep_lines(sweep: Sweep, name: str, labels: Sequence[str]) -> Picture | None:
    """Score over what grows; None for a sweep that has no axis."""
    if sweep.axis is None:
        return None
    metric = sweep.points[0].section.main
    data: Data = []
    for point in sweep.points:
        for row in point.section.rows:
            if (score := row.score(metric.name)) is not None:
                spread = score.deviation or 0.0
                data.append(
                    {
                        "model": row.label,
                        "at": sweep.value(point),
                        "score": score.mean,
                        "low": score.mean - spread,
                        "high": score.mean + spread,
                    }
                )
    if not data:
        return None
    label = metric.label
    base = alt.Chart()
    if all(d["at"] > 0 for d in data):
        x = log_axis(alt.X, "at", [d["at"] for d in data], str(sweep.axis))
    else:
        x = alt.X("at:Q", title=sweep.axis)
    y = alt.Y("score:Q", scale=alt.Scale(zero=False), title=label)
    model = by_model(labels)
    tips = [
        "model:N",
        alt.Tooltip("at:Q", title=sweep.axis, format=","),
        alt.Tooltip("score:Q", title=label, format=".4f"),
    ]
    layers = [
        base.mark_rule(opacity=0.5).encode(
            x, alt.Y("low:Q", title=label), alt.Y2("high:Q"), color=model["color"]
        ),
        base.mark_line(opacity=0.85).encode(x, y, color=model["color"]),
        base.mark_point(size=70, filled=True, opacity=1).encode(x, y, **model, tooltip=tips),
    ]
    for where in (crossing.where for crossing in sweep.crossings()):
        at = alt.datum(where, type="quantitative")
        layers.insert(0, alone().mark_rule(strokeDash=[2, 4], style="faint").encode(x=at))
    caption = (
        "Bars: ± one standard deviation over seeds; dotted: where the lead changes, beyond chance."
    )
    if met := [p for p in sweep.passings if p.where is not None]:
        crossed = [{"model": p.model, "at": p.where, "score": p.score} for p in met]
        layers.append(
            alt.Chart(alt.InlineData(crossed))
            .mark_point(shape="diamond", size=150, strokeWidth=2, filled=False)
            .encode(alt.X("at:Q"), alt.Y("score:Q"), color=model["color"], tooltip=tips)
        )
        caption += f" Diamonds: {sweep.passing_sentence()}"
    chart = over(*layers, name=name, height=360)
    title = sweep.sentence() or f"{label} against {sweep.axis}"
    return Picture(name, title.removesuffix("."), caption, chart, data)


def _leads(sweep: Sweep) -> tuple[Data, list[str]]:
    """(a field per point and model, the models by their years: the columns are a history)"""
    data: Data = []
    models: dict[str, int] = {}
    for point in sweep.points:
        group = {row.label for row in point.group}
        for row in point.section.rows:
            models.setdefault(row.label, row.first["year"] or 9999)
            score, lift = row.score(point.section.main.name), point.lift(row)
            mark = "★" if row is point.leader else "≈" if row.label in group else ""
            data.append(
                {
                    "model": row.label,
                    "at": sweep.label(point),
                    "mark": mark,
                    "score": score.mean if score else None,
                    "lift": None if lift is None else max(0.0, lift),
                    "shown": mark or ("✗" if score is None else ""),
                }
            )
    return data, sorted(models, key=lambda model: models[model])


def _map_axes(
    sweep: Sweep, places: Sequence[str], models: Sequence[str], wide: bool
) -> dict[str, Any]:
    of_points: Any = {"sort": places, "title": sweep.axis}
    of_models: Any = {"sort": models, "title": None}
    quiet: dict[str, Any] = {"domain": False, "ticks": False, "labelLimit": 320}
    upright = alt.Axis(orient="top", labelAngle=-35 if wide or sweep.axis is None else 0, **quiet)
    return {
        "x": alt.X(
            "model:N" if wide else "at:N", axis=upright, **(of_models if wide else of_points)
        ),
        "y": alt.Y(
            "at:N" if wide else "model:N",
            axis=alt.Axis(**quiet),
            **(of_points if wide else of_models),
        ),
    }


def crossover_map(sweep: Sweep, name: str) -> Picture | None:
    """Every point of a sweep by every model: who leads, and how far behind the others are."""
    data, models = _leads(sweep)
    if not any(d["score"] is not None for d in data):
        return None
    places = [sweep.label(point) for point in sweep.points]
    wide = len(places) > 8  # long names of points stand on the left, where there is room
    base = alt.Chart().encode(**_map_axes(sweep, places, models, wide))
    chart = over(
        base.mark_rect(cornerRadius=3, color="#2fa37c").encode(
            opacity=alt.Opacity(
                "lift:Q",
                legend=None,
                scale=alt.Scale(domain=[0.5, 1], range=[0.05, 0.85], clamp=True),
            ),
            tooltip=[
                "model:N",
                "at:N",
                alt.Tooltip("score:Q", format=".4f"),
                alt.Tooltip("lift:Q", title="of the best one's lift", format=".0%"),
            ],
        ),
        base.mark_text(fontSize=14, style="ink").encode(text="shown:N"),
        name=name,
        height=max(140, 30 * (len(places) if wide else len(models))),
    )
    caption = (
        "★ leads: all others are worse, after correction for all points; "
        "≈ nobody can tell which of these does; ✗ ended without a score. "
        "The stronger the colour, the closer to the best, counted from what is known without "
        "looking at a row."
    )
    title = sweep.sentence() or "Where each era wins"
    return Picture(name, title.removesuffix("."), caption, chart, data)
