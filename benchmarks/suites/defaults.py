"""Are the defaults good? Each against a search over its own space, on `notifications`.

    python -m benchmarks.suites.defaults              all models; rewrites docs/defaults.md
    python -m benchmarks.suites.defaults svm          only prints

50 trials (Optuna's TPE) are fitted on the first 80 % of the first seed's train rows and scored on
the last 20 %; the best one and the default are then fitted on all train rows of three seeds and
compared on their test rows, which no trial ever sees. Prints tables, writes docs/defaults.md.
"""

import datetime
import importlib
import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from sklearn.metrics import roc_auc_score

from benchmarks.cell import tune, views
from tasks.base import Data
from tasks.notifications import Notifications

ROOT = Path(__file__).parents[2]
TRIALS = 51  # the default, and 50
THREADS = os.cpu_count() or 1
# Seeds 0 to 2 served to choose the defaults and 100 to 102 to check them; XGBoost was 0.0059
# behind there and was changed. 200 to 202 served to choose the SVM's kernel widths, 400 to 402 to
# make all models faster, 300 to 302 to check that: the SVM was 0.0061 behind and was changed. So
# these are fresh; whoever changes a default after looking at them takes the next ones.
SEEDS = (303, 304, 305)
ALLOWED = 0.005  # of ROC AUC: how far below its search a default may be


def make(conf: dict[str, Any], settings: Mapping[str, Any], seed: int) -> Any:
    module, name = conf["_target_"].rsplit(".", 1)
    model = getattr(importlib.import_module(module), name)
    supplied = {"random_state": seed, "n_jobs": THREADS}
    known = {key: value for key, value in supplied.items() if key in model.__dataclass_fields__}
    return model(**known | dict(settings))


def auc(model: Any, X_train: Any, y_train: np.ndarray, X_test: Any, y_test: np.ndarray) -> float:
    probabilities = model.fit(X_train, y_train).predict_proba(X_test)
    return float(roc_auc_score(y_test == model.classes_[1], probabilities[:, 1]))


def found_by_search(conf: dict[str, Any], data: Data, seed: int) -> dict[str, Any]:
    """-> the settings that rank the last 20 % of the train rows best."""
    train, _ = views.make(Notifications(), data, "features")
    labels = data.told(data.train_labels)
    cut = round((1 - tune.TAIL) * len(train))

    def evaluate(values: Mapping[str, Any]) -> float:
        model = make(conf, values, seed)
        return auc(model, train[:cut], labels[:cut], train[cut:], labels[cut:])

    trials = tune.search(conf["space"], {"trials": TRIALS}, evaluate, True, seed)
    return dict(tune.best(trials[1:], True)["values"])  # the first is the default itself


def auc_on_test(conf: dict[str, Any], settings: dict[str, Any], draws: dict[int, Data]) -> float:
    """-> ROC AUC on the test rows, mean of the seeds."""
    found = []
    for seed, data in draws.items():
        train, test = views.make(Notifications(), data, "features")
        model = make(conf, settings, seed)
        found.append(
            auc(model, train, data.told(data.train_labels), test, data.told(data.test_labels))
        )
    return float(np.mean(found))


def main() -> None:
    torch.set_num_threads(THREADS)
    draws = {seed: Notifications().load(seed) for seed in SEEDS}
    table = [
        "| model | default | best of the search | behind | allowed |",
        "|---|---:|---:|---:|---:|",
    ]
    changed = ["| model | what the search set |", "|---|---|"]
    chosen = sys.argv[1:]
    for path in sorted((ROOT / "conf" / "model").glob("*.yaml")):
        conf = yaml.safe_load(path.read_text("utf-8"))
        if not conf.get("space") or (chosen and path.stem not in chosen):
            continue
        settings = found_by_search(conf, draws[SEEDS[0]], SEEDS[0])
        default, best = auc_on_test(conf, {}, draws), auc_on_test(conf, settings, draws)
        table.append(
            f"| {path.stem} | {default:.4f} | {best:.4f} | {best - default:+.4f} | {ALLOWED} |"
        )
        print(table[-1], flush=True)
        told = ", ".join(
            f"`{name}={value:.3g}`" if isinstance(value, float) else f"`{name}={value}`"
            for name, value in settings.items()
        )
        changed.append(f"| {path.stem} | {told} |")
        print(changed[-1], flush=True)
    if chosen:
        return
    rows, machine = Notifications().rows, f"{THREADS} cores, {platform.machine()}"
    text = (
        "# How good the defaults are\n\n"
        f"ROC AUC on the test rows of `notifications` ({rows:,} rows), mean of "
        f"{len(SEEDS)} seeds ({', '.join(map(str, SEEDS))}; none was "
        "looked at when the defaults were chosen).\n\n"
        f"Search: {TRIALS - 1} trials of Optuna's TPE over the `space:` of the model's YAML, each "
        f"fitted on the first 80 % of the train rows of seed {SEEDS[0]} and scored on the last "
        "20 %; the best one and the default were then fitted on all train rows of every seed. The "
        "test rows chose nothing. Earlier checks failed and led to other defaults, and each later "
        "one took seeds that nobody had looked at: XGBoost was 0.0065 and then 0.0059 behind "
        "(seeds 0 to 2, 100 to 102), the SVM 0.0051 and, after a change for speed, 0.0061 (seeds "
        "300 to 302).\n\n"
        f"Machine: {machine}, {platform.system()}, Python {platform.python_version()}. "
        f"Date: {datetime.date.today()}. Rebuilt by `python -m benchmarks.suites.defaults`.\n\n"
        + "\n".join(table)
        + "\n\n"
        + "\n".join(changed)
        + "\n"
    )
    (ROOT / "docs" / "defaults.md").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
