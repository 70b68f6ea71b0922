"""A section seen by another metric than its task's main one, from what was recorded."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from benchmarks.analysis.outcomes import Load, is_finite
from benchmarks.analysis.summary import Row, Section, ordered
from benchmarks.errors import BadInput
from benchmarks.records.records import Record
from tasks.metrics import BESIDE, OF_KIND, Facts, applies, named


def ranked_by(section: Section, name: str, load: Load) -> Section:
    """The section with this metric as the main one: rows in its order, ceiling and floor in it.

    Scores that no record has are computed from raw outcomes (load; None if these are gone).
    Raises BadInput for a metric that the task does not have.
    """
    if section.metric == name:
        return section
    facts = facts_of(section, name)

    def seen(row: Row) -> Row:
        return replace(row, records=[by_metric(r, facts, load) for r in row.records])

    return replace(
        section, rows=ordered(map(seen, section.rows)), bounds=ordered(map(seen, section.bounds))
    )


def facts_of(section: Section, name: str) -> Facts:
    """Raises BadInput."""
    for facts in section.metrics:
        if facts.name == name:
            return facts
    known = named(name)
    if known is not None and applies(name, section.kind):
        return known.facts()
    names = [facts.name for facts in section.metrics]
    names += [n for n in (*OF_KIND[section.kind], *BESIDE[section.kind]) if n not in names]
    raise BadInput(f"{section.task} has no metric {name}; it has: {', '.join(names)}.")


def by_metric(record: Record, facts: Facts, load: Load) -> Record:
    """The record with this metric first."""
    if record["status"] != "done":
        return record
    others = [m for m in record["metrics"] if m["name"] != facts.name]
    made = {**record, "metric": facts.name, "metrics": [asdict(facts), *others]}
    if facts.name not in record["scores"]:
        made |= computed(record, facts.name, load(record))
    return made


def computed(
    record: Record, name: str, outcomes: Mapping[str, Any] | None
) -> dict[str, dict[str, float | None] | None]:
    """`scores`, `ceiling` and `floor` of a record with this metric in them; null where nothing
    tells: the floor of a metric that depends on the train rows' base rate, above all."""
    metric = named(name)
    found: dict[str, float | None] = {"scores": None, "ceiling": None, "floor": None}
    if metric is not None and outcomes is not None and is_finite(outcomes["predictions"]):
        predictions, labels = outcomes["predictions"], outcomes["labels"]
        found["scores"] = metric.of(predictions, labels)
        if "truth" in outcomes:
            found["ceiling"] = metric.of(outcomes["truth"], labels)
        if name in ("average_precision", "recall_at_10") and not isinstance(predictions, list):
            found["floor"] = metric.of(np.full_like(predictions, 0.5), labels)  # whatever the rate
    return {
        part: None if record[part] is None else {**record[part], name: value}
        for part, value in found.items()
    }
