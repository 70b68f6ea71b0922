"""Tuning inside a cell: the same budget for every model, and nothing but train rows.

Train rows come in the task's own order (by time, where there is time), so the last ones are to
the others what the test rows are to all of them: trials are fitted on the head and scored on the
tail by the task's main metric. The first trial is the model as it stands, so that a search that
finds nothing better changes nothing. Optuna's TPE (Bergstra et al. 2011) proposes the others.
"""

import dataclasses
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from benchmarks.cell import rows as of_rows
from benchmarks.cell.answers import predict, refuse_impossible, stored
from benchmarks.cell.build import build, supplied
from benchmarks.cell.scores import scores
from tasks.base import Data
from tasks.metrics import Metric

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
    trials = read(kept, stamp) if kept else []
    study = optuna.create_study(
        direction="maximize" if higher_is_better else "minimize",
        # A search that goes on must not repeat the draws that it began with.
        sampler=optuna.samplers.TPESampler(seed=(seed + len(trials)) % 2**32),
    )
    distributions = {name: distribution(declared) for name, declared in space.items()}

    def tell(trial: Trial) -> None:
        if trial["values"] and trial["score"] is not None:
            study.add_trial(
                optuna.create_trial(
                    params=trial["values"], distributions=distributions, value=trial["score"]
                )
            )

    for trial in trials:
        tell(trial)
    while not _is_used_up(budget, trials):
        values = study.ask(distributions).params if trials else {}
        started = time.perf_counter()
        trial = {"values": values, "score": None}
        try:
            trial["score"] = float(evaluate(values))
        except Exception as error:
            trial["reason"] = f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
        trial["seconds"] = time.perf_counter() - started
        trials.append(trial)
        tell(trial)
        if kept:
            with kept.open("a", encoding="utf-8") as file:
                if file.tell() == 0:
                    print(json.dumps({"stamp": stamp}), file=file)
                print(json.dumps(trial), file=file)
    return trials


def _is_used_up(budget: Mapping[str, float], trials: list[Trial]) -> bool:
    if "trials" in budget:
        return len(trials) >= budget["trials"]
    return bool(trials) and sum(trial["seconds"] for trial in trials) >= budget["seconds"]


def read(kept: Path, stamp: str) -> list[Trial]:
    """The trials of a file, without a last line that was cut off; a file of another stamp is
    begun anew."""
    whole: list[Any] = []
    text = kept.read_text(encoding="utf-8") if kept.exists() else ""
    for line in text.splitlines(keepends=True):
        if not line.endswith("\n"):
            break
        whole.append(json.loads(line))
    if not whole or whole[0] != {"stamp": stamp}:
        kept.unlink(missing_ok=True)
        return []
    if not text.endswith("\n"):  # what is added next must begin a line of its own
        kept.write_text("".join(json.dumps(line) + "\n" for line in whole), encoding="utf-8")
    return whole[1:]


def best(trials: list[Trial], higher_is_better: bool) -> Trial:
    """The best trial, the earlier one of two alike. Raises ValueError if all failed."""
    scored = [trial for trial in trials if trial["score"] is not None]
    if not scored:
        raise ValueError(f"all {len(trials)} trials failed, the first: {trials[0]['reason']}")
    return (max if higher_is_better else min)(scored, key=lambda trial: trial["score"])


def tune(
    job: Mapping[str, Any], task: Any, data: Data, train: Any, metric: Metric
) -> dict[str, Any]:
    """Search the space of the job's model on its train rows; the record's `tuning`."""
    total = len(data.train_labels)
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
        model.fit(of_rows.take(train, slice(None, head)), data.told(trial_data.train_labels))
        answers = predict(model, of_rows.take(train, slice(head, None)), trial_data)
        refuse_impossible(answers, trial_data)
        return scores(task, trial_data, [metric], stored(answers), only=metric.name)[metric.name]

    budget, space = job["tune"]["budget"], job["tune"]["space"]
    kept = Path(job["trials"]) if "trials" in job else None
    higher = metric.higher_is_better
    trials = search(space, budget, evaluate, higher, job["seed"], kept, job.get("stamp", ""))
    return {
        "metric": metric.name,
        "rows": {"fitted": head, "scored": total - head},
        "budget": dict(budget),
        "used": {"trials": len(trials), "seconds": sum(trial["seconds"] for trial in trials)},
        "trials": trials,
        "chosen": best(trials, higher)["values"],
    }
