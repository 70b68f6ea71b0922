"""Run a recorded cell again, and say whether it came out the same.

    python -m benchmarks.rerun RUN CELL

CELL is the name of a record (a file in RUN's folder cells/, without .json), or a part of one that
no other name has, such as `network-0`. The cell runs with exactly its recorded config, beside the
run and leaving nothing in it, and is held against its record: bit for bit, or by how much every
answer and every score differ. Where the code or the data have changed since, it says so and stops.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.text import Text

from benchmarks import interruption
from benchmarks.commands import spoken, typed
from benchmarks.confirm import settings_like
from benchmarks.errors import FAILED_CELLS, FINISHED, BadInput, command, nearest, plain
from benchmarks.plan.again import cells_like
from benchmarks.records.machine import fingerprint
from benchmarks.records.places import open_run, place_of
from benchmarks.records.records import Record, Run, name_of
from benchmarks.run import execute
from benchmarks.runner.worker import Worker
from benchmarks.show.terminal import Terminal

LISTED = 8  # names in a sentence


def recorded(run: Run, asked: str) -> Record:
    """The one record that is meant. Raises BadInput."""
    records, unreadable = run.scan()
    names = {name_of(record): record for record in records}
    meant = [name for name in names if name == asked] or [n for n in names if asked in n]
    if len(meant) == 1:
        return names[meant[0]]
    if meant:
        more = f" and {len(meant) - LISTED} more" if len(meant) > LISTED else ""
        raise BadInput(f"{asked!r} may be any of {', '.join(meant[:LISTED])}{more}.")
    if broken := [said for said in unreadable if asked in said]:
        raise BadInput(f"{broken[0]}.")
    near = nearest(asked, list(names)) or list(names)
    raise BadInput(
        f"Run {run.name} has no record {asked!r}; there are: {', '.join(near[:LISTED]) or 'none'}"
        f"{', …' if len(near) > LISTED else '.'}"
    )


def differences(then: Record, now: Record, raw: Sequence[Mapping[str, Any] | None]) -> list[str]:
    """What is not as it was, a line each; none if it all is, to the bit. raw: outcomes of both."""
    if then["status"] != now["status"] or now["status"] != "done":
        ended = [": ".join(filter(None, (r["status"], r["reason"]))) for r in (then, now)]
        return [] if ended[0] == ended[1] else [f"it ended as {ended[0]}, and now as {ended[1]}"]
    before, after = raw
    lines = []
    if before is None:
        lines.append("its answers are gone, so that scores alone can be held against each other")
    elif after is not None:
        lines += [
            apart(name, before[name], after[name])
            for name in ("predictions", "answers")
            if name in before
        ]
    for name, score in then["scores"].items():
        if score != (other := now["scores"].get(name)):
            lines.append(f"{name}: {score} then, {other} now")
    return [line for line in lines if line]


def apart(name: str, then: Any, now: Any) -> str:
    """By how much answers differ; empty if they do not."""
    import numpy as np  # here, as listing what there is should not wait for it

    if isinstance(then, list):
        differ = sum(a != b for a, b in zip(then, now, strict=True))
        return f"{differ:,} of {len(then):,} {name} differ" if differ else ""
    if then.dtype == now.dtype and then.tobytes() == now.tobytes():
        return ""
    gap = np.abs(then.astype(float) - now.astype(float))
    rows = int((gap.reshape(len(gap), -1) > 0).any(axis=1).sum())
    return f"{rows:,} of {len(gap):,} {name} differ, by at most {gap.max():.3g}"


def surroundings(then: Record, now: Record) -> list[str]:
    """What is another than it was, and may be why."""
    found = []
    if fingerprint(then["machine"]) != fingerprint(now["machine"]):
        found.append(f"the machine was {told(then['machine'])}, and is {told(now['machine'])}")
    before, after = then["packages"], now["packages"]
    moved = [f"{k} {v} → {after.get(k, 'gone')}" for k, v in before.items() if after.get(k) != v]
    if moved:
        found.append(f"packages: {', '.join(moved)}")
    return found


def told(machine: Mapping[str, Any]) -> str:
    return f"{machine['processor']} with {machine['cores']} cores, Python {machine['python']}"


def rerun(options: argparse.Namespace, console: Terminal, worker: Worker | None) -> int:
    run = open_run(options.results, options.run)
    then = recorded(run, options.cell)
    (cell,) = cells_like(
        then, [then["seed"]], "it would be a cell of something else", options.allow
    )
    with tempfile.TemporaryDirectory(prefix="model-eras-") as folder:
        beside = Run(Path(folder) / run.name)
        beside.create()
        settings = settings_like(then, beside, None, options.allow)
        (now,) = execute(beside, [cell], settings, console, worker)
        raw = [run.outcomes(then), beside.outcomes(now)] if now["status"] == "done" else []
    lines = differences(then, now, raw)
    answers = f" with all {then['rows']['test']:,} answers" if then["status"] == "done" else ""
    head = (
        f"It came out otherwise than on {then['started'][:10]}"
        if lines
        else f"Bit-identical to {then['started'][:10]}{answers}"
    )
    console.print(Text(plain(f"{head}."), style="bold"))
    for line in lines + (surroundings(then, now) if lines else []):
        console.print(Text(plain(f"  {line}")))
    if then["status"] == now["status"] == "done":
        took = [r["phases"]["fit"]["wall"] for r in (then, now)]
        console.print(Text(f"  fit {took[0]:.2f} s then, {took[1]:.2f} s now"))
    return FAILED_CELLS if lines else FINISHED


@command
def main(arguments: Sequence[str] | None = None, worker: Worker | None = None) -> int:
    """Run the command line. worker: one that was started already."""
    parser = argparse.ArgumentParser(
        prog=typed("rerun"),
        description=spoken(__doc__ or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", metavar="RUN", help="name of a run (or its folder)")
    parser.add_argument("cell", metavar="CELL", help="name of a record, or a part of it")
    parser.add_argument(
        "--allow", nargs="+", default=[], metavar="PACKAGE", help="of your own, that may be built"
    )
    parser.add_argument(
        "--results", type=place_of, default=Path("results"), help="default: results"
    )
    options = parser.parse_args(arguments)
    try:
        return rerun(options, Terminal(), worker)
    except KeyboardInterrupt as interrupt:
        interruption.say()
        return interruption.exit_code(interrupt)


if __name__ == "__main__":
    sys.exit(main())
