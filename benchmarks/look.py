"""A first look before the wait: what a task is understood to be, and how long a suite will take.

    python -m benchmarks.look churn.csv                        which columns are there?
    python -m benchmarks.look churn.csv task.target=churned    and how is it to be predicted?
    python -m benchmarks.look task=events task.path=my/company

Takes a path, which is a table's, or `task=` and `task.…=` as the main job does. A task may have its
own `look(rows)`, which sees about so many rows; any other is loaded.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from benchmarks.cell import rows as of_rows
from benchmarks.cell import views
from benchmarks.cell.build import build, permitting
from benchmarks.cell.clock import calibration
from benchmarks.cell.fields import size_of
from benchmarks.cell.protocols import offered
from benchmarks.commands import spoken
from benchmarks.errors import FINISHED, BadInput, command
from benchmarks.plan import app
from benchmarks.plan.spelling import exists, quoted
from benchmarks.records import machine
from benchmarks.records.forecast import (
    OVER,
    UNDER,
    Forecast,
    Forecaster,
    Kind,
    Size,
    shipped,
)
from benchmarks.runner.outlook import earlier, shown
from benchmarks.runner.watch import MB
from benchmarks.show import parts, terminal
from tasks.base import Look

SAMPLE = 200_000  # rows; most tables are seen whole
SEEDS = 3  # of the default suite
TRAIN = 0.7  # of the rows, unless the task says otherwise
COLUMNS = 40  # that are listed one by one


def task_of(overrides: Sequence[str]) -> tuple[str, Any]:
    """Name of the task, and the task itself. Raises BadInput."""
    if overrides and is_place(overrides[0]):
        overrides = ["task=table", f"task.path={quoted(overrides[0])}", *overrides[1:]]
    name, settings = app.task_alone(overrides, "look")
    try:
        with permitting(app.packages_typed(overrides)):
            return name, build(settings, {"n_jobs": machine.available_cores()})
    except (AttributeError, ImportError, TypeError) as error:
        raise BadInput(f"{name}: {' '.join(str(error).split())}.") from None


def is_place(argument: str) -> bool:
    """Is it a path or an address, and no setting?"""
    key, equals, _ = argument.partition("=")
    if not equals:
        return not argument.startswith(("-", "~")) or exists(argument)
    return "://" in key or (not re.fullmatch(r"\+{0,2}task(\.\w+)*", key) and exists(argument))


def look(task: Any) -> Look:
    """What there is to see of a task. Raises BadInput for one that cannot be loaded."""
    try:
        if (own := offered(task, "look")) is not None:
            first: Look = own(SAMPLE)
            return first
        data = task.load(0)
        train, _ = views.make(task, data, "features")
    except (ValueError, OSError) as error:
        raise BadInput(" ".join(str(error).split())) from None
    rows = len(data.train_labels) + len(data.test_labels)
    facts = [
        ("kind", data.kind),
        ("train", f"{len(data.train_labels):,} rows"),
        ("test", f"{len(data.test_labels):,} rows"),
    ]
    names = of_rows.columns(train) or []
    types = of_rows.types(train)
    columns = [(name, kind, "", "") for name, kind in zip(names, types, strict=True)]
    size = size_of(train, data)
    classes = len(data.classes)
    return Look(facts, columns, [], rows, len(columns) or 1, size["levels"], classes)


def expected(found: Look, results: Path) -> dict[str, Forecast]:
    """By model of the usual suites: what a cell will take, as a hundred tables say, and what this
    machine has in its results."""
    forecaster = Forecaster(calibration()["seconds"])
    for record in earlier(results):
        forecaster.learn(record)
    outputs = found.classes if found.classes and found.classes > 2 else 1
    size = Size(round(TRAIN * found.rows), found.columns_read, found.levels, outputs)
    without = "logistic" if found.classes == 0 else "ridge"
    return {
        model: forecaster.forecast(Kind(model, "", machine.available_cores()), size)
        for model in shipped()["models"]
        if model != without
    }


def told(forecasts: Mapping[str, Forecast], limits: Mapping[str, float]) -> tuple[str, list[str]]:
    """What the default suite will take, and a sentence on each model that a limit may end."""
    seconds = SEEDS * sum(forecast.likely for forecast in forecasts.values())
    unit = f"{shown(seconds)} s" if seconds < 90 else f"{shown(seconds / 60)} min"
    largest = max(forecasts, key=lambda model: forecasts[model].memory)
    memory = forecasts[largest].memory / MB
    text = f"roughly {unit} for {SEEDS} seeds, up to {shown(memory)} MB ({largest})"
    warnings = [
        f"{model} is expected to take {shown(forecast.seconds / OVER)} to "
        f"{shown(forecast.seconds / UNDER)} s a seed: raise limits.seconds={limits['seconds']:g}"
        for model, forecast in forecasts.items()
        if forecast.breaks(limits)
    ]
    return text, warnings


def render(name: str, found: Look, console: Console) -> None:
    facts = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for label, text in found.facts:
        facts.add_row(Text(label, style="dim"), Text(text))
    usual = app.usual_settings()
    suite, slow = told(expected(found, usual.results), {"seconds": usual.limits.seconds})
    facts.add_row(Text("the default suite", style="dim"), Text(suite))
    console.print(Text(name, style="bold"))
    console.print(facts)
    if found.columns:
        rows = [parts.words(*map(printable, column)) for column in found.columns[:COLUMNS]]
        heads = parts.word_heads("column", "is", "such as", "understood as")
        table = parts.Table("columns", "", heads, rows)
        console.print(*terminal.laid_out(table, console.width), sep="\n")
        if len(found.columns) > COLUMNS:
            console.print(f"and {len(found.columns) - COLUMNS:,} more columns")
    for warning in [*found.warnings, *slow]:
        console.print(f"[yellow]![/] {escape(printable(warning))}", highlight=False)


def printable(text: str) -> str:
    """Without line breaks and what steers a terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


@command
def main(arguments: Sequence[str] | None = None) -> int:
    overrides = list(sys.argv[1:] if arguments is None else arguments)
    if not overrides or {"-h", "--help"} & set(overrides):
        print(spoken(__doc__ or ""))
        return FINISHED
    name, task = task_of(overrides)
    render(name, look(task), terminal.Terminal())
    return FINISHED


if __name__ == "__main__":
    sys.exit(main())
