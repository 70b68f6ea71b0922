"""The matrix of models by tasks, and the dial of views: as tables."""

from benchmarks.analysis.dial import Dial
from benchmarks.analysis.matrix import Matrix, Square
from benchmarks.show.formats import ABSENT, brief, percent
from benchmarks.show.parts import Entry, Head, Table, words

LEGEND = (
    "rank: those that the verdicts leave open. share: how much of the way from floor to ceiling "
    "the task's first metric has come, where a ceiling is known; else the metric. s: load, view, "
    "search, fit and predict, the median over seeds. Where there is no score "
    "stands why, or the view that the model reads."
)


def rank_text(square: Square) -> str:
    low, high = square.rank or (0, 0)
    return f"{low}" if low == high else f"{low}–{high}"


def share_text(square: Square) -> str:
    """How far it has come, or its score where nobody knows the ceiling."""
    assert square.row
    share = square.row.share()
    if share is not None:
        return percent(share)
    score = square.row.score(square.section.metric)
    return "" if score is None else f"{score.mean:.3f}"


def square_value(square: Square) -> float | None:
    if square.row is None or not square.has_score:
        return None
    share = square.row.share()
    score = square.row.score(square.section.metric)
    return share.value if share is not None else score.mean if score else None


def square_text(square: Square) -> str:
    if not square.has_score:
        return f"{ABSENT} {square.why[0].removeprefix('reads ')}"
    times = square.seconds
    clock = f", {brief(times.median)} s" if times else ""
    return f"{rank_text(square)}: {share_text(square)}{clock}"


def matrix_table(made: Matrix, name: str = "home-grounds") -> Table:
    heads = [Head("model", is_number=False)]
    heads += [Head(section.label, block=section.label) for section in made.sections]
    rows = [
        [*words(model), *(Entry(square_text(s), square_value(s)) for s in squares)]
        for model, squares in zip(made.models, made.squares, strict=True)
    ]
    return Table(
        name,
        "Every era on every home ground: rank, share of what can be reached, seconds",
        heads,
        rows,
        made.sentences(),
        legend=LEGEND,
    )


def dial_table(made: Dial, name: str) -> Table:
    heads = [Head("model", is_number=False), *(Head(view, block=view) for view in made.views)]
    rows = []
    for model in made.rows:
        found = [made.score(model, view) for view in made.views]
        texts = [ABSENT if score is None else f"{score:.3f}" for score in found]
        entries = [Entry(t, s) for t, s in zip(texts, found, strict=True)]
        rows.append([*words(model), *entries])
    return Table(
        name,
        f"{made.section.label}: {made.section.main.label} by model and view",
        heads,
        rows,
        [made.sentence()],
    )
