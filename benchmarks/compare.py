"""Two runs side by side: what differs between them, and what that changed.

    python -m benchmarks.compare default wide

Works from records alone; knows no model and no task.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchmarks.formats import Column, fitting, new_table
from benchmarks.machine import fingerprint
from benchmarks.records import Record, open_run
from benchmarks.settings import BadInput
from benchmarks.summary import Row, Section, Spread, sections
from benchmarks.table import cost_columns, score_columns
from tasks.base import METRICS_OF

Pair = tuple[Row, Row]


def facts(records: Iterable[Record]) -> dict[str, set[str]]:
    """Everything that was set or given, as `key -> values found`, for all records of a run."""
    found: dict[str, set[str]] = {}

    def add(key: str, value: Any) -> None:
        if isinstance(value, Mapping):
            for name, inner in value.items():
                add(f"{key}.{name}", inner)
        else:
            found.setdefault(key, set()).add(str(value))

    for record in records:
        config = record["config"]
        add(record["task"], config["task"])
        add(record["model"], config["model"])
        add(f"code of {record['task']}", record["code"]["task"])
        add(f"code of {record['model']}", record["code"]["model"])
        for key in ("seed", "commit", "machine", "packages"):
            add(key, record[key])
        add("threads", config["threads"])
        add("limits", record["limits"])
    return found


def differences(a: Sequence[Record], b: Sequence[Record]) -> Iterator[tuple[str, str, str]]:
    """(key, values in A, values in B) for all that both runs have and that is not the same."""
    in_a, in_b = facts(a), facts(b)
    for key in in_a:
        if key in in_b and in_a[key] != in_b[key]:
            yield key, ", ".join(sorted(in_a[key])), ", ".join(sorted(in_b[key]))


def pairs(a: Section, b: Section) -> list[Pair]:
    """Rows that belong together: those with the same label, then, model by model, the plain one
    (or only one) of each run that is left."""
    partners = {row.label: row for row in b.rows}
    found = [(row, partners[row.label]) for row in a.rows if row.label in partners]
    met = {row.label for row, _ in found}
    for model in dict.fromkeys(row.first["model"] for row in a.rows):
        rest = [[r for r in side.rows if r.first["model"] == model and r.label not in met]
                for side in (a, b)]  # fmt: skip
        chosen = [plain_or_only(rows, model) for rows in rest]
        if chosen[0] and chosen[1]:
            found.append((chosen[0], chosen[1]))
    return found


def plain_or_only(rows: Sequence[Row], model: str) -> Row | None:
    plain = [row for row in rows if row.label == model]
    return plain[0] if plain else rows[0] if len(rows) == 1 else None


def on_common_seeds(pair: Pair) -> Pair:
    """Both rows with the seeds that both finished, so that like is compared with like."""
    seeds = set.intersection(*({r["seed"] for r in row.done} for row in pair))
    if not seeds:
        return pair
    a, b = (replace(row, records=[r for r in row.done if r["seed"] in seeds]) for row in pair)
    return a, b


def change(column: Column, a: Row, b: Row) -> str:
    """Scores: the difference. Costs: how many times as much."""
    before, after = (mean(column.value(row)) for row in (a, b))
    if before is None or after is None:
        return ""
    if column.heading in {c.heading for c in cost_columns()}:
        return f"×{after / before:.2f}" if before > 0 else ""
    if column.heading == "share":
        return f"{100 * (after - before):+.0f}"
    return f"{after - before:+.3f}".replace("+0.", "+.").replace("-0.", "-.")


def mean(value: Any) -> float | None:
    if isinstance(value, Spread):
        return value.mean
    return value if isinstance(value, int | float) else None


def compare_table(names: Sequence[str], found: Sequence[Pair], columns: list[Column]) -> Table:
    """Three lines per model: the one run, the other, the change."""
    table = new_table(["model", "run"], [column.heading for column in columns])
    for pair in found:
        a, b = on_common_seeds(pair)
        table.add_row(Text(a.label), names[0], *[Text(c.cell(a)) for c in columns])
        label = "" if b.label == a.label else b.label
        table.add_row(Text(label), names[1], *[Text(c.cell(b)) for c in columns])
        changes = [Text(change(c, a, b)) for c in columns]
        table.add_row("", "change", *changes, style="bold", end_section=True)
    return table


def render(names: Sequence[str], runs: Sequence[Sequence[Record]], width: int) -> RenderableType:
    parts: list[RenderableType] = []
    differing = list(differences(*runs))
    if differing:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for heading in ("what differs", *names):
            table.add_column(heading, overflow="fold")
        for line in differing:
            table.add_row(*map(Text, line))
        parts += [table, Text("")]
    else:
        parts.append(Text("Nothing that was recorded differs in what both have.\n"))
    tasks: list[dict[str, list[Section]]] = []
    for records in runs:
        by_name: dict[str, list[Section]] = {}
        for section in sections(records):
            by_name.setdefault(section.task, []).append(section)
        tasks.append(by_name)
    for task in tasks[0].keys() & tasks[1].keys():
        for a, b in section_pairs(tasks[0][task], tasks[1][task]):
            parts += compared(names, a, b, width)
    return Group(*parts)


def section_pairs(left: list[Section], right: list[Section]) -> list[tuple[Section, Section]]:
    """Sections of one task: those with the same settings, or else the only ones there are."""
    same = [(a, b) for a in left for b in right if settings_of(a) == settings_of(b)]
    if not same and len(left) == len(right) == 1:
        return [(left[0], right[0])]
    return same


def settings_of(section: Section) -> Any:
    return section.everything[0].first["config"]["task"]


def compared(names: Sequence[str], a: Section, b: Section, width: int) -> list[RenderableType]:
    found = pairs(a, b)
    paired = {id(row) for pair in found for row in pair}
    head = a.label
    if settings_of(a) != settings_of(b):
        head += f" against {b.label}: not the same rows"
    parts: list[RenderableType] = [Text(head, style="bold")]
    if found and METRICS_OF[a.kind] == METRICS_OF[b.kind]:
        scores, costs = score_columns(a), cost_columns()
        make = partial(compare_table, names, found)
        wide = fitting(make, [*scores, *costs], width)
        if len(wide) > 1:
            wide = [*fitting(make, scores, width), *fitting(make, costs, width)]
        parts += wide
    for name, section in zip(names, (a, b), strict=True):
        alone = [row.label for row in section.rows if id(row) not in paired]
        if alone:
            parts.append(Text(f"only in {name}: {', '.join(alone)}", style="dim"))
    if machines(a) != machines(b):
        parts.append(Text("The times come from different machines: do not compare them.", "red"))
    return parts


def machines(section: Section) -> set[tuple[Any, ...]]:
    return {fingerprint(r["machine"]) for row in section.everything for r in row.records}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("a", metavar="A", help="name of a run (or its folder)")
    parser.add_argument("b", metavar="B", help="name of another run")
    parser.add_argument("--results", type=Path, default=Path("results"), help="default: results")
    options = parser.parse_args(arguments)
    try:
        runs = [open_run(options.results, name) for name in (options.a, options.b)]
        records = [run.read() for run in runs]
        for run, found in zip(runs, records, strict=True):
            if not found:
                raise BadInput(f"The run {run.name} holds no records.")
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    console = Console()
    console.print(render([run.name for run in runs], records, console.width))
    return 0


if __name__ == "__main__":
    sys.exit(main())
