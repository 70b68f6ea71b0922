"""The main job: Hydra composes the configs, this module turns them into cells and runs them.

Only this module, look, and the plugins in hydra_plugins/ (Hydra looks for them there) know Hydra.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import hydra
import pydantic
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, MissingConfigException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, OmegaConfBaseException
from rich.console import Console
from rich.markup import escape

from benchmarks.analysis import verdicts
from benchmarks.analysis.summary import Section, sections
from benchmarks.errors import BadInput, refusal, unknown_key
from benchmarks.plan.settings import check_space, code_hash, complete, data_hash, read_settings
from benchmarks.records import codes, frame, machine
from benchmarks.records.records import Cell, Record, Run
from benchmarks.runner.execute import ROOT, Executor, is_wanted
from benchmarks.runner.worker import Worker
from benchmarks.show import pages
from tasks.base import METRICS

CONF = ROOT / "conf"
FINISHED, FAILED_CELLS, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

PLAIN: dict[tuple[str, str], dict[str, Any]] = {}
"""What `group/name.yaml` and its class say before any override; filled as Hydra loads them."""

requested: list[str] = []
"""Overrides for the cells (see `split_arguments`)."""

_worker: Worker | None = None
"""A worker that `python -m benchmarks` started early."""


class Limits(pydantic.BaseModel, extra="forbid"):
    seconds: Annotated[float, pydantic.Field(gt=0, allow_inf_nan=False)]


class Verdicts(pydantic.BaseModel, extra="forbid"):
    metric: Literal[*METRICS] | None  # type: ignore[valid-type] # mypy cannot see the names
    band: Annotated[float, pydantic.Field(ge=0, allow_inf_nan=False)] | None


class Tune(pydantic.BaseModel, extra="forbid"):
    trials: Annotated[int, pydantic.Field(ge=1)] | None = None
    seconds: Annotated[float, pydantic.Field(gt=0, allow_inf_nan=False)] | None = None


class Timing(pydantic.BaseModel, extra="forbid"):
    """What is timed besides the phases: single calls by batch size, at most so many `calls` of
    each within so many `seconds`; a `cold_start`. audit: are gauges read beside the clock?"""

    batches: list[Annotated[int, pydantic.Field(ge=1)]]
    calls: Annotated[int, pydantic.Field(ge=1)]
    seconds: Annotated[float, pydantic.Field(ge=0, allow_inf_nan=False)]
    cold_start: bool
    audit: bool


class Checks(pydantic.BaseModel, extra="forbid"):
    skip: list[codes.Code]


class RunConfig(pydantic.BaseModel, extra="forbid"):
    """The keys of conf/config.yaml that are neither task nor model."""

    run: Annotated[str, pydantic.Field(pattern=r"^\w[\w.-]*$")]
    results: Path
    seed: Annotated[int, pydantic.Field(ge=0, lt=2**32)]
    threads: Annotated[int, pydantic.Field(ge=1)] | None
    device: Literal["auto", "cpu", "cuda", "xpu", "mps"]
    limits: Limits
    tune: Tune
    timing: Timing
    verdicts: Verdicts
    checks: Checks
    control: Literal["shuffled_labels", "future_column", "duplicate_users"] | None
    picture: bool
    fresh: bool
    rerun: Literal["nothing", "failed", "disturbed"]


def run_cells(
    configs: Sequence[DictConfig], launch: Callable[[list[int]], None] | None = None
) -> None:
    """Check all cells of a sweep, run those that have no record yet, show the table.

    launch: runs the jobs with these indices elsewhere, each of which ends in `job` below; None:
    they are run here. Raises BadInput before anything is run, SystemExit(1) after the table if a
    cell failed.
    """
    choices = [config.hydra.runtime.choices for config in configs]
    checked = [run_config(*pair) for pair in zip(configs, choices, strict=True)]
    cells_of = [to_cells(*three) for three in zip(configs, choices, checked, strict=True)]
    settings = checked[0]
    if len({(c.results, c.run) for c in checked}) > 1:
        raise BadInput("A sweep goes into one run: run= and results= take one value.")
    for device in {c.device for c in checked}:
        require_device(device)

    console = Console()
    run = Run(settings.results / settings.run)
    run.create()
    unique = {cell.name: (index, cell) for index, cells in enumerate(cells_of) for cell in cells}
    wanted = [(index, cell) for index, cell in unique.values() if wants(settings, run.find(cell))]
    found = len(unique) - len(wanted)
    console.print(f"run {run.name}: {len(wanted)} cells to run, {found} found", highlight=False)
    if spaceless := sorted(
        {
            cell.model
            for cells, c in zip(cells_of, checked, strict=True)
            for cell in cells
            if budget_of(c) and len(cells) == 1
        }
    ):
        console.print(f"nothing to tune, run once: {', '.join(spaceless)}", highlight=False)
    try:
        if launch is not None and wanted:
            launch(sorted({index for index, _ in wanted}))
        else:
            execute(run, [cell for _, cell in wanted], settings, console)
    except KeyboardInterrupt:
        console.print("Interrupted. What is done is recorded; the same command goes on from here.")
        raise
    finally:
        present, unreadable = run.scan()
        for sentence in unreadable:
            console.print(f"[yellow]![/] {escape(sentence)}", highlight=False)
        everything = judged(run, present, settings.verdicts)
        pages.write(run.folder, everything)
        frame.write(run)
    records = [record for _, cell in unique.values() if (record := run.find(cell))]
    records += bounds_of(run, records)
    # Judging takes a while; usually all of the run was asked for.
    is_all = len(records) == len(present)
    shown = everything if is_all else judged(run, records, settings.verdicts)
    show(run, shown, records, console)
    if settings.picture and (wanted or not list(run.folder.glob("*.svg"))):
        for file in pages.draw(run.folder, everything):
            console.print(f"picture: {file}", highlight=False)
    if any(is_failure(record) for record in records):
        raise SystemExit(FAILED_CELLS)


def execute(run: Run, cells: Sequence[Cell], settings: RunConfig, console: Console) -> list[Record]:
    skip, timing = settings.checks.skip, settings.timing.model_dump()
    limit = settings.limits.seconds
    with Executor(run, cells, limit, console, _worker, skip, timing) as executor:
        executor.check(cells)
        if settings.fresh:
            for cell in cells:
                run.trials(cell).unlink(missing_ok=True)
        return [executor.execute(cell) for cell in cells]


def wants(settings: RunConfig, record: Record | None) -> bool:
    """Does the cell of this record have to run, as these settings are?"""
    timing = settings.timing.model_dump()
    return is_wanted(record, settings.limits.seconds, timing, settings.fresh, settings.rerun)


def is_failure(record: Record) -> bool:
    """Did a cell not get to its end, or a control not come out as it must?"""
    failed_control = (record.get("control") or {}).get("passed") is False
    return record["status"] not in ("done", "skipped") or failed_control


def bounds_of(run: Run, records: Sequence[Record]) -> list[Record]:
    """The run's other records of bounds on the same rows: a table without them says less."""

    def rows(record: Record) -> str:
        part = [record["seed"], record["config"]["task"], record["code"]["task"]]
        return json.dumps(part, sort_keys=True)

    shown, names = {rows(r) for r in records}, {(r["model"], rows(r)) for r in records}
    return [
        r
        for r in run.read()
        if r.get("bound") and rows(r) in shown and (r["model"], rows(r)) not in names
    ]


def judged(run: Run, records: Iterable[Record], settings: Verdicts) -> list[Section]:
    """Records summed up, with verdicts. Raises BadInput for a metric that a task does not have."""
    metric, band = settings.metric, settings.band
    return [verdicts.judge(part, run.outcomes, metric, band) for part in sections(records)]


def show(run: Run, found: Sequence[Section], records: Iterable[Record], console: Console) -> None:
    """Print the table of the cells that were asked for, and where everything lies."""
    console.print()
    console.print(pages.render(found, console.width))
    console.print(
        f"\nAll of run {run.name}: {run.folder}/table.md; each pair of models: verdicts.md; as a "
        f"page: python -m benchmarks.report {run.folder}",
        highlight=False,
    )
    failed = sum(map(is_failure, records))
    if failed:
        console.print(
            f"[red]{failed} failed[/]; what they printed lies in {run.cells}/*.log. They run "
            "again when their code changes, or with rerun=failed.",
            highlight=False,
        )


def run_config(config: DictConfig, choices: Mapping[str, str]) -> RunConfig:
    """Check the keys beside task and model. Raises BadInput.

    choices: the option chosen in each config group.
    """
    given: Any = OmegaConf.to_container(config, resolve=True)
    given = {k: v for k, v in given.items() if k not in ("task", "model", "hydra")}
    if given["run"] is None:
        given["run"] = choices["suite"]
    try:
        checked = RunConfig(**given)
    except pydantic.ValidationError as error:
        raise BadInput(refusal(error)) from None
    cores = machine.available_cores()
    if checked.threads is not None and checked.threads > cores:
        raise BadInput(f"threads={checked.threads}: this machine offers {cores}.")
    return checked


def budget_of(settings: RunConfig) -> dict[str, float]:
    """`trials` or `seconds`, whichever is set; empty if nothing is to be tuned."""
    return settings.tune.model_dump(exclude_none=True)


def to_cells(config: DictConfig, choices: Mapping[str, str], settings: RunConfig) -> list[Cell]:
    """The cells that a composed config describes, completed and checked. Raises BadInput.

    One, or with a budget for tuning two: the model as it stands, and the model tuned.
    """
    names = {part: choices[part] for part in ("task", "model")}
    parts: dict[str, dict[str, Any]] = {}
    for part, name in names.items():
        given: Any = OmegaConf.to_container(config[part], resolve=True)
        parts[part] = complete(part, name, given)
    read = data_hash(parts["task"]["_target_"], parts["task"])
    data = {} if read is None else {"data": read}
    cell = Cell(
        **names,
        seed=settings.seed,
        config={
            **parts,
            "threads": settings.threads or machine.available_cores(),
            "device": device_for(parts["model"]["_target_"], settings.device),
            **({"control": settings.control} if settings.control else {}),
        },
        code={part: code_hash(chosen["_target_"]) for part, chosen in parts.items()} | data,
        changed={part: difference(parts[part], PLAIN[part, name]) for part, name in names.items()},
    )
    model: Any = OmegaConf.to_container(config.model, resolve=True)
    budget, declared = budget_of(settings), model.get("space")
    if not budget or not declared or settings.control:
        return [cell]
    space = check_space(names["model"], parts["model"]["_target_"], declared)
    return [cell, replace(cell, config={**cell.config, "tune": {"budget": budget, "space": space}})]


def difference(config: Mapping[str, Any], plain: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in config.items() if k not in plain or plain[k] != v}


def device_for(target: str, device: str) -> str | None:
    """The device that a model is given: None for one that has no choice, `auto` for one that
    does not know the device asked for (a forest runs on the CPU whatever the network does)."""
    settings = read_settings(target)
    if settings is None or "device" not in settings.types:
        return None
    return device if device in getattr(settings.types["device"], "__args__", ()) else "auto"


def require_device(device: str) -> None:
    """Refuse a device that is not there. Asks torch, in a process of its own: this one stays
    small, and only the explicit choice of a GPU pays for it."""
    if device in ("auto", "cpu"):
        return
    question = (
        "import torch;"
        "there = {'cuda': torch.cuda, 'xpu': torch.xpu, 'mps': torch.backends.mps};"
        "print(*(name for name, backend in there.items() if backend.is_available()))"
    )
    answer = subprocess.run([sys.executable, "-c", question], capture_output=True, text=True)
    there = ["cpu", *answer.stdout.split()]
    if device not in there:
        raise BadInput(f"device={device} is not there; this machine has: {', '.join(there)}.")


def sentence(error: BaseException) -> str:
    """One sentence for an error of Hydra or OmegaConf."""
    cause = error.__cause__ or error
    if isinstance(error, MissingConfigException) and error.options:
        group, _, name = str(error.missing_cfg_file).partition("/")
        return f"There is no {group} {name!r}; there are: {', '.join(error.options)}."
    if isinstance(cause, ConfigAttributeError) and cause.parent_node is not None:
        keys = [str(key) for key in cause.parent_node if key not in ("_target_", "hydra", "space")]
        return unknown_key(str(cause.full_key), keys)
    text = " ".join(str(error).split())
    return re.sub(r" See https://hydra.cc\S* for details", "", text)


@hydra.main(config_path=None, config_name="config", version_base="1.3")
def job(config: DictConfig) -> str:
    """Hydra's task function, where another launcher runs it: run the cells that `config`
    describes and that have no record yet, return how they ended."""
    choices = HydraConfig.get().runtime.choices
    settings = run_config(config, choices)
    run = Run(settings.results / settings.run)
    run.create()
    cells = [
        cell for cell in to_cells(config, choices, settings) if wants(settings, run.find(cell))
    ]
    records = execute(run, cells, settings, Console(stderr=True))
    return ", ".join(str(record["status"]) for record in records)


def split_arguments(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split a command line into what Hydra reads first and the overrides for the cells.

    Before a sweep Hydra composes one config of its own, with the default model. An override such
    as `model.C=3` would be refused there if that model has no C, although the models that are
    asked for have one.
    """
    if {"--help", "-h", "--cfg", "-c", "--info", "-i"}.intersection(arguments):
        return list(arguments), []

    def is_first(argument: str) -> bool:
        key, equals, _ = argument.partition("=")
        return not equals or key.startswith("-") or bool(re.match(r"[+~]*(hydra\b|suite$)", key))

    return [a for a in arguments if is_first(a)], [a for a in arguments if not is_first(a)]


def main(worker: Worker | None = None) -> int:
    """Run the command line; return the exit code: 0 finished, 1 a cell failed, 2 bad input.

    worker: one that was started already; the caller ends it.
    """
    global _worker
    _worker = worker
    sys.argv[1:], requested[:] = split_arguments(sys.argv[1:])
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra then leaves its errors to us
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        job()
    except BadInput as error:
        message = str(error)
    except (HydraException, OmegaConfBaseException) as error:
        message = sentence(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    else:
        return FINISHED
    print(f"error: {message}", file=sys.stderr)
    return BAD_INPUT
