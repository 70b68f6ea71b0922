"""The picture that a run is for, beside its tables: who wins where, what a view gives, or what a
score costs."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.analysis.summary import Section
from benchmarks.analysis.sweeps import sweeps
from benchmarks.records.files import write
from benchmarks.show import pictures
from benchmarks.show.build import dials, featured, home_grounds, sweep_parts
from benchmarks.show.drawing import svg
from benchmarks.show.parts import Picture, best_rows


def write_pictures(folder: Path, sections: Sequence[Section]) -> list[Path]:
    """Write SVGs into a run's folder; return them. None if there is nothing to compare."""
    honest = [section for section in sections if not section.control]
    made = [*sweep_parts(sweeps(honest)), *home_grounds(honest), *dials(honest)]
    if not made:
        shown = map(best_rows, featured(honest))
        made = [
            pictures.score_against_time(s, f"score-against-time{'' if k == 1 else f'-{k}'}")
            for k, s in enumerate(shown, 1)
        ]
    files = []
    for picture in made:
        if isinstance(picture, Picture):
            files.append(folder / f"{picture.name}.svg")
            write(files[-1], svg(picture))
    return files
