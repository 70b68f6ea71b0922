"""Who may import whom, and that the README says what is there."""

import ast
import re
import sys

import pytest

from tests.conftest import ROOT

OURS = {"benchmarks", "tasks", "models", "tests", "hydra_plugins"}
HARNESS = ("benchmarks/*.py", "benchmarks/*/*.py", "hydra_plugins/*.py")
HEAVY = {"torch", "sklearn", "sklearnex", "xgboost", "duckdb", "pandas", "pyarrow", "mlflow"}


def imports(file) -> set[str]:
    """Dotted names of everything a file imports, at its top or inside functions."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def top(names) -> set[str]:
    return {name.partition(".")[0] for name in names}


def files(*patterns: str):
    return [
        pytest.param(file, id=str(file.relative_to(ROOT)))
        for pattern in patterns
        for file in sorted(ROOT.glob(pattern))
    ]


@pytest.mark.parametrize("file", files("models/*.py"))
def test_a_model_imports_third_parties_only(file):
    assert not top(imports(file)) & OURS
    assert file.stem not in sys.stdlib_module_names | HEAVY, "the file would import itself"


@pytest.mark.parametrize("file", files("tasks/*.py", "tasks/*/*.py"))
def test_a_task_imports_third_parties_and_its_own_folder(file):
    ours = {name for name in imports(file) if name.partition(".")[0] in OURS}
    own = "tasks.base", ".".join(file.relative_to(ROOT).parts[:2]).removesuffix(".py")
    assert all(name.startswith(own) for name in ours), ours


@pytest.mark.parametrize(
    "file", files("benchmarks/*.py", "benchmarks/*/*.py", "hydra_plugins/*.py")
)
def test_the_harness_knows_no_concrete_model_or_task(file):
    if "suites" in file.parts:
        return
    names = imports(file)
    assert "models" not in top(names)
    assert all(n.startswith("tasks.base.") for n in names if n.startswith("tasks."))
    allowed = {
        # These run in cells alone.
        "controls": {"pandas"},
        "foreign": {"pandas", "sklearn"},
        # These import them where they are needed (test_run: the parent stays small).
        "frame": {"pyarrow"},
        "export": {"mlflow"},
    }.get(file.stem, set())
    assert not top(names) & (HEAVY - allowed)
    if file.parent.name not in ("plan", "hydra_plugins") and file.stem != "look":
        assert not top(names) & {"hydra", "omegaconf"}
    if file.stem not in ("clock", "worker", "tune", "cold_start"):
        assert "time" not in names, "the clock lives in cell/clock.py"


def test_the_readme_shows_the_reference_table():
    readme = (ROOT / "README.md").read_text()
    table = (ROOT / "results" / "reference" / "table.md").read_text()
    shown = re.search(r"<!-- reference -->\n(.*?)<!-- /reference -->", readme, re.DOTALL)
    assert shown, "the README has no reference table"
    assert shown[1] == table.partition("\n### ")[0], "run `nox -s reference`"


def test_ci_runs_the_test_command_of_the_readme():
    readme = (ROOT / "README.md").read_text()
    command = re.search(r"<!-- test -->\n```sh\n(.*?)\n```", readme)
    assert command
    assert "constraints.txt" in command[1]
    assert "pytest" in command[1]
    assert "<!-- test -->" in (ROOT / ".ci" / "run").read_text()


def test_every_path_the_documents_name_exists():
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "results" / "README.md"]
    for document in documents:
        for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / link).exists(), f"{document.name} links to {link}"
