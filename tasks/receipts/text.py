"""The documents as they are."""

from typing import Any

from tasks.base import Data


def view(_task: Any, data: Data) -> tuple[list[str], list[str]]:
    """-> texts of the train rows, of the test rows"""
    return [d.text for d in data.raw.train], [d.text for d in data.raw.test]
