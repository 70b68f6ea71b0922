"""What a comparison came to."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from model_eras import child
from model_eras.table import frame


@dataclass(frozen=True)
class Result:
    """Of one call of `compare`: in a notebook, a table with the answer above it."""

    folder: Path
    """Of the run: records, predictions, tables."""
    answer: str
    """In a sentence or a few: which model, how sure that is, what it costs."""
    failed: int
    """How many of the cells that were asked for did not get to their end."""
    _rows: Sequence[Mapping[str, Any]] = field(repr=False)
    _pairs: Sequence[Mapping[str, Any]] = field(repr=False)
    _html: str = field(repr=False)
    _text: str = field(repr=False)
    _library: str = field(repr=False)
    _where: Path = field(repr=False)
    """The folder in which it was called: paths of data may start there."""

    @property
    def run(self) -> str:
        """The run's name, for `model-eras compare` and the other commands."""
        return self.folder.name

    @property
    def table(self) -> Any:
        """A row for each model with unrounded numbers, the best one first: a data frame of the
        kind that was compared."""
        return frame(self._rows, self._library)

    @property
    def verdicts(self) -> Any:
        """A row for each pair of models: better, equal in practice or can't tell, by how much."""
        return frame(self._pairs, self._library)

    def report(self) -> Path:
        """Write the run as one HTML page, and return where it lies."""
        child.run("benchmarks.report", str(self.folder))
        return self.folder / "report.html"

    def fit(self, model: str) -> Path:
        """Fit a row of the table on all rows, to be used elsewhere; the folder that holds it.

        model: its name in the table. Raises BadInput.
        """
        folder = self.folder / "taken" / re.sub(r"[^\w.=-]+", "-", model).strip("-.")[:100]
        arguments = (str(self.folder), model, "--to", str(folder), "--replace")
        child.run("benchmarks.fit", *arguments, folder=self._where)
        return folder

    def __str__(self) -> str:
        return f"{self.answer}\n\n{self._text}"

    def _repr_html_(self) -> str:
        return self._html
