"""Tables: the numbers in them, their order, and that they fit."""

import csv
import io
from statistics import fmean, stdev

import numpy as np
import pytest
from rich.console import Console

from benchmarks.analysis.ratios import Ratio
from benchmarks.analysis.summary import sections
from benchmarks.show import pages
from benchmarks.show.formats import number
from benchmarks.show.latency_table import latency_table
from benchmarks.show.markdown import fragment
from benchmarks.show.results_table import results_data, results_table
from benchmarks.show.spreadsheet import csv_text


def to_markdown(found) -> str:
    return fragment(map(results_table, found))


def rendered(records, width: int) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width).print(pages.render(sections(records), width))
    return out.getvalue().splitlines()


def test_a_row_sums_up_its_seeds(record):
    records = [record(seed=0, auc=0.80), record(seed=1, auc=0.84)]
    (section,) = sections(records)
    (row,) = section.rows
    assert row.score("roc_auc").mean == pytest.approx(0.82)
    assert row.score("roc_auc").deviation == pytest.approx(0.02828, abs=1e-5)
    assert row.share().value == pytest.approx(0.8)
    (line,) = csv.DictReader(io.StringIO(csv_text(results_data([section]))))
    assert float(line["roc_auc"]) == pytest.approx(0.82)
    assert float(line["predict_seconds_per_row"]) == pytest.approx(4e-6)
    assert float(line["single_row_seconds"]) == pytest.approx(0.002)
    assert float(line["memory_growth_bytes"]) == 2**20
    assert line["seeds"] == line["seeds_done"] == "2"


def of_seeds(record, scores, floor=0.5, ceiling=0.9, **more):
    """A row with these scores and, of each seed or of all, this floor and ceiling."""
    n = len(scores)
    floors, ceilings = (x if isinstance(x, list) else [x] * n for x in (floor, ceiling))
    (section,) = sections(
        record(seed=k, auc=score, floor={"roc_auc": low}, ceiling={"roc_auc": high}, **more)
        for k, (score, low, high) in enumerate(zip(scores, floors, ceilings, strict=True))
    )
    return section


@pytest.mark.parametrize(
    ("scores", "ceiling"),
    [
        ([0.506, 0.499, 0.503], [0.505, 0.502, 0.501]),  # a mean of ratios: 113 %
        ([0.497, 0.503, 0.500], [0.503, 0.499, 0.504]),
        ([0.501, 0.502], [0.500, 0.503]),
        ([0.50], [0.50]),
    ],
)
def test_where_ceiling_and_floor_meet_there_is_no_share(record, scores, ceiling):
    section = of_seeds(record, scores, ceiling=ceiling)
    assert section.rows[0].share() is None
    line = next(line for line in to_markdown([section]).splitlines() if "| svm" in line)
    assert "%" not in line


def test_a_single_seed_knows_the_noise_of_its_rows(record):
    lifts = {"roc_auc": {"score": 1e-4, "both": 0.8e-4, "ceiling": 1e-4}}
    near = of_seeds(record, [0.51], ceiling=0.515, lifts=lifts).rows[0]
    assert near.share() is None
    far = of_seeds(record, [0.82], ceiling=0.9, lifts=lifts).rows[0].share()
    assert far.value == pytest.approx(0.8)
    assert 0.74 < far.low < 0.79 < 0.81 < far.high < 0.86
    unknown = of_seeds(record, [0.82], ceiling=0.9).rows[0].share()
    assert (unknown.low, unknown.high) == (None, None)


def test_a_share_is_a_ratio_of_means_with_fiellers_interval(record):
    share = of_seeds(record, [0.71, 0.80, 0.71], ceiling=[0.8, 0.9, 0.85]).rows[0].share()
    assert share.value == pytest.approx((0.21 + 0.3 + 0.21) / (0.3 + 0.4 + 0.35))
    # By hand: at either end, t of the mean of come - r x whole is 4.3027 (2 degrees of freedom).
    for end in (share.low, share.high):
        rest = [0.21 - end * 0.3, 0.3 - end * 0.4, 0.21 - end * 0.35]
        t = fmean(rest) / (stdev(rest) / 3**0.5)
        assert abs(t) == pytest.approx(4.3027, rel=1e-4)


def test_the_interval_of_a_share_covers_it(record):
    """300 runs of three seeds, in which floor and ceiling vary together with the score."""
    random, covered = np.random.default_rng(0), 0
    for _ in range(300):
        moves = random.normal(0, 0.01, (3, 3))
        both = moves[:, 2]
        score, low, high = 0.8 + moves[:, 0] + both, [0.5] * 3, 0.9 + moves[:, 1] + both
        share = of_seeds(record, score.tolist(), list(low), high.tolist()).rows[0].share()
        covered += share.low <= 0.75 <= share.high
    assert 0.92 < covered / 300 < 0.98


def test_what_can_be_known_is_shared_on_the_seeds_that_the_bound_has(record):
    model = [record("svm", s, auc) for s, auc in enumerate((0.70, 0.74, 0.60))]
    bound = [record("oracle", s, auc, bound=True) for s, auc in enumerate((0.81, 0.82))]
    (section,) = sections(model + bound)
    known = section.known(section.rows[0])
    assert known.value == pytest.approx(0.44 / 0.63)
    (itself,) = section.bounds
    assert section.known(itself) == Ratio(1.0, 1.0, 1.0)
    assert "100%" in to_markdown([section])


def test_best_first_ceiling_above_floor_below_failures_last(record):
    records = [
        record("worse", auc=0.7),
        record("broken", status="failed", reason="why"),
        record("best", auc=0.85),
    ]
    lines = to_markdown(sections(records)).splitlines()
    names = [line.split("|")[1].strip() for line in lines if line.startswith("|")][2:]
    assert names == ["ceiling", "best", "worse", "broken", "floor"]
    assert "- broken: failed (1 of 1): why" in lines


def test_lower_is_better_where_it_is(record):
    def regression(model, rmse):
        scores = {"rmse": rmse, "mae": 1.0, "r2": 0.5}
        return record(
            model,
            kind="regression",
            metric="rmse",
            scores=scores,
            ceiling=None,
            floor={"rmse": 9.0, "mae": 9.0, "r2": 0.0},
        )

    (section,) = sections([regression("a", 3.0), regression("b", 2.0)])
    assert [row.label for row in section.rows] == ["b", "a"]
    assert section.rows[0].share() is None


def test_other_settings_are_other_rows_and_other_tasks_other_sections(record):
    def changed(part, **settings):
        made = record()
        made["config"][part] = made["config"][part] | settings
        made["changed"][part] = settings
        return made

    one_thread = record()
    one_thread["config"]["threads"] = 1
    found = sections([record(), changed("model", C=3), changed("task", rows=9), one_thread])
    assert [(s.task, s.label) for s in found] == [("coin", "coin"), ("coin", "coin rows=9")]
    assert {row.label for row in found[0].rows} == {"svm threads=2", "svm C=3", "svm threads=1"}


def test_how_a_model_did_it_stands_under_the_table(record):
    notes = [{"solver": "exact", "epochs": 3}, {"solver": "nystroem", "epochs": 4}]
    found = sections([record(seed=s, notes=n) for s, n in enumerate(notes)])
    assert "svm: solver=exact/nystroem\n" in to_markdown(found)
    assert any(
        "svm: solver=exact/nystroem" in line for line in rendered(found[0].rows[0].records, 80)
    )
    (plain,) = sections([record()])
    assert results_table(plain).notes == []


def test_records_of_other_code_are_not_mixed_in(record):
    old = record(auc=0.99, seed=1, code={"task": "0", "model": "old"})
    older = record(auc=0.98, code={"task": "old", "model": "0"})
    found = sections([record(), old, older])
    assert [s.label for s in found] == ["coin code=0", "coin code=old"]
    assert {row.label for row in found[0].rows} == {"svm code=0", "svm code=old"}
    assert [len(row.records) for row in found[0].rows] == [1, 1]


@pytest.mark.parametrize(("width", "tables"), [(80, 2), (140, 1)])
def test_tables_fit_the_terminal_and_lose_nothing(record, width, tables):
    records = [
        record("random_forest", seed=s, auc=0.8 + s / 100, era="networks") for s in (0, 1, 2)
    ]
    lines = rendered(records, width)
    assert max(map(len, lines)) <= width
    assert "…" not in "".join(lines)
    assert sum("random_forest" in line for line in lines) == tables
    assert any("0.810 ±.010" in line for line in lines)


def test_markdown_has_as_many_cells_in_every_line_and_names_machine_and_date(record):
    text = to_markdown(sections([record(), record("b")]))
    counts = {line.count("|") for line in text.splitlines() if line.startswith("|")}
    assert len(counts) == 1
    assert "P, 2 cores, 4 GB, Python 3.11; 2026-01-02." in text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.00012, "0.00012"), (1.234, "1.2"), (99.6, "100"), (12345, "12,000")],
)
def test_numbers_have_two_digits_and_no_exponent(value, text):
    assert number(value) == text


def test_a_clock_of_another_machine_has_a_star_and_a_reason(record):
    slow = record("slow")
    slow["machine"] = slow["machine"] | {"processor": "Q"}
    found = sections([record("a"), record("b"), slow])
    assert list(found[0].strange_clocks) == ["slow"]
    text = to_markdown(found)
    (line,) = (line for line in text.splitlines() if line.startswith("| slow"))
    assert "1.00*" in line
    assert "- \\* slow: timed on another machine (Q, 2, 4.0" in text
    assert text.count("1.00*") == 3  # view, warm-up and fit of this row alone
    found = sections([record("a"), record("a", seed=1) | {"machine": slow["machine"]}])
    assert "a" in found[0].strange_clocks  # a median over two machines


def test_cells_that_ran_side_by_side_have_a_star(record):
    def at(model, start, seconds, host="h"):
        made = record(model, started=f"2026-01-02T03:04:{start:06.3f}+00:00", seconds=seconds)
        made["machine"] = made["machine"] | {"host": host}
        return made

    records = [at("a", 1, 1.9), at("b", 3, 4), at("c", 5, 1), at("d", 8, 1), at("e", 8, 1, "i")]
    (section,) = sections(records)
    assert set(section.strange_clocks) == {"b", "c"}
    assert "side by side" in section.strange_clocks["b"]
    assert "* b: ran side by side" in "\n".join(rendered(records, 100))


def test_latency_by_batch_size_is_a_table_of_its_own(record):
    assert latency_table(*sections([record()])) is None
    full = record()
    full["timing"] = full["timing"] | {"batches": [1, 10]}
    full["latency"]["1"] |= {"p99": 0.009}
    full["latency"]["10"] = {"p50": 0.005, "p99": None, "min": 0.004, "calls": 9}
    full["cold_start"] = {"import": 1.25, "whole": 2.5}
    text = fragment([latency_table(*sections([full]))])
    (line,) = (line for line in text.splitlines() if line.startswith("| svm"))
    cells = [cell.strip() for cell in line.split("|")[1:-1]]
    assert cells == ["svm", "1.25", "2.50", "2 / 9", "5 / –", "2k"]
