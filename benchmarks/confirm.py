"""Does the lead of the first row hold on fresh seeds?

    python -m benchmarks.confirm RUN

Whoever picks the best of many rows picks luck along with merit, and the test rows that it was
picked by cannot tell them apart. This runs the first row of RUN's table and the second (--against:
another) with exactly their recorded configs on seeds that RUN has not seen, into a run RUN-confirm,
and says in one sentence whether the lead holds there. Of a table of your own a fresh seed is a
fresh split of the same rows: luck of the split goes, luck of the rows stays.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from benchmarks import interruption
from benchmarks.analysis.confirmation import FEWEST, question, same_row, told
from benchmarks.analysis.summary import broadest, model_label, sections
from benchmarks.analysis.verdicts import judge
from benchmarks.commands import spoken, typed
from benchmarks.errors import FAILED_CELLS, FINISHED, BadInput, command, plain, tell
from benchmarks.plan import app
from benchmarks.plan.again import cells_like, splits_only
from benchmarks.plan.config import RunConfig
from benchmarks.records.places import open_run, place_of
from benchmarks.records.records import Record, Run
from benchmarks.run import execute, wants, write_pages
from benchmarks.runner.lock import Lock
from benchmarks.runner.worker import Worker
from benchmarks.show.terminal import Terminal

SPLITS = (
    "These are fresh splits of the same rows: what luck of the rows themselves gave to the first, "
    "it may give again."
)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=typed("confirm"),
        description=spoken(__doc__ or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", metavar="RUN", help="name of a run (or its folder)")
    parser.add_argument(
        "--seeds",
        type=int,
        metavar="N",
        help=f"how many; default: as many as the first row has, at least {FEWEST}",
    )
    parser.add_argument("--against", metavar="LABEL", help="another row; default: the second")
    parser.add_argument("--task", metavar="LABEL", help="which table, if the run has several")
    parser.add_argument("--metric", help="that ranks and judges; default: the task's main one")
    parser.add_argument(
        "--allow", nargs="+", default=[], metavar="PACKAGE", help="of your own, that may be built"
    )
    parser.add_argument(
        "--results", type=place_of, default=Path("results"), help="default: results"
    )
    return parser.parse_args(arguments)


def settings_like(
    record: Record, run: Run, metric: str | None, allow: Sequence[str] = ()
) -> RunConfig:
    """For the cells of this run: limits and timing as they were for a record."""
    usual = app.usual_settings()
    return usual.model_copy(
        update={
            "run": run.name,
            "results": run.folder.parent,
            "metric": metric,
            "allow": list(allow),
            "limits": usual.limits.model_copy(update=record["limits"]),
            "timing": usual.timing.model_copy(update=record["timing"]),
        }
    )


def confirm(options: argparse.Namespace, console: Terminal, worker: Worker | None) -> int:
    """Run what is missing and print what follows; the exit code. Raises BadInput."""
    if options.seeds is not None and not FEWEST <= options.seeds <= 1000:
        raise BadInput(f"--seeds {options.seeds}: give a number from {FEWEST} to 1000.")
    run = open_run(options.results, options.run)
    records, unreadable = run.scan()
    for sentence in unreadable:
        tell(f"warning: {sentence}", is_error=True)
    found = [judge(section, run.outcomes, options.metric) for section in sections(records)]
    asked = question(run.name, found, options.task, options.against)
    seeds = asked.fresh_seeds(options.seeds)
    cells = [
        cell
        for both in zip(
            *(
                cells_like(row.first, seeds, allow=options.allow)
                for row in (asked.chosen, asked.other)
            ),
            strict=True,
        )
        for cell in both
    ]
    fresh = Run(run.folder.with_name(f"{run.name}-confirm"))
    fresh.create()
    settings = settings_like(asked.chosen.first, fresh, options.metric, options.allow)
    with Lock(fresh.folder), interruption.tidied(fresh.leave_if_empty):
        wanted = [cell for cell in cells if wants(settings, fresh.find(cell))]
        line = f"run {fresh.name}: {len(wanted)} cells to run, {len(cells) - len(wanted)} found"
        console.print(Text(line))
        try:
            execute(fresh, wanted, settings, console, worker)
        finally:
            write_pages(fresh, settings, console)
    made = [record for cell in cells if (record := fresh.find(cell))]
    if failed := [record for record in made if record["status"] != "done"]:
        reason = f"{failed[0]['status']}: {failed[0]['reason']}"
        what = f"{model_label(failed[0])} on seed {failed[0]['seed']} ended as {reason}"
        console.print(Text(plain(f"Nothing is confirmed: {what}.")))
        return FAILED_CELLS
    (section,) = broadest(sections(made))
    section = judge(section, fresh.outcomes, options.metric)
    chosen, other = (same_row(section, row) for row in (asked.chosen, asked.other))
    if chosen is None or other is None or not section.verdicts:
        raise BadInput(f"The run {fresh.name} has no two rows that can be compared.")
    splits = splits_only(asked.chosen.first)
    ground = "fresh splits, seeds" if splits else "fresh seeds"
    (verdict,) = section.verdicts
    sentence = told(asked, run.name, chosen.label, verdict, seeds, ground)
    console.print(Text(plain(sentence), style="bold"))
    if splits:
        console.print(Text(SPLITS))
    console.print(Text(f"The table: {fresh.folder / 'table.md'}"))
    return FINISHED


@command
def main(arguments: Sequence[str] | None = None, worker: Worker | None = None) -> int:
    """Run the command line. worker: one that was started already."""
    options = parse(arguments)
    try:
        return confirm(options, Terminal(), worker)
    except KeyboardInterrupt as interrupt:
        interruption.say()
        return interruption.exit_code(interrupt)


if __name__ == "__main__":
    sys.exit(main())
