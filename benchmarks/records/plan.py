"""What a command set out to do in a run: `plan.json`, for whoever looks while it works."""

import contextlib
import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import pydantic

from benchmarks.errors import BadInput
from benchmarks.records import files
from benchmarks.records.records import Cell

FILE = "plan.json"
MOST = 2**26  # bytes


class Planned(pydantic.BaseModel):
    """A cell by its names."""

    name: str
    task: str
    model: str
    seed: int
    settings: str
    """Those that are not as they stand in its YAML and its class."""

    @property
    def label(self) -> str:
        settings = f" {self.settings}" if self.settings else ""
        return f"{self.task} {self.model}{settings} seed {self.seed}"


class Plan(pydantic.BaseModel):
    """All cells that a command was asked for, in the order in which they run."""

    began: Annotated[datetime, pydantic.AfterValidator(lambda moment: moment.astimezone(UTC))]
    cells: list[Planned]
    wanted: frozenset[str]
    """Names of those that had no record that counts."""


def write(folder: Path, cells: Sequence[Cell], wanted: Collection[str]) -> None:
    """Raises CannotWrite."""
    told = [
        {
            **{name: getattr(cell, name) for name in ("name", "task", "model", "seed")},
            "settings": ", ".join(f"{k}={v}" for p in cell.changed.values() for k, v in p.items()),
        }
        for cell in cells
    ]
    began = datetime.now(UTC).isoformat(timespec="milliseconds")
    plan = {"began": began, "wanted": sorted(wanted), "cells": told}
    files.write(folder / FILE, json.dumps(plan, ensure_ascii=False))


def planned(folder: Path) -> Plan:
    """Raises BadInput where there is none."""
    with contextlib.suppress(FileNotFoundError, files.Unreadable, pydantic.ValidationError):
        return Plan.model_validate_json(files.content(folder / FILE, MOST))
    raise BadInput(
        f"{folder} holds no {FILE} that could be read, in which a command says what it set out to "
        "do; its next one will write it."
    )
