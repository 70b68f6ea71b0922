"""A data frame in, an answer out: `from model_eras import compare`."""

import ast
import os
import re
import signal
import subprocess
import sys

import pandas as pd
import psutil
import pyarrow as pa
import pytest

import model_eras
from benchmarks.records.records import Run
from model_eras import child
from model_eras.table import saved
from tests.conftest import OWN_CONF, ROOT, is_alive, wait_for
from tests.examples import heads

KIT = {"benchmarks", "tasks", "models", "hydra_plugins", "tests"}


def test_importing_it_loads_the_standard_library_alone():
    code = (
        "import sys; before = set(sys.modules); import model_eras;"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(*sorted(new - sys.stdlib_module_names - {'model_eras'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_the_door_imports_nothing_of_the_kit():
    """It has to start where nothing of that is on the path."""
    for file in (ROOT / "model_eras").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & KIT, file


@pytest.fixture
def compared(tmp_path):
    """Compare with one quick model, in a folder of its own."""

    def call(data, *settings: str, **given) -> model_eras.Result:
        usual = {"models": "baseline", "seeds": 0, "results": tmp_path / "results"} | given
        return model_eras.compare(data, "y", "threads=1", *settings, **usual)

    return call


def test_a_data_frame_goes_in_and_an_answer_comes_out(compared, capsys):
    data = heads()
    indexed = data.set_index(pd.Index(range(100, 190), name="z"))
    result = compared(indexed, models=["baseline", "logistic"])
    assert "y" in result.run
    assert result.failed == 0
    assert "logistic" in result.answer
    assert isinstance(result.table, pd.DataFrame)
    assert list(result.table["model"]) == ["logistic", "baseline"]
    assert result.table["roc_auc"][0] > 0.9
    (pair,) = result.verdicts.to_dict("records")
    assert (pair["a"], pair["b"]) == ("logistic", "baseline")
    html = result._repr_html_()
    assert html.index(result.answer[:20]) < html.index("<table")
    assert "logistic" in str(result)
    assert "[2/2] " in capsys.readouterr().err
    (kept,) = result.folder.glob("data-*.parquet")
    assert pd.read_parquet(kept).equals(data), "an index is no column"
    page = result.report()
    assert "<html" in page.read_text()[:200]
    again = compared(pa.Table.from_pandas(data, preserve_index=False))
    assert again.folder == result.folder, "the same rows are the same run"
    assert isinstance(again.table, pa.Table)
    assert "[1/" not in capsys.readouterr().err, "what is done is found again"
    assert again.table["model"].to_pylist() == ["baseline"], "what was asked for, and no more"


@pytest.mark.slow
def test_a_failed_cell_is_told_and_no_error(compared):
    arguments = (OWN_CONF, "allow=tests", "model=steep", "model.mode=raise")
    result = compared(heads(), *arguments, models=None)
    assert result.failed == 1
    assert "planted [red]failure[/]" in result._repr_html_()
    assert "planted [red]failure[/]" in str(result)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "given", "sentence"),
    [
        (heads(), {"models": "svmm"}, "There is no model 'svmm'; did you mean svm"),
        (heads(), {"run": "../x"}, r"run=\.\./x: a name is made of"),
        (heads().rename(columns={"y": "z"}), {}, "there is no column 'y'; the nearest are"),
        (heads().assign(y="head"), {}, "has one class only"),
        ([1, 2], {}, "builtins.list is no table that can be read"),
        (pd.DataFrame({"x": [1, "a"], "y": [1, 2]}), {}, "is no table that can be read"),
        ("nowhere.csv", {}, "there is no file nowhere.csv"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(compared, tmp_path, data, given, sentence):
    with pytest.raises(model_eras.BadInput, match=sentence) as caught:
        compared(data, **given)
    assert caught.value._render_traceback_() == [f"BadInput: {caught.value}"]
    assert not list(tmp_path.iterdir())


def test_where_the_run_lies_is_said_by_its_arguments(compared):
    with pytest.raises(model_eras.BadInput, match="say it as run='b'"):
        compared(heads(), "run=b")


@pytest.mark.slow
def test_a_column_of_any_name_is_that_column(tmp_path):
    name = "a,b ${x} it's"
    data = heads().rename(columns={"y": name, "x": "=1"})
    usual = {"models": "baseline", "seeds": 0, "results": tmp_path}
    result = model_eras.compare(data, name, "threads=1", **usual)
    assert result.failed == 0
    assert re.fullmatch(r"a-b-x-it-s-\w{8}", result.run)


def test_a_row_is_fitted_to_be_taken_along(compared):
    result = compared(heads(), models="logistic")
    folder = result.fit("logistic")
    assert (folder / "card.md").is_file()
    assert result.fit("logistic") == folder, "again is no mistake"
    with pytest.raises(model_eras.BadInput, match="no row 'svm'; there are: logistic"):
        result.fit("svm")


def test_a_command_that_breaks_says_what_it_said(monkeypatch, capsys):
    with pytest.raises(model_eras.BadInput, match="There is no run nowhere"):
        child.run("benchmarks.report", "nowhere")
    with pytest.raises(RuntimeError, match=r"ended with code 1: .*No module named"):
        child.run("benchmarks.nowhere")


CALLER = """
import sys
import pandas as pd
from model_eras import compare
data, results, conf = pd.read_csv(sys.argv[1]), sys.argv[2], sys.argv[3]
print("ready", flush=True)
for modes in ("good", "good,hang"):  # one after the other: the order of a sweep is by lot
    compare(data, "y", conf, "allow=tests", "model=steep", f"model.mode={modes}", "threads=1",
            seeds=0, run="a", results=results)
"""


@pytest.fixture
def caller(tmp_path):
    """A process that compares, with one cell done and one that hangs."""
    heads().to_csv(tmp_path / "heads.csv", index=False)
    process = subprocess.Popen(
        [sys.executable, "-c", CALLER, "heads.csv", str(tmp_path / "results"), OWN_CONF],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    cells = tmp_path / "results" / "a" / "cells"
    wait_for(lambda: list(cells.glob("*.json")) and list(cells.glob("*.partial/phase")), 60)
    yield process
    process.kill()
    process.communicate()


def family_of(process) -> list[int]:
    """Everything that it has started: the command, its worker, the worker's guard, a cell."""
    found = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
    assert len(found) >= 3
    return found


def test_an_interrupted_call_leaves_whole_records_and_no_process(caller, tmp_path):
    family = family_of(caller)
    caller.send_signal(signal.SIGINT)
    _, err = caller.communicate(timeout=60)
    assert err.rstrip().endswith("KeyboardInterrupt")
    run = Run(tmp_path / "results" / "a")
    assert [record["status"] for record in run.read()] == ["done"]
    assert "steep" in (run.folder / "table.md").read_text(), "what is done is in the table"
    assert not any(map(is_alive, family)), "it returned before all had ended"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody tells of a parent's end")
def test_a_call_whose_process_is_killed_leaves_no_process(caller, tmp_path):
    family = family_of(caller)
    caller.kill()
    caller.wait()
    wait_for(lambda: not any(map(is_alive, family)))
    assert [r["status"] for r in Run(tmp_path / "results" / "a").read()] == ["done"]


def test_the_same_rows_make_the_same_file(tmp_path):
    names = set()
    for data in (heads(), heads().set_index(pd.Index(range(90), name="id")), pa.table(heads())):
        part, checksum = saved(data, tmp_path)
        names.add(checksum)
        part.unlink()
    assert len(names) == 1
    _, other = saved(heads().assign(x=1.0), tmp_path)
    assert other not in names
