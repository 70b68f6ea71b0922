"""A file of tensors and numbers that is replaced as a whole, for a training that may be killed.

It is a safetensors file, which holds no code: what somebody else left there can be damaged, and no
worse. The numbers lie in its header, as JSON.
"""

import json
import os
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

VERSION = 1  # of what a training leaves in it


class Unusable(ValueError):
    """There is a checkpoint that nobody can go on from; the message says why."""


def write(file: Path, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
    """Put these in the place of what was there, or leave that as it was and raise OSError."""
    # Whatever shares its memory with another tensor gets its own.
    copies = {k: v.detach().to("cpu", copy=True).contiguous() for k, v in tensors.items()}
    header = {"version": str(VERSION), "numbers": json.dumps(numbers)}
    part = file.with_suffix(".part")
    try:
        with part.open("wb") as opened:
            opened.write(save(copies, header))
            opened.flush()
            os.fsync(opened.fileno())
        part.replace(file)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def read(file: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What was written last. Raises FileNotFoundError, and Unusable."""
    if not file.exists():
        raise FileNotFoundError(file)
    try:
        with safe_open(file, "pt") as opened:
            header = opened.metadata()
            if int(header["version"]) > VERSION:
                raise Unusable(f"of a newer version ({header['version']})")
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - no dict
            return tensors, json.loads(header["numbers"])
    except Unusable:
        raise
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise Unusable(f"damaged ({' '.join(str(error).split())})") from None
