"""Messages as they were written."""

from typing import Any

from tasks.base import Data


def view(_task: Any, data: Data) -> tuple[list[str], list[str]]:
    """(train, test)"""
    return data.raw.train, data.raw.test
