"""Draws docs/engines.svg from docs/engines.csv: python -m docs.draw_engines"""

import csv
from pathlib import Path

import altair
import vl_convert

from benchmarks.show.drawing import ON_WHITE, VEGA_LITE

DOCS = Path(__file__).parent
NAMES = {"duckdb": "DuckDB", "sail": "Sail", "spark": "Spark, local[2]"}


def drawn() -> altair.LayerChart:
    """Seconds against rows, both on logarithmic axes; names at the ends of lines."""
    with (DOCS / "engines.csv").open(newline="") as file:
        data = [
            {
                "engine": NAMES[line["engine"]],
                "rows": int(line["rows"]),
                "s": float(line["seconds"]),
            }
            for line in csv.DictReader(file)
        ]
    ends = {d["engine"]: d for d in data}  # the last of each
    x = altair.X(
        "rows:Q",
        title="notifications in the log (log scale)",
        scale=altair.Scale(type="log", domain=[10_000, 300_000_000], nice=False),
        axis=altair.Axis(format="~s", values=[10**k for k in range(4, 9)]),
    )
    y = altair.Y(
        "s:Q",
        title="seconds, start not counted (log scale)",
        scale=altair.Scale(type="log", domain=[0.1, 1000], nice=False),
        axis=altair.Axis(values=[0.1, 1, 10, 100, 1000], format="~g"),
    )
    colour = altair.Color(
        "engine:N",
        legend=None,
        scale=altair.Scale(domain=[*NAMES.values()], range=["#2a6f97", "#bc6c25", "#6a4c93"]),
    )
    lines = altair.Chart(altair.InlineData(data), width=560, height=300)
    names = altair.Chart(altair.InlineData([*ends.values()]))
    return altair.layer(
        lines.mark_line(point=True).encode(x, y, colour),
        names.mark_text(align="left", dx=8).encode(x, y, colour, text="engine:N"),
    )


if __name__ == "__main__":
    spec = drawn().to_dict() | {"config": dict(ON_WHITE)}
    made = vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE)
    (DOCS / "engines.svg").write_text(made + "\n", encoding="utf-8")
