"""The answer in two sentences: what to use and why; what is not decided, and what to beware of."""

from collections.abc import Sequence

from benchmarks.analysis.advice import Advice, advise, seconds_of
from benchmarks.analysis.matrix import matrix
from benchmarks.analysis.summary import Row, Section, broadest
from benchmarks.analysis.sweeps import sweeps
from benchmarks.analysis.verdicts import percentage, signed
from benchmarks.show.formats import percent, seconds
from benchmarks.show.parts import Tile, Tiles

MUCH_LESS = 0.5  # of the time is worth a word
MOST_ANSWERS = 3  # tables of a run that are answered one by one


def answer(section: Section) -> str:
    """Both sentences. Raises nothing: what cannot be said is left out."""
    found = advise(section)
    if found is None:
        return f"On {section.label}, no model got to a score; the failures say why."
    return " ".join(filter(None, (recommendation(found), doubt(found))))


def closing(sections: Sequence[Section]) -> list[str]:
    """What a run comes to, in the last lines of a terminal: of a sweep who leads where, of several
    tasks who is at home where; else what to use, and what is not decided."""
    honest = [section for section in sections if not section.control]
    swept = [sentence for sweep in sweeps(honest) if (sentence := sweep.sentence())]
    if swept:
        return swept
    grounds = matrix(honest)
    if grounds is not None and (said := grounds.sentences()):
        return said
    found = [made for section in broadest(honest) if (made := advise(section))]
    lines = []
    for made in found[:MOST_ANSWERS]:
        head = f"{made.section.label}: " if len(found) > 1 else ""
        lines += [text for text in (head + recommendation(made), doubt(made)) if text]
    if len(found) > MOST_ANSWERS:
        lines.append(f"And {len(found) - MOST_ANSWERS} more; each has its table in table.md.")
    return lines


def recommendation(found: Advice) -> str:
    """What to use, and why."""
    use, best = found.use, found.best
    figure = f"{found.section.main.label} {_score(found, use)}"
    if found.knows_nothing:
        floor = found.section.reference("floor", found.section.metric)
        known = "" if floor is None else f", as much as is known without looking ({floor.mean:.3f})"
        best_figure = f"{found.section.main.label} {_score(found, best)}"
        return f"Use none of them: the best, {best.label}, has {best_figure}{known}."
    if not found.others:
        return f"Use {use.label}: the only one with a score ({figure})."
    if use is not best:
        merits = ["simplest", *(["fastest"] if found.cheapest is use else [])]
        why = f"as good as the best ({best.label}) and the {' and '.join(merits)}{_less(found)}"
        return f"Use {use.label}: {why}; {figure}, best {_score(found, best)}."
    if found.as_good:
        names = _names([row.label for row in found.as_good])
        return f"Use {use.label}: the best, and simpler than {names} of the same worth; {figure}."
    following = f", next {found.others[0].label} {_score(found, found.others[0])}"
    why = "better than all others" if found.is_sure else "the best so far"
    return f"Use {use.label}: {why}; {figure}{following}."


def doubt(found: Advice) -> str:
    """What is not decided and what would settle it; then warnings."""
    said = []
    if found.unsure:
        row, verdict = found.unsure[0]
        behind = verdict.difference if verdict.b == row.label else -verdict.difference
        more = len(found.unsure) - 1
        also = f"; the same goes for {more} more" if more else ""
        remedy = f"; {said_how}" if (said_how := verdict.remedy()) else ""
        said.append(
            f"Not decided: whether {row.label} is as good ({signed(-behind)}{remedy}){also}."
        )
    elif found.is_sure and found.others and not found.as_good:
        standing = found.section.standings.get(found.best.label)
        if standing is not None and standing.first is not None:
            often = percentage(standing.first)
            said.append(f"Of other test rows like these {found.best.label} is first in {often}.")
    return " ".join((*said, *found.warnings))


def tiles(found: Advice) -> Tiles:
    """The best, the cheapest that is as good, what is not decided."""
    best, section = found.best, found.section
    standing = section.standings.get(best.label)
    rank = ""
    if standing is not None and standing.low < standing.high:
        rank = f", rank {standing.low} to {standing.high}"
    tied, pairs = found.ties
    ties = f"{tied} of {pairs} neighbours in the ranking cannot be told apart"
    if found.unsure:
        names = _names([row.label for row, _ in found.unsure[:MOST_ANSWERS]])
        count = len(found.unsure)
        open_ones = f"{count} model{'s' if count > 1 else ''}", f"{names}; {ties}"
    else:
        open_ones = "nothing about the best", ties
    return Tiles(
        [
            Tile("Best", best.label, f"{section.main.label} {_score(found, best)}{rank}"),
            Tile("Cheapest that is as good", *_cheapest(found)),
            Tile("Not decided", *open_ones),
        ]
    )


def _cheapest(found: Advice) -> tuple[str, str]:
    row, best = found.cheapest, found.best
    if row is None:
        return "no clock tells", "times were disturbed, or are of unlike machines"
    took = seconds_of(found.section, row) or 0.0
    said = f"{seconds(took)} s in all"
    its = seconds_of(found.section, best)
    if row is not best and its:
        said += f", {100 * took / its:.2g} % of what {best.label} takes"
    elif not found.as_good:
        said += "; none of the others is as good beyond doubt"
    return row.label, said


def known(section: Section, row: Row) -> str:
    """How much of what can be known a row knows, in a sentence; empty where nobody can say."""
    if (share := section.known(row)) is not None:
        return f"{row.label} knows {percent(share, ' to ', ' %')} of what can be known."
    if (way := row.share()) is not None:
        return (
            f"{row.label} comes {percent(way, ' to ', ' %')} of the way from the floor to the "
            "ceiling; what can be known at all, an ideal observer would say (model=ideal_observer)."
        )
    return ""


def subject(sections: Sequence[Section]) -> str:
    """What a run is about, for the head of its page."""
    tasks = list(dict.fromkeys(section.label for section in sections))
    if len(tasks) > 3:
        tasks = list(dict.fromkeys(section.task for section in sections))
    return ", ".join(tasks[:3]) + (f" and {len(tasks) - 3} more" if len(tasks) > 3 else "")


def _score(found: Advice, row: Row) -> str:
    score = row.score(found.section.metric)
    assert score
    return f"{score.mean:.3f}" if abs(score.mean) < 10 else f"{score.mean:,.1f}"


def _less(found: Advice) -> str:
    """How much less time the simple one takes, where that is much."""
    mine, its = (seconds_of(found.section, row) for row in (found.use, found.best))
    if mine is None or not its or mine > MUCH_LESS * its:
        return ""
    return f", in {100 * mine / its:.2g} % of the time"


def _names(labels: Sequence[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"
