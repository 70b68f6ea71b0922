"""From what cells took on a hundred tables (measure.py): benchmarks/records/forecast.json, and how
often the contract holds for tables that it does not know.

    python -m benchmarks.suites.forecasts.fit [FOLDER ...]

Says it twice: of each table as forecast from all others, and of other machines' records of the same
tables, whose folders are given.
"""

import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import least_squares

from benchmarks.records import forecast
from benchmarks.records.forecast import KNOWN, OVER, UNDER, Forecaster
from benchmarks.records.records import Record, Run
from benchmarks.suites.forecasts.measure import RESULTS

FOLDS = 20
WHAT = ("seconds", "megabytes")


def read(results: Path) -> dict[str, list[Record]]:
    """Records by table, those without a clock to be believed left out."""
    found = {}
    for folder in sorted(results.iterdir()):
        records = Run(folder).glance()
        found[folder.name] = [r for r in records if r["status"] == "done" and not disturbed(r)]
    return found


def disturbed(record: Record) -> bool:
    return any(check["code"] == "ME08" for check in record["checks"])


def taken(record: Record) -> tuple[float, float]:
    """(seconds, MB) of a cell without the making of its rows."""
    memory = forecast.memory_of(record)
    assert memory is not None
    return record["seconds"] - made(record), memory / 1e6


def made(record: Record) -> float:
    return float(record["phases"].get("make", {"wall": 0.0})["wall"])


def factors(records: Sequence[Record]) -> dict[str, list[float]]:
    """By what is forecast: least squares of the logarithm, no factor below zero."""
    sizes = [size for record in records if (size := forecast.size_of(record)) is not None]
    design = np.array([forecast.terms(size) for size in sizes])
    scale = design.max(axis=0)
    there = scale > 0
    X = design[:, there] / scale[there]
    found = {}
    for name, y in zip(WHAT, zip(*map(taken, records), strict=True), strict=True):
        target = np.log(y)

        def miss(logs: np.ndarray, target: np.ndarray = target) -> Any:
            return np.log(X @ np.exp(logs)) - target

        def slope(logs: np.ndarray) -> Any:
            return X * np.exp(logs) / (X @ np.exp(logs))[:, None]

        begin = np.full(X.shape[1], np.log(np.median(y) / X.shape[1]))
        solved = least_squares(
            miss, begin, jac=slope, loss="soft_l1", f_scale=0.3, bounds=(-14, 14)
        )
        whole = np.zeros(len(scale))
        whole[there] = np.exp(solved.x) / scale[there]
        found[name] = [float(f"{factor:.4g}") for factor in whole]
    return found


def fastest(table: Sequence[Record]) -> float:
    """Seconds of the calibration at its best, as a command has it."""
    return min(float(record["calibration"]["seconds"]) for record in table)


def fitted(tables: Sequence[Sequence[Record]]) -> dict[str, Any]:
    """What forecast.json holds."""
    records = [record for table in tables for record in table]
    by_model = defaultdict(list)
    for record in records:
        by_model[record["model"]].append(record)
    return {
        "calibration": float(f"{statistics.median(map(fastest, tables)):.4g}"),
        "machine": records[0]["machine"]["processor"],
        "threads": records[0]["config"]["threads"],
        "measured": max(record["started"] for record in records)[:10],
        "models": {model: factors(of_model) for model, of_model in sorted(by_model.items())},
    }


def kept(forecaster: Forecaster, table: Sequence[Record]) -> list[tuple[str, float, float]]:
    """(model, forecast over true seconds, the same of memory) of the cells of one table."""
    forecaster.calibrated(fastest(table))
    found = []
    for record in table:
        size = forecast.size_of(record)
        assert size is not None
        said = forecaster.forecast(forecast.kind_of(record), size)
        seconds, megabytes = taken(record)
        found.append((record["model"], said.seconds / seconds, said.memory / 1e6 / megabytes))
    return found


def in_turn(
    known: dict[str, Any], tables: Mapping[str, Sequence[Record]]
) -> list[tuple[str, float, float]]:
    """As `kept`, by one who learns from each table."""
    forecaster, found = Forecaster(known=known), []
    for name in np.random.default_rng(0).permutation(sorted(tables)):
        found += kept(forecaster, tables[name])
        for record in tables[name]:
            forecaster.learn(record)
    return found


def told(title: str, found: Sequence[tuple[str, float, float]]) -> None:
    """The share that holds, of each model and of all."""
    print(f"\n{title}\n{'':15}cells  seconds  under  over  memory  under  over")
    for model in [*sorted({name for name, *_ in found}), ""]:
        of_model = [ratios for name, *ratios in found if model in ("", name)]
        line = f"{model or 'all':15}{len(of_model):5}"
        for k in range(2):
            ratios = [ratio[k] for ratio in of_model]
            under = sum(r < UNDER for r in ratios) / len(ratios)
            over = sum(r > OVER for r in ratios) / len(ratios)
            line += f"{1 - under - over:9.0%}{under:7.0%}{over:6.0%}"
        print(line)


def main(others: Sequence[str]) -> None:
    tables = read(RESULTS)
    names = np.random.default_rng(0).permutation(sorted(tables))
    found = []
    for fold in np.array_split(names, FOLDS):
        known = fitted([tables[name] for name in names if name not in fold])
        for name in fold:
            found += kept(Forecaster(known=known), tables[name])
    told(f"{len(names)} tables, each forecast from the others", found)
    known = fitted(list(tables.values()))
    KNOWN.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    for folder in others:
        elsewhere = read(Path(folder))
        cells = [r for table in elsewhere.values() for r in kept(Forecaster(known=known), table)]
        told(f"{folder}: {len(elsewhere)} tables of another machine", cells)
        told(
            "the same, each after the tables before it were learned from", in_turn(known, elsewhere)
        )


if __name__ == "__main__":
    main(sys.argv[1:])
