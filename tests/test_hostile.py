"""What somebody sends is data: nothing in it is called, imported, written elsewhere or let out."""

import json

import pytest
from omegaconf import OmegaConf

from benchmarks import confirm, fit, look, rerun
from benchmarks.cell import build
from benchmarks.errors import BadInput
from benchmarks.plan import app
from benchmarks.plan.foreign import require_file
from benchmarks.records import allowed
from tests.conftest import SEARCH

MARK = "hostile-was-here"


@pytest.fixture
def conf(tmp_path):
    """A folder of configs that somebody has sent, and the arguments that use it."""
    folder = tmp_path / "sent"

    def write(name: str, text: str) -> str:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return f"--config-dir={folder}"

    return write


def touch(tmp_path) -> str:
    return f"touch {tmp_path / MARK}"


TARGETS = [
    "os.system",
    "subprocess.Popen",
    "builtins.eval",
    "pathlib.Path",
    "models.parts.endpoint.os.system",
    "tasks.table.read.sqlite3.connect",
    "sklearn.utils.os.system",
    "sklearn.externals.joblib.load",
    "os:system",
    "../evil.Model",
    "models",
    "",
    "5",
]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("part", ["model", "task"])
def test_only_classes_of_known_packages_are_built(main, conf, tmp_path, part, target):
    found = conf(f"{part}/evil.yaml", f"_target_: '{target}'\ncommand: {touch(tmp_path)}\n")
    code, error = main(found, f"{part}=evil")
    assert code == 2, error
    assert len(error.splitlines()) == 1
    assert not list(tmp_path.rglob(MARK))


def test_a_module_of_nobodys_is_not_so_much_as_imported(main, conf, tmp_path, monkeypatch):
    (tmp_path / "stranger.py").write_text(f"open({str(tmp_path / MARK)!r}, 'w')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    code, error = main(conf("model/evil.yaml", "_target_: stranger.Model\n"), "model=evil")
    assert (code, "if you trust it, say so: allow=stranger." in error) == (2, True)
    assert not (tmp_path / MARK).exists()


def test_what_is_allowed_is_said_on_the_command_line_alone(main, conf, tmp_path):
    config = OmegaConf.create({"allow": ["stranger", "mine"]})
    with pytest.raises(BadInput, match=r"^A file says allow=\[stranger\]; "):
        app.allow_typed([config], ["allow=mine"])
    app.allow_typed([config], ["model._target_=stranger.Model", "allow=[mine]"])
    assert config.allow == ["mine", "stranger"]
    code, error = main("model._target_=stranger.Model")
    assert (code, "allow=stranger" in error) == (2, False), "whoever types a class trusts it"


def test_in_the_process_of_a_cell_a_class_is_one_of_an_allowed_package(monkeypatch):
    monkeypatch.setattr(build, "permitted", [])
    for target in TARGETS:
        with pytest.raises((AttributeError, ImportError, ValueError)):
            build.class_of(target)
    assert build.class_of("models.svm.SVM").__name__ == "SVM"
    assert build.class_of("sklearn.svm.SVC").__name__ == "SVC"
    with pytest.raises(AttributeError, match="only classes of"):
        build.class_of("tests.harness.Steep")
    monkeypatch.setattr(build, "permitted", ["tests"])
    assert build.class_of("tests.harness.Steep").__name__ == "Steep"


HYDRA = {
    "callbacks": "hydra:\n  callbacks:\n    x: {_target_: os.system, command: 'COMMAND'}\n",
    "logging": "hydra:\n  job_logging:\n    handlers: {x: {'()': os.system, command: 'COMMAND'}}\n",
    "launcher": "hydra:\n  launcher: {_target_: os.system, command: 'COMMAND'}\n",
    "sweeper": "hydra:\n  sweeper: {_target_: os.system, command: 'COMMAND'}\n",
    "dotted": "hydra.callbacks:\n  x: {_target_: os.system, command: 'COMMAND'}\n",
}


@pytest.mark.parametrize("name", HYDRA)
def test_no_file_tells_hydra_what_to_call(main, conf, tmp_path, name):
    text = "# @package _global_\n" + HYDRA[name].replace("COMMAND", touch(tmp_path))
    code, error = main(conf("suite/evil.yaml", text), "suite=evil")
    assert code == 2
    assert len(error.splitlines()) == 1
    assert not list(tmp_path.rglob(MARK))
    found = conf("hydra/job_logging/evil.yaml", HYDRA["logging"].replace("COMMAND", "true"))
    code, error = main(found, "hydra/job_logging=evil")
    assert code == 2


def test_the_environment_stays_where_it_is(main, conf, records, monkeypatch):
    monkeypatch.setenv("SECRET", "abracadabra")
    text = "_target_: tests.harness.Steep\nmode: ${oc.env:SECRET}\n"
    code, error = main(conf("model/evil.yaml", text), SEARCH, "model=evil")
    assert (code, "${oc.env:…} stands in model" in error) == (2, True)
    code, error = main("model.mode=${oc.env:SECRET}")
    assert code == 2
    assert "abracadabra" not in error
    assert "abracadabra" not in json.dumps(records())
    nested = "_target_: tests.harness.Steep\nmode: ${oc.decode:${oc.env:SECRET}}\n"
    assert main(conf("model/evil.yaml", nested), SEARCH, "model=evil")[0] == 2


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefg", "bcdefgh", strict=True)
)
BOMBS = {
    "laughs": LAUGHS,
    "itself": "a: &a [*a]\n",
    "long": "x: [" + "1, " * 400_000 + "1]\n",
    "deep": "x: " + "[" * 5_000 + "]" * 5_000 + "\n",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_does_not_go_off(main, conf, name):
    text = "_target_: tests.harness.Steep\n" + BOMBS[name]
    code, error = main(conf("model/evil.yaml", text), "model=evil")
    assert code == 2
    assert len(error.splitlines()) == 1
    assert len(error) < 500


def test_an_ordinary_suite_is_no_bomb(tmp_path):
    file = tmp_path / "suite.yaml"
    file.write_text(
        "# @package _global_\ndefaults:\n  - _self_\n"
        "hydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n      model: svm,xgboost\n"
    )
    require_file(file, False)
    with pytest.raises(BadInput):
        require_file(file, True)


@pytest.mark.parametrize(
    "line",
    [
        "run=../outside",
        "run=..",
        "run=a/b",
        "run=" + "x" * 300,
        "run=a\x00b",
        "model=../../../../tmp/evil",
        "task=../model/svm",
        "suite=../../evil",
        "metric=../x",
    ],
)
def test_no_name_leads_elsewhere(main, tmp_path, line):
    code, error = main(line)
    assert code == 2, error
    assert len(error.splitlines()) == 1
    assert not (tmp_path.parent / "outside").exists()


def test_a_run_may_be_called_as_a_device_of_another_system(main, records):
    assert main("run=CON")[0] == 0
    assert len(records("CON")) == 1


@pytest.mark.parametrize("program", [confirm, fit, rerun])
def test_a_record_names_no_class_that_could_not_be_typed(eras, tmp_path, capsys, program):
    eras("seed=0")
    eras("seed=0", "model.factor=2")
    for file in tmp_path.glob("a/cells/*.json"):
        record = json.loads(file.read_text())
        record["config"]["model"] = {"_target_": "os.system", "command": touch(tmp_path)}
        file.write_text(json.dumps(record))
    capsys.readouterr()
    name = {confirm: [], fit: ["steep"], rerun: ["coin-steep-0"]}[program]
    code = program.main(["a", *name, "--results", str(tmp_path)])
    assert code == 2
    assert not list(tmp_path.rglob(MARK))


def test_look_builds_no_stranger(capsys):
    assert look.main(["task=notifications", "task._target_=os.system"]) == 2
    assert look.main(["task._target_=subprocess.Popen"]) == 2
    capsys.readouterr()


SQL = [
    "select * from read_csv('/etc/passwd')",
    "select * from '/etc/passwd'",
    "attach '{}/evil.db' as x; select 1",
    "copy (select 1) to '{}/evil.csv'",
    "install httpfs",
    "set enable_external_access = true; select * from read_text('/etc/passwd')",
    "create table x as select 1; select * from x; export database '{}/evil'",
]


@pytest.mark.parametrize("sql", SQL)
def test_the_sql_of_a_task_reads_its_tables_alone(sql, tmp_path):
    from types import SimpleNamespace

    import pandas as pd

    from tasks.events import features

    file = tmp_path / "evil.sql"
    file.write_text(sql.format(tmp_path))
    task = SimpleNamespace(features=str(file), n_jobs=1, sql_engine="duckdb")
    company = SimpleNamespace(
        manifest=SimpleNamespace(entity_col="e", time_col="t", known_after=None, target_col="y"),
        labels=pd.DataFrame({"e": [1], "t": [1], "y": [1]}),
        own=(),
        tables={},
    )
    data = SimpleNamespace(raw=company)
    with pytest.raises(ValueError, match=r"evil\.sql"):
        features.view(task, data)
    assert [f.name for f in tmp_path.iterdir()] == ["evil.sql"]


def test_names_are_names():
    assert allowed.is_allowed("models.svm.SVM")
    assert not allowed.is_allowed("models")
    assert not allowed.is_allowed("modelsx.y")
    assert not allowed.is_allowed(None)
    assert allowed.is_allowed("mine.M", ["mine"])
    assert "allow=" not in str(allowed.refusal("model", "../x.y"))
