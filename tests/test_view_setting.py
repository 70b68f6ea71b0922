"""Which view a model reads is a setting of it, and part of what its cell is."""

import sys

import pytest

from benchmarks.cell import views
from benchmarks.plan.sources import code_hash
from tasks.base import UnknownView
from tasks.notifications import Notifications
from tests.harness import Coin


def test_of_several_views_the_first_that_there_is_counts():
    task = Coin()
    data = task.load(0)
    assert views.first(task, data, "songs|features|smells")[0] == "features"
    with pytest.raises(UnknownView, match=r"^coin has no view 'smells'; it offers features$"):
        views.first(task, data, "songs|smells")


def test_a_broken_view_is_not_passed_over():
    class Broken(Coin):
        def view(self, data, name):
            raise ValueError("broken") if name == "songs" else UnknownView("coin", name, ())

    with pytest.raises(ValueError, match="broken"):
        views.first(Broken(), Coin().load(0), "songs|features")


def test_the_record_tells_the_view_that_was_read_and_the_table_the_one_asked_for(eras, records):
    done = eras("model=chooser", "model.view=songs|features,features,songs")
    assert done.returncode == 0, done.stdout
    read = {r["config"]["model"]["view"]: (r["status"], r["view"], r["reason"]) for r in records()}
    assert read["songs|features"][:2] == ("done", "features")
    assert read["features"][:2] == ("done", "features")
    assert read["songs"] == ("skipped", "songs", "coin has no view 'songs'; it offers features")
    assert "chooser view=features" in " ".join(done.stdout.split())
    knobs = {r["work"]["knobs"] for r in records()}
    assert knobs == {2}, "the view is no knob of the model: its lines are counted with the task"


def test_models_of_other_packages_take_it_too(eras, records):
    model = "model._target_=sklearn.linear_model.LogisticRegression"
    done = eras("model=mine", model, "model.prepare=nothing", "model.view=songs,features")
    assert done.returncode == 0, done.stdout
    assert {r["view"]: r["status"] for r in records()} == {"songs": "skipped", "features": "done"}


def test_a_device_without_memory_ends_as_out_of_memory(eras, records):
    done = eras("model=chooser", "model.mode='device memory','no room for a context'")
    assert done.returncode == 1
    ended = {r["config"]["model"]["mode"]: r for r in records()}
    assert {r["status"] for r in ended.values()} == {"out_of_memory"}
    reason = ended["device memory"]["reason"]
    assert reason.startswith("OutOfMemoryError: CUDA out of memory. Tried to allocate")
    assert "\n" not in reason
    assert ended["no room for a context"]["reason"] == "AcceleratorError: CUDA error: out of memory"


def test_a_device_that_disappears_ends_its_cell_and_no_other(eras, records):
    done = eras("model=chooser", "model.mode='device lost',good")
    assert done.returncode == 1
    ended = {r["config"]["model"]["mode"]: (r["status"], r["reason"]) for r in records()}
    assert ended["good"] == ("done", None)
    assert ended["device lost"] == ("failed", "AcceleratorError: CUDA error: GPU is lost")


def test_a_views_lines_are_counted_by_its_name():
    from benchmarks.plan.ledger import of_sources

    config = {
        "task": {"_target_": "tasks.notifications.Notifications"},
        "model": {"_target_": "models.logistic.Logistic"},
    }
    lines = {
        view: (work["feature_lines_sql"], work["feature_lines_python"])
        for view in ("features", "events", "smells", "smells|events")
        if (work := of_sources(config, {}, view))
    }
    assert lines["features"][0] > 100
    assert lines["features"][1] == 0
    assert lines["events"][0] == 0
    assert 15 < lines["events"][1] < 60
    assert lines["smells"] == (0, 0)
    assert lines["smells|events"] == lines["events"]
    assert Notifications.__dataclass_fields__


MODULES = {
    "mine/__init__.py": "",
    "mine/model.py": "from mine.loop import train\nfrom mine import other\nclass Model: ...\n",
    "mine/loop.py": "import numpy\nfrom mine.deeper.below import x\ndef train(): ...\n",
    "mine/other.py": "",
    "mine/deeper/__init__.py": "",
    "mine/deeper/below.py": "x = 1\n",
    "mine/unused.py": "from mine.model import Model\n",
}


@pytest.mark.parametrize(
    ("file", "counts"),
    [
        ("mine/model.py", True),
        ("mine/loop.py", True),
        ("mine/other.py", True),
        ("mine/deeper/below.py", True),
        ("mine/unused.py", False),
    ],
)
def test_code_that_a_model_imports_is_part_of_its_code(tmp_path, monkeypatch, file, counts):
    for name, text in MODULES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    before = code_hash("mine.model.Model")
    assert before is not None
    (tmp_path / file).write_text(MODULES[file] + "y = 2\n")
    assert (code_hash("mine.model.Model") != before) is counts
