"""A large run made up from nothing, for timing what reads runs."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.records.files import facts
from benchmarks.records.records import SCHEMA, Cell, Record
from tasks.metrics import OF_KIND, STANDARD


def record_of(cell: Cell, scores: dict[str, float], rows: int) -> Record:
    """A record of a cell that is done, with what a comparison reads of it, and about as long as
    those of real cells."""
    phase = {
        "start": 0.0,
        "wall": 1.0,
        "cpu": 1.5,
        "others": 0.0,
        "steal": 0.0,
        "memory_growth": 2**20,
        "peak": 2**28,
    }
    latency = {"p50": 0.002, "p99": None, "min": 0.001, "calls": 5}
    return {
        "schema": SCHEMA,
        "task": cell.task,
        "model": cell.model,
        "seed": cell.seed,
        "era": "made up",
        "year": 2026,
        "view": "features",
        "status": "done",
        "reason": None,
        "kind": "binary",
        "metric": "roc_auc",
        "metrics": [asdict(STANDARD[name].facts()) for name in OF_KIND["binary"]],
        "answer": "probabilities",
        "scores": scores,
        "ceiling": None,
        "floor": {"roc_auc": 0.5, "accuracy": 0.5, "log_loss": 0.7},
        "bound": False,
        "tuning": None,
        "rows": {"train": 2 * rows, "test": rows},
        "columns": 30,
        "phases": dict.fromkeys(("import", "load", "view", "warm_up", "fit", "predict"), phase),
        "calibration": {"seconds": 0.01, "load": 0.5},
        "control": None,
        "checks": [],
        "warmed_up": True,
        "latency": {"1": latency, str(rows): latency},
        "cold_start": None,
        "parameters": 1000,
        "size_bytes": 10_000,
        "work": None,
        "notes": {"engine": "made up"},
        "config": cell.config,
        "changed": cell.changed,
        "config_hash": cell.config_hash,
        "code": cell.code,
        "limits": {"seconds": 600},
        "timing": {"batches": [1], "calls": 20, "seconds": 2.0, "cold_start": False},
        "pools": {},
        "seconds": 0.001,
        "started": "2026-01-02T03:04:05+00:00",
        "commit": "abc",
        "machine": {"processor": "P", "cores": 2, "memory_gb": 4.0, "python": "3.11"},
        "packages": {"numpy": "2"},
    }


def write_run(
    folder: Path, few: bool, settings: int = 10, code: str = "1", shift: float = 0.0
) -> None:
    """A run of ten models and ten seeds under each of so many settings of one task, 6,000 test rows
    in a cell (few: two of each, and 200 rows). Its models have this code, and score a little
    better by `shift`."""
    cells = folder / "cells"
    cells.mkdir(parents=True)
    models, seeds, settings, rows = (2, 2, 2, 200) if few else (10, 10, settings, 6_000)
    for setting in range(settings):
        for seed in range(seeds):
            random = np.random.default_rng([setting, seed])
            labels = random.integers(2, size=rows).astype(np.int16)
            group = np.sort(random.integers(max(rows // 50, 2), size=rows))
            for model in range(models):
                score = (1 + model / 50 + shift) * (2 * labels - 1) + 2 * random.normal(size=rows)
                p = (1 / (1 + np.exp(-score))).astype(np.float32)
                task: dict[str, Any] = {"_target_": "made.Up", "setting": setting}
                config = {
                    "task": task,
                    "model": {"_target_": f"made.Model{model}"},
                    "threads": 2,
                    "device": None,
                }
                cell = Cell(
                    "made_up",
                    f"m{model}",
                    seed,
                    config,
                    {"task": "0", "model": code},
                    {"task": {"setting": setting}, "model": {}},
                )
                outcomes = cells / f"{cell.name}.npz"
                np.savez_compressed(
                    outcomes,
                    predictions=np.column_stack([1 - p, p]),
                    classes=np.array(["no", "yes"]),
                    labels=labels,
                    group=group,
                    truth=np.column_stack([1 - p, p]),
                )
                scores = {"roc_auc": 0.8, "accuracy": 0.7, "log_loss": 0.5}
                record = record_of(cell, scores, rows) | {"files": {".npz": facts(outcomes)}}
                (cells / f"{cell.name}.json").write_text(json.dumps(record, indent=1))
