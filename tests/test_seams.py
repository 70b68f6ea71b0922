"""Every seam of the kit, by a tiny task or model that stands on it: through run, table, page,
comparison."""

import json
import subprocess
import sys

import pytest

from benchmarks import compare, report
from tests.conftest import ROOT


def shown(tmp_path, capsys, run="a") -> tuple[str, str, str]:
    """(table.md, the page, a comparison of the run with itself)"""
    assert report.main([run, "--results", str(tmp_path), "--page-only"]) == 0
    capsys.readouterr()
    assert compare.main([run, run, "--results", str(tmp_path)]) == 0
    folder = tmp_path / run
    page = (folder / "report.html").read_text()
    return (folder / "table.md").read_text(), page, capsys.readouterr().out


def test_a_task_is_judged_by_the_metrics_it_names(eras, records, tmp_path, capsys):
    done = eras("task=rare", "model=riser", "model.factor=1,-1", "seed=0,1")
    assert done.returncode == 0, done.stdout
    assert "average precision" in done.stdout
    record = records()[0]
    assert [m["name"] for m in record["metrics"]] == ["average_precision", "brier"]
    assert record["metric"] == "average_precision"
    assert {"roc_auc", "macro_f1", "recall_at_10"} <= set(record["scores"])
    table, page, comparison = shown(tmp_path, capsys)
    for text in (table, page):
        assert "note: 300 rows are tested" in text
        assert "are heads (seed 0)" in text, "what is not so in all seeds says in which it is"
    assert "| average precision | Brier score |" in " ".join(table.split())
    assert "Brier score" in page
    assert "average precision" in comparison
    assert "identical" in comparison


def test_a_metric_of_the_tasks_own_needs_no_registry(eras, records, tmp_path, capsys, monkeypatch):
    done = eras("task=rare", "model=riser", "model.factor=1,3", "task.judged_by=own", "seed=0,1")
    assert done.returncode == 0, done.stdout
    assert records()[0]["metrics"][0]["words"] == "mean distance from a half"
    # Who reads the records does not know the task.
    monkeypatch.delitem(sys.modules, "tests.tiny", raising=False)
    table, page, comparison = shown(tmp_path, capsys)
    assert "spread" in table
    assert "mean distance from a half" in page
    assert "spread" in comparison
    verdicts = (tmp_path / "a" / "verdicts.md").read_text()
    assert "better" in verdicts, "its own influence of each row is kept"
    assert (
        eras(
            "task=rare", "model=riser,baseline", "task.judged_by=hits", "run=b", "seed=0,1,2"
        ).returncode
        == 0
    )
    assert "hits" in (tmp_path / "b" / "verdicts.md").read_text(), "judged by scores alone"


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ("unknown", "Rare names the metric 'smell', which nobody describes"),
        ("'odd score'", "Rare.score gives 'smell', which nobody describes"),
    ],
)
def test_an_unknown_metric_is_one_sentence_and_the_others_go_on(eras, records, way, reason):
    done = eras("task=rare", "model=riser", f"task.judged_by={way},score")
    assert done.returncode == 1
    endings = {r["config"]["task"]["judged_by"]: (r["status"], r["reason"]) for r in records()}
    assert endings.pop("score") == ("done", None)
    ((status, said),) = endings.values()
    assert status == "failed"
    assert said.startswith(reason) or "'smell'" in said


@pytest.mark.slow
def test_any_metric_can_be_the_main_one_without_a_new_run(eras, records):
    assert eras("model=steep,baseline", "seed=0,1").returncode == 0
    done = eras("model=steep,baseline", "seed=0,1", "metric=recall_at_20")
    assert "0 cells to run, 4 found" in done.stdout
    assert "recall at top 20 %" in done.stdout
    refused = eras("model=steep,baseline", "seed=0,1", "metric=rmse")
    assert "has no metric rmse; it has: roc_auc" in refused.stdout + refused.stderr


@pytest.mark.parametrize("form", ["list", "array", "object"])
def test_texts_are_rows_in_any_form(eras, records, tmp_path, capsys, form):
    done = eras("task=sentences", "model=first_word", f"task.form={form}", "cache.gigabytes=0")
    assert done.returncode == 0, done.stdout
    (record,) = records()
    assert record["scores"]["accuracy"] > 0.8
    assert record["rows"] == {"train": 200, "test": 100}
    assert record["view"] == "text"
    table, page, comparison = shown(tmp_path, capsys)
    assert "first_word" in table
    assert "first_word" in page
    assert "identical" in comparison


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ("short", "the view 'text' has 199 train rows, but there are 200 train labels"),
        ("'no length'", "which has no length"),
        ("'one part'", "gives list, not (train, test)"),
    ],
)
def test_rows_that_do_not_fit_are_one_sentence(eras, records, form, reason):
    done = eras("task=sentences", "model=first_word", f"task.form={form},list", "cache.gigabytes=0")
    assert done.returncode == 1
    endings = {r["config"]["task"]["form"]: r for r in records()}
    assert endings.pop("list")["status"] == "done"
    (record,) = endings.values()
    assert record["status"] == "failed"
    assert reason in record["reason"]
    assert "\n" not in record["reason"]


def test_answers_are_scored_kept_and_shown(eras, records, tmp_path, capsys):
    done = eras("task=slips", "model=last_number,baseline,logistic", "seed=0,1")
    assert done.returncode == 0, done.stdout
    assert "not asked: logistic gives probabilities" in " ".join(done.stdout.split())
    mine = {r["model"]: r for r in records() if r["seed"] == 0}
    assert mine["last_number"]["scores"] == {"exact_match": 1.0}
    assert mine["last_number"]["answer"] == "answers"
    assert mine["last_number"]["work"]["tokens"] == 60 * 4
    assert mine["baseline"]["scores"]["exact_match"] < 0.2
    assert mine["logistic"]["status"] == "skipped"
    (file, *_) = sorted((tmp_path / "a" / "cells").glob("*last_number*.answers.jsonl"))
    line = json.loads(file.read_text().splitlines()[0])
    assert line["answer"] == line["label"]
    table, page, comparison = shown(tmp_path, capsys)
    assert "exact match" in table
    assert "exact match" in page
    assert "identical" in comparison
    assert "better" in (tmp_path / "a" / "verdicts.md").read_text()


@pytest.mark.parametrize(
    ("form", "reason"),
    [("object", "answer 0 is object"), ("few", "there are 29 answers for 30 test rows")],
)
def test_answers_of_the_wrong_form_are_one_sentence(eras, records, form, reason):
    assert eras("task=slips", "model=last_number", f"model.form={form}").returncode == 1
    (record,) = records()
    assert record["status"] == "failed"
    assert reason in record["reason"]


@pytest.mark.slow
def test_a_killed_fit_goes_on_from_its_own_checkpoint(eras, records, tmp_path):
    killed = eras("task=rare", "model=steps", "model.die_at=4")
    assert killed.returncode == 1
    (record,) = records()
    assert record["reason"] == "killed by signal 9 (SIGKILL) in fit"
    again = eras("task=rare", "model=steps", "model.die_at=4", "rerun=failed")
    assert again.returncode == 0, again.stdout
    (record,) = records()
    assert record["notes"]["began_at"] == 4
    assert record["history"] == {"loss": [1 / 5, 1 / 6]}
    assert record["artifacts"]["files"] == {"note.txt": 5}
    assert list((tmp_path / "a" / "cells").glob("*.checkpoints")) == []
    assert eras("task=rare", "model=steps", "run=b").returncode == 0
    (whole,) = records("b")
    assert whole["scores"] == record["scores"], "as if nobody had killed it"
    assert report.main(["b", "--results", str(tmp_path)]) == 0
    assert "at its lowest loss after 6 of 6" in (tmp_path / "b" / "report.html").read_text()
    drawn = (tmp_path / "b" / "report" / "training.csv").read_text().splitlines()
    assert drawn[1] == "steps,1,1.0"
    fresh = eras("task=rare", "model=steps", "model.die_at=4", "fresh=true")
    assert fresh.returncode == 1, "fresh begins at the beginning"


def test_an_artifact_over_its_cap_is_left_out_and_said(eras, records, tmp_path):
    done = eras("task=rare", "model=steps", "model.artifact_bytes=3000000", "limits.artifact_mb=1")
    assert done.returncode == 0, done.stdout
    (record,) = records()
    assert record["artifacts"]["files"] == {"note.txt": 5}
    assert "weights.bin (3.0 MB) left out" in record["artifacts"]["refused"]
    assert "limits.artifact_mb" in record["artifacts"]["refused"]
    (folder,) = (tmp_path / "a" / "cells").glob("*.artifacts")
    assert [file.name for file in folder.iterdir()] == ["note.txt"]


def test_an_expensive_view_is_made_once_and_charged_to_all(eras, records, tmp_path):
    cache = f"cache.folder={tmp_path / 'cache'}"
    assert eras("task=sentences", "model=first_word", "model.smoothing=1,2", cache).returncode == 0
    first, second = sorted(records(), key=lambda r: r["started"])
    assert (first["prepared"]["origin"], second["prepared"]["origin"]) == ("made", "found")
    assert first["phases"]["view"] == second["phases"]["view"], "the same making is charged"
    assert eras("task=sentences", "model=first_word", "run=b", cache).returncode == 0
    (later,) = records("b")
    assert later["prepared"]["origin"] == "found", "it outlives the run"
    usual = next(r for r in (first, second) if r["config"]["model"]["smoothing"] == 1)
    assert later["scores"] == usual["scores"]


@pytest.mark.parametrize("damage", ["cut", "gone", "flipped"])
def test_a_damaged_cache_is_made_again(eras, records, tmp_path, damage):
    cache = f"cache.folder={tmp_path / 'cache'}"
    assert eras("task=sentences", "model=first_word", cache).returncode == 0
    (file,) = (tmp_path / "cache").glob("views/*/train.json")
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:100])
    elif damage == "gone":
        file.unlink()
    else:
        file.write_text(file.read_text().replace("good", "evil"))
    assert eras("task=sentences", "model=first_word", cache, "run=b").returncode == 0
    (before,), (after,) = records(), records("b")
    assert after["prepared"]["origin"] == "made"
    assert after["scores"] == before["scores"]


def test_a_cache_that_cannot_be_written_is_said_and_nothing_fails(eras, records, tmp_path):
    place = tmp_path / "file"
    place.write_text("no folder")
    done = eras("task=sentences", "model=first_word", f"cache.folder={place}")
    assert done.returncode == 0, done.stdout
    (record,) = records()
    assert record["prepared"]["origin"] == "own"
    assert "Not a directory" in record["prepared"]["why"]


def test_a_bounded_cache_forgets_what_was_used_longest_ago(tmp_path):
    import os

    import numpy as np

    from benchmarks.cell import storage
    from tasks.base import Data

    labels = np.arange(10.0)
    rows = np.zeros((10, 1000))
    for k in range(4):
        storage.write(tmp_path / str(k), Data(None, labels, labels), rows, rows, {"k": k})
        os.utime(tmp_path / str(k) / storage.DONE, (k, k))
    storage.read(tmp_path / "0")  # used just now
    size = sum(file.stat().st_size for file in (tmp_path / "0").iterdir())
    storage.shrink(tmp_path, 2.5 * size)
    assert sorted(folder.name for folder in tmp_path.iterdir()) == ["0", "3"]
    data, train, _, facts = storage.read(tmp_path / "3")
    assert (len(data.train_labels), train.shape, facts) == (10, (10, 1000), {"k": 3})


def test_two_writers_leave_one_whole_entry(tmp_path):
    code = (
        "import sys, numpy as np; from pathlib import Path; from benchmarks.cell import storage;"
        "from tasks.base import Data;"
        "y = np.arange(1000.0); X = np.ones((1000, 500));"
        "[storage.write(Path(sys.argv[1]) / str(k), Data(None, y, y), X, X, {}) for k in range(8)]"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT) for _ in range(2)
    ]
    assert [writer.wait() for writer in writers] == [0, 0]
    from benchmarks.cell import storage

    for k in range(8):
        assert storage.read(tmp_path / str(k))[1].shape == (1000, 500)
    assert len(list(tmp_path.iterdir())) == 8, "nothing half written is left"
