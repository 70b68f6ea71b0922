"""What a shell offers at the tab key, once it was told to: eval "$(model-eras -sc install=bash)".

Hydra writes what the shell needs (bash, zsh, fish), and would answer it from the YAML files alone,
after half a second. The answers here know commands, runs, settings of classes and lists of names,
and load no Hydra.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from benchmarks.commands import COMMANDS
from benchmarks.errors import FINISHED, BadInput, command
from benchmarks.plan.settings import read_settings

CONF = Path(__file__).parents[2] / "conf"
DOOR = "model-eras"
SHELLS = ("bash", "fish", "zsh")
PLACES = ("look", "predict", "split", "features")
"""Commands whose words are files; those of the others are runs."""


@command
def complete(arguments: Sequence[str]) -> int:
    """Answer `-sc install=SHELL`, `uninstall=SHELL` and `query=SHELL`. Raises BadInput."""
    asked = [argument for argument in arguments if not argument.startswith("-")]
    what, _, shell = asked[0].partition("=") if len(asked) == 1 else ("", "", "")
    if what not in ("install", "uninstall", "query") or shell not in SHELLS:
        known = ", ".join(SHELLS)
        raise BadInput(f'Completion is installed with eval "$({DOOR} -sc install=SHELL)": {known}.')
    if what == "query":
        print(*offers(os.environ.get("COMP_LINE", "")), sep="\n")
        return FINISHED
    if "MODEL_ERAS_COMMAND" not in os.environ:
        raise BadInput(f'Shells complete {DOOR}, not python: eval "$({DOOR} -sc {what}={shell})".')
    import hydra  # here, as no answer needs it

    sys.argv = [DOOR, "--shell-completion", f"{what}={shell}"]
    hydra.main(config_path=str(CONF), config_name="config", version_base="1.3")(lambda _: None)()
    return FINISHED


def offers(line: str) -> list[str]:
    """All that the last word of a command line may become; nothing where files are meant."""
    words = line.split()[1:]
    last = "" if line[-1:].isspace() or not words else words.pop()
    first = words[0] if words else None
    if first in COMMANDS and first not in ("run", *PLACES):
        return [name for name in runs_here() if name.startswith(last)]
    if first in PLACES and "=" not in last and not last.startswith("task"):
        return []
    found = [*([] if words else COMMANDS), *settings(words, last)]
    return [word for word in found if word.startswith(last)]


def runs_here() -> list[str]:
    return sorted(cells.parent.name for cells in Path("results").glob("*/cells"))


def settings(words: Sequence[str], last: str) -> Iterator[str]:
    """What can be set, with its values where they are names: `model=` takes several."""
    key, equals, value = last.partition("=")
    folders = [path for path in sorted(CONF.iterdir()) if path.is_dir()]
    groups = {path.name: path for path in folders if path.name not in ("hydra", "prompt")}
    if equals:
        before = value.rpartition(",")[0]
        start = f"{key}={before}," if before else f"{key}="
        files = sorted(groups[key].glob("*.yaml")) if key in groups else []
        yield from (f"{start}{file.stem}" for file in files)
        return
    yield from (f"{name}=" for name in groups)
    yield from keys(read(CONF / "config.yaml"))
    for part in ("task", "model"):
        if last.startswith(part):
            yield from (f"{part}.{name}=" for name in of_class(part, words))


def keys(config: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in config.items():
        if isinstance(value, dict) and name != "hydra":
            yield from keys(value, f"{prefix}{name}.")
        elif name not in ("defaults", "hydra"):
            yield f"{prefix}{name}="


def of_class(part: str, words: Sequence[str]) -> list[str]:
    """Settings of the task or the model that a line names, or of the usual one."""
    usual = next(d[part] for d in read(CONF / "config.yaml")["defaults"] if part in d)
    named = [word.partition("=")[2] for word in words if word.startswith(f"{part}=")]
    if part == "task" and words[:1] == ["look"] and not named:
        usual = "table"
    file = CONF / part / f"{(named or [usual])[-1].partition(',')[0]}.yaml"
    found = read_settings(str(read(file).get("_target_"))) if file.is_file() else None
    return sorted(found.configurable() | dict.fromkeys(found.required())) if found else []


def read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    return found
