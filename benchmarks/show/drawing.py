"""Pictures as Vega-Lite, which a page draws itself, and as SVG and PNG, which stand alone."""

from collections.abc import Iterator, Mapping
from typing import Any

import altair
import vl_convert

from benchmarks.show.parts import Picture

VEGA_LITE = ".".join(altair.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
WIDTH = 640  # of a picture that has no page to fill, in pixels
ON_WHITE: Mapping[str, Any] = {
    "background": "white",
    "view": {"stroke": None},
    "axis": {"titleFontWeight": "normal", "gridColor": "#ddd"},
    "style": {"faint": {"stroke": "#777", "color": "#777"}, "aside": {"fill": "#777"}},
}
"""What page.js takes from the page's theme."""


def specification(picture: Picture) -> dict[str, Any]:
    """Vega-Lite, without the data, which a page holds once for picture and CSV."""
    # Not held against the whole schema at each call, which takes longer than all else.
    made: dict[str, Any] = picture.chart.to_dict(validate=False)
    least = {"usermeta": {"least": picture.least}} if picture.least else {}
    return made | least | {"description": f"{picture.title}. {picture.caption}"}


def svg(picture: Picture) -> str:
    """With its data and a width, on white."""
    made = specification(picture)
    made["datasets"] = made.get("datasets", {}) | {picture.name: list(picture.data)}
    made["config"] = made.get("config", {}) | ON_WHITE
    for view in _views(made):
        if view.get("width") == "container":
            view["width"] = WIDTH
    return vl_convert.vegalite_to_svg(made, vl_version=VEGA_LITE)


def png(of_svg: str) -> bytes:
    return vl_convert.svg_to_png(of_svg, scale=2)


def _views(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield spec
    for key in ("layer", "hconcat", "vconcat", "concat"):
        for inner in spec.get(key, ()):
            yield from _views(inner)
