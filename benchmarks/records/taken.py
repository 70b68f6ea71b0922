"""Folders of models that were taken away: their form, and whether they are as they were left.

docs/taking-the-winner.md says what lies in one.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from benchmarks.errors import BadInput, cannot_write
from benchmarks.records import files
from benchmarks.records.files import Unreadable

FORM = 1
FACTS, SUMS = "taken.json", "SHA256SUMS"
MOST = 2**26  # bytes of either of the two


def seal(folder: Path) -> None:
    """Write the checksum of every file that lies there, as `sha256sum -c` reads it."""
    lines = [f"{digest(file)}  {name}\n" for name, file in sorted(there(folder).items())]
    files.write(folder / SUMS, "".join(lines))


def read(folder: Path) -> dict[str, Any]:
    """The facts of a folder whose files are all as they were left. Raises BadInput with a sentence
    on the first thing that is not."""
    if not folder.is_dir():
        raise BadInput(f"There is no folder {folder}.")
    try:
        facts: Any = json.loads(files.content(folder / FACTS, MOST))
        sums = files.content(folder / SUMS, MOST).decode("utf-8")
    except FileNotFoundError as error:
        name = Path(str(error.filename)).name
        raise BadInput(f"{folder} holds no model that was taken: it has no {name}.") from None
    except Unreadable as error:
        raise BadInput(f"{folder} holds no model that was taken: {FACTS} {error}.") from None
    except ValueError:
        raise BadInput(f"{folder} holds no model that was taken: {FACTS} is damaged.") from None
    form = facts.get("form") if isinstance(facts, dict) else None
    if form != FORM:
        age = "a newer" if isinstance(form, int) and form > FORM else "another"
        raise BadInput(
            f"{folder} was left by {age} version of this kit (form {str(form)[:9]}, here {FORM})."
        )
    left = there(folder)
    for line in sums.splitlines():
        known, _, name = line.partition("  ")
        if (file := left.pop(name, None)) is None:
            raise BadInput(f"{folder}: {name} is gone, which the model was taken with.")
        if digest(file) != known:
            raise BadInput(f"{file} was changed since the model was taken.")
    if FACTS in left or "state.json" in left:
        raise BadInput(f"{folder}: {SUMS} does not say how its files were.")
    return facts


def there(folder: Path) -> dict[str, Path]:
    """Name -> file of what belongs to a folder; not what Python leaves beside code that was run."""
    found = {}
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in names:
            file = Path(parent) / name
            found[file.relative_to(folder).as_posix()] = file
    found.pop(SUMS, None)
    return found


def digest(file: Path) -> str:
    """Raises BadInput for what is no plain file."""
    found = hashlib.sha256()
    try:
        with files.opened(file) as opened:
            while block := opened.read(files.CHUNK):
                found.update(block)
        return found.hexdigest()
    except (Unreadable, OSError) as error:
        raise BadInput(f"{file} {error}.") from None


def write_facts(folder: Path, facts: dict[str, Any]) -> None:
    """Raises CannotWrite."""
    try:
        text = json.dumps({"form": FORM, **facts}, indent=1, ensure_ascii=False)
        (folder / FACTS).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise cannot_write(folder / FACTS, error) from None
