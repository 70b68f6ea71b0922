"""The index of a folder of pages: all runs there are, the newest first, and what became of the best
score of each task from run to run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import altair as alt

from benchmarks.analysis.advice import advise
from benchmarks.analysis.summary import Section, broadest
from benchmarks.commands import typed
from benchmarks.show.answer import recommendation
from benchmarks.show.parts import Chapter, Entry, Head, Part, Picture, Table, words
from benchmarks.show.pictures import Data, over

MOST_TASKS = 6  # whose history is drawn
MOST_RUNS = 1_000


@dataclass(frozen=True)
class Page:
    """A run that has a page."""

    name: str
    file: str
    sections: Sequence[Section]
    last: datetime
    """When its last cell began."""

    @property
    def honest(self) -> list[Section]:
        return broadest([section for section in self.sections if not section.control])

    def cells(self) -> int:
        return sum(len(row.records) for section in self.sections for row in section.everything)


def index(pages: Sequence[Page]) -> list[Chapter]:
    """pages: the newest first."""
    tasks = dict.fromkeys(section.task for page in pages for section in page.honest)
    cells = sum(page.cells() for page in pages)
    newest = pages[0]
    lead = (
        f"{len(pages)} runs of {len(tasks)} tasks, {cells:,} cells; the newest is {newest.name}, "
        f"of {newest.last:%Y-%m-%d}."
    )
    chapters = [Chapter("", [lead], lead=True), Chapter("The runs", [runs(pages)])]
    drawn = histories(pages)
    if drawn:
        chapters.append(Chapter("From run to run", drawn))
    return chapters


def runs(pages: Sequence[Page]) -> Table:
    heads = [
        Head("run", is_number=False),
        Head("last", is_number=False),
        Head("cells"),
        Head("tasks", is_number=False),
        Head("what it came to", is_number=False),
    ]
    rows = [
        [
            Entry(page.name, page.name, link=page.file),
            *words(f"{page.last:%Y-%m-%d %H:%M}"),
            Entry(f"{page.cells():,}", page.cells()),
            *words(tasks_of(page), came_to(page)),
        ]
        for page in pages[:MOST_RUNS]
    ]
    return Table("runs", "Each has a page", heads, rows)


def tasks_of(page: Page) -> str:
    names = list(dict.fromkeys(section.label for section in page.honest))
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def came_to(page: Page) -> str:
    """The recommendation on its first task."""
    found = [made for section in page.honest if (made := advise(section))]
    return recommendation(found[0]) if found else "No cell has come to a score."


def histories(pages: Sequence[Page]) -> list[Part]:
    """A picture for each task that several runs have: the best score of each."""
    by_task: dict[tuple[str, str], list[tuple[Page, Section]]] = {}
    for page in pages:
        for section in page.honest:
            if advise(section) is not None:
                by_task.setdefault((section.label, section.metric), []).append((page, section))
    several = [(task, found) for (task, _), found in by_task.items() if len(found) > 1]
    return [
        history(task, found, f"history-{k}")
        for k, (task, found) in enumerate(several[:MOST_TASKS], 1)
    ]


def history(task: str, found: Sequence[tuple[Page, Section]], name: str) -> Picture:
    data: Data = []
    for page, section in sorted(found, key=lambda item: item[0].last):
        advice = advise(section)
        assert advice
        score = advice.best.score(section.metric)
        assert score
        line = {"run": page.name, "when": page.last.isoformat(), "best": advice.best.label}
        data.append({**line, "score": score.mean})
    main = found[0][1].main
    x = alt.X("when:T", title="when its last cell began")
    y = alt.Y("score:Q", title=main.label, scale=alt.Scale(zero=False, padding=14))
    tips = ["run:N", "best:N", alt.Tooltip("score:Q", format=".4f"), "when:T"]
    base = alt.Chart()
    chart = over(
        base.mark_line(style="faint", opacity=0.6).encode(x, y),
        base.mark_point(filled=True, size=80, opacity=1, color="#3b82c4").encode(
            x, y, tooltip=tips
        ),
        base.mark_text(dy=-12, fontSize=11, style="ink").encode(x, y, text="run:N"),
        name=name,
        height=240,
    )
    low, high = (extreme(data, key=lambda d: main.sign * d["score"]) for extreme in (min, max))
    caption = (
        f"The best score of each run: {high['score']:.3f} in {high['run']}, {low['score']:.3f} in "
        f"{low['run']}. Runs differ in settings, rows, seeds and machines; "
        f"`{typed('compare')}` says what a difference is made of."
    )
    title = f"{task}: {high['run']} has the best so far, {high['score']:.3f} ({high['best']})"
    return Picture(name, title, caption, chart, data)
