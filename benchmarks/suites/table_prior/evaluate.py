"""`table_prior` beside the forest, XGBoost and the logistic regression on real tables of few rows.

    python -m benchmarks.suites.table_prior.evaluate             rewrites docs/table-prior.md
    python -m benchmarks.suites.table_prior.evaluate chosen_on   tables for choosing, told alone

Each table is split at random once for each seed; models learn from the first 100, 300 and 1,000
train rows where it has as many, and are scored on the same test rows, by ROC AUC (of several
classes the mean of each against the rest). Scores are kept in build/table_prior/, so that what was
scored once, with the same weights, is not again.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.metrics import roc_auc_score

from benchmarks.suites import real_tables
from benchmarks.suites.table_prior.tables import CHOSEN_ON, JUDGED
from models.boosting import XGBoost
from models.logistic import Logistic
from models.random_forest import RandomForest
from models.table_prior import WEIGHTS, TablePrior

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "table-prior.md"
SCORES = ROOT / "build" / "table_prior" / "scores.jsonl"
START, END = "<!-- scores -->\n", "<!-- /scores -->"
SIZES = (100, 300, 1_000)
SEEDS = (0, 1, 2)
MOST_TESTED = 1_000  # rows of a split
MODELS: dict[str, Callable[[int], Any]] = {
    "table_prior": lambda seed: TablePrior(random_state=seed, device="cpu"),
    "random_forest": lambda seed: RandomForest(random_state=seed, engine="sklearn"),
    "xgboost": lambda seed: XGBoost(random_state=seed, device="cpu"),
    "logistic": lambda seed: Logistic(),
}


def score(table: real_tables.Real, seed: int, size: int, model: str) -> float | None:
    """ROC AUC on test rows; None where the table has fewer train rows."""
    train, labels, test, truth = split(table, seed)
    if len(train) < size:
        return None
    fitted = MODELS[model](seed).fit(train.iloc[:size], labels[:size])
    probabilities = fitted.predict_proba(test)
    areas = [
        roc_auc_score(truth == name, probabilities[:, k])
        for k, name in enumerate(fitted.classes_)
        if 0 < (truth == name).sum() < len(truth)
    ]
    return float(np.mean(areas))


@cache
def split(table: real_tables.Real, seed: int) -> tuple[Any, np.ndarray, Any, np.ndarray]:
    """-> train rows, their labels, test rows, and theirs"""
    task = table.task()
    data = task.load(seed)
    train, test = task.view(data, "features")
    return (
        train,
        data.told(data.train_labels),
        test.iloc[:MOST_TESTED],
        data.told(data.test_labels)[:MOST_TESTED],
    )


def scored(tables: Sequence[real_tables.Real]) -> pd.DataFrame:
    """A row for each table, size and seed, with a column for each model; made or remembered."""
    weights = hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()[:12]
    SCORES.parent.mkdir(parents=True, exist_ok=True)
    SCORES.touch()
    lines = [json.loads(line) for line in SCORES.read_text("utf-8").splitlines()]
    known = {tuple(line["key"]): line["score"] for line in lines}
    rows = []
    with SCORES.open("a", encoding="utf-8") as file:
        for table, seed, size, model in product(tables, SEEDS, SIZES, MODELS):
            of = weights if model == "table_prior" else ""
            key = (table.name, seed, size, model, of)
            if key not in known:
                known[key] = score(table, seed, size, model)
                print(*key, known[key], flush=True)
                file.write(json.dumps({"key": key, "score": known[key]}) + "\n")
                file.flush()
            if known[key] is not None:
                rows.append((table.name, size, seed, model, known[key]))
    frame = pd.DataFrame(rows, columns=["table", "size", "seed", "model", "score"])
    return frame.pivot_table("score", ["table", "size"], "model", aggfunc="mean")[list(MODELS)]


def page(scores: pd.DataFrame) -> str:
    """Three tables in Markdown: means, what lies between them, and each table for itself."""
    models = list(MODELS)
    means, gains, single = [], [], []
    for size, part in scores.groupby("size"):
        means.append([f"{size:,}", len(part), *(f"{part[model].mean():.4f}" for model in models)])
        gains.append([f"{size:,}", *(gain(part["table_prior"] - part[m]) for m in models[1:])])
    for table, size, *row in scores.reset_index().itertuples(index=False):
        cells = [f"**{value:.3f}**" if value == max(row) else f"{value:.3f}" for value in row]
        single.append([table, f"{size:,}", *cells])
    return "\n".join(
        [
            "Mean ROC AUC:\n",
            *markdown(["train rows", "tables", *models], means),
            "\n`table_prior` less the other, and on how many tables it is ahead:\n",
            *markdown(["train rows", *models[1:]], gains),
            "\nTable by table:\n",
            *markdown(["table", "train rows", *models], single),
            "",
        ]
    )


def gain(differences: pd.Series) -> str:
    """Its mean with a 95 % interval by Student's t, a table being one draw."""
    half = stats.t.ppf(0.975, len(differences) - 1) * differences.sem()
    ahead = f"{(differences > 0).sum()} of {len(differences)}"
    return f"{differences.mean():+.4f} ± {half:.4f}, {ahead}"


def markdown(head: list[str], rows: list[list[Any]]) -> list[str]:
    ruled = ["---" if name == "table" else "---:" for name in head]
    return ["| " + " | ".join(map(str, row)) + " |" for row in [head, ruled, *rows]]


def main() -> None:
    looking = sys.argv[1:] == ["chosen_on"]
    tables = CHOSEN_ON if looking else JUDGED
    if gaps := real_tables.missing(tables):
        sys.exit(f"{', '.join(gaps)}: run `python -m benchmarks.suites.table_prior.tables` first")
    made = page(scored(tables))
    if looking:
        print(made)
        return
    before, rest = PAGE.read_text("utf-8").split(START)
    PAGE.write_text(before + START + made + END + rest.split(END)[1], "utf-8")


if __name__ == "__main__":
    main()
