"""Takes more than it may: memory, time, tokens, money."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from tests.harness import Steep

MB = 10**6
HOLDS = "import time; held = b'x' * {}; time.sleep(60)"


@dataclass
class Model(Steep):
    warm_up: ClassVar[dict[str, str]] = {"way": "nothing"}

    way: str = "at_once"
    mb: int = 400
    checkpoints: str | None = None
    spend_at_most: float | None = None

    def fit(self, X: np.ndarray, y: np.ndarray) -> "Model":
        super().fit(X, y)
        self.tokens_, self.spent_ = {"read": 0, "written": 0}, 0.0
        self.notes_ = {"spend_at_most": self.spend_at_most or 0.0}
        if self.way == "nothing":
            return self
        print(f"will now go on {self.way}")
        getattr(self, self.way)()
        return self

    def little(self) -> None:
        self.held = b"x" * (self.mb * MB)

    def at_once(self) -> None:
        self.held = b"x" * (self.mb * MB)
        time.sleep(60)

    def bit_by_bit(self) -> None:
        self.held = []
        for _ in range(self.mb // 10):
            self.held.append(b"x" * (10 * MB))
            time.sleep(0.02)
        time.sleep(60)

    def in_a_fork(self) -> None:
        """No process has too much by itself."""
        for _ in range(4):
            child = multiprocessing.get_context("fork").Process(target=self.held_by)
            child.start()
        time.sleep(60)

    def held_by(self) -> None:
        self.held = b"x" * (self.mb * MB // 4)
        time.sleep(60)

    def in_a_session(self) -> None:
        command = [sys.executable, "-S", "-c", HOLDS.format(self.mb * MB)]
        child = subprocess.Popen(command, start_new_session=True)
        assert self.checkpoints
        (Path(self.checkpoints) / str(child.pid)).touch()
        time.sleep(60)

    def in_a_daemon(self) -> None:
        if not os.fork():
            os.setsid()
            if not os.fork():
                assert self.checkpoints
                (Path(self.checkpoints) / str(os.getpid())).touch()
                self.held = b"x" * (self.mb * MB)
                time.sleep(60)
            os._exit(0)
        time.sleep(60)

    def shared_by_forks(self) -> None:
        """Counted once, however many have it: within a limit of 1.5 times as much."""
        self.held = b"x" * (self.mb * MB)
        for _ in range(3):
            multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,)).start()
        time.sleep(2.5)

    def deaf(self) -> None:
        for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(name, signal.SIG_IGN)
        while True:
            time.sleep(60)

    def stubborn(self) -> None:
        """Hears that it should end, and goes on until it is told."""
        while True:
            try:
                time.sleep(60)
            except KeyboardInterrupt:
                print("not now")

    def obedient(self) -> None:
        time.sleep(60)

    def busy_in_c(self) -> None:
        """No signal of Python's is looked at before this ends."""
        sorted(range(10**9), key=abs)

    def talks(self) -> None:
        for _ in range(600):
            self.tokens_["read"] += 50
            time.sleep(0.05)

    def pays(self) -> None:
        for _ in range(600):
            self.spent_ += 0.5
            time.sleep(0.05)
