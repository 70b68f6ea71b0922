"""Who may import whom, and that the README says what is there."""

import ast
import re
import runpy
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.conftest import ROOT

OURS = {"benchmarks", "tasks", "models", "tests", "hydra_plugins", "model_eras"}
HARNESS = ("benchmarks/*.py", "benchmarks/*/*.py", "hydra_plugins/*.py")
ROOMS = {  # room -> rooms that it may import from; what is typed (commands, suites) may everything
    "errors": set(),
    "commands": set(),
    "records": {"errors"},
    "analysis": {"errors", "records"},
    "show": {"errors", "commands", "records", "analysis"},
    "cell": {"records", "analysis"},
    "runner": {"errors", "records"},
    "plan": {"errors", "commands", "records"},
    "hydra_plugins": {"plan"},
}
HEAVY = {"torch", "sklearn", "sklearnex", "xgboost", "duckdb", "pandas", "pyarrow", "mlflow"}


class _WithoutTypeChecking(ast.NodeTransformer):
    def visit_If(self, node):
        return None if ast.unparse(node.test) == "TYPE_CHECKING" else self.generic_visit(node)


def imports(file, running: bool = False) -> set[str]:
    """Dotted names of everything a file imports, at its top or inside functions.

    running: only what is imported when the code runs.
    """
    found = set()
    tree = ast.parse(file.read_text())
    for node in ast.walk(_WithoutTypeChecking().visit(tree) if running else tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def modules() -> dict[str, Path]:
    """Dotted name -> file of everything in benchmarks/ and hydra_plugins/."""
    found = [*ROOT.glob("benchmarks/**/*.py"), *ROOT.glob("hydra_plugins/*.py")]
    parts = {file: file.relative_to(ROOT).with_suffix("").parts for file in found}
    return {".".join(names).removesuffix(".__init__"): file for file, names in parts.items()}


def room(module: str) -> str | None:
    """The room of a dotted name; None for commands, suites and what is not ours."""
    first, _, rest = module.partition(".")
    found = first if first == "hydra_plugins" else rest.partition(".")[0]
    return found if first in ("benchmarks", "hydra_plugins") and found in ROOMS else None


def circles(arrows: dict[str, set[str]]) -> list[set[str]]:
    """Sets of modules that import each other, in whatever many steps."""
    reached = {module: set(targets) for module, targets in arrows.items()}
    for through in arrows:
        for targets in reached.values():
            if through in targets:
                targets |= reached[through]
    found = [{b for b in reached[a] if a in reached[b]} for a in reached if a in reached[a]]
    return [circle for k, circle in enumerate(found) if circle not in found[:k]]


def top(names) -> set[str]:
    return {name.partition(".")[0] for name in names}


def files(*patterns: str):
    return [
        pytest.param(file, id=str(file.relative_to(ROOT)))
        for pattern in patterns
        for file in sorted(ROOT.glob(pattern))
    ]


@pytest.mark.parametrize("file", files("models/*.py", "models/parts/*.py"))
def test_a_model_imports_third_parties_and_what_models_share(file):
    """So that it can be copied into any project, with the folder of parts."""
    ours = {name for name in imports(file) if name.partition(".")[0] in OURS}
    assert all(name.startswith("models.parts") for name in ours), ours
    assert file.stem not in sys.stdlib_module_names | HEAVY, "the file would import itself"


@pytest.mark.parametrize("file", files("tasks/*.py", "tasks/*/*.py"))
def test_a_task_imports_third_parties_and_its_own_folder(file):
    ours = {name for name in imports(file) if name.partition(".")[0] in OURS}
    own = (
        "tasks.base",
        "tasks.metrics",
        "tasks.influences",
        "tasks.engines",
        "tasks.histories",
        "tasks.pieces",
        "tasks.synthesis",
        "tasks.candidates",
        "tasks.halves",
        "tasks.optical",
        "tasks.words",
        *(
            ("tasks.table",) if file.parent.name in ("events", "texts", "parquet") else ()
        ),  # read as it does
        ".".join(file.relative_to(ROOT).parts[:2]).removesuffix(".py"),
    )
    assert all(name.startswith(own) for name in ours), ours


@pytest.mark.parametrize(
    "file", files("benchmarks/*.py", "benchmarks/*/*.py", "hydra_plugins/*.py")
)
def test_the_harness_knows_no_concrete_model_or_task(file):
    if "suites" in file.parts:
        return
    names = imports(file)
    assert "models" not in top(names)
    known = ("tasks.base.", "tasks.engines", "tasks.metrics.", "tasks.histories.", "tasks.pieces.")
    assert all(n.startswith(known) for n in names if n.startswith("tasks."))
    allowed = {
        # These run in cells alone.
        "rows": {"pandas"},
        "storage": {"pandas", "pyarrow"},
        "foreign": {"pandas", "sklearn"},
        "packed": {"pandas"},
        "restored": {"pandas", "torch", "xgboost"},
        "new_rows": {"pandas", "pyarrow"},
        "scored": {"pyarrow"},
        "on_disk": {"duckdb"},
        "handed_out": {"pandas"},
        # These import them where they are needed (test_run: the parent stays small).
        "frame": {"pyarrow"},
        "given": {"pandas", "pyarrow"},
        "export": {"mlflow"},
    }.get(file.stem, set())
    assert not top(names) & (HEAVY - allowed)
    if file.parent.name not in ("plan", "hydra_plugins"):
        assert not top(names) & {"hydra", "omegaconf"}
    assert not any(name.startswith("hydra._internal") for name in names)
    if file.stem not in ("clock", "worker", "tune", "cold_start", "clusters", "claims"):
        assert "time" not in names, "the clock lives in cell/clock.py"


@pytest.mark.parametrize("file", files(*HARNESS))
def test_a_room_imports_from_the_rooms_it_may(file):
    own = room(".".join(file.relative_to(ROOT).with_suffix("").parts))
    if own is None:
        return
    ours = {name for name in imports(file) if name.partition(".")[0] in ("benchmarks", *ROOMS)}
    others = {room(name) or name for name in ours} - {own}
    if file.name == "worker.py":  # what runs in the child alone is imported there
        at_the_top = ast.Module(
            [n for n in ast.parse(file.read_text()).body if isinstance(n, ast.ImportFrom)], []
        )
        assert "benchmarks.cell" not in ast.unparse(at_the_top)
        others.discard("cell")
    assert others <= ROOMS[own]


def test_no_module_imports_itself_in_a_circle():
    there = modules()
    arrows = {
        module: {
            name if name in there else name.rpartition(".")[0]
            for name in imports(file, running=True)
            if name in there or name.rpartition(".")[0] in there
        }
        - {module}
        for module, file in there.items()
    }
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [{"a", "b", "c"}]
    assert circles(arrows) == []


def test_what_is_imported_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    del project["optional-dependencies"]["dev"]
    extras = project["optional-dependencies"].values()
    lines = [*project["dependencies"], *(line for lines in extras for line in lines)]
    declared = {plain(Requirement(line).name) for line in lines}
    # Those of extras are not installed everywhere.
    distributions = {"mlflow": ["mlflow-skinny"], "pynvml": ["nvidia-ml-py"], "wfdb": ["wfdb"]}
    distributions |= {
        name: [name] for name in ("ray", "submitit", "distributed", "obstore", "pyspark")
    }
    distributions |= packages_distributions()
    for file in (p for folder in sorted(OURS - {"tests"}) for p in (ROOT / folder).rglob("*.py")):
        if "suites" in file.parts:  # run by developers, with what the extra `dev` brings
            continue
        for name in top(imports(file)) - OURS - sys.stdlib_module_names:
            providers = {plain(d) for d in distributions.get(name, [])}
            assert providers & declared, f"{file.relative_to(ROOT)} imports {name}: not declared"


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_documents_show_the_reference():
    drawn = runpy.run_path(str(ROOT / "docs" / "draw_eras.py"))
    for file, text in drawn["documents"](drawn["reference"]()).items():
        assert file.read_text() == text, f"{file.name}: run `nox -s reference`"
    assert "| network " in (ROOT / "README.md").read_text()
    assert "| checks |" in (ROOT / "docs" / "reading.md").read_text()


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
