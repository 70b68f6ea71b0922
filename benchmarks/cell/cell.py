"""One cell: prepare, warm up, fit, predict, score — in a process that does nothing else.

The process is a fresh one and may die at any time, so what it knows is left in a folder:
`outcome.json` and the raw answers at the end, the name of the current phase all along.
"""

import contextlib
import dataclasses
import json
import math
import sys
import traceback
import warnings
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cell import artifacts, checks, given
from benchmarks.cell import rows as of_rows
from benchmarks.cell.answers import (
    Asked,
    ImpossiblePredictions,
    OtherAnswers,
    refuse_impossible,
    refuse_others,
    save,
)
from benchmarks.cell.build import build, check, on_build, supplied, within
from benchmarks.cell.clock import Clock, calibration
from benchmarks.cell.controls import Impossible
from benchmarks.cell.drivers import drivers
from benchmarks.cell.extras import advice
from benchmarks.cell.fields import (
    Spent,
    Tokens,
    columns_of,
    curves,
    judged_fields,
    noted,
    one_line,
    size_of,
    whole,
    work,
)
from benchmarks.cell.meter import Meter
from benchmarks.cell.prepared import FewRows, Prepared, prepare, shared, task_of, with_fewer
from benchmarks.cell.protocols import offered
from benchmarks.cell.represented import represented
from benchmarks.cell.scores import (
    UnknownMetric,
    metrics_of,
    own_influences,
    scored_on,
    stored,
)
from benchmarks.cell.size import stored_bytes
from benchmarks.cell.subset import Subset
from benchmarks.cell.timing import cold_start, latencies, slowdown
from benchmarks.cell.warm_up import warm_up
from benchmarks.records.codes import NAMES
from benchmarks.records.files import Unwritable, leaving
from benchmarks.records.values import plain_data
from tasks.base import Data, UnknownView
from tasks.metrics import Metric
from tasks.pieces import Pieces

CHECK_SECONDS = 10.0  # that a model's answers to checks may take
FEWEST_CHECKED = 24  # rows all the same
SIZE = "size.json"  # of the rows, once the cell has them (benchmarks/runner/watch.py)


class Missing(LookupError):
    """Something that a model needs is not here, such as its weights; the cell is skipped."""


class TooLarge(ValueError):
    """A model says that it cannot take so many rows or values; the cell is skipped."""


def main(job: Mapping[str, Any], folder: Path) -> None:
    """Run the cell that `job` describes and leave its outcome in `folder`, whatever happens.

    job: `task` and `model` (each `_target_` and settings), `seed`, `threads`, `device`, `timing`
    (see benchmarks.plan.config.Timing); and where it is wanted
    - `tune` (a `budget` and a `space`), then with `trials`, the file that the search keeps its
      trials in, and `stamp`, of the code that made them;
    - `metric`, the name of the one that comes first; `control`, a name (cell/controls.py);
    - `prepared`, where rows of the `view` are kept for all models of a seed (cell/prepared.py);
    - `check`, of what the settings were not checked before;
    - `folders`, for `checkpoints` and for files that stay (`artifacts`), with `most_bytes`;
    - `checks_off` and `check_rows`, codes left out and rows that checks may ask the model for;
    - `limits`, of which `tokens` and `money` concern what a model tells of itself;
    - `explain`: `seconds` that may be spent on what drives the answers, and how many `rows` of the
      test rows are kept.
    """
    for stream in (sys.stdout, sys.stderr):  # a log takes any character, and has it before a kill
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]
    audit = job["timing"]["audit"]

    def on_phase(name: str) -> None:
        with leaving():
            (folder / "phase").write_text(name)
            (folder / "phases").write_text(json.dumps(clock.phases))

    clock = Clock(on_phase=on_phase, audit=audit)
    outcome: dict[str, Any] = {}
    limits = job.get("limits", {})
    if any(limits.get(name) is not None for name in ("tokens", "money")):
        meter = Meter(folder)
        on_build.append(meter.add)
        meter.start()
    job = {**job, "model": within(job["model"], limits.get("money"))}
    try:
        speed = {"calibration": calibration()} if audit else {}
        outcome = {
            "status": "done",
            "reason": None,
            **run({**job, **speed}, clock, folder),
            **speed,
        }
    except (UnknownView, Impossible, of_rows.Unjoinable, TooLarge, FewRows, Missing) as error:
        outcome = {"status": "skipped", "reason": str(error)}
    except OtherAnswers as error:
        outcome = {"status": "skipped", "reason": str(error), "unasked": True}
    except UnknownMetric as error:
        outcome = {"status": "failed", "reason": str(error)}
    except ImpossiblePredictions as error:
        fired = [{"code": "ME05", "text": str(error)}]
        outcome = {"status": "failed", "reason": one_line(error), "checks": fired}
    except Unwritable as error:
        outcome = {"status": "failed", "reason": str(error), "unwritable": str(error)}
    except BaseException as error:  # sys.exit and the like are no ending of a process either
        traceback.print_exc()
        status = "out_of_memory" if is_out_of_memory(error) else "failed"
        outcome = {"status": status, "reason": one_line(error)}
        if getattr(error, "bad_input", False) is True:
            outcome["bad_input"] = True
    try:
        outcome = plain_data({**outcome, "phases": clock.phases})
    except Exception as error:  # what a model or a task brought is too much, or breaks when touched
        outcome = {"status": "failed", "reason": one_line(error), "phases": clock.phases}
    tell(folder / "outcome.json", outcome)


def run(job: Mapping[str, Any], clock: Clock, folder: Path) -> dict[str, Any]:
    """Do the work of a cell; return the fields of the record that only its process knows."""
    kept = shared(job, clock)
    with clock.phase("import"):
        task = task_of(job)
        model = built(job)
        for part, made_of in (("task", task), ("model", model)):
            if part in job.get("check", ()):
                check(made_of)
    view = offered(model, "view")
    made = with_fewer(prepare(job, task, clock, view, kept), task, job)
    metrics = metrics_of(task, made.data, job.get("metric"))
    subset = Subset.of(task, model, made.data)
    made, metrics = subset.asked(made, metrics)
    data, train, test = made.data, made.train, made.test
    refuse_others(model, data, job.get("name") or type(model).__name__)
    refuse_size(model, train)
    size = size_of(train, data)
    making = making_of(clock, made.origin)
    tell(folder / SIZE, {"train": len(data.train_labels), **size, "making": making})
    fetched(model, clock)
    cold = warmed(job, model, made, clock)
    tuning = None
    seen = represented(job, model, train, test, clock)
    if "tune" in job:
        with clock.phase("tune"):
            from benchmarks.cell.tune import tune  # Optuna: only cells that tune wait for it

            tuning = tune(job, task, data, seen.train, metrics[0])
        model = build({**job["model"], **tuning["chosen"]}, supplied(job, folders=True))
    before = Tokens.of(model)
    warned = fit(model, seen.train, data, clock)
    learned = Tokens.of(model)
    asked = Asked(model, data)
    stated = {name: getattr(model, name) for name in offered(model, "stated")}
    with clock.phase("predict"):
        answers = asked(seen.test, "predict")
    spent = Spent(
        learned.since(before).plus(seen.tokens.get("fit", 0)),
        Tokens.of(model).since(learned).plus(seen.tokens.get("predict", 0)),
    )
    seen.charge(clock)
    refuse_impossible(answers, data)
    answers = stored(answers)
    with clock.phase("save"):
        truth = None if data.truth is None else stored(data.truth)
        influences = own_influences(data, metrics, answers)
        influences |= subset.influences(data, metrics, answers)
        with leaving():
            save(folder, answers, truth, data, influences)
        stored_size = None if stated else stored_bytes(model)
    with clock.phase("latency"):
        timed = latencies(asked, test, clock, job["timing"])
        cold_started = cold_start(job, model, train, data) if job["timing"]["cold_start"] else None
    with clock.phase("checks"):
        scored = scored_on(task, data, metrics, answers)
        beside = subset.fields(task, data, metrics, answers)
        control = control_of(job, task, data, answers, made.facts["view"])
        evidence = evidence_of(
            job, asked, seen.within(made), answers, metrics[0], clock, tuning, warned
        )
        suspicious = checks.fired(evidence, codes_off(job, control, bool(stated)))
    with clock.phase("explain"):
        driven = driven_by(job, asked, seen.within(made), answers, metrics[0], clock)
        with leaving():
            given.keep(folder, made.test, job.get("explain", {}).get("rows", 0))
    return {
        **judged_fields(data, scored),
        "subset": beside,
        "view": made.facts["view"],
        "rows": subset.rows(data),
        "columns": columns_of(train),
        "levels": size["levels"],
        "outputs": size["outputs"],
        "notices": list(made.facts["notices"]),
        **({"stated": stated} if stated else {}),
        "prepared": {"origin": made.origin, **({"why": made.why} if made.why else {})}
        | ({"represented": seen.said} if seen.said else {}),
        "warmed_up": cold is None,
        "latency": timed,
        "cold_start": cold_started,
        "asked": asked.rows,
        "parameters": whole(offered(model, "n_parameters_")),
        "size_bytes": stored_size,
        "work": work(made, model, tuning, spent),
        "notes": noted(offered(model, "notes_"))
        | ({} if cold is None else {"not_warmed_up": cold}),
        "history": curves(offered(model, "history_")),
        "artifacts": artifacts.kept(job.get("folders"), job.get("most_bytes", math.inf)),
        "files": artifacts.checksums(job.get("folders")),
        "tuning": tuning,
        "checks": suspicious,
        "control": control,
        **({"drivers": driven} if driven else {}),
    }


def making_of(clock: Clock, origin: str) -> float:
    """Seconds that the cell has spent on making its rows, or on waiting for them."""
    names = {"own": ("load", "view", "facts"), "made": ("make",)}.get(origin, ())
    return sum(clock.phases[name]["wall"] for name in names if name in clock.phases)


def tell(file: Path, what: Any) -> None:
    """Whoever watches the cell may read it at any moment."""
    part = file.with_suffix(".part")
    with leaving():
        part.write_text(json.dumps(what), encoding="utf-8")
        part.replace(file)


def built(job: Mapping[str, Any]) -> Any:
    """The model. Raises Missing for a package of an extra that is not installed."""
    try:
        return build(job["model"], supplied(job, folders=True))
    except ModuleNotFoundError as error:
        if (said := advice(error)) is None:
            raise
        raise Missing(said) from None


def fetched(model: Any, clock: Clock) -> None:
    """See that what the model needs is here. Raises Missing."""
    if offered(model, "fetch") is None:
        return
    with clock.phase("fetch"):
        try:
            model.fetch()
        except LookupError as error:
            raise Missing(str(error)) from None


def is_out_of_memory(error: BaseException) -> bool:
    """Of the machine, or of a device: torch says so by errors of its own, which are known by their
    names, as torch is not loaded for a model that does without. A device so full that nothing can
    begin there has the error of all that goes wrong on one."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if "AcceleratorError" in names:
        return "out of memory" in str(error)
    return bool(names & {"MemoryError", "OutOfMemoryError"})


def warmed(job: Mapping[str, Any], model: Any, made: Prepared, clock: Clock) -> str | None:
    """Make first calls on made-up rows; None if that went well, else why not."""
    settings = offered(model, "warm_up")
    with clock.phase("warm_up"):
        if settings is None:
            return "not wanted"
        short = partial(build, {**job["model"], **settings}, supplied(job))
        return warm_up(short, made.train, made.data)


def fit(model: Any, train: Any, data: Data, clock: Clock) -> list[str]:
    """Fit; return the kinds of the warnings that came."""
    labels = data.told(data.train_labels)
    with warnings.catch_warnings(record=True) as warned, clock.phase("fit"):
        warnings.simplefilter("always")
        model.fit(train, labels)
    for warning in warned:
        line = warnings.formatwarning(
            warning.message, warning.category, warning.filename, warning.lineno
        )
        print(line, file=sys.stderr, end="")
    return [warning.category.__name__ for warning in warned]


def evidence_of(
    job: Mapping[str, Any],
    asked: Asked,
    made: Prepared,
    answers: Any,
    metric: Metric,
    clock: Clock,
    tuning: Mapping[str, Any] | None,
    warned: list[str],
) -> checks.Evidence:
    """What checks look at."""
    return checks.Evidence(
        made.data,
        answers,
        metric,
        again=lambda places: asked(of_rows.take(made.test, places), "checks"),
        on_train=lambda places: (
            stored(asked(of_rows.take(made.train, places), "checks")),
            of_rows.take(made.data.train_labels, places),
        ),
        budget=affordable(job.get("check_rows", checks.ROWS), made, clock),
        warnings=warned,
        unfinished=offered(asked.model, "unfinished_"),
        phases=clock.phases,
        slowdown=slowdown(job),  # calibrates once more
        tuning=tuning,
        space=job.get("tune", {}).get("space", {}),
        suspicions=list(made.facts["suspicions"]),
    )


def affordable(rows: int, made: Prepared, clock: Clock) -> int:
    """Of the rows that checks may ask for, as many as are answered in CHECK_SECONDS at the pace of
    the test rows, but a few."""
    each = clock.phases["predict"]["wall"] / len(made.data.test_labels)
    return min(rows, max(FEWEST_CHECKED, int(CHECK_SECONDS / max(each, 1e-9))))


def codes_off(job: Mapping[str, Any], control: Any, stated: bool) -> set[str]:
    """Codes of checks that make no sense here: a bound has no train rows of its own to predict, nor
    has what was made elsewhere, and no clock; a control is bad on purpose."""
    return {
        *(("ME03", "ME08") if stated else ()),
        *job.get("checks_off", ()),
        *(NAMES if job.get("bound") else ()),
        *(NAMES.keys() - {"ME05", "ME08"} if control else ()),
    }


def driven_by(
    job: Mapping[str, Any],
    asked: Asked,
    made: Prepared,
    answers: Any,
    metric: Metric,
    clock: Clock,
) -> dict[str, Any] | None:
    """What drives the answers (cell/drivers.py); None where nobody wants to know. Whatever a model
    makes of such rows, its cell is done."""
    seconds = job.get("explain", {}).get("seconds", 0)
    if not seconds or job.get("control") or job.get("bound") or offered(asked.model, "stated"):
        return None
    each = clock.phases["predict"]["wall"] / len(made.data.test_labels)
    try:
        return drivers(asked, made.test, answers, metric, seconds, each)
    except Exception as error:
        return {"why": one_line(error)}


def control_of(
    job: Mapping[str, Any], task: Any, data: Data, answers: Any, view: str
) -> dict[str, Any] | None:
    """What a control finds; None where there is none."""
    if not job.get("control"):
        return None
    return {"name": job["control"], **dataclasses.asdict(task.finding(data, answers, view))}


def refuse_size(model: Any, train: Any) -> None:
    """Raise TooLarge if a model has a setting `max_rows` or `max_values` and the view has more, or
    wants in memory what lies on disk."""
    shape = of_rows.shape(train)
    if isinstance(train, Pieces) and not offered(model, "pieces"):
        size = 8 * shape[0] * shape[1] / 1e6
        raise TooLarge(
            f"it reads its rows as a whole, and these lie on disk: {shape[0]:,} of {shape[1]} "
            f"columns, {size:,.0f} MB (task.whole=true reads them into memory)"
        )
    for limit, there in (("max_rows", shape[0]), ("max_values", int(np.prod(shape)))):
        most = offered(model, limit)
        if isinstance(train, Pieces) and limit == "max_values":
            continue  # that is a matter of memory
        if most is not None and there > most:
            what = limit.removeprefix("max_")
            raise TooLarge(f"{there:,} {what} are more than it takes (model.{limit}={most:,})")
