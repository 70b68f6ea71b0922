"""Texts with their classes, from a folder of files or a table, and a clear sentence where that
cannot be. Nothing in a file is ever executed, and nothing is unpickled."""

import re
import unicodedata
from collections.abc import Sequence
from glob import has_magic
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from tasks.base import spread
from tasks.table.columns import NOTHING, WORDS, as_texts, stored_as
from tasks.table.read import UNREADABLE, format_of, is_hidden, place_of, plain
from tasks.table.read import read as read_table
from tasks.table.remote import fetched
from tasks.table.target import FEW, column_of
from tasks.words import UNSPACED

SAMPLE = 1_000  # rows in which the column of texts is looked for
BEGIN = 1 << 16  # bytes of a table that tell whether it is one
LABELS = "labels.csv"
# What folders are called that hold one side of a split, such as 20news-bydate-train; validation
# texts are train texts here.
SIDE = re.compile(r"(?:.*[\W_])?(?:(test)(?:ing)?|train(?:ing)?|val(?:id(?:ation)?)?|dev)", re.I)
NO_TEXT = set(UNREADABLE) - {".xml", ".html"}
# What is spelled out in names: control characters, halves of one that UTF-8 does not have, and what
# turns the direction of writing round.
STEERING = ("Cc", "Cs")
TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class Found(NamedTuple):
    """What was read."""

    texts: list[str]
    labels: list[str]
    """Name of each one's class, empty where nobody said it"""
    column: str
    """What the texts are called"""
    target: str
    """What the classes are"""
    notes: list[str]
    """What somebody should know of how they were read, a sentence each"""
    tested: np.ndarray | None = None
    """(n,) which are test texts; None where train and test texts do not lie apart"""
    groups: list[str] | None = None
    """What each belongs to, empty where it is something of its own"""

    def take(self, places: np.ndarray, note: str) -> "Found":
        """These texts only, and why."""

        def some(values: list[str]) -> list[str]:
            return [values[k] for k in places]

        return self._replace(
            texts=some(self.texts),
            labels=some(self.labels),
            notes=[*self.notes, note],
            tested=None if self.tested is None else self.tested[places],
            groups=None if self.groups is None else some(self.groups),
        )

    def without_unlabelled(self) -> "Found":
        known = np.flatnonzero([label != "" for label in self.labels])
        if len(known) in (0, len(self.labels)):
            return self
        lost = f"{len(self.labels) - len(known):,} of {len(self.labels):,} texts are left out"
        return self.take(known, f"{lost}: their class ({self.target}) is missing")

    def drawn(self, most: int | None) -> "Found":
        """At most so many, always the same ones; each class on each side has its share."""
        n = len(self.texts)
        if most is None or n <= most:
            return self
        alike, _ = pd.factorize(np.array(self.labels, dtype=object))
        sides = np.zeros(n, dtype=np.int64) if self.tested is None else self.tested
        order = np.argsort(spread(2 * alike + sides, np.random.default_rng(0)), kind="stable")
        note = f"{most:,} of {n:,} texts are read, drawn by chance (task.rows)"
        return self.take(np.sort(order[:most]), note)

    def outcomes(self) -> pd.Series:
        """The classes. Raises ValueError where there is none, or where they are numbers."""
        known = {label for label in self.labels if label}
        if not known:
            raise ValueError(f"no text has a class: {self.target} is missing everywhere")
        if len(known) > FEW and all(map(is_number, known)):
            raise ValueError(
                f"{self.target!r} holds {len(known):,} different numbers, and task=texts tells "
                "classes apart: make classes of them, or say task=table, which predicts numbers"
            )
        if sum(label[0] + label[-1] == "[]" for label in known) > len(known) / 2:
            raise ValueError(
                f"{self.target!r} holds lists, such as {shortened(min(known))}: a text has one "
                "class here"
            )
        return pd.Series(self.labels, name=self.target, dtype=object)


def read(
    path: str,
    query: str | None,
    encoding: str,
    threads: int,
    target: str | None,
    text: str | None,
    group: str | None,
) -> Found:
    """All texts of a folder, or of a table. Raises ValueError with one sentence."""
    if not path.strip():
        raise ValueError("task.path is empty; say where the texts lie")
    with fetched(path) as place:
        try:
            folder = place_of(place)
            if not folder.exists() and not has_magic(place):
                raise ValueError(f"there is no file or folder {path}")
            if folder.is_dir() and (folder / LABELS).is_file():
                return listed(folder, encoding, threads, target or "label", text, group)
            if folder.is_dir() and target is None:
                for name, value in (("text", text), ("group", group)):
                    if value is not None:
                        raise ValueError(
                            f"task.{name} names a column, and {path} is a folder of texts: say "
                            f"task.target as well, or write {LABELS} (docs/texts.md)"
                        )
                return by_folder(folder, encoding)
            if target is None:
                raise ValueError("say which column holds the classes: task.target=COLUMN")
            return from_table(place, query, encoding, threads, target, text, group)
        except OSError as error:
            raise ValueError(f"{path} cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise ValueError(str(error).replace(place, path)) from None


def by_folder(folder: Path, encoding: str) -> Found:
    """A class is what the folder is called in which a file lies, at whatever depth: one of the
    first folders, or of those in `train` and `test` where there are only such."""
    files = files_of(folder)
    parts = [file.relative_to(folder).parts for file in files]
    first = {names[0] for names in parts if len(names) > 1}
    sides = {name: SIDE.fullmatch(name) for name in first}
    apart = len(first) > 1 and all(sides.values())
    tests = {name for name, side in sides.items() if side is not None and side[1] is not None}
    apart = apart and 0 < len(tests) < len(first)
    depth = 1 if apart else 0
    kept = [k for k, names in enumerate(parts) if len(names) > depth + 1]
    if not kept:
        raise ValueError(
            f"the files of {folder} lie in no folder of a class: make one for each, write {LABELS} "
            "with the columns file and label, or say task.target=COLUMN if they are tables"
        )
    notes = []
    if loose := len(files) - len(kept):
        stray = next(
            file for file, names in zip(files, parts, strict=True) if len(names) < depth + 2
        )
        notes.append(
            f"{loose:,} of {len(files):,} files lie in no folder of a class, such as "
            f"{clean(stray.name)}: left out"
        )
    return Found(
        texts=[text_of(files[k], encoding) for k in kept],
        labels=[clean(parts[k][depth]) for k in kept],
        column="text",
        target="folder",
        notes=notes,
        tested=np.array([parts[k][0] in tests for k in kept]) if apart else None,
    )


def listed(
    folder: Path, encoding: str, threads: int, target: str, text: str | None, group: str | None
) -> Found:
    """The files that `labels.csv` names in its column `file`. Raises ValueError."""
    place = folder / LABELS
    if text is not None:
        raise ValueError(f"task.text names a column, and the texts of {place} are files")
    table, _, notes = read_table(str(place), None, "utf-8", threads)
    file, target = (column_of(name, table.column_names) for name in ("file", target))
    files, seen = [], set[Path]()
    for name in column(table, file):
        there = (folder / name).resolve()
        if not there.is_relative_to(folder.resolve()):
            raise ValueError(f"{place} names {name!r}, which lies outside of the folder")
        if not name or not there.is_file():
            raise ValueError(f"{place} names the file {name!r}, and there is none")
        if there in seen:
            raise ValueError(f"{place} names the file {name!r} twice")
        seen.add(there)
        files.append(folder / name)
    unlisted = {there.resolve() for there in files_of(folder)} - seen - {place.resolve()}
    if unlisted:
        notes.append(f"{len(unlisted):,} files that {LABELS} does not name are left out")
    return Found(
        texts=[text_of(there, encoding) for there in files],
        labels=list(map(clean, column(table, target))),
        column="text",
        target=target,
        notes=notes,
        groups=None if group is None else column(table, column_of(group, table.column_names)),
    )


def from_table(
    path: str,
    query: str | None,
    encoding: str,
    threads: int,
    target: str,
    text: str | None,
    group: str | None,
) -> Found:
    """A column of texts and one of classes. Raises ValueError."""
    file = place_of(path)
    if file.is_file() and format_of(path) == "csv" and plain(path) == path.lower():
        with file.open("rb") as opened:
            refuse_bytes(file, opened.read(BEGIN), encoding)
    table, rows, notes = read_table(path, query, encoding, threads)
    if not rows:
        raise ValueError(f"{path} has a header and no rows")
    target = column_of(target, table.column_names)
    group = None if group is None else column_of(group, table.column_names)
    if text is None:
        text = longest(table, {target, group}, path)
        notes = [*notes, f"the texts are those of {text!r} (or task.text=…)"]
    text = column_of(text, table.column_names)
    for name, other in (("text", text), ("group", group)):
        if other == target:
            raise ValueError(f"task.{name} is the target, {target!r}")
    if group == text:
        raise ValueError(f"task.group is the text, {text!r}")
    for name in (text, target):
        stored = table[name].type
        if stored_as(stored) == "nothing" or (name == text and stored_as(stored) != "text"):
            kind = "a text has one class" if name == target else "a text is one"
            raise ValueError(f"{name!r} of {path} is stored as {stored}: {kind} here")
    return Found(
        texts=column(table, text),
        labels=list(map(clean, column(table, target))),
        column=text,
        target=target,
        notes=notes,
        groups=None if group is None else column(table, group),
    )


def longest(table: pa.Table, without: set[str | None], path: str) -> str:
    """The column with the longest texts of several words each. Raises ValueError if there is
    none."""
    step = max(1, len(table) // SAMPLE)
    sample = table.take(pa.array(np.arange(0, len(table), step)))
    lengths, most = {}, (0.0, "")
    for name in table.column_names:
        if name in without or stored_as(table[name].type) != "text":
            continue
        texts = [value for value in column(sample, name) if value]
        words = sum(len(value.split()) + len(SPACELESS.findall(value)) for value in texts)
        words_each = words / max(1, len(texts))
        most = max(most, (words_each, name))
        if words_each >= WORDS:
            lengths[name] = sum(map(len, texts)) / len(texts)
    if not lengths:
        nearest = f" (most words: {most[1]!r}, {most[0]:.1f} on average)" if most[1] else ""
        raise ValueError(f"no column of {path} holds texts{nearest}: say task.text=COLUMN")
    return max(lengths, key=lambda name: lengths[name])


SPACELESS = re.compile(f"[{UNSPACED}]")


def column(table: pa.Table, name: str) -> list[str]:
    """The values as they are written; empty where there is none."""
    return ["" if value is None else value for value in as_texts(table[name]).to_pylist()]


def files_of(folder: Path) -> list[Path]:
    """All files at any depth, in the order of their names, without what programs hide there. Raises
    ValueError if there is none."""
    files = [
        file for file in sorted(folder.rglob("*")) if file.is_file() and not is_hidden(file, folder)
    ]
    if not files:
        raise ValueError(f"{folder} is a folder without a file in it")
    return files


def text_of(file: Path, encoding: str) -> str:
    """What a file says, with \\n at the ends of lines. Raises ValueError for what is no text."""
    if (ending := file.suffix.lower()) in NO_TEXT:
        raise ValueError(f"{file}: {ending} files are not read; save it as a text")
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}") from None
    refuse_bytes(file, raw, encoding)
    if raw[:2] in UTF_16:
        encoding = "utf-16"
    try:
        text = raw.decode(encoding)
    except LookupError:
        raise ValueError(f"task.encoding={encoding}: there is no such encoding") from None
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ValueError(
            f"{file} is not {encoding} in line {line:,}; say what it is, such as "
            "task.encoding=latin-1"
        ) from None
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def refuse_bytes(file: Path, raw: bytes, encoding: str) -> None:
    """Raises ValueError for what holds a zero, as programs and pictures do and texts do not."""
    wide = raw[:2] in UTF_16 or re.match(r"utf_?-?(16|32)", encoding, re.I)
    if b"\0" in raw and not wide:
        raise ValueError(f"{file} is no text: its byte {raw.index(0):,} is zero")


def clean(label: str) -> str:
    """The name of a class in one form of Unicode, on one line and without what steers a terminal;
    empty for what only programs write where nothing is."""
    line = " ".join(unicodedata.normalize("NFC", label).split())
    if line in NOTHING:
        return ""
    return "".join(
        repr(c)[1:-1] if c in TURNING or unicodedata.category(c) in STEERING else c for c in line
    )


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def shortened(text: str) -> str:
    return repr(text if len(text) <= 30 else text[:29] + "…")


def same(texts: Sequence[str]) -> np.ndarray:
    """(n,) codes from 0 on: texts that differ in blanks, in capitals or in how Unicode writes them
    have one. Empty texts have nothing to remember: each has its own."""
    keys = [" ".join(unicodedata.normalize("NFKC", text).casefold().split()) for text in texts]
    codes, _ = pd.factorize(np.array([key or k for k, key in enumerate(keys)], dtype=object))
    return codes
