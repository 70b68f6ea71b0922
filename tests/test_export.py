"""Runs go to MLflow once, whole, and whatever they hold; what is in the way is one sentence."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks import export
from benchmarks.records.records import Record, Run
from tests.conftest import ROOT


@pytest.fixture
def run(tmp_path) -> Run:
    made = Run(tmp_path / "results" / "r")
    made.create()
    return made


@pytest.fixture
def send(tmp_path, monkeypatch, capsys):
    """Call the command line in an empty folder: (exit code, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)  # where MLflow puts its own files
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def call(*arguments: str) -> tuple[int, str, str]:
        code = export.main(["--results", str(tmp_path / "results"), *arguments])
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def sent(tmp_path):
    """All MLflow runs of an experiment in mlflow.db, by their tag `cell`."""
    mlflow = pytest.importorskip("mlflow", reason="installed by nox -s mlflow only")

    def read(experiment: str = "model-eras"):
        client = mlflow.MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
        found = client.get_experiment_by_name(experiment)
        runs = client.search_runs([found.experiment_id])
        by_cell = {run.data.tags["cell"]: run for run in runs}
        assert len(by_cell) == len(runs), "sent twice"
        return client, by_cell

    return read


def put(run: Run, *records: Record) -> list[Record]:
    for number, record in enumerate(records):
        (run.cells / f"{number}.json").write_text(json.dumps(record))
    return list(records)


def test_an_unknown_run_is_refused_before_anything_is_loaded(run, send, record):
    put(run, record())
    code, _, err = send("r", "x")
    assert (code, err) == (2, "error: There is no run x; there are: r.\n")


def test_without_mlflow_it_says_what_to_type(run, send, record, monkeypatch):
    put(run, record())
    monkeypatch.setitem(sys.modules, "mlflow", None)
    code, _, err = send("r")
    assert code == 2
    assert err == "error: MLflow is not installed: pip install 'model-eras[mlflow]'.\n"


def test_names_lose_what_mlflow_forbids():
    assert export.clean("task.a b-c_1") == "task.a b-c_1"
    assert export.clean("model.a/b:c?«") == "model.a_b_c__"
    assert len(export.clean("x" * 300)) == 250


def test_a_run_of_mlflow_holds_what_the_record_does(run, send, sent, record):
    made = record(
        checks=[{"code": "ME03", "text": "t"}, {"code": "ME05", "text": "t"}],
        work={"knobs": 3, "gpu": "no", "packages": ["scipy"]},
        seconds=2.5,
    )
    made["config"]["model"] |= {
        "C": 4.0,
        "path/": "x" * 9000,
        "layers": [1, 2],
        "limit": None,
        "text": "",
    }
    put(run, made)
    code, out, err = send("r")
    assert (code, err) == (0, "")
    assert "run r: 1 sent, 0 were there already" in out
    assert "mlflow ui --backend-store-uri sqlite:///" in out
    client, runs = sent()
    found = runs["coin-svm-0-0"]
    assert found.info.run_name == "svm, seed 0"
    assert found.info.status == "FINISHED"
    assert found.info.end_time - found.info.start_time == 2500
    params = found.data.params
    assert (params["task.rows"], params["model.C"], params["seed"]) == ("60", "4.0", "0")
    assert (params["model.layers"], params["model.limit"]) == ("[1, 2]", "None")
    assert params["model.text"] == ""
    assert params["model.path_"] == "x" * 5000
    metrics = found.data.metrics
    assert (metrics["score_roc_auc"], metrics["ceiling_roc_auc"]) == (0.8, 0.9)
    assert (metrics["seconds_fit"], metrics["latency_1_p50"]) == (1.0, 0.002)
    assert (metrics["memory_growth"], metrics["work_knobs"]) == (2**20, 3)
    assert not metrics.keys() & {"year", "seed", "task.rows", "model.C", "bound"}
    tags = found.data.tags
    assert (tags["run"], tags["task"], tags["model"], tags["era"]) == ("r", "coin", "svm", "tests")
    assert (tags["status"], tags["checks"], tags["commit"]) == ("done", "ME03 ME05", "abc")
    assert "reason" not in tags
    file = Path(client.download_artifacts(found.info.run_id, "record.json"))
    assert json.loads(file.read_text()) == made


def test_what_was_sent_is_not_sent_again(run, send, sent, record):
    first, second = put(run, record("a"), record("b"))
    assert "2 sent, 0 were there" in send("r")[1]
    before = {cell: r.info.run_id for cell, r in sent()[1].items()}
    assert "0 sent, 2 were there already" in send("r")[1]
    assert {cell: r.info.run_id for cell, r in sent()[1].items()} == before
    put(run, first, second, record("c"))
    assert "1 sent, 2 were there already" in send("r")[1]
    assert "3 sent" in send("r", "--experiment", "other")[1]
    assert len(sent("other")[1]) == 3
    put(run, record("a") | {"started": "2026-05-01T00:00:00.000+00:00"})
    assert "1 sent, 2 were there already" in send("r")[1], "a cell that ran again is another run"


def test_an_export_that_was_cut_off_is_made_whole(run, send, sent, record, monkeypatch):
    put(run, record("a"), record("b"))
    with monkeypatch.context() as broken:
        broken.setattr("mlflow.MlflowClient.set_terminated", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            send("r")
    assert {r.info.status for r in sent()[1].values()} == {"RUNNING"}
    assert "2 sent, 0 were there already" in send("r")[1]
    assert {r.info.status for r in sent()[1].values()} == {"FINISHED"}


def test_a_cell_that_failed_is_a_run_that_failed(run, send, sent, record):
    failed = record("a", status="timeout", reason="stopped after 2 s in fit", seconds=None)
    for name in ("scores", "floor", "ceiling", "phases", "latency", "rows", "kind", "metric"):
        del failed[name]
    put(run, failed)
    assert send("r")[0] == 0
    found = sent()[1]["coin-a-0-0"]
    assert found.info.status == "FAILED"
    assert found.data.tags["status"] == "timeout"
    assert found.data.tags["reason"] == "stopped after 2 s in fit"
    assert found.info.end_time == found.info.start_time
    assert "score_roc_auc" not in found.data.metrics


def test_a_search_is_a_step_per_trial(run, send, sent, record):
    trials = [
        {"values": {}, "score": 0.7, "seconds": 1.0},
        {"values": {"C": 9.0}, "score": None, "seconds": 2.0, "reason": "words"},
        {"values": {"C": 4.0}, "score": 0.8, "seconds": 3.0},
    ]
    tuned = record(tuning={"trials": trials, "used": {"trials": 3}, "chosen": {"C": 4.0}})
    put(run, tuned)
    send("r")
    client, runs = sent()
    found = runs["coin-svm-0-0"]
    history = client.get_metric_history(found.info.run_id, "trial_score")
    assert [(m.step, m.value) for m in history] == [(0, 0.7), (2, 0.8)]
    assert len(client.get_metric_history(found.info.run_id, "trial_seconds")) == 3
    assert found.data.params["model.C"] == "4.0"
    assert found.data.metrics["tuned_trials"] == 3


def test_a_record_that_cannot_be_read_is_named_and_the_others_are_sent(run, send, sent, record):
    put(run, record())
    (run.cells / "half.json").write_text("{")
    code, out, err = send("r")
    assert code == 0
    assert "1 sent" in out
    assert err.startswith("warning: ")
    assert "half.json is damaged" in err
    assert len(sent()[1]) == 1


def test_a_store_that_cannot_be_used_is_one_sentence_within_seconds(run, send, sent, record):
    put(run, record())
    (run.folder / "text").write_text("no database")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        stores = (
            f"http://me:secret@127.0.0.1:{taken.getsockname()[1]}",
            "http://no-such-host.invalid",
            f"sqlite:///{run.folder}/text",
            "sqlite:////proc/none/x.db",
            "postgresql://me:secret@127.0.0.1:1/x",
            "foo://bar",
            f"file://{run.folder}/files",
        )
        for store in stores:
            begin = time.monotonic()
            code, _, err = send("r", "--uri", store)
            assert time.monotonic() - begin < 10
            assert code == 2, store
            assert err.startswith("error: MLflow's store "), store
            assert len(err.splitlines()) == 1
            assert "secret" not in err


def test_it_calls_nobody_but_the_store(run, sent, record, tmp_path):
    put(run, record())
    code = (
        "import os, sys; from benchmarks import export;"
        "calls = 'socket.connect', 'socket.getaddrinfo';"
        "sys.addaudithook(lambda event, _: event in calls and os._exit(3));"
        "sys.exit(export.main(sys.argv[1:]) or 4 * ('torch' in sys.modules))"
    )
    arguments = ["r", "--results", str(run.folder.parent)]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(sent()[1]) == 1
