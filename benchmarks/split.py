"""The rows of a split, for predictions that are made elsewhere: by R, a vendor, a colleague.

    python -m benchmarks.split task=table task.path=churn.csv task.target=churned seed=0,1 --to out

Takes `task=`, `task.…=` and `seed=` as the main job does. For each seed it leaves train.parquet
(with labels) and test.parquet (without, each row with a number `row`) in out/seed-N. A file with a
line for each test row is then ranked beside all models:

    python -m benchmarks task=table … seed=0,1 model=xgboost,predictions model.path=theirs.parquet

docs/taking-the-winner.md says what stands in it.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.commands import spoken, typed
from benchmarks.errors import FAILED_CELLS, FINISHED, BadInput, command, tell
from benchmarks.fit import left_at
from benchmarks.plan import app
from benchmarks.records import machine
from benchmarks.runner.jobs import JobFailed, outcome_of
from benchmarks.runner.worker import Worker

MOST = 1_000  # seeds


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=typed("split"),
        description=spoken(__doc__ or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("settings", nargs="*", metavar="KEY=VALUE", help="of the task, and seed=")
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="where they go")
    parser.add_argument(
        "--view",
        default="features",
        help="of tasks that read no table of yours: the view that is written; default: features",
    )
    return parser.parse_args(arguments)


def seeds_of(settings: Sequence[str]) -> tuple[list[int], list[str]]:
    """(seeds, the other settings). Raises BadInput."""
    given = [setting for setting in settings if re.match(r"\+*seed=", setting)]
    others = [setting for setting in settings if setting not in given]
    values = given[-1].partition("=")[2].split(",") if given else ["0"]
    if not all(re.fullmatch(r"\d{1,10}", value) and int(value) < 2**32 for value in values):
        raise BadInput(f"{given[-1]}: give whole numbers from 0 on, as seed=0,1,2.")
    return list(dict.fromkeys(map(int, values)))[:MOST], others


def advice(told: dict[str, Any], folder: Path, seeds: Sequence[int]) -> str:
    """What a file of predictions needs."""
    columns = "`row` and `prediction`"
    if told["classes"]:
        names = told["classes"][-1:] if len(told["classes"]) == 2 else told["classes"]
        said = ", ".join(f"`probability {name}`" for name in names[:5])
        columns = f"`row` and {said}{', …' * (len(names) > 5)} (or `prediction`, a class)"
    seed = "" if len(seeds) == 1 else "`seed`, "
    return (
        f"Predict the rows of {folder}/seed-*/test.parquet into a .parquet or .csv file with the "
        f"columns {seed}{columns}; then: model=predictions model.path=FILE"
    )


def split(options: argparse.Namespace, worker: Worker | None) -> int:
    seeds, settings = seeds_of(options.settings)
    if not settings:
        raise BadInput("Say which task: task=NAME, with its settings as task.KEY=VALUE.")
    name, task = app.task_alone(settings, "split")
    threads = worker.threads if worker else machine.available_cores()
    if options.to.exists():
        raise BadInput(f"{options.to} is there already; give another place with --to.")
    with left_at(options.to, False) as part:
        job = {
            "work": "split",
            "allow": sorted(app.packages_typed(settings)),
            "task": task,
            "task_name": name,
            "seeds": seeds,
            "view": options.view,
            "into": str(part.resolve()),
        }
        told = outcome_of(job, threads, worker)
    what = f"{told['train']:,} train and {told['test']:,} test rows of {name}"
    tell(f"{options.to}: {what}, {told['columns']} columns, target {told['target']!r}")
    tell(advice(told, options.to, seeds))
    return FINISHED


@command
def main(arguments: Sequence[str] | None = None, worker: Worker | None = None) -> int:
    """Run the command line. worker: one that was started already."""
    options = parse(arguments)
    try:
        return split(options, worker)
    except JobFailed as failure:
        tell(f"error: the rows could not be written: {failure}", is_error=True)
        return FAILED_CELLS


if __name__ == "__main__":
    sys.exit(main())
