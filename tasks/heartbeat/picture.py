"""A recording of each class, as docs/heartbeat.md shows them.

python -m tasks.heartbeat.picture docs/heartbeat.svg
"""

import sys
from pathlib import Path

import altair
import numpy as np
import pandas as pd
import vl_convert

from tasks.heartbeat import Heartbeat
from tasks.heartbeat.generator import CLASSES

SECONDS = 6.0
WIDTH, HEIGHT = 640, 70  # of one trace, in pixels


def drawn(seed: int = 0) -> str:
    """SVG: the first of each class, where nobody moves and every condition is fully there."""
    task = Heartbeat(rows=300, seconds=SECONDS, overlap=0.0, motion=0.0)
    data = task.load(seed)
    first = [int((data.test_labels == code).argmax()) for code in range(len(CLASSES))]
    traces = data.raw.signals[data.raw.test[first]]
    time = np.round(np.arange(traces.shape[1]) / task.hertz, 3)
    parts = [
        pd.DataFrame({"class": name, "seconds": time, "millivolts": np.round(trace, 3)})
        for name, trace in zip(CLASSES, traces, strict=True)
    ]
    lines = (
        altair.Chart(pd.concat(parts), width=WIDTH, height=HEIGHT)
        .mark_line(strokeWidth=1)
        .encode(
            x=altair.X("seconds:Q").title("seconds"),
            y=altair.Y("millivolts:Q").title("mV"),
            row=altair.Row("class:N")
            .sort(list(CLASSES))
            .title(None)
            .header(labelAngle=0, labelAlign="left"),
        )
    )
    chart = lines.properties(background="white").resolve_scale(y="independent")
    version = ".".join(altair.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    return vl_convert.vegalite_to_svg(chart.to_dict(), vl_version=version)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(drawn(), encoding="utf-8")
