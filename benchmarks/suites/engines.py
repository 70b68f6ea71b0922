"""How long engines take over features.sql of notifications, by the rows of the log.

    python -m benchmarks.suites.engines duckdb 10000,100000,1000000,10000000
    python -m benchmarks.suites.engines spark 10000,100000
    python -m benchmarks.suites.engines sail 10000,100000        # where pysail is, and no pyspark

Draws logs into build/logs (once) and adds lines to docs/engines.csv, which docs/draw_engines.py
draws: seconds from files to files, without those that an engine takes to start, which stand beside.
The longest log of one draw has a million rows; a longer one is several, of other users.
"""

import csv
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import features
from tasks import engines
from tasks.notifications import Notifications

ROOT = Path(__file__).parents[2]
LOGS, FOUND = ROOT / "build" / "logs", ROOT / "docs" / "engines.csv"
DRAWN = 1_000_000
COLUMNS = (
    "engine",
    "rows",
    "parts",
    "limit_mb",
    "start_s",
    "seconds",
    "memory_mb",
    "disk_mb",
    "date",
)
ROUNDS = 3


def log(rows: int) -> Path:
    """A folder with the tables."""
    folder = LOGS / str(rows)
    if folder.exists():
        return folder
    part = folder.with_name(f".{rows}")
    shutil.rmtree(part, ignore_errors=True)
    for name in ("users", "notifications"):
        (part / name).mkdir(parents=True)
    users = sent = 0
    for seed in range(-(-rows // DRAWN)):
        task = Notifications(rows=min(rows, DRAWN))
        tables = task.tables(task.load(seed))
        for name, table in tables.items():
            table = moved(engines.plain(table), "user_id", users)
            if name == "notifications":
                table = moved(table, "notification_id", sent)
            pq.write_table(table, part / name / f"{seed:04}.parquet")
        users += len(tables["users"])
        sent += len(tables["notifications"])
    part.rename(folder)
    return folder


def moved(table: pa.Table, name: str, by: int) -> pa.Table:
    """With other numbers, so that those of several draws are different."""
    place = table.column_names.index(name)
    numbers = table[name].to_numpy().astype(np.int64) + by
    return table.set_column(place, name, pa.array(numbers))


def measured(engine: str, address: str, rows: int, *more: str) -> dict[str, object]:
    """The best of a few rounds, of long logs of one."""
    best: dict[str, object] = {}
    for _ in range(ROUNDS if rows <= DRAWN else 1):
        out = ROOT / "build" / "features"
        shutil.rmtree(out, ignore_errors=True)
        words = ["task=notifications", "--of", str(log(rows)), "--to", str(out)]
        options = features.parse([*words, "--engine", address, *more])
        told = features.made(options)
        assert told["rows"] == rows
        seconds = {name: phase["wall"] for name, phase in told["phases"].items()}
        start = seconds.pop("start", 0.0)
        found = {
            "engine": engine,
            "rows": rows,
            "parts": options.parts,
            "limit_mb": options.memory,
            "start_s": round(start, 2),
            "seconds": round(sum(seconds.values()), 2),
            "memory_mb": None if engine == "sail" else round(told["memory"] / 1e6),
            "disk_mb": round(told["disk"] / 1e6),
            "date": date.today().isoformat(),
        }
        print(found, flush=True)
        if not best or float(str(found["seconds"])) < float(str(best["seconds"])):
            best = found
        shutil.rmtree(out)
    return best


@contextmanager
def reached(engine: str) -> Iterator[str]:
    """What an engine is called by."""
    if engine != "sail":
        yield engine
        return
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer(port=0)
    server.start(background=True)
    yield f"sc://127.0.0.1:{server.listening_address[1]}"
    server.stop()


def main(engine: str, sizes: str, *more: str) -> None:
    lines = []
    if FOUND.exists():
        with FOUND.open(newline="") as file:
            lines = [*csv.DictReader(file)]
    with reached(engine) as address:
        for rows in map(int, sizes.split(",")):
            lines.append(measured(engine, address, rows, *more))
            with FOUND.open("w", newline="") as file:
                writer = csv.DictWriter(file, COLUMNS)
                writer.writeheader()
                writer.writerows(lines)


if __name__ == "__main__":
    main(*sys.argv[1:])
