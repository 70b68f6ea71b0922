"""What predictions are good for: how far to trust them, whom they reach, what they are worth."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.analysis import cost as costs
from benchmarks.analysis.curves import Curve, Load, confidence, curve, truth
from benchmarks.analysis.summary import Section
from benchmarks.show import helps, pictures
from benchmarks.show.desk import desk
from benchmarks.show.formats import compact, number
from benchmarks.show.parts import Entry, Head, Part, Table, labels_of, words


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
        tenths = {row.label: confidence(row, load) for row in pictures.informed(section)}
        return pictures.calibration(tenths, name, labels, several=True)
    shown = {row.label for row in pictures.informed(section)}
    models: Mapping[str, Any] = {c.label: c.calibration for c in curves if c.label in shown}
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


def at_the_desk(
    section: Section, name: str, load: Load, curves: Sequence[Curve], prices: costs.Prices
) -> Part | None:
    return desk(section, name, prices, curves, positive(section, load) if curves else "")


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
        return Table(f"{name}-{unit}", title, [*once, *heads], lines, notes, folded=True)

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
