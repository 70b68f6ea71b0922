"""What `--help` prints: commands, names to choose from, each suite with its purpose and time, each
setting with its value and its comment. The comments are those of the YAML files and of the classes'
sources, so nothing is explained twice.
"""

import re
import shutil
import string
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.commands import listed, spoken
from benchmarks.plan.settings import read_comments

CONF = Path(__file__).parents[2] / "conf"
KEY = re.compile(r"^( *)([A-Za-z_]\w*):(.*)$")
DURATION = re.compile(r"(About|Less than|A few|\d)[^;.]*\b(second|minute|hour)[^;.]*")
NARROW, WIDE = 72, 110  # characters of a line, at least and at most
COLUMN = 34  # where comments begin
BELOW: Any = {"subsequent_indent": "    ", "break_on_hyphens": False}


def text(template: str, groups: Mapping[str, list[str]], settings: str) -> str:
    """groups: config groups with the names in them; settings: YAML of a composed config."""
    width = min(WIDE, max(NARROW, shutil.get_terminal_size().columns))
    options = "".join(
        textwrap.fill(f"{group}: {', '.join(names)}", width, initial_indent="  ", **BELOW) + "\n"
        for group, names in groups.items()
        if names and group != "suite"
    )
    return string.Template(spoken(template)).substitute(
        COMMANDS=listed(),
        APP_CONFIG_GROUPS=options,
        SUITES="".join(suites(groups.get("suite", ()), width)),
        CONFIG="\n".join(commented(settings, comments(settings), width)),
        DOCS=CONF.with_name("docs"),
    )


def suites(names: Any, width: int) -> Iterator[str]:
    """A few lines for each suite: its name, what it is for, its time where that is known."""
    longest = max(map(len, names), default=0)
    for name in names:
        purpose, time = purpose_of(CONF / "suite" / f"{name}.yaml")
        said = f"{purpose} {time}".strip()
        indent = " " * (longest + 4)
        lines = textwrap.wrap(said, width - len(indent)) or [""]
        yield f"  {name:<{longest}}  " + f"\n{indent}".join(lines) + "\n"


def purpose_of(file: Path) -> tuple[str, str]:
    """(the first sentence of a suite's comment, the sentence in it that gives its time). Nothing
    where there is none, as for a suite of somebody else's folder."""
    if not file.is_file():
        return "", ""
    lines = file.read_text(encoding="utf-8").splitlines()
    head = [line[1:].strip() for line in lines if line.startswith("#") and "@package" not in line]
    sentences = re.split(r"(?<=[.?!]) +(?=[A-Z0-9])", " ".join(head))
    times = [found[0] for part in sentences[1:] if (found := DURATION.match(part))]
    return sentences[0], f"{times[0]}." if times else ""


def commented(settings: str, known: Mapping[str, str], width: int) -> Iterator[str]:
    """Lines of YAML, each with the comment on its setting."""
    for line, path in paths(settings):
        comment = known.get(path, "")
        if not comment:
            yield line
            continue
        start = max(COLUMN, len(line) + 2)
        first, *more = textwrap.wrap(comment, max(30, width - start - 2))
        yield f"{line:<{start}}# {first}"
        yield from (f"{'':<{start}}# {part}" for part in more)


def paths(text: str) -> Iterator[tuple[str, str]]:
    """Lines of YAML, with the dotted name of what is set in each; empty where nothing is."""
    above: list[tuple[int, str]] = []
    for line in text.splitlines():
        found = KEY.match(line)
        if found is None:
            yield line, ""
            continue
        depth = len(found[1])
        above = [(d, name) for d, name in above if d < depth] + [(depth, found[2])]
        yield line, ".".join(name for _, name in above)


def comments(settings: str) -> dict[str, str]:
    """Dotted name of a setting -> what is said of it, for those of a composed config."""
    found = of_yaml(CONF / "config.yaml")
    for part in ("timing", "tune"):
        for file in sorted((CONF / part).glob("*.yaml")):
            found |= {f"{part}.{name}": said for name, said in of_yaml(file).items()}
    for line, path in paths(settings):
        part, _, name = path.partition(".")
        if name == "_target_":
            said_of = read_comments(line.partition(":")[2].strip().strip("'\""))
            found |= {f"{part}.{setting}": said for setting, said in said_of.items()}
    return found


def of_yaml(file: Path) -> dict[str, str]:
    """The comments behind the values of a YAML file."""
    found = {}
    for line, path in paths(file.read_text(encoding="utf-8")):
        comment = re.search(r"\s# (.*)$", line)
        if path and comment:
            found[path] = comment[1]
    return found
