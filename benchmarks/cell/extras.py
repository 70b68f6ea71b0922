"""Packages that only some models need, and what to type where one is missing."""

import importlib.metadata

from packaging.requirements import Requirement

OURS = "model-eras"


def advice(error: ImportError) -> str | None:
    """What to type to get the module that is missing; None if none of our extras has it."""
    name = (error.name or "").partition(".")[0].replace("_", "-").lower()
    try:
        lines = importlib.metadata.requires(OURS) or ()
    except importlib.metadata.PackageNotFoundError:
        return None
    for line in lines:
        wanted = Requirement(line)
        if wanted.name.lower() != name or wanted.marker is None:
            continue
        for extra in importlib.metadata.metadata(OURS).get_all("Provides-Extra") or ():
            if extra != "dev" and wanted.marker.evaluate({"extra": extra}):
                return f"{name} is not installed: pip install -e '.[{extra}]'"
    return None
