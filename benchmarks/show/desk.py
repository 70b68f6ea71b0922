"""The constraint desk: what to use where time, memory, money or a decision's worth say so too. The
page computes answer and table again while a slider moves (desk.js); this is how both begin."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from markupsafe import Markup

from benchmarks.analysis import cost as costs
from benchmarks.analysis.advice import advise, seconds_of
from benchmarks.analysis.cost import SERVED, Prices
from benchmarks.analysis.curves import THRESHOLDS, TRUTH, Curve
from benchmarks.analysis.summary import Row, Section
from benchmarks.records.records import memory_growth
from benchmarks.show.answer import recommendation
from benchmarks.show.formats import ABSENT, number
from benchmarks.show.page import in_script
from benchmarks.show.parts import Entry, Head, Table, Widget, words

COST, BENEFIT = 1.0, 4.0  # of a decision to begin with, in one unit
VOLUME = 1_000_000  # predictions a month to begin with
WORTH = 1000  # rows that a decision's worth is told of
EVERYONE = "everyone"


def desk(
    section: Section, name: str, prices: Prices, curves: Sequence[Curve], positive: str
) -> Widget | None:
    """None where there is nothing to choose from. curves: of the section's rows, on two classes."""
    advice = advise(section)
    models = [model_of(section, row, curves) for row in section.rows if _score(section, row)]
    if advice is None or len(models) < 2:
        return None
    references = [] if not curves else references_of(curves)
    money = {
        "cpu_hour": prices.cpu_hour,
        "gpu_hour": prices.gpu_hour,
        "read": prices.million_tokens,
        "written": prices.tokens(0, 1e6),
    }
    words_of = words_on(section)
    floor = section.reference("floor", section.metric)
    data = {
        "metric": section.main.label,
        "floor": None if floor is None else floor.mean,
        "sign": section.main.sign,
        "models": [model | {"word": words_of.get(model["label"], "")} for model in models],
        "references": references,
        "equal": pairs(section, "equal in practice"),
        "unsure": pairs(section, "can't tell"),
        "thresholds": [round(float(t), 5) for t in THRESHOLDS] if curves else [],
        "currency": prices.currency,
        "prices": money,
    }
    title = f"{section.label}: what to use under your conditions"
    values = {
        "name": name,
        "title": title,
        "answer": recommendation(advice),
        "sliders": sliders(models, prices, bool(curves), section.task, positive),
        "gpu": any(model["gpu"] for model in models) and not all(m["gpu"] for m in models),
        "is_binary": bool(curves),
        "metric": section.main.label,
        # Escaped for a script, which autoescaping would spoil.
        "data": Markup(in_script(data)),  # noqa: S704
    }
    return Widget("desk.html.jinja", values, table(section, name, title, data))


def _score(section: Section, row: Row) -> bool:
    return row.score(section.metric) is not None


def model_of(section: Section, row: Row, curves: Sequence[Curve]) -> dict[str, Any]:
    """What there is to be known of a row: null for what no clock tells."""
    score = row.score(section.metric)
    assert score
    clocked = row.label not in section.strange_clocks
    single = row.call_seconds(1) if clocked else None
    memory = row.median(memory_growth)
    work = row.first.get("work") or {}
    made: dict[str, Any] = {
        "label": row.label,
        "score": score.mean,
        "ranked": row.is_ranked,
        "year": row.first["year"],
        "seconds": seconds_of(section, row),
        "once": section.seconds(row, costs.seconds_once),
        "each": section.seconds(row, costs.seconds_each),
        "ms": None if single is None else 1e3 * single.median,
        "mb": None if memory is None else memory / 1e6,
        "gpu": row.first["notes"].get("device") in ("cuda", "xpu", "mps"),
        "served": row.first["notes"].get("device") == SERVED,
        "threads": row.first["config"]["threads"],
        "tokens": [work.get("tokens_read_each") or 0.0, work.get("tokens_written_each") or 0.0],
    }
    curve = next((c for c in curves if c.label == row.label), None)
    return made if curve is None else made | chosen(curve)


def chosen(curve: Curve) -> dict[str, list[float]]:
    return {"sent": rounded(curve.sent), "positives": rounded(curve.positives)}


def references_of(curves: Sequence[Curve]) -> list[dict[str, Any]]:
    """What choosing by a model is held against: the true probabilities, where they are known, and
    choosing everybody."""
    share = float(curves[0].positives[0])
    found = [{"label": f"best policy ({TRUTH})", **chosen(c)} for c in curves if c.label == TRUTH]
    return [*found, {"label": EVERYONE, "sent": [1.0], "positives": [share]}]


def rounded(values: np.ndarray) -> list[float]:
    return [round(float(v), 5) for v in values]


def pairs(section: Section, word: str) -> list[list[str]]:
    return [[v.a, v.b] for v in section.verdicts if v.word == word]


def words_on(section: Section) -> dict[str, str]:
    """Label -> what a row is to the best one, where nothing is ruled out."""
    advice = advise(section)
    assert advice
    unsure = {row.label for row, _ in advice.unsure}
    good = {row.label for row in (advice.best, *advice.as_good)}

    def word(label: str) -> str:
        if label == advice.use.label:
            return "best" if advice.knows_nothing else "use this"
        if label in good:
            return "as good"
        return "can't tell" if label in unsure else "worse"

    return {row.label: word(row.label) for row in section.rows}


def sliders(
    models: Sequence[Mapping[str, Any]], prices: Prices, is_binary: bool, task: str, positive: str
) -> list[dict[str, Any]]:
    """What can be set: a limit at its right end is none; a thing that all models have alike is no
    slider."""

    def limit(key: str, label: str, unit: str) -> list[dict[str, Any]]:
        there = [model[key] for model in models if model[key]]
        if len(there) < 2 or max(there) < 1.2 * min(there):
            return []
        ends = {"low": 0.9 * min(there), "high": 1.1 * max(there)}
        return [{"key": key, "label": label, "unit": unit, "kind": "limit", **ends}]

    def value(key: str, label: str, unit: str, low: float, high: float, start: float) -> Any:
        ends = {"low": min(low, start or low), "high": max(high, start)}
        start = start or ends["low"]
        return {"key": key, "label": label, "unit": unit, "kind": "value", "start": start, **ends}

    def price(key: str, label: str, start: float) -> Any:
        return value(key, label, prices.currency, start / 30 or 0.001, 30 * start or 1.0, start)

    used = [
        *([("cpu_hour", "an hour of a core", prices.cpu_hour)] if _some(models, "cpu") else []),
        *([("gpu_hour", "an hour of a GPU", prices.gpu_hour)] if _some(models, "gpu") else []),
        *(
            [("read", "a million tokens read", prices.million_tokens)]
            if _some(models, "served")
            else []
        ),
    ]
    action = "notification sent" if task == "notifications" else "row chosen"
    worth = [
        value("cost", f"cost of each {action}", "", 0.01, 100, COST),
        value("benefit", f"benefit of each {positive!r} among them", "", 0.01, 1000, BENEFIT),
    ]
    return [
        *limit("ms", "one prediction takes at most", "ms"),
        *limit("mb", "memory at most", "MB"),
        value("volume", "predictions a month", "", 1e3, 1e9, VOLUME),
        *(price(*one) for one in used),
        *(worth if is_binary else []),
    ]


def _some(models: Sequence[Mapping[str, Any]], what: str) -> bool:
    if what == "cpu":
        return any(not model["gpu"] and not model["served"] for model in models)
    return any(model[what] for model in models)


def monthly(model: Mapping[str, Any], prices: Mapping[str, float]) -> float | None:
    """Money of a month: one fit, and so many predictions."""
    if model["once"] is None or model["each"] is None:
        return None
    if model["served"]:
        read, written = model["tokens"]
        return VOLUME * (read * prices["read"] + written * prices["written"]) / 1e6
    hour = prices["gpu_hour"] if model["gpu"] else model["threads"] * prices["cpu_hour"]
    seconds: float = model["once"] + VOLUME * model["each"]
    return seconds * hour / 3600


def worth(policy: Mapping[str, Any]) -> tuple[float, float]:
    """(net value of WORTH rows, share of them that is chosen) at the first cost and benefit."""
    at = min(len(policy["sent"]) - 1, int(np.searchsorted(THRESHOLDS, COST / BENEFIT)))
    sent = policy["sent"][at]
    return WORTH * (BENEFIT * policy["positives"][at] - COST * sent), sent


def table(section: Section, name: str, title: str, data: Mapping[str, Any]) -> Table:
    """Under no conditions, as the page begins."""
    is_binary = bool(data["references"])
    blank = dict.fromkeys(("score", "ms", "mb", "once", "each"))
    lines = [*data["models"], *(blank | reference for reference in data["references"])]
    columns: list[tuple[Head, Callable[[Any], float | None], Callable[[float], str]]] = [
        (Head(section.main.label), lambda m: m["score"], "{:.3f}".format),
        (Head("1 row ms", "milliseconds of one call with one row"), lambda m: m["ms"], number),
        (Head("+MB", "growth of memory in fit and prediction"), lambda m: m["mb"], number),
        (
            Head(f"{data['currency']} a month", "one fit, and the predictions of a month"),
            lambda m: monthly(m, data["prices"]) if "served" in m else None,
            number,
        ),
    ]
    if is_binary:
        head = Head(f"worth of {WORTH:,} rows", "benefit less cost; chosen from cost / benefit on")
        columns += [
            (head, lambda m: worth(m)[0] if "sent" in m else None, "{:,.4g}".format),
            (
                Head("share chosen"),
                lambda m: worth(m)[1] if "sent" in m else None,
                lambda share: f"{100 * share:.1f} %",
            ),
        ]
    columns = [column for column in columns if any(column[1](m) is not None for m in lines)]
    rows = []
    for model in lines:
        values = [(column[1](model), column[2]) for column in columns]
        entries = [Entry(ABSENT) if v is None else Entry(text(v), v) for v, text in values]
        rows.append([*words(model["label"]), *entries, *words(model.get("word", ""))])
    heads = [Head("model", is_number=False), *(column[0] for column in columns)]
    notes = [
        f"A month: one fit and {VOLUME:,} predictions in batches; prices of benchmarks/prices.yaml "
        "or --prices FILE."
    ]
    if is_binary:
        notes.append(
            f"Worth: a row is chosen where its probability is above cost / benefit, here {COST:g} "
            f"to {BENEFIT:g}. Whose probabilities are off pays for it here, however well it ranks."
        )
    faint = range(len(data["models"]), len(lines))
    made = Table(name, title, [*heads, Head("it is", is_number=False)], rows, notes)
    return replace(made, faint=list(faint))
