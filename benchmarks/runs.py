"""The runs there are, the newest first.

    python -m benchmarks.runs [PART]

PART: only those with it in their names. Of each run: how many cells are done and how many ended
otherwise, its tasks and models, and when it was last worked on. Reads records and nothing beside
them: whether predictions are still what they were, the other commands look.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from benchmarks.commands import spoken, typed
from benchmarks.errors import FINISHED, command, tell
from benchmarks.records import files
from benchmarks.records.places import brought, place_of, store_of
from benchmarks.records.records import MOST, Record, parse
from benchmarks.show.parts import Chapter, Entry, Head, Table, words
from benchmarks.show.terminal import Terminal, printed

NAMED = 4  # tasks or models that are named


@dataclass(frozen=True)
class Found:
    """What there is to say of a run."""

    name: str
    records: Sequence[Record]
    unreadable: int

    @property
    def last(self) -> datetime | None:
        """When its last cell began."""
        moments = [datetime.fromisoformat(record["started"]) for record in self.records]
        return max(moments, key=datetime.timestamp, default=None)

    def endings(self) -> dict[str, int]:
        """Status -> how many cells ended like that."""
        return dict(Counter(record["status"] for record in self.records))


def found_in(results: Path, part: str = "") -> list[Found]:
    """The runs of a folder, the newest first; those without a record are none."""
    folders = [cells for cells in results.glob("*/cells") if part in cells.parent.name]
    runs = [run for cells in folders if (run := glance(cells)).records or run.unreadable]
    runs.sort(key=lambda run: run.name)
    runs.sort(key=lambda run: run.last.timestamp() if run.last else 0.0, reverse=True)
    return runs


def glance(cells: Path) -> Found:
    """A run by its records alone."""
    records, unreadable = [], 0
    for path in cells.glob("*.json"):
        try:
            records.append(parse(files.content(path, MOST)))
        except FileNotFoundError:  # it went while we looked
            continue
        except files.Unreadable:
            unreadable += 1
    return Found(cells.parent.name, records, unreadable)


def table(runs: Sequence[Found]) -> Table:
    heads = [
        Head("run", is_number=False),
        *(Head(text) for text in ("done", "failed", "skipped")),
        *(Head(text, is_number=False) for text in ("tasks", "models", "last")),
    ]
    notes = [
        f"! {run.name}: {run.unreadable} record{'s' * (run.unreadable > 1)} cannot be read"
        for run in runs
        if run.unreadable
    ]
    return Table("runs", "", heads, [line(run) for run in runs], notes)


def line(run: Found) -> list[Entry]:
    endings = run.endings()
    done, skipped = (endings.get(name, 0) for name in ("done", "skipped"))
    failed = len(run.records) - done - skipped
    last = "" if run.last is None else run.last.astimezone().isoformat(" ", "minutes")[:16]
    counts = [Entry(f"{count:,}" if count else "", count) for count in (done, failed, skipped)]
    return [
        *words(run.name),
        *counts,
        *words(*(named(record[key] for record in run.records) for key in ("task", "model")), last),
    ]


def named(names: Iterable[str]) -> str:
    """The most frequent ones, and how many more."""
    counted = [name for name, _ in Counter(names).most_common()]
    more = f" and {len(counted) - NAMED} more" if len(counted) > NAMED else ""
    return ", ".join(counted[:NAMED]) + more


@command
def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog=typed("runs"),
        description=spoken(__doc__ or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("part", metavar="PART", nargs="?", default="", help="of their names")
    parser.add_argument(
        "--results", type=place_of, default=Path("results"), help="default: results"
    )
    options = parser.parse_args(arguments)
    if (store := store_of(options.results)) is not None:
        brought(store, options.results)
    runs = found_in(options.results, options.part)
    if not runs:
        what = f" with {options.part!r} in its name" if options.part else ""
        tell(f"{options.results}/ holds no run{what} yet; {typed()} makes one.")
        return FINISHED
    console = Terminal()
    console.print(printed([Chapter("", [table(runs)])], console.width))
    return FINISHED


if __name__ == "__main__":
    sys.exit(main())
