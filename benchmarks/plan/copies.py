"""What a folder needs so that its model can be used without this kit: score.py, and the files of
code that stand behind what was learned."""

import importlib.metadata
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.errors import cannot_write
from benchmarks.plan.sources import files_behind, find_source, imported, top

SCORE = Path(__file__).with_name("score.txt")
RESTORED = Path(__file__).parents[1] / "cell" / "restored.py"
ALWAYS = ("numpy", "pandas", "safetensors")
OF_FORMS = {".skops": "skops", ".ubj": "xgboost"}
DISTRIBUTIONS = {
    "sklearn": "scikit-learn",
    "sklearnex": "scikit-learn-intelex",
    "annotated_types": "annotated-types",
}


def write_alone(folder: Path, code: Iterable[str], target: str) -> None:
    """Put score.py and what it needs beside a model whose class is `target`. code: dotted names of
    classes and functions that are to be found there. Raises CannotWrite."""
    modules = {target}
    try:
        (folder / "score.py").write_bytes(SCORE.read_bytes())
        (folder / "restored.py").write_bytes(RESTORED.read_bytes())
        for name in code:
            modules |= set(copied(name, folder))
        lines = sorted(set(requirements(modules, folder)))
        (folder / "requirements.txt").write_text("".join(f"{line}\n" for line in lines))
    except OSError as error:
        raise cannot_write(folder, error) from None


def copied(name: str, folder: Path) -> Iterator[str]:
    """Copy the files behind a class to where it is imported from; names of what these import."""
    module, source = name.rpartition(".")[0], find_source(name)
    if source is None:
        return
    root = source.parent
    for _ in module.split(".")[source.name != "__init__.py" :]:
        root = root.parent
    for file in sorted(files_behind(module, source)):
        part = file.relative_to(root)
        place = folder / part
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.read_bytes())
        for parent in list(part.parents)[:-1]:
            # A package of this name that is installed would come before a folder without it.
            (folder / parent / "__init__.py").touch()
        yield from imported(".".join(part.with_suffix("").parts), file)


def requirements(modules: Iterable[str], folder: Path) -> Iterator[str]:
    """Lines for pip, with the versions that are here."""
    forms = {file.suffix for file in folder.iterdir()}
    needed = {*ALWAYS, *map(top, modules), *(OF_FORMS[form] for form in forms & OF_FORMS.keys())}
    for name in needed - sys.stdlib_module_names:
        known = DISTRIBUTIONS.get(name, name)
        try:
            yield f"{known}=={importlib.metadata.version(known)}"
        except importlib.metadata.PackageNotFoundError:  # of ours, or optional
            continue
