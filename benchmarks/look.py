"""A first look before the wait: what a task is understood to be, and how long a suite will take.

    python -m benchmarks.look task=table task.path=churn.csv task.target=churned

Takes `task=` and `task.…=` as the main job does. A task may have its own `look(rows)`, which sees
at most so many rows; any other is loaded.
"""

import sys
from collections.abc import Sequence
from typing import Any

import hydra
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from benchmarks.cell.cell import build
from benchmarks.errors import BadInput
from benchmarks.plan import run
from benchmarks.plan.settings import complete
from benchmarks.records import machine
from benchmarks.records.records import Run
from benchmarks.runner.execute import ROOT
from benchmarks.show.formats import new_table
from tasks.base import Look

SAMPLE = 20_000
REFERENCE = ROOT / "results" / "reference"
OVERHEAD = 0.3  # seconds of a cell whose model does nothing
COLUMNS = 40  # that are listed one by one


def task_of(overrides: Sequence[str]) -> tuple[str, Any]:
    """Name of the task, and the task itself. Raises BadInput."""
    for override in overrides:
        key = override.partition("=")[0].lstrip("+~")
        if key != "task" and not key.startswith("task."):
            raise BadInput(f"look takes task=… and task.…=…, not {override}")
    with hydra.initialize(version_base="1.3", config_path=None):
        config = hydra.compose("config", list(overrides), return_hydra_config=True)
    name = config.hydra.runtime.choices["task"]
    given: Any = OmegaConf.to_container(config.task, resolve=True)
    settings = complete("task", name, given)
    return name, build(settings, {"n_jobs": machine.available_cores()})


def look(task: Any) -> Look:
    """What there is to see of a task. Raises BadInput for one that cannot be loaded."""
    try:
        if hasattr(task, "look"):
            found: Look = task.look(SAMPLE)
            return found
        data = task.load(0)
        train, _ = task.view(data, "features")
    except (ValueError, OSError) as error:
        raise BadInput(" ".join(str(error).split())) from None
    rows = len(data.train_labels) + len(data.test_labels)
    facts = [
        ("kind", data.kind),
        ("train", f"{len(data.train_labels):,} rows"),
        ("test", f"{len(data.test_labels):,} rows"),
    ]
    names = [str(name) for name in getattr(train, "columns", range(train.shape[1]))]
    kinds = train.dtypes if hasattr(train, "dtypes") else [train.dtype] * len(names)
    columns = [(name, str(kind), "") for name, kind in zip(names, kinds, strict=True)]
    return Look(facts, columns, [], rows, train.shape[1])


def estimate(found: Look) -> float | None:
    """Seconds of the default suite: what the reference took, by rows times columns. A guess: not
    every model grows like that, and this machine is not that one."""
    seconds = 0.0
    for record in Run(REFERENCE).read():
        if record["status"] == "done" and not record["bound"]:
            values = sum(record["rows"].values()) * (record["columns"] or 1)
            phases = record["phases"]
            work = sum(phases[p]["wall"] for p in ("view", "fit", "predict"))
            seconds += OVERHEAD + work * found.rows * found.columns_read / values
    return seconds or None


def render(name: str, found: Look, console: Console) -> None:
    facts = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for label, text in found.facts:
        facts.add_row(Text(label, style="dim"), Text(text))
    if (seconds := estimate(found)) is not None:
        unit = f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:,.0f} min"
        facts.add_row(Text("the default suite", style="dim"), Text(f"roughly {unit}"))
    console.print(Text(name, style="bold"))
    console.print(facts)
    if found.columns:
        table = new_table(["column", "is", ""], [])
        for column, kind, text in found.columns[:COLUMNS]:
            table.add_row(*(Text(printable(part)) for part in (column, kind, text)))
        console.print(table)
        if len(found.columns) > COLUMNS:
            console.print(f"and {len(found.columns) - COLUMNS:,} more columns")
    for warning in found.warnings:
        console.print(f"[yellow]![/] {escape(printable(warning))}", highlight=False)


def printable(text: str) -> str:
    """Without line breaks and what steers a terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def main(arguments: Sequence[str] | None = None) -> int:
    overrides = list(sys.argv[1:] if arguments is None else arguments)
    if not overrides or {"-h", "--help"} & set(overrides):
        print(__doc__)
        return 0
    try:
        name, task = task_of(overrides)
        render(name, look(task), Console())
    except BadInput as error:
        message = str(error)
    except (HydraException, OmegaConfBaseException) as error:
        message = run.sentence(error)
    else:
        return 0
    print(f"error: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
