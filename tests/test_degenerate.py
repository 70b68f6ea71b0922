"""Tables that hardly are any: each ends in one sentence before any cell, or goes through every
model with every seed."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.cell import views
from benchmarks.cell.answers import predict, refuse_impossible
from benchmarks.cell.scores import metrics_of, scores, stored
from tasks.table import Table
from tests.test_models import CONFS, model_class, short, view_of

N = 120
SEEDS = (0, 1, 7)


def numbers(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=N)


def coins(*names: Any, seed: int = 1) -> np.ndarray:
    return np.array(names, dtype=object)[np.random.default_rng(seed).integers(0, len(names), N)]


@cache
def plain() -> pd.DataFrame:
    return pd.DataFrame({"x": numbers(), "z": numbers(2), "y": coins("a", "b")})


def days(n: int = N) -> pd.Series:
    return pd.Series(pd.date_range("2024-01-01", periods=n)).astype("datetime64[us]")


def with_columns(**columns: Any) -> pd.DataFrame:
    return plain().assign(**columns)


def lately(value: Any, before: Any = None, rows: int = 40) -> list[Any]:
    return [before] * (N - rows) + [value] * rows


# What is tried -> (its rows, settings), and what the sentence says where there is one.
WORKS: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "a category that begins in the test rows": (
        lambda: with_columns(sent_at=days(), k=["" for _ in range(84)] + ["u", "v"] * 18),
        {},
    ),
    "a number that begins in the test rows": (
        lambda: with_columns(sent_at=days(), k=[*lately(1.5)[:-1], 2.5]),
        {},
    ),
    "a category that ends before the test rows": (
        lambda: with_columns(sent_at=days(), k=["u", "v"] * 30 + [""] * 60),
        {},
    ),
    "one constant column that was asked for": (
        lambda: with_columns(k=1.0),
        {"types": {"k": "number", "x": "out", "z": "out"}},
    ),
    "truth values with gaps": (lambda: with_columns(k=[True, None, False, True] * 30), {}),
    "a class that begins late": (
        lambda: with_columns(sent_at=days(), y=[*coins("a", "b")[:70], *coins("a", "b", "c")[:50]]),
        {},
    ),
    "a class that ends early": (
        lambda: with_columns(sent_at=days(), y=[*coins("a", "b", "c")[:90], *coins("a", "b")[:30]]),
        {},
    ),
    "one train row of a class": (
        lambda: with_columns(
            sent_at=days(), y=[*coins("a", "b")[:50], "c", *coins("a", "b", "c")[:69]]
        ),
        {"test_share": 0.5},
    ),
    "as few rows as there may be": (
        lambda: with_columns(y=["a"] * 10 + ["b"] * 110),
        {"test_share": 0.1},
    ),
    "a target that is nearly always the same": (
        lambda: with_columns(y=[float(k) if k < 5 else 0.0 for k in range(1, N + 1)]),
        {"kind": "regression"},
    ),
    "numbers beyond float32": (lambda: with_columns(x=plain()["x"] * 1e200), {}),
    "one number beyond float32": (lambda: with_columns(x=[1.7e308, *plain()["x"][1:]]), {}),
    "an epoch and a size": (
        lambda: with_columns(x=1.7e12 + 1e3 * plain()["x"], z=1e-12 * plain()["z"]),
        {},
    ),
    "two groups": (lambda: with_columns(user=["p"] * 60 + ["q"] * 60), {"group": "user"}),
    "groups of which most rows know nothing": (
        lambda: with_columns(user=["p", "q", "r"] * 10 + [""] * 90),
        {"group": "user"},
    ),
    "durations": (lambda: with_columns(k=pd.to_timedelta(numbers(3), "h")), {}),
    "bytes": (lambda: with_columns(k=[b"\x00\xff", b"u"] * 60), {}),
    "lists": (lambda: with_columns(k=[[1, 2], [3]] * 60), {}),
    "records": (lambda: with_columns(k=[{"a": 1}, {"a": 2}] * 60), {}),
    "times of day": (
        lambda: with_columns(k=[pd.Timestamp(h, unit="h").time() for h in range(N)]),
        {},
    ),
    "years 1 and 9999": (
        lambda: with_columns(k=["0001-01-01", "9999-12-31", "2024-01-01"] * 40),
        {},
    ),
    "nothing but nulls": (lambda: with_columns(k=pa.nulls(N).to_pandas()), {}),
}
REFUSED: dict[str, tuple[Callable[[], Any], dict[str, Any], str]] = {
    "a class after every cut": (
        lambda: with_columns(sent_at=days(), y=[*coins("a", "b")[:105], *["c"] * 15]),
        {},
        "the class 'c' has no train row when split by sent_at",
    ),
    "a class in one group": (
        lambda: with_columns(
            user=[f"u{k // 20}" for k in range(N)], y=["c"] * 20 + ["a", "b"] * 50
        ),
        {"group": "user"},
        "the class 'c' has no (train|test) row when split by user",
    ),
    "one group": (
        lambda: with_columns(user="p"),
        {"group": "user"},
        "all rows have the same 'user'",
    ),
    "one moment": (
        lambda: with_columns(day=5),
        {"time": "day"},
        "100% of the rows have the day 5, so no cut by time comes near",
    ),
    "one moment that most rows have": (
        lambda: with_columns(day=[2] * 110 + [1] * 5 + [3] * 5),
        {"time": "day"},
        "92% of the rows have the day 2",
    ),
    "names of months": (
        lambda: with_columns(month=["jan", "feb", "mar"] * 40),
        {"time": "month"},
        "'month' holds texts such as '(jan|feb|mar)', which are in no order of time",
    ),
    "a constant target until the cut": (
        lambda: with_columns(sent_at=days(), y=[0.5] * 115 + [1.5, 2.5, 3.5, 4.5, 5.5]),
        {"kind": "regression"},
        "all train rows have the same target when split by sent_at",
    ),
    "too few of a class for the share": (
        lambda: with_columns(y=["a"] * 10 + ["b"] * 110),
        {"test_share": 0.05},
        "the class 'a' has 10 rows, too few for a test share of 0.05",
    ),
    "no word stands twice": (
        lambda: pd.DataFrame(
            {"t": [f"w{k} v{k} u{k} t{k}" for k in range(N)], "y": coins("a", "b")}
        ),
        {},
        "no column is left to learn from",
    ),
}


def written(rows: pd.DataFrame, folder: Path) -> str:
    path = folder / "rows.parquet"
    pq.write_table(pa.Table.from_pandas(rows, preserve_index=False), path)
    return str(path)


@pytest.mark.parametrize("case", WORKS)
def test_what_can_be_learned_from_goes_through_every_model(case: str, tmp_path: Path) -> None:
    rows, settings = WORKS[case]
    task = Table(**{"path": written(rows(), tmp_path), "target": "y"} | settings)
    try:
        task.check()
    except ValueError as refusal:
        pytest.fail(f"refused: {refusal}")
    for seed in SEEDS:
        data = task.load(seed)
        train, test = views.make(task, data, "features")
        for name in (name for name in CONFS if view_of(name) == "features"):
            if data.answer not in getattr(model_class(name), "answers", (data.answer,)):
                continue
            model = short(name, **({"random_state": seed} if name != "baseline" else {}))
            answers = predict(model.fit(train, data.told(data.train_labels)), test, data)
            refuse_impossible(answers, data)
            metrics = metrics_of(task, data)
            (value,) = scores(task, data, metrics, stored(answers), metrics[0].name).values()
            assert np.isfinite(value), (name, seed)


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_ends_in_one_sentence_before_any_cell(case: str, tmp_path: Path) -> None:
    rows, settings, expected = REFUSED[case]
    task = Table(**{"path": written(rows(), tmp_path), "target": "y"} | settings)
    with pytest.raises(ValueError, match=expected) as refusal:
        task.check()
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 400


def test_whatever_goes_wrong_in_reading_is_one_sentence(tmp_path: Path, monkeypatch) -> None:
    task = Table(path=written(plain(), tmp_path), target="y")

    def fail(*_: object, **__: object) -> None:
        raise NotImplementedError("no such\ncast")

    monkeypatch.setattr("tasks.table.understand", fail)
    for ask in (task.check, lambda: task.look(10)):
        with pytest.raises(
            ValueError, match=r"cannot be understood \(NotImplementedError: no such"
        ):
            ask()
