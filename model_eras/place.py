"""Where the kit lies, and how a process of its own is started on it.

In a wheel it lies in `kit` beside this file, in a clone around this folder. A process of the kit
finds its own `tasks`, `models` and `benchmarks` first, whatever the folder that somebody works in
calls like that (docs/adr/0029-the-door.md).
"""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
KIT = HERE / "kit" if (HERE / "kit").is_dir() else HERE.parent
COMMAND = "MODEL_ERAS_COMMAND"
"""The variable that tells the kit what is typed to call it (benchmarks/commands.py)."""


def environment() -> dict[str, str]:
    """Of a process of the kit and of all that it starts: the kit is found first, what
    PYTHONPATH holds behind it, and the folder that one is in never."""
    paths = [str(KIT), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONSAFEPATH": "1",
        COMMAND: "model-eras",
    }


def command(module: str, *arguments: str) -> list[str]:
    """The command line for a module of the kit."""
    return [sys.executable, "-m", module, *arguments]
