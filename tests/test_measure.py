"""The gauges: each must see what is planted and nothing of what came before."""

import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.cell import clock as measure
from benchmarks.cell import gauges
from benchmarks.cell import timing as timing_of
from benchmarks.cell.answers import Asked
from benchmarks.cell.clock import Clock, latency
from benchmarks.cell.foreign import Foreign, by_place
from benchmarks.records import machine
from benchmarks.runner.peaks import children_peaks
from tasks.base import Data

MEGABYTE = 2**20


def touch(megabytes: int) -> np.ndarray:
    return np.ones(megabytes * MEGABYTE // 8)


@pytest.mark.skipif(sys.platform != "linux", reason="the peak can be reset on Linux only")
def test_memory_growth_is_that_of_the_phase():
    clock = Clock()
    with clock.phase("large"):
        touch(200)
    with clock.phase("small"):
        touch(50)  # more than what an allocator keeps from before, 32
    with clock.phase("none"):
        pass
    grown = {name: phase["memory_growth"] / MEGABYTE for name, phase in clock.phases.items()}
    assert 190 < grown["large"] < 230
    assert 45 < grown["small"] < 70
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


def test_without_an_audit_only_the_time_is_told():
    clock = Clock(audit=False)
    with clock.phase("fit"):
        pass
    assert set(clock.phases["fit"]) == {"start", "wall"}


def test_latency_is_of_as_many_calls_as_fit_but_of_three():
    calls = []
    found = latency(lambda: calls.append(1), calls=50, seconds=0)
    assert found["calls"] == len(calls) == 3
    assert found["p99"] is None
    assert latency(lambda: None, calls=7, seconds=60)["calls"] == 7
    assert latency(lambda: None, calls=2, seconds=0)["calls"] == 2
    assert found["min"] <= found["p50"]


def test_a_99th_percentile_takes_a_thousand_calls_and_has_an_interval(monkeypatch):
    few = measure.percentile_99([1.0] * 999)
    assert few == {"p99": None, "p99_low": None, "p99_high": None}
    many = measure.percentile_99([float(k) for k in range(1, 1001)])
    # By hand: of 1,000 calls 983 to 996 are shorter, with a probability of at least 95 %.
    assert (many["p99_low"], many["p99_high"]) == (983, 997)
    assert many["p99"] == pytest.approx(990, abs=1.5)


def test_the_interval_of_a_99th_percentile_covers_it():
    random, covered = np.random.default_rng(0), 0
    for _ in range(400):
        found = measure.percentile_99(random.exponential(size=1000).tolist())
        covered += found["p99_low"] <= np.log(100) <= found["p99_high"]
    assert 0.92 < covered / 400 < 0.99


def test_a_part_of_a_call_is_told_apart():
    spent = iter([0.25, 0.5, 0.25])
    found = latency(lambda: None, calls=3, seconds=60, part=lambda: next(spent))
    assert found["inputs"] == {"p50": 0.25, "min": 0.25, "max": 0.5}
    assert found["model"]["p50"] < 0  # the rest of a call that took no time
    assert "inputs" not in latency(lambda: None, calls=3, seconds=60, part=lambda: 0.0)


class Preparing:
    """Most of its call is making inputs."""

    def inputs(self, X):
        time.sleep(0.004)
        return X + 1

    def predict(self, X):
        return self.inputs(X)[:, 0]


def test_preparation_and_model_are_timed_in_the_same_calls():
    model, labels = Preparing(), np.arange(6.0)
    asked = Asked(model, Data(None, labels, labels))
    clock = Clock(audit=False)
    with clock.phase("predict"):
        pass
    timing = {"batches": [1, 10], "calls": 4, "seconds": 1}
    found = timing_of.latencies(asked, np.zeros((6, 2)), clock, timing)
    for size in ("1", "10"):
        one = found[size]
        assert 0.004 <= one["inputs"]["min"] <= one["inputs"]["p50"] <= one["p50"] <= one["max"]
        assert one["model"]["p50"] < 0.002 + one["p50"] - one["inputs"]["p50"]
    assert "inputs" not in vars(model), "the model is as it was"
    assert asked.rows["latency"] == 4 + 40


def test_a_pipeline_of_another_package_is_told_apart_from_its_estimator():
    X = pd.DataFrame({"a": np.arange(40.0), "b": list("wxyz") * 10}).astype({"b": "category"})
    y = np.where(X["a"] > 20, "late", "early").astype(object)
    inner = make_pipeline(StandardScaler(), None, LogisticRegression())
    for estimator in (LogisticRegression(), inner):
        model = Foreign(estimator).fit(X, y)
        assert isinstance(model.inputs(X), np.ndarray)
        whole = model.model_.predict_proba(by_place(X))
        np.testing.assert_array_equal(model.predict_proba(X), whole)


def test_the_memory_of_children_belongs_to_the_phase_it_was_seen_in():
    phases = {"fit": {"start": 10.0, "wall": 2.0}, "predict": {"start": 12.5, "wall": 1.0}}
    samples = [(9.0, 7), (10.5, 100), (11.0, 300), (12.2, 900)]
    assert children_peaks(phases, samples) == {"fit": 300}


def test_energy_is_read_where_it_can_be_and_empty_where_not(tmp_path, monkeypatch):
    monkeypatch.setattr(gauges, "POWERCAP", tmp_path)
    assert gauges.energy()() == {}
    for name, spent in {"intel-rapl:0": 90, "intel-rapl:1": 10, "intel-rapl:0:0": 5}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "energy_uj").write_text(str(spent * 10**6))
        (tmp_path / name / "max_energy_range_uj").write_text(str(100 * 10**6))
    end = gauges.energy()
    (tmp_path / "intel-rapl:0" / "energy_uj").write_text(str(5 * 10**6))  # started again
    (tmp_path / "intel-rapl:1" / "energy_uj").write_text(str(12 * 10**6))
    assert end() == {"joules": 17.0}


def test_memory_of_a_gpu_is_what_torch_says(monkeypatch):
    class Backend:
        peak = 5

        def is_initialized(self):
            return True

        def device_count(self):
            return 2

        def reset_peak_memory_stats(self, device):
            self.peak = 0

        def max_memory_allocated(self, device):
            return self.peak

    backend = Backend()
    monkeypatch.setattr(gauges, "_torch_backends", lambda: [backend])
    end = gauges.gpu_memory()
    assert backend.peak == 0
    backend.peak = 7
    assert end() == {"gpu_peak": 14}


def test_a_calibration_tells_seconds_and_load():
    alone = measure.calibration()
    assert 0 < alone["seconds"] < 1
    assert alone["load"] >= 0


def test_machine_and_versions_are_filled():
    facts = machine.machine()
    assert facts["cores"] >= 1
    assert facts["memory_gb"] > 0
    assert facts["processor"]
    assert machine.versions()["numpy"] == np.__version__
    assert machine.fingerprint(facts) == machine.fingerprint(facts | {"host": "another"})
    assert machine.fingerprint(facts) != machine.fingerprint(facts | {"cores": 1})


def test_git_commit_marks_a_changed_tree(tmp_path):
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@t"]
        subprocess.run(
            ["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True
        )

    assert machine.git_commit(tmp_path) is None
    git("init")
    (tmp_path / "file").write_text("1")
    git("add", ".")
    git("commit", "-m", "one")
    clean = machine.git_commit(tmp_path)
    assert clean is not None
    assert len(clean) == 12
    (tmp_path / "file").write_text("2")
    assert machine.git_commit(tmp_path) == clean + "+"
