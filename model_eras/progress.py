"""How far a comparison is, where somebody may look at it."""

import importlib
import re
import sys
from html import escape
from typing import Any

BEGINS = re.compile(r"run .*: ([\d,]+) cells to run, ([\d,]+) found")
ENDS = ("✓", "✗", "–")
"""What the line of a finished cell begins with (benchmarks/run.py)."""


class Progress:
    """In a notebook a bar that moves, elsewhere a line on standard error for each cell."""

    def __init__(self) -> None:
        self.cells = self.found = self.done = self.failed = 0
        self._bar: Any = None
        self._handle: Any = None
        if "ipykernel" in sys.modules:
            display = importlib.import_module("IPython.display")
            self._bar = display.HTML
            self._handle = display.display(self._bar("Starting …"), display_id=True)

    def tell(self, line: str) -> None:
        """Of what the command prints, all that it says before its table."""
        if found := BEGINS.match(line):
            self.cells, self.found = (int(number.replace(",", "")) for number in found.groups())
            self._show(line)
        elif line.startswith(ENDS) and self.done < self.cells:
            self.done += 1
            self.failed += line.startswith("✗")
            self._show(line)

    def end(self) -> None:
        failed = f", {self.failed} of them failed" if self.failed else ""
        if self._handle is not None:
            self._handle.update(self._bar(f"{self.done} cells run, {self.found} found{failed}"))

    def _show(self, line: str) -> None:
        if self._handle is None:
            print(f"[{self.done}/{self.cells}] {line}", file=sys.stderr, flush=True)
            return
        bar = f'<progress value="{self.done}" max="{max(1, self.cells)}"></progress>'
        self._handle.update(
            self._bar(f"{bar} {self.done} of {self.cells} <code>{escape(line)}</code>")
        )
