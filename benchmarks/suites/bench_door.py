"""How long the door takes to open: importing it, help, a word for the shell."""

import subprocess
import sys
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

ROOT = Path(__file__).parents[2]
LINES = {
    "python alone": ["-c", ""],
    "import model_eras": ["-c", "import model_eras"],
    "model-eras --help": ["-m", "model_eras", "--help"],
    "model-eras runs": ["-m", "model_eras", "runs"],
}


@pytest.mark.parametrize("line", LINES)
def test_door(benchmark: BenchmarkFixture, line: str) -> None:
    """Whole processes: what an import takes is the difference of the first two."""
    benchmark.group = "door"
    command = [sys.executable, *LINES[line]]
    benchmark.pedantic(
        lambda: subprocess.run(command, cwd=ROOT, check=True, capture_output=True), rounds=10
    )
