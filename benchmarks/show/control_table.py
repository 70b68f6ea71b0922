"""Controls at a glance: each model's honest score beside those of spoiled tasks."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean

from benchmarks.analysis.summary import Row, Section
from benchmarks.show.formats import ABSENT, provenance, spread_text
from benchmarks.show.parts import Entry, Head, Table, words

LEGEND = (
    "✓: the control came out as it must, ✗: it did not. shuffled_labels: nothing is left to learn, "
    "so ROC AUC is 0.5 (R² not above 0). future_column: a planted column that knows how each row "
    "turns out, and no other, was caught by changing the future. duplicate_users: half of the rows "
    "twice and a random split, with no right or wrong: how good a leaky split looks. "
    "kept_order: each row has its past to itself; shuffled_order: in an order by lot. What is lost "
    "from one to the other was order."
)
MARKS = {True: " ✓", False: " ✗", None: ""}


def control_groups(sections: Iterable[Section]) -> list[list[Section]]:
    """Sections of the same task, the honest one first if there is one; those with controls."""
    by_task: dict[str, list[Section]] = {}
    for section in sections:
        by_task.setdefault(section.key, []).append(section)
    with_controls = [g for g in by_task.values() if any(s.control for s in g)]
    return [sorted(group, key=lambda s: s.control or "") for group in with_controls]


def controls_table(group: Sequence[Section], name: str = "controls") -> Table:
    first = group[0]
    label = first.label.removesuffix(f" control={first.control}")
    lines = []
    for model in dict.fromkeys(row.label for section in group for row in section.rows):
        rows = [next((r for r in section.rows if r.label == model), None) for section in group]
        pairs = zip(group, rows, strict=True)
        lines.append([*words(model), *(control_entry(section, row) for section, row in pairs)])
    heads = [Head("model", is_number=False)]
    heads += [Head(section.control or "honest", block="controls") for section in group]
    return Table(
        name,
        f"{label}: controls, {first.main.label}",
        heads,
        lines,
        [*(f"✗ {text}" for text in failed_controls(group)), *worth_of_order(group)],
        legend=LEGEND,
        source=provenance(first),
    )


def control_entry(section: Section, row: Row | None) -> Entry:
    """Score and mark; shuffled labels are judged by what has a chance level, ROC AUC or R²."""
    if row is None:
        return Entry(ABSENT)
    names = [metric.name for metric in section.metrics]
    shuffled = section.control == "shuffled_labels" and "roc_auc" in names
    score = row.score("roc_auc" if shuffled else names[0])
    if score is None:
        return Entry(row.first["status"])
    return Entry(spread_text(score) + MARKS[has_passed(row)], score.mean)


def has_passed(row: Row) -> bool | None:
    """Over all seeds: False if one failed, True if all passed, None if there is nothing to pass."""
    passed = [r["control"]["passed"] for r in row.done if r.get("control")]
    if False in passed:
        return False
    return True if passed and all(passed) else None


def failed_controls(group: Iterable[Section]) -> list[str]:
    """What the controls that failed have found."""
    return [
        f"{row.label}, {section.control}: {record['control']['text']}"
        for section in group
        for row in section.rows
        for record in row.done
        if (record.get("control") or {}).get("passed") is False
    ]


def worth_of_order(group: Sequence[Section]) -> Iterator[str]:
    """What each model's score loses with the order of events, mean of the seeds that have both
    scores, and how much of its lead over the floor that is."""

    def scores(section: Section) -> Iterator[tuple[tuple[str, int], float, float]]:
        for row in section.rows:
            for record in row.done:
                score, floor = (record[of].get(section.main.name) for of in ("scores", "floor"))
                if score is not None and floor is not None:
                    yield (row.label, record["seed"]), score, floor

    kept, shuffled = (
        {
            cell: both
            for section in group
            if section.control == control
            for cell, *both in scores(section)
        }
        for control in ("kept_order", "shuffled_order")
    )
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for cell in kept.keys() & shuffled.keys():
        score, floor = kept[cell]
        found[cell[0]].append((score - shuffled[cell][0], score - floor))
    sign = group[0].main.sign
    for label in sorted(found):
        lost, lead = (sign * fmean(values) for values in zip(*found[label], strict=True))
        share = f", {lost / lead:.0%} of its lead over the floor" if 0 <= lost < lead else ""
        yield f"{label}: the order of events was worth {lost:.3f} of {group[0].main.label}{share}"
