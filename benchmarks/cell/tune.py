"""Tuning inside a cell: the same budget for every model, and nothing but train rows.

Train rows come in order of time, or dealt out where there is none, so the last ones are to the
others what the test rows are to all of them: trials are fitted on the head and scored on the
tail by the task's main metric. The first trial is the model as it stands, so that a search that
finds nothing better changes nothing. Optuna's TPE (Bergstra et al. 2011) proposes the others.
"""

import contextlib
import dataclasses
import json
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from benchmarks.cell import rows as of_rows
from benchmarks.cell.answers import predict, refuse_impossible
from benchmarks.cell.build import build, supplied
from benchmarks.cell.fields import LARGEST, one_line
from benchmarks.cell.scores import scores, stored
from benchmarks.records import files
from benchmarks.records.files import leaving
from benchmarks.records.values import plain_data
from tasks.base import Data
from tasks.metrics import Metric

MOST = 2**28  # bytes of the trials of a search
TAIL = 0.2  # share of the train rows that trials are scored on
Trial = dict[str, Any]
"""`values`, `score` (None if it failed, then with a `reason`) and `seconds`."""


def distribution(declared: Mapping[str, Any]) -> BaseDistribution:
    """Optuna's form of one entry of a `space:`."""
    if "choices" in declared:
        return CategoricalDistribution(declared["choices"])
    whole = isinstance(declared["low"], int) and isinstance(declared["high"], int)
    return (IntDistribution if whole else FloatDistribution)(**declared)


def search(
    space: Mapping[str, Mapping[str, Any]],
    budget: Mapping[str, float],
    evaluate: Callable[[Mapping[str, Any]], float],
    higher_is_better: bool,
    seed: int,
    kept: Path | None = None,
    stamp: str = "",
) -> list[Trial]:
    """Try values until the budget (`trials` or `seconds`) is used up; return all trials.

    evaluate: the score of some settings; what it raises makes a failed trial. kept: a file that
    gets a line for each trial as it ends, and from which an interrupted search goes on; one that
    was written under another stamp (other code) is not used.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    distributions = {name: distribution(declared) for name, declared in space.items()}
    trials: list[Trial] = []
    before = read(kept, stamp) if kept else []
    study = optuna.create_study(
        direction="maximize" if higher_is_better else "minimize",
        sampler=optuna.samplers.TPESampler(seed=seed % 2**32),
    )

    def tell(trial: Trial) -> None:
        if trial["values"] and trial["score"] is not None:
            study.add_trial(
                optuna.create_trial(
                    params=trial["values"], distributions=distributions, value=trial["score"]
                )
            )

    while not _is_used_up(budget, trials):
        # What was tried before is asked for again: the sampler then stands where it stood, and the
        # next draw is the one that an uninterrupted search would have made.
        values = study.ask(distributions).params if trials else {}
        told = before[len(trials)] if len(trials) < len(before) else None
        if told is not None and told["values"] == plain_data(values):
            trial = told
        else:
            if told is not None and kept:  # of another Optuna, or damaged: from here on it is anew
                before = before[: len(trials)]
                files.write(kept, _lines([{"stamp": stamp}, *before]))
            trial = _tried(evaluate, values)
            if kept:
                _keep(kept, trial, stamp)
        trials.append(trial)
        tell(trial)
    return trials


def _tried(evaluate: Callable[[Mapping[str, Any]], float], values: dict[str, Any]) -> Trial:
    started = time.perf_counter()
    trial: Trial = {"values": values, "score": None}
    try:
        score = float(evaluate(values))
        if not abs(score) <= LARGEST:
            raise ValueError(f"the score is {score}")
        trial["score"] = score
    except Exception as error:
        trial["reason"] = one_line(error)
    return trial | {"seconds": time.perf_counter() - started}


def _keep(kept: Path, trial: Trial, stamp: str) -> None:
    with leaving(), kept.open("a", encoding="utf-8") as file:
        if file.tell() == 0:
            print(json.dumps({"stamp": stamp}), file=file)
        print(json.dumps(plain_data(trial)), file=file)


def _is_used_up(budget: Mapping[str, float], trials: list[Trial]) -> bool:
    if "trials" in budget:
        return len(trials) >= budget["trials"]
    return bool(trials) and sum(trial["seconds"] for trial in trials) >= budget["seconds"]


def read(kept: Path, stamp: str) -> list[Trial]:
    """The trials of a file up to the first line that is damaged or was cut off; a file of another
    stamp is begun anew."""
    whole: list[Any] = []
    text = ""
    with contextlib.suppress(FileNotFoundError, ValueError, RecursionError):
        text = files.content(kept, MOST).decode("utf-8")
        for line in text.splitlines(keepends=True):
            found = json.loads(line) if line.endswith("\n") else None
            if whole and not _is_trial(found):
                break
            whole.append(found)
    if not whole or whole[0] != {"stamp": stamp}:
        kept.unlink(missing_ok=True)
        return []
    if _lines(whole) != text:  # what is added next must begin a line of its own
        files.write(kept, _lines(whole))
    return whole[1:]


def _lines(whole: list[Any]) -> str:
    return "".join(json.dumps(line) + "\n" for line in whole)


def _is_trial(found: Any) -> bool:
    return (
        isinstance(found, dict)
        and isinstance(found.get("values"), dict)
        and isinstance(found.get("seconds"), float | int)
        and 0 <= found["seconds"] <= LARGEST
        and (
            isinstance(found.get("reason"), str)
            if found.get("score") is None
            else isinstance(found["score"], float | int) and abs(found["score"]) <= LARGEST
        )
    )


def best(trials: list[Trial], higher_is_better: bool) -> Trial:
    """The best trial, the earlier one of two alike. Raises ValueError if all failed."""
    scored = [trial for trial in trials if trial["score"] is not None]
    if not scored:
        raise ValueError(f"all {len(trials)} trials failed, the first: {trials[0]['reason']}")
    return (max if higher_is_better else min)(scored, key=lambda trial: trial["score"])


def head_of(data: Data) -> int:
    """How many train rows trials are fitted on: all but the last fifth, or fewer where a class
    would have no row to be scored on; but never less than half."""
    total = len(data.train_labels)
    head = round(total * (1 - TAIL))
    if data.classes:
        _, since_last = np.unique(data.train_labels[::-1], return_index=True)
        head = min(head, max(total // 2, total - 1 - int(since_last.max())))
    return max(1, min(total - 1, head))


def tune(
    job: Mapping[str, Any], task: Any, data: Data, train: Any, metric: Metric
) -> dict[str, Any]:
    """Search the space of the job's model on its train rows; the record's `tuning`."""
    total, head = len(data.train_labels), head_of(data)
    # What the task scores is what it always scores, only with other rows in the place of the test.
    trial_data = dataclasses.replace(
        data,
        train_labels=data.train_labels[:head],
        test_labels=data.train_labels[head:],
        truth=None,
        group=None,
        test_ids=None,
    )

    judge = metric.whole or metric  # there are no test rows here, nor a half of them

    def evaluate(values: Mapping[str, Any]) -> float:
        model = build({**job["model"], **values}, supplied(job))
        model.fit(of_rows.take(train, slice(None, head)), data.told(trial_data.train_labels))
        answers = predict(model, of_rows.take(train, slice(head, None)), trial_data)
        refuse_impossible(answers, trial_data)
        score = scores(task, trial_data, [judge], stored(answers), only=judge.name)[judge.name]
        if not math.isfinite(score):
            raise ValueError(
                f"{judge.label} is not defined on the {total - head:,} last train rows"
            )
        return score

    budget, space = job["tune"]["budget"], job["tune"]["space"]
    kept = Path(job["trials"]) if "trials" in job else None
    higher = metric.higher_is_better
    trials = search(space, budget, evaluate, higher, job["seed"], kept, job.get("stamp", ""))
    return {
        "metric": metric.name,
        "judged_by": judge.label,
        "rows": {"fitted": head, "scored": total - head},
        "budget": dict(budget),
        "used": {"trials": len(trials), "seconds": sum(trial["seconds"] for trial in trials)},
        "trials": trials,
        "chosen": best(trials, higher)["values"],
    }
