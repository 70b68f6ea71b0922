"""Prompts, as files that a person edits.

A template is a text with two parts, one line `---` between them: what every prompt begins with, and
one row, which is repeated for each example and ends with its answer:

    Decide to which department a message goes: {labels}.
    ---
    Message: {text}
    Department: {answer}

`{labels}` are the class names, `{text}` is the row. A row to be answered is cut before `{answer}`.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parents[2] / "conf" / "prompt"
USUAL = {False: "answers", True: "classes"}  # by whether there are classes
LARGEST = 100_000  # bytes; a template is no document


class Template(NamedTuple):
    """A template in its parts; blanks before {text} and {answer} belong to what comes in there."""

    name: str
    beginning: str
    before: str
    after: str

    def instruction(self, labels: list[str]) -> str:
        return self.beginning.replace("{labels}", ", ".join(labels))


def template(prompt: str | None, task: str, has_classes: bool) -> Template:
    """The template of this name or path; without one that which is called like the task, or the
    usual one. Raises ValueError with one sentence."""
    if prompt is None:
        own = FOLDER / f"{task}.txt"
        file = own if task and own.is_file() else FOLDER / f"{USUAL[has_classes]}.txt"
    else:
        file = Path(prompt) if Path(prompt).suffix else FOLDER / f"{prompt}.txt"
    try:
        text = file.expanduser().read_bytes()[: LARGEST + 1].decode()
    except (OSError, ValueError) as error:
        there = ", ".join(sorted(f.stem for f in FOLDER.glob("*.txt")))
        raise ValueError(
            f"model.prompt={prompt}: no text can be read there ({error}); conf/prompt has: {there}"
        ) from None
    return parsed(text, file.name)


def parsed(text: str, name: str) -> Template:
    """Raises ValueError with one sentence."""
    if len(text) > LARGEST:
        raise ValueError(f"the prompt {name} has more than {LARGEST:,} characters")
    beginning, line, row = text.partition("\n---\n")
    if not line:
        raise ValueError(f"the prompt {name} has no line --- between its beginning and its row")
    before, text_mark, rest = row.partition("{text}")
    after, answer_mark, behind = rest.partition("{answer}")
    if not text_mark or not answer_mark or behind.strip():
        raise ValueError(f"the row of the prompt {name} needs {{text}}, and {{answer}} as its end")
    return Template(name, f"{beginning.strip()}\n\n" if beginning.strip() else "", before, after)


def example(made: Template, text: str, answer: Any) -> str:
    """A row with its answer."""
    return f"{made.before}{text}{made.after}{as_text(answer)}"


def as_text(answer: Any) -> str:
    """An answer as a model is to write it: a text as it is, all else as JSON."""
    return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)


def begun(answers: Sequence[Any]) -> str:
    """What every answer begins with that has the form of these: of an object its first name."""
    first = answers[0]
    if not isinstance(first, dict) or not first:
        return ""
    return f'{{"{next(iter(first))}": "'


def read_object(text: str) -> Any:
    """The first JSON object of a text; the text itself where there is none. Nothing in it is
    executed."""
    start = text.find("{")
    if start < 0:
        return text.strip()
    try:
        found, _ = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return text.strip()
    return found if isinstance(found, dict) else text.strip()
