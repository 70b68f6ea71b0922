"""Reading a class's settings from its source must agree with the class itself."""

import dataclasses
import pkgutil
import sys

import pytest
import yaml

from benchmarks.errors import BadInput
from benchmarks.plan import settings
from benchmarks.plan.settings import complete, read_settings
from benchmarks.plan.sources import code_hash
from tests.conftest import ROOT

CONFIGS = [
    file
    for file in sorted((ROOT / "conf").glob("[mt][oa]*/*.yaml"))
    if yaml.safe_load(file.read_text())["_target_"].startswith(("models.", "tasks."))
]
"""Those of the kit's own classes; those of libraries are passed through."""


@pytest.mark.parametrize("file", CONFIGS, ids=lambda f: f"{f.parent.name}/{f.stem}")
def test_settings_read_from_source_are_those_of_the_class(file):
    target = yaml.safe_load(file.read_text())["_target_"]
    read = read_settings(target)
    fields = dataclasses.fields(pkgutil.resolve_name(target))
    assert read is not None
    assert list(read.types) == [field.name for field in fields]
    assert read.defaults == {
        f.name: f.default for f in fields if f.default is not dataclasses.MISSING
    }


@pytest.mark.parametrize("file", CONFIGS, ids=lambda f: f"{f.parent.name}/{f.stem}")
def test_every_default_is_in_its_own_range(file):
    config = yaml.safe_load(file.read_text())
    config |= dict.fromkeys(read_settings(config["_target_"]).required(), "given")
    completed = complete(file.parent.name, file.stem, config)
    assert completed == completed | read_settings(config["_target_"]).configurable() | {
        k: v for k, v in config.items() if k != "space"
    }


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module `mine` and put it on the path."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(source: str):
        (tmp_path / "mine.py").write_text(source)
        return tmp_path / "mine.py"

    return write


GOOD = """
raise SystemExit("imported")
from dataclasses import dataclass
@dataclass
class Mine:
    era: ClassVar[str] = "e"
    depth: Annotated[int, Ge(1), Le(9)]
    kind: Literal["a", "b"] = "a"
    rate: Annotated[float, Gt(0)] | None = None
    random_state: int = 0
class Plain:
    size: int = 3
"""


def test_nothing_is_imported(module):
    file = module(GOOD)
    read = read_settings("mine.Mine")
    assert read.source == file
    assert read.constants == {"era": "e"}
    assert read.configurable() == {"kind": "a", "rate": None}
    assert "mine" not in sys.modules


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "model.depth is missing; give it as model.depth=VALUE."),
        ({"depth": 10}, "model.depth=10: input should be less than or equal to 9."),
        ({"depth": "x"}, "model.depth=x: input should be a valid integer"),
        ({"depth": 2, "kind": "c"}, "model.kind=c: input should be 'a' or 'b'."),
        ({"depth": 2, "rate": 0}, "model.rate=0: input should be greater than 0."),
        ({"depth": 2, "wide": 1}, "There is no setting model.wide; there are: kind, rate."),
        (
            {"depth": 2, "random_state": 1},
            "model.random_state is filled in by the cell, such as from seed=",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(module, given, sentence):
    module(GOOD)
    with pytest.raises(BadInput) as refused:
        complete("model", "mine", {"_target_": "mine.Mine", **given})
    assert sentence in str(refused.value)


def test_values_are_converted_and_completed(module):
    module(GOOD)
    done = complete("model", "mine", {"_target_": "mine.Mine", "depth": 2.0, "space": {"x": 1}})
    assert done == {"_target_": "mine.Mine", "depth": 2, "kind": "a", "rate": None}
    assert isinstance(done["depth"], int)


def test_a_class_of_another_package_is_passed_through(module):
    module(GOOD)
    for target in ("mine.Plain", "sklearn.linear_model.LogisticRegression"):
        config = {"_target_": target, "C": 3}
        assert complete("model", "other", config) == config


def test_a_config_without_target_says_so():
    with pytest.raises(BadInput, match=r"conf/model/mine.yaml needs a _target_"):
        complete("model", "mine", {})


def test_code_hash_follows_the_source(module, tmp_path):
    file = module(GOOD)
    first = code_hash("mine.Mine")
    file.write_text(GOOD + "# changed\n")
    assert code_hash("mine.Mine") != first
    package = tmp_path / "pack"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "query.sql").write_text("SELECT 1")
    first = code_hash("pack.Task")
    (package / "query.sql").write_text("SELECT 2")
    assert code_hash("pack.Task") != first
    assert code_hash("nowhere.Task") is None


def test_supplied_fields_are_those_that_a_cell_fills_in():
    from benchmarks.cell.build import supplied

    folders = {"checkpoints": "a", "artifacts": "b"}
    job = {"seed": 1, "threads": 2, "device": "cpu", "folders": folders}
    job |= {"task_name": "mine", "cache": "c", "engine": "spark"}
    assert set(supplied(job, folders=True)) == set(settings.SUPPLIED)
    assert not set(supplied(job)) & set(folders), "a fit that is thrown away may keep nothing"
