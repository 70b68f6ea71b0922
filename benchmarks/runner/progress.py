"""What is seen while cells run."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.progress import Progress, ProgressColumn
from rich.text import Text

from benchmarks.errors import plain


class Bar(Progress):
    """How far the cells are, and below it what the one that runs has printed last: how far a
    training is, with its loss and the time it has left."""

    def __init__(self, said: Callable[[], str], *columns: ProgressColumn, **given: Any) -> None:
        self._said = said
        super().__init__(*columns, **given)

    def get_renderables(self) -> Iterable[RenderableType]:
        yield self.make_tasks_table(self.tasks)
        if line := self._said():
            yield Text(f"  {line}", style="dim", no_wrap=True, overflow="ellipsis")


def last_line(log: Path | None, most: int = 400) -> str:
    """The last whole line of a file that somebody else writes; empty where there is none."""
    if log is None:
        return ""
    try:
        with log.open("rb") as opened:
            opened.seek(max(0, opened.seek(0, os.SEEK_END) - most))
            whole = opened.read().rpartition(b"\n")[0]
    except OSError:
        return ""
    return plain(whole.rpartition(b"\n")[2].decode(errors="replace"))
