"""A run's records into the chapters of its report, in the order of the questions people ask."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain

from benchmarks.analysis import mistakes
from benchmarks.analysis.advice import advise
from benchmarks.analysis.cost import Prices
from benchmarks.analysis.curves import Curve, Load
from benchmarks.analysis.dial import dial
from benchmarks.analysis.matrix import matrix
from benchmarks.analysis.segments import Rows, kept
from benchmarks.analysis.summary import Section
from benchmarks.analysis.sweeps import Sweep, sweeps
from benchmarks.commands import spoken
from benchmarks.records.records import Record
from benchmarks.show import (
    decisions,
    driver_pictures,
    pictures,
    sweep_pictures,
    tables,
    which_pictures,
    wrong_pictures,
    wrong_rows,
)
from benchmarks.show.answer import answer, known, tiles
from benchmarks.show.formats import ABSENT, provenance, section_title
from benchmarks.show.ledger_table import ledger_table
from benchmarks.show.matrix_pictures import dial_picture, matrix_picture
from benchmarks.show.matrix_table import dial_table, matrix_table
from benchmarks.show.parts import (
    MOST_MODELS,
    Chapter,
    Part,
    Picture,
    Table,
    best_rows,
    labels_of,
    marked,
)
from benchmarks.show.results_table import results_table
from benchmarks.show.training import training_curves
from benchmarks.show.verdict_table import open_questions, verdicts_table

FEATURED = 3  # tasks that have pictures of their own
MANY = 4  # tables that are all unfolded
COSTS = ("score-against-time", "phases", "latency", "cost")
HINTS = {
    "Would more data help?": "Nothing in this run tells. `python -m benchmarks "
    "task.train_rows=300,1000,3000 run=curve` does, for any task, and `--with curve` puts it here; "
    "`suite=scaling` shows who wins from a thousand rows to a million, `suite=signals` when what "
    "there is to see changes.",
    "Would a search help?": "Nothing was searched in this run: `python -m benchmarks "
    "tune=trials run=tuned` tunes every model with the same budget, and `--with tuned` puts it "
    "here.",
}
"""What a chapter that has nothing to show says instead."""
Parts = Iterable[Part | None]
Maker = Callable[[Section, str], Part | list[Part | None] | None]
"""What makes parts of a section, given the name that their files begin with."""


def no_rows(_: Record) -> None:
    """None were kept."""


def report_chapters(
    sections: Sequence[Section],
    load: Load,
    unreadable: Sequence[str],
    prices: Prices,
    others: Sequence[Sequence[Section]] = (),
    rows: Rows = no_rows,
) -> list[Chapter]:
    """sections: those of a run, judged. load: raw outcomes of a record; rows: test rows that were
    kept beside it. unreadable: sentences
    on files that hold no record. others: sections of runs whose sweeps and searches are shown as
    well."""
    honest = [section for section in sections if not section.control]
    swept, shown = sweeps(honest), featured(honest)
    everywhere = [*swept, *(sweep for other in others for sweep in sweeps(other))]
    lead: list[Part] = [sweep.sentence() for sweep in swept] or answers(shown)
    lead += [] if (made_of := matrix(honest)) is None else made_of.sentences()
    lead += [made.sentence() for made in filter(None, map(dial, honest))]
    results = (
        results_of(s, f"results-{k}", folded=len(honest) > MANY and s not in shown)
        for k, s in enumerate(honest, 1)
    )
    of = partial(of_sections, shown, dict(makers(shown, load, prices, rows)))
    made: list[tuple[str, Parts]] = [
        ("The answer", lead or ["No cell of this run has come to a score yet."]),
        ("Which one?", chain(of("which"), results)),
        ("How sure?", chain.from_iterable(sure(s, f"verdicts-{k}") for k, s in enumerate(shown))),
        ("What does it cost me?", of("desk", "gain", *COSTS)),
        ("Where is it wrong?", of("wrong", "calibration", "rows")),
        ("What drives it?", of("drivers")),
        ("Would more data help?", sweep_parts(everywhere)),
        ("Would a search help?", searches([shown, *map(featured, others)])),
        ("Who is at home where?", home_grounds(honest)),
        ("Is it the view or the model?", dials(honest)),
        ("What did the work look like?", of("work", "training")),
        ("Failures", [tables.failures_table(sections, unreadable)]),
        ("Checks", [tables.checks_table(sections)]),
        ("How was it measured?", [*tables.measurement(sections), tables.settings_table(sections)]),
    ]
    chapters: list[Chapter] = []
    for heading, parts in made:
        present = [part for part in parts if part is not None]
        if not present and heading in HINTS:
            present = [spoken(HINTS[heading])]
        if present:
            chapters.append(Chapter(heading, present, lead=not chapters))
    return chapters


def answers(shown: Sequence[Section]) -> list[Part]:
    """What to use, of each section, with the tiles of the first."""
    found: list[Part] = []
    for section in shown:
        made = advise(section)
        found.append(answer(section) if len(shown) == 1 else f"{section.label}: {answer(section)}")
        if made is not None and section.verdicts:
            found.append(tiles(made))
    return found


def which(section: Section, name: str) -> list[Part | None]:
    """The ranking with its intervals, and the eras in their order."""
    made = advise(section)
    if made is None:
        return []
    known_so_far = known(section, made.best)
    return [
        which_pictures.ranking(made, f"{name}-ranking"),
        which_pictures.history(made, f"{name}-history"),
        known_so_far or None,
    ]


def wrong(section: Section, name: str, load: Load) -> list[Part | None]:
    """Mistakes of the model that is to be used, and of the best where that is another one."""
    advice = advise(section)
    if advice is None:
        return []
    rows = list(dict.fromkeys(row.label for row in (advice.use, advice.best)))
    by_label = {row.label: row for row in section.rows}
    made: list[Part | None] = []
    for place, label in enumerate(rows, 1):
        row = by_label[label]
        if (confusion := mistakes.confusion(row, load)) is not None:
            made.append(wrong_pictures.confused(confusion, label, f"{name}-classes-{place}"))
        if (residuals := mistakes.residuals(row, load)) is not None:
            made.append(wrong_pictures.off(residuals, label, f"{name}-off-{place}"))
    found = {label: of for label in rows if (of := mistakes.found(by_label[label], load))}
    positive = decisions.positive(section, load)
    labels = labels_of(section)
    made.append(wrong_pictures.thresholds(found, labels, positive, f"{name}-thresholds"))
    return made


def wrong_where(section: Section, name: str, load: Load, rows: Rows) -> list[Part | None]:
    """On which parts of the rows the model that is to be used is worst, and on which rows any two
    differ most."""
    advice = advise(section)
    labels = [row.label for row in section.rows]
    found = None if advice is None else kept(section, labels, load, rows)
    if advice is None or found is None:
        return []
    use = advice.use.label
    made: list[Part | None] = []
    if use in found.said:
        made += wrong_rows.by_segment(section, found, use, f"{name}-parts")
    first = list(dict.fromkeys((use, advice.best.label)))
    return [*made, wrong_rows.apart(found, labels, first, f"{name}-apart")]


def drives(section: Section, name: str) -> list[Part | None]:
    advice = advise(section)
    return [] if advice is None else driver_pictures.parts(advice, name)


def makers(
    shown: Sequence[Section], load: Load, prices: Prices, rows: Rows
) -> Iterator[tuple[str, Maker]]:
    """(name of the files, what makes the parts) of what is shown of single sections"""
    curves = {s.label: decisions.curves_of(best_rows(s), load) for s in shown}

    def of_curves(make: Callable[[Section, str, Load, Sequence[Curve]], Part | None]) -> Maker:
        return lambda section, name: make(section, name, load, curves[section.label])

    yield "which", which
    yield "score-against-time", pictures.score_against_time
    yield "phases", pictures.phases
    yield "latency", pictures.latency
    yield "cost", lambda section, name: decisions.cost_of(section, name, prices)
    whole = {s.label: s for s in shown}  # no model is left out because a picture has no room
    at_the_desk = of_curves(partial(decisions.at_the_desk, prices=prices))
    yield "desk", lambda section, name: at_the_desk(whole[section.label], name)
    yield "gain", of_curves(decisions.gained)
    yield "wrong", lambda section, name: wrong(section, name, load)
    yield "rows", lambda section, name: wrong_where(section, name, load, rows)
    yield "drivers", drives
    yield "calibration", of_curves(decisions.calibrated)
    yield "work", ledger_of
    yield "training", training_curves


def of_sections(shown: Sequence[Section], made: Mapping[str, Maker], *names: str) -> Parts:
    """These parts of each section, one after the other."""
    return chain.from_iterable(of_each(shown, name, made[name]) for name in names)


def sure(section: Section, name: str) -> list[Part | None]:
    """What would decide where nothing is decided yet; each pair, folded."""
    open_ones = [text.removeprefix("? ") for text in open_questions(section)]
    return [*open_ones, verdicts_of(section, name)]


def verdicts_of(section: Section, name: str) -> Table | None:
    """Each pair, folded: the ranking says the most of it."""
    made = verdicts_table(section, name)
    title = f"{section.label}: each pair of models"
    return None if made is None else replace(made, folded=True, title=title)


def of_each(shown: Sequence[Section], name: str, make: Maker) -> Parts:
    """The same for each section, headed by its task where there are several."""
    for place, section in enumerate(map(best_rows, shown)):
        made = make(section, name if place == 0 else f"{name}-{place + 1}")
        parts = [
            replace(p, how=f"{p.how or p.caption} {told_how(section)}")
            if isinstance(p, Picture)
            else p
            for p in (made if isinstance(made, list) else [made])
            if p is not None
        ]
        if parts and len(shown) > 1:
            yield f"{section.label}:"
        yield from parts


def told_how(section: Section) -> str:
    """Rows, seeds, machine and day behind a picture."""
    return f"{section_title(section)}. {provenance(section)} docs/measuring.md has the rest."


def results_of(section: Section, name: str, folded: bool) -> Table:
    """The result table without what the chapters on failures and checks say."""
    made = results_table(section, name, tables.MOST_ROWS)
    notes = [note for note in made.notes if marked(note)[0] not in ("✗", "!", "?")]
    return replace(filled(made), notes=notes, folded=folded)


def filled(table: Table) -> Table:
    """Without columns in which nothing stands."""
    kept = [
        k
        for k in range(len(table.heads))
        if not k or any(row[k].text not in ("", ABSENT) for row in table.rows)
    ]
    heads = [table.heads[k] for k in kept]
    return replace(table, heads=heads, rows=[[row[k] for k in kept] for row in table.rows])


def ledger_of(section: Section, name: str) -> list[Part | None]:
    made = ledger_table(section, name)
    if made is None:
        return []
    title = f"{section.label}: what each approach asked for"
    counting = "docs/work-ledger.md says how each is counted."
    return [pictures.work_map(section, f"{name}-map"), replace(made, title=title), counting]


def featured(sections: Sequence[Section]) -> list[Section]:
    """For each task the section that its pictures show: the one with most train rows, then most
    models, then fewest settings that are changed; the first few tasks."""
    best: dict[str, Section] = {}

    def rank(section: Section) -> tuple[float, int, int]:
        rows = [r["rows"]["train"] for row in section.rows for r in row.done]
        changed = len(section.everything[0].first["changed"]["task"])
        return max(rows, default=0), len(section.rows), -changed

    for section in sections:
        if not any(row.done for row in section.rows):
            continue
        if section.task not in best or rank(section) > rank(best[section.task]):
            best[section.task] = section
    return list(best.values())[:FEATURED]


def searches(runs: Iterable[Sequence[Section]]) -> Parts:
    """What searches found, by number of trials, for each section that has any."""
    place = 0
    for section in (best_rows(section) for sections in runs for section in sections):
        made = pictures.tuning(section, "tuning" if not place else f"tuning-{place + 1}")
        place += made is not None
        yield made


def home_grounds(sections: Sequence[Section]) -> Parts:
    """Models by tasks, where a run has several tasks."""
    made = matrix(sections)
    return [] if made is None else [matrix_picture(made), matrix_table(made)]


def dials(sections: Sequence[Section]) -> Parts:
    """What a view gives against what a model gives, where models were tried on several views."""
    for place, made in enumerate(filter(None, map(dial, sections)), 1):
        yield dial_picture(made, f"views-map-{place}")
        yield dial_table(made, f"views-{place}")


def sweep_parts(swept: Sequence[Sweep]) -> Parts:
    for place, sweep in enumerate(swept, 1):
        labels = sorted({row.label for point in sweep.points for row in point.section.rows})
        suffix = "" if place == 1 else f"-{place}"
        yield sweep_pictures.crossover_map(sweep, f"crossover{suffix}")
        yield sweep_pictures.sweep_lines(sweep, f"score-over{suffix}", labels[:MOST_MODELS])
