"""Folders that a cell gives to its model: one for checkpoints, one for files that stay."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.records import files


def kept(folders: Mapping[str, str] | None, most_bytes: float) -> dict[str, Any] | None:
    """What the record says of the files that stay: `files` (name -> bytes), and `refused`, a
    sentence, if they have more than `most_bytes` in all; then the largest ones are removed until
    the others fit. None if there are none."""
    if not folders:
        return None
    folder = Path(folders["artifacts"])
    sizes = {file: file.stat().st_size for file in _files(folder)}
    refused = []
    for file in sorted(sizes, key=lambda file: -sizes[file]):
        if sum(sizes.values()) <= most_bytes:
            break
        refused.append(f"{file.relative_to(folder)} ({sizes.pop(file) / 1e6:,.1f} MB)")
        file.unlink()
    if not sizes and not refused:
        return None
    told: dict[str, Any] = {
        "files": {str(file.relative_to(folder)): size for file, size in sizes.items()}
    }
    if refused:
        told["refused"] = (
            f"{', '.join(refused)} left out: a cell keeps at most {most_bytes / 1e6:,.0f} MB of "
            "files (limits.artifact_mb=…)"
        )
    return told


def checksums(folders: Mapping[str, str] | None) -> dict[str, dict[str, Any]]:
    """Of the files that stay, now that they are on the disk: `.artifacts/NAME` -> `bytes` and
    `blake2b`."""
    if not folders:
        return {}
    folder = Path(folders["artifacts"])
    kept = _files(folder)
    for place in (*kept, *{file.parent for file in kept}):
        files.settle(place)
    return {f".artifacts/{file.relative_to(folder)}": files.facts(file) for file in kept}


def _files(folder: Path) -> list[Path]:
    """All plain files below a folder; no links, which lead elsewhere."""
    if not folder.is_dir():
        return []
    return [file for file in sorted(folder.rglob("*")) if file.is_file() and not file.is_symlink()]
