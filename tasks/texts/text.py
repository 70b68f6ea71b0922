"""The texts as they were written."""

from typing import Any

from tasks.base import Data


def view(_task: Any, data: Data) -> tuple[list[str], list[str]]:
    texts = data.raw.found.texts
    return [texts[k] for k in data.raw.train], [texts[k] for k in data.raw.test]
