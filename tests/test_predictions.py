"""Predictions made elsewhere: handed out rows, what comes back, ranked beside what was measured."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import fit, split
from models.predictions import Predictions
from tests.conftest import SEARCH
from tests.takes import TARGET, outcomes, task_of, write_table


@pytest.fixture
def handed(worker, tmp_path):
    """The split of a table, as a folder."""

    def out(kind: str = "binary", seeds: str = "0,1"):
        table = write_table(tmp_path / "table.csv", kind)
        settings = [*task_of(table), f"seed={seeds}", "--to", str(tmp_path / "out")]
        assert split.main(settings, worker) == 0
        return table, tmp_path / "out"

    return out


def test_rows_are_handed_out_without_labels(handed, capsys):
    _, out = handed()
    told = capsys.readouterr().out
    assert "182 train and 78 test rows" in told
    assert "`seed`, `row` and `probability yes`" in told
    for seed in (0, 1):
        train = pd.read_parquet(out / f"seed-{seed}" / "train.parquet")
        test = pd.read_parquet(out / f"seed-{seed}" / "test.parquet")
        assert list(test.columns) == ["row", "price", "tenure", "plan", "since", "last paid"]
        assert TARGET in train
        assert set(train[TARGET]) == {"yes", "no"}
        assert (len(train), len(test)) == (182, 78)
    assert test["row"].is_unique


@pytest.mark.slow
def test_the_same_predictions_rank_the_same(handed, eras, records, tmp_path):
    """What a measured model said, handed in as somebody else's, has its scores to the digit."""
    table, _ = handed()
    assert eras(*task_of(table), "model=logistic", "seed=0,1").returncode == 0
    parts = []
    for record in records():
        raw = outcomes(tmp_path / "a", record)
        said = {"seed": record["seed"], "row": raw["ids"]}
        parts.append(pd.DataFrame({**said, "probability yes": raw["predictions"][:, 1]}))
    theirs = pd.concat(parts).sample(frac=1, random_state=0)
    theirs.to_parquet(tmp_path / "theirs.parquet")
    stated = ("model.fit_seconds=120", "model.price=40", "model.by=vendor")
    done = eras(
        *task_of(table),
        "model=predictions",
        f"model.path={tmp_path / 'theirs.parquet'}",
        *stated,
        "seed=0,1",
    )
    assert done.returncode == 0, done.stderr
    shown = " ".join(done.stdout.split())
    told = "as stated, not measured: learning 120 s, price 40"
    assert f"* predictions path=theirs.parquet by=vendor: made elsewhere by vendor; {told}" in shown
    by_model: dict[str, list] = {"logistic": [], "predictions": []}
    for record in records():
        by_model[record["model"]].append(record)
    for mine, its in zip(by_model["logistic"], by_model["predictions"], strict=True):
        assert its["status"] == "done", its["reason"]
        assert its["scores"] == pytest.approx(mine["scores"], abs=1e-6)
        assert its["stated"] == {
            "fit_seconds": 120.0,
            "predict_seconds": None,
            "price": 40.0,
            "by": "vendor",
        }
        assert its["size_bytes"] is None
        assert not {"ME03", "ME08"} & {check["code"] for check in its["checks"]}
    table_of = pd.read_csv(tmp_path / "a" / "table.csv").set_index("model")
    assert table_of.loc["predictions", "fit_seconds"] == 120
    assert np.isnan(table_of.loc["predictions", "single_row_seconds"])
    assert np.isnan(table_of.loc["predictions", "memory_growth_bytes"])
    frame = pd.read_parquet(tmp_path / "a" / "records.parquet")
    flat = frame[frame["model"] == "predictions"].iloc[0]
    assert flat["stated_price"] == 40
    assert np.isnan(flat["seconds_fit"])
    # Verdicts are on the same rows, and nobody can take what is not here.
    assert "equal" in done.stdout
    assert fit.main([str(tmp_path / "a"), "predictions"]) == 2


def test_numbers_and_names_can_be_handed_in(handed, eras, records, tmp_path):
    table, out = handed("regression", "0")
    test = pd.read_parquet(out / "seed-0" / "test.parquet")
    pd.DataFrame({"row": test["row"], "prediction": 1000.0}).to_csv(
        tmp_path / "theirs.csv", index=False
    )
    done = eras(
        *task_of(table), "model=predictions", f"model.path={tmp_path / 'theirs.csv'}", "seed=0"
    )
    assert done.returncode == 0, done.stderr
    (record,) = records()
    assert record["scores"]["r2"] == pytest.approx(0, abs=0.1)
    said = Predictions(str(tmp_path / "classes.csv"))
    pd.DataFrame({"row": [4, 2], "prediction": ["b", "a"]}).to_csv(said.path, index=False)
    said.fit(np.array([-1]), np.array(["a", "b"], dtype=object))
    assert said.predict_proba(np.array([2, 4])).tolist() == [[1, 0], [0, 1]]


LINES = {
    "other rows": ([0, 1, 2, 99], {}, "1 rows that are no test rows of the seed 0, such as row 99"),
    "twice": ([0, 1, 2, 2], {}, "1 rows twice, such as row 2"),
    "missing": ([0, 1], {}, "lacks 1 of 3 test rows, such as row 2"),
    "of no seed": ([0, 1, 2], {"seed": 5}, "no rows of the seed 0"),
    "of an unknown class": ([0, 1, 2], {"probability c": 0.0}, "'c' is no class; there are a, b"),
    "of an unknown name": ([0, 1, 2], {"probability a": None, "prediction": "c"}, "'c' of row 0"),
    "of no probability": ([0, 1, 2], {"probability a": 1.5}, "lies between 0 and 1"),
    "that add up to more": ([0, 1, 2], {"probability b": 0.9}, "add up to 1.4, not 1"),
    "of no number": ([0, 1, 2], {"probability a": "high"}, "and no numbers"),
    "of nothing": ([0, 1, 2], {"probability a": None}, "no predictions"),
}


@pytest.mark.parametrize("case", LINES)
def test_predictions_that_cannot_be(tmp_path, case):
    rows, changes, told = LINES[case]
    columns = {"row": rows, "probability a": 0.5, **changes}
    frame = pd.DataFrame({name: value for name, value in columns.items() if value is not None})
    frame.to_parquet(tmp_path / "theirs.parquet")
    model = Predictions(str(tmp_path / "theirs.parquet"))

    def ask() -> None:
        model.fit(np.array([-1, -2]), np.array(["a", "b"], dtype=object))
        model.predict_proba(np.array([0, 1, 2]))

    with pytest.raises(ValueError, match=told):
        ask()


@pytest.mark.slow
def test_it_is_refused_before_anything_runs(eras, tmp_path, records):
    table = write_table(tmp_path / "table.csv", "binary")
    asked = (*task_of(table), "model=predictions")
    done = eras(*asked)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "model.path is missing" in done.stderr
    (tmp_path / "bad.csv").write_text("row,probability yes\n1,0.5\n2,7\n")
    (tmp_path / "twice.csv").write_text("row,probability yes\n1,0.5\n2,0.5\n2,0.1\n")
    (tmp_path / "none.csv").write_text("number,probability yes\n1,0.5\n")
    for name, told in (
        ("gone.csv", "there is no file"),
        ("bad.csv", "is 7 in row 2"),
        ("none.csv", "has no column 'row'"),
        ("twice.csv", "1 rows twice, such as row 2: it may need a column 'seed'"),
        ("table.xlsx", "give predictions as a .parquet or .csv file"),
    ):
        done = eras(*asked, f"model.path={tmp_path / name}")
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
        assert told in done.stderr
    assert not records()


def test_of_other_rows_its_cell_fails_with_a_sentence(handed, eras, records, tmp_path):
    table, out = handed(seeds="0")
    test = pd.read_parquet(out / "seed-0" / "test.parquet")
    theirs = pd.DataFrame({"row": test["row"], "probability yes": 0.5})
    theirs.to_csv(tmp_path / "theirs.csv", index=False)
    done = eras(
        *task_of(table), "model=predictions", f"model.path={tmp_path / 'theirs.csv'}", "seed=0,1"
    )
    assert done.returncode == 2
    by_seed = {record["seed"]: record for record in records()}
    assert by_seed[0]["status"] == "done"
    assert by_seed[1]["status"] == "failed"
    assert "test rows" in by_seed[1]["reason"]


def test_a_task_that_draws_its_rows_hands_them_out_too(worker, tmp_path, capsys):
    settings = [SEARCH, "task=coin"]
    assert split.main([*settings, "--to", str(tmp_path / "out")], worker) == 2
    assert "split takes task=" in capsys.readouterr().err
    asked = ["task=breast_cancer", "--to", str(tmp_path / "out")]
    assert split.main(asked, worker) == 0
    assert "target" in pd.read_parquet(tmp_path / "out" / "seed-0" / "train.parquet")
    assert split.main(asked, worker) == 2
    assert "is there already" in capsys.readouterr().err
    for more, told in (
        (["seed=x"], "whole numbers"),
        ([], "Say which task"),
        (["task=heartbeat", "task.rows=60"], "view"),
        (["task=table"], "say where the table is"),
    ):
        extra = ["--view", "signal"] if "heartbeat" in str(more) else []
        assert split.main([*more, *extra, "--to", str(tmp_path / "b")], worker) == 2
        error = capsys.readouterr().err
        assert told in error, error
        assert len(error.splitlines()) == 1
