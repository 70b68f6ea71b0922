"""Which one? The ranking with its intervals, and the eras in the order in which they came."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from benchmarks.analysis.advice import Advice, seconds_of
from benchmarks.analysis.summary import Row, Section
from benchmarks.show.formats import seconds
from benchmarks.show.parts import Picture, best_rows, labels_of
from benchmarks.show.pictures import Data, by_model, informed, left_out, over
from benchmarks.show.placing import names, placed
from benchmarks.show.results_table import ranks

MOST_NAMES = 4  # in a title
LINE = 30  # pixels of a model
BOUND: dict[str, Any] = {"strokeDash": [2, 4], "style": "faint"}


def ranking(found: Advice, name: str) -> Picture | None:
    """A line for each model, best first: its score, the interval of it, the ranks it may have."""
    section = best_rows(found.section)
    data: Data = []
    for row in informed(section):
        score = row.score(section.metric)
        assert score
        standing = section.standings.get(row.label)
        low, high = (standing and standing.score) or (score.mean, score.mean)
        rank = ranks(section, row) or ""
        data.append(
            {
                "model": row.label,
                "score": score.mean,
                "low": low,
                "high": high,
                "rank": rank,
                "shown": f"{score.mean:.3f}" + (f"   rank {rank}" if rank else ""),
            }
        )
    if len(data) < 2:
        return None
    label = section.main.label
    model = by_model(labels_of(section))
    y = alt.Y(
        "model:N",
        scale=alt.Scale(domain=[d["model"] for d in data]),
        title=None,
        axis=alt.Axis(labelLimit=240, domain=False, ticks=False, labelFontSize=13),
    )
    x = alt.X("score:Q", title=label, scale=alt.Scale(zero=False, padding=12))
    base = alt.Chart()
    tips = [
        "model:N",
        alt.Tooltip("score:Q", title=label, format=".4f"),
        alt.Tooltip("low:Q", format=".4f"),
        alt.Tooltip("high:Q", format=".4f"),
        alt.Tooltip("rank:N", title="ranks left open"),
    ]
    colour = model["color"].copy()
    colour.legend = None
    layers = [
        base.mark_rule(strokeWidth=3, opacity=0.45).encode(
            alt.X("low:Q", title=label), alt.X2("high:Q"), y, color=colour
        ),
        base.mark_point(size=110, filled=True, opacity=1).encode(x, y, color=colour, tooltip=tips),
        base.mark_text(align="left", dx=14, fontSize=12, style="ink").encode(
            y, x=alt.value("width"), text="shown:N"
        ),
    ]
    tied, pairs = found.ties
    caption = (
        f"{tied} of {pairs} neighbours cannot be told apart (line on the right). Point: the mean "
        "over seeds. Bar: 95 % interval of it over seeds and test rows. Two bars may overlap and "
        "one of the models be better all the same, as all were tested on the same rows; the ranks "
        f"say what is sure.{left_out(section, data)}"
    )
    groups = tied_groups(found, [d["model"] for d in data])
    ends = {group[0]: group[-1] for group in groups if len(group) > 1}
    for point in data:
        point["tied to"] = ends.get(point["model"], "")
    tied_ones = base.transform_filter("datum['tied to']").mark_rule(
        strokeWidth=2, style="faint", strokeCap="round", xOffset=6
    )
    layers.append(tied_ones.encode(y, alt.Y2("tied to:N"), x=alt.value("width")))
    chart = over(*layers, name=name, height=LINE * len(data) + 20)
    return Picture(name, lead(found), caption, chart, data)


def lead(found: Advice) -> str:
    """Which rows may be the best, by the verdicts."""
    rows = {row.label for row in (found.best, *found.as_good, *(row for row, _ in found.unsure))}
    names = [row.label for row in (found.best, *found.others) if row.label in rows]
    if len(names) == 1:
        return f"{names[0]} is first beyond doubt" if found.is_sure else f"{names[0]} is first"
    if len(names) == len(found.others) + 1:
        return "Any of them may be the best"
    if len(names) > MOST_NAMES:
        return f"{names[0]} is first, and {len(names) - 1} others may be as good"
    return f"{', '.join(names[:-1])} and {names[-1]} may each be the best"


def tied_groups(found: Advice, drawn: Sequence[str]) -> list[list[str]]:
    """Neighbours in the ranking of which none can be told from the next."""
    better = {(v.a, v.b) for v in found.section.verdicts if v.word == "better"}
    groups: list[list[str]] = [[]]
    for label in drawn:
        if groups[-1] and (groups[-1][-1], label) in better:
            groups.append([])
        groups[-1].append(label)
    return groups


def history(found: Advice, name: str) -> Picture | None:
    """Year of the approach against score; the larger, the more seconds. With what is known without
    looking, and what can be known."""
    section = best_rows(found.section)
    data: Data = []
    for row in informed(section):
        score, took = row.score(section.metric), seconds_of(section, row)
        year = row.first["year"]
        if score is not None and year is not None and _is_plain(section, row):
            data.append(
                {
                    "model": row.label,
                    "year": year,
                    "score": score.mean,
                    "seconds": took,
                    "took": "" if took is None else f"{seconds(took)} s",
                }
            )
    if len({d["year"] for d in data}) < 3:
        return None
    label = section.main.label
    model = by_model(labels_of(section))
    low, high = min(d["year"] for d in data), max(d["year"] for d in data)
    x = alt.X(
        "year:Q",
        title="year of the approach",
        scale=alt.Scale(domain=[low - 3, high + 6], nice=False),
        axis=alt.Axis(format="d"),
    )
    y = alt.Y("score:Q", title=label, scale=alt.Scale(zero=False, padding=16))
    colour = model["color"].copy()
    colour.legend = None
    known = bounds_of(section)
    placed(data, "year", "score", beside=[*known.values()])
    size: Any = alt.Size(
        "seconds:Q", legend=None, scale=alt.Scale(type="sqrt", range=[60, 900], zero=True)
    )
    tips = [
        "model:N",
        "year:Q",
        alt.Tooltip("score:Q", title=label, format=".4f"),
        alt.Tooltip("seconds:Q", title="seconds in all", format=".3~r"),
    ]
    base = alt.Chart()
    layers = [
        base.transform_filter("isValid(datum.seconds)")
        .mark_point(filled=True, opacity=0.75)
        .encode(x, y, color=colour, size=size, tooltip=tips),
        base.transform_filter("!isValid(datum.seconds)")
        .mark_point(size=110, strokeWidth=2)
        .encode(x, y, color=colour, tooltip=tips[:3]),
        *names(data, x, y),
    ]
    for words, value in known.items():
        one = alt.Chart(alt.InlineData([{"score": value, "words": words, "year": low - 3}]))
        layers += [
            one.mark_rule(**BOUND).encode(alt.Y("score:Q")),
            one.mark_text(align="left", dx=4, dy=-6, fontSize=11, style="aside").encode(
                x, alt.Y("score:Q"), text="words:N"
            ),
        ]
    best = max(data, key=lambda d: section.main.sign * d["score"])
    oldest = min(data, key=lambda d: (d["year"], -section.main.sign * d["score"]))
    gain = f"{best['score'] - oldest['score']:+.3f}".replace("-", "−")
    first, last = (f"{d['model']} ({d['year']})" for d in (oldest, best))
    title = f"{first} is still the best"
    if best is not oldest:
        title = f"From {first} to {last}: {gain}"
    caption = "Each point is an approach, at the year in which it was published"
    if any(d["seconds"] is not None for d in data):
        caption += "; the larger, the more seconds it takes in all"
    if any(d["seconds"] is None for d in data):
        caption += "; open: no clock tells how long it takes"
    caption += "."
    return Picture(name, title, caption, over(*layers, name=name, height=340), data)


def bounds_of(section: Section) -> dict[str, float]:
    """What scores are held against: name -> value."""
    found = {}
    for name in ("ceiling", "floor"):
        known = section.reference(name, section.metric)
        if known is not None:
            found[name] = known.mean
    for row in section.bounds:
        score = row.score(section.metric)
        if score is not None:
            found[row.label.replace("_", " ")] = score.mean
    return found


def _is_plain(section: Section, row: Row) -> bool:
    """Is it the only row of its model, or the one as the model is? Variants share its year."""
    same = [other for other in section.rows if other.first["model"] == row.first["model"]]
    return len(same) == 1 or row.label == row.first["model"]
