"""The card of a model that was taken away: what it is, what it learned from, how good it was, and
where it should not be trusted. Made from records; every figure says where it was measured."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.analysis.intervals import Known
from benchmarks.analysis.summary import Row, Section
from benchmarks.commands import typed
from benchmarks.records.codes import NAMES
from benchmarks.records.records import Record
from benchmarks.show.formats import ABSENT, provenance
from benchmarks.show.markdown import document
from benchmarks.show.parts import Chapter, Entry, Head, Table

KEEPS_ROWS = (
    "Some kinds of model keep rows that they learned from: kernel machines, nearest neighbours, "
    "networks that read a table with its labels. Treat the folder as you treat the data."
)
TRUST = (
    "Checksums tell damage and change; they do not tell who made a folder. Nothing in it is a "
    "pickle, and the kit runs no code that lies in it, but a forged tree or network could still "
    "crash the process that reads it: take folders from whom you would take data."
)


def card(
    section: Section,
    row: Row,
    record: Record,
    scores: Sequence[Known],
    facts: Mapping[str, Any],
) -> str:
    """Markdown. record: that of the row whose seed the fit had. facts: what taken.json says."""
    chapters = [
        Chapter("", [*what_it_is(section, row, facts)]),
        Chapter("How good it was", [score_table(section, scores), *how_measured(section, row)]),
        Chapter("What it learned from", [*data(record, facts)]),
        Chapter("Limits", [*limits(section, row, facts)]),
        Chapter("How to use it", [*use(facts)]),
        Chapter("Versions", [*versions(record, facts)]),
    ]
    return document(f"{facts['label']} for {section.label}", chapters)


def what_it_is(section: Section, row: Row, facts: Mapping[str, Any]) -> Iterator[str]:
    first = row.first
    target = f" Its kind of problem is {facts['kind']}."
    classes = facts["classes"]
    asked = f" Classes: {', '.join(classes[:20])}{', …' * (len(classes) > 20)}." if classes else ""
    yield (
        f"{facts['label']} ({first['era']}, {first['year']}) was chosen in the run {facts['run']} "
        f"and fitted once more on {told_rows(facts)} of {section.label}, with the seed "
        f"{facts['seed']}, on {facts['made'][:10]}.{target}{asked}"
    )
    settings = {k: v for k, v in facts["config"]["model"].items() if k != "_target_"}
    yield f"Settings: {json.dumps(settings, ensure_ascii=False)}"
    if facts["notes"]:
        yield f"What the fit says of itself: {json.dumps(facts['notes'], ensure_ascii=False)}"
    if facts["tuned"]:
        yield (
            f"The settings were searched for ({facts['tuned']}), on the train rows of this seed; "
            "other seeds may have found others."
        )


def told_rows(facts: Mapping[str, Any]) -> str:
    if facts["rows_of"] == "all":
        return f"all {facts['rows']:,} rows"
    return f"the {facts['rows']:,} train rows"


def score_table(section: Section, scores: Sequence[Known]) -> Table:
    rows = []
    for known in scores:
        floor = section.reference("floor", known.metric.name)
        ceiling = section.reference("ceiling", known.metric.name)
        interval = ABSENT
        if known.low is not None and known.high is not None:
            interval = f"{known.low:.3f} to {known.high:.3f}"
        texts = [
            known.metric.label,
            f"{known.mean:.3f}",
            interval,
            ABSENT if floor is None else f"{floor.mean:.3f}",
            ABSENT if ceiling is None else f"{ceiling.mean:.3f}",
            "higher" if known.metric.higher_is_better else "lower",
        ]
        rows.append([Entry(text) for text in texts])
    heads = [
        Head(text, is_number=k > 0)
        for k, text in enumerate(("metric", "mean", "95 %", "floor", "ceiling", "better is"))
    ]
    return Table("scores", "On rows that it had not seen", heads, rows)


def how_measured(section: Section, row: Row) -> Iterator[str]:
    done = row.done
    seeds = ", ".join(str(record["seed"]) for record in done)
    tested = done[0]["rows"]["test"]
    yield (
        f"Means over {len(done)} seed{'s' * (len(done) != 1)} ({seeds}), each fitted on its train "
        f"rows ({done[0]['rows']['train']:,}) and asked for {tested:,} test rows. What lies here "
        "was fitted once more: nobody has measured it, and with more rows it should be as good or "
        "a little better."
    )
    yield (
        "The interval covers the luck of the test rows and, of several seeds, that of splits and "
        "fits; not that the model was picked as the best of several, which flatters it "
        f"({typed('confirm')} tells by how much), nor that the world changes."
    )
    yield provenance(section)


def data(record: Record, facts: Mapping[str, Any]) -> Iterator[str]:
    task = {k: v for k, v in record["config"]["task"].items() if k != "_target_" and v is not None}
    yield f"Task {record['task']}: {json.dumps(task, ensure_ascii=False)}"
    if known := record["code"].get("data"):
        yield f"Checksum of the data: {known}"
    names = facts["reads"]
    if names:
        shown = ", ".join(names[:60]) + (f" and {len(names) - 60:,} more" if names[60:] else "")
        yield f"New rows need these columns, in any order: {shown}"
    for notice in record.get("notices", ()):
        yield f"! {notice}"


def limits(section: Section, row: Row, facts: Mapping[str, Any]) -> Iterator[str]:
    checks = row.checks()
    for code, text in checks.items():
        yield f"! {code} {NAMES[code]}: {text}"
    if not checks:
        yield "No check fired in any of its cells (docs/checks.md says what is looked at)."
    if row.ending():
        yield f"✗ {row.ending()}"
    if reason := section.distrust.get(row.label):
        yield f"✗ do not trust: {reason}"
    if facts["warnings"]:
        yield f"! warnings while it was fitted: {', '.join(facts['warnings'])}"
    yield (
        "It knows the world of its rows: columns whose meaning changes, new kinds of customers and "
        "other times are not in its scores. A value of a category that it has never seen counts as "
        "a rare one, or as missing."
    )
    yield KEEPS_ROWS
    yield TRUST


def use(facts: Mapping[str, Any]) -> Iterator[str]:
    yield f"With the kit: {typed('predict')} FOLDER new.csv --out scored.parquet"
    if isinstance(facts["alone"], str):
        yield f"There is no score.py, which would do without the kit: {facts['alone']}."
    else:
        yield (
            "Without it: pip install -r requirements.txt, then python score.py new.csv scored.csv. "
            "The files beside score.py are the model's own code and what puts its parts together."
        )


def versions(record: Record, facts: Mapping[str, Any]) -> Iterator[str]:
    packages = ", ".join(f"{name} {version}" for name, version in facts["packages"].items())
    yield f"Fitted with Python {facts['python']} and {packages}."
    yield f"Commit of the kit: {facts['commit'] or 'unknown'}; measured at {record['commit']}."
