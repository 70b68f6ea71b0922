"""The codes of what makes a number suspicious: docs/checks.md has a section on each."""

from collections.abc import Mapping
from typing import Literal

Code = Literal[
    "ME01", "ME02", "ME03", "ME04", "ME05", "ME06", "ME07", "ME08", "ME09", "ME10", "ME11"
]
NAMES: Mapping[str, str] = {
    "ME01": "did not converge",
    "ME02": "no better than the floor",
    "ME03": "much better on train rows than on test rows",
    "ME04": "badly calibrated",
    "ME05": "impossible predictions",
    "ME06": "the order of test rows matters",
    "ME07": "would have gone on",
    "ME08": "the clock was disturbed",
    "ME09": "close to the memory limit",
    "ME10": "chosen at the edge of its space",
    "ME11": "a leak is suspected",
}
