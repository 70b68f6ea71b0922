"""What predictions are good for: how far to trust them, whom they reach, what they are worth."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from benchmarks.analysis import cost as costs
from benchmarks.analysis.curves import THRESHOLDS, TRUTH, Curve, Load, confidence, curve, truth
from benchmarks.analysis.summary import Section
from benchmarks.show import helps, pictures
from benchmarks.show.formats import ABSENT, compact, number
from benchmarks.show.page import in_script
from benchmarks.show.parts import Entry, Head, Part, Table, Widget, labels_of, words

COST, BENEFIT = 1, 4  # to begin with, in the same units


def curves_of(section: Section, load: Load) -> list[Curve]:
    """Of the section's best models, and of the true probabilities where they are known."""
    if section.kind != "binary":
        return []
    rows = section.rows
    curves = [c for row in rows if (c := curve(row, load)) is not None]
    known = truth(rows[0], load) if rows else None
    return [*curves, known] if known is not None and curves else curves


def calibrated(section: Section, name: str, load: Load, curves: Sequence[Curve]) -> Part | None:
    labels = labels_of(section)
    if section.kind == "multiclass":
        tenths = {row.label: confidence(row, load) for row in section.rows}
        return pictures.calibration(tenths, name, labels, several=True)
    models: Mapping[str, Any] = {c.label: c.calibration for c in curves if c.label in labels}
    return pictures.calibration(models, name, labels, several=False)


def gained(section: Section, name: str, load: Load, curves: Sequence[Curve]) -> Part | None:
    known = [c.label for c in curves if c.label not in labels_of(section)]
    return pictures.gain(curves, name, [*labels_of(section), *known], positive(section, load))


def positive(section: Section, load: Load) -> str:
    """The name of the class that is predicted."""
    for row in section.rows:
        for record in row.done:
            if (arrays := load(record)) is not None and "classes" in arrays:
                return str(arrays["classes"][-1])
    return "positive"


def net_value(section: Section, name: str, load: Load, curves: Sequence[Curve]) -> Part | None:
    """Send or do not send: what each model's choice is worth, for any cost and benefit."""
    if not curves:
        return None
    what = positive(section, load)
    lines: list[dict[str, Any]] = [
        {
            "label": f"best policy ({c.label})" if c.label == TRUTH else c.label,
            "sent": rounded(c.sent),
            "positives": rounded(c.positives),
            "best": c.label == TRUTH,
        }
        for c in curves
    ]
    share = float(curves[0].positives[0])
    lines.append({"label": "everyone", "sent": [1.0], "positives": [share], "everyone": True})
    send = "notification sent" if section.task == "notifications" else "row chosen"
    text = (
        f"A row is chosen if its predicted probability of {what!r} is above cost / benefit. "
        "Choosing nobody is worth nothing. A model whose probabilities are off pays for it here, "
        "however well it ranks."
    )
    title = f"{section.label}: net value of choosing by each model"
    curves_and_thresholds = {"thresholds": rounded(THRESHOLDS), "curves": lines}
    values = {
        "text": text,
        "cost": COST,
        "benefit": BENEFIT,
        "action": send,
        "positive": what,
        # Escaped for a script, which autoescaping would spoil.
        "curves": Markup(in_script(curves_and_thresholds)),  # noqa: S704
    }
    return Widget("value.html.jinja", values, worth(name, title, lines))


def worth(name: str, title: str, lines: Sequence[Mapping[str, Any]]) -> Table:
    """What choosing by each model is worth at the first cost and benefit, best first."""
    at = int(np.searchsorted(THRESHOLDS, COST / BENEFIT))
    policies = []
    for line in lines:
        k = 0 if line.get("everyone") else at
        value = 1000 * (BENEFIT * line["positives"][k] - COST * line["sent"][k])
        policies.append((value, line["sent"][k], line))
    best = max((value for value, _, line in policies if line.get("best")), default=0.0)
    rows = []
    for value, sent, line in sorted(policies, key=lambda item: -item[0]):
        part = value / best if best > 0 else None
        rows.append(
            [
                *words(line["label"]),
                Entry(f"{value:,.4g}", value),
                Entry(f"{100 * sent:.1f} %", sent),
                Entry(ABSENT if part is None else f"{100 * part:.0f} %", part),
            ]
        )
    heads = [
        Head("policy", is_number=False),
        Head("net value per 1,000 rows"),
        Head("share chosen"),
        Head("of the best policy"),
    ]
    note = f"At a cost of {COST} and a benefit of {BENEFIT}."
    return Table(name, title, heads, rows, [note])


def rounded(values: np.ndarray) -> list[float]:
    return [round(float(v), 5) for v in values]


def cost_of(section: Section, name: str, prices: costs.Prices) -> list[Part | None]:
    models = costs.costs(section, prices)
    if not models:
        return []
    data = [
        {"model": c.label, "predictions": n, "seconds": c.seconds(n), "money": c.money(n)}
        for c in models
        for n in costs.PREDICTIONS
    ]
    once = [
        Head("model", helps.RESULTS["model"], False),
        Head("once s", "seconds of features, search and fit"),
        Head("µs each", "microseconds of a prediction, its features included"),
    ]

    def in_all(
        unit: str,
        of: Callable[[costs.Cost, float], float],
        each: Callable[[costs.Cost], float],
        notes: list[str],
    ) -> Table:
        heads = [
            Head("a million", f"{unit} of a million predictions, without what is paid once"),
            *(
                Head(compact(n), f"{unit} in all, after {n:,} predictions")
                for n in costs.PREDICTIONS
            ),
        ]
        lines = [
            [
                *words(c.label),
                Entry(number(c.seconds_once), c.seconds_once),
                Entry(number(1e6 * c.seconds_each), 1e6 * c.seconds_each),
                Entry(number(1e6 * each(c)), 1e6 * each(c)),
                *(Entry(number(of(c, n)), of(c, n)) for n in costs.PREDICTIONS),
            ]
            for c in models
        ]
        title = f"{section.label}: {unit} in all, by number of predictions"
        return Table(f"{name}-{unit}", title, [*once, *heads], lines, notes)

    crossings = [
        f"{before} is cheaper than {after} up to about {number(where)} predictions, then {after}."
        for before, after, where in costs.break_evens(models)
    ]
    names = [row.label for row in section.rows if row.label in section.strange_clocks]
    left_out = [f"Left out, as no clock tells: {', '.join(names)}."] if names else []
    none = "No two of them cross between a thousand and a billion predictions: cheap stays cheap."
    notes = [
        f"Prices: {prices.currency} {prices.cpu_hour:g} for an hour of a core, "
        f"{prices.gpu_hour:g} of a GPU, {prices.million_tokens:g} for a million tokens that a "
        "served model reads (benchmarks/prices.yaml, or --prices FILE). A straight line from what "
        "one cell measured: every prediction computes its features anew and goes in a batch like "
        "that of all test rows.",
        *(crossings or [none]),
        *left_out,
    ]
    return [
        pictures.total_cost(data, name, labels_of(section), prices.currency),
        in_all(prices.currency, costs.Cost.money, lambda c: c.money_each, notes),
        in_all("seconds", costs.Cost.seconds, lambda c: c.seconds_each, []),
    ]
