"""The gauges: each must see what is planted and nothing of what came before."""

import subprocess
import sys

import numpy as np
import pytest

from benchmarks import measure
from benchmarks.measure import Clock, latency

MEGABYTE = 2**20


def touch(megabytes: int) -> np.ndarray:
    return np.ones(megabytes * MEGABYTE // 8)


@pytest.mark.skipif(sys.platform != "linux", reason="the peak can be reset on Linux only")
def test_memory_growth_is_that_of_the_phase():
    clock = Clock()
    with clock.phase("large"):
        touch(200)
    with clock.phase("small"):
        touch(20)
    with clock.phase("none"):
        pass
    grown = {name: phase["memory_growth"] / MEGABYTE for name, phase in clock.phases.items()}
    assert 190 < grown["large"] < 230
    assert 15 < grown["small"] < 40
    assert grown["none"] < 5


def test_a_phase_counts_cpu_of_this_process_and_of_its_children():
    burn = "x = 0\nfor i in range(3_000_000): x += i"
    clock = Clock()
    with clock.phase("here"):
        exec(burn)
    with clock.phase("child"):
        subprocess.run([sys.executable, "-c", burn], check=True)
    assert clock.phases["here"]["cpu"] > 0.02
    assert clock.phases["child"]["cpu"] > 0.02


def test_a_phase_that_raises_is_still_measured_and_announced():
    seen = []
    clock = Clock(on_phase=seen.append)
    with pytest.raises(RuntimeError), clock.phase("fit"):
        raise RuntimeError
    assert seen == ["fit"]
    assert clock.phases["fit"]["wall"] > 0


def test_latency_is_the_median_without_the_first_call():
    calls = []
    found = latency(lambda: calls.append(1), budget=0, most=50)
    assert found["calls"] == 1
    assert len(calls) == 2
    assert latency(lambda: None, budget=60, most=7)["calls"] == 7
    assert latency(lambda: calls.append(1), budget=0, warm_up=False)["calls"] == 1
    assert len(calls) == 3
    assert found["min"] <= found["median"]


def test_machine_and_versions_are_filled():
    machine = measure.machine()
    assert machine["cores"] >= 1
    assert machine["memory_gb"] > 0
    assert machine["processor"]
    assert measure.versions()["numpy"] == np.__version__


def test_git_commit_marks_a_changed_tree(tmp_path):
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@t"]
        subprocess.run(
            ["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True
        )

    assert measure.git_commit(tmp_path) is None
    git("init")
    (tmp_path / "file").write_text("1")
    git("add", ".")
    git("commit", "-m", "one")
    clean = measure.git_commit(tmp_path)
    assert clean is not None
    assert len(clean) == 12
    (tmp_path / "file").write_text("2")
    assert measure.git_commit(tmp_path) == clean + "+"
