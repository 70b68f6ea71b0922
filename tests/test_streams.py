"""Commands end in a sentence and an exit code, whatever their streams and their disk take."""

import errno
import io
import os
import shutil
import subprocess
import sys

import pytest

from benchmarks import verdicts
from benchmarks.errors import BadInput, CannotWrite, command, plain
from benchmarks.records.files import write
from benchmarks.show import pages
from benchmarks.show.terminal import Terminal
from tests.conftest import ROOT

STEERING = "\x1b[31m\x9b1m\x07\x08\u202e\r\n\x00"


def test_control_characters_of_data_never_reach_a_terminal():
    out = io.StringIO()
    console = Terminal(file=out, width=80, force_terminal=True)
    console.print(f"a{STEERING}b")
    assert "\x1b[31m\x9b" not in out.getvalue()
    assert not set("\x9b\x07\x08\u202e\r\x00") & set(out.getvalue())
    assert plain(f"a{STEERING}b").isprintable()
    assert plain("naïve 1\u00a0000 \u2013") == "naïve 1 000 \u2013"
    out.truncate(0)
    console.print("[red]red[/]")
    assert "\x1b[31mred" in out.getvalue(), "its own colours are left"


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_stream_that_is_not_utf8_gets_other_characters(command, encoding):
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(
        command("model=steep,baseline"), cwd=ROOT, capture_output=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert b"UnicodeEncodeError" not in done.stderr
    assert b"ROC AUC" in done.stdout


@pytest.mark.parametrize("module", ["benchmarks.verdicts", "benchmarks.compare"])
def test_help_on_a_stream_of_ascii(module):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, env=environment
    )
    assert done.returncode == 0, done.stderr


ENDINGS = {
    BadInput("a mistake"): 2,
    CannotWrite("a mishap"): 3,
    OSError(errno.ENOSPC, "No space left on device"): 3,
    BrokenPipeError(): 3,
    KeyboardInterrupt(): 130,
}


@pytest.mark.parametrize(("error", "code"), ENDINGS.items(), ids=lambda x: type(x).__name__)
def test_how_a_command_ends(error, code, capsys):
    @command
    def fails() -> int:
        raise error

    assert fails() == code
    assert len(capsys.readouterr().err.splitlines()) <= 1


def test_a_mistake_of_ours_is_none_of_the_users():
    @command
    def fails() -> int:
        raise FileNotFoundError(errno.ENOENT, "no such file")

    with pytest.raises(FileNotFoundError):
        fails()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux alone has it")  # noqa: PTH110
def test_output_on_a_full_disk(eras, tmp_path):
    assert eras("model=steep,baseline").returncode == 0
    line = [sys.executable, "-m", "benchmarks.verdicts", "a", "--results", str(tmp_path)]
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(line, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 3
    assert done.stderr == "error: The output cannot be written (No space left on device).\n"


def test_a_full_disk_ends_a_run_and_cuts_nothing(eras, tmp_path, monkeypatch):
    assert eras().returncode == 0
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}

    def full(_) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("os.fsync", full)
        done = eras("seed=0,1")
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert "cannot be written (No space left on device)" in line
    assert line.endswith("the same command goes on from there.")
    assert {file: file.read_bytes() for file in before} == before
    assert "1 cells to run, 1 found" in eras("seed=0,1").stdout


def test_a_folder_that_goes_meanwhile_ends_a_run(eras, tmp_path, monkeypatch):
    from benchmarks.runner import execute

    compose = execute.compose

    def gone(*arguments):
        found = compose(*arguments)
        shutil.rmtree(tmp_path / "a")
        return found

    monkeypatch.setattr(execute, "compose", gone)
    done = eras("seed=0,1")
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1


def test_a_table_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    write(tmp_path / "table.md", "old")

    def full(_) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(CannotWrite, match=r"table\.md cannot be written"):
        pages.write(tmp_path, [])
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("table.md", "old")]
    assert verdicts.main(["none", "--results", str(tmp_path)]) == 2


def test_a_cell_may_say_anything_and_the_others_go_on(eras, records):
    """None of it ends the run, and a second try works."""
    modes = "model.mode=good,half,speechless"
    done = eras("model=odd", modes)
    assert done.returncode == 1
    found = {r["config"]["model"]["mode"]: r for r in records()}
    assert found["half"]["reason"] == "ValueError: a\\ud800\x1b[31mb"
    assert found["speechless"]["reason"] == "Speechless"
    good = found["good"]
    assert (good["notes"]["nan"], good["notes"]["1"]) == (None, "\\xff")
    assert (good["history"], good["parameters"]) == ({"loss": [None, None, 1.0]}, None)
    assert "\x1b" not in done.stdout
    assert "0 cells to run, 3 found" in eras("model=odd", modes).stdout
    assert "2 cells to run, 1 found" in eras("model=odd", modes, "rerun=failed").stdout
