"""Parts into one HTML file that needs nothing else: no network, no second file, no server."""

import contextlib
import hashlib
import json
import re
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import jinja2
import platformdirs
import vl_convert
from markupsafe import Markup, escape

from benchmarks.errors import CannotWrite
from benchmarks.records.files import write
from benchmarks.show.drawing import VEGA_LITE, specification
from benchmarks.show.parts import Chapter, Picture, Table, Tiles, parts_of

FOLDER = Path(__file__).parent
SCRIPTS = ("state", "page", "desk", "apart")
"""In the order in which they run: the others keep what is set in the first."""


def write_page(file: Path, title: str, chapters: Sequence[Chapter], home: str = "") -> None:
    """Write the page; whoever reads the file sees the old one or the new one, never a part. home:
    the file beside it that lists it among others."""
    write(file, html(title, chapters, home))


def html(title: str, chapters: Sequence[Chapter], home: str = "") -> str:
    # Names of models and columns come from anywhere: everything is escaped, and the browser is
    # told to load nothing and to run only what the page itself brings.
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests |= {"text": lambda part: isinstance(part, str)}
    environment.tests |= {kind.__name__.lower(): _is(kind) for kind in (Table, Picture, Tiles)}
    environment.filters |= {"slug": slug, "spans": spans}
    data: dict[str, Any] = {}
    pictures: dict[str, Any] = {}
    for part in parts_of(chapters):
        if isinstance(part, Table):
            data[part.name] = part.data()
        elif isinstance(part, Picture):
            data[part.name] = [dict(line) for line in part.data]
            pictures[part.name] = specification(part)
    return environment.get_template("page.html.jinja").render(
        title=title,
        home=home,
        chapters=chapters,
        style=(FOLDER / "page.css").read_text(encoding="utf-8"),
        script="\n".join((FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS),
        library=library() if pictures else "",
        data=in_script(data),
        pictures=in_script(pictures),
    )


def _is(kind: type) -> Any:
    return lambda part: isinstance(part, kind)


@cache
def library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script. Putting it together takes more than a second,
    so it is kept in the user's cache, under its own checksum."""
    version = metadata.version("vl-convert-python")
    place = Path(platformdirs.user_cache_dir("model-eras")) / f"vega-{VEGA_LITE}-{version}.js"
    with contextlib.suppress(OSError, UnicodeDecodeError):
        checksum, _, script = place.read_text(encoding="utf-8").partition("\n")
        if checksum == checksum_of(script):
            return script
    script = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=VEGA_LITE)
    script = script.replace("</script", "<\\/script")
    with contextlib.suppress(OSError, CannotWrite):
        place.parent.mkdir(parents=True, exist_ok=True)
        write(place, f"{checksum_of(script)}\n{script}")
    return script


def checksum_of(script: str) -> str:
    return f"// {hashlib.blake2b(script.encode(), digest_size=16).hexdigest()}"


def in_script(value: Any) -> str:
    """JSON that can stand inside a <script> whatever its texts hold."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def spans(text: str) -> Markup:
    """A text with what stands between backticks as code, all of it escaped."""
    parts = [
        Markup("<code>{}</code>").format(part) if k % 2 else escape(part)
        for k, part in enumerate(text.split("`"))
    ]
    return Markup("").join(parts)


def slug(title: str) -> str:
    """A title as the name of a place on the page."""
    return re.sub(r"\W+", "-", title.lower()).strip("-")
