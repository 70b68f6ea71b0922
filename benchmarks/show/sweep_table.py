"""Where each era begins to win: the points of a sweep as a table."""

import io
from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchmarks.analysis.summary import Section
from benchmarks.analysis.sweeps import Point, Sweep, sweeps
from benchmarks.show.formats import ABSENT, markdown, new_table, spread_text
from tasks.base import METRICS

NOTES = (
    "leads: the best mean score; nobody: it cannot be told from knowing nothing. as good: of these "
    "nobody can say that they are worse. not there: ended without a score, with the reason under "
    "the point's own table in table.md."
)


def lines(sweep: Sweep, point: Point) -> list[str]:
    """The texts of a point's line."""
    leader = point.leader
    score = leader.score(point.section.metric) if leader else None
    ended = [row.label for row in point.section.rows if not row.done]
    return [
        sweep.label(point),
        leader.label if leader else "nobody" if point.done else ABSENT,
        spread_text(score) if score else ABSENT,
        ", ".join(point.beside) or ABSENT,
        ", ".join(ended),
    ]


def to_table(sweep: Sweep, as_markdown: bool = False) -> Table:
    metric = METRICS[sweep.points[0].section.metric].label
    heads = [sweep.axis or "made of", "leads", metric, "as good", "not there"]
    found = [lines(sweep, point) for point in sweep.points]
    if not any(line[-1] for line in found):
        heads, found = heads[:-1], [line[:-1] for line in found]
    table = new_table(heads, [], as_markdown)
    for column in table.columns[3:]:
        column.no_wrap = as_markdown
    for line in found:
        table.add_row(*map(Text, line))
    return table


def title(sweep: Sweep) -> str:
    over = sweep.axis or ", ".join(sweep.keys)
    return f"{sweep.task} over {over}: who leads where"


def render(found: Sequence[Section]) -> Group:
    parts: list[RenderableType] = []
    for sweep in sweeps(found):
        parts += [Text(title(sweep), "bold"), to_table(sweep), Text(sweep.sentence())]
    return Group(*parts, *([Text(NOTES, style="dim")] if parts else []))


def to_markdown(found: Sequence[Section]) -> str:
    """Empty if nothing was swept."""

    def write(console: Console, out: io.StringIO) -> None:
        for sweep in sweeps(found):
            out.write(f"### {title(sweep)}\n")
            console.print(to_table(sweep, as_markdown=True))
            out.write(f"\n{sweep.sentence()}\n\n{NOTES}\n\n")

    return markdown(write)
