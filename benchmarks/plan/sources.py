"""The files behind a task or a model: where they lie, and whether they are still the same."""

import ast
import functools
import hashlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from glob import glob
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = frozenset({"site-packages", "dist-packages"})


def find_source(target: str) -> Path | None:
    """Find the file that defines `package.module.Class`, importing nothing."""
    parts = target.split(".")[:-1]
    for folder in sys.path if parts else ():
        base = Path(folder or ".").joinpath(*parts)
        for candidate in (base.with_suffix(".py"), base / "__init__.py"):
            if candidate.is_file():
                return candidate
    return None


def code_hash(target: str) -> str | None:
    """Hash the source that stands behind a target: its file, or its folder for a package, and the
    files of its own project that these import.

    Results of code that has changed are not results of the code that is there.
    """
    source = find_source(target)
    if source is None:
        return None
    digest = hashlib.sha256()
    for file in sorted(files_behind(target.rpartition(".")[0], source)):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def files_behind(module: str, source: Path) -> set[Path]:
    """This file, or all of this folder, and the files that they import, in however many steps, from
    under the same top name (`models`)."""
    waiting = {(module, source)}
    if source.name == "__init__.py":
        files = (p for p in source.parent.iterdir() if p.suffix in (".py", ".sql", ".yaml"))
        waiting |= {(f"{module}.{file.stem}", file) for file in files if file != source}
    found: set[Path] = set()
    while waiting:
        module, source = waiting.pop()
        found.add(source)
        names = imported(module, source) if source.suffix == ".py" else ()
        for name in names:
            other = find_source(f"{name}.x")
            if other is not None and other not in found and top(name) == top(module):
                waiting.add((name, other))
    return found


def imported(module: str, source: Path) -> Sequence[str]:
    """Dotted names that a file of one's own imports when it is loaded: modules, and what it takes
    from them, which may be modules too."""
    return () if is_installed(source) else _imported(module, source, source.stat().st_mtime_ns)


@functools.cache
def _imported(module: str, source: Path, _changed: int) -> Sequence[str]:
    """The moment of its last change is there for the cache: each cell of a sweep asks again."""
    try:
        tree = ast.parse(source.read_bytes())
    except (SyntaxError, ValueError):  # its cell will say so
        return ()
    found = list[str]()
    package = module if source.name == "__init__.py" else module.rpartition(".")[0]
    for node in _loaded(tree.body):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            above = package.split(".")[: package.count(".") + 2 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names = [base, *(f"{base}.{a.name}" for a in node.names if a.name != "*")]
        found += (name for name in names if top(name) not in sys.stdlib_module_names)
    return tuple(found)


def is_installed(source: Path) -> bool:
    """Is it a package's, and nobody's own? The kit may lie among packages as well."""
    own = source.relative_to(ROOT) if source.is_relative_to(ROOT) else source
    return not PACKAGES.isdisjoint(own.parts)


def _loaded(body: Iterable[ast.AST]) -> Iterator[ast.Import | ast.ImportFrom]:
    """Imports that are made when a file is loaded: not those inside functions, nor those for a
    type checker."""
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _loaded(node.orelse)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.expr):
            yield from _loaded(ast.iter_child_nodes(node))


def top(name: str) -> str:
    return name.partition(".")[0]


def data_hash(places: Iterable[str]) -> str | None:
    """Hash the data that a task reads: files, folders or patterns; None if nothing is there."""
    digest, found = hashlib.sha256(), False
    for place in places:
        for file in _files(place):
            state = file.stat()
            digest.update(_file_hash(file, (state.st_size, state.st_mtime_ns)))
            found = True
    return digest.hexdigest()[:12] if found else None


def _files(place: str) -> list[Path]:
    """What lies there; nothing where that cannot be asked, as whoever reads it will say why."""
    if not place.strip():  # to a path it is the folder one is in
        return []
    try:
        path = Path(place)  # such a file is meant, whatever its name looks like
        path = path if path.exists() else path.expanduser()
        if path.exists():
            found = sorted(path.rglob("*")) if path.is_dir() else [path]
        else:
            found = [Path(match) for match in sorted(glob(str(path), recursive=True))]  # noqa: PTH207 - pathlib takes no absolute ones
        return [file for file in found if file.is_file()]
    except (OSError, RuntimeError):  # a name that is too long, a user who does not exist
        return []


@functools.cache
def _file_hash(file: Path, _state: tuple[int, int]) -> bytes:
    """Of the content; size and moment of change are there for the cache."""
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").digest()
    except OSError:  # whoever reads it will say what is wrong
        return b""
