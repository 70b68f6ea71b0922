"""What a cell may take, and what becomes of one that takes more."""

import os
import sys
from pathlib import Path

import pytest

from benchmarks.runner import cgroup, watch
from benchmarks.runner.settings import QUICK
from benchmarks.runner.wanted import is_eased
from benchmarks.runner.watch import Limits
from benchmarks.runner.worker import Worker
from tests.conftest import ROOT, is_alive

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are found by /proc")

WITHOUT_GROUPS = "from benchmarks.runner import cgroup\ncgroup._parents = lambda: iter(())\n"
GROUPS = cgroup.Group.make(10**9)
if GROUPS is not None:
    GROUPS.remove()


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("kernel", marks=pytest.mark.skipif(GROUPS is None, reason="no groups here")),
        "looks",
    ],
)
def keeper(request, tmp_path_factory):
    """A worker whose cells' memory is held by the kernel, or looked at from outside."""
    before = dict(os.environ)
    if request.param == "looks":
        folder = tmp_path_factory.mktemp("site")
        (folder / "sitecustomize.py").write_text(WITHOUT_GROUPS)
        os.environ["PYTHONPATH"] = f"{folder}{os.pathsep}{ROOT}"
    with Worker(1) as started:
        os.environ.clear()
        os.environ.update(before)
        started.load({"tests.harness"})
        yield started


def run(worker: Worker, folder: Path, way: str, **limits: object):
    """(how it ended, after how many seconds)"""
    job = {
        "task": {"_target_": "tests.harness.Coin"},
        "model": {"_target_": "tests.planted.takes.Model", "way": way},
        "seed": 0,
        "threads": 1,
        "device": None,
        "timing": dict(QUICK),
        "allow": ["tests"],
        "folders": {"checkpoints": str(folder / "pids")},
    }
    limits = {"seconds": 30, **limits}
    ending = worker.run({**job, "limits": limits}, folder, limits)
    return ending, ending.wall


@pytest.mark.parametrize(
    "way", ["at_once", "bit_by_bit", "in_a_fork", "in_a_session", "in_a_daemon"]
)
def test_memory_is_that_of_all_processes(keeper, tmp_path, way):
    ending, seconds = run(keeper, tmp_path, way, memory=200)
    assert (ending.limit, ending.exit_code != 0) == ("memory", True)
    assert seconds < 10
    assert ending.said == [f"will now go on {way}"]
    pids = [int(file.name) for file in tmp_path.glob("pids/*")]
    assert not any(map(is_alive, pids))
    assert (tmp_path / "phase").read_text() == "fit"


@pytest.mark.parametrize(("way", "memory"), [("little", 600), ("shared_by_forks", 600)])
def test_what_keeps_within_its_memory_is_left_alone(keeper, tmp_path, way, memory):
    ending, _ = run(keeper, tmp_path, way, memory=memory)
    assert (ending.limit, ending.exit_code) == (None, 0)
    assert (tmp_path / "outcome.json").exists()


@pytest.mark.skipif(GROUPS is None, reason="no groups here")
def test_a_group_goes_with_its_cell():
    (parent, _), *_ = cgroup._parents()
    group = cgroup.Group.make(10**9)
    assert group is not None
    assert group.folder.parent == parent
    assert not group.is_entered()
    group.remove()
    left = parent / f"{cgroup.NAME}{2**22 + 1}-0"  # of a process that there cannot be
    left.mkdir()
    cgroup.Group.make(10**9).remove()
    assert not left.exists()
    assert not list(parent.glob(f"{cgroup.NAME}{os.getpid()}-*"))


@pytest.fixture(scope="module")
def kept():
    with Worker(1) as started:
        started.load({"tests.harness"})
        yield started


STEPS = {  # way -> (seconds it is given, exit code, is it known what had been measured?)
    "obedient": (0.0, 0, True),
    "stubborn": (1.0, -15, False),
    "deaf": (2.0, -9, False),
    "busy_in_c": (1.0, -15, False),
}


@pytest.mark.parametrize("way", STEPS)
def test_a_cell_is_asked_told_and_killed(kept, tmp_path, way):
    least, code, leaves = STEPS[way]
    ending, seconds = run(kept, tmp_path, way, seconds=2, ask=1.0, terminate=1.0)
    assert (ending.limit, ending.exit_code) == ("seconds", code)
    assert 2 + least <= seconds < 2 + least + 2
    assert (tmp_path / "outcome.json").exists() == leaves


def test_nothing_is_asked_of_a_cell_where_nobody_wants_that(kept, tmp_path):
    ending, seconds = run(kept, tmp_path, "obedient", seconds=1)
    assert (ending.exit_code, seconds < 3) == (-9, True)


@pytest.mark.parametrize(
    ("way", "limit", "most"), [("talks", "tokens", 1_000), ("pays", "money", 10)]
)
def test_tokens_and_money_are_watched(kept, tmp_path, way, limit, most):
    ending, seconds = run(kept, tmp_path, way, **{limit: most})
    assert ending.limit == limit
    assert 1 < seconds < 10
    told = dict(zip(("tokens", "money"), watch.spent(tmp_path), strict=True))
    assert most < told[limit] < 2.5 * most


def test_the_record_says_which_limit_where_and_what_was_known(eras, records, tmp_path):
    (tmp_path / "conf" / "model").mkdir(parents=True)
    (tmp_path / "conf" / "model" / "takes.yaml").write_text("_target_: tests.planted.takes.Model\n")
    search = f"hydra.searchpath=[file://tests/conf,file://{tmp_path}/conf]"
    ways = "model.way=at_once,talks,pays,obedient,deaf"
    done = eras(
        search, "model=takes", ways, "limits.seconds=3", "limits.memory=200", "limits.tokens=100",
        "limits.money=5", "limits.ask=0.4", "limits.terminate=0.4",
    )  # fmt: skip
    assert done.returncode == 1
    found = {r["config"]["model"]["way"]: r for r in records()}
    assert {way: (r["status"], r["reason"]) for way, r in found.items()} == {
        "at_once": ("out_of_memory", "stopped in fit, as it took more than 200 MB"),
        "talks": ("failed", "stopped in fit, as it took more than limits.tokens=100"),
        "pays": ("failed", "stopped in fit, as it took more than limits.money=5"),
        "obedient": ("timeout", "stopped after 3 s in fit"),
        "deaf": ("timeout", "stopped after 3 s in fit"),
    }
    for way, record in found.items():
        assert record["ended"]["phase"] == "fit"
        assert record["ended"]["said"] == [f"will now go on {way}"]
        assert record["phases"]["view"]["wall"] > 0
        assert record["limits"]["ask"] == 0.4
    assert found["obedient"]["phases"]["fit"]["wall"] > 1
    assert "fit" not in found["deaf"]["phases"]
    log = next(tmp_path.glob("a/cells/*.log")).read_text()
    assert "will now go on" in log
    # As it is: nothing runs again; with a higher limit what had reached it does.
    assert "5 found" in eras(
        search, "model=takes", ways, "limits.seconds=3", "limits.memory=200", "limits.tokens=100",
        "limits.money=5",
    ).stdout  # fmt: skip
    again = eras(
        search, "model=takes", "model.way=talks,pays", "limits.seconds=3", "limits.tokens=100",
        "limits.money=null",
    ).stdout  # fmt: skip
    assert "1 cells to run, 1 found" in again


def test_a_limit_of_money_reaches_a_model_that_keeps_one(eras, records, tmp_path):
    (tmp_path / "conf" / "model").mkdir(parents=True)
    (tmp_path / "conf" / "model" / "takes.yaml").write_text(
        "_target_: tests.planted.takes.Model\nway: little\nmb: 1\n"
    )
    search = f"hydra.searchpath=[file://tests/conf,file://{tmp_path}/conf]"
    for own, limit, told in (("null", "3", 3), ("2", "3", 2), ("4", "3", 3), ("2", "null", 2)):
        eras(
            search, "model=takes", f"model.spend_at_most={own}", f"limits.money={limit}",
            "fresh=true",
        )  # fmt: skip
        newest = max(records(), key=lambda r: r["started"])
        assert newest["notes"]["spend_at_most"] == told


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("limits.memory=0", "limits.memory=0"),
        ("limits.memory=-5", "limits.memory=-5"),
        ("limits.memory=much", "limits.memory=much"),
        ("limits.tokens=1.5", "limits.tokens=1.5"),
        ("limits.money=-1", "limits.money=-1"),
        ("limits.money=nan", "limits.money=nan"),
        ("limits.ask=1000", "limits.ask=1000"),
        ("limits.terminate=-1", "limits.terminate=-1"),
    ],
)
def test_no_such_limit(main, line, said):
    code, error = main(line)
    assert code == 2
    assert said in error


def test_limits_are_megabytes_or_a_share():
    assert Limits.of({"seconds": 1, "memory": 250, "artifact_mb": 3}).memory == 250 * 10**6
    whole = watch.psutil.virtual_memory().total
    assert Limits.of({"seconds": 1, "memory": 0.5}).memory == round(whole / 2)
    assert Limits.of({"seconds": 1, "memory": None, "tokens": 0}) == Limits(1, tokens=0)


@pytest.mark.parametrize(
    ("ended", "was", "now", "expected"),
    [
        ("seconds", {"seconds": 5}, {"seconds": 6}, True),
        ("seconds", {"seconds": 5}, {"seconds": 5}, False),
        ("memory", {"memory": 300}, {"memory": 0.9}, True),
        ("memory", {"memory": 0.5}, {"memory": 0.4}, False),
        ("memory", {"memory": 300}, {"memory": None}, True),
        ("memory", {"memory": None}, {"memory": 300}, False),
        ("money", {"money": 1.0}, {"money": 2.0}, True),
        ("tokens", {"tokens": 10}, {"tokens": 5}, False),
    ],
)
def test_a_cell_runs_again_where_its_limit_was_eased(ended, was, now, expected):
    record = {"status": "failed", "ended": {"limit": ended}, "limits": was}
    assert is_eased(record, now) == expected
