"""What a person types, spelled as Hydra's grammar has it.

That grammar was made for configs: `x (1).csv`, `größe` and `a=b` are errors in it, `2024` is a
number, `a,b` a sweep. A setting that its class declares as text means what is typed. Why, and where
the line is: docs/adr/0013-what-a-person-types.md.
"""

import json
import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from glob import glob, has_magic
from pathlib import Path
from typing import Any, Literal

import pydantic
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException

from benchmarks.errors import BadInput
from benchmarks.plan.config import RunConfig
from benchmarks.plan.settings import Settings

Form = Literal["text", "list", "mapping", "other"]
"""Of a value: text, a list of texts, texts by name, or what Hydra's grammar is right for."""

QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
ESCAPE = re.compile(r"\\[()\[\]{}:=, \t]")
FUNCTION = re.compile(
    r"(choice|range|interval|glob|sort|shuffle|tag|extend_list|str|int|float|bool|json_str)\(.*\)",
    re.DOTALL,
)
KEY = re.compile(r"\+{0,2}([A-Za-z_][\w.]*)=(.*)", re.DOTALL)
PLAIN_NAME = re.compile(r"(?!(?:true|false|null|inf|nan)$)[a-z_][\w-]*", re.ASCII | re.IGNORECASE)
BRACKETS = {"(": ")", "[": "]", "{": "}"}


@dataclass
class Declared:
    """What is known of settings by their keys, such as `task.path`."""

    forms: dict[str, Form] = field(default_factory=dict)
    optional: set[str] = field(default_factory=set)
    """Those that may be null."""
    choices: set[str] = field(default_factory=set)
    """Texts of which the class lists all."""
    files: set[str] = field(default_factory=set)
    """Texts that say where a file lies."""

    def add(self, key: str, kind: Any) -> None:
        """A setting; one that several classes have is text if any of them says so."""
        if self.forms.get(key, "other") == "other":
            self.forms[key] = form_of(kind)
        if type(None) in members(kind):
            self.optional.add(key)
        if any(typing.get_origin(member) is Literal for member in members(kind)):
            self.choices.add(key)

    def add_class(self, part: str, settings: Settings) -> None:
        """All settings of a task's or model's class."""
        for name, kind in settings.types.items():
            self.add(f"{part}.{name}", kind)
        self.files |= {f"{part}.{name}" for name in settings.constants.get("files", ())}

    def add_run(self, model: type[pydantic.BaseModel] = RunConfig, prefix: str = "") -> None:
        """All settings of a run that belong to no task and no model."""
        for name, its in model.model_fields.items():
            if isinstance(its.annotation, type) and issubclass(its.annotation, pydantic.BaseModel):
                self.add_run(its.annotation, f"{prefix}{name}.")
            else:
                self.add(prefix + name, its.annotation)


def members(kind: Any) -> list[Any]:
    """The types that a value may have, without what only limits it."""
    if typing.get_origin(kind) is typing.Annotated:
        return members(typing.get_args(kind)[0])
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return [member for part in typing.get_args(kind) for member in members(part)]
    return [kind]


def form_of(kind: Any) -> Form:
    """Of the values of a declared type."""
    found = {_form_of(member) for member in members(kind) if member is not type(None)}
    return found.pop() if len(found) == 1 else "other"


def _form_of(kind: Any) -> Form:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind in (str, Path) or (origin is Literal and all(isinstance(a, str) for a in arguments)):
        return "text"
    if origin in (list, dict) and all(form_of(argument) == "text" for argument in arguments):
        return "list" if origin is list else "mapping"
    return "other"


def spelled(arguments: Iterable[str], declared: Declared) -> list[str]:
    """Overrides in Hydra's grammar. Raises BadInput."""
    return [_spelled(argument, declared) for argument in arguments]


def _spelled(argument: str, declared: Declared) -> str:
    found = KEY.fullmatch(argument)
    if found is None:
        return argument
    key, value = found.groups()
    form = declared.forms.get(key, "other")
    if form == "other":
        # The sentence on a value of another type is better than the grammar's own.
        known = key in declared.forms or key.startswith(("task.", "model."))
        given = quoted(value) if known and not parses(value) else value
        return f"{argument[: found.start(2)]}{given}"
    values = [value] if is_one(value, key, declared) else list(split(value))
    shown = [spelled_value(one, form, key, declared) for one in values]
    return argument[: found.start(2)] + ",".join(shown)


def is_one(value: str, key: str, declared: Declared) -> bool:
    """Is this one value, or are there several with commas between them?

    A comma in what exists as a file is no sweep, nor one in what reads like a sentence: with a
    blank beside it or in a name that is not quoted. Raises BadInput for a place that does not
    exist, as it stands or as a sweep.
    """
    parts = list(split(value))
    if len(parts) == 1 or FUNCTION.fullmatch(value):
        return True
    if key in declared.files:
        if exists(value):
            return True
        bare = [p for p in parts if not is_quoted(p) and "${" not in p]
        if missing := [part for part in bare if not exists(part) and "://" not in part]:
            raise BadInput(
                f"there is no file {missing[0]}; a comma stands between the values of a sweep, and "
                f"one file with a comma in its name would be {shell(f'{key}={quoted(value)}')}"
            )
        return False
    if key in declared.choices or declared.forms[key] != "text":
        return False
    bare = [part for part in parts if not is_quoted(part)]
    if not all(parts) or any(re.search(r"\s", re.sub(ESCAPE, "", part)) for part in bare):
        return True
    return len(bare) == len(parts) and re.search(r"\s,|,\s", value) is not None


def spelled_value(value: str, form: Form, key: str, declared: Declared) -> str:
    """One value of a setting of that form."""
    if form == "list" and is_bracketed(value, "["):
        return f"[{','.join(spelled_text(item) for item in inside(value))}]"
    if form == "mapping" and is_bracketed(value, "{"):
        return spelled_mapping(value)
    if form != "text":
        return value if parses(value) else quoted(value)
    if value.lower() == "null" and key in declared.optional:
        return value
    if key in declared.files and not is_quoted(value) and exists(value):
        return quoted(value)
    return spelled_text(value)


def spelled_text(value: str) -> str:
    """A text, unless it is spelled by someone who knows the grammar: in quotes, with its escapes,
    as a call of its functions. What `${…}` stands for is put in by OmegaConf, in quotes too."""
    if is_quoted(value) or ((ESCAPE.search(value) or FUNCTION.fullmatch(value)) and parses(value)):
        return value
    return quoted(value, keep=re.search(r"\$\{[^}]+\}", value) is not None)


def spelled_mapping(value: str) -> str:
    """Hydra takes no quotes in names, and few characters: others go as JSON (see settings)."""
    pairs: dict[str, str] = {}
    for item in inside(value):
        name, colon, text = _at_colon(item)
        if not colon or is_bracketed(text, "[") or is_bracketed(text, "{") or "${" in item:
            return value if parses(value) else quoted(value)
        pairs[unquoted(name)] = text
    if all(PLAIN_NAME.fullmatch(name) for name in pairs):
        return f"{{{','.join(f'{name}:{spelled_text(text)}' for name, text in pairs.items())}}}"
    told = {name: unquoted(text) for name, text in pairs.items()}
    return quoted(json.dumps(told, ensure_ascii=False))


def _at_colon(item: str) -> tuple[str, str, str]:
    """(name, colon, text); the last colon of a name that is not quoted is the one."""
    if (name := QUOTED.match(item)) is not None:
        _, colon, text = item[name.end() :].partition(":")
        return name[0], colon, text.strip()
    name_, colon, text = item.rpartition(":")
    return name_.strip(), colon, text.strip()


def inside(value: str) -> list[str]:
    """The items of a list or mapping."""
    within = value.strip()[1:-1]
    return list(split(within)) if within.strip() else []


def is_bracketed(value: str, opening: str) -> bool:
    return value.strip().startswith(opening) and value.strip().endswith(BRACKETS[opening])


def split(value: str) -> Iterator[str]:
    """The parts between commas that stand in no quotes and no brackets, without the blanks around
    them; the whole of it as it is if there is no such comma, or if brackets do not match."""
    ends: list[int] = []
    waiting: list[str] = []  # brackets that are to be closed
    k, fresh = 0, True
    while k < len(value):
        character = value[k]
        if fresh and (quotes := QUOTED.match(value, k)):
            k, fresh = quotes.end(), False
            continue
        if ESCAPE.match(value, k):
            k += 1
        elif character in BRACKETS:
            waiting.append(BRACKETS[character])
        elif character in BRACKETS.values():
            if not waiting or waiting.pop() != character:
                ends = []
                break
        elif character == "," and not waiting:
            ends.append(k)
        # Quotes are quotes at the start of something; inside of a word they are characters.
        fresh = character in "([{,:" or (fresh and character.isspace())
        k += 1
    if not ends or waiting:
        yield value
        return
    for begin, end in zip([0, *(end + 1 for end in ends)], [*ends, len(value)], strict=True):
        yield value[begin:end].strip()


def is_quoted(value: str) -> bool:
    return QUOTED.fullmatch(value.strip()) is not None


def unquoted(value: str) -> str:
    """The text that a value in quotes stands for, as Hydra reads it; any other as it is."""
    if not is_quoted(value):
        return value
    read = OverridesParser.create().parse_override(f"x={value}").value()
    return str(read)


def quoted(value: str, keep: bool = False) -> str:
    """In Hydra's quotes. keep: leave what it has to put in for `${…}`."""
    if not keep:
        value = re.sub(r"(\\*)\$\{", r"\1\1\\${", value)
    return str(QuotedString(value, Quote.single).with_quotes())


def parses(value: str) -> bool:
    try:
        OverridesParser.create().parse_override(f"x={value}")
    except HydraException:
        return False
    return True


def exists(value: str) -> bool:
    """Is there such a file or folder, or one that matches?"""
    try:
        if not value or Path(value).exists():
            return bool(value)
        place = Path(value).expanduser()
        return place.exists() or bool(has_magic(value) and glob(str(place)))  # noqa: PTH207 - pathlib takes no absolute ones
    except (OSError, RuntimeError, ValueError):  # too long, no such user, not allowed
        return False


def shell(argument: str) -> str:
    """An argument as it is typed in a shell."""
    key, equals, value = argument.partition("=")
    if '"' not in value and not re.search(r"[$`\\!]", value):
        return f'{key}{equals}"{value}"'
    return f"{key}{equals}" + "'" + value.replace("'", "'\\''") + "'"


def declared_by(classes: Mapping[str, Iterable[Settings | None]]) -> Declared:
    """What is declared by these classes of tasks and models, and for a run."""
    declared = Declared()
    declared.add_run()
    for part, found in classes.items():
        for settings in found:
            if settings is not None:
                declared.add_class(part, settings)
    return declared
