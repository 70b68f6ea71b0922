"""How long verdicts take: ten models, ten seeds, 100,000 test rows, 45 pairs."""

from dataclasses import asdict

import numpy as np
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.analysis.summary import Row, Section
from benchmarks.analysis.verdicts import judge
from tasks.metrics import STANDARD

MODELS, SEEDS = 10, 10


def test_judge(benchmark: BenchmarkFixture) -> None:
    rows = 1_000 if benchmark.disabled else 100_000
    benchmark.extra_info["rows"] = rows
    random = np.random.default_rng(0)
    outcomes = {}
    records: dict[int, list] = {model: [] for model in range(MODELS)}
    for seed in range(SEEDS):
        labels = random.integers(2, size=rows).astype(np.int16)
        group = random.integers(rows // 50, size=rows)
        for model in range(MODELS):
            score = (1 + model / 50) * (2 * labels - 1) + 2 * random.normal(size=rows)
            p = (1 / (1 + np.exp(-score))).astype(np.float32)
            outcomes[model, seed] = {
                "predictions": np.column_stack([1 - p, p]),
                "labels": labels,
                "group": group,
            }
            records[model].append(
                {
                    "model": model,
                    "seed": seed,
                    "status": "done",
                    "kind": "binary",
                    "metric": "roc_auc",
                    "metrics": [asdict(STANDARD["roc_auc"].facts())],
                    "scores": {"roc_auc": 0.7},
                    "rows": {"train": 2 * rows, "test": rows},
                    "config": {},
                }
            )
    section = Section("made up", "made up", [Row(f"m{k}", found) for k, found in records.items()])
    judged = benchmark.pedantic(
        lambda: judge(section, lambda record: outcomes[record["model"], record["seed"]]), rounds=3
    )
    assert len(judged.verdicts) == MODELS * (MODELS - 1) / 2
