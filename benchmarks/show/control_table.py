"""Controls at a glance: each model's honest score beside those of spoiled tasks."""

import io
from collections.abc import Iterable, Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchmarks.analysis.summary import Row, Section
from benchmarks.show.formats import ABSENT, markdown, new_table, provenance, spread_text
from tasks.base import METRICS, METRICS_OF

NOTES = (
    "✓: the control came out as it must, ✗: it did not. shuffled_labels: nothing is left to learn, "
    "so ROC AUC is 0.5 (R² not above 0). future_column: a planted column that knows how each row "
    "turns out, and no other, was caught by changing the future. duplicate_users: half of the rows "
    "twice and a random split, with no right or wrong: how good a leaky split looks."
)


def groups(found: Iterable[Section]) -> list[list[Section]]:
    """Sections of the same task, the honest one first if there is one; those with controls."""
    by_task: dict[str, list[Section]] = {}
    for section in found:
        by_task.setdefault(section.key, []).append(section)
    with_controls = [g for g in by_task.values() if any(s.control for s in g)]
    return [sorted(group, key=lambda s: s.control or "") for group in with_controls]


def to_table(group: Sequence[Section], as_markdown: bool = False) -> Table:
    names = [section.control or "honest" for section in group]
    table = new_table(["model"], names, as_markdown)
    labels = dict.fromkeys(row.label for section in group for row in section.rows)
    for label in labels:
        texts = []
        for section in group:
            row = next((row for row in section.rows if row.label == label), None)
            texts.append(ABSENT if row is None else cell(section, row))
        table.add_row(Text(label), *map(Text, texts))
    return table


def cell(section: Section, row: Row) -> str:
    """Score and mark; shuffled labels are judged by what has a chance level, ROC AUC or R²."""
    metrics = METRICS_OF[section.kind]
    shuffled = section.control == "shuffled_labels" and "roc_auc" in metrics
    score = row.score("roc_auc" if shuffled else metrics[0])
    if score is None:
        return row.first["status"]
    return spread_text(score) + {True: " ✓", False: " ✗", None: ""}[passed(row)]


def passed(row: Row) -> bool | None:
    """Over all seeds: False if one failed, True if all passed, None if there is nothing to pass."""
    found = [r["control"]["passed"] for r in row.done if r.get("control")]
    if False in found:
        return False
    return True if found and all(found) else None


def reasons(group: Iterable[Section]) -> list[str]:
    """What the controls that failed have found."""
    return [
        f"{row.label}, {section.control}: {record['control']['text']}"
        for section in group
        for row in section.rows
        for record in row.done
        if (record.get("control") or {}).get("passed") is False
    ]


def heading(group: Sequence[Section]) -> str:
    first, metric = group[0], METRICS[METRICS_OF[group[0].kind][0]].label
    return f"{first.label.removesuffix(f' control={first.control}')}: controls, {metric}"


def render(found: Iterable[Section]) -> Group:
    parts: list[RenderableType] = []
    for group in groups(found):
        parts += [Text(heading(group), style="bold"), to_table(group)]
        parts += [Text(f"✗ {text}", style="red") for text in reasons(group)]
    return Group(*parts, *([Text(NOTES, style="dim")] if parts else []))


def to_markdown(found: Iterable[Section]) -> str:
    def write(console: Console, out: io.StringIO) -> None:
        for group in groups(found):
            out.write(f"### {heading(group)}\n")
            console.print(to_table(group, as_markdown=True))
            out.write("".join(f"- {text}\n" for text in reasons(group)))
            out.write(f"\n{NOTES}\n\n{provenance(group[0])}\n\n")

    return markdown(write)
