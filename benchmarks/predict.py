"""Predict new rows with a model that was taken (python -m benchmarks.fit).

    python -m benchmarks.predict FOLDER new.csv --out scored.parquet

New rows are read as the rows were that the model learned from: the same types and formats, columns
in any order, others beside them. What does not fit is refused in a sentence. A file of any size is
read and predicted piece by piece. The output has a line for each row, in their order: `row` (from
0), `prediction`, and of classes the probability of each.
"""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.commands import spoken, typed
from benchmarks.errors import FAILED_CELLS, FINISHED, BadInput, cannot_write, command, tell
from benchmarks.records import machine, taken
from benchmarks.runner.jobs import JobFailed, outcome_of
from benchmarks.runner.worker import Worker

ENDINGS = (".parquet", ".csv")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=typed("predict"),
        description=spoken(__doc__ or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="left by benchmarks.fit")
    parser.add_argument("path", metavar="NEW", help="a file of new rows, or a folder or glob")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help=".parquet or .csv")
    parser.add_argument(
        "--explain",
        type=int,
        default=0,
        metavar="N",
        help="add the N columns that moved each prediction, where the model's library tells",
    )
    parser.add_argument(
        "--keep", nargs="+", default=[], metavar="COLUMN", help="columns that go along, such as ids"
    )
    parser.add_argument("--query", help="what to read from a SQLite or DuckDB file")
    parser.add_argument("--encoding", help="of a text file; default: as that learned from")
    parser.add_argument("--threads", type=int, metavar="N", help="default: all cores")
    return parser.parse_args(arguments)


def checked(options: argparse.Namespace) -> dict[str, Any]:
    """The facts of the folder, once all that was asked for is in order. Raises BadInput."""
    if options.out.suffix.lower() not in ENDINGS:
        raise BadInput(f"--out {options.out}: give a file that ends in {' or '.join(ENDINGS)}.")
    if not options.out.parent.is_dir():
        raise BadInput(f"--out {options.out}: there is no folder {options.out.parent}.")
    with contextlib.suppress(OSError):  # an address, or a glob
        if options.out.samefile(options.path):
            raise BadInput(f"--out {options.out} is the file of new rows itself; give another.")
    if options.out.is_dir():
        raise BadInput(f"--out {options.out} is a folder.")
    cores = machine.available_cores()
    if options.threads is not None and not 1 <= options.threads <= cores:
        raise BadInput(f"--threads {options.threads}: this machine offers {cores}.")
    if options.explain < 0:
        raise BadInput(f"--explain {options.explain}: give a number from 1 on.")
    return taken.read(options.folder)


def predict(options: argparse.Namespace, worker: Worker | None) -> int:
    facts = checked(options)
    out = options.out
    part = out.with_name(f".{out.name[:200]}.{os.getpid()}.part")
    job = {
        "work": "predict",
        "from": str(options.folder.resolve()),
        "facts": {name: facts[name] for name in ("model", "answer", "classes")},
        "path": options.path,
        "out": str(part.resolve()),
        "ending": out.suffix.lower(),
        "explain": options.explain,
        "keep": options.keep,
        "query": options.query,
        "encoding": options.encoding,
    }
    threads = options.threads or (worker.threads if worker else machine.available_cores())
    try:
        outcome = outcome_of(job, threads, worker)
        part.replace(out)
    except OSError as error:
        raise cannot_write(out, error) from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    tell(f"{out}: {outcome['rows']:,} rows, predicted by {facts['label']}")
    for note in outcome["notes"]:
        tell(f"note: {note}", is_error=True)
    return FINISHED


@command
def main(arguments: Sequence[str] | None = None, worker: Worker | None = None) -> int:
    """Run the command line. worker: one that was started already."""
    options = parse(arguments)
    try:
        return predict(options, worker)
    except JobFailed as failure:
        tell(f"error: {options.path} could not be predicted: {failure}", is_error=True)
        return FAILED_CELLS


if __name__ == "__main__":
    sys.exit(main())
