"""The work ledger: what an approach asked of people and machines, counted and never typed.

From sources, which are read and not imported, and from what is installed; the cell adds what only
it knows. docs/work-ledger.md says how each number is counted.
"""

import ast
import importlib.metadata
import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from benchmarks.plan.settings import read_settings
from benchmarks.plan.sources import files_behind, find_source

GIVEN = ("numpy", "pandas", "annotated-types")
"""What the kit hands its tables over in and states limits of settings with: no model's own need."""
PREPARING = tuple(
    f"sklearn.{name}" for name in ("preprocessing", "impute", "feature_extraction.text", "compose")
)
Definition = ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


def of_sources(config: Mapping[str, Any], changed: Mapping[str, Any], view: str) -> dict[str, Any]:
    """What can be counted before a cell runs: `config` and `changed` are a cell's."""
    model = config["model"]["_target_"]
    settings = read_settings(model)
    tuned = config.get("tune", {}).get("space", {})
    return {
        **dict(
            zip(
                ("feature_lines_sql", "feature_lines_python"),
                _lines_of_views(config["task"], view),
                strict=True,
            )
        ),
        "preparation": _preparation(model, config["model"].get("prepare", "numbers")),
        "model_lines": _lines_of(model) if settings else 0,
        "loop_lines": _loops(model) if settings else 0,
        # Which view it reads is a matter of the task, and counted there.
        "knobs": len(settings.configurable().keys() - {"view"}) if settings else None,
        "knobs_changed": len(changed.get("model", {}).keys() - {"_target_"}),
        "knobs_tuned": len(tuned),
        "gpu": _gpu(model),
        **_packages(model),
    }


def code_lines(source: str) -> set[int]:
    """Numbers of the lines that hold code: no blank ones, no comments, no docstrings."""
    texts = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node.value.value, str)
        for line in _span(node)
    }
    nothing = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    found = {
        line
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in nothing
        for line in range(token.start[0], token.end[0] + 1)
    }
    return found - texts


def sql_lines(text: str) -> int:
    """Lines of SQL that hold more than a comment."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return sum(bool(line.partition("--")[0].strip()) for line in text.splitlines())


def _span(node: ast.stmt) -> range:
    decorators = [d.lineno for d in getattr(node, "decorator_list", ())]
    return range(min([node.lineno, *decorators]), (node.end_lineno or node.lineno) + 1)


@dataclass(frozen=True, eq=False)
class _Module:
    """A source file: what it defines, and what it takes from files of its own folder."""

    path: Path
    definitions: Mapping[str, Definition]
    taken: Mapping[str, tuple[Path, str]]
    code: set[int] = field(repr=False)


@cache
def _read(path: Path) -> _Module:
    source = path.read_text(encoding="utf-8")
    definitions: dict[str, Definition] = {}
    taken: dict[str, tuple[Path, str]] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            definitions[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            definitions |= {target.id: node for target in targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.ImportFrom) and node.module:
            other = find_source(f"{node.module}.x")
            if other is not None and other.parent == path.parent:
                taken |= {alias.asname or alias.name: (other, alias.name) for alias in node.names}
    return _Module(path, definitions, taken, code_lines(source))


def _reached(target: str, method: str) -> Iterator[tuple[_Module, ast.stmt]]:
    """The method of a class, and all functions, methods, classes and constants of its folder that
    stand behind it, each once, by name."""
    source = find_source(target)
    if source is None:
        return
    module, name = _read(source), target.rpartition(".")[2]
    owner = module.definitions.get(name)
    assert isinstance(owner, ast.ClassDef)
    waiting: list[tuple[_Module, ast.stmt]] = [(module, node) for node in _members(owner, method)]
    seen: set[int] = {id(owner)}
    while waiting:
        module, found = waiting.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        yield module, found
        for node in ast.walk(found):
            if isinstance(node, ast.Name) and node.id in module.definitions:
                waiting.append((module, module.definitions[node.id]))
            elif isinstance(node, ast.Name) and node.id in module.taken:
                path, original = module.taken[node.id]
                other = _read(path)
                if original in other.definitions:
                    waiting.append((other, other.definitions[original]))
            elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self":
                waiting += [(module, member) for member in _members(owner, node.attr)]


def _members(owner: ast.ClassDef, name: str) -> list[ast.stmt]:
    return [n for n in owner.body if isinstance(n, ast.FunctionDef) and n.name == name]


def _lines_of_views(task: Mapping[str, Any], views: str) -> tuple[int, int]:
    """Of the first of these views (`events|signal`) that has lines of its own. Where a setting of
    the task has the view's name, it is a file of the user's with SQL."""
    for view in views.split("|"):
        file = Path(str(task.get(view) or "")).expanduser()
        if file.suffix == ".sql" and file.is_file():
            return sql_lines(file.read_text(encoding="utf-8")), 0
        if any(lines := _features(task["_target_"], view)):
            return lines
    return 0, 0


@cache
def _features(task: str, view: str) -> tuple[int, int]:
    """Lines of SQL and of Python that make a view out of a task's raw data: of the files that are
    called like it, in a task that is a folder, else of its method `view` with what stands behind
    it. None where the class says that it is `general`: nobody wrote them for this problem."""
    settings, source = read_settings(task), find_source(task)
    if settings is None or source is None:
        return 0, 0
    general = settings.constants.get("general", False)
    if general is True or (general and view in general):
        return 0, 0
    sql, python = (source.with_name(f"{view}{suffix}") for suffix in (".sql", ".py"))
    if source.name == "__init__.py" and (sql.is_file() or python.is_file()):
        return (
            sql_lines(sql.read_text(encoding="utf-8")) if sql.is_file() else 0,
            len(_read(python).code) if python.is_file() else 0,
        )
    lines: set[tuple[Path, int]] = set()
    queries: set[Path] = set()
    for module, node in _reached(task, "view"):
        lines |= {(module.path, line) for line in module.code.intersection(_span(node))}
        queries |= {
            module.path.with_name(str(part.value))
            for part in ast.walk(node)
            if isinstance(part, ast.Constant) and str(part.value).endswith(".sql")
        }
    return (
        sum(sql_lines(path.read_text(encoding="utf-8")) for path in queries if path.is_file()),
        len(lines),
    )


@cache
def _preparation(model: str, how: str) -> list[str]:
    """Classes by which a model's file makes the view fit for it: of scikit-learn's modules for
    that, and torch's embeddings. For a class of another package: what the kit puts before it."""
    source = find_source(model)
    if read_settings(model) is None:
        source = None if how == "nothing" else find_source("benchmarks.cell.foreign.Foreign")
    if source is None:
        return []
    tree = ast.parse(source.read_text(encoding="utf-8"))
    found = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in PREPARING
        for alias in node.names
        if alias.name[0].isupper() and alias.name != "ColumnTransformer"
    }
    embeddings = {"Embedding", "EmbeddingBag"}
    found |= {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)} & embeddings
    return sorted(found)


@cache
def _lines_of(target: str) -> int:
    """Lines of code in a model's file, or in all files of its folder if it is a package."""
    source = find_source(target)
    assert source is not None
    files = source.parent.glob("*.py") if source.name == "__init__.py" else [source]
    return sum(len(_read(file).code) for file in files)


@cache
def _loops(target: str) -> int:
    """Lines of the `for` and `while` statements in `fit` and in what stands behind it."""
    lines = {
        (module.path, line)
        for module, found in _reached(target, "fit")
        for node in ast.walk(found)
        if isinstance(node, ast.For | ast.While)
        for line in module.code.intersection(_span(node))
    }
    return len(lines)


def _gpu(target: str) -> str:
    """`needs` (its class says `needs_gpu`), `can use` (a setting `device` offers one) or `no`."""
    settings = read_settings(target)
    if settings is None:
        return "no"
    if settings.constants.get("needs_gpu"):
        return "needs"
    devices = getattr(settings.types.get("device"), "__args__", ())
    return "can use" if {"cuda", "xpu", "mps"}.intersection(devices) else "no"


def behind_in_folder(target: str, source: Path) -> set[Path]:
    """Files that a model imports from its own folder, or one below: the training loop of networks,
    say."""
    behind = files_behind(target.rpartition(".")[0], source)
    is_model = source.name != "__init__.py" and source.parent.name == "models"
    return {file for file in behind if source.parent in file.parents} if is_model else set()


@cache
def _packages(target: str) -> dict[str, Any]:
    """The distributions that the imports of a model file need, and those of files of ours that
    it imports, with all that these require and without what is given; and their size."""
    source = find_source(target)
    if source is None or read_settings(target) is None:
        names = {target.partition(".")[0]}
    else:
        names = {
            name.partition(".")[0]
            for file in {source, *behind_in_folder(target, source)}
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in node.names]
            )
        }
    roots = [d for name in names for d in _distributions().get(name, ())]
    found = _required(roots).keys() - _required(GIVEN).keys()
    return {"packages": sorted(found), "package_bytes": sum(map(_bytes, found))}


@cache
def _distributions() -> Mapping[str, list[str]]:
    return importlib.metadata.packages_distributions()


def _required(roots: Iterable[str]) -> dict[str, None]:
    """Normalised names of installed distributions: these, and what they require."""
    found: dict[str, None] = {}
    waiting = list(roots)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            wanted = importlib.metadata.distribution(name).requires or ()
        except importlib.metadata.PackageNotFoundError:  # required elsewhere, not here
            continue
        found[name] = None
        for line in wanted:
            try:
                requirement = Requirement(line)
            except InvalidRequirement:  # old packages have lines that no tool reads
                continue
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return found


@cache
def _bytes(distribution: str) -> int:
    """As its list of files says."""
    files = importlib.metadata.files(distribution) or ()
    return sum(file.size or 0 for file in files)
