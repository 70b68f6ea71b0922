"""A process per cell, with a limit on its time, at the cost of a fork.

A worker is a small server: it fixes the number of threads, loads the libraries of the cells to
come (of the code of tasks and models nothing: that is loaded in the cells), and forks a child for
each cell, which then starts in milliseconds instead of seconds. What every cell needs it loads from
the start, while its parent still reads configs. Whatever a cell has started ends with it, also what
has left its group (tree.py).

Beside the server stands its guard, a process without any library that waits: when the parent goes
away, in whatever way, or the server dies, it ends everything that is left.

Forking after frameworks were loaded is safe on Linux; macOS forbids it for some of its own
(the reason why Python spawns there), so there every cell starts a new interpreter.
"""

import contextlib
import faulthandler
import gc
import json
import os
import pkgutil
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.records.machine import available_cores
from benchmarks.runner import tree
from benchmarks.runner.cgroup import Group, enter
from benchmarks.runner.watch import Limits, Watch, last_words

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "POLARS_MAX_THREADS",
)


OOM_SCORE, SCORE = Path("/proc/self/oom_score_adj"), 800  # of 1000; whose sum is largest goes first
REFUSAL = "refusal.json"
WORK = {
    "cell": "benchmarks.cell.cell.main",
    "fit": "benchmarks.cell.take.main",
    "predict": "benchmarks.cell.scored.main",
    "split": "benchmarks.cell.handed_out.main",
    "features": "benchmarks.cell.on_disk.main",
}
"""What is done in the process of a cell: by the `work` of a job, which is a cell unless it says."""
COMMON = ("benchmarks.cell.cell", "pandas", "sklearn.metrics", "annotated_types")
"""What every cell needs, loaded without being asked."""


@dataclass(frozen=True)
class Ending:
    """How the process of a cell ended."""

    exit_code: int
    """As in subprocess: negative for the signal that ended it."""
    limit: str | None
    """The one for which it was ended: `seconds`, `memory`, `tokens` or `money`."""
    out_of_memory: bool
    """The system ended a process for lack of memory while the cell ran, and this one died."""
    wall: float
    """Seconds from the start of the process to its end."""
    children: list[tuple[float, int]]
    """Moments (`perf_counter`), and the resident bytes of the processes that the cell had started
    itself; empty if it started none."""
    said: list[str]
    """The last lines that it printed, if it did not end well."""


class WorkerDied(Exception):
    """The worker itself ended; the message holds what it printed last."""


@dataclass(frozen=True)
class Checked:
    """What tasks and models say of their settings."""

    refusal: str | None
    """What is wrong with the first that is refused; None if none is."""
    unanswered: tuple[str, ...]
    """Classes (`_target_`) whose process did not end by itself, or not within its limit."""


def signal_name(number: int) -> str:
    """`9 (SIGKILL)`; of a signal without a name (real-time ones) its number alone."""
    with contextlib.suppress(ValueError):
        return f"{number} ({signal.Signals(number).name})"
    return str(number)


class Worker:
    """Client side. Use as a context manager; `load` what the cells need, `run` one at a time."""

    def __init__(
        self, threads: int, fork: bool | None = None, cores: Sequence[int] | None = None
    ) -> None:
        """cores: that it may use; None for the first ones, as many as threads."""
        self.threads = threads
        self.state: dict[str, Any] = {}
        """Of a child with everything loaded: `pools` (machine.pools) and `fastest`, the seconds of
        a calibration; empty before `load`, and where every cell starts an interpreter."""
        self._is_loading = False
        fork = sys.platform == "linux" if fork is None else fork
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        # Threads of GNU OpenMP wait for each other by spinning. When another process has one of
        # the cores, the others spin for as long as it keeps it, at every barrier. With this bound
        # two XGBoost fits at once took 7.5 s each instead of 13.3 s; one alone 3.0 s, not 2.9 s.
        environment = {"GOMP_SPINCOUNT": "1000", **os.environ}
        environment |= {name: str(threads) for name in THREAD_VARIABLES}
        start = {"threads": threads, "fork": fork, "cores": cores and list(cores)}
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
        assert self._process.stdout is not None
        self.stop()
        self._process.wait()
        self._process.stdout.close()
        self._log.close()

    def stop(self) -> None:
        """Have it end everything and itself: whoever waits for an answer gets WorkerDied."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()  # which its guard sees

    def load(self, libraries: Iterable[str]) -> None:
        """Begin to load these libraries, modules or what is in them by dotted names, for all cells
        to come; what is asked next waits for it."""
        self._send({"libraries": sorted(libraries)})
        self._is_loading = True

    def check(
        self, configs: Sequence[dict[str, Any]], seconds: float, allow: Sequence[str] = ()
    ) -> Checked:
        """Build the tasks and models of these configs, each class in a child of its own within so
        many seconds. allow: packages that they may be of. Raises WorkerDied."""
        answer = self._ask({"check": list(configs), "seconds": seconds, "allow": list(allow)})
        return Checked(answer["refusal"], tuple(answer["unanswered"]))

    def run(
        self,
        job: dict[str, Any],
        folder: Path,
        limits: Mapping[str, Any],
        told: Callable[[dict[str, int], float], Any] = lambda *_: None,
    ) -> Ending:
        """Run one cell (see cell.main) and wait for its end, within `limits` (see Limits.of). told:
        called once with the size of its rows, and the seconds that it took to make them."""
        request = {"job": job, "folder": str(folder.resolve()), "limits": dict(limits)}
        answer = self._ask(request)
        while "size" in answer:
            told(answer["size"], answer["making"])
            answer = self._answer()
        return Ending(**answer)

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
        with contextlib.suppress(BrokenPipeError, ValueError):  # it ended; the answer will say so
            print(json.dumps(request), file=self._process.stdin, flush=True)

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise WorkerDied(self._last_words())
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _last_words(self) -> str:
        code = self._process.wait()
        if code < 0 or code > 128:  # the guard was killed, or it tells that the server was
            return f"killed by signal {signal_name(-code if code < 0 else code - 128)}"
        self._log.seek(0)
        tail = self._log.read().decode(errors="replace").strip().splitlines()[-1:]
        return " ".join(tail) or f"exit code {code}"


def serve(threads: int, fork: bool, cores: Sequence[int] | None = None) -> None:
    """Server side: answer requests from standard input until it is closed."""
    if hasattr(os, "sched_setaffinity") and (cores or threads < available_cores()):
        # Libraries that read no variable (TBB, DuckDB) count the processors they may use.
        os.sched_setaffinity(0, cores or sorted(os.sched_getaffinity(0))[:threads])
    _under_guard()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not be taken for an answer
    # Modules live as long as the worker: looking for garbage among them took a tenth of the time,
    # and in a child it would copy their pages.
    gc.disable()

    def say(answer: Mapping[str, Any]) -> None:
        print(json.dumps(answer), file=answers, flush=True)

    server = _Server(fork, _ends_of_children(), say)
    server.load(COMMON)
    _first_call()
    requests = os.fdopen(0, "rb", buffering=0, closefd=False)
    for line in iter(requests.readline, b""):
        request = json.loads(line)
        if "libraries" in request:
            answer = server.load(request["libraries"])
        elif "check" in request:
            answer = vars(server.check(request["check"], request["seconds"], request["allow"]))
        else:
            answer = vars(server.run(request))
        say(answer)
    os._exit(0)  # taking the libraries apart took 0.3 s


def _under_guard() -> None:
    """Split into the server, which returns from here, and its guard, which does not."""
    tree.adopt_orphans()
    guard, server = os.getpid(), os.fork()
    if not server:
        os.setpgid(0, 0)  # a cell that kills the group of its parent spares the guard
        tree.adopt_orphans()
        tree.end_with_parent(guard, signal.SIGTERM)
        return
    try:
        os.dup2(2, 1)  # the end of the server is the end of its answers
        ends = _ends_of_children()
        poll = select.poll()
        poll.register(ends, select.POLLIN)
        poll.register(0, 0)  # tells no more than that the parent has closed it
        code = 1
        while 0 not in dict(poll.poll()):
            _drain(ends)
            done, status = os.waitpid(server, os.WNOHANG)
            if done:
                code = os.waitstatus_to_exitcode(status)
                break
        tree.end_below()
    finally:
        os._exit(code if code >= 0 else 128 - code)


def _ends_of_children() -> int:
    """A descriptor that can be read when a child has ended."""
    wake, ring = os.pipe()
    os.set_blocking(ring, False)
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(ring)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return wake


def _drain(descriptor: int) -> None:
    with contextlib.suppress(BlockingIOError):
        os.read(descriptor, 4096)


class _Server:
    """Starts the children of a worker, one at a time, and sees to their end."""

    def __init__(
        self, fork: bool, ends: int, say: Callable[[Mapping[str, Any]], None] = lambda _: None
    ) -> None:
        """ends: see `_ends_of_children`. say: what is told of a child before it has ended."""
        self._forks, self._ends, self._say = fork, ends, say
        self._libraries: dict[str, None] = {}

    def load(self, libraries: Iterable[str]) -> dict[str, Any]:
        """Load these for all children to come, and say how the process of a cell begins."""
        self._libraries |= dict.fromkeys(libraries)
        if not self._forks:
            return {}
        load(libraries)
        return _in_child(_state) or {}

    def check(
        self, configs: Sequence[Mapping[str, Any]], seconds: float, allow: Sequence[str]
    ) -> Checked:
        """See Worker.check."""
        unanswered = []
        for target in dict.fromkeys(config["_target_"] for config in configs):
            of_class = [config for config in configs if config["_target_"] == target]
            with tempfile.TemporaryDirectory(prefix="model-eras-") as folder:
                pid = self._start({"check": of_class, "folder": folder, "allow": allow})
                self._wait(
                    Watch(pid, os.getpid(), Path(folder), Limits(seconds), time.perf_counter())
                )
                told = Path(folder) / REFUSAL
                if not told.is_file():
                    unanswered.append(target)
                elif (refusal := json.loads(told.read_text(encoding="utf-8"))) is not None:
                    return Checked(refusal, tuple(unanswered))
        return Checked(None, tuple(unanswered))

    def run(self, request: dict[str, Any]) -> Ending:
        """See Worker.run."""
        begin, kills = time.perf_counter(), _oom_kills()
        folder, limits = Path(request["folder"]), Limits.of(request["limits"])
        group = None if limits.memory is None else Group.make(limits.memory)
        try:
            pid = self._start(request | {"group": str(group.folder) if group else None})
            audit, tells = request["job"]["timing"]["audit"], "work" not in request["job"]
            watch = Watch(pid, os.getpid(), folder, limits, begin, group, audit, tells)
            code, limit, said = self._wait(watch)
            if group is not None and group.kills():
                limit = "memory"
        finally:
            if group is not None:
                group.remove()
        starved = code == -signal.SIGKILL and limit is None and _oom_kills() > kills
        if code and not said:
            said = last_words(folder / "cell.log")
        wall = time.perf_counter() - begin
        return Ending(code, limit, starved, wall, watch.children, said)

    def _start(self, request: dict[str, Any]) -> int:
        if self._forks:
            return _fork(request)
        request = request | {"libraries": list(self._libraries)}
        command = [sys.executable, "-m", "benchmarks.runner.worker", "--cell", json.dumps(request)]
        return subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL).pid

    def _wait(self, watch: Watch) -> tuple[int, str | None, list[str]]:
        """Wait for the end of the child that is watched, or end it at a limit; its exit code, the
        limit, and what it had printed last when it got there. Then nothing that it has started is
        left."""
        pid, limit, said = watch.pid, None, list[str]()
        steps, due = watch.steps(""), 0.0
        signal.signal(signal.SIGTERM, _leave)
        while (status := tree.reap(pid)) is None:
            now = time.perf_counter()
            if limit is None and (limit := watch.look(now)) is not None:
                said = last_words(watch.folder / "cell.log")
                steps, due = watch.steps(limit), now
            if limit is not None and now >= due:
                number, seconds = next(steps)
                _send(pid, number)
                due = now + seconds
            self._tell(watch)
            pause = watch.pause(now) if limit is None else due - now
            select.select([self._ends], [], [], pause)
            _drain(self._ends)
        self._tell(watch)
        tree.end(pid)
        tree.end_below()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # where nothing runs, it ends at once
        return os.waitstatus_to_exitcode(status), limit, said

    def _tell(self, watch: Watch) -> None:
        """Pass on what the cell tells of its rows."""
        if (told := watch.told()) is not None:
            self._say({"size": told[0], "making": told[1]})


def _send(pid: int, number: signal.Signals) -> None:
    """Ask a cell to end, which concerns its own process alone; or have all that it started end."""
    if number == signal.SIGINT:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    elif number == signal.SIGTERM:
        for child in (pid, *tree.first_below(os.getpid())):
            tree.end(child, number)
    else:
        tree.end(pid)


def _leave(*_: Any) -> None:
    """The guard has gone: do its work."""
    tree.end_below()
    os._exit(1)


def load(libraries: Iterable[str]) -> None:
    """Import these. What does not import fails the cells that need it, with its own message."""
    for name in libraries:
        with contextlib.suppress(Exception):
            pkgutil.resolve_name(name)
    gc.freeze()


def _first_call() -> None:
    """Of scikit-learn: it looks for what may be a data frame among all installed packages, once in
    a process, which took a third of a cell that does nothing."""
    with contextlib.suppress(Exception):
        pkgutil.resolve_name("sklearn.utils.validation.check_array")([[0.0]])


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


def _state() -> dict[str, Any]:
    from benchmarks.cell.clock import calibration
    from benchmarks.records.machine import pools

    return {"fastest": calibration()["seconds"], "pools": pools()}


def _fork(request: dict[str, Any]) -> int:
    server = os.getpid()
    sys.stdout.flush()  # what a library has printed is not the cell's
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # also below `nohup … &`
        os.setsid()
        tree.end_with_parent(server, signal.SIGKILL)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # the server's own: a cell could answer for it
        gc.enable()
        _run_here(request)
        code = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)  # nothing of the worker's own may run in the child: no atexit, no flush
    return 0


def _run_here(request: dict[str, Any]) -> None:
    """Answer a request in this process, which does nothing else."""
    folder = Path(request["folder"])
    if request.get("group"):
        enter(request["group"])
    with contextlib.suppress(OSError):  # if the system has to end somebody, then this one
        OOM_SCORE.write_text(str(SCORE))
    _open_as(os.open(os.devnull, os.O_RDONLY), 0)
    _open_as(os.open(folder / "cell.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), 1, 2)
    faulthandler.enable()  # where it was, if a signal kills it
    load(request.get("libraries", ()))
    from benchmarks.cell import build  # after the threads are fixed: it loads numpy

    build.permitted[:] = request.get("allow") or request.get("job", {}).get("allow") or ()
    if "check" in request:
        refusal = build.refusal(request["check"])
        (folder / REFUSAL).write_text(json.dumps(refusal), encoding="utf-8")
    else:
        pkgutil.resolve_name(WORK[request["job"].get("work", "cell")])(request["job"], folder)
    sys.stdout.flush()
    sys.stderr.flush()


def _open_as(opened: int, *descriptors: int) -> None:
    for descriptor in descriptors:
        os.dup2(opened, descriptor)
    if opened not in descriptors:
        os.close(opened)


def _oom_kills() -> int:
    """How many processes this system has ended for lack of memory (Linux; else always 0)."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/vmstat").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "--cell":
        _run_here(json.loads(sys.argv[2]))
    else:
        serve(**json.loads(sys.argv[1]))
