"""Times: each with its spread, like with like, and nothing said that a disturbed clock told."""

import io

import pytest
from rich.console import Console

from benchmarks import run
from benchmarks.analysis.advice import advise, seconds_of
from benchmarks.analysis.cost import PRICES, costs, read_prices
from benchmarks.analysis.factors import Factor, factor
from benchmarks.analysis.pairing import Pair
from benchmarks.analysis.summary import Row, Span, phase, sections
from benchmarks.records.records import Cell
from benchmarks.show import pages
from benchmarks.show.comparison import factor_entry
from benchmarks.show.formats import seconds_span, span
from benchmarks.show.latency_table import latency_table
from benchmarks.show.markdown import fragment
from benchmarks.show.pictures import score_against_time
from benchmarks.show.results_table import results_data, results_table

BUSY = [{"code": "ME08", "text": "busy"}]


def timed(record, model="svm", seed=0, seconds=1.0, **changes):
    """A cell whose fit took so long."""
    made = record(model, seed, **changes)
    made["phases"]["fit"] = made["phases"]["fit"] | {"wall": seconds}
    return made


def calls(record, way, p50, p99=None, name="svm", seed=0, **parts):
    """A cell whose calls with one row were timed in this way: (at most so many, within seconds)."""
    made = record(name, seed)
    made["timing"] = made["timing"] | {"calls": way[0], "seconds": way[1]}
    made["latency"]["1"] = {"p50": p50, "p99": p99, "min": p50 / 2, "max": 2 * p50, "calls": 9}
    made["latency"]["1"] |= {"p99_low": p99 and 0.9 * p99, "p99_high": p99 and 1.2 * p99, **parts}
    return made


def entry(section, heading, label="svm", table=results_table):
    shown = table(section)
    (line,) = (row for row in shown.rows if row[0].text == label)
    return line[[head.text for head in shown.heads].index(heading)].text


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([1.0], "1.00"),
        ([1.29, 1.31, 1.52], "1.3–1.5"),
        ([0.19, 0.21], ".19–.21"),
        ([0.001, 0.004], "0.00"),
        ([12.4, 980.0], "12–980"),
        ([1.31, 1.34], "1.3"),
    ],
)
def test_seconds_stand_from_the_least_to_the_most(values, text):
    assert seconds_span(Span.of(values)) == text


def test_other_numbers_too():
    assert span(Span(0.00053, 1, 0.00061)) == ".00053–.00061"
    assert span(Span(880, 900, 1240)) == "880–1,200"


@pytest.mark.parametrize("name", ["view", "warm_up", "fit", "predict", "one row"])
def test_every_time_in_a_table_has_its_spread(record, name):
    made = []
    for seed, factor_ in enumerate((1.0, 1.3, 1.1)):
        one = record(seed=seed)
        if name == "one row":
            one["latency"]["1"]["p50"] *= factor_
        elif name == "predict":
            one["latency"]["1000"]["p50"] *= factor_
        else:
            one["phases"][name]["wall"] *= factor_
        made.append(one)
    (section,) = sections(made)
    heads = {"view": "view s", "warm_up": "warm s", "fit": "fit s", "predict": "µs/row"}
    heading = heads.get(name, "1 row ms")
    assert "–" in entry(section, heading)
    for other in {*heads.values(), "1 row ms"} - {heading}:
        assert "–" not in entry(section, other)
    (line,) = results_data([section])
    spreads = {key for key in line if key.endswith("_least") and line[key] != line[key[:-6]]}
    assert len(spreads) == 1


def test_with_ranges_in_it_a_table_is_readable_at_80_columns(record):
    made = []
    for k, model in enumerate(("random_forest", "xgboost", "logistic")):
        for seed in range(3):
            one = timed(record, model, seed, 1.2 + 10 * k + seed / 9)
            for name in ("view", "warm_up"):
                one["phases"][name]["wall"] = 0.19 + seed / 50
            call = {"p50": 0.0041 + seed / 2000, "min": 0.004, "max": 0.01}
            one["latency"]["1"] |= {**call, "inputs": call, "model": call}
            made.append(one)
    out = io.StringIO()
    Console(file=out, width=80).print(pages.render(sections(made), 80))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert sum(line.strip().startswith("random_forest") for line in lines) <= 3
    text = " ".join(lines)
    for shown in ("1.2–1.4", ".19–.23", "4.1–5.1", "model ms"):
        assert shown in text


def test_calls_of_unlike_protocols_are_not_pooled(record):
    """A p50 of 18 stood beside a p99 of 15 ms: of other seeds, timed in another way."""
    full, quick = (1000, 20.0), (20, 0.02)
    (section,) = sections(
        [
            calls(record, quick, 0.018, seed=0),
            calls(record, quick, 0.019, seed=1),
            calls(record, full, 0.010, 0.015, seed=2),
        ]
    )
    (row,) = section.rows
    assert [r["seed"] for r in row.calls(1)] == [2]
    assert row.call_seconds(1) == Span(0.005, 0.010, 0.020)  # one seed: over its calls


def test_a_percentile_that_one_seed_lacks_is_not_shown(record):
    full = (1000, 20.0)
    made = [calls(record, full, 0.01, 0.015, seed=0), calls(record, full, 0.02, None, seed=1)]
    for one in made:
        one["timing"] |= {"batches": [1, 10]}
    assert entry(*sections(made), "1 row", table=latency_table) == "10–20 / –"
    made[1] = calls(record, full, 0.02, 0.025, seed=1)
    made[1]["timing"] |= {"batches": [1, 10]}
    assert entry(*sections(made), "1 row", table=latency_table) == "10–20 / 14–30"


def test_a_row_that_was_timed_in_another_way_has_a_star_on_its_calls_alone(record):
    quick, full = (20, 0.02), (1000, 20.0)
    rows = [calls(record, quick, 0.01, name=name) for name in ("a", "b")]
    (section,) = sections([*rows, calls(record, full, 0.01, 0.02, name="c")])
    assert entry(section, "1 row ms", "c").endswith("*")
    assert not entry(section, "1 row ms", "a").endswith("*")
    assert not entry(section, "fit s", "c").endswith("*")
    assert "- \\* c: calls timed in another way, at most 1,000 within 20 s" in fragment(
        [results_table(section)]
    )


def test_preparation_and_model_stand_apart(record):
    """Of 12.4 ms the preparation took 12.3: nearly nothing of it was the model."""
    made = [
        calls(
            record,
            (20, 0.02),
            0.0124,
            seed=seed,
            inputs={"p50": 0.0123, "min": 0.012, "max": 0.013},
            model={"p50": 0.0001 + seed / 1e5, "min": 0.0001, "max": 0.0002},
        )
        for seed in range(2)
    ]
    (section,) = sections(made)
    assert (entry(section, "1 row ms"), entry(section, "model ms")) == ("12", ".1–.11")
    assert "model ms" not in [h.text for h in results_table(*sections([record()])).heads]


def test_a_batch_as_large_as_the_test_rows_is_no_other_measure_of_them(record):
    """With timing=full it was the median of a thousand calls, beside the one call of the others."""
    one, other = record("a"), record("b")
    for made in (one, other):
        made["phases"]["predict"]["wall"] = 0.004
    other["timing"] = other["timing"] | {"batches": [1, 1000]}
    other["latency"]["1000"] = {"p50": 0.001, "p99": 0.002, "min": 0.001, "calls": 1000}
    (section,) = sections([one, other])
    assert entry(section, "µs/row", "a") == entry(section, "µs/row", "b") == "4"
    assert len({cost.seconds_each for cost in costs(section, read_prices(PRICES))}) == 1


def test_a_disturbed_seed_is_left_out_where_there_are_others(record):
    made = [
        timed(record, seconds=1.0),
        timed(record, seed=1, seconds=1.1),
        timed(record, seed=2, seconds=9.0, checks=BUSY),
    ]
    (section,) = sections(made)
    (row,) = section.rows
    assert row.seconds(lambda r: phase(r, "fit")) == Span(1.0, 1.05, 1.1)
    assert section.strange_clocks == {}
    assert len(row.done) == 3, "its score counts"


def test_what_only_disturbed_clocks_tell_feeds_nothing(record):
    def models(**changes):
        slow = timed(record, "quick", auc=0.86, seconds=0.001, **changes)
        good = timed(record, "good", auc=0.87, seconds=9.0)
        return [good, slow, timed(record, "usual", auc=0.84)]

    for strange in (False, True):
        (section,) = sections(models(checks=BUSY) if strange else models())
        assert ("quick" in section.strange_clocks) == strange
        points = {d["model"]: d for d in score_against_time(section, "x").data}
        assert points["quick"]["front"] == (not strange)
        assert points["good"]["front"]
        named = {cost.label for cost in costs(section, read_prices(PRICES))}
        assert ("quick" in named) == (not strange)
        made = advise(section)
        assert made is not None
        assert [seconds_of(section, row) is None for row in section.rows] == [False, strange, False]
        assert entry(section, "fit s", "quick").endswith("*") == strange
    assert "the clock was disturbed in every seed" in fragment([results_table(section)])


def test_other_strange_clocks_feed_nothing_either(record):
    other = timed(record, "quick", auc=0.86, seconds=0.001)
    other["machine"] = other["machine"] | {"processor": "Q"}
    made = [timed(record, name, auc=0.8) for name in ("a", "b")]
    (section,) = sections([*made, other])
    assert "quick" not in {cost.label for cost in costs(section, read_prices(PRICES))}
    assert not next(d for d in score_against_time(section, "x").data if d["model"] == "quick")[
        "front"
    ]


# From run to run ---------------------------------------------------------------------------------


def of_runs(record, before, after, **changes):
    """What became of the fit: seconds by seed in one run, and in another."""
    rows = [
        Row("svm", [timed(record, seed=k, seconds=s, **changes) for k, s in enumerate(side)])
        for side in (before, after)
    ]
    return factor(Pair(*rows), lambda r: phase(r, "fit"))


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ([1.0, 1.0, 1.0], [1.03, 0.97, 1.05], "≈.97–1.05"),
        ([1.0, 1.0], [0.6, 1.4], "≈.60–1.40"),
        ([1.0, 1.0], [1.5, 1.05], "≈1.05–1.50"),
        ([1.0, 2.0, 4.0], [1.5, 3.2, 6.0], "×1.50–1.60"),
        ([2.0, 2.0], [1.0, 1.2], "×.50–.60"),
        ([1.0], [1.03], "≈1.03?"),
        ([1.0], [2.0], "×2.00?"),
        ([1.0, 1.0], [1.03, 1.03], "≈1.03"),
    ],
)
def test_a_factor_stands_with_its_range_and_says_where_it_is_noise(record, before, after, text):
    assert factor_entry(of_runs(record, before, after), True, False).text == text


def test_a_size_has_no_noise():
    assert factor_entry(Factor(1.0, 1.0, 1.0, 1), False, False).text == "×1.00"


def test_seeds_that_differ_are_compared_by_all_that_they_leave_open(record):
    before = Row("svm", [timed(record, seed=k, seconds=s) for k, s in ((0, 1.0), (1, 1.2))])
    after = Row("svm", [timed(record, seed=k, seconds=s) for k, s in ((5, 1.1), (6, 1.5))])
    found = factor(Pair(before, after), lambda r: phase(r, "fit"))
    assert (found.least, found.most) == pytest.approx((1.1 / 1.2, 1.5))
    assert found.is_noise


# The order of cells ------------------------------------------------------------------------------


def cells(models="abcdefgh", seeds=(3, 0, 1)):
    return [
        (k, Cell("coin", model, seed, {"model": model}, {}, {}))
        for k, (seed, model) in enumerate((s, m) for s in seeds for m in models)
    ]


def order(of, name="a"):
    return [(cell.seed, cell.model) for _, cell in run.in_turns(of, name)]


def test_models_come_by_lot_within_a_seed_and_seeds_first():
    found = order(cells())
    assert [seed for seed, _ in found] == [3] * 8 + [0] * 8 + [1] * 8
    by_seed = ["".join(m for s, m in found if s == seed) for seed in (3, 0, 1)]
    assert len({*by_seed, "abcdefgh"}) == 4, "each seed has an order of its own"
    assert all(sorted(models) == list("abcdefgh") for models in by_seed)


def test_a_run_that_goes_on_keeps_its_order_and_another_has_its_own():
    whole = order(cells())
    left = [item for k, item in enumerate(cells()) if k % 3]
    assert order(left) == [one for one in whole if one in order(left)]
    assert order(cells(), "b") != whole


def test_a_command_runs_its_cells_in_that_order(eras, records):
    """Under way and after an interruption."""
    arguments = ("model.factor=1,2,3,4", "seed=1,0")
    assert eras(*arguments).returncode == 0
    begun = sorted(records(), key=lambda r: r["started"])
    assert [r["seed"] for r in begun] == [1] * 4 + [0] * 4
    factors = [[r["config"]["model"]["factor"] for r in begun if r["seed"] == s] for s in (1, 0)]
    assert [sorted(of) for of in factors] == [[1, 2, 3, 4]] * 2
    assert factors != [[1, 2, 3, 4]] * 2
