"""Cells from a config that was composed and resolved: completed, checked, hashed."""

import importlib.util
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.errors import BadInput
from benchmarks.plan.config import RunConfig
from benchmarks.plan.settings import REQUIRED, check_space, complete, read_settings
from benchmarks.plan.sources import code_hash, data_hash
from benchmarks.records import allowed, machine
from benchmarks.records.records import Cell, view_of

PARTS = ("task", "model")
PROMPTS = Path(__file__).parents[2] / "conf" / "prompt"
USUAL_PROMPTS = ("classes", "answers")


@dataclass(frozen=True)
class Plan:
    """What one composed config asks for."""

    settings: RunConfig
    cells: list[Cell]

    def at(self, seed: int) -> "Plan":
        """The same on another seed."""
        settings = self.settings.model_copy(update={"seed": seed})
        return Plan(settings, [replace(cell, seed=seed) for cell in self.cells])

    @property
    def has_nothing_to_tune(self) -> bool:
        """Is there a budget for tuning, and no use for it?"""
        return bool(self.settings.tune.budget()) and len(self.cells) == 1


def to_cells(
    given: Mapping[str, Any],
    choices: Mapping[str, str],
    settings: RunConfig,
    plain: Mapping[str, Mapping[str, Any]],
) -> list[Cell]:
    """The cells that a composed config describes. Raises BadInput.

    One, or with a budget for tuning two: the model as it stands, and the model tuned.
    plain: `task` and `model` as their YAML and class have them.
    """
    for part in PARTS:
        if re.fullmatch(r"\w[\w.-]{0,99}", choices[part]) is None:
            raise BadInput(f"{part}={choices[part]}: that is no name of a {part}.")
        target = given[part].get("_target_")
        if target in (None, REQUIRED):
            continue  # which is said by whoever completes it
        if (sentence := allowed.refusal(part, target, settings.allow)) is not None:
            raise BadInput(sentence)
    parts = {part: complete(part, choices[part], given[part]) for part in PARTS}
    cell = Cell(
        task=choices["task"],
        model=choices["model"],
        seed=settings.seed,
        config={
            **parts,
            "threads": settings.threads or machine.available_cores(),
            "device": device_for(parts["model"]["_target_"], settings.device),
            **({"control": settings.control} if settings.control else {}),
            **engine_for(choices["task"], parts["task"]["_target_"], settings.engine),
        },
        code=hashes(parts, choices["task"]),
        changed={part: difference(parts[part], plain[part]) for part in PARTS},
        constants=constants_of(parts["model"]["_target_"]),
        expensive=is_expensive(parts),
    )
    tune = search_of(cell, given["model"].get("space"), settings)
    return [cell, replace(cell, config={**cell.config, "tune": tune})] if tune else [cell]


def search_of(
    cell: Cell, declared: Mapping[str, Any] | None, settings: RunConfig
) -> dict[str, Any] | None:
    """What a cell is to be searched with; None where there is no budget, or no space for it."""
    budget = settings.tune.budget()
    if not budget or not declared or settings.control:
        return None
    space = check_space(cell.model, cell.config["model"]["_target_"], declared)
    ranked_by = {"metric": settings.metric} if settings.metric else {}
    return {"budget": budget, "space": space, **ranked_by}


def hashes(parts: Mapping[str, Mapping[str, Any]], name: str) -> dict[str, str | None]:
    """Of the code behind the task (called `name`) and the model, of the data that the task reads,
    and of the prompt, if any."""
    code = {part: code_hash(config["_target_"]) for part, config in parts.items()}
    task, model = parts["task"], parts["model"]
    names = constants_of(task["_target_"]).get("files", ())
    data = data_hash(str(task[name]) for name in names if task[name] is not None)
    read = data_hash(
        str(place)
        for setting in constants_of(model["_target_"]).get("files", ())
        for place in prompt_places(model[setting], name)
    )
    return {k: v for k, v in {**code, "data": data, "prompt": read}.items() if v or k in code}


def prompt_places(prompt: str | None, task: str) -> list[Path]:
    """Files of which one is the prompt: the one that is named, or those that may be meant where
    none is (models/parts/prompts.py)."""
    if prompt is not None and Path(prompt).suffix:
        return [Path(prompt)]
    return [PROMPTS / f"{name}.txt" for name in ([prompt] if prompt else (task, *USUAL_PROMPTS))]


def is_expensive(parts: Mapping[str, Mapping[str, Any]]) -> bool:
    """Is the view that the model reads one of those that the task calls expensive?"""
    task, model = (constants_of(parts[part]["_target_"]) for part in PARTS)
    views = view_of(parts["model"], model).split("|")
    return not set(views).isdisjoint(task.get("expensive", ()))


def constants_of(target: str) -> Mapping[str, Any]:
    """What a class says of itself: era, year, view, …"""
    settings = read_settings(target)
    return settings.constants if settings else {}


def difference(config: Mapping[str, Any], plain: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in config.items() if k not in plain or plain[k] != v}


def device_for(target: str, device: str) -> str | None:
    """The device that a model is given: None for one that has no choice, `auto` for one that
    does not know the device asked for (a forest runs on the CPU whatever the network does)."""
    settings = read_settings(target)
    if settings is None or "device" not in settings.types:
        return None
    return device if device in getattr(settings.types["device"], "__args__", ()) else "auto"


def engine_for(name: str, target: str, engine: str) -> dict[str, str]:
    """What a cell's config says of the engine of its SQL: nothing of the usual one. Raises BadInput
    for a task that has no SQL, and for an engine that is not installed."""
    if engine == "duckdb":
        return {}
    settings = read_settings(target)
    if settings is None or "sql_engine" not in settings.types:
        raise BadInput(f"engine={engine}: the task {name} has no view in SQL.")
    # Java's Spark comes with py4j; of a server's client it is enough to have gRPC.
    needed = "grpc" if engine.startswith("sc:") else "py4j"
    if any(importlib.util.find_spec(module) is None for module in ("pyspark", needed)):
        raise BadInput(f"engine={engine} needs pip install 'model-eras[spark]'.")
    return {"engine": engine}


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
