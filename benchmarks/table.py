"""Result tables: records in, rows out; printed, as Markdown, as CSV. Works from records alone."""

import csv
import io
import json
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchmarks.records import Record
from tasks.base import METRICS, METRICS_OF

ABSENT = "–"


@dataclass(frozen=True)
class Spread:
    """A value over seeds: mean, and the sample standard deviation if there are two or more."""

    mean: float
    deviation: float | None

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread | None":
        if not values:
            return None
        return cls(statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None)


@dataclass(frozen=True)
class Row:
    """One model with one config on one task: its records over seeds, summed up."""

    label: str
    records: Sequence[Record] = field(repr=False)

    @property
    def done(self) -> list[Record]:
        return [r for r in self.records if r["status"] == "done"]

    @property
    def first(self) -> Record:
        return (self.done or list(self.records))[0]

    def score(self, metric: str) -> Spread | None:
        return self._spread(lambda r: r["scores"].get(metric))

    def share(self) -> Spread | None:
        """How far the main metric is on the way from the floor (0) to the ceiling (1)."""

        def share(record: Record) -> float | None:
            if record["ceiling"] is None:
                return None
            metric = record["metric"]
            low, high = record["floor"][metric], record["ceiling"][metric]
            return (record["scores"][metric] - low) / (high - low) if high != low else None

        return self._spread(share)

    def median(self, value: Callable[[Record], float | None]) -> float | None:
        """The median over seeds: one disturbed clock does not move it."""
        found = [v for v in map(value, self.done) if v is not None]
        return statistics.median(found) if found else None

    def ending(self) -> str:
        """Empty if every seed is done; else how the others ended, with the first reason."""
        others = [r for r in self.records if r["status"] != "done"]
        if not others:
            return ""
        statuses = ", ".join(dict.fromkeys(r["status"] for r in others))
        return f"{statuses} ({len(others)} of {len(self.records)}): {others[0]['reason']}"

    def _spread(self, value: Callable[[Record], float | None]) -> Spread | None:
        return Spread.of([v for v in map(value, self.done) if v is not None])


@dataclass(frozen=True)
class Section:
    """The rows of one task with one config: everything in it is comparable."""

    task: str
    label: str
    rows: Sequence[Row]

    @property
    def kind(self) -> str:
        return next((r["kind"] for row in self.rows for r in row.done), "binary")

    def reference(self, name: str, metric: str) -> Spread | None:
        """`ceiling` or `floor` over the seeds; each seed counts once."""
        by_seed = {r["seed"]: r[name] for row in self.rows for r in row.done if r[name]}
        return Spread.of([v[metric] for v in by_seed.values() if v[metric] is not None])


def sections(records: Iterable[Record]) -> list[Section]:
    """Group records into sections (task and its config) and rows (model and its config)."""
    by_task: dict[str, dict[str, list[Record]]] = {}
    for record in records:
        task_key = json.dumps([record["task"], record["config"]["task"]], sort_keys=True)
        row_key = json.dumps([record["model"], record["config"]], sort_keys=True)
        by_task.setdefault(task_key, {}).setdefault(row_key, []).append(record)
    found = []
    for group in by_task.values():
        names = [model_label(records[0]) for records in group.values()]
        rows = [
            Row(name if names.count(name) == 1 else _full_label(name, records[0]), records)
            for name, records in zip(names, group.values(), strict=True)
        ]
        first = rows[0].records[0]
        found.append(Section(first["task"], _changes(first, "task"), _ordered(rows)))
    return found


def model_label(record: Record) -> str:
    changes = _changes(record, "model")
    return f"{record['model']} {changes}".strip()


def _full_label(name: str, record: Record) -> str:
    config = record["config"]
    device = f" device={config['device']}" if config["device"] else ""
    return f"{name} threads={config['threads']}{device}"


def _changes(record: Record, part: str) -> str:
    return " ".join(f"{k}={v}" for k, v in record["changed"].get(part, {}).items())


def _ordered(rows: Iterable[Row]) -> list[Row]:
    """Best first by the task's main metric; rows without a score last."""

    def key(row: Row) -> tuple[bool, float]:
        if not row.done:
            return True, 0.0
        metric = row.first["metric"]
        score = row.score(metric)
        sign = -1 if METRICS[metric].higher_is_better else 1
        return (score is None, sign * score.mean if score else 0.0)

    return sorted(rows, key=key)


@dataclass(frozen=True)
class Column:
    """One column of a table: what it shows of a row, and how that is written."""

    heading: str
    value: Callable[[Row], Any]
    text: Callable[[Any], str]

    def cell(self, row: Row) -> str:
        value = self.value(row)
        return ABSENT if value is None else self.text(value)


def origin_columns() -> list[Column]:
    return [
        Column("era", lambda row: row.first["era"], str),
        Column("year", lambda row: row.first["year"], str),
    ]


def metric_column(metric: str) -> Column:
    return Column(METRICS[metric].label, lambda row: row.score(metric), spread_text)


def score_columns(kind: str) -> list[Column]:
    """What an approach gives."""
    share = Column("share", lambda row: row.share(), percent)
    return [*map(metric_column, METRICS_OF[kind]), share]


def cost_columns() -> list[Column]:
    """What an approach asks for."""

    def scaled(value: Callable[[Record], float], factor: float) -> Callable[[Row], float | None]:
        return lambda row: row.median(lambda record: factor * value(record))

    return [
        Column("view s", lambda row: row.median(lambda r: phase(r, "view")), seconds),
        Column("fit s", lambda row: row.median(lambda r: phase(r, "fit")), seconds),
        Column("µs/row", scaled(row_latency, 1e6), number),
        Column("1 row ms", scaled(single_latency, 1e3), number),
        Column("+MB", scaled(memory_growth, 2**-20), number),
        Column("size", size, str),
    ]


COLUMN_NOTES = (
    "±: standard deviation over seeds. share: how much of the way from floor to ceiling the "
    "first metric has come. view, fit: median seconds. µs/row: predicting all test rows at once, "
    "warm. 1 row ms: one call with one row, warm. +MB: growth of memory in fit and predict. "
    "size: learned numbers (of trees: nodes), or bytes."
)


def phase(record: Record, name: str) -> float:
    wall: float = record["phases"][name]["wall"]
    return wall


def row_latency(record: Record) -> float:
    """Seconds per row when all test rows are predicted in one call."""
    n_test: int = record["rows"]["test"]
    median: float = record["latency"][str(n_test)]["median"]
    return median / n_test


def single_latency(record: Record) -> float:
    median: float = record["latency"]["1"]["median"]
    return median


def memory_growth(record: Record) -> float:
    """Bytes: the larger growth of fit and predict over the state before each."""
    growth: float = max(record["phases"][p]["memory_growth"] for p in ("fit", "predict"))
    return growth


def spread_text(spread: Spread) -> str:
    digits = 3 if abs(spread.mean) < 10 else 1
    text = f"{spread.mean:.{digits}f}"
    if spread.deviation is None:
        return text
    return f"{text} ±{spread.deviation:.{digits}f}".replace("±0.", "±.")


def percent(spread: Spread) -> str:
    return f"{100 * spread.mean:.0f} %"


def seconds(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def number(value: float) -> str:
    """Two significant digits, and never an exponent."""
    rounded = float(f"{value:.2g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 10 or rounded == 0 else f"{rounded:g}"


def size(row: Row) -> str | None:
    """Learned numbers where the model counts them, else bytes as pickled."""
    parameters = row.median(lambda r: r["parameters"])
    if parameters is not None:
        return compact(parameters)
    pickled = row.median(lambda r: r["size_bytes"])
    return None if pickled is None else compact(pickled) + "B"


def compact(value: float) -> str:
    for factor, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:.3g}{unit}"
    return f"{value:.0f}"


def title(section: Section) -> str:
    """Task, what differs from its defaults, seeds and rows."""
    seeds = {r["seed"] for row in section.rows for r in row.records}
    text = f"{section.task} {section.label}".strip()
    text += f": {len(seeds)} seed{'s' if len(seeds) != 1 else ''}"
    done = [r for row in section.rows for r in row.done]
    if done:
        rows = done[0]["rows"]
        text += f", {rows['train']:,} train and {rows['test']:,} test rows"
        text += f", threads {', '.join(sorted({str(r['config']['threads']) for r in done}))}"
    return text


def new_table(columns: Sequence[Column], markdown: bool = False) -> Table:
    table = Table(
        box=box.MARKDOWN if markdown else box.SIMPLE_HEAD,
        pad_edge=markdown,
        padding=(0, 1) if markdown else (0, 1, 0, 0),
    )
    table.add_column("model", no_wrap=True)
    for column in columns:
        justify: Any = "left" if column.heading == "era" else "right"
        table.add_column(column.heading, justify=justify, no_wrap=True)
    return table


def to_table(section: Section, columns: Sequence[Column], markdown: bool = False) -> Table:
    """Models best first; above them the ceiling and below the floor where there are scores."""
    table = new_table(columns, markdown)
    metrics = {METRICS[m].label: m for m in METRICS_OF[section.kind]}

    def reference_row(name: str) -> None:
        known = {c.heading: section.reference(name, metrics[c.heading])
                 for c in columns if c.heading in metrics}  # fmt: skip
        if any(known.values()):
            texts = [spread_text(s) if (s := known.get(c.heading)) else "" for c in columns]
            table.add_row(Text(name), *map(Text, texts), style="dim")

    reference_row("ceiling")
    for row in section.rows:
        table.add_row(Text(row.label), *[Text(column.cell(row)) for column in columns])
    reference_row("floor")
    return table


def endings(section: Section) -> list[str]:
    return [f"{row.label}: {row.ending()}" for row in section.rows if row.ending()]


def render(found: Iterable[Section], width: int) -> RenderableType:
    """Tables for a terminal of `width` columns: one wide one, or scores above costs."""
    parts: list[RenderableType] = []
    for section in found:
        scores, costs = [*origin_columns(), *score_columns(section.kind)], cost_columns()
        parts.append(Text(title(section), style="bold"))
        wide = to_table(section, [*scores, *costs])
        fits = Console(width=1000).measure(wide).maximum <= width
        parts += [wide] if fits else [to_table(section, scores), to_table(section, costs)]
        parts += [Text(f"✗ {text}", style="red") for text in endings(section)]
    parts.append(Text(COLUMN_NOTES, style="dim"))
    return Group(*parts)


def to_markdown(found: Iterable[Section]) -> str:
    """All sections as Markdown, with a line on the machine under each."""
    out = io.StringIO()
    console = Console(file=out, width=1000, color_system=None, markup=False)
    for section in found:
        out.write(f"### {title(section)}\n")
        columns = [*origin_columns(), *score_columns(section.kind), *cost_columns()]
        console.print(to_table(section, columns, markdown=True))
        for text in endings(section):
            out.write(f"- {text}\n")
        out.write(f"\n{COLUMN_NOTES}\n\n{provenance(section)}\n\n")
    lines = [line.rstrip() for line in out.getvalue().strip().splitlines()]
    return "\n".join(lines) + "\n"


def provenance(section: Section) -> str:
    """Where and when: one sentence, the same facts that stand in each record."""
    records = [r for row in section.rows for r in row.records]
    machines = {
        f"{m['processor']}, {m['cores']} cores, {m['memory_gb']:.0f} GB, Python {m['python']}"
        for m in (r["machine"] for r in records)
    }
    days = sorted({r["started"][:10] for r in records})
    return f"{'; '.join(sorted(machines))}; {' to '.join(dict.fromkeys((days[0], days[-1])))}."


def to_csv(found: Iterable[Section]) -> str:
    """One line per row with unrounded numbers, for a spreadsheet or a data frame."""
    lines: list[dict[str, Any]] = []
    for section in found:
        for row in section.rows:
            lines.append(csv_line(section, row))
    names = list(dict.fromkeys(name for line in lines for name in line))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue()


def csv_line(section: Section, row: Row) -> dict[str, Any]:
    first, share = row.first, row.share()
    line: dict[str, Any] = {
        "task": section.task,
        "task_settings": section.label,
        "model": first["model"],
        "model_settings": _changes(first, "model"),
        "era": first["era"],
        "year": first["year"],
        "seeds": len(row.records),
        "seeds_done": len(row.done),
        "ending": row.ending(),
    }
    for metric in METRICS_OF[section.kind]:
        score = row.score(metric)
        line[metric] = score and score.mean
        line[f"{metric}_deviation"] = score and score.deviation
    return line | {
        "share_of_ceiling": share and share.mean,
        "view_seconds": row.median(lambda r: phase(r, "view")),
        "fit_seconds": row.median(lambda r: phase(r, "fit")),
        "predict_seconds_per_row": row.median(row_latency),
        "single_row_seconds": row.median(single_latency),
        "memory_growth_bytes": row.median(memory_growth),
        "parameters": row.median(lambda r: r["parameters"]),
        "size_bytes": row.median(lambda r: r["size_bytes"]),
        "threads": first["config"]["threads"],
        "device": first["config"]["device"],
    }


def write_tables(folder: Path, records: Iterable[Record]) -> None:
    """Write table.md and table.csv of a run."""
    found = sections(records)
    (folder / "table.md").write_text(to_markdown(found), encoding="utf-8")
    (folder / "table.csv").write_text(to_csv(found), encoding="utf-8")
