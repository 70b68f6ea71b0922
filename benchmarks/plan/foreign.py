"""Configs that somebody else may have written, looked at before Hydra reads them: they are data.

Hydra itself would do more with a YAML than to read values from it: make objects of what stands
under `hydra.callbacks`, call what a logging config names, and write out aliases of aliases until
memory ends. The kit's own folder of configs is not looked at.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from benchmarks.errors import BadInput

LARGEST = 1_000_000  # bytes of a file
MOST = 100_000  # values of a file, its aliases written out
OPTIONS = ("--config-dir", "-cd", "--config-path", "-cp")
OF_HYDRA = {"mode", "sweeper"}
"""What a suite may say of Hydra: that it sweeps, and over what (`params`)."""


def require_data(arguments: Sequence[str]) -> None:
    """Raise BadInput for a file in the user's own folders of configs that is more than data."""
    for folder in folders_of(arguments):
        for file in sorted((*folder.rglob("*.yaml"), *folder.rglob("*.yml"))):
            if file.is_file():
                require_file(file, file.relative_to(folder).parts[0] == "hydra")


def folders_of(arguments: Sequence[str]) -> Iterator[Path]:
    """Those that a command line adds to the search."""
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        if name in OPTIONS:
            yield Path(value if equals else next(words, ""))
        elif name.lstrip("+~") == "hydra.searchpath":
            yield from (Path(place) for place in re.findall(r"file://([^,\]'\"]+)", value))


def require_file(file: Path, is_hydras: bool) -> None:
    if is_hydras:
        raise BadInput(f"{file} is a config of Hydra's own, which is taken from nobody.")
    if file.stat().st_size > LARGEST:
        raise BadInput(f"{file} is larger than a config ever is ({LARGEST:,} bytes).")
    try:
        with file.open(encoding="utf-8") as opened:
            node = yaml.compose(opened, yaml.SafeLoader)
    except RecursionError:
        raise BadInput(f"{file} holds lists in lists, deeper than a config ever is.") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        return  # Hydra says what is wrong with it
    if node is None:
        return
    if size(node, {}, ()) > MOST:
        raise BadInput(f"{file} holds more than {MOST:,} values once its aliases are written out.")
    hydras = dict(keys_of(node)).get("hydra")
    said = dict(keys_of(hydras)) if hydras is not None else {}
    dotted = {key.partition(".")[2] for key, _ in keys_of(node) if key.startswith("hydra.")}
    of_sweeper = {key for key, _ in keys_of(said.get("sweeper"))} - {"params"}
    if beyond := sorted({*said, *dotted} - OF_HYDRA | {f"sweeper.{key}" for key in of_sweeper}):
        raise BadInput(
            f"{file} says hydra.{beyond[0]}; of Hydra a config may say mode and sweeper.params "
            "alone."
        )


def keys_of(node: Any) -> Iterator[tuple[str, Any]]:
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if isinstance(key, yaml.ScalarNode):
            yield key.value, value


def size(node: Any, known: dict[int, int], above: tuple[int, ...]) -> int:
    """Values in a node, those of aliases once more each; more than MOST for one within itself."""
    if id(node) in above or len(above) > 100:
        return MOST + 1
    if id(node) not in known:
        parts: list[Any] = []
        if isinstance(node, yaml.MappingNode):
            parts = [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            parts = node.value
        known[id(node)] = 1 + sum(size(part, known, (*above, id(node))) for part in parts)
    return known[id(node)]
