"""A class that a config names, called with its settings; and what a cell supplies to it."""

import contextlib
import dataclasses
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.cell.extras import advice
from benchmarks.records import allowed

FOLDERS = ("checkpoints", "artifacts")
OF_FOREIGN = ("prepare", "view")  # settings of what stands around an estimator of another package
TRAIN_ROWS = "train_rows"
SPENDING = "spend_at_most"
permitted: list[str] = []
"""Packages whose classes may be built beside those of records/allowed.py: as the command says."""
on_build: list[Callable[[Any], None]] = []
"""Who is told of everything that is built."""


def build(config: Mapping[str, Any], extra: Mapping[str, Any] | None = None) -> Any:
    """Call the class that `_target_` names with the other items as keyword arguments.

    extra: values for fields of these names where the class has them.
    """
    target = class_of(config["_target_"])
    settings = {k: v for k, v in config.items() if k != "_target_"}
    foreign = not dataclasses.is_dataclass(target) and hasattr(target, "get_params")
    how = {name: settings.pop(name) for name in OF_FOREIGN if foreign and name in settings}
    if dataclasses.is_dataclass(target):
        names = {field.name for field in dataclasses.fields(target)}
    else:
        names = set(target().get_params()) if foreign else set()
    if TRAIN_ROWS not in names:
        settings.pop(TRAIN_ROWS, None)  # of any task: the cell's business
    settings |= {k: v for k, v in (extra or {}).items() if k in names and k not in settings}
    for folder in FOLDERS:
        if settings.get(folder):
            Path(settings[folder]).mkdir(parents=True, exist_ok=True)
    made = target(**settings)
    for tell in on_build:
        tell(made)
    if not foreign:
        return made
    from benchmarks.cell.foreign import Foreign  # only cells with such a model need it

    return Foreign(made, **how)


@contextlib.contextmanager
def permitting(packages: Iterable[str]) -> Iterator[None]:
    """Meanwhile, classes of these may be built as well."""
    before = list(permitted)
    permitted.extend(packages)
    try:
        yield
    finally:
        permitted[:] = before


def class_of(target: str) -> Any:
    """The class of this name. Raises AttributeError for what is none, or of no package that may be
    built: an allowed module has names of others in it (`models.x.os.system`)."""
    sentence = allowed.refusal("what is named", target, permitted)
    if sentence is not None:
        raise AttributeError(sentence)
    found = pkgutil.resolve_name(target)
    if not isinstance(found, type) or not allowed.is_allowed(f"{found.__module__}.x", permitted):
        raise AttributeError(f"{target} is no class of {target.partition('.')[0]}")
    return found


def supplied(job: Mapping[str, Any], folders: bool = False) -> dict[str, Any]:
    """What a cell gives to a model or task that has a field for it (see plan.settings.SUPPLIED).

    folders: the places for checkpoints and for files that stay as well, which only the fit that
    counts may use.
    """
    values = {"random_state": job["seed"], "n_jobs": job["threads"]}
    # Models have engines too, and settings of that name.
    given = {"device": "device", "sql_engine": "engine", "cache": "cache"}
    values |= {field: job[name] for field, name in given.items() if job.get(name) is not None}
    if "task_name" in job:
        values["task"] = job["task_name"]
    return values | (job.get("folders") or {} if folders else {})


def within(model: Mapping[str, Any], money: float | None) -> Mapping[str, Any]:
    """The config of a model that keeps a limit of money by itself, before each request, with a
    limit that is no higher than this."""
    if money is None or SPENDING not in model:
        return model
    own = model[SPENDING]
    return {**model, SPENDING: money if own is None else min(own, money)}


def check(made: Any) -> None:
    """Ask a task or a model, if it can say so, whether its settings can be used. Raises what it
    raises, ValueError with one sentence if they cannot."""
    if hasattr(made, "check"):
        made.check()


def refusal(configs: Sequence[Mapping[str, Any]]) -> str | None:
    """Why the first of these tasks or models cannot be used with its settings; None if all can.

    Asks for the class, the constructor, and `check()` where there is one; of the last two
    ValueError and TypeError refuse.
    """
    for config in configs:
        try:
            class_of(config["_target_"])
        except (ImportError, AttributeError) as error:
            if isinstance(error, ImportError) and advice(error):
                continue  # its own cells are skipped, with what to type
            return f"{config['_target_']} cannot be loaded: {error}"
        except Exception:  # noqa: S112 - what is wrong inside of it is the cell's to record
            continue
        # Anything else than a refusal is left to the cells that it concerns.
        with contextlib.suppress(Exception):
            try:
                check(build(config))
            except (ValueError, TypeError) as error:
                said, name = " ".join(str(error).split()), config["_target_"]
                # A table's sentence names the column or the file, which is what was typed.
                return said if name.startswith("tasks.") else f"{name}: {said}"
    return None
