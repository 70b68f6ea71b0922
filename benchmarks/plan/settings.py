"""Settings of a model or task, read from its source without importing it.

A model's dataclass is the one place where its settings, their types, ranges and defaults are
written. The process that plans a run needs them (to complete a config, to refuse a bad value)
but must not load torch or scikit-learn, so it reads the class with `ast`.
"""

import ast
import io
import tokenize
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import annotated_types
import pydantic
import yaml

from benchmarks.errors import BadInput, refusal, unknown_key
from benchmarks.plan.sources import find_source

TRAIN_ROWS = "train_rows"
"""A setting that every task has: the cell leaves train rows out (cell/prepared.py)."""
FEWEST_TRAIN_ROWS = 8
REQUIRED = "???"
"""What Hydra's configs say of a setting that has to be given."""
SUPPLIED = (
    *("random_state", "n_jobs", "sql_engine", "device", "task", "cache"),
    *("checkpoints", "artifacts"),
)
"""Fields that the cell fills in, such as from its seed and threads; never set by a config."""

_NAMES: dict[str, Any] = {
    name: getattr(module, name)
    for module, names in {
        typing: ("Annotated", "Any", "Literal", "Optional", "Union"),
        annotated_types: ("Ge", "Gt", "Le", "Lt", "Interval", "MinLen", "MaxLen"),
    }.items()
    for name in names
} | {
    "__builtins__": {},
    "int": int,
    "float": float,
    "bool": bool,
    "str": str,
    "list": list,
    "dict": dict,
}


@dataclass(frozen=True)
class Settings:
    """What a class's source says about it."""

    source: Path
    defaults: Mapping[str, Any]
    types: Mapping[str, Any]
    constants: Mapping[str, Any]
    """Class constants with literal values, such as `era`, `year` and `view`."""

    @property
    def supplied(self) -> tuple[str, ...]:
        return tuple(name for name in SUPPLIED if name in self.types)

    def configurable(self) -> dict[str, Any]:
        return {k: v for k, v in self.defaults.items() if k not in SUPPLIED}

    def required(self) -> list[str]:
        """Settings without a default."""
        return [name for name in self.types if name not in self.defaults]


def read_settings(target: str) -> Settings | None:
    """Read the dataclass `target` names; None if there is no such dataclass to read."""
    source = find_source(target)
    if source is None:
        return None
    return _read_file(source, target.rsplit(".", 1)[-1], source.stat().st_mtime_ns)


@cache
def _read_file(source: Path, name: str, _changed: int) -> Settings | None:
    """The moment of its last change is there for the cache."""
    try:
        body = ast.parse(source.read_bytes()).body
    except (SyntaxError, ValueError):  # whoever loads it will say so
        return None
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            is_dataclass = any("dataclass" in ast.unparse(d) for d in node.decorator_list)
            return _read_class(source, node) if is_dataclass else None
    return None


def _read_class(source: Path, node: ast.ClassDef) -> Settings:
    defaults: dict[str, Any] = {}
    types: dict[str, Any] = {}
    constants: dict[str, Any] = {}
    for line in node.body:
        if not isinstance(line, ast.AnnAssign) or not isinstance(line.target, ast.Name):
            continue
        name, annotation = line.target.id, ast.unparse(line.annotation)
        is_constant = annotation.startswith(("ClassVar", "typing.ClassVar"))
        try:
            value = ast.literal_eval(line.value) if line.value is not None else ...
        except ValueError:
            if not is_constant:  # a default has to be written out, a constant may be anything
                raise
            continue
        if is_constant:
            constants[name] = value
        else:
            # The annotation is the author's own code; names outside _NAMES are not allowed.
            types[name] = eval(annotation, _NAMES)  # noqa: S307 - see the line above
            if value is not ...:
                defaults[name] = value
    return Settings(source, defaults, types, constants)


def read_comments(target: str) -> dict[str, str]:
    """Setting -> what its class says of it, in comments beside it and right above it."""
    source, name = find_source(target), target.rsplit(".", 1)[-1]
    if source is None:
        return {}
    text = source.read_text(encoding="utf-8")
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
        body = ast.parse(text).body
    except (SyntaxError, ValueError, tokenize.TokenError):  # whoever loads it will say so
        return {}
    comments = {t.start[0]: t.string.lstrip("# ") for t in tokens if t.type == tokenize.COMMENT}
    alone = {k for k, line in enumerate(text.splitlines(), 1) if line.lstrip().startswith("#")}
    found = {}
    for node in body:
        for line in node.body if isinstance(node, ast.ClassDef) and node.name == name else ():
            if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                end = first = line.lineno
                while first - 1 in alone:
                    first -= 1
                beside = range(line.lineno, (line.end_lineno or line.lineno) + 1)
                parts = [[comments[k] for k in beside if k in comments]]
                parts.append([comments[k] for k in range(first, end)])
                found[line.target.id] = "; ".join(" ".join(part) for part in parts if part)
    return found


def complete(kind: str, name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Check the config of one model or task and fill in its defaults.

    kind: `model` or `task`, for the message. Raises BadInput for a value of the wrong type or
    out of range. A target whose source is no readable dataclass (a class of another package)
    is passed through; its constructor has the last word, in the cell.
    """
    target = config.get("_target_")
    if not isinstance(target, str) or "." not in target:
        raise BadInput(f"conf/{kind}/{name}.yaml needs a _target_ such as {kind}s.mine.Mine.")
    given = {k: v for k, v in config.items() if k not in ("_target_", "space") and v != REQUIRED}
    settings = read_settings(target)
    if settings is None:
        return {"_target_": target, **given}
    of_cell = {}
    if kind == "task" and TRAIN_ROWS not in settings.types and given.get(TRAIN_ROWS) is not None:
        of_cell[TRAIN_ROWS] = train_rows(given[TRAIN_ROWS])
    given.pop(TRAIN_ROWS if TRAIN_ROWS not in settings.types else "", None)
    return {"_target_": target, **validate(f"{kind}.", settings, given), **of_cell}


def train_rows(value: Any) -> int:
    """Of any task: how many of its train rows there are to be. Raises BadInput."""
    if isinstance(value, bool) or not isinstance(value, int) or value < FEWEST_TRAIN_ROWS:
        raise BadInput(f"task.train_rows={value}: give a whole number from {FEWEST_TRAIN_ROWS} on.")
    return value


def check_space(name: str, target: str, space: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The search space of a model, checked against its settings. Raises BadInput.

    An entry is `{low, high}`, with `log: true` where it is searched on a log scale, or `{choices}`.
    """
    settings = read_settings(target)
    for key, entry in space.items():
        where = f"model.space.{key}"
        if settings is not None and key not in settings.configurable():
            known = ", ".join(sorted(settings.configurable()))
            raise BadInput(
                f"The space of {name} names {key}, which is no setting; there are: {known}."
            )
        if not isinstance(entry, Mapping) or set(entry) not in (
            {"low", "high"},
            {"low", "high", "log"},
            {"choices"},
        ):
            raise BadInput(f"{where}={entry}: give low and high (and log), or choices.")
        ends = entry.get("choices") or [entry.get("low"), entry.get("high")]
        if "low" in entry:
            low, high = ends
            if not all(isinstance(end, int | float) for end in ends) or not low < high:
                raise BadInput(f"{where}={entry}: low must be a number below high.")
            if entry.get("log") and low <= 0:
                raise BadInput(f"{where}={entry}: a log scale needs a low above 0.")
        if settings is not None:
            for end in ends:
                validate("model.", settings, {key: end})
    return {key: dict(entry) for key, entry in space.items()}


def validate(prefix: str, settings: Settings, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return `given` completed and converted to the declared types; BadInput names the first
    setting that does not fit."""
    allowed = settings.configurable()
    for key in given:
        if key in SUPPLIED:
            raise BadInput(
                f"{prefix}{key} is filled in by the cell, such as from seed=, threads=, device=."
            )
        if key not in settings.types:
            raise BadInput(unknown_key(prefix + key, allowed))
    fields: dict[str, Any] = {
        key: (kind, allowed.get(key, ...))
        for key, kind in settings.types.items()
        if key not in SUPPLIED
    }
    # A name or class may be a number; in YAML it is one then.
    config = pydantic.ConfigDict(
        extra="forbid", protected_namespaces=(), coerce_numbers_to_str=True
    )
    schema = pydantic.create_model("Schema", __config__=config, **fields)
    read = {key: read_text(value, settings.types[key]) for key, value in given.items()}
    try:
        completed: dict[str, Any] = schema(**read).model_dump()
        return completed
    except pydantic.ValidationError as error:
        raise BadInput(refusal(error, prefix)) from None


def read_text(value: Any, kind: Any) -> Any:
    """The list or mapping that a text holds, as YAML has it, where the type is no text: Hydra's
    grammar takes few characters in the names of a mapping (plan/spelling.py)."""
    if not isinstance(value, str) or not value.startswith(("[", "{")):
        return value
    try:
        pydantic.TypeAdapter(kind).validate_python(value)
        return value
    except pydantic.ValidationError:
        pass
    try:
        return yaml.safe_load(value)
    except yaml.YAMLError:
        return value
