"""Take the winner: fit a row of a run on all rows, and leave it as a folder.

    python -m benchmarks.fit RUN MODEL

MODEL is the label of a row of RUN's table, or the name of its model. The folder (--to; else
results/RUN/taken/MODEL) holds what was learned as data (JSON, safetensors, UBJSON, skops; never a
pickle), how columns are read and prepared, a card, a checksum of every file, and where that can be
done a score.py that works without this kit. `python -m benchmarks.predict` reads new rows with it.
docs/taking-the-winner.md has more.
"""

import argparse
import contextlib
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.analysis.intervals import known_scores
from benchmarks.analysis.summary import Row, Section, broadest, sections, tuned
from benchmarks.commands import spoken, typed
from benchmarks.errors import (
    FAILED_CELLS,
    FINISHED,
    BadInput,
    cannot_write,
    command,
    tell,
)
from benchmarks.plan.again import cells_like
from benchmarks.plan.copies import write_alone
from benchmarks.records import machine, taken
from benchmarks.records.places import open_run, place_of
from benchmarks.records.records import Cell, Record, Run
from benchmarks.runner.compose import ROOT
from benchmarks.runner.jobs import JobFailed, outcome_of
from benchmarks.runner.worker import Worker
from benchmarks.show.card import card

SO = "what would be fitted is not what was measured; run its cells again"


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=typed("fit"),
        description=spoken(__doc__ or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", metavar="RUN", help="name of a run (or its folder)")
    parser.add_argument("model", metavar="MODEL", help="label of a row, or name of its model")
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="where it is left")
    parser.add_argument("--replace", action="store_true", help="if there is such a folder already")
    parser.add_argument("--task", metavar="LABEL", help="which table, if the run has several")
    parser.add_argument("--seed", type=int, metavar="N", help="of the fit; default: its first one")
    parser.add_argument(
        "--train-only",
        action="store_true",
        help="leave the test rows of the seed out: the very model that was measured",
    )
    parser.add_argument(
        "--allow", nargs="+", default=[], metavar="PACKAGE", help="of your own, that may be built"
    )
    parser.add_argument(
        "--results", type=place_of, default=Path("results"), help="default: results"
    )
    return parser.parse_args(arguments)


def chosen(run: Run, records: Sequence[Record], name: str, task: str | None) -> tuple[Section, Row]:
    """The row of a run that is meant. Raises BadInput with what there is."""
    found = [section for section in broadest(sections(records)) if not section.control]
    if task is not None:
        found = [section for section in found if task in (section.label, section.task)]
    rows = [(section, row) for section in found for row in section.rows]
    meant = [pair for pair in rows if pair[1].label == name]
    meant = meant or [pair for pair in rows if pair[1].first["model"] == name]
    if len(meant) == 1:
        return meant[0]
    several = len({section.label for section, _ in rows}) > 1
    labels = [f"{r.label} (--task '{s.label}')" if several else r.label for s, r in meant or rows]
    what = f"{len(meant)} rows that {name!r} may mean" if meant else f"no row {name!r}"
    if not labels:
        raise BadInput(f"The run {run.name} has no rows{f' of {task!r}' if task else ''}.")
    raise BadInput(f"The run {run.name} has {what}; there are: {'; '.join(labels)}.")


def record_of(row: Row, seed: int | None) -> Record:
    """That of a seed, or the first one that is done. Raises BadInput."""
    if not row.done:
        raise BadInput(f"{row.label} has no cell that is done: {row.ending()}.")
    by_seed = {record["seed"]: record for record in row.done}
    if seed is None:
        return row.done[0]
    if seed not in by_seed:
        known = ", ".join(map(str, sorted(by_seed)))
        raise BadInput(f"--seed {seed}: {row.label} is done on the seeds {known}.")
    return by_seed[seed]


@contextlib.contextmanager
def left_at(folder: Path, replaces: bool) -> Iterator[Path]:
    """A folder to write to, which then takes its place as a whole or not at all. Raises BadInput
    and CannotWrite."""
    if folder.exists() and not replaces:
        raise BadInput(f"{folder} is there already; say --replace, or another place with --to.")
    if folder.exists() and not (folder / taken.FACTS).is_file():
        raise BadInput(f"{folder} holds no model that was taken, so nothing replaces it.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name[:100]}.", dir=folder.parent))
    except OSError as error:
        raise cannot_write(folder, error) from None
    try:
        yield part
        part.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        part.rename(folder)
    except OSError as error:
        raise cannot_write(folder, error) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def job_of(
    cell: Cell, record: Record, into: Path, train_only: bool, allow: Sequence[str]
) -> dict[str, Any]:
    found = (record.get("tuning") or {}).get("chosen", {})
    return {
        **cell.config,
        "work": "fit",
        "allow": list(allow),
        "model": {**cell.config["model"], **found},
        "seed": cell.seed,
        "rows": "train" if train_only else "all",
        "into": str(into.resolve()),
        "name": cell.model,
        "task_name": cell.task,
    }


def facts_of(
    run: Run, row: Row, record: Record, job: Mapping[str, Any], outcome: Mapping[str, Any]
) -> dict[str, Any]:
    """What taken.json says beside what the fit told."""
    told = {k: v for k, v in outcome.items() if k not in ("status", "reason")}
    return {
        "label": row.label,
        "model": record["model"],
        "task": record["task"],
        "run": run.name,
        "seed": record["seed"],
        "rows_of": job["rows"],
        "tuned": tuned(record),
        "config": {part: job[part] for part in ("task", "model")},
        "hashes": record["code"],
        **told,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": sys.version.split()[0],
        "packages": machine.versions(),
        "commit": machine.git_commit(ROOT),
    }


def take(options: argparse.Namespace, worker: Worker | None) -> int:
    run = open_run(options.results, options.run)
    records, unreadable = run.scan()
    for sentence in unreadable:
        tell(f"warning: {sentence}", is_error=True)
    section, row = chosen(run, records, options.model, options.task)
    record = record_of(row, options.seed)
    if record.get("stated"):
        raise BadInput(f"{row.label} was made elsewhere: there is no model here to take.")
    (cell,) = cells_like(record, [record["seed"]], SO, options.allow)
    name = re.sub(r"[^\w.=-]+", "-", row.label).strip("-.")[:100] or record["model"]
    folder = options.to or run.folder / "taken" / name
    with left_at(folder, options.replace) as part:
        job = job_of(cell, record, part, options.train_only, options.allow)
        tell(f"fitting {row.label} on {told_rows(job)} of {section.label}")
        outcome = outcome_of(job, cell.config["threads"], worker)
        facts = facts_of(run, row, record, job, outcome)
        taken.write_facts(part, facts)
        if not isinstance(facts["alone"], str):
            write_alone(part, facts["code"], job["model"]["_target_"])
        scores = list(known_scores(section, row, run.outcomes))
        try:
            text = card(section, row, record, scores, facts)
            (part / "card.md").write_text(text, encoding="utf-8")
        except OSError as error:
            raise cannot_write(part, error) from None
        taken.seal(part)
    seconds = f"{outcome['seconds']:.1f} s"
    tell(f"{folder}: {row.label}, fitted on {outcome['rows']:,} rows in {seconds}")
    for warning in outcome["warnings"]:
        tell(f"warning: {warning} while it was fitted", is_error=True)
    tell(f"New rows: {typed('predict')} {folder} new.csv --out scored.parquet")
    return FINISHED


def told_rows(job: Mapping[str, Any]) -> str:
    return "all rows" if job["rows"] == "all" else f"the train rows of seed {job['seed']}"


@command
def main(arguments: Sequence[str] | None = None, worker: Worker | None = None) -> int:
    """Run the command line. worker: one that was started already."""
    options = parse(arguments)
    try:
        return take(options, worker)
    except JobFailed as failure:
        tell(f"error: {options.model} could not be fitted: {failure}", is_error=True)
        return FAILED_CELLS


if __name__ == "__main__":
    sys.exit(main())
