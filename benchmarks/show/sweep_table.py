"""Where each era begins to win: the points of a sweep as a table."""

from benchmarks.analysis.sweeps import Point, Sweep
from benchmarks.show.formats import ABSENT, spread_text
from benchmarks.show.parts import Entry, Table, word_heads, words

LEGEND = (
    "leads: the best mean score; nobody: it cannot be told from knowing nothing. as good: of these "
    "nobody can say that they are worse. not there: ended without a score, with the reason under "
    "the point's own table in table.md."
)


def sweep_table(sweep: Sweep, name: str = "sweep") -> Table:
    heads = [
        sweep.axis or "made of",
        "leads",
        sweep.points[0].section.main.label,
        "as good",
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
        [sentence] if sentence else [],
        legend=LEGEND,
    )


def point_entries(sweep: Sweep, point: Point) -> list[Entry]:
    """The line of a point."""
    leader = point.leader
    score = leader.score(point.section.main.name) if leader else None
    ended = [row.label for row in point.section.rows if not row.done]
    return [
        *words(sweep.label(point)),
        *words(leader.label if leader else "nobody" if point.done else ABSENT),
        Entry(spread_text(score), score.mean) if score else Entry(ABSENT),
        *words(", ".join(point.beside) or ABSENT, ", ".join(ended)),
    ]
