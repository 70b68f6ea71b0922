"""Records summed up: rows (a model with one config, over its seeds) in sections (a task)."""

import json
import statistics
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import combinations
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from benchmarks.analysis.ratios import Ratio, Ways, ratio
from benchmarks.records.machine import fingerprint
from benchmarks.records.records import Record
from benchmarks.records.subset import restricted, whole_of
from tasks.metrics import OF_KIND, STANDARD, Facts

if TYPE_CHECKING:
    from benchmarks.analysis.standing import Standing
    from benchmarks.analysis.verdicts import Verdict


WORK_PHASES = ("load", "view", "tune", "fit", "predict")
STATED = frozenset(("fit_seconds", "predict_seconds", "price"))
"""Settings that say what predictions took which were made elsewhere."""


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
class Span:
    """A time over seeds, from the least to the most; of one seed's calls over these."""

    least: float
    median: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Span | None":
        return cls(min(values), statistics.median(values), max(values)) if values else None


@dataclass(frozen=True)
class Row:
    """One model with one config on one task: its records over seeds, summed up."""

    label: str
    records: Sequence[Record] = field(repr=False)
    seeds: frozenset[int] | None = None
    """Those that its scores are means over (see `ordered`); None for all that are done."""
    is_ranked: bool = True
    """Has it all the seeds that the rows of its section are ordered by?"""

    @property
    def done(self) -> list[Record]:
        return [r for r in self.records if r["status"] == "done"]

    @property
    def first(self) -> Record:
        return (self.done or list(self.records))[0]

    def score(self, metric: str) -> Spread | None:
        return self._spread(lambda r: r["scores"].get(metric))

    def share(self) -> Ratio | None:
        """How far the main metric is on the way from the floor (0) to the ceiling (1)."""
        return ratio([ways for r in self.done if (ways := _ways(r, r["ceiling"], r)) is not None])

    def median(self, value: Callable[[Record], float | None]) -> float | None:
        """The median over seeds: one disturbed clock does not move it."""
        found = [v for v in map(value, self.done) if v is not None]
        return statistics.median(found) if found else None

    @property
    def timed(self) -> list[Record]:
        """Those that are done whose clock nothing disturbed; all that are done if there is none."""
        return [r for r in self.done if not was_disturbed(r)] or self.done

    def seconds(self, value: Callable[[Record], float | None]) -> Span | None:
        """A time over the seeds that are `timed`."""
        return Span.of([v for v in map(value, self.timed) if v is not None])

    def calls(self, size: int) -> list[Record]:
        """Those of `timed` in which calls of so many rows were timed in one and the same way: the
        one with most calls, of those that the row has."""
        timed = [r for r in self.timed if not r.get("stated")]
        found = [r for r in timed if size in r["timing"]["batches"]]
        most = max(map(way_of_timing, found), default=None)
        return [r for r in found if way_of_timing(r) == most]

    def call_seconds(self, size: int, part: str | None = None) -> Span | None:
        """Of a call with so many rows, over seeds its median; of a single seed over its calls.
        part: `inputs` or `model`, of models that tell them apart."""
        found = [r["latency"][str(size)] for r in self.calls(size) if str(size) in r["latency"]]
        times = [of if part is None else of.get(part) for of in found]
        known = [of for of in times if of is not None]
        if len(known) < len(times) or not known:
            return None
        if len(known) == 1:
            (one,) = known
            ends = (one["min"], one["max"]) if "max" in one else (one["p50"], one["p50"])
            return Span(ends[0], one["p50"], ends[1])
        return Span.of([of["p50"] for of in known])

    def notes(self) -> str:
        """What the model says of itself in words (engine, solver, device), over all seeds."""
        found: dict[str, dict[str, None]] = {}
        for record in self.done:
            for key, value in record["notes"].items():
                if isinstance(value, str):
                    found.setdefault(key, {})[value] = None
        return " ".join(f"{key}={'/'.join(values)}" for key, values in found.items())

    def checks(self) -> dict[str, str]:
        """Code -> text of the checks that fired in any seed, the first text of each."""
        found: dict[str, str] = {}
        for record in self.records:
            for check in record.get("checks", ()):
                found.setdefault(check["code"], check["text"])
        return dict(sorted(found.items()))

    @property
    def compared(self) -> list[Record]:
        """Those that are done on the seeds that its scores are means over."""
        return [r for r in self.done if self.seeds is None or r["seed"] in self.seeds]

    def was_not_asked(self) -> bool:
        """Does the model give other kinds of answers than the task asks for?"""
        return all(record.get("unasked") for record in self.records)

    def ending(self) -> str:
        """Empty if every seed is done; else how the others ended, with the first reason."""
        others = [r for r in self.records if r["status"] != "done"]
        if not others:
            return ""
        statuses = ", ".join(dict.fromkeys(r["status"] for r in others))
        return f"{statuses} ({len(others)} of {len(self.records)}): {others[0]['reason']}"

    def _spread(self, value: Callable[[Record], float | None]) -> Spread | None:
        return Spread.of([v for v in map(value, self.compared) if v is not None])


@dataclass(frozen=True)
class Section:
    """The rows of one task with one config: everything in it is comparable."""

    task: str
    label: str
    rows: Sequence[Row]
    bounds: Sequence[Row] = ()
    """What no model is compared with but all are held against, such as an ideal observer."""
    verdicts: Sequence["Verdict"] = ()
    """On each pair of rows, where they were asked for (see verdicts.judge)."""
    strange_clocks: Mapping[str, str] = field(default_factory=dict)
    """Row label -> why its times do not compare with the others' of the section."""
    distrust: Mapping[str, str] = field(default_factory=dict)
    """Row label -> the control that failed for it."""
    unasked: Mapping[str, str] = field(default_factory=dict)
    """Models that are no rows of the section, as they give another kind of answers than the task
    asks for: label -> that in a sentence."""
    standings: Mapping[str, "Standing"] = field(default_factory=dict)
    """Row label -> what is known of its rank, where there are verdicts."""
    part: str = ""
    """Where rows were scored on a subset of the test rows: how many of how many."""
    elsewhere: Sequence[str] = ()
    """Labels of rows that were asked for a subset alone, and stand in a section of their own."""

    @property
    def control(self) -> str | None:
        """How the task is spoiled in all cells of the section (see benchmarks.cell.controls)."""
        control: str | None = self.everything[0].first["config"].get("control")
        return control

    @property
    def key(self) -> str:
        """The same for the sections of one task with one config, whatever their control."""
        first = self.everything[0].first
        code = first["code"]
        task = [self.task, first["config"]["task"], code["task"], code.get("data"), self.part]
        return json.dumps(task, sort_keys=True)

    @property
    def kind(self) -> str:
        return next((r["kind"] for row in self.everything for r in row.done), "binary")

    @property
    def metrics(self) -> list[Facts]:
        """Those that the task is judged by, the main one first, as its records tell."""
        for row in self.everything:
            for record in row.done:
                return [Facts(**facts) for facts in record["metrics"]]
        return [STANDARD[name].facts() for name in OF_KIND["binary"]]  # nothing has a score

    @property
    def main(self) -> Facts:
        """The one that its rows are ordered by."""
        return self.metrics[0]

    @property
    def metric(self) -> str:
        """The name of the main one."""
        return self.main.name

    @property
    def everything(self) -> list[Row]:
        return [*self.bounds, *self.rows]

    def seeds(self, row: Row) -> tuple[int, int]:
        """(seeds on which a row has a score, those on which any row has one)"""
        every = {seed for one in self.rows for seed in scored(one)}
        return len(scored(row)), len(every)

    @property
    def notices(self) -> list[str]:
        """What the task says of how its rows were read and split; with the seeds that it is true
        of, where it is not of all."""
        seeds: dict[str, set[int]] = {}
        done = [record for row in self.everything for record in row.done]
        for record in done:
            for text in record.get("notices", ()):
                seeds.setdefault(text, set()).add(record["seed"])
        every = {record["seed"] for record in done}
        told = [
            text if its == every else f"{text} (seed {', '.join(map(str, sorted(its)))})"
            for text, its in seeds.items()
        ]
        if self.elsewhere:
            names = ", ".join(self.elsewhere)
            told.append(f"asked for some of the test rows alone, see the next table: {names}")
        return told

    def seconds(self, row: Row, value: Callable[[Record], float | None]) -> float | None:
        """A time that a sentence, a front or a cost may be made of: the median over seeds. None
        where the row's clocks are not like the others' or were disturbed."""
        if row.label in self.strange_clocks:
            return None
        span = row.seconds(value)
        return None if span is None else span.median

    def unlike_calls(self, sizes: Collection[int]) -> dict[str, str]:
        """Row label -> why its calls with so many rows do not belong in one column with the
        others': they were timed in another way than those of most rows."""
        ways: dict[str, tuple[int, float]] = {}
        for row in self.everything:
            if found := [way_of_timing(r) for size in sizes for r in row.calls(size)]:
                ways[row.label] = max(found)
        if len(set(ways.values())) < 2:
            return {}
        counts = Counter(ways.values())
        usual = max(counts, key=lambda way: (counts[way], way))
        return {
            label: f"calls timed in another way, at most {way[0]:,} within {way[1]:g} s"
            for label, way in ways.items()
            if way != usual
        }

    def known(self, row: Row) -> Ratio | None:
        """How much of what can be known at all a row knows: how far its main metric is on the way
        from the floor (0) to the bound (1). None without a bound on the same seeds."""
        bounds = {r["seed"]: r for bound in reversed(self.bounds) for r in bound.done}
        found = [
            _ways(r, bounds[r["seed"]]["scores"], bounds[r["seed"]])
            for r in row.compared
            if r["seed"] in bounds
        ]
        return ratio([ways for ways in found if ways is not None])

    def reference(self, name: str, metric: str) -> Spread | None:
        """`ceiling` or `floor` over the seeds that rows are ordered by; each seed counts once."""
        seeds = self.rows[0].seeds if self.rows else None
        by_seed = {
            r["seed"]: r[name]
            for row in self.everything
            for r in row.done
            if r[name] and (seeds is None or r["seed"] in seeds)
        }
        return Spread.of([v[metric] for v in by_seed.values() if v.get(metric) is not None])


def _ways(record: Record, best: Mapping[str, float | None] | None, by: Record) -> Ways | None:
    """From the floor to a record's score, and to the best one there is (`best`, which the record
    `by` tells); None where one of them is missing."""
    metric = record["metric"]
    found = [of.get(metric) for of in (record["scores"], best or {}, record["floor"])]
    score, high, low = found
    if score is None or high is None or low is None:
        return None
    mine, its = (r.get("lifts", {}).get(metric) for r in (record, by))
    rows = None
    if mine and its and best is record["ceiling"]:
        if mine.get("ceiling") is not None:
            rows = mine["score"], mine["both"], mine["ceiling"]
    elif mine and its:  # of another cell: what both vary by together is known of itself alone
        rows = mine["score"], mine["score"] if by is record else 0.0, its["score"]
    return Ways(score - low, high - low, rows, bool(record.get("same_rows")))


def sections(records: Iterable[Record]) -> list[Section]:
    """Group records into sections (a task's config) and rows (a model's config).

    Records made by other code stand apart even if their configs are alike.
    """
    records = list(records)
    beside = _side_by_side(records)
    by_task: dict[str, dict[str, list[Record]]] = {}
    for record in records:
        config, code = record["config"], record["code"]
        task = [
            record["task"],
            config["task"],
            code["task"],
            code.get("data"),
            config.get("control"),
        ]
        task_key = json.dumps(task, sort_keys=True)
        row_key = json.dumps([record["model"], config, code], sort_keys=True)
        by_task.setdefault(task_key, {}).setdefault(row_key, []).append(record)
    groups = list(by_task.values())
    firsts = [next(iter(group.values()))[0] for group in groups]
    labels = distinct(
        [task_label(first) for first in firsts],
        [version(first) for first in firsts],
    )
    found = []
    for first, label, group in zip(firsts, labels, groups, strict=True):
        rows = ordered(_rows(agreed(group.values())))
        clocks = _strange_clocks(rows, beside)
        bounds = [row for row in rows if row.first.get("bound")]
        rows = [row for row in rows if not row.first.get("bound")]
        unasked = {row.label: row.first["reason"] for row in rows if row.was_not_asked()}
        if len(unasked) < len(rows):
            rows = [row for row in rows if row.label not in unasked]
        else:  # there is nothing else to show
            unasked = {}
        made = Section(first["task"], label, rows, bounds, (), clocks, {}, unasked)
        found += parts(made)
    return _distrusting(found)


def parts(section: Section) -> list[Section]:
    """The section; where models were asked for a subset of the test rows alone, without these, and
    beside it a second one in which all rows are scored on this subset."""
    asked = {row.label: in_part for row in section.rows if (in_part := _in_part(row))}
    if not asked:
        return [section]
    (count, of), *_ = asked.values()
    part = f"{count:,} of {of:,} test rows"
    second = replace(
        section,
        label=f"{section.label} on {part}",
        rows=ordered(_on_part(section.rows, count)),
        bounds=_on_part(section.bounds, count),
        unasked={},
        part=part,
    )
    full = [row for row in section.rows if row.label not in asked]
    first = replace(section, rows=full, elsewhere=sorted(asked))
    return [first, second] if full else [second]


def broadest(found: Iterable[Section]) -> list[Section]:
    """Of sections that differ in their test rows alone the one that has all models."""
    best: dict[str, Section] = {}
    for section in found:
        best[json.dumps([replace(section, part="").key, section.control])] = section
    return list(best.values())


def _in_part(row: Row) -> tuple[int, int] | None:
    """(test rows that it was asked for, of how many), where it was not asked for all."""
    rows = (r["rows"] for r in row.done if r["rows"].get("of"))
    return next(((r["test"], r["of"]) for r in rows), None)


def _on_part(rows: Sequence[Row], count: int) -> list[Row]:
    """Those that have scores on a subset of so many test rows, with these, and those that have none
    at all, with their reasons."""
    found = []
    for row in rows:
        if not row.done:
            found.append(row)
            continue
        on_part = [r if r["rows"].get("of") else restricted(r) for r in row.done]
        records = [r for r in on_part if r is not None and r["rows"]["test"] == count]
        if records:
            found.append(replace(row, records=records))
    return found


def _distrusting(found: Sequence[Section]) -> list[Section]:
    """Sections whose rows know of the controls that failed for the same model on the same task."""

    def model(row: Row) -> str:
        config = {k: v for k, v in row.first["config"].items() if k not in ("control", "tune")}
        return json.dumps([row.first["model"], config, row.first["code"]], sort_keys=True)

    failed: dict[tuple[str, str], str] = {}
    for section in found:
        for row in section.rows:
            for record in row.done:
                control = record.get("control") or {}
                if control.get("passed") is False:
                    failed[section.key, model(row)] = f"{control['name']}: {control['text']}"
    if not failed:
        return list(found)
    return [
        replace(
            section,
            distrust={
                row.label: failed[section.key, model(row)]
                for row in section.rows
                if (section.key, model(row)) in failed
            },
        )
        for section in found
    ]


def agreed(groups: Iterable[list[Record]]) -> list[list[Record]]:
    """Records of one task with the same metrics in the same order: those that most of them have."""
    groups = list(groups)
    ways = Counter(json.dumps(r["metrics"]) for group in groups for r in group if "metrics" in r)
    if len(ways) < 2:
        return groups
    usual = json.loads(ways.most_common(1)[0][0])
    change = {"metrics": usual, "metric": usual[0]["name"]}
    return [[{**r, **change} if "metrics" in r else r for r in group] for group in groups]


def _rows(groups: Iterable[list[Record]]) -> list[Row]:
    groups = list(groups)
    labels = [model_label(records[0]) for records in groups]
    paths = [f"path={r['config']['model'].get('path')}" for r, *_ in groups]
    labels = distinct(labels, paths)
    for detail in ("threads", "device", "engine", "code"):
        details = [
            f"{detail}={r['code']['model'] if detail == 'code' else r['config'].get(detail)}"
            for r, *_ in groups
        ]
        labels = distinct(labels, details)
    return [Row(label, records) for label, records in zip(labels, groups, strict=True)]


def _strange_clocks(rows: Sequence[Row], beside: Collection[int]) -> dict[str, str]:
    """Rows with cells of another machine than most, or that ran side by side (`beside`: ids), or
    of which every one was disturbed; and those whose seconds no clock has told."""
    machines = Counter(fingerprint(r["machine"]) for row in rows for r in row.done)
    usual = max(machines, key=lambda m: machines[m], default=None)
    found = {}
    for row in rows:
        others = {fingerprint(r["machine"]) for r in row.done} - {usual}
        reasons = [f"timed on another machine ({', '.join(map(str, other))})" for other in others]
        if any(id(r) in beside for r in row.done):
            reasons.append("ran side by side with another cell")
        if row.done and all(map(was_disturbed, row.done)):
            reasons.append("the clock was disturbed in every seed")
        reasons += sorted({told_stated(r["stated"]) for r in row.done if r.get("stated")})
        if reasons:
            found[row.label] = "; ".join(sorted(reasons))
    return found


def _side_by_side(records: Iterable[Record]) -> set[int]:
    """ids of the records whose cells ran while another one of them did, on the same machine."""
    by_host: dict[str, list[tuple[datetime, datetime, int]]] = {}
    for r in records:
        if r["seconds"] is not None:
            begin = datetime.fromisoformat(r["started"])
            end = begin + timedelta(seconds=r["seconds"])
            by_host.setdefault(str(r["machine"].get("host")), []).append((begin, end, id(r)))
    found = set()
    for cells in by_host.values():
        last = None  # the one that ends last of those that have begun
        for begin, end, which in sorted(cells):
            if last is not None and begin < last[0]:
                found |= {which, last[1]}
            if last is None or end > last[0]:
                last = end, which
    return found


def distinct(labels: Sequence[str], details: Sequence[str]) -> list[str]:
    """Labels that stand more than once get their detail, if that tells them apart."""
    told: dict[str, set[str]] = {}
    for label, detail in zip(labels, details, strict=True):
        told.setdefault(label, set()).add(detail)
    return [
        f"{label} {detail}" if len(told[label]) > 1 else label
        for label, detail in zip(labels, details, strict=True)
    ]


def version(record: Record) -> str:
    """Which code of a task this is, and which state of the files that it reads."""
    code = record["code"]
    return f"code={code['task']}" + (f" data={code['data']}" if "data" in code else "")


def task_label(record: Record) -> str:
    """The task's name, the settings that differ from its defaults, and its control. One that reads
    a file is called by that, as in `churn.csv → churned`: where it lies, the settings say."""
    changed = dict(record["changed"].get("task", {}))
    name = record["task"]
    if path := changed.pop("path", None):
        file = PurePath(str(path).rstrip("/\\")).name or str(path)
        target = changed.pop("target", None)
        name = f"{file} → {target}" if target else f"{name} {file}"
    control = record["config"].get("control")
    parts = (name, settings_text(changed), f"control={control}" if control else "")
    return " ".join(filter(None, parts))


def model_label(record: Record) -> str:
    """The model's name, the settings that differ from its defaults, and whether it was tuned."""
    return " ".join(filter(None, (record["model"], changes(record, "model"), tuned(record))))


def tuned(record: Record) -> str:
    budget = record["config"].get("tune", {}).get("budget")
    if budget is None:
        return ""
    return f"tuned ×{budget['trials']}" if "trials" in budget else f"tuned {budget['seconds']:g} s"


def changes(record: Record, part: str) -> str:
    """Settings that differ from the defaults; of another class only its name, of a file that a
    model reads the same, and nothing of what is stated and not set."""
    changed = dict(record["changed"].get(part, {}))
    if part == "model":
        changed = {k: v for k, v in changed.items() if k not in STATED}
        if "path" in changed:
            changed["path"] = PurePath(changed["path"]).name
    return settings_text(changed)


def settings_text(changed: Mapping[str, Any]) -> str:
    return " ".join(
        str(v).rpartition(".")[2] if k == "_target_" else f"{k}={v}" for k, v in changed.items()
    )


def ordered(rows: Iterable[Row], usable: Mapping[str, frozenset[int]] | None = None) -> list[Row]:
    """Best first by the mean of the task's main metric over the seeds that they have in common;
    below them those that lack one of these, then those without a score.

    usable: label -> seeds that count, where not all that have a score do.
    """
    rows = list(rows)
    seeds = {row.label: scored(row) & (usable or {}).get(row.label, scored(row)) for row in rows}
    common = common_seeds([its for its in seeds.values() if its])
    placed = []
    for row in rows:
        own = seeds[row.label]
        at = (own & common) or own or None
        placed.append(replace(row, seeds=at, is_ranked=not own or own >= common))

    def key(row: Row) -> tuple[bool, bool, float]:
        if row.seeds is None:
            return True, True, 0.0
        main = Facts(**row.first["metrics"][0])
        score = row.score(main.name)
        return False, not row.is_ranked, -main.sign * score.mean if score else 0.0

    return sorted(placed, key=key)


def scored(row: Row) -> frozenset[int]:
    """Seeds on which it has the task's main metric."""
    if not row.done:
        return frozenset()
    main = row.first["metrics"][0]["name"]
    return frozenset(r["seed"] for r in row.done if r["scores"].get(main) is not None)


def common_seeds(sets: Sequence[frozenset[int]]) -> frozenset[int]:
    """The seeds that most cells can be compared on: many, which many rows have, and at least two
    rows if any two share some."""
    distinct = sorted(set(sets), key=sorted)
    candidates = {a & b for a, b in combinations(distinct, 2)} | set(distinct)

    def worth(seeds: frozenset[int]) -> tuple[bool, int, int, list[int]]:
        rows = sum(its >= seeds for its in sets)
        return rows > 1, rows * len(seeds), len(seeds), sorted(-seed for seed in seeds)

    return max(filter(None, candidates), key=worth, default=frozenset())


def phase(record: Record, name: str) -> float | None:
    """Wall seconds of a phase; None if the cell had none of that name. Of predictions made
    elsewhere what is stated, if anything is."""
    if (stated := record.get("stated")) is not None:
        return stated.get(f"{name}_seconds")
    return record["phases"].get(name, {}).get("wall")


def total_seconds(record: Record) -> float:
    """Load, view, search, fit and predict."""
    return sum(phase(record, name) or 0.0 for name in WORK_PHASES)


def told_stated(stated: Mapping[str, object]) -> str:
    """What somebody says their predictions took."""
    said = [
        f"{words} {stated[name]:,g}{unit}"
        for name, words, unit in (
            ("fit_seconds", "learning", " s"),
            ("predict_seconds", "predicting all test rows", " s"),
            ("price", "price", ""),
        )
        if stated.get(name) is not None
    ]
    by = f" by {stated['by']}" if stated.get("by") else ""
    return f"made elsewhere{by}; as stated, not measured: {', '.join(said) or 'nothing'}"


def was_disturbed(record: Record) -> bool:
    """Did something else have the processor (check ME08)?"""
    return any(check["code"] == "ME08" for check in record.get("checks", ()))


def way_of_timing(record: Record) -> tuple[int, float]:
    """How many single calls were timed at most, and within how many seconds."""
    return record["timing"]["calls"], record["timing"]["seconds"]


def row_latency(record: Record) -> float | None:
    """Seconds per row when all test rows are predicted in one call: that of the phase `predict`,
    whatever other calls were timed."""
    n_test: int = whole_of(record)["rows"]["test"]
    seconds = phase(record, "predict")
    if not record.get("stated") and n_test not in record.get("timing", {}).get("batches", ()):
        seconds = record["latency"].get(str(n_test), {}).get("p50", seconds)
    return None if seconds is None else seconds / n_test


def single_latency(record: Record) -> float | None:
    """Seconds of a call with one row; None if no such calls were timed."""
    one = None if record.get("stated") else record["latency"].get("1")
    return one and float(one["p50"])
