"""Parts as Markdown (GitHub's), for a README or beside a run."""

import html
import re
from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len

from benchmarks.show.parts import Chapter, Part, Picture, Table, marked, on_paper

LISTED = {"✗": "- ", "!": "- ", "*": "- \\* "}
"""Mark of a sentence -> how its line begins."""
STEERS = re.compile(
    r"\\(?=[^\w\s])"  # would escape what follows
    r"|[`\[\]|]"
    r"|\*(?=\S)"  # begins what is bold; a star behind a number stays a star
    r"|(?<!\w)_|_(?!\w)"  # inside a word it is an underscore
)
TAG = re.compile(r"<(?=[A-Za-z/!?])|&(?=#?\w+;)")


def document(title: str, chapters: Sequence[Chapter]) -> str:
    """Words, tables, and links to the pictures beside the file."""
    text = f"# {escaped(title)}\n\n"
    for chapter in chapters:
        heading = f"## {escaped(chapter.title)}\n\n" if chapter.title else ""
        text += f"{heading}{fragment(chapter.parts)}\n"
    return text.rstrip() + "\n"


def fragment(parts: Iterable[Part]) -> str:
    """Parts one after the other, as they stand in a document."""
    text = "\n".join(block.strip("\n") + "\n" for block in _blocks(map(on_paper, parts)))
    return text.rstrip() + "\n" if text else ""


def _blocks(parts: Iterable[str | Table | Picture]) -> Iterator[str]:
    sentences: list[str] = []
    for part in parts:
        if isinstance(part, str):
            sentences.append(part)
            continue
        if sentences:
            yield _sentences(sentences)
            sentences = []
        if isinstance(part, Picture):
            link = f"![{escaped(part.title)}]({part.name}.svg)"
            yield f"{link}\n\n{escaped(part.caption)}"
        else:
            yield _table(part)
    if sentences:
        yield _sentences(sentences)


def _table(table: Table) -> str:
    below = [*table.notes, table.legend, table.source]
    return f"### {escaped(table.title)}\n\n{_pipes(table)}\n{_sentences(filter(None, below))}"


def _pipes(table: Table) -> str:
    """Padded, so that it can be read as it is, too."""
    lines = [[escaped(head.text) for head in table.heads]]
    lines += [[escaped(entry.text) for entry in row] for row in table.rows]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]

    def line(texts: Iterable[str]) -> str:
        padded = []
        for text, width, head in zip(texts, widths, table.heads, strict=True):
            space = " " * (width - cell_len(text))
            padded.append(space + text if head.side == "right" else text + space)
        return f"| {' | '.join(padded)} |\n"

    rule = "|".join("-" * (width + 2) for width in widths)
    return f"{line(lines[0])}|{rule}|\n{''.join(map(line, lines[1:]))}"


def _sentences(texts: Iterable[str]) -> str:
    """Those with a mark as a list, questions as one paragraph, others as one each."""
    text, before = "", ""
    for mark, rest in map(marked, texts):
        if mark in LISTED:
            text += f"{LISTED[mark]}{escaped(rest)}\n"
        elif mark == before == "?":
            text = f"{text.rstrip()} {escaped(rest)}\n"
        else:
            text += f"\n{escaped(rest)}\n"
        before = mark
    return text


def escaped(text: str) -> str:
    """A text that Markdown shows as it is, in a table as well."""
    text = TAG.sub(lambda match: html.escape(match[0]), " ".join(text.split()))
    return STEERS.sub(r"\\\g<0>", text)
