"""What a person types: the commands there are, and how they are called where one is.

A new command is a module beside this one with a `main`, and a line in COMMANDS.
"""

import os
import re

COMMANDS = {
    "run": "run models on tasks and compare them; what runs where no command is named",
    "look": "what is in a table, and how it will be read: look churn.csv",
    "runs": "the runs there are",
    "status": "how far a run is: done, running, failed, left, and until when",
    "report": "a run as one HTML page, and as files for papers and slides",
    "compare": "two runs or more: what differs, what did it change, is it real?",
    "verdicts": "every pair of models of a run: better, equal in practice, or can't tell",
    "rerun": "a recorded cell again: bit-identical, or by how much does it differ?",
    "confirm": "does the lead of the first model hold on fresh seeds?",
    "fit": "take the winner: fit a row of a run on all rows, and leave it as a folder",
    "predict": "read new rows with a model that was taken",
    "split": "the rows of a split, for predictions that are made elsewhere",
    "features": "a task's features from tables of any size, by DuckDB or Spark",
    "export": "send runs to MLflow",
}
"""Name -> what it is for, in the order in which they are listed."""

SHOWING = frozenset({"--cfg", "-c", "--info", "-i", "--version"})
HELP = frozenset({"--help", "-h"})
COMPLETION = frozenset({"--shell-completion", "-sc"})
"""Options with which the main job runs nothing."""


def typed(name: str = "") -> str:
    """What a person types for a command: what they have typed for this one. Without a name: for
    the main job."""
    door = os.environ.get("MODEL_ERAS_COMMAND")
    if door:
        return f"{door} {name}" if name else door
    return f"python -m benchmarks.{name}" if name else "python -m benchmarks"


def spoken(text: str) -> str:
    """A text with its commands as they are typed here."""
    return re.sub(r"python -m benchmarks(?:\.([a-z]+))?\b", lambda m: typed(m[1] or ""), text)


def listed() -> str:
    """All commands, a line each."""
    width = max(map(len, COMMANDS))
    return "".join(f"  {name:<{width}}  {text}\n" for name, text in COMMANDS.items())


def tell_version() -> None:
    from importlib import metadata  # here, as every command loads this file before all others

    try:
        print(f"model-eras {metadata.version('model-eras')}")
    except metadata.PackageNotFoundError:
        print("model-eras, not installed")
