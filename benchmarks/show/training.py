"""The picture of a training: how a loss fell, step by step, where a model tells it."""

import altair as alt

from benchmarks.analysis.summary import Section
from benchmarks.show.parts import Picture, labels_of
from benchmarks.show.pictures import Data, by_model, over


def training_curves(section: Section, name: str) -> Picture | None:
    """The first curve that each model keeps in its record, mean over seeds; None without any."""
    data: Data = []
    for row in section.rows:
        curves = [next(iter(r["history"].values())) for r in row.done if r.get("history")]
        for k in range(max(map(len, curves), default=0)):
            values = [v for curve in curves if k < len(curve) and (v := curve[k]) is not None]
            if values:
                mean = sum(values) / len(values)
                data.append({"model": row.label, "step": k + 1, "loss": mean})
    if not data:
        return None
    base = alt.Chart()
    x = alt.X("step:Q", title="epoch, or step", axis=alt.Axis(tickMinStep=1))
    y = alt.Y("loss:Q", scale=alt.Scale(zero=False), title="loss")
    shown = list(dict.fromkeys(point["model"] for point in data))
    model = by_model(labels_of(section), shown=shown)
    tips = ["model:N", "step:Q", alt.Tooltip("loss:Q", format=".4f")]
    chart = over(
        base.mark_line(opacity=0.85).encode(x, y, color=model["color"]),
        base.mark_point(size=40, filled=True).encode(x, y, **model, tooltip=tips),
        name=name,
    )
    caption = (
        "The first curve that each model keeps, mean over seeds that got so far. Losses of unlike "
        "models are not to be compared: each is in its own units, on rows that it chose itself."
    )
    last = {point["model"]: point["step"] for point in data}
    model_first = shown[0]
    lowest = min((p for p in data if p["model"] == model_first), key=lambda p: p["loss"])
    title = f"{model_first} was at its lowest loss after {lowest['step']} of {last[model_first]}"
    return Picture(name, title, caption, chart, data)
