"""How far a run is: what is done, what runs, what failed, what is left, and until when.

    python -m benchmarks.status RUN

Of the command that was started last on RUN, whether it still works or not. It only looks: nothing
that runs is disturbed.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.text import Text

from benchmarks.commands import spoken, typed
from benchmarks.errors import FINISHED, command, plain, tell
from benchmarks.records.forecast import Forecaster, left_of
from benchmarks.records.places import open_run, place_of
from benchmarks.records.plan import Planned, planned
from benchmarks.records.records import Record, Run, name_of
from benchmarks.runner.lock import holder
from benchmarks.runner.progress import last_line
from benchmarks.show.parts import Chapter, Head, Table, words
from benchmarks.show.terminal import Terminal, printed


@dataclass(frozen=True)
class Running:
    """A cell whose process has begun, as its folder tells."""

    cell: Planned
    phase: str
    since: datetime
    said: str


@dataclass(frozen=True)
class Status:
    """A run at a moment."""

    cells: Sequence[Planned]
    finished: Sequence[Record]
    """Of these cells, made since the command began or found by it."""
    running: Sequence[Running]
    worker: str | None
    """Who works on it; None: nobody."""

    @property
    def left(self) -> list[Planned]:
        """Not finished, those that run among them."""
        names = {name_of(record) for record in self.finished}
        return [cell for cell in self.cells if cell.name not in names]

    def count(self, *statuses: str) -> int:
        return sum(record["status"] in statuses for record in self.finished)

    def seconds_left(self, now: datetime) -> float | None:
        """As the cells that are finished let expect; None where none is."""
        begun = {r.cell.name: (now - r.since).total_seconds() for r in self.running}
        told = [record.get("calibration", {}).get("seconds", 0.0) for record in self.finished]
        forecaster = Forecaster(min((seconds for seconds in told if seconds > 0), default=None))
        for record in self.finished:
            forecaster.learn(record)
        return left_of(self.left, self.finished, begun, forecaster)


def status_of(run: Run) -> Status:
    """Raises BadInput for a run whose last command left no plan."""
    plan = planned(run.folder)
    records = {name_of(record): record for record in run.glance()}
    finished = [
        record
        for cell in plan.cells
        if (record := records.get(cell.name)) is not None
        and not (
            cell.name in plan.wanted and datetime.fromisoformat(record["started"]) < plan.began
        )
    ]
    there = {cell.name: cell for cell in plan.cells}
    running = []
    for folder in sorted(run.cells.glob("*.partial")):
        cell = there.get(folder.name.removesuffix(".partial"))
        phase = folder / "phase"
        if cell is not None and phase.is_file():
            began = datetime.fromtimestamp(folder.stat().st_ctime, UTC)
            said = last_line(folder / "cell.log")
            running.append(Running(cell, phase.read_text("utf-8", "replace")[:40], began, said))
    return Status(plan.cells, finished, running, holder(run.folder))


def sentence(name: str, status: Status, now: datetime) -> str:
    """All of it in one line."""
    done, skipped = status.count("done"), status.count("skipped")
    failed = len(status.finished) - done - skipped
    running = len(status.running) if status.worker else 0
    counts = [
        (done, "done"),
        (failed, "failed"),
        (skipped, "skipped"),
        (running, "running"),
        (len(status.left) - running, "left"),
    ]
    told = ", ".join(f"{count:,} {what}" for count, what in counts if count)
    line = f"run {name}: {len(status.cells):,} cells: {told or 'none'}"
    if not status.left:
        return line
    if status.worker is None:
        return f"{line}; nobody works on it: the command that it was made with goes on from there"
    if (seconds := status.seconds_left(now)) is None:
        return f"{line}; until when, the first cell will tell"
    end, today = (now + timedelta(seconds=seconds)).astimezone(), now.astimezone().date()
    moment = f"{end:%H:%M}" if end.date() == today else f"{end:%Y-%m-%d %H:%M}"
    return f"{line}; until about {moment} ({timedelta(seconds=round(seconds))})"


def tables(status: Status, now: datetime) -> list[Table]:
    """What runs, or was interrupted, and what failed."""
    found = []
    if status.running:
        heads = [Head(text, is_number=False) for text in ("cell", "phase", "for", "said last")]
        rows = [
            words(
                r.cell.label,
                r.phase,
                str(timedelta(seconds=round((now - r.since).total_seconds()))),
                r.said,
            )
            for r in status.running
        ]
        title = "Running" if status.worker else "Interrupted"
        found.append(Table("running", title, heads, rows))
    if failed := [r for r in status.finished if r["status"] not in ("done", "skipped")]:
        heads = [Head(text, is_number=False) for text in ("cell", "ended as", "why")]
        label = {cell.name: cell.label for cell in status.cells}
        rows = [words(label[name_of(r)], r["status"], r["reason"] or "") for r in failed]
        found.append(Table("failed", "Failed", heads, rows))
    return found


@command
def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog=typed("status"),
        description=spoken(__doc__ or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", metavar="RUN", help="name of a run (or its folder)")
    parser.add_argument(
        "--results", type=place_of, default=Path("results"), help="default: results"
    )
    options = parser.parse_args(arguments)
    run, now, console = open_run(options.results, options.run), datetime.now(UTC), Terminal()
    status = status_of(run)
    console.print(Text(plain(sentence(run.name, status, now)), style="bold"))
    if status.worker:
        tell(status.worker)
    if parts := tables(status, now):
        console.print(printed([Chapter("", parts)], console.width))
    return FINISHED


if __name__ == "__main__":
    sys.exit(main())
