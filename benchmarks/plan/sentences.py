"""What is wrong with a command line, in one sentence: Hydra's errors, and what it never sees."""

import re
import shlex
from collections.abc import Sequence
from typing import Any

from hydra.errors import MissingConfigException
from omegaconf import DictConfig
from omegaconf.errors import ConfigAttributeError

from benchmarks.commands import COMMANDS, COMPLETION, HELP, SHOWING, typed
from benchmarks.errors import BadInput, nearest, unknown_key, unknown_name
from benchmarks.plan.settings import read_settings
from benchmarks.plan.spelling import exists, shell

OPTIONS = (
    HELP
    | SHOWING
    | COMPLETION
    | {f"--{name}" for name in ("resolve", "package", "run", "multirun")}
    | {f"--{name}" for name in ("config-path", "config-name", "config-dir")}
    | {"-p", "-r", "-m", "-cp", "-cn", "-cd", "--experimental-rerun"}
)
"""Hydra's own."""


def sentence(error: BaseException) -> str:
    """One sentence for an error of Hydra or OmegaConf."""
    cause = error.__cause__ or error
    if isinstance(error, MissingConfigException) and error.options:
        group, _, name = str(error.missing_cfg_file).partition("/")
        return unknown_name(group, name, error.options)
    if isinstance(cause, ConfigAttributeError) and cause.parent_node is not None:
        keys = [str(key) for key in cause.parent_node if key not in ("_target_", "hydra", "space")]
        return unknown_key(str(cause.full_key), keys, settings_below(cause.parent_node))
    text = " ".join(str(error).split())
    return re.sub(r" See https://hydra.cc\S* for details", "", text)


def settings_below(config: Any) -> list[str]:
    """`task.rows`, `model.C`, …: the settings of task and model of a whole config."""
    found = [(part, config.get(part)) for part in ("task", "model")]
    if not all(isinstance(its, DictConfig) for _, its in found):
        return []
    read = [(part, read_settings(str(its.get("_target_")))) for part, its in found]
    return [f"{part}.{name}" for part, its in read if its for name in its.configurable()]


def no_setting(argument: str, before: str) -> str:
    """The sentence for a word that stands alone, with the one that stands before it."""
    if not before and (near := nearest(argument, list(COMMANDS))):
        return f"There is no command {argument}; did you mean {' or '.join(near)}?"
    if not before and exists(argument):
        path = shlex.quote(argument)
        return (
            f"{argument} lies there; {typed('look')} {path} shows what is in it, and task=table "
            f"task.path={path} task.target=COLUMN compares on it."
        )
    cut = "." in before.partition("=")[0]
    example = shell(f"{before} {argument}") if cut else 'KEY="A VALUE"'
    return (
        f"{argument} is neither KEY=VALUE nor an option; a value with blanks in it is given as "
        f"{example}."
    )


def require_settings(arguments: Sequence[str]) -> None:
    """Refuse what is neither KEY=VALUE nor an option: mostly the rest of a value that the shell has
    cut at a blank. Raises BadInput."""
    before = ""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise BadInput(f"{argument!r} is no UTF-8 text; rename what it stands for.") from None
        name, equals, _ = argument.partition("=")
        is_dashed = name.startswith("-")
        if (
            (equals and not is_dashed)
            or name.startswith(("~", "--hydra"))
            or OPTIONS.intersection((name, before))
        ):
            before = argument
            continue
        if equals:
            raise BadInput(f"There is no option {name}; settings are given without dashes.")
        raise BadInput(no_setting(argument, before))
