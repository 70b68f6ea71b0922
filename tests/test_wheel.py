"""The wheel, built from this clone and installed where nothing of it is: `nox -s wheel`."""

import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from benchmarks.plan.sources import code_hash
from tests.conftest import ROOT
from tests.examples import heads

pytestmark = pytest.mark.wheel
FOLDERS = ("benchmarks", "conf", "docs", "hydra_plugins", "models", "results", "tasks")
NAMESAKES = ("benchmarks", "tasks", "models", "hydra_plugins", "torch", "pandas")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    line = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(line, cwd=ROOT, check=True, capture_output=True)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory) -> Path:
    """The folder of programs of an environment that held nothing before."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q"]
    subprocess.run([*pip, "-c", str(ROOT / "constraints.txt"), str(wheel)], check=True)
    return folder / "bin"


@pytest.fixture
def elsewhere(tmp_path) -> Path:
    """A folder in which everything is called like a part of the kit, or like what it needs."""
    for name in NAMESAKES:
        (tmp_path / f"{name}.py").write_text("raise SystemExit('not this one')")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "config.yaml").write_text("model: not this one")
    heads(200).to_csv(tmp_path / "churn.csv", index=False)
    return tmp_path


def run(line: list[str | Path], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """In a folder, with nothing of this clone in the environment."""
    hidden = ("PYTHONPATH", "VIRTUAL_ENV", "MODEL_ERAS_COMMAND")
    environment = {k: v for k, v in os.environ.items() if k not in hidden} | variables
    return subprocess.run(
        [str(part) for part in line], cwd=folder, env=environment, capture_output=True, text=True
    )


def test_it_holds_the_kit_and_nothing_that_stands_in_anybodys_way(wheel):
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"model_eras", wheel.name.removesuffix("-py3-none-any.whl") + ".dist-info"}
    kit = {name.removeprefix("model_eras/kit/") for name in names if "/kit/" in name}
    assert {name.partition("/")[0] for name in kit} == set(FOLDERS)
    for part in FOLDERS:
        tracked = subprocess.run(
            ["git", "ls-files", part], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout.splitlines()
        needed = {name for name in tracked if not left_out(name)}
        assert needed <= kit, sorted(needed - kit)[:5]
    assert not [name for name in kit if "__pycache__" in name or left_out(name)]
    assert "model_eras/py.typed" in names
    assert wheel.stat().st_size < 5e6


def left_out(name: str) -> bool:
    """What nobody needs to run the kit."""
    start = ("benchmarks/suites/", "docs/adr/", "results/reference/")
    cells = name.startswith("results/reference/cells/")
    in_docs = name.startswith("docs/") and not name.endswith(".md")
    return (name.startswith(start) and not cells) or in_docs


def test_an_editable_install_is_the_clone_and_no_copy_of_it(tmp_path):
    code = "import sys, hatchling.build as b; print(b.build_editable(sys.argv[1]))"
    line = [sys.executable, "-c", code, tmp_path]
    made = run(line, ROOT).stdout.split()[-1]
    with zipfile.ZipFile(tmp_path / made) as opened:
        names = [name for name in opened.namelist() if ".dist-info/" not in name]
        (path,) = names
        assert opened.read(path).decode().strip() == str(ROOT)


def test_the_default_suite_runs_in_a_folder_of_namesakes(installed, elsewhere):
    done = run([installed / "model-eras"], elsewhere)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert "21 cells to run, 0 found" in done.stdout
    records = [json.loads(p.read_text()) for p in elsewhere.glob("results/default/cells/*.json")]
    assert {r["status"] for r in records} == {"done", "skipped"}
    for record in records:
        assert record["commit"] is None
        assert record["packages"]["model-eras"]
        target = record["config"]["model"]["_target_"]
        assert record["code"]["model"] == code_hash(target), "a clone would run it again"
        assert record["work"]["model_lines"] or record["status"] == "skipped"
    again = run([installed / "model-eras", "run=default"], elsewhere)
    assert "0 cells to run, 21 found" in again.stdout
    page = run([installed / "model-eras", "report", "default"], elsewhere)
    assert page.returncode == 0, page.stderr
    assert (elsewhere / "results" / "default" / "report.html").stat().st_size > 1e5
    taken = run([installed / "model-eras", "fit", "default", "xgboost"], elsewhere)
    assert taken.returncode == 0, taken.stderr
    assert "New rows: model-eras predict results/default/taken/xgboost" in taken.stdout
    assert re.search(r"default +18 ", run([installed / "model-eras", "runs"], elsewhere).stdout)


def test_commands_help_and_a_look_from_anywhere(installed, elsewhere):
    told = run([installed / "model-eras", "--help"], elsewhere).stdout
    assert "model-eras look churn.csv" in told
    assert "python -m" not in told
    place = re.search(r"docs/… lie in (\S+)", told)
    assert place
    assert (Path(place[1]) / "checks.md").is_file()
    look = run([installed / "model-eras", "look", "churn.csv"], elsewhere)
    assert look.returncode == 0, look.stderr
    assert "the default suite" in look.stdout, "what the reference took comes with the wheel"
    named = run([installed / "python", "-m", "model_eras", "--version"], elsewhere).stdout
    assert re.fullmatch(r"model-eras \d+\.\d+\.\d+\n", named)
    refused = run([installed / "model-eras", "model=foo"], elsewhere)
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: There is no model 'foo'")


def test_a_data_frame_is_compared_from_anywhere(installed, tmp_path):
    heads().to_csv(tmp_path / "a.csv", index=False)
    code = (
        "import pandas as pd; from model_eras import compare;"
        "result = compare(pd.read_csv('a.csv'), target='y', models=['baseline', 'svm'], seeds=0);"
        "print(result.answer); print(*result.table['model'])"
    )
    done = run([installed / "python", "-P", "-c", code], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "svm baseline"


def test_uvx_starts_it(wheel, elsewhere):
    """As `uvx model-eras` would from an index; the newest torch that uv is offered may be large."""
    if (uvx := shutil.which("uvx", path=str(Path(sys.executable).parent))) is None:
        pytest.skip("uv is not installed")
    places = {"UV_FIND_LINKS": links} if (links := os.environ.get("PIP_FIND_LINKS")) else {}
    line = [uvx, "--python", sys.executable, "--constraints", ROOT / "constraints.txt"]
    line += ["--from", wheel, "model-eras"]
    done = run([*line, "task=breast_cancer", "model=baseline", "seed=0"], elsewhere, **places)
    assert done.returncode == 0, done.stderr[-2000:]
    assert (elsewhere / "results" / "default" / "table.md").is_file()
