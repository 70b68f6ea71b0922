"""What a config may have built: classes of this project and of the libraries it is made for, and of
packages that somebody has allowed on the command line. A YAML that somebody sends is data: nothing
that it names is called, or so much as imported, because it says so.
"""

from collections.abc import Iterable

OURS = ("tasks", "models")
LIBRARIES = ("sklearn", "sklearnex", "daal4py", "xgboost", "lightgbm", "catboost")


def is_allowed(target: object, allow: Iterable[str] = ()) -> bool:
    """Is it a name that such a package has?"""
    names = str(target).split(".")
    whole = len(names) > 1 and all(name.isidentifier() for name in names)
    return whole and names[0] in {*OURS, *LIBRARIES, *allow}


def refusal(part: str, target: object, allow: Iterable[str] = ()) -> str | None:
    """The sentence for one that is not; None for one that is."""
    if is_allowed(target, allow):
        return None
    package = str(target).partition(".")[0]
    known = ", ".join((*OURS, "sklearn", "xgboost", "lightgbm", "catboost"))
    hint = f"; if you trust it, say so: allow={package}" if package.isidentifier() else ""
    return f"{part}._target_={target}: only classes of {known} are built{hint}."
