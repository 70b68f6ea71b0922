"""Tells in its notes what a cell's process finds when it is there."""

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.harness import Steep


@dataclass
class Model(Steep):
    def fit(self, X: np.ndarray, y: np.ndarray) -> "Model":
        super().fit(X, y)
        opened = {}
        for number in range(64):
            link = Path(f"/proc/self/fd/{number}")
            if link.is_symlink():
                opened[str(number)] = link.readlink().name
        self.notes_ = {
            "loaded": sorted(
                name for name in sys.modules if name.startswith(("models.", "tasks."))
            ),
            "open": opened,
            "read": sys.stdin.read(),
            "cwd": str(Path.cwd()),
            "alone": os.getpgid(0) == os.getsid(0) == os.getpid(),
            "term": signal.getsignal(signal.SIGTERM) is signal.SIG_DFL,
        }
        return self
