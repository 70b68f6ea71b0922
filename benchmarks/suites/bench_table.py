"""How fast a table of one's own is read, typed, split and prepared, against pandas; and a look at
it. Whole processes, imports and all."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.suites.own_table import write_long, write_wide

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> str:
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """(kind, is it only a test?) -> a file, written once."""
    folder, written = tmp_path_factory.mktemp("tables"), {}

    def of(kind: str, small: bool) -> Path:
        name = kind.replace(",", "").replace(" ", "-")
        file = folder / f"{name}-{small}.csv"
        if file not in written:
            if kind == "10,000 columns":
                write_wide(file, *((100, 50) if small else (2_000, 10_000)))
            else:
                write_long(file, 2_000 if small else int(kind.split()[0].replace(",", "")))
            written[file] = file
        return file

    yield of
    for file in written:
        file.unlink()


SIZES = ("1,000,000 rows", "10,000,000 rows", "10,000 columns")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("way", ["kit", "pandas"])
def test_ready_for_a_model(benchmark, way, size, files):
    """From the shell to the train and test rows that a model is given."""
    benchmark.group = f"a table of {size}"
    arguments = ("benchmarks.suites.own_table", way, str(files(size, benchmark.disabled)))
    done = benchmark.pedantic(lambda: run(*arguments), rounds=3)
    rows, columns, peak = done.split()
    benchmark.extra_info["peak GB"] = float(peak)
    assert int(rows) >= 70
    assert int(columns) >= 18


@pytest.mark.parametrize("size", SIZES)
def test_look(benchmark, size, files):
    benchmark.group = f"a table of {size}"
    path = f"task.path={files(size, benchmark.disabled)}"
    done = benchmark.pedantic(
        lambda: run("benchmarks.look", "task=table", path, "task.target=y"), rounds=3
    )
    assert "y is binary" in done
