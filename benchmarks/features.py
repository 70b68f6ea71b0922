"""A task's features, made from a company's tables of any size: what runs there every night.

    python -m benchmarks.features task=notifications --of tables --to rows
    python -m benchmarks.features task=notifications --of tables --to rows --memory 2000 --parts 16
    python -m benchmarks.features task=notifications --of tables --to rows --engine spark

`tables` is a folder with a Parquet file (or a folder of them) for each table that the task's SQL
reads; what is left is a folder of Parquet files with a row for each row of the log, its key first.
With --parts the log is cut by user (or as the task says), and made part by part within --memory.
docs/engines.md says more, and what of a model can then read such a folder.
"""

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.commands import spoken, typed
from benchmarks.errors import FAILED_CELLS, FINISHED, BadInput, command, tell
from benchmarks.fit import left_at
from benchmarks.plan import app
from benchmarks.plan.cells import engine_for
from benchmarks.plan.config import ENGINES
from benchmarks.records import machine
from benchmarks.runner.jobs import JobFailed, outcome_of
from benchmarks.runner.worker import Worker

MB = 10**6
MOST_PARTS = 10_000


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=typed("features"),
        description=spoken(__doc__ or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("settings", nargs="*", metavar="task=NAME", help="whose SQL it is")
    add("--of", type=Path, required=True, metavar="FOLDER", help="the tables")
    add("--to", type=Path, required=True, metavar="FOLDER", help="where the rows go")
    add("--view", default="features", help="which SQL; default: features")
    add("--with", dest="beside", default="", metavar="COLUMNS", help="of the log, to be kept too")
    add("--engine", default="duckdb", help="duckdb, spark, spark://HOST:PORT, sc://HOST:PORT")
    add("--memory", type=int, metavar="MB", help="at most, of DuckDB or of Spark here")
    add("--parts", type=int, default=1, metavar="N", help="of DuckDB: how many; default: 1")
    return parser.parse_args(arguments)


def checked(options: argparse.Namespace) -> list[str]:
    """The columns to be kept beside. Raises BadInput."""
    if not options.settings:
        raise BadInput("Say which task: task=NAME.")
    if re.fullmatch(ENGINES, options.engine) is None:
        raise BadInput(f"--engine {options.engine}: give duckdb, spark, spark://… or sc://….")
    if not 1 <= options.parts <= MOST_PARTS:
        raise BadInput(f"--parts {options.parts}: give a number from 1 to {MOST_PARTS:,}.")
    if options.parts > 1 and options.engine != "duckdb":
        raise BadInput("--parts is for DuckDB: Spark cuts by itself.")
    if options.memory is not None and options.memory < 100:
        raise BadInput(f"--memory {options.memory}: give 100 MB or more.")
    if not options.of.is_dir():
        raise BadInput(f"{options.of} is no folder.")
    beside = [name.strip() for name in options.beside.split(",") if name.strip()]
    for name in beside:
        if re.fullmatch(r"[A-Za-z_]\w{0,99}", name) is None:
            raise BadInput(f"--with {name!r}: that is no name of a column.")
    if options.to.exists():
        raise BadInput(f"{options.to} is there already; give another place with --to.")
    return beside


def took(told: Mapping[str, Any]) -> str:
    """Seconds of each phase, memory and disk."""
    seconds = {name: phase["wall"] for name, phase in told["phases"].items()}
    parts = ", ".join(f"{name} {wall:.1f}" for name, wall in seconds.items() if wall >= 0.05)
    spilled = f" and {told['disk'] / MB:,.0f} MB of disk" if told["disk"] >= MB else ""
    return (
        f"{sum(seconds.values()):.1f} s ({parts}), at most {told['memory'] / MB:,.0f} MB of memory"
        f"{spilled}"
    )


def made(options: argparse.Namespace, worker: Worker | None = None) -> dict[str, Any]:
    """Make them; what was made and what it took (see cell/on_disk.py). Raises BadInput,
    CannotWrite and JobFailed."""
    beside = checked(options)
    name, task = app.task_alone(options.settings, "features")
    engine_for(name, task["_target_"], options.engine)
    threads = worker.threads if worker else machine.available_cores()
    with left_at(options.to, False) as part:
        job = {
            "work": "features",
            "allow": sorted(app.packages_typed(options.settings)),
            "task": task,
            "task_name": name,
            "view": options.view,
            "source": str(options.of.resolve()),
            "into": str(part.resolve()),
            "beside": beside,
            "engine": options.engine,
            "memory": options.memory,
            "parts": options.parts,
        }
        told: dict[str, Any] = outcome_of(job, threads, worker)
    return told


@command
def main(arguments: Sequence[str] | None = None, worker: Worker | None = None) -> int:
    """Run the command line. worker: one that was started already."""
    options = parse(arguments)
    try:
        told = made(options, worker)
    except JobFailed as failure:
        tell(f"error: the features could not be made: {failure}", is_error=True)
        return FAILED_CELLS
    tell(f"{options.to}: {told['rows']:,} rows, {told['columns']} columns of {options.view}")
    tell(took(told))
    return FINISHED


if __name__ == "__main__":
    sys.exit(main())
