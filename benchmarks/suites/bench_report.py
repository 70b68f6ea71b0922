"""How long a report takes: 1,000 cells, and 10,000. Whole processes, imports and all."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.suites.made_run import write_run

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("settings", [10, 100])
def test_report(benchmark: BenchmarkFixture, tmp_path: Path, settings: int) -> None:
    """Ten models and ten seeds under each setting of the task."""
    write_run(
        tmp_path / "a", settings=2 if benchmark.disabled else settings, few=benchmark.disabled
    )
    command = [sys.executable, "-m", "benchmarks.report", "a", "--results", str(tmp_path)]
    benchmark.pedantic(
        lambda: subprocess.run(command, cwd=ROOT, check=True, capture_output=True),
        rounds=3 if settings == 10 else 1,
    )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    benchmark.extra_info["peak GB, with whatever ran before"] = peak
    page = tmp_path / "a" / "report.html"
    assert 0.5e6 < page.stat().st_size < 3e6
