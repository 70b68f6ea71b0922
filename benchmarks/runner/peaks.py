"""Memory of what cells have started themselves, as seen from outside."""

from collections.abc import Mapping, Sequence


def children_peaks(
    phases: Mapping[str, Mapping[str, float]], samples: Sequence[Sequence[float]]
) -> dict[str, int]:
    """Phase -> the most bytes that processes started by the cell had during it.

    samples: (moment, bytes) pairs from outside the cell (see worker.Ending).
    """
    found: dict[str, int] = {}
    for name, phase in phases.items():
        begin, end = phase["start"], phase["start"] + phase["wall"]
        inside = [int(size) for moment, size in samples if begin <= moment <= end]
        if inside:
            found[name] = max(inside)
    return found
