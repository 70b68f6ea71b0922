"""Where each era begins to win: the points of a sweep as a table."""

from benchmarks.analysis.sweeps import Point, Sweep
from benchmarks.show.formats import ABSENT, spread_text
from benchmarks.show.parts import Entry, Table, word_heads, words

LEGEND = (
    "leads: all others are worse, after correction for all pairs and points; nobody: the best "
    "cannot be told from knowing nothing. may lead: of these nobody can say who is worse, the best "
    "mean first. best: its score. not there: ended without a score, with the reason under "
    "the point's own table in table.md."
)


def sweep_table(sweep: Sweep, name: str = "sweep") -> Table:
    heads = [
        sweep.axis or "made of",
        "leads",
        f"best {sweep.points[0].section.main.label}",
        "may lead",
        "not there",
    ]
    lines = [point_entries(sweep, point) for point in sweep.points]
    if not any(line[-1].text for line in lines):
        heads, lines = heads[:-1], [line[:-1] for line in lines]
    over = sweep.axis or ", ".join(sweep.keys)
    sentence = sweep.sentence()
    return Table(
        name,
        f"{sweep.task} over {over}: who leads where",
        word_heads(*heads),
        lines,
        [text for text in (sentence, sweep.passing_sentence()) if text],
        legend=LEGEND,
    )


def point_entries(sweep: Sweep, point: Point) -> list[Entry]:
    """The line of a point."""
    score = point.done[0].score(point.section.main.name) if point.done else None
    group = [row.label for row in point.group]
    leads = point.leader.label if point.leader else "can't tell" if group else "nobody"
    ended = [row.label for row in point.section.rows if not row.done]
    return [
        *words(sweep.label(point)),
        *words(leads if point.done else ABSENT),
        Entry(spread_text(score), score.mean) if score else Entry(ABSENT),
        *words(ABSENT if point.leader or not group else ", ".join(group), ", ".join(ended)),
    ]
