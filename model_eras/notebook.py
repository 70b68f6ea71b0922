"""The eras on a data frame, called from Python."""

import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from model_eras import child
from model_eras.child import BadInput, CannotWrite
from model_eras.progress import Progress
from model_eras.result import Result
from model_eras.table import library_of, saved

NAME = re.compile(r"\w[\w.-]*")
"""Of a run, as the kit allows it."""
FINISHED, FAILED_CELLS = 0, 1
"""Exit codes of a run that came to its end."""


def compare(
    data: Any,
    target: str,
    *settings: str,
    models: str | Iterable[str] | None = None,
    seeds: int | Iterable[int] | None = None,
    run: str | None = None,
    results: str | os.PathLike[str] = "results",
) -> Result:
    """Fit every era on a table and say which model to take, how sure that is, and what it costs.

    data: a data frame of pandas or Polars, an Arrow table, or the path of a file. target: the
    column to predict. settings: others, as they are typed in a shell: "task.split=time",
    "tune=trials", "suite=own". models, seeds: only these; else those of the suite. run: a name;
    else one that is made of the target and the data. results: the folder of all runs.

    Everything is fitted in processes of its own and recorded in the run's folder; called again, it
    runs what is missing. An interrupted call leaves whole records, and no process. Raises BadInput
    with one sentence, CannotWrite, KeyboardInterrupt.
    """
    for setting in settings:
        key, _, value = setting.partition("=")
        if key in ("run", "results"):
            raise BadInput(f"{setting}: say it as {key}={value!r}, beside the settings")
    if run is not None and not NAME.fullmatch(run):
        raise BadInput(f"run={run}: a name is made of letters, digits, '_', '-' and '.'")
    several = [*listed("model", models), *listed("seed", seeds)]
    folder = Path(results)
    with placed(data, str(target), run, folder) as (place, name):
        texts = {"task.path": place, "task.target": str(target), "results": str(folder)}
        told = followed(texts, ["task=table", f"run={name}", *settings, *several])
    return Result(
        folder=(folder / name).absolute(),
        answer=told["answer"],
        failed=told["failed"],
        _rows=told["table"],
        _pairs=told["verdicts"],
        _html=told["html"],
        _text=told["text"],
        _library=library_of(data),
        _where=Path.cwd(),
    )


def listed(key: str, values: Any) -> list[str]:
    """`model=svm,xgboost`; nothing where nothing is said."""
    if values is None:
        return []
    several = [values] if isinstance(values, str | int) else list(values)
    return [f"{key}={','.join(map(str, several))}"]


@contextmanager
def placed(data: Any, target: str, run: str | None, results: Path) -> Iterator[tuple[str, str]]:
    """(where the table lies, the run's name). A data frame is kept beside its records, under a
    name that its rows decide; not if nothing came to be recorded."""
    if isinstance(data, str | os.PathLike):
        yield os.fspath(data), run or named(f"{Path(data).stem}-{target}")
        return
    was_there = results.exists()
    part, checksum = saved(data, results)
    name = run or f"{named(target)}-{checksum}"
    folder = results / name
    place = folder / f"data-{checksum}.parquet"
    try:
        folder.mkdir(exist_ok=True)
        part.replace(place)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise CannotWrite(f"{folder} cannot be written ({error.strerror or error})") from None
    try:
        yield str(place), name
    finally:
        if not (folder / "cells").is_dir():
            with suppress(OSError):
                place.unlink()
                folder.rmdir()
                if not was_there:
                    results.rmdir()


def named(text: str) -> str:
    """A text as the name of a run."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.")[:60] or "table"


def followed(texts: dict[str, str], arguments: list[str]) -> dict[str, Any]:
    """Run the main job and show how far it is; what it tells of its run (benchmarks/notebook.py).

    texts: settings that mean what they hold, whatever characters these are.
    """
    progress = Progress()
    with tempfile.TemporaryDirectory(prefix="model-eras-") as folder:
        file = Path(folder) / "told.json"
        request = {"texts": texts, "arguments": arguments, "file": str(file), "parent": os.getpid()}
        try:
            child.run(
                "benchmarks.notebook",
                json.dumps(request),
                allowed=(FINISHED, FAILED_CELLS),
                tell=progress.tell,
            )
        finally:
            progress.end()
        told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return told
