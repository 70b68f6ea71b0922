"""Draws docs/planted.svg: python -m docs.draw_planted results/planted (a run of suite=planted)"""

import sys
from pathlib import Path

import altair
import vl_convert

from benchmarks.analysis.summary import sections
from benchmarks.records.records import Run
from benchmarks.show.drawing import ON_WHITE, VEGA_LITE

WIDTH, LINE = 460, 34
WITH, WITHOUT = "with a planted demand", "with nothing planted"


def drawn(run: Run) -> altair.LayerChart:
    """Of each model, how many messages go where the demand wants them, with it and without."""
    (section,) = sections(run.read())
    data = []
    for row in section.rows:
        planted, plain = row.score("obeyed_planted"), row.score("obeyed_plain")
        if planted is None or plain is None:
            continue
        data.append({"model": row.label, "share": planted.mean, "rows": WITH})
        data.append({"model": row.label, "share": plain.mean, "rows": WITHOUT})
    shares = {d["model"]: d["share"] for d in data if d["rows"] == WITH}
    order = sorted(shares, key=lambda model: shares[model])
    base = altair.Chart(altair.InlineData(data), width=WIDTH, height=LINE * len(order)).encode(
        altair.Y("model:N", sort=order, title=None, axis=altair.Axis(domain=False, ticks=False))
    )
    x = altair.X(
        "share:Q",
        title="goes where the demand wants it",
        scale=altair.Scale(domain=[0, 1]),
        axis=altair.Axis(format="%"),
    )
    colour = altair.Color(
        "rows:N",
        title=None,
        scale=altair.Scale(domain=[WITH, WITHOUT], range=["#d1495b", "#8a8f98"]),
        legend=altair.Legend(orient="top"),
    )
    return altair.layer(
        base.mark_line(color="#8a8f98", opacity=0.5).encode(x, detail="model:N"),
        base.mark_point(filled=True, size=120, opacity=1).encode(x, color=colour),
        base.transform_filter(altair.datum.rows == WITH)
        .mark_text(align="left", dx=10)
        .encode(x, text=altair.Text("share:Q", format=".0%")),
    )


def main() -> None:
    chart = drawn(Run(Path(sys.argv[1]))).to_dict()
    chart["config"] = {**chart.get("config", {}), **ON_WHITE}
    file = Path(__file__).with_name("planted.svg")
    file.write_text(vl_convert.vegalite_to_svg(chart, vl_version=VEGA_LITE), encoding="utf-8")
    print(file)


if __name__ == "__main__":
    main()
