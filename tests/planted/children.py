"""Starts processes that do not want to end with their cell."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.harness import Steep

SLEEPS = [sys.executable, "-S", "-c", "import time; time.sleep(3600)"]
BOMB = """
import os, sys, time
end = time.monotonic() + 60
while time.monotonic() < end:
    if len(os.listdir(sys.argv[1])) > 20:
        time.sleep(0.01)
    elif not os.fork():
        os.setsid()
        open(f"{sys.argv[1]}/{os.getpid()}", "w").close()
"""


@dataclass
class Model(Steep):
    way: str = "own group"
    hang: bool = True
    checkpoints: str | None = None

    def fit(self, X: np.ndarray, y: np.ndarray) -> "Model":
        super().fit(X, y)
        assert self.checkpoints
        folder = Path(self.checkpoints)
        if self.way == "own session":
            (folder / str(subprocess.Popen(SLEEPS, start_new_session=True).pid)).touch()
        if self.way == "daemon":
            self._daemon(folder)
        if self.way == "ignores":
            for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(name, signal.SIG_IGN)
            (folder / str(subprocess.Popen(SLEEPS).pid)).touch()
        if self.way == "bomb":
            subprocess.Popen([sys.executable, "-S", "-c", BOMB, folder])
            while len(list(folder.iterdir())) < 10:
                time.sleep(0.01)
        while self.hang:
            time.sleep(60)
        return self

    def _daemon(self, folder: Path) -> None:
        """Twice forked, so that nobody's child; the cell goes on when it is there."""
        if not os.fork():
            os.setsid()
            if not os.fork():
                (folder / str(os.getpid())).touch()
                time.sleep(3600)
            os._exit(0)
        while not list(folder.iterdir()):
            time.sleep(0.01)
