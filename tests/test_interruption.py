"""Signals, at whatever moment: one sentence, an exit code, nothing left running."""

import os
import pty
import random
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from benchmarks.interruption import SENTENCE
from tests.conftest import ROOT, is_alive, processes_with, wait_for

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


def start(command: list[str], **how) -> subprocess.Popen:
    def as_in_a_shell() -> None:  # one that started the tests in the background ignores some
        for number in CODES:
            signal.signal(number, signal.SIG_DFL)

    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | how
    return subprocess.Popen(command, cwd=ROOT, preexec_fn=as_in_a_shell, **pipes)


def ended(process: subprocess.Popen, folder) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    wait_for(lambda: not processes_with(folder))
    return process.returncode, out, err


def is_ready(process: subprocess.Popen) -> bool:
    """Has it said what becomes of signals? Before that it is Python that starts, not the kit."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    (caught,) = re.findall(r"SigCgt:\s*(\w+)", text)
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc says who waits for signals")
@pytest.mark.parametrize("number", CODES)
def test_a_signal_before_the_first_cell(command, tmp_path, number):
    """Nothing but Python has been loaded yet."""
    process = start(command("model.mode=hang"))
    wait_for(lambda: is_ready(process))
    process.send_signal(number)
    assert ended(process, tmp_path) == (CODES[number], f"{SENTENCE}\n", "")
    assert not list(tmp_path.rglob("*.json"))


@pytest.mark.parametrize("number", CODES)
def test_a_signal_while_cells_run(command, tmp_path, number):
    process = start(command("model.mode=good,hang", "limits.seconds=60"))
    cells = tmp_path / "a" / "cells"
    wait_for(lambda: list(cells.glob("*.json")) and list(cells.glob("*.partial/phase")), 60)
    process.send_signal(number)
    code, out, err = ended(process, tmp_path)
    assert (code, err) == (CODES[number], "")
    assert out.endswith(f"{SENTENCE}\n")
    assert out.count(SENTENCE) == 1
    assert len(list(cells.glob("*.json"))) == 1
    assert "coin" in (tmp_path / "a" / "table.md").read_text(), "what is done is in the table"


@pytest.mark.slow
def test_a_signal_that_is_ignored_stays_so(command, tmp_path):
    process = subprocess.Popen(
        command("model.mode=slow"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),  # as nohup does
    )
    wait_for(lambda: list((tmp_path / "a" / "cells").glob("*.partial")), 60)
    process.send_signal(signal.SIGHUP)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "coin" in out


@pytest.mark.slow
def test_a_terminal_that_is_closed_ends_the_command_in_order(command, tmp_path):
    ours, theirs = pty.openpty()
    process = start(
        command("model.mode=good,hang", "limits.seconds=60"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    cells = tmp_path / "a" / "cells"
    wait_for(lambda: list(cells.glob("*.json")) and list(cells.glob("*.partial/phase")), 60)
    os.close(ours)
    process.send_signal(signal.SIGHUP)
    assert process.wait(timeout=60) == 129
    assert "coin" in (tmp_path / "a" / "table.md").read_text()
    wait_for(lambda: not processes_with(tmp_path))


LATE = """
from benchmarks import interruption
{first}
import os, signal
class Late:
    def __del__(self, kill=os.kill, pid=os.getpid(), number=signal.{name}):
        kill(pid, number)
import sys
sys.late = Late()  # is gone when the modules are, with Python's own handlers in place again
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_while_python_ends_comes_too_late(name):
    def code(first: str) -> int:
        source = LATE.format(first=first, name=name)
        heard = partial(signal.signal, getattr(signal, name), signal.SIG_DFL)  # also below nohup
        line = [sys.executable, "-c", source]
        return subprocess.run(line, cwd=ROOT, preexec_fn=heard).returncode

    assert code("interruption.leave_when_interrupted()") == 0
    handlers_alone = "interruption._handle(interruption._leave)"
    assert code(handlers_alone) == -getattr(signal, name), "the test could not fail"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(30))
def test_signals_at_any_moment(command, tmp_path, seed):
    """One or two of them, close together, somewhere in the first seconds."""
    draw = random.Random(seed)
    process = start(command("model.mode=slow", "seed=0,1,2,3"))
    wait_for(lambda: is_ready(process))
    time.sleep(6 * draw.random())
    numbers = draw.choices(list(CODES), k=draw.choice([1, 2]))
    for number in numbers:
        process.send_signal(number)
        time.sleep(0.3 * draw.random())
    code, out, err = ended(process, tmp_path)
    assert err == ""
    if code == 0:  # it was too late
        assert SENTENCE not in out
    else:
        assert code in [CODES[number] for number in numbers]
        assert out.count(SENTENCE) == 1
    assert not is_alive(process.pid)
