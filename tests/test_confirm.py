"""The lead of the row that was chosen, on seeds that the choice has not seen."""

import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from benchmarks import confirm
from benchmarks.analysis.confirmation import question, told
from benchmarks.analysis.summary import sections
from benchmarks.analysis.verdicts import judge
from benchmarks.errors import BadInput
from tests.conftest import ROOT
from tests.test_compare import ROWS, predicted


@pytest.fixture
def confirmed(tmp_path, worker, monkeypatch, capsys) -> Callable[..., tuple[int, str]]:
    """Run the command in this process: (exit code, what it said in one line)."""

    def call(*arguments: str) -> tuple[int, str]:
        monkeypatch.chdir(ROOT)
        capsys.readouterr()
        code = confirm.main([*arguments, "--results", str(tmp_path), "--allow", "tests"], worker)
        captured = capsys.readouterr()
        return code, " ".join((captured.out + captured.err).split())

    return call


def test_a_real_lead_holds_on_fresh_seeds_with_the_recorded_configs(eras, confirmed, records):
    eras("model=steep,baseline", "seed=0,1", "task.rows=900", "task.slope=1.5")
    code, said = confirmed("a")
    assert code == 0
    assert "run a-confirm: 6 cells to run, 0 found" in said
    assert "On 3 fresh seeds (2 to 4), the lead of steep over baseline holds (ROC AUC +." in said
    assert "95 % +." in said
    assert "; it was +." in said
    assert "splits" not in said, "a generator makes fresh rows"
    made = records("a-confirm")
    assert sorted({r["seed"] for r in made}) == [2, 3, 4]
    for one in made:
        (same, *_) = [r for r in records() if r["model"] == one["model"]]
        for part in ("config", "code", "changed", "limits", "timing"):
            assert one[part] == same[part], part
    again = confirmed("a")
    assert "0 cells to run, 6 found" in again[1]
    assert "On 3 fresh seeds" + said.partition("On 3 fresh seeds")[2] in again[1]
    assert [r["started"] for r in records("a-confirm")] == [r["started"] for r in made]
    assert len(records()) == 4, "the run itself stays as it was"


def test_a_lead_that_is_none_does_not_hold(eras, confirmed):
    eras("model.factor=1,2", "seed=0,1,2", "metric=log_loss", "task.rows=300")
    code, said = confirmed("a", "--metric", "roc_auc", "--seeds", "4")
    assert code == 0
    assert "does not hold: they are " in said, said
    assert "On 4 fresh seeds (3 to 6)" in said


@pytest.mark.slow
def test_other_rows_can_be_asked_for(eras, confirmed, records):
    eras("model.factor=1,3", "seed=0,1,2", "task.rows=600")
    eras("model=baseline", "seed=0,1,2", "task.rows=600")
    (section,) = sections(records())
    rows = [row.label for row in section.rows]
    assert rows[-1] == "baseline"
    code, said = confirmed("a", "--against", "baseline")
    assert code == 0
    assert f"the lead of {rows[0]} over baseline holds" in said
    code, said = confirmed("a", "--against", "nothing")
    assert (code, f"the others are {', '.join(rows[1:])}" in said) == (2, True)


@pytest.mark.slow
def test_splits_of_the_same_rows_are_called_what_they_are(eras, confirmed, tmp_path):
    random = np.random.default_rng(0)
    x = random.normal(size=300)
    frame = pd.DataFrame({"x": x, "y": np.where(x + random.normal(size=300) > 0, "a", "b")})
    path = tmp_path / "my table (1).csv"
    frame.to_csv(path, index=False)
    arguments = ("task=table", f"task.path={path}", "task.target=y", "model=logistic,baseline")
    assert eras(*arguments, "seed=0,1").returncode == 0
    code, said = confirmed("a")
    assert code == 0, said
    assert "On 3 fresh splits, seeds (2 to 4), the lead of logistic over baseline holds" in said
    assert "fresh splits of the same rows" in said
    frame[:200].to_csv(path, index=False)
    assert confirmed("a") == (
        2,
        "error: The data of table has changed since, or is gone, so there is nothing to confirm it "
        "with.",
    )


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (
            {"code": {"task": "x"}},
            "The code of the task coin (tests.harness.Coin) has changed since",
        ),
        ({"code": {"model": "x"}}, "has changed since, so there is nothing to confirm it with"),
        (
            {"config": {"model": {"_target_": "models.gone.Gone"}}},
            "(models.gone.Gone) is gone, so there is nothing to confirm it with",
        ),
        ({"config": {"task": {"_target_": "tasks.gone.Gone"}}}, "The file of the task coin"),
    ],
)
def test_what_is_not_what_it_was_is_refused(eras, confirmed, tmp_path, edit, sentence):
    eras("model=steep,baseline", "seed=0,1")
    for file in (tmp_path / "a" / "cells").glob("*.json"):
        record = json.loads(file.read_text())
        for part, change in edit.items():
            for key, value in change.items():
                one = record[part][key]
                record[part][key] = one | value if isinstance(value, dict) else value
        file.write_text(json.dumps(record))
    code, said = confirmed("a")
    assert code == 2
    assert sentence in said
    assert said.startswith("error: ")
    assert not (tmp_path / "a-confirm").exists()


@pytest.mark.slow
def test_runs_without_a_lead_are_refused(eras, confirmed):
    eras("seed=0,1")
    assert confirmed("a")[1].startswith("error: The run a has 1 row with a score; a lead takes two")
    eras("model=steep,baseline", "task.rows=60,90", "run=b")
    code, said = confirmed("b")
    assert code == 2
    assert "has no one table to confirm; name one with --task, of: coin; coin rows=90" in said
    assert confirmed("b", "--task", "coin rows=90")[0] == 0
    assert confirmed("nowhere")[0] == 2
    for count in ("2", "0", "-1", "100000"):
        assert "give a number from 3 to 1000" in confirmed("b", "--seeds", count)[1]


def test_a_cell_that_fails_leaves_nothing_confirmed(eras, confirmed, tmp_path):
    eras("model=steep,baseline", "seed=0,1")
    for file in (tmp_path / "a" / "cells").glob("coin-steep-*.json"):
        record = json.loads(file.read_text())
        record["config"]["model"]["mode"] = "raise"
        file.write_text(json.dumps(record))
    code, said = confirmed("a")
    assert code == 1
    assert "Nothing is confirmed: steep on seed 2 ended as failed: RuntimeError: planted" in said


def contest(record, qualities):
    """A section of two models, each as good as that on the same rows of three seeds."""
    arrays = {
        (name, seed): predicted(quality, seed, 0.3, name)
        for name, quality in qualities.items()
        for seed in range(3)
    }
    made = [
        record(name, seed, 0.5 + quality / 10, rows={"train": 2 * ROWS, "test": ROWS})
        for name, quality in qualities.items()
        for seed in range(3)
    ]
    (section,) = sections(made)
    return judge(section, lambda r: arrays[r["model"], r["seed"]])


def test_the_sentence_says_which_way_it_goes(record):
    asked = question("r", [contest(record, {"svm": 1.1, "forest": 1.0})], None, None)
    assert (asked.chosen.label, asked.other.label) == ("svm", "forest")
    assert (asked.fresh_seeds(), asked.fresh_seeds(4)) == ([3, 4, 5], [3, 4, 5, 6])
    assert round(asked.lead, 4) == 0.01

    def sentence(svm, forest):
        (verdict,) = contest(record, {"svm": svm, "forest": forest}).verdicts
        return told(asked, "r", "svm", verdict, [3, 4, 5], "fresh seeds")

    holds = sentence(1.5, 1.0)
    assert "the lead of svm over forest holds (ROC AUC +." in holds
    turned = sentence(1.0, 1.5)
    assert "turns round: forest is better (ROC AUC −." in turned
    unknown = sentence(1.01, 1.0)
    assert "is not confirmed, as nobody can tell (ROC AUC" in unknown
    for text in (holds, turned, unknown):
        assert text.startswith("On 3 fresh seeds (3 to 5), the lead of svm over forest ")
        assert "; it was +.0100 in r)" in text
        assert text.endswith(".")
        assert "\n" not in text


def test_a_spoiled_task_is_no_contest(record):
    config = record()["config"] | {"control": "shuffled_labels"}
    found = [record(model, auc=0.5 + k / 10, config=config) for k, model in enumerate("ab")]
    with pytest.raises(BadInput, match="has no one table to confirm"):
        question("r", sections(found), None, None)
