"""One cell: load, view, warm up, fit, predict, score — in a process that does nothing else.

The process is a fresh one and may die at any time, so what it knows is left in a folder:
`outcome.json` and the predictions at the end, the name of the current phase all along.
"""

import contextlib
import dataclasses
import json
import math
import pickle
import pkgutil
import sys
import traceback
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cell import checks
from benchmarks.cell.clock import Clock, calibration, latency
from benchmarks.cell.warm_up import warm_up
from benchmarks.records.codes import NAMES
from tasks.base import METRICS, METRICS_OF, Data, UnknownView, floor_predictions


class Impossible(ValueError):
    """A control makes no sense for a task or view; the cell is skipped."""


class TooLarge(ValueError):
    """A model says that it cannot take so many rows or values; the cell is skipped."""


class ImpossiblePredictions(ValueError):
    """Predictions that no metric should be computed from (check ME05)."""


def main(job: Mapping[str, Any], folder: Path) -> None:
    """Run the cell that `job` describes and leave its outcome in `folder`, whatever happens.

    job: `task` and `model` (each `_target_` and settings), `seed`, `threads`, `device`, `timing`
    (see benchmarks.plan.run.Timing); `tune` (a `budget` and a `space`) if there is to be a search,
    then with `trials`, the file it keeps them in, and `stamp`, of the code that made them.
    """
    audit = job["timing"]["audit"]
    clock = Clock(on_phase=(folder / "phase").write_text, audit=audit)
    outcome: dict[str, Any] = {}
    try:
        speed = {"calibration": calibration()} if audit else {}
        job = {**job, **speed}
        outcome = {"status": "done", "reason": None, **run(job, clock, folder / "cell.npz")}
        outcome |= speed
    except (UnknownView, Impossible, TooLarge) as error:
        outcome = {"status": "skipped", "reason": str(error)}
    except ImpossiblePredictions as error:
        found = [{"code": "ME05", "text": str(error)}]
        outcome = {"status": "failed", "reason": one_line(error), "checks": found}
    except MemoryError as error:
        traceback.print_exc()
        outcome = {"status": "out_of_memory", "reason": one_line(error)}
    except Exception as error:
        traceback.print_exc()
        outcome = {"status": "failed", "reason": one_line(error)}
    outcome["phases"] = clock.phases
    part = folder / "outcome.part"
    part.write_text(json.dumps(outcome, default=plain), encoding="utf-8")
    part.replace(folder / "outcome.json")


def run(job: Mapping[str, Any], clock: Clock, predictions_file: Path) -> dict[str, Any]:
    """Do the work of a cell; return the fields of the record that only its process knows."""
    with clock.phase("import"):
        task = build(job["task"], supplied(job))
        model = build(job["model"], supplied(job))
    name, view = job.get("control"), getattr(model, "view", "features")
    control = controlled(name, task, job["seed"]) if name else None
    task = control or task
    with clock.phase("load"):
        data: Data = task.load(job["seed"])
    with clock.phase("view"):
        train, test = task.view(data, view)
    refuse_size(model, train)
    with clock.phase("warm_up"):
        settings = getattr(model, "warm_up", {})  # those that make a fit short; None: do without
        short = partial(build, {**job["model"], **(settings or {})}, supplied(job))
        cold = "not wanted" if settings is None else warm_up(short, train, data.kind, data.classes)
    tuning = None
    if "tune" in job:
        with clock.phase("tune"):
            tuning = tune(job, task, data, train)
        model = build({**job["model"], **tuning["chosen"]}, supplied(job))
    with warnings.catch_warnings(record=True) as warned, clock.phase("fit"):
        warnings.simplefilter("always")
        model.fit(train, data.train_labels)
    for warning in warned:
        print(warnings.formatwarning(**vars_of(warning)), file=sys.stderr, end="")
    with clock.phase("predict"):
        predictions = predict(model, test, data)
    check(predictions, data)

    # Scored as stored, so that a metric computed later from the file is the same number.
    predictions = predictions.astype(np.float32)
    truth = None if data.truth is None else data.truth.astype(np.float32)
    codes = codes_of(data.test_labels, data)
    save(predictions_file, predictions, truth, codes, data)
    finding = control and control.finding(data, predictions, view)
    suspicious = checks.fired(
        checks.Cell(
            data,
            predictions,
            codes,
            again=lambda rows: predict(model, rows_of(test, rows), data),
            on_train=lambda rows: (
                predict(model, rows_of(train, rows), data),
                codes_of(data.train_labels[rows], data),
            ),
            warnings=[warning.category.__name__ for warning in warned],
            unfinished=getattr(model, "unfinished_", None),
            phases=clock.phases,
            slowdown=slowdown(job),  # calibrates once more
            tuning=tuning,
            space=job.get("tune", {}).get("space", {}),
            suspicions=lambda: task.suspicions(data) if hasattr(task, "suspicions") else [],
        ),
        # A bound has no train rows of its own to predict; a control is bad on purpose.
        off={
            *job.get("checks_off", ()),
            *(NAMES if job.get("bound") else ()),
            *(NAMES.keys() - {"ME05", "ME08"} if control else ()),
        },
    )
    return {
        "kind": data.kind,
        "metric": METRICS_OF[data.kind][0],
        "scores": finite(task.score(data, predictions)),
        "ceiling": None if truth is None else finite(task.score(data, truth)),
        "floor": finite(task.score(data, floor_predictions(data).astype(np.float32))),
        "rows": {"train": len(data.train_labels), "test": len(data.test_labels)},
        "columns": train.shape[1] if hasattr(train, "shape") else None,
        "warmed_up": cold is None,
        "latency": latencies(model, test, data, clock, job["timing"]),
        "cold_start": cold_start(job, model, train, data) if job["timing"]["cold_start"] else None,
        "parameters": getattr(model, "n_parameters_", None),
        "size_bytes": pickled_size(model),
        "work": work(task, model, data, train, view, tuning),
        "notes": getattr(model, "notes_", {}) | ({} if cold is None else {"not_warmed_up": cold}),
        "tuning": tuning,
        "checks": suspicious,
        "control": finding and {"name": name, **dataclasses.asdict(finding)},
    }


def controlled(name: str, task: Any, seed: int) -> Any:
    """The task under a control (see benchmarks.cell.controls)."""
    from benchmarks.cell.controls import CONTROLS

    return CONTROLS[name](task, seed)


def vars_of(warning: warnings.WarningMessage) -> dict[str, Any]:
    names = ("message", "category", "filename", "lineno")
    return {name: getattr(warning, name) for name in names}


def codes_of(labels: np.ndarray, data: Data) -> np.ndarray:
    """Labels as codes into `classes` (int16), or the values of a regression."""
    if not data.classes:
        return labels
    codes = np.zeros(len(labels), dtype=np.int16)
    for code, name in enumerate(data.classes):
        codes[labels == name] = code
    return codes


def tune(job: Mapping[str, Any], task: Any, data: Data, train: Any) -> dict[str, Any]:
    """Search the space of the job's model on its train rows (see benchmarks.cell.tune)."""
    from benchmarks.cell.tune import TAIL, best, search  # Optuna: only cells that tune wait for it

    metric = METRICS_OF[data.kind][0]
    higher, total = METRICS[metric].higher_is_better, len(data.train_labels)
    head = max(1, min(total - 1, round(total * (1 - TAIL))))
    # What the task scores is what it always scores, only with other rows in the place of the test.
    trial_data = dataclasses.replace(
        data,
        train_labels=data.train_labels[:head],
        test_labels=data.train_labels[head:],
        truth=None,
        group=None,
        test_ids=None,
    )

    def evaluate(values: Mapping[str, Any]) -> float:
        model = build({**job["model"], **values}, supplied(job))
        model.fit(rows_of(train, slice(None, head)), trial_data.train_labels)
        predictions = predict(model, rows_of(train, slice(head, None)), trial_data)
        check(predictions, trial_data)
        return float(task.score(trial_data, predictions.astype(np.float32))[metric])

    budget, space = job["tune"]["budget"], job["tune"]["space"]
    kept = Path(job["trials"]) if "trials" in job else None
    trials = search(space, budget, evaluate, higher, job["seed"], kept, job.get("stamp", ""))
    return {
        "metric": metric,
        "rows": {"fitted": head, "scored": total - head},
        "budget": dict(budget),
        "used": {"trials": len(trials), "seconds": sum(trial["seconds"] for trial in trials)},
        "trials": trials,
        "chosen": best(trials, higher)["values"],
    }


def refuse_size(model: Any, train: Any) -> None:
    """Raise TooLarge if a model has a setting `max_rows` or `max_values` and the view has more."""
    if not hasattr(train, "shape"):
        return
    rows, values = train.shape[0], int(np.prod(train.shape))
    for limit, found in (("max_rows", rows), ("max_values", values)):
        most = getattr(model, limit, None)
        if most is not None and found > most:
            what = limit.removeprefix("max_")
            raise TooLarge(f"{found:,} {what} are more than it takes (model.{limit}={most:,})")


def rows_of(rows: Any, part: slice | np.ndarray) -> Any:
    """Some rows of a view, whatever it is made of."""
    return rows.iloc[part] if hasattr(rows, "iloc") else rows[part]


def build(config: Mapping[str, Any], extra: Mapping[str, Any] | None = None) -> Any:
    """Call the class that `_target_` names with the other items as keyword arguments.

    extra: values for fields of these names where the class has them.
    """
    target = pkgutil.resolve_name(config["_target_"])
    settings = {k: v for k, v in config.items() if k != "_target_"}
    foreign = not dataclasses.is_dataclass(target) and hasattr(target, "get_params")
    how = {"prepare": settings.pop("prepare")} if foreign and "prepare" in settings else {}
    if dataclasses.is_dataclass(target):
        names = {field.name for field in dataclasses.fields(target)}
    else:
        names = set(target().get_params()) if foreign else set()
    settings |= {k: v for k, v in (extra or {}).items() if k in names and k not in settings}
    made = target(**settings)
    if not foreign:
        return made
    from benchmarks.cell.foreign import Foreign  # only cells with such a model need it

    return Foreign(made, **how)


def refusal(configs: Sequence[Mapping[str, Any]]) -> str | None:
    """Why the first of these tasks or models cannot be used with its settings; None if all can.

    Asks for the class, the constructor, and `check()` where there is one; of the last two
    ValueError and TypeError refuse.
    """
    for config in configs:
        try:
            pkgutil.resolve_name(config["_target_"])
        except (ImportError, AttributeError) as error:
            return f"{config['_target_']} cannot be loaded: {error}"
        except Exception:  # noqa: S112 - what is wrong inside of it is the cell's to record
            continue
        # Anything else than a refusal is left to the cells that it concerns.
        with contextlib.suppress(Exception):
            try:
                made = build(config)
                if hasattr(made, "check"):
                    made.check()
            except (ValueError, TypeError) as error:
                return f"{config['_target_']}: {' '.join(str(error).split())}"
    return None


def supplied(job: Mapping[str, Any]) -> dict[str, Any]:
    """What a cell gives to a model or task that has a field for it (see settings.SUPPLIED)."""
    values = {"random_state": job["seed"], "n_jobs": job["threads"]}
    return values if job["device"] is None else {**values, "device": job["device"]}


def predict(model: Any, rows: Any, data: Data) -> np.ndarray:
    """(n, n_classes) probabilities with columns as in `data.classes`, or (n,) values."""
    if data.kind == "regression":
        return np.asarray(model.predict(rows), dtype=np.float64)
    probabilities = np.asarray(model.predict_proba(rows), dtype=np.float64)
    known = [str(name) for name in model.classes_]
    if tuple(known) == data.classes:
        return probabilities
    aligned = np.zeros((len(probabilities), len(data.classes)))
    aligned[:, [data.classes.index(name) for name in known]] = probabilities
    return aligned


def check(predictions: np.ndarray, data: Data) -> None:
    """Refuse predictions that no metric should be computed from."""
    n_test, n_classes = len(data.test_labels), len(data.classes)
    shape = (n_test, n_classes) if n_classes else (n_test,)
    if predictions.shape != shape:
        raise ValueError(f"predictions have shape {predictions.shape}, expected {shape}")
    if (impossible := checks.possible(predictions, data.classes)) is not None:
        raise ImpossiblePredictions(impossible)


def latencies(
    model: Any, test: Any, data: Data, clock: Clock, timing: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Seconds of one call by batch size, warm (see measure.latency): the batches of `timing`, and
    all test rows, whose one call is the phase `predict`. A batch larger than the test rows repeats
    them."""
    n_test, wall = len(data.test_labels), clock.phases["predict"]["wall"]
    found: dict[str, dict[str, Any]] = {}
    for size in timing["batches"]:
        batch = rows_of(test, np.arange(size) % n_test)
        found[str(size)] = latency(
            lambda batch=batch: predict(model, batch, data),  # type: ignore[misc]
            timing["calls"],
            timing["seconds"],
        )
    return {str(n_test): {"p50": wall, "p99": None, "min": wall, "calls": 1}, **found}


def cold_start(
    job: Mapping[str, Any], model: Any, train: Any, data: Data
) -> dict[str, float] | None:
    """What a new process needs before its first prediction (see benchmarks.cell.cold_start)."""
    from benchmarks.cell.cold_start import measured

    config = {**job["model"], **(getattr(model, "warm_up", None) or {})}
    return measured(config, supplied(job), train, data.kind, data.classes)


def slowdown(job: Mapping[str, Any]) -> float:
    """How many times as long a fixed piece of work took before and after as at its fastest; the
    smaller of the two, as a processor that is slow for a moment is so all the time."""
    if "calibration" not in job or job.get("fastest") is None:
        return 1.0
    after = calibration()["seconds"]
    return float(min(job["calibration"]["seconds"], after) / job["fastest"])


def work(
    task: Any, model: Any, data: Data, train: Any, view: str, tuning: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The part of the work ledger that sources do not tell (docs/work-ledger.md)."""
    made: dict[str, int | None] = {"raw_columns": None, "designed_columns": None}
    if hasattr(task, "raw_columns"):
        raw = {str(name) for name in task.raw_columns(data, view)}
        designed = [name for name in getattr(train, "columns", ()) if str(name) not in raw]
        is_general = getattr(task, "general", False)
        made = {"raw_columns": len(raw), "designed_columns": 0 if is_general else len(designed)}
    fits = getattr(model, "n_fits_", 1)
    foreign = getattr(model, "estimator", None)
    knobs = {} if foreign is None else {"knobs": len(foreign.get_params(deep=False))}
    return {
        **made,
        "fits": fits * (1 + (tuning["used"]["trials"] if tuning else 0)),
        "labels": len(data.train_labels),
        "tokens": getattr(model, "n_tokens_", None),
        **knobs,
    }


def pickled_size(model: Any) -> int | None:
    """Bytes of the model as Python would store it; None where it cannot be stored so."""
    try:
        return len(pickle.dumps(model, protocol=5))
    except Exception:  # any class may refuse in its own way; the size is then simply unknown
        return None


def save(
    file: Path, predictions: np.ndarray, truth: np.ndarray | None, codes: np.ndarray, data: Data
) -> None:
    """Keep raw outcomes: predictions, labels (codes into `classes`, or values), and what else the
    task knows of the test rows."""
    arrays: dict[str, np.ndarray] = {"predictions": predictions}
    if data.classes:
        arrays["classes"] = np.array(data.classes, dtype=str)
    arrays["labels"] = codes
    if truth is not None:
        arrays["truth"] = truth
    if data.group is not None:
        arrays["group"] = data.group
    if data.test_ids is not None:
        arrays["ids"] = data.test_ids
    np.savez_compressed(file, allow_pickle=False, **arrays)


def finite(scores: Mapping[str, float]) -> dict[str, float | None]:
    """JSON has no NaN; a metric that does not exist for these rows is null."""
    return {k: float(v) if math.isfinite(v) else None for k, v in scores.items()}


def plain(value: Any) -> Any:
    """What a model notes may be a NumPy number or anything else; JSON gets a number or a text."""
    return value.item() if hasattr(value, "item") else str(value)


def one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:300] if text else type(error).__name__
