"""A process per cell, with a limit on its time, at the cost of a fork.

A worker is a small server: it fixes the number of threads, loads the libraries of the cells to
come (nothing of them is run), and forks a child for each cell, which then starts in
milliseconds instead of seconds. What every cell needs it loads from the start, while its parent
still reads configs. The child leads a process group of its own, so that whatever it
started ends with it. When the worker's parent goes away, in whatever way, the cell is ended.

Forking after frameworks were loaded is safe on Linux; macOS forbids it for some of its own
(the reason why Python spawns there), so there every cell starts a new interpreter.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from benchmarks.records.machine import available_cores

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "POLARS_MAX_THREADS",
)


SAMPLE_SECONDS = 0.1
COMMON = ("benchmarks.cell.cell", "pandas", "sklearn.metrics")
"""What every cell needs, loaded without being asked."""


@dataclass(frozen=True)
class Ending:
    """How the process of a cell ended."""

    exit_code: int
    """As in subprocess: negative for the signal that ended it."""
    timed_out: bool
    out_of_memory: bool
    """The system ended a process for lack of memory while the cell ran, and this one died."""
    wall: float
    """Seconds from the start of the process to its end."""
    children: list[tuple[float, int]]
    """Moments (`perf_counter`), and the resident bytes of the processes that the cell had started
    itself; empty if it started none."""


class WorkerDied(Exception):
    """The worker itself ended; the message holds what it printed last."""


class Worker:
    """Client side. Use as a context manager; `load` what the cells need, `run` one at a time."""

    def __init__(self, threads: int, fork: bool | None = None) -> None:
        self.threads = threads
        self.state: dict[str, Any] = {}
        """Of a child with everything loaded: `pools` (machine.pools) and `fastest`, the seconds of
        a calibration; empty before `load`, and where every cell starts an interpreter."""
        self._answers = 0
        self._is_loading = False
        fork = sys.platform == "linux" if fork is None else fork
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        # Threads of GNU OpenMP wait for each other by spinning. When another process has one of
        # the cores, the others spin for as long as it keeps it, at every barrier. With this bound
        # two XGBoost fits at once took 7.5 s each instead of 13.3 s; one alone 3.0 s, not 2.9 s.
        environment = {"GOMP_SPINCOUNT": "1000", **os.environ}
        environment |= {name: str(threads) for name in THREAD_VARIABLES}
        start = {"threads": threads, "fork": fork}
        # A session of its own: Ctrl-C reaches the parent alone, which then ends the worker.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.runner.worker", json.dumps(start)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment,
            start_new_session=True,
            text=True,
        )

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if not self._answers:
            self._process.kill()  # it has no cell, and would load its libraries to the end
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()  # tells the worker to end its cell and itself
        self._process.wait()
        self._process.stdout.close()
        self._log.close()

    def load(self, modules: Iterable[str]) -> None:
        """Begin to load these modules for all cells to come; what is asked next waits for it."""
        self._send({"modules": sorted(modules)})
        self._is_loading = True

    def check(self, configs: Sequence[dict[str, Any]]) -> str | None:
        """Build the tasks and models of these configs in a child; what is wrong with the first
        that is refused, None if all can be used. Raises WorkerDied."""
        answer: str | None = self._ask({"check": list(configs)})["refusal"]
        return answer

    def run(self, job: dict[str, Any], folder: Path, limits: Mapping[str, Any]) -> Ending:
        """Run one cell (see cell.main) and wait for its end, within `limits` (`seconds`)."""
        request = {"job": job, "folder": str(folder.resolve()), "limits": dict(limits)}
        return Ending(**self._ask(request))

    def wait(self) -> None:
        """Return when everything is loaded. Raises WorkerDied."""
        if self._is_loading:
            self._is_loading = False
            self.state = self._answer()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        self.wait()
        self._send(request)
        return self._answer()

    def _send(self, request: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # the answer will say so
            print(json.dumps(request), file=self._process.stdin, flush=True)

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._log.seek(0)
            tail = self._log.read().decode(errors="replace").strip().splitlines()[-1:]
            raise WorkerDied(" ".join(tail) or f"exit code {self._process.returncode}")
        self._answers += 1
        answer: dict[str, Any] = json.loads(line)
        return answer


def serve(threads: int, fork: bool) -> None:
    """Server side: answer requests from standard input until it is closed."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not be taken for an answer
    if hasattr(os, "sched_setaffinity") and threads < available_cores():
        # Libraries that read no variable (TBB, DuckDB) count the processors they may use.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    # Modules live as long as the worker: looking for garbage among them took a tenth of the time,
    # and in a child it would copy their pages.
    gc.disable()
    if fork:
        load(COMMON)
    wake, ring = os.pipe()
    os.set_blocking(ring, False)
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(ring)  # a child's end makes `wake` readable
    signal.signal(signal.SIGCHLD, lambda *_: None)
    start = _fork if fork else _spawn
    requests = os.fdopen(0, "rb", buffering=0, closefd=False)  # select sees what is not buffered
    for line in iter(requests.readline, b""):
        request = json.loads(line)
        if "modules" in request:
            if fork:
                load(request["modules"])
            state = _in_child(_state) if fork else {}
            print(json.dumps(state or {}), file=answers, flush=True)
            continue
        if "check" in request:
            refusal = _in_child(partial(_refusal, request["check"])) if fork else None
            print(json.dumps({"refusal": refusal}), file=answers, flush=True)
            continue
        begin = time.perf_counter()
        kills = _oom_kills()
        pid = start(request)
        children: list[tuple[float, int]] = []
        sample = children if request["job"]["timing"]["audit"] else None
        code, timed_out = _wait(pid, begin + request["limits"]["seconds"], wake, sample)
        starved = code == -signal.SIGKILL and not timed_out and _oom_kills() > kills
        ending = Ending(code, timed_out, starved, time.perf_counter() - begin, children)
        print(json.dumps(vars(ending)), file=answers, flush=True)
    os._exit(0)  # taking the libraries apart took 0.3 s


def load(modules: Iterable[str]) -> None:
    """Import these modules. One that does not import fails its own cells, with its own message."""
    for module in modules:
        with contextlib.suppress(Exception):
            importlib.import_module(module)
    gc.freeze()


def _in_child(question: Callable[[], Any]) -> Any:
    """What a question answers in a child, as JSON allows it; None if it fails there."""
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        with contextlib.suppress(BaseException):
            os.write(write, json.dumps(question()).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, encoding="utf-8") as pipe:
        text = pipe.read()
    os.waitpid(pid, 0)
    return json.loads(text) if text else None


def _refusal(configs: Sequence[dict[str, Any]]) -> str | None:
    from benchmarks.cell.build import refusal

    return refusal(configs)


def _state() -> dict[str, Any]:
    from benchmarks.cell.clock import calibration
    from benchmarks.records.machine import pools

    return {"fastest": calibration()["seconds"], "pools": pools()}


def _fork(request: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        with contextlib.suppress(OSError):  # the child does it too: whoever is first
            os.setpgid(pid, pid)
        return pid
    code = 70
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setpgid(0, 0)
        gc.enable()
        _run_here(request)
        code = 0
    finally:
        os._exit(code)  # nothing of the worker's own may run in the child: no atexit, no flush
    return 0


def _spawn(request: dict[str, Any]) -> int:
    command = [sys.executable, "-m", "benchmarks.runner.worker", "--cell", json.dumps(request)]
    return subprocess.Popen(command, process_group=0, stdin=subprocess.DEVNULL).pid


def _run_here(request: dict[str, Any]) -> None:
    folder = Path(request["folder"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    log = os.open(folder / "cell.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    from benchmarks.cell import cell  # after the threads are fixed: it loads numpy

    cell.main(request["job"], folder)
    sys.stdout.flush()
    sys.stderr.flush()


def _wait(
    pid: int, deadline: float, wake: int, samples: list[tuple[float, int]] | None
) -> tuple[int, bool]:
    """Wait for the child's end, its deadline, or the parent's going away.

    samples: gets the memory of the child's own children (see Ending), looked at from here so that
    the child's clock has nothing to do with it; None if nobody wants to know.
    """
    timed_out = False
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            _kill_group(pid)  # what the cell started and left behind
            return os.waitstatus_to_exitcode(status), timed_out
        left = deadline - time.perf_counter()
        if left <= 0:
            timed_out = True
            _kill_group(pid)
            left = 1.0
        if samples is not None and (size := _children_bytes(pid)):
            samples.append((time.perf_counter(), size))
        pause = left if samples is None else min(left, SAMPLE_SECONDS)
        readable, _, _ = select.select([0, wake], [], [], pause)
        with contextlib.suppress(BlockingIOError):
            os.read(wake, 4096)
        if 0 in readable:  # no request comes while one runs: the parent has closed the pipe
            _kill_group(pid)
            os.waitpid(pid, 0)
            os._exit(0)


def _children_bytes(pid: int) -> int:
    """Resident bytes of all processes below this one."""
    try:
        below = []
        for thread in Path(f"/proc/{pid}/task").iterdir():  # each may have started some
            below += [int(child) for child in (thread / "children").read_text().split()]
        return sum(
            psutil.Process(child).memory_info().rss + _children_bytes(child) for child in below
        )
    except FileNotFoundError:  # no Linux, or no such process any more
        with contextlib.suppress(psutil.Error):
            found = psutil.Process(pid).children(recursive=True)
            return sum(child.memory_info().rss for child in found)
    except (OSError, psutil.Error):
        pass
    return 0


def _oom_kills() -> int:
    """How many processes this system has ended for lack of memory (Linux; else always 0)."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/vmstat").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    if sys.argv[1] == "--cell":
        _run_here(json.loads(sys.argv[2]))
    else:
        serve(**json.loads(sys.argv[1]))
