"""Where names stand beside their points, so that none covers another."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

WIDE, HIGH = 450, 300  # pixels of a picture's inside, more or less
LETTER, LINE = 6.6, 14  # pixels of a letter and of a line
MARGIN = 20  # pixels that a name may stick out
LONGEST = 200  # pixels of a name; more of it is cut
# Ways to place a name: (alignment, pixels to the right, pixels down).
WAYS = (
    ("left", 9, -9),
    ("left", 9, 13),
    ("right", -9, -9),
    ("right", -9, 13),
    ("left", 12, 2),
    ("left", 9, 26),
    ("right", -9, -22),
)
Box = tuple[float, float, float, float]


def placed(
    data: Sequence[dict[str, Any]], x: str, y: str, log: bool = False, beside: Sequence[float] = ()
) -> None:
    """Say of each point which of WAYS its name (`model`) stands in, as `place`: the first in which
    it covers no name and no point; the first of all where there is none. beside: other values that
    the axis of y reaches."""

    def scaled(values: Sequence[float], pixels: float, more: Sequence[float] = ()) -> list[float]:
        low, high = min([*values, *more]), max([*values, *more])
        return [pixels * (v - low) / ((high - low) or 1) for v in values]

    across = scaled([math.log(d[x]) if log else d[x] for d in data], WIDE)
    up = scaled([-d[y] for d in data], HIGH, [-value for value in beside])
    points: list[Box] = [(a - 6, b - 6, a + 6, b + 6) for a, b in zip(across, up, strict=True)]
    taken: list[Box] = []
    for k, (point, a, b) in enumerate(zip(data, across, up, strict=True)):
        others = points[:k] + points[k + 1 :]
        boxes = [_box(str(point["model"]), a, b, way) for way in WAYS]
        inside = [w for w, box in enumerate(boxes) if box[0] > -MARGIN and box[2] < WIDE + MARGIN]
        free = [w for w in inside if not any(_meet(boxes[w], o) for o in (*taken, *others))]
        point["place"] = (free or inside or [0])[0]
        taken.append(boxes[point["place"]])


def _box(text: str, a: float, b: float, way: tuple[str, int, int]) -> Box:
    align, dx, dy = way
    length = min(LONGEST, LETTER * len(text))
    left = a + dx - (length if align == "right" else 0)
    return left, b + dy - LINE, left + length, b + dy


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def names(data: Sequence[Mapping[str, Any]], x: Any, y: Any) -> list[Any]:
    """A layer for each way that is in use."""
    used = sorted({point["place"] for point in data})
    layers = []
    for k in used:
        align, dx, dy = WAYS[k]
        text = alt.Chart().transform_filter(f"datum.place === {k}")
        mark: dict[str, Any] = {"align": align, "dx": dx, "dy": dy, "limit": LONGEST}
        layers.append(text.mark_text(fontSize=12, style="ink", **mark).encode(x, y, text="model:N"))
    return layers
