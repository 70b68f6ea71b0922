"""A command of the kit in a process of its own: followed line by line, ended in order."""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from model_eras.place import command, environment

BAD_INPUT, CANNOT_WRITE, BUSY = 2, 3, 75
"""Exit codes of the kit's commands (benchmarks/errors.py)."""
PATIENCE = 60
"""Seconds that a command has to put its records in order; then it is killed, and its guard ends
what it has started."""


class BadInput(ValueError):
    """A mistake in what was asked for: one sentence on what was found and what is allowed."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: our own lines of code would tell nobody anything."""
        return [f"{type(self).__name__}: {self}"]


class CannotWrite(OSError):
    """A disk that is full, a folder that is gone or read-only: one sentence."""

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


def nothing(_: str) -> None:
    pass


def run(
    module: str,
    *arguments: str,
    allowed: tuple[int, ...] = (0,),
    tell: Callable[[str], None] = nothing,
    folder: Path | None = None,
) -> str:
    """Run a command of the kit and return what it printed. tell: gets each line at once. folder:
    where it runs; else here.

    allowed: exit codes that are no failure. Raises BadInput, CannotWrite, RuntimeError with what
    it said last. Interrupted in whatever way, it returns when the command has ended, and what that
    has started with it.
    """
    # A session of its own: a notebook's Ctrl-C reaches this process alone, which then ends the
    # command as a shell would; a second one would have it leave at once. Wide lines: none is cut.
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors,
        subprocess.Popen(
            command(module, *arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=folder,
            env=environment() | {"COLUMNS": "1000", "PYTHONIOENCODING": "utf-8"},
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        ) as process,
    ):
        lines = []
        try:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line)
                tell(line.rstrip("\n"))
            code = process.wait()
        except BaseException:
            end(process)
            raise
        if code not in allowed:
            errors.seek(0)
            refuse(code, errors.read(), module)
        return "".join(lines)


def end(process: "subprocess.Popen[str]") -> None:
    """Interrupt a command and wait for its end; once more if somebody is impatient."""
    while process.poll() is None:
        process.terminate()
        try:
            process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
        except KeyboardInterrupt:
            continue


def refuse(code: int, said: str, module: str) -> NoReturn:
    """Raise what an exit code and the last line on standard error stand for."""
    last = said.strip().splitlines()[-1:]
    sentence = "".join(last).removeprefix("error: ")
    if code in (BAD_INPUT, BUSY):
        raise BadInput(sentence)
    if code == CANNOT_WRITE:
        raise CannotWrite(sentence)
    sys.stderr.write(said)
    raise RuntimeError(f"{module} ended with code {code}: {sentence or 'it said nothing'}")
