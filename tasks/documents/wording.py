"""What people write to a company, as wording.yaml has it."""

from pathlib import Path
from typing import Any, NamedTuple

import yaml


class Route(NamedTuple):
    """Where a message belongs, and what it says then; see wording.yaml."""

    same: tuple[str, ...]
    shifted: tuple[str, ...]
    aside: tuple[str, ...]


_READ: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))

ROUTES: dict[str, Route] = {
    name: Route(**{part: tuple(lines) for part, lines in parts.items()})
    for name, parts in _READ["routes"].items()
}
MANNERS: dict[str, dict[bool, list[str]]] = {
    name: {False: _READ[name]["same"], True: _READ[name]["shifted"]}
    for name in ("products", "jobs", "currencies", "greetings", "closings")
}
"""What stands around a wish and in its gaps: by whether the message is a shifted one."""
ALWAYS: dict[str, list[str]] = {
    name: _READ[name] for name in ("months", "names", "fillers", "plants")
}
"""The same in all messages."""
