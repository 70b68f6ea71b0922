"""A comparison as chapters: what a terminal, Markdown and a page show of it."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from benchmarks.analysis.changes import Change
from benchmarks.analysis.comparison import Block, Comparison, Line, clocks
from benchmarks.analysis.factors import Factor, factor
from benchmarks.analysis.summary import (
    Row,
    phase,
    row_latency,
    single_latency,
)
from benchmarks.analysis.verdicts import signed
from benchmarks.records.records import Record, memory_growth
from benchmarks.show.formats import ABSENT
from benchmarks.show.parts import (
    Chapter,
    Entry,
    Head,
    Part,
    Picture,
    Table,
    word_heads,
    words,
)
from tasks.metrics import Facts

LEGEND = (
    "change: of the mean over the seeds compared. interval: for it, over seeds and test rows, with "
    "95 % after correction for all changes of that metric (Holm); it decides. verdict: identical, "
    "as every prediction is the same; equal in practice, as the interval lies within what does not "
    "matter; better or worse, as it excludes zero; or nobody can tell; on this seed: there is one, "
    "and another may turn out otherwise. rows: same, both predicted the same test rows and "
    "are compared row by row; other, they did not, which leaves much more to chance; unknown, the "
    "raw outcomes are gone."
)
HELP = {
    "change": "Of the mean over the seeds compared",
    "interval": "For the change, over seeds and test rows; corrected for all changes: it decides",
    "verdict": "Identical, better, worse, equal in practice, or nobody can tell",
    "rows": "Did both predict the same test rows, so that they are compared row by row?",
}
MOST_SENTENCES = 3  # that a comparison begins with
HEADINGS = ("what", "model", *HELP)  # of columns beside those of the runs


def recorded_size(record: Record) -> float | None:
    """Learned numbers where the model counts them, else bytes as pickled."""
    parameters: float | None = record["parameters"]
    return record["size_bytes"] if parameters is None else parameters


def of_phase(name: str) -> Callable[[Record], float | None]:
    return lambda record: phase(record, name)


COSTS: dict[str, tuple[Callable[[Record], float | None], str]] = {
    "view": (of_phase("view"), "Time to make the features"),
    "warm": (of_phase("warm_up"), "Time of first calls on made-up rows"),
    "tune": (of_phase("tune"), "Time of the search"),
    "fit": (of_phase("fit"), "Time to learn"),
    "all rows": (row_latency, "Time per row to predict all test rows at once"),
    "1 row": (single_latency, "Time of a call with one row"),
    "memory": (memory_growth, "Growth of memory in fit and predict"),
    "size": (recorded_size, "Learned numbers, or bytes"),
}
UNTIMED = ("memory", "size")


def comparison_chapters(comparison: Comparison, pictures: bool = False) -> list[Chapter]:
    """What differs, then task by task what that changed; with pictures where somebody sees them."""
    made = [
        Chapter("", first_words(comparison, pictures), lead=True),
        Chapter("What differs", [differing(comparison), *comparison.remarks]),
    ]
    number = 0
    for label, group in groupby(comparison.blocks, key=lambda b: b.before.label):
        parts: list[Part] = []
        for block in group:
            number += 1
            parts += block_parts(block, f"changes-{number}", pictures and number > 1)
        made.append(Chapter(label, parts))
    if comparison.blocks:
        made.append(Chapter("How to read this", [LEGEND]))
    return [chapter for chapter in made if chapter.parts]


def first_words(comparison: Comparison, pictures: bool) -> list[Part]:
    """What became of the models, in a sentence for each run and task, and the first of these drawn:
    what a page begins with."""
    found: list[Part] = []
    shown = [block for block in comparison.blocks if block.lines][:MOST_SENTENCES]
    for k, block in enumerate(shown):
        metric = block.metrics[0]
        changed = [
            (line.label, line.changes[metric]) for line in block.lines if metric in line.changes
        ]
        if not changed and not lost(block):
            continue
        found.append(became(block, changed))
        if pictures and k == 0 and any(change.word != "identical" for _, change in changed):
            base, later = block.names
            label = metric_in(block, metric).label
            found.append(changes_picture("changes", label, f"{later} against {base}", changed))
    return found


def lost(block: Block) -> list[str]:
    """What was done before and is not now: models without a score, and those with fewer seeds."""
    found = []
    for line in block.lines:
        before, after = line.pair.before, line.pair.after
        if before.done and (ended := after.ending()):
            how = ended.partition(":")[0].replace(" (", ", ")
            found.append(f"{line.label} ({how}")
    return found


def became(block: Block, changed: Sequence[tuple[str, Change]]) -> str:
    """What is no longer done, what changed beyond noise, by how much; how many others did not."""
    base, later = block.names
    metric = metric_in(block, block.metrics[0]).label
    by_word: dict[str, list[tuple[str, Change]]] = {}
    for label, change in changed:
        by_word.setdefault(change.word, []).append((label, change))
    gone = lost(block)
    said = [f"not done in {later}: {', '.join(gone)}"] if gone else []
    said += [
        f"{'better' if word == 'better' else 'worse'}: "
        + ", ".join(f"{label} ({signed(change.difference)})" for label, change in by_word[word])
        for word in ("better", "worse")
        if word in by_word
    ]
    others = {"equal in practice": "", "identical": "", "can't tell": "undecided"}
    said += [f"{len(by_word[w])} {told or w}" for w, told in others.items() if w in by_word]
    where = " and ".join(dict.fromkeys((block.before.label, block.after.label)))
    names = [line.label for line in block.lines]
    what = f"{len(names)} models" if len(names) > 1 else names[0]
    return f"{later} against {base}, {metric} of {what} on {where}: {'; '.join(said)}."


def differing(comparison: Comparison) -> Part:
    if not comparison.differences:
        return "Nothing that was recorded differs in what the runs have in common."
    heads = word_heads("what", *comparison.names)
    rows = [words(key, *values) for key, values in comparison.differences]
    return Table("differences", "Settings, code, data, packages, machine", heads, rows)


def block_parts(block: Block, name: str, pictures: bool) -> Iterator[Part]:
    base, later = block.names
    if block.after.label != block.before.label:
        yield f"{block.before.label} in {base} against {block.after.label} in {later}."
    for metric in block.metrics:
        if any(metric in line.changes for line in block.lines):
            yield metric_changes(block, metric, name)
    main = block.metrics[0]
    main_label = metric_in(block, main).label
    drawn = [(line.label, line.changes[main]) for line in block.lines if main in line.changes]
    if pictures and drawn:
        yield changes_picture(name, main_label, f"{later} against {base}", drawn)
    yield from cost_changes(block, name)
    for run, labels in block.alone():
        yield f"Only in {run}: {', '.join(labels)}."
    yield from warnings(block)


def metric_changes(block: Block, metric: str, name: str) -> Table:
    """One line per model."""
    base, later = block.names
    heads = [
        Head("model", is_number=False),
        Head(base),
        Head(later),
        *(Head(text, HELP[text], text in ("change", "interval")) for text in HELP),
    ]
    rows = [[*words(line.label), *change_entries(line.changes.get(metric))] for line in block.lines]
    notes = open_ends(block) if metric == block.metrics[0] else []
    changes = [line.changes[metric] for line in block.lines if metric in line.changes]
    facts = metric_in(block, metric)
    less = "" if facts.higher_is_better else " (less is better)"
    title = f"{facts.label}{less}, {later} against {base}: {footing(changes)}"
    return Table(f"{name}-{metric}", title, heads, rows, notes, beside=True)


def metric_in(block: Block, name: str) -> Facts:
    """What is to be known of a metric of a block, of which one side may have no score at all."""
    known = (*block.before.metrics, *block.after.metrics)
    return next(metric for metric in known if metric.name == name)


def footing(changes: Sequence[Change]) -> str:
    """Seeds and what does not matter, in a few words."""
    counts = {" and ".join(map(str, dict.fromkeys(change.ground.seeds))) for change in changes}
    seeds = "1 seed" if counts == {"1"} else f"{' or '.join(sorted(counts))} seeds"
    bands = sorted({change.band for change in changes})
    ends = " to ".join(dict.fromkeys(f"±{band:.2g}" for band in (bands[0], bands[-1])))
    return f"{seeds}; {ends} does not matter"


def change_entries(change: Change | None) -> list[Entry]:
    """before, after, change, interval, verdict, rows"""
    if change is None:
        return [Entry(ABSENT)] * 6
    interval = change.interval
    text = ABSENT if interval is None else " to ".join(map(signed, interval))
    if change.word == "identical":
        text = ""
    return [
        Entry(f"{change.before:.4f}", change.before),
        Entry(f"{change.after:.4f}", change.after),
        Entry("0" if change.word == "identical" else signed(change.difference), change.difference),
        Entry(text, text or None),
        *words(change.said, change.ground.rows),
    ]


def open_ends(block: Block) -> list[str]:
    """Why a comparison is not on all seeds or all rows, and what it would take to tell."""
    main = block.metrics[0]
    by_reason: dict[str, list[str]] = {}
    questions = []
    for line in block.lines:
        if change := line.changes.get(main):
            if change.ground.why:
                by_reason.setdefault(change.ground.why, []).append(line.label)
            if change.advice:
                questions.append(f"? {line.label}: can't tell{change.advice}.")
    return [f"{', '.join(labels)}: {why}" for why, labels in by_reason.items()] + questions


def cost_changes(block: Block, name: str) -> Iterator[Part]:
    """Times, memory and size of the later run as multiples of those of the first."""
    base, later = block.names
    both_done = [line for line in block.lines if line.pair.before.done and line.pair.after.done]
    timed = [line for line in both_done if line.same_machine()]
    if left_out := [line.label for line in both_done if not line.same_machine()]:
        yield (
            f"Times, memory and size are left out, as {base} and {later} ran on different "
            f"machines: {', '.join(left_out)}."
        )
    factors = {line.label: cost_factors(line) for line in timed}
    names = [cost for cost in COSTS if any(of[cost] is not None for of in factors.values())]
    if not names:
        return
    stars = {line.label: clocks(block, line) for line in timed}
    rows = [
        [
            *words(label),
            *(
                factor_entry(
                    of[cost], cost not in UNTIMED, bool(stars[label]) and cost not in UNTIMED
                )
                for cost in names
            ),
        ]
        for label, of in factors.items()
    ]
    heads = [Head("model", is_number=False), *(Head(cost, COSTS[cost][1]) for cost in names)]
    notes = [f"* {label}: {'; '.join(reasons)}" for label, reasons in stars.items() if reasons]
    shown = "".join(entry.text for row in rows for entry in row[1:])
    notes += [
        text
        for mark, text in (
            ("≈", "≈ within noise: in some seed less than a tenth more or less, or once either."),
            ("?", "× … ? one seed alone: how much of it is noise, nobody can tell."),
        )
        if mark in shown
    ]
    title = f"Times, memory, size: {later} in multiples of {base}"
    yield Table(f"{name}-costs", title, heads, rows, notes, beside=True)


def cost_factors(line: Line) -> dict[str, Factor | None]:
    """Cost -> how many times as much; None where there is nothing to divide."""
    pair = line.pair.on_common_seeds()
    factors = {cost: factor(pair, value) for cost, (value, _) in COSTS.items()}
    if counts_itself(pair.before) != counts_itself(pair.after):
        factors["size"] = None
    return factors


def counts_itself(row: Row) -> bool:
    return row.median(lambda r: r["parameters"]) is not None


def factor_entry(found: Factor | None, timed: bool, starred: bool) -> Entry:
    """The range over seeds, ≈ where it is noise; of a single seed's time the one factor, with ?."""
    if found is None:
        return Entry(ABSENT)
    low, high = (times(end).removeprefix("0") for end in (found.least, found.most))
    if found.seeds == 1 and timed:
        text = f"{'≈' if found.is_noise else '×'}{times(found.value)}?"
    elif low == high:
        text = f"{'≈' if timed and found.is_noise else '×'}{times(found.value)}"
    else:
        text = f"{'≈' if found.is_noise else '×'}{low}–{high}"
    return Entry(f"{text}*" if starred else text, found.value)


def times(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def warnings(block: Block) -> Iterator[str]:
    """What ended badly, what not to trust, and checks that fired in one run only."""
    for name, section in zip(block.names, (block.before, block.after), strict=True):
        for row in section.everything:
            if row.ending():
                yield f"✗ {row.label}: {row.ending()} (in {name})"
            if row.label in section.distrust:
                yield f"✗ {row.label}: do not trust: {section.distrust[row.label]} (in {name})"
    for line in block.lines:
        fired = [row.checks() for row in (line.pair.before, line.pair.after)]
        for name, own, other in zip(block.names, fired, reversed(fired), strict=True):
            for code in own.keys() - other.keys() - {"ME08"}:
                yield f"! {line.label}: {code} {own[code]} (only in {name})"


def changes_picture(
    name: str, label: str, runs: str, lines: Sequence[tuple[str, Change]]
) -> Picture:
    """The change of each model with its interval, in front of the band that does not matter."""
    import altair as alt  # only where there is a page: it takes its time

    base = alt.Chart(alt.NamedData(name)).encode(
        alt.Y("model:N", sort=None, title=None, axis=alt.Axis(labelLimit=280))
    )
    band = base.mark_bar(color="#88888833", height={"band": 1}).encode(
        alt.X("band_low:Q", title=f"change of {label}", axis=alt.Axis(tickCount=7)),
        alt.X2("band_high:Q"),
    )
    none = (
        alt.Chart(alt.NamedData(name))
        .mark_rule(strokeDash=[2, 2], style="faint")
        .encode(x=alt.datum(0))
    )
    interval = base.mark_rule(size=2, style="faint").encode(alt.X("low:Q"), alt.X2("high:Q"))
    estimate = base.mark_point(filled=True, size=60, opacity=1).encode(
        alt.X("change:Q"),
        tooltip=[
            "model:N",
            alt.Tooltip("change:Q", format="+.4f"),
            alt.Tooltip("low:Q", format="+.4f"),
            alt.Tooltip("high:Q", format="+.4f"),
            "verdict:N",
        ],
    )
    chart = alt.layer(band, none, interval, estimate).properties(
        width="container", height=34 * len(lines) + 10
    )
    data = []
    for model, change in lines:
        low, high = change.interval or (None, None)
        data.append(
            {
                "model": model,
                "change": change.difference,
                "low": low,
                "high": high,
                "band_low": -change.band,
                "band_high": change.band,
                "verdict": change.said,
            }
        )
    caption = (
        "Point: the change of the mean. Line: its interval, 95 % after correction. Grey: changes "
        "that do not matter in practice."
    )
    counts = {w: sum(c.word == w for _, c in lines) for w in ("better", "worse")}
    found = " and ".join(f"{n} {w}" for w, n in counts.items() if n) or "nothing beyond noise"
    return Picture(name, f"{label}, {runs}: {found}", caption, chart, data)
