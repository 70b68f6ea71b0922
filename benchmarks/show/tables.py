"""The tables of a report beside the results: failures, checks, and how it was measured."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.analysis.summary import Section, tuned
from benchmarks.records.codes import NAMES
from benchmarks.records.records import Record
from benchmarks.show.formats import ABSENT
from benchmarks.show.parts import Part, Table, word_heads, words

MOST_ROWS = 200  # of a table on the page; all of them are in table.csv


def failures_table(sections: Sequence[Section], unreadable: Sequence[str]) -> Part | None:
    heads = word_heads("model", "task", "seed", "ended", "reason")
    lines = [
        words(row.label, section.label, str(r["seed"]), r["status"], str(r["reason"]))
        for section in sections
        for row in section.everything
        for r in row.records
        if r["status"] != "done"
    ]
    if not lines and not unreadable:
        return "Every cell of this run came to its end."
    more = (
        f"{len(lines) - MOST_ROWS:,} more are in records.parquet." if len(lines) > MOST_ROWS else ""
    )
    notes = [text for text in (*unreadable[:MOST_ROWS], more) if text]
    return Table("failures", "Cells without a score", heads, lines[:MOST_ROWS], notes)


def checks_table(sections: Sequence[Section]) -> Part | None:
    """One line per check and model, with the first of the texts."""
    heads = word_heads("check", "what", "model", "where", "found")
    fired: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    for section in sections:
        for row in section.everything:
            for code, text in row.checks().items():
                key = code, NAMES.get(code, code), row.label
                fired.setdefault(key, []).append((section.label, text))
        for label, reason in section.distrust.items():
            fired.setdefault(("control", "do not trust", label), []).append((section.label, reason))
    if not fired:
        return "Nothing suspicious was found: docs/checks.md lists what was looked for."
    lines = []
    for key, places in sorted(fired.items()):
        label, text = places[0]
        where = label if len(places) == 1 else f"{label} and {len(places) - 1} more"
        lines.append(words(*key, where, text))
    title = "What makes a number suspicious (docs/checks.md)"
    return Table("checks", title, heads, lines[:MOST_ROWS])


def measurement(sections: Sequence[Section]) -> list[Part | None]:
    records = [r for s in sections for row in s.everything for r in row.records]
    if not records:
        return []

    def values(of: Callable[[Record], Any]) -> str:
        return ", ".join(sorted({str(of(r)) for r in records})) or ABSENT

    def machine(record: Record) -> str:
        m = record["machine"]
        return (
            f"{m['processor']}, {m['cores']} cores, {m['memory_gb']:.0f} GB, "
            f"{m.get('system', '')}, Python {m['python']}"
        )

    versions = sorted({f"{k} {v}" for r in records for k, v in r["packages"].items()})
    days = sorted({r["started"][:16].replace("T", " ") for r in records})
    facts = [
        ("machine", values(machine)),
        ("when (UTC)", days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"),
        ("commit", values(lambda r: r.get("commit"))),
        ("cells", f"{len(records):,}"),
        ("seeds", values(lambda r: r["seed"])),
        ("threads", values(lambda r: r["config"].get("threads"))),
        ("limit", values(lambda r: f"{told_limits(r['limits'])} a cell")),
        ("packages", ", ".join(versions)),
    ]
    clock = (
        "Every cell ran in a process of its own, on the same rows and the same split as all other "
        "models of its seed. Warm-up, scoring and checks are outside the clock; docs/measuring.md "
        "says what is inside, results/README.md what a record holds."
    )
    heads = word_heads("what", "is")
    return [
        clock,
        Table("measured", "Where and when", heads, [words(*fact) for fact in facts]),
    ]


def told_limits(limits: Mapping[str, Any]) -> str:
    """What a cell might take, as far as that was limited."""
    memory = limits.get("memory")
    told = {
        "seconds": "{:g} s",
        "memory": "{:.0%} of the memory" if memory is not None and memory <= 1 else "{:,.0f} MB",
        "tokens": "{:,} tokens",
        "money": "{:g} of money",
    }
    known = [(text, limits.get(name)) for name, text in told.items()]
    return ", ".join(text.format(most) for text, most in known if most is not None)


def settings_table(sections: Sequence[Section]) -> Part | None:
    """The resolved settings of every task and model, once each."""
    heads = word_heads("part", "settings")
    lines: dict[tuple[str, str], None] = {}
    for section in sections:
        for row in section.everything:
            for part, label in (("task", section.label), ("model", row.label)):
                lines.setdefault((f"{part} {label}", settings_text(row.first["config"][part])))
            if tuned(row.first):
                for r in row.done:
                    name = f"chosen for {row.label}, seed {r['seed']}"
                    lines.setdefault((name, settings_text(r["tuning"]["chosen"])))
    if not lines:
        return None
    rows = [words(*line) for line in lines][:MOST_ROWS]
    return Table("settings", "The settings behind every row", heads, rows)


def settings_text(settings: Mapping[str, Any]) -> str:
    """The class, and the settings as one would type them."""
    pairs = [
        f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in settings.items() if k != "_target_"
    ]
    return " ".join([str(settings.get("_target_", "")), *pairs]).strip() or "no setting"
