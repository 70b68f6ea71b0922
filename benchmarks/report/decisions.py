"""What predictions are good for: how far to trust them, whom they reach, what they are worth."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from benchmarks import cost as costs
from benchmarks.formats import compact, number
from benchmarks.report import helps, pictures
from benchmarks.report.curves import THRESHOLDS, TRUTH, Curve, Load, confidence, curve, truth
from benchmarks.report.page import in_script
from benchmarks.report.parts import Cell, Head, Part, Table, Widget, labels_of
from benchmarks.summary import Section

COST, BENEFIT = 1, 4  # to begin with, in the same units


def curves_of(section: Section, load: Load) -> list[Curve]:
    """Of the section's best models, and of the true probabilities where they are known."""
    if section.kind != "binary":
        return []
    rows = section.rows
    found = [c for row in rows if (c := curve(row, load)) is not None]
    known = truth(rows[0], load) if rows else None
    return [*found, known] if known is not None and found else found


def calibrated(section: Section, name: str, load: Load, curves: Sequence[Curve]) -> Part | None:
    labels = labels_of(section)
    if section.kind == "multiclass":
        found = {row.label: confidence(row, load) for row in section.rows}
        return pictures.calibration(found, name, labels, several=True)
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


def value(section: Section, name: str, load: Load, curves: Sequence[Curve]) -> Part | None:
    """Send or do not send: what each model's choice is worth, for any cost and benefit."""
    if not curves:
        return None
    what = positive(section, load)
    share = curves[0].positives[0]
    oracle = any(c.label == TRUTH for c in curves)
    lines = [
        {
            "label": f"best policy ({c.label})" if c.label == TRUTH else c.label,
            "sent": rounded(c.sent), "positives": rounded(c.positives),
            "best": c.label == TRUTH,
        }
        for c in curves
    ]  # fmt: skip
    lines.append({"label": "everyone", "sent": [1.0], "positives": [float(share)],
                  "everyone": True})  # fmt: skip
    send = "notification sent" if section.task == "notifications" else "row chosen"
    text = (
        f"A row is chosen if its predicted probability of {what!r} is above cost / benefit. "
        "Choosing nobody is worth nothing. A model whose probabilities are off pays for it here, "
        "however well it ranks."
    )
    return Widget("value.html.jinja", {
        "name": name, "title": f"{section.label}: net value of choosing by each model",
        "text": text,
        "cost": COST, "benefit": BENEFIT, "action": send, "positive": what,
        "bound": "best policy" if oracle else "best",
        # Escaped for a script, which autoescaping would spoil.
        "curves": Markup(in_script({"thresholds": rounded(THRESHOLDS), "curves": lines})),  # noqa: S704
    })  # fmt: skip


def rounded(values: np.ndarray) -> list[float]:
    return [round(float(v), 5) for v in values]


def cost_of(section: Section, name: str, prices: costs.Prices) -> list[Part | None]:
    found = costs.costs(section, prices)
    if not found:
        return []
    data = [
        {"model": c.label, "predictions": n, "seconds": c.seconds(n), "money": c.money(n)}
        for c in found
        for n in costs.PREDICTIONS
    ]
    heads = [Head("model", helps.RESULTS["model"], False),
             Head("once s", "seconds of features, search and fit"),
             Head("µs each", "microseconds of a prediction, its features included"),
             *(Head(f"{compact(n)}", f"{prices.currency} in all, after {n:,} predictions")
               for n in costs.PREDICTIONS)]  # fmt: skip
    lines = [
        [Cell(c.label, c.label), Cell(number(c.seconds_once), c.seconds_once),
         Cell(number(1e6 * c.seconds_each), 1e6 * c.seconds_each),
         *(Cell(number(c.money(n)), c.money(n)) for n in costs.PREDICTIONS)]
        for c in found
    ]  # fmt: skip
    crossings = [
        f"{before} is cheaper than {after} up to about {number(where)} predictions, then {after}."
        for before, after, where in costs.break_evens(found)
    ]
    none = "No two of them cross between a thousand and a billion predictions: cheap stays cheap."
    notes = [
        f"Prices: {prices.currency} {prices.cpu_hour:g} for an hour of a core, "
        f"{prices.gpu_hour:g} of a GPU, {prices.million_tokens:g} for a million tokens "
        "(conf/prices.yaml, or --prices FILE). A straight line from what one cell measured: every "
        "prediction computes its features anew and goes in the largest batch that was timed.",
        *(crossings or [none]),
    ]
    heading = f"{section.label}: {prices.currency} in all, by number of predictions"
    return [
        pictures.total_cost(data, name, labels_of(section), prices.currency),
        Table(f"{name}-table", heading, heads, lines, notes),
    ]
