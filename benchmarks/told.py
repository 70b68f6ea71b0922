"""The main job, and in JSON what came of it: for callers that show it themselves."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.plan import app
from benchmarks.plan.cells import Plan
from benchmarks.records import files
from benchmarks.records.records import Run
from benchmarks.records.values import plain_data
from benchmarks.run import MainJob, is_failure, judged, settings_of
from benchmarks.runner.worker import Worker
from benchmarks.show import pages
from benchmarks.show.answer import answer
from benchmarks.show.fragment import fragment
from benchmarks.show.results_table import results_data, results_table
from benchmarks.show.terminal import Terminal
from benchmarks.show.verdict_table import verdicts_data

WIDTH = 120  # characters of a table as text


class TellingJob(MainJob):
    """Writes a file when the run has come to its end, also to one with failed cells."""

    def __init__(self, worker: Worker, file: Path) -> None:
        super().__init__(worker)
        self.file = file

    def run(self, plans: Sequence[Plan], launch: app.Launch | None) -> None:
        ending = None
        try:
            super().run(plans, launch)
        except SystemExit as failed:
            ending = failed
        text = json.dumps(plain_data(told(plans)), ensure_ascii=False, allow_nan=False)
        files.write(self.file, text)
        if ending is not None:
            raise ending


def told(plans: Sequence[Plan]) -> dict[str, Any]:
    """What there is to say of the cells of these plans: the `answer`, rows of the `table` and of
    the `verdicts`, how many cells `failed`, and all of it as `html` and as `text`."""
    settings = settings_of(plans)
    run = Run(settings.results / settings.run)
    cells = {cell.name: cell for plan in plans for cell in plan.cells}.values()
    records = [record for cell in cells if (record := run.find(cell))]
    shown = judged(run, records, settings)
    honest = pages.honest_ones(shown)
    sentences = [answer(section) for section in honest]
    paper = io.StringIO()
    Terminal(file=paper, width=WIDTH).print(pages.render(shown, WIDTH))
    return {
        "answer": " ".join(sentences),
        "failed": sum(map(is_failure, records)),
        "table": results_data(shown),
        "verdicts": verdicts_data(honest),
        "html": fragment(sentences, map(results_table, honest)),
        "text": paper.getvalue().rstrip(),
    }
