"""The pictures of a report: each a chart of Vega-Altair, with the numbers that it shows."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt

from benchmarks.analysis.curves import SHARES, TRUTH, Curve
from benchmarks.analysis.summary import Row, Section, phase, row_latency, total_seconds
from benchmarks.records.subset import whole_of
from benchmarks.show.colours import colours
from benchmarks.show.formats import number, plain_value
from benchmarks.show.latency_table import batches_of, p99
from benchmarks.show.ledger_table import COLUMNS as LEDGER
from benchmarks.show.parts import Picture, labels_of
from benchmarks.show.placing import names, placed
from benchmarks.show.verdict_table import metric_named

# Told apart on white and on black, and by people who see fewer colours (after Okabe and Ito 2008).
COLOURS = (
    "#3b82c4",
    "#e8871e",
    "#2fa37c",
    "#d1495b",
    "#8f6fd1",
    "#b8860b",
    "#4aa8c7",
    "#c65d9b",
    "#7a8c3f",
    "#8a8f98",
)
HEIGHT = 320
ROUND = {"left": 5, "top": 5, "right": 28, "bottom": 12}
"""Pixels around a picture: slanted labels stick out on the right, and titles below."""
Data = list[dict[str, Any]]


def by_model(
    labels: Sequence[str], field: str = "model", shown: Sequence[str] | None = None
) -> dict[str, Any]:
    """The colour and the shape of each model, the same in all pictures of a page. shown: those that
    the legend names, None for all."""
    scale = alt.Scale(domain=list(labels), range=colours(labels))
    shapes = alt.Scale(domain=list(labels))
    named = alt.Undefined if shown is None else list(shown)
    legend = alt.Legend(title=None, symbolOpacity=1, values=named)
    return {
        "color": alt.Color(f"{field}:N", scale=scale, legend=legend),
        "shape": alt.Shape(f"{field}:N", scale=shapes, legend=legend),
    }


def over(*layers: Any, name: str, height: int = HEIGHT) -> Any:
    data = alt.NamedData(name)
    layered = alt.layer(*layers, data=data)
    return layered.properties(width="container", height=height, padding=ROUND)


def alone() -> Any:
    """A layer whose mark is drawn once, whatever the data of the others."""
    return alt.Chart(alt.InlineData([{}]))


def diagonal(x: Any, y: Any, names: tuple[str, str]) -> Any:
    """A dashed line from (0, 0) to (1, 1) on the axes of the other layers."""
    ends = alt.InlineData([dict.fromkeys(names, end) for end in (0, 1)])
    return alt.Chart(ends).mark_line(strokeDash=[4, 3], style="faint").encode(x, y)


def log_axis(channel: Any, field: str, values: Iterable[float], title: str) -> Any:
    """An axis with a line at each power of ten, or more where there are few of them."""
    shown = [value for value in values if value > 0]
    low, high = (0.85 * min(shown), 1.18 * max(shown)) if shown else (1, 10)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    parts = (1, 2, 5) if high / low < 300 else (1,)
    ticks = [part * 10.0**power for power in powers for part in parts]
    ticks = [tick for tick in ticks if low <= tick <= high]
    scale = alt.Scale(type="log", domain=[low, high], nice=False)
    form = "~g" if high < 10_000 else "~s"
    return channel(
        f"{field}:Q",
        scale=scale,
        title=f"{title} (log scale)",
        axis=alt.Axis(values=ticks, format=form),
    )


def _scores_and_seconds(section: Section) -> Data:
    """A point per row; on the front is who is better than all that are no slower, as far as clocks
    tell that nothing disturbed."""
    sign = 1 if section.main.higher_is_better else -1
    data: Data = []
    for row in informed(section):
        score, span = row.score(section.main.name), row.seconds(total_seconds)
        if score is not None and span is not None:
            spread = score.deviation or 0.0
            data.append(
                {
                    "model": row.label,
                    "seconds": span.median,
                    "fastest": span.least,
                    "slowest": span.most,
                    "score": score.mean,
                    "low": score.mean - spread,
                    "high": score.mean + spread,
                    "front": False,
                }
            )
    best = float("-inf")
    for point in sorted(data, key=lambda point: (point["seconds"], -sign * point["score"])):
        if point["model"] in section.strange_clocks:
            continue
        if sign * point["score"] > best:
            best, point["front"] = sign * point["score"], True
    return data


def score_against_time(section: Section, name: str) -> Picture | None:
    data = _scores_and_seconds(section)
    if len(data) < 2:
        return None
    label = section.main.label
    every = [d[end] for d in data for end in ("fastest", "slowest")]
    x = log_axis(alt.X, "seconds", every, "seconds in total")
    y = alt.Y("score:Q", scale=alt.Scale(zero=False), title=label)
    model = without_legend(by_model(labels_of(section)))
    placed(data, "seconds", "score", log=True)
    tips = [
        "model:N",
        alt.Tooltip("score:Q", title=label, format=".4f"),
        alt.Tooltip("seconds:Q", format=".3~r"),
    ]
    base = alt.Chart()
    layers = [
        base.transform_filter("datum.front")
        .mark_line(interpolate="step-after", strokeDash=[4, 3], style="faint")
        .encode(x, y),
        base.mark_rule(opacity=0.7).encode(
            x, alt.Y("low:Q", title=label), alt.Y2("high:Q"), color=model["color"]
        ),
        base.mark_rule(opacity=0.7).encode(
            log_axis(alt.X, "fastest", every, "seconds in total"),
            alt.X2("slowest:Q"),
            y,
            color=model["color"],
        ),
        base.mark_point(size=110, filled=True, opacity=1).encode(x, y, **model, tooltip=tips),
        *names(data, x, y),
    ]
    ceiling = section.reference("ceiling", section.main.name)
    shown = ""
    if ceiling is not None:
        data = [point | {"ceiling": ceiling.mean} for point in data]
        layers.append(
            base.mark_rule(strokeDash=[1, 3], style="faint").encode(
                alt.Y("mean(ceiling):Q", title=label)
            )
        )
        shown = f" The dotted line is the ceiling, {ceiling.mean:.3f}."
    starred = [row.label for row in section.rows if row.label in section.strange_clocks]
    aside = f" Not on it, as no clock tells: {', '.join(starred)}." if starred else ""
    caption = (
        "Up is better, left is cheaper. The dashed line is the Pareto front: whoever is below it "
        "is beaten by a model that is no slower. Bars: ± one standard deviation of the score over "
        "seeds, and the fastest to the slowest of them. "
        f"Seconds: load, view, search, fit and predict.{shown}{aside}{left_out(section, data)}"
    )
    chart = over(*layers, name=name)
    front = [d for d in sorted(data, key=lambda d: d["seconds"]) if d["front"]]
    title = f"{label} against time"
    if len(front) == 1:
        title = f"{front[0]['model']} is the best, and nothing as good is faster"
    elif front:
        ends = [f"{d['model']} ({d['seconds']:.2g} s)" for d in front]
        title = f"Worth their seconds: {', '.join(ends[:-1])} and {ends[-1]}"
    return Picture(name, title, caption, chart, data)


def informed(section: Section) -> list[Row]:
    """Rows that know more than what is known without looking, if there are any: an axis that
    reached to those that know nothing would show little of what is compared."""
    name, sign = section.metric, section.main.sign
    floor = section.reference("floor", name)
    scores = [(row, score.mean) for row in section.rows if (score := row.score(name))]
    if floor is None:
        return [row for row, _ in scores]
    best = max((sign * mean for _, mean in scores), default=0.0)
    reach = 0.02 * (best - sign * floor.mean)
    above = [row for row, mean in scores if sign * (mean - floor.mean) > reach]
    return above if len(above) > 1 else [row for row, _ in scores]


def left_out(section: Section, data: Data) -> str:
    """Those that are not drawn, as they know nothing."""
    drawn = {point["model"] for point in data}
    names = [r.label for r in section.rows if r.score(section.metric) and r.label not in drawn]
    return f" Not drawn, as it knows nothing: {', '.join(names)}." if names else ""


def without_legend(channels: Mapping[str, Any]) -> dict[str, Any]:
    """Of points that have their names beside them."""
    made = {name: channel.copy() for name, channel in channels.items()}
    for channel in made.values():
        channel.legend = None
    return made


PHASES = ("load", "view", "warm_up", "tune", "fit", "predict")


def phases(section: Section, name: str) -> Picture | None:
    data: Data = [
        {"model": row.label, "phase": step.replace("_", " "), "order": k, "seconds": seconds}
        for row in section.rows
        for k, step in enumerate(PHASES)
        if (seconds := row.median(lambda r, step=step: phase(r, step))) is not None  # type: ignore[misc]
    ]
    if not data:
        return None
    present = [
        p.replace("_", " ") for p in PHASES if any(d["order"] == PHASES.index(p) for d in data)
    ]
    shades = dict(
        zip(
            [p.replace("_", " ") for p in PHASES],
            ("#8a8f98", "#b8860b", "#4aa8c7", "#8f6fd1", "#3b82c4", "#e8871e"),
            strict=True,
        )
    )
    models = list(dict.fromkeys(d["model"] for d in data))
    chart = (
        alt.Chart(alt.NamedData(name))
        .mark_bar()
        .encode(
            alt.X("seconds:Q", title="seconds, median over seeds"),
            alt.Y("model:N", sort=models, title=None, axis=alt.Axis(labelLimit=220)),
            alt.Color(
                "phase:N",
                legend=alt.Legend(title=None, orient="top"),
                scale=alt.Scale(domain=present, range=[shades[p] for p in present]),
            ),
            order="order:Q",
            tooltip=["model:N", "phase:N", alt.Tooltip("seconds:Q", format=".3~r")],
        )
        .properties(width="container", height=30 * len(models) + 10)
    )
    caption = "Where the seconds of one cell go, from reading the data to the predictions."
    totals = {m: sum(d["seconds"] for d in data if d["model"] == m) for m in models}
    slow = max(totals, key=lambda m: totals[m])
    most = max((d for d in data if d["model"] == slow), key=lambda d: d["seconds"])
    title = f"{slow} takes longest: {totals[slow]:.2g} s"
    if totals[slow] and most["seconds"] > totals[slow] / 2:
        title += f", {100 * most['seconds'] / totals[slow]:.0f} % of it in {most['phase']}"
    return Picture(name, title, caption, chart, data)


def latency(section: Section, name: str) -> Picture | None:
    labels = labels_of(section)
    data: Data = []
    sizes = sorted({size for row in section.rows for r in row.done for size in batches_of(r)})
    for row in section.rows:
        if row.label in section.unlike_calls(sizes):
            continue
        for size in sizes:
            if p50 := row.call_seconds(size):
                high = p99(row, size)
                data.append(
                    {
                        "model": row.label,
                        "rows": size,
                        "milliseconds": 1e3 * p50.median,
                        "p99": None if high is None else high.median,
                    }
                )
        for record in row.timed[:1]:
            n_test = whole_of(record)["rows"]["test"]
            each = row.seconds(row_latency)
            if each is not None and n_test not in sizes:
                whole = 1e3 * n_test * each.median
                data.append(
                    {"model": row.label, "rows": n_test, "milliseconds": whole, "p99": None}
                )
    if len({d["rows"] for d in data}) < 2:
        return None
    base = alt.Chart()
    x = log_axis(alt.X, "rows", [d["rows"] for d in data], "rows in one call")
    y = log_axis(
        alt.Y, "milliseconds", [d["milliseconds"] for d in data], "milliseconds of the call"
    )
    model = by_model(labels)
    tips = [
        "model:N",
        "rows:Q",
        alt.Tooltip("milliseconds:Q", title="p50 ms", format=".3~r"),
        alt.Tooltip("p99:Q", title="p99 ms", format=".3~r"),
    ]
    chart = over(
        base.mark_line(opacity=0.8).encode(x, y, color=model["color"]),
        base.mark_point(size=70, filled=True, opacity=1).encode(x, y, **model, tooltip=tips),
        name=name,
    )
    caption = (
        "Warm calls, the median of each. One row at a time pays for the call, many at a time for "
        "the rows. timing=full measures five sizes and the 99th percentile."
    )
    first = min(d["rows"] for d in data)
    single = sorted((d["milliseconds"], d["model"]) for d in data if d["rows"] == first)
    (fast, quick), (slow, last) = single[0], single[-1]
    what = "A row" if first == 1 else f"{first:,} rows"
    title = f"{what} at a time: {fast:.2g} ms ({quick}) to {slow:.2g} ms ({last})"
    return Picture(name, title, caption, chart, data)


SHOWN = (
    "SQL",
    "Python",
    "model",
    "loops",
    "designed",
    "knobs",
    "fits",
    "total s",
    "disk",
    "MB",
    "cold s",
)
MEANING = {
    "SQL": "lines of SQL",
    "Python": "lines of features",
    "model": "lines of model",
    "loops": "lines of loops",
    "designed": "designed columns",
    "total s": "seconds",
    "disk": "bytes on disk",
    "MB": "MB of packages",
    "cold s": "cold start s",
}


SQUARE = 31  # pixels that a field of a map needs for its text
NAMES = 110  # and the names beside it


def terse(value: float) -> str:
    """In two digits or so: a field has little room."""
    for factor, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{number(value / factor)}{unit}"
    return number(value)


def work_map(section: Section, name: str) -> Picture | None:
    """A map of who asks for most of what: every column has its own scale."""
    data: Data = []
    for column in LEDGER:
        values = {row.label: plain_value(column.value(row)) for row in section.rows}
        numbers = {k: float(v) for k, v in values.items() if isinstance(v, int | float)}
        if column.heading not in SHOWN or not numbers or not max(numbers.values()):
            continue
        most = max(numbers.values())
        data += [
            {
                "model": row.label,
                "what": MEANING.get(column.heading, column.heading),
                "value": numbers[row.label],
                "text": terse(numbers[row.label]),
                "share": numbers[row.label] / most,
            }
            for row in section.rows
            if row.label in numbers
        ]
    if not data:
        return None
    models = list(dict.fromkeys(d["model"] for d in data))
    whats = list(dict.fromkeys(d["what"] for d in data))
    base = alt.Chart().encode(
        alt.X(
            "what:N",
            sort=whats,
            title=None,
            axis=alt.Axis(orient="top", labelAngle=-35, domain=False, ticks=False, labelLimit=160),
        ),
        alt.Y(
            "model:N",
            sort=models,
            title=None,
            axis=alt.Axis(domain=False, ticks=False, labelLimit=220),
        ),
    )
    chart = over(
        base.mark_rect(cornerRadius=3, color="#3b82c4").encode(
            opacity=alt.Opacity(
                "share:Q", scale=alt.Scale(domain=[0, 1], range=[0.06, 0.75]), legend=None
            ),
            tooltip=["model:N", "what:N", "text:N"],
        ),
        base.mark_text(fontSize=11, style="ink").encode(text="text:N"),
        name=name,
        height=max(120, 34 * len(models)),
    )
    caption = (
        "What each approach asked for. The stronger the colour, the more, column by column: a full "
        "field is the most that any model of this table asked for."
    )
    full = [max((d for d in data if d["what"] == w), key=lambda d: d["value"]) for w in whats]
    asks = [d["model"] for d in full]
    most = max(dict.fromkeys(asks), key=asks.count)
    title = f"{most} asks for most in {asks.count(most)} of {len(whats)} things"
    return Picture(name, title, caption, chart, data, least=SQUARE * len(whats) + NAMES)


def calibration(
    tenths: Mapping[str, Sequence[tuple[float, float, float]]],
    name: str,
    labels: Sequence[str],
    several: bool,
) -> Picture | None:
    data: Data = [
        {"model": label, "predicted": p, "observed": o, "rows": n}
        for label, bins in tenths.items()
        for p, o, n in bins
    ]
    if not data:
        return None
    base = alt.Chart()
    what = "probability of the predicted class" if several else "predicted probability"
    x = alt.X("predicted:Q", scale=alt.Scale(domain=[0, 1]), title=f"{what}, mean of a tenth")
    y = alt.Y("observed:Q", scale=alt.Scale(domain=[0, 1]), title="how often it was so")
    model = by_model(labels)
    tips = ["model:N", *(alt.Tooltip(f"{f}:Q", format=".3f") for f in ("predicted", "observed"))]
    chart = over(
        diagonal(x, y, ("predicted", "observed")),
        base.mark_line(opacity=0.8).encode(x, y, color=model["color"]),
        base.mark_point(size=60, filled=True, opacity=1).encode(x, y, **model, tooltip=tips),
        name=name,
        height=380,
    )
    caption = (
        "Test rows in tenths, from the least to the most sure. On the dashed line a predicted 30 % "
        "happens 30 % of the time; below it a model promises too much."
    )
    off = {
        label: sum(n * abs(p - o) for p, o, n in bins) / sum(n for _, _, n in bins)
        for label, bins in tenths.items()
        if bins
    }
    low, high = min(off, key=lambda k: off[k]), max(off, key=lambda k: off[k])
    title = f"Probabilities of {low} are off by {100 * off[low]:.1f} % on average"
    if high != low:
        title += f", of {high} by {100 * off[high]:.1f} %"
    return Picture(name, title, caption, chart, data)


def gain(
    curves: Iterable[Curve], name: str, labels: Sequence[str], positive: str
) -> Picture | None:
    curves = list(curves)
    data: Data = [
        {"model": curve.label, "share": float(share), "reached": float(reached)}
        for curve in curves
        for share, reached in zip(SHARES, curve.gain, strict=True)
    ]
    if not data:
        return None
    base = alt.Chart()
    x = alt.X("share:Q", title="share of rows, the most promising first", axis=alt.Axis(format="%"))
    y = alt.Y("reached:Q", title=f"share of all {positive!r} among them", axis=alt.Axis(format="%"))
    tips = ["model:N", *(alt.Tooltip(f"{f}:Q", format=".0%") for f in ("share", "reached"))]
    colour = by_model(labels)["color"]
    chart = over(
        diagonal(x, y, ("share", "reached")),
        base.mark_line().encode(x, y, color=colour, tooltip=tips),
        name=name,
        height=380,
    )
    fifth = int((SHARES >= 0.2).argmax())
    best = max((c for c in curves if c.label != TRUTH), key=lambda c: c.gain[fifth])
    title = (
        f"The first fifth that {best.label} chooses holds {best.gain[fifth]:.0%} of {positive!r}"
    )
    return Picture(name, title, _gain_caption(curves, positive), chart, data)


def _gain_caption(curves: Sequence[Curve], positive: str) -> str:
    fifth = int((SHARES >= 0.2).argmax())
    parts = [f"{curve.label} {curve.gain[fifth]:.0%}" for curve in curves]
    return (
        f"Choose the top 20 % of rows and reach this share of all {positive!r}: "
        f"{', '.join(parts)}. On the dashed line are rows chosen by lot."
    )


def tuning(section: Section, name: str) -> Picture | None:
    """The best trial so far, by number of trials: what a larger budget buys."""
    labels = labels_of(section)
    data: Data = []
    for row in section.rows:
        paths = [_best_so_far(section, r["tuning"]) for r in row.done if r.get("tuning")]
        for k in range(max(map(len, paths), default=0)):
            values = [v for path in paths if k < len(path) and (v := path[k]) is not None]
            if values:
                data.append(
                    {"model": row.label, "trials": k + 1, "score": sum(values) / len(values)}
                )
    if not data:
        return None
    search = next(r["tuning"] for row in section.rows for r in row.done if r.get("tuning"))
    judge = search.get("judged_by") or metric_named(section, search["metric"]).label
    base = alt.Chart()
    x = alt.X("trials:Q", title="trials of the search", axis=alt.Axis(tickMinStep=1))
    y = alt.Y(
        "score:Q",
        scale=alt.Scale(zero=False),
        title=f"best {judge} on held-out train rows",
    )
    model = by_model(labels)
    tips = ["model:N", "trials:Q", alt.Tooltip("score:Q", format=".4f")]
    chart = over(
        base.mark_line(interpolate="step-after", opacity=0.8).encode(x, y, color=model["color"]),
        base.mark_point(size=45, filled=True).encode(x, y, **model, tooltip=tips),
        name=name,
    )
    caption = (
        "Mean over seeds of the best trial so far; trial 1 is the model as it stands. These scores "
        "are on rows held out of the train rows, and the best of many is flattered: the table has "
        "the test scores."
    )
    gains = {
        label: abs(of[-1]["score"] - of[0]["score"])
        for label in labels
        if (of := [d for d in data if d["model"] == label])
    }
    most = max(gains, key=lambda k: gains[k])
    title = f"A search gave {most} most: {gains[most]:.3f} of {judge}"
    return Picture(name, title, caption, chart, data)


def _best_so_far(section: Section, search: Mapping[str, Any]) -> list[float | None]:
    choose = max if metric_named(section, search["metric"]).higher_is_better else min
    best: float | None = None
    path = []
    for trial in search["trials"]:
        score = trial["score"]
        if score is not None:
            best = score if best is None else choose(best, score)
        path.append(best)
    return path


def total_cost(data: Data, name: str, labels: Sequence[str], currency: str) -> Picture | None:
    """data: rows with `model`, `predictions`, `seconds`, `money` (benchmarks.analysis.cost)."""
    if not data:
        return None
    base = alt.Chart()
    lives = [d["predictions"] for d in data]
    x = log_axis(alt.X, "predictions", lives, "predictions made in its life")
    money = [d["money"] for d in data]
    y = log_axis(alt.Y, "money", money, f"{currency}, training and predictions")
    model = by_model(labels)
    tips = [
        "model:N",
        "predictions:Q",
        alt.Tooltip("seconds:Q", format=".3~s"),
        alt.Tooltip("money:Q", title=currency, format=".3~r"),
    ]
    chart = over(
        base.mark_line(opacity=0.8).encode(x, y, color=model["color"]),
        base.mark_point(size=55, filled=True, opacity=1).encode(x, y, **model, tooltip=tips),
        name=name,
    )
    caption = (
        "On the left the price of training, on the right that of predicting. Where two lines "
        "cross, the dearer training has paid for itself."
    )
    million = sorted((d["money"], d["model"]) for d in data if d["predictions"] == 10**6)
    title = "Total cost"
    if million:
        (low, cheap), (high, dear) = million[0], million[-1]
        ends = f"{currency} {number(low)} ({cheap}) to {number(high)} ({dear})"
        title = f"Training and a million predictions cost {ends}"
    return Picture(name, title, caption, chart, data)
