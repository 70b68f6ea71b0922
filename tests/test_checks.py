"""Every check fires where it should and is silent where it should."""

from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from benchmarks.analysis.summary import sections
from benchmarks.cell import checks
from benchmarks.cell.checks import CHECKS, Evidence, fired
from benchmarks.records.codes import NAMES
from benchmarks.runner.settings import QUICK
from benchmarks.runner.wanted import is_wanted
from benchmarks.show import pages
from benchmarks.show.markdown import fragment
from benchmarks.show.results_table import results_table
from tasks.base import Data
from tasks.metrics import STANDARD
from tests.conftest import ROOT

ROWS = 2000


def good() -> Evidence:
    """A binary cell that nothing is wrong with: the true probabilities."""
    random = np.random.default_rng(0)
    truth = random.beta(1.5, 2.5, ROWS)
    codes = (random.random(ROWS) < truth).astype(np.int16)
    p = np.column_stack([1 - truth, truth]).astype(np.float32)
    phase = {"wall": 2.0, "cpu": 2.0, "others": 0.05, "memory_growth": 1.0, "peak": 1e8}
    return Evidence(
        Data(None, codes, codes, ("no", "yes"), group=np.arange(ROWS) // 10),
        p,
        STANDARD["roc_auc"],
        again=lambda rows: p[rows],
        on_train=lambda rows: (p[rows], codes[rows]),
        warnings=["UserWarning"],
        unfinished=None,
        phases={"fit": phase, "predict": phase},
        slowdown=1.2,
        tuning={"chosen": {"C": 1.0, "depth": 4, "name": "a"}},
        suspicions=[],
        space={
            "C": {"low": 0.01, "high": 100.0, "log": True},
            "depth": {"low": 2, "high": 8},
            "name": {"choices": ["a", "b"]},
        },
    )


def codes_of(cell: Evidence) -> list[str]:
    return [check["code"] for check in fired(cell)]


def flat(cell: Evidence, share: float = 0.9) -> Evidence:
    """Predictions that say nothing."""
    noise = np.random.default_rng(1).normal(0, 0.01, ROWS)
    p = np.column_stack([1 - share - noise, share + noise]).astype(np.float32)
    return replace(
        cell,
        predictions=p,
        again=lambda rows: p[rows],
        on_train=lambda rows: (p[rows], cell.codes[rows]),
    )


def sharper(cell: Evidence) -> Evidence:
    """Too sure of itself, in the same order."""
    p = cell.predictions[:, 1] ** 3 / (cell.predictions[:, 1] ** 3 + cell.predictions[:, 0] ** 3)
    return replace(cell, predictions=np.column_stack([1 - p, p]), again=lambda rows: np.column_stack([1 - p, p])[rows])  # fmt: skip # noqa: E501


def with_phase(cell: Evidence, **facts: float) -> Evidence:
    return replace(cell, phases={"fit": {**cell.phases["fit"], **facts}})


BAD = {
    "ME01": lambda cell: replace(cell, warnings=["ConvergenceWarning"]),
    "ME02": flat,
    "ME03": lambda cell: replace(
        cell, on_train=lambda rows: (np.eye(2)[cell.codes[rows]], cell.codes[rows])
    ),
    "ME04": sharper,
    "ME06": lambda cell: replace(cell, again=lambda rows: cell.predictions[np.sort(rows)]),
    "ME07": lambda cell: replace(cell, unfinished="the last of 3 trees still helped"),
    "ME08": lambda cell: with_phase(cell, others=0.5),
    "ME09": lambda cell: with_phase(cell, peak=1e15),
    "ME11": lambda cell: replace(cell, suspicions=["'x' is called like the target 'y'"]),
    "ME10": lambda cell: replace(cell, tuning={"chosen": {"C": 99.0, "depth": 8}}),
}


def test_a_good_cell_is_silent():
    assert fired(good()) == []


@pytest.mark.parametrize("code", CHECKS)
def test_each_fires_and_says_what_it_saw(code):
    found = {check["code"]: check["text"] for check in fired(BAD[code](good()))}
    assert code in found
    assert found[code]
    assert code not in [c["code"] for c in fired(BAD[code](good()), off=[code])]


@pytest.mark.parametrize("code", sorted(set(CHECKS) - {"ME02", "ME04"}))
def test_each_fires_alone(code):
    assert codes_of(BAD[code](good())) == [code]


def test_the_floor_itself_and_a_single_busy_tick_are_no_finding():
    cell = good()
    share = (cell.codes == 1).mean()
    p = np.tile([1 - share, share], (ROWS, 1)).astype(np.float32)
    assert "ME02" not in codes_of(replace(cell, predictions=p, again=lambda rows: p[rows]))
    assert "ME08" not in codes_of(with_phase(cell, wall=0.05, others=0.04))


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("values", [1, 3, 25])
def test_calibration_does_not_depend_on_the_order_of_the_rows(values, several):
    """Few different predictions: a file that is sorted by its target looked badly calibrated."""
    random = np.random.default_rng(0)
    said = (random.integers(values, size=ROWS) + 1) / (values + 2)
    if several:
        said = 0.5 + said / 2  # of the class that is predicted, the first
        p = np.column_stack([said, (1 - said) / 2, (1 - said) / 2])
        codes = np.where(random.random(ROWS) < said, 0, 1)
    else:
        p, codes = np.column_stack([1 - said, said]), (random.random(ROWS) < said).astype(int)
    names = ("a", "b", "c")[: p.shape[1]]

    def seen(order, predictions=p):
        data = Data(None, codes, codes[order], names)
        return checks.calibrated(replace(good(), data=data, predictions=predictions[order]))

    orders = [np.arange(ROWS), np.argsort(codes, kind="stable"), random.permutation(ROWS)]
    assert [seen(order) for order in orders] == [None] * 3
    wrong = p[:, [1, 0, *range(2, p.shape[1])]]
    texts = {seen(order, wrong) for order in orders}
    assert len(texts) == 1, "ties have no order"


def test_a_machine_that_was_slow_to_begin_with_disturbs_the_clock():
    (found,) = fired(replace(good(), slowdown=1.6))
    assert found == {"code": "ME08", "text": "the machine was 1.6 times slower than usual"}


def test_at_which_end_of_which_space():
    cell = replace(good(), tuning={"chosen": {"C": 0.0101, "depth": 7, "name": "a"}})
    assert [c["text"] for c in fired(cell)] == ["C=0.0101"]


def test_regression_and_several_classes_are_checked_too():
    random = np.random.default_rng(0)
    y = random.normal(size=500)
    p = y + 0.3 * random.normal(size=500)
    cell = replace(
        good(),
        data=Data(None, y, y),
        predictions=p,
        metric=STANDARD["r2"],
        again=lambda rows: p[rows],
        on_train=lambda rows: (p[rows], y[rows]),
    )
    assert fired(cell) == []
    q = random.dirichlet([1, 1, 1], 500)
    codes = np.array([random.choice(3, p=row) for row in q])
    several = replace(
        good(),
        data=Data(None, codes, codes, ("a", "b", "c")),
        predictions=q,
        metric=STANDARD["accuracy"],
        again=lambda rows: q[rows],
        on_train=lambda rows: (q[rows], codes[rows]),
    )
    assert fired(several) == []
    wrong = q[:, [1, 2, 0]]
    assert "ME04" in codes_of(replace(several, predictions=wrong, again=lambda rows: wrong[rows]))


@pytest.mark.parametrize(
    ("predictions", "classes", "fires"),
    [
        ([[0.5, 0.5]], ("a", "b"), False),
        ([[np.nan, 0.5]], ("a", "b"), True),
        ([[-0.1, 1.1]], ("a", "b"), True),
        ([[0.4, 0.4]], ("a", "b"), True),
        ([3.0], (), False),
        ([np.inf], (), True),
    ],
)
def test_impossible_predictions(predictions, classes, fires):
    assert (checks.possible(np.array(predictions), classes) is not None) == fires


def test_a_cell_with_impossible_predictions_fails_with_its_code(eras, records):
    eras("model.mode='not a number'")
    (record,) = records()
    assert [c["code"] for c in record["checks"]] == ["ME05"]
    assert record["status"] == "failed"


def test_checks_stand_in_the_record_and_can_be_skipped(eras, records):
    assert eras("task.slope=0.01", "task.rows=600").returncode == 0
    (record,) = records()
    assert "ME02" in [c["code"] for c in record["checks"]]
    eras("task.slope=0.01", "task.rows=600", "checks.skip=[ME02]", "run=b")
    (record,) = records("b")
    assert "ME02" not in [c["code"] for c in record["checks"]]
    refused = eras("checks.skip=[ME99]")
    assert refused.returncode == 2
    assert "checks.skip" in refused.stderr


def test_the_table_marks_them_and_says_them_in_words(record):
    found = [{"code": "ME03", "text": "0.99 on train"}, {"code": "ME08", "text": "busy"}]
    records = [record("a", checks=found), record("b", checks=[])]
    text = fragment(map(results_table, sections(records)))
    assert "03 08 |" in text
    assert "- ME03 much better on train rows than on test rows: a (0.99 on train)" in text
    with (console := Console(width=80)).capture() as capture:
        console.print(pages.render(sections(records), 80))
    assert "! ME08 the clock was disturbed: a (busy)" in capture.get()


def test_disturbed_cells_are_run_again_when_asked(record):
    limits = {"seconds": 600}
    busy = record(checks=[{"code": "ME08", "text": "busy"}])
    assert is_wanted(busy, limits, QUICK, False, "disturbed")
    assert not is_wanted(busy, limits, QUICK, False, "nothing")
    assert not is_wanted(record(checks=[]), limits, QUICK, False, "disturbed")


def test_every_code_has_a_section():
    text = (ROOT / "docs" / "checks.md").read_text("utf-8")
    for code, name in NAMES.items():
        assert f"## {code} {name}\n" in text


@pytest.mark.parametrize("unit", [1.0, 1e-6, 1e6, 1e-30])
@pytest.mark.parametrize("zero", [0.0, 1e3])
def test_no_unit_of_the_outcome_changes_what_fires(unit, zero):
    random = np.random.default_rng(0)
    known = random.normal(size=ROWS)
    y = unit * (known + 0.5 * random.normal(size=ROWS) + zero)

    def said(p: np.ndarray, moved: float = 0.0) -> list[str]:
        cell = replace(
            good(),
            data=Data(None, y, y),
            metric=STANDARD["r2"],
            predictions=p,
            again=lambda rows: p[rows] + moved * unit,
            on_train=lambda rows: (p[rows], y[rows]),
        )
        return [code for code in codes_of(cell) if code in ("ME02", "ME06")]

    assert said(unit * (known + zero)) == []
    assert said(np.full(ROWS, y.mean())) == []  # the floor itself is no finding
    assert said(y.mean() + unit * 0.3 * random.normal(size=ROWS)) == ["ME02"]
    assert said(y.mean() + unit * 1e-3 * random.normal(size=ROWS)) == ["ME02"]
    assert said(unit * (known + zero), moved=0.1) == ["ME06"]
    assert said(unit * (known + zero), moved=1e-4) == []
