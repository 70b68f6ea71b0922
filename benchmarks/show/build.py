"""A run's records into the chapters of its report, in the order of the questions people ask."""

from collections.abc import Callable, Iterable, Sequence

from benchmarks.analysis.cost import Prices
from benchmarks.analysis.summary import Section
from benchmarks.analysis.sweeps import Sweep, sweeps
from benchmarks.show import decisions, pictures, sweep_pictures, tables
from benchmarks.show.answer import answer
from benchmarks.show.curves import Load
from benchmarks.show.parts import MOST_MODELS, Chapter, Part, best_rows

FEATURED = 3  # tasks that have pictures of their own
MANY = 4  # tables that are all unfolded
HINTS = {
    "Where each era wins": "Who wins depends on how much data there is and on what is in it: "
    "`python -m benchmarks suite=scaling` shows the score over train rows, `suite=signals` over "
    "what the problem is made of, and `--with scaling signals` puts them here.",
    "Score against tuning budget": "Nothing was searched in this run: `python -m benchmarks "
    "tune=trials run=tuned` tunes every model with the same budget, and `--with tuned` puts it "
    "here.",
}
"""What a chapter that has nothing to show says instead."""
Parts = Iterable[Part | None]


def chapters(
    found: Sequence[Section],
    load: Load,
    unreadable: Sequence[str],
    prices: Prices,
    others: Sequence[Sequence[Section]] = (),
) -> list[Chapter]:
    """found: the sections of a run, judged. load: raw outcomes of a record. unreadable: sentences
    on files that hold no record. others: sections of runs whose sweeps and searches are shown as
    well."""
    honest = [section for section in found if not section.control]
    swept, shown = sweeps(honest), featured(honest)
    curves = {s.label: decisions.curves_of(best_rows(s), load) for s in shown}

    def each(name: str, make: Callable[[Section, str], Part | list[Part | None] | None]) -> Parts:
        """The same for each featured section, headed by its task where there are several."""
        for place, section in enumerate(map(best_rows, shown)):
            made = make(section, name if place == 0 else f"{name}-{place + 1}")
            parts = [p for p in (made if isinstance(made, list) else [made]) if p is not None]
            if parts and len(shown) > 1:
                yield f"{section.label}:"
            yield from parts

    lead = [sweep.sentence() for sweep in swept] or [answer(section) for section in shown]
    made: list[tuple[str, Parts]] = [
        ("The answer", lead or ["No cell of this run has come to a score yet."]),
        (
            "Results",
            (
                tables.results_of(s, f"results-{k}", folded=len(honest) > MANY and s not in shown)
                for k, s in enumerate(honest, 1)
            ),
        ),
        ("Accuracy against time", each("score-against-time", pictures.score_against_time)),
        ("Seconds per phase", each("phases", pictures.phases)),
        ("Latency", each("latency", pictures.latency)),
        ("The work ledger", each("work", tables.ledger_of)),
        (
            "Calibration",
            each(
                "calibration", lambda s, name: decisions.calibrated(s, name, load, curves[s.label])
            ),
        ),
        ("Gain", each("gain", lambda s, name: decisions.gained(s, name, load, curves[s.label]))),
        (
            "What a decision is worth",
            each("value", lambda s, name: decisions.value(s, name, load, curves[s.label])),
        ),
        ("Total cost", each("cost", lambda s, name: decisions.cost_of(s, name, prices))),
        (
            "Where each era wins",
            sweep_parts(
                [
                    *swept,
                    *(w for other in others for w in sweeps([s for s in other if not s.control])),
                ]
            ),
        ),
        ("Score against tuning budget", searches([shown, *map(featured, others)])),
        ("Failures", [tables.failures(found, unreadable)]),
        ("Checks", [tables.checks(found)]),
        ("How it was measured", [*tables.measured(found), tables.settings(found)]),
    ]
    rest: list[Chapter] = []
    for heading, parts in made:
        present = [part for part in parts if part is not None]
        if not present and heading in HINTS:
            present = [HINTS[heading]]
        if present:
            rest.append(Chapter(heading, present, lead=not rest))
    return rest


def featured(found: Sequence[Section]) -> list[Section]:
    """For each task the section that its pictures show: the one with most train rows, then most
    models, then fewest settings that are changed; the first few tasks."""
    best: dict[str, Section] = {}

    def rank(section: Section) -> tuple[float, int, int]:
        rows = [r["rows"]["train"] for row in section.rows for r in row.done]
        changed = len(section.everything[0].first["changed"]["task"])
        return max(rows, default=0), len(section.rows), -changed

    for section in found:
        if not any(row.done for row in section.rows):
            continue
        if section.task not in best or rank(section) > rank(best[section.task]):
            best[section.task] = section
    return list(best.values())[:FEATURED]


def searches(runs: Iterable[Sequence[Section]]) -> Parts:
    """What searches found, by number of trials, for each section that has any."""
    place = 0
    for section in (best_rows(section) for found in runs for section in found):
        made = pictures.tuning(section, "tuning" if not place else f"tuning-{place + 1}")
        place += made is not None
        yield made


def sweep_parts(swept: Sequence[Sweep]) -> Parts:
    for place, sweep in enumerate(swept, 1):
        labels = sorted({row.label for point in sweep.points for row in point.section.rows})
        suffix = "" if place == 1 else f"-{place}"
        yield sweep_pictures.crossover_map(sweep, f"crossover{suffix}")
        yield sweep_pictures.sweep_lines(sweep, f"score-over{suffix}", labels[:MOST_MODELS])
