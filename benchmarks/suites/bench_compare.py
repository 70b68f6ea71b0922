"""How long it takes to compare two runs of 1,000 cells each. Whole processes, imports and all."""

import subprocess
import sys
from pathlib import Path

from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.suites.made_run import write_run

ROOT = Path(__file__).parents[2]


def test_compare(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    for name, code, shift in (("a", "1", 0.0), ("b", "2", 0.05)):
        write_run(tmp_path / name, benchmark.disabled, code=code, shift=shift)
    command = [sys.executable, "-m", "benchmarks.compare", "a", "b", "--results", str(tmp_path)]
    done = benchmark.pedantic(
        lambda: subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True),
        rounds=3,
    )
    assert "code of m0" in done.stdout
    assert "same" in done.stdout
