"""Models that read slowly are asked for a subset of many test rows; all others are scored on it."""

import json

import numpy as np
import pytest

from benchmarks.analysis.outcomes import outcomes
from benchmarks.analysis.summary import broadest, sections
from benchmarks.analysis.verdicts import judge
from benchmarks.records.records import Run
from benchmarks.records.subset import FEWEST, ROWS, places
from tasks.halves import on
from tasks.metrics import STANDARD

MANY = {"rare": "task.rows=3600", "slips": "task.rows=3600"}  # a third is tested
BOTH = "model.whole_test=true,false"


def test_places_are_the_same_whatever_the_model_and_seed() -> None:
    at = places(4_000)
    assert at is not None
    assert len(at) == ROWS
    assert (np.diff(at) > 0).all()
    assert at[-1] < 4_000
    assert np.array_equal(at, places(4_000))  # type: ignore[arg-type]
    assert places(FEWEST - 1) is None


def test_a_metric_on_a_half_knows_its_rows_among_others() -> None:
    rng = np.random.default_rng(0)
    rows = np.arange(1_200) % 2 == 1
    labels, answers = rng.integers(2, size=1_200), rng.random((1_200, 2))
    metric = on(rows, STANDARD["accuracy"], "half", "half", "half")
    at = places(1_200)
    assert at is not None
    part = metric.at(at)
    both = rows[at]
    expected = STANDARD["accuracy"].of(answers[at][both], labels[at][both])
    assert part.of(answers[at], labels[at]) == expected
    assert STANDARD["accuracy"].at(at) is STANDARD["accuracy"]


@pytest.mark.parametrize(
    ("task", "model", "judged_by", "scores"),
    [
        ("rare", "riser", "average_precision", {"average_precision", "brier"}),
        ("rare", "riser", "own", {"spread", "roc_auc"}),
        ("rare", "riser", "hits", {"hits"}),
        ("slips", "last_number", "", {"exact_match"}),
    ],
)
def test_pairs_stay_pairs(eras, records, tmp_path, task, model, judged_by, scores) -> None:
    """The same model twice, asked for all and for some: on these it is the same to the bit."""
    judged = [f"task.judged_by={judged_by}"] if judged_by else []
    done = eras(f"task={task}", MANY[task], f"model={model}", BOTH, *judged, "seed=0,1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "500 of 1,200 test rows" in done.stdout
    all_rows, some = ([r for r in records() if ("of" in r["rows"]) == part] for part in (0, 1))
    assert [r["rows"]["test"] for r in all_rows + some] == [1_200, 1_200, 500, 500]
    assert all(r["rows"]["of"] == 1_200 and r["subset"] is None for r in some)
    assert all(r["asked"]["predict"] == 500 for r in some)
    run = Run(tmp_path / "a")
    whole, part = (judge(s, run.outcomes) for s in sections(run.read()))
    assert [len(whole.rows), len(part.rows)] == [1, 2]
    assert part.part == "500 of 1,200 test rows"
    assert part.main.name in scores
    one, other = part.rows
    for name in scores:
        assert one.score(name) == other.score(name)
        assert task == "slips" or one.score(name) != whole.rows[0].score(name)
    for a, b in zip(outcomes(one, run.outcomes), outcomes(other, run.outcomes), strict=True):
        assert a.equals(b)
        if judged_by != "hits":  # of which nothing tells row by row
            x, y = a.measured(part.main.name), b.measured(part.main.name)
            assert x is not None
            assert y is not None
            assert np.array_equal(x.clusters, y.clusters)
    (verdict,) = part.verdicts
    assert verdict.difference == 0
    assert broadest([whole, part]) == [part]


def test_few_rows_and_a_score_of_the_tasks_own_are_asked_for_whole(eras, records) -> None:
    assert eras("task=rare", "model=riser", BOTH).returncode == 0
    few = ("task=rare", MANY["rare"], "model=riser", BOTH, "task.judged_by=score", "run=b")
    assert eras(*few).returncode == 0
    for record in records() + records("b"):
        assert "of" not in record["rows"]
        assert record["subset"] is None


def test_a_metric_can_be_chosen_for_the_subset_too(eras, tmp_path) -> None:
    done = eras("task=rare", MANY["rare"], "model=riser", BOTH, "metric=recall_at_10")
    assert done.returncode == 0, done.stdout
    run = Run(tmp_path / "a")
    part = sections(run.read())[1]
    seen = judge(part, run.outcomes, "log_loss")
    one, other = seen.rows
    assert one.score("log_loss") == other.score("log_loss") is not None


def test_page_and_comparison_tell_the_two_tables_apart(eras, records, tmp_path, capsys) -> None:
    from benchmarks import compare, report

    for run in ("a", "b"):
        assert eras("task=rare", MANY["rare"], "model=riser", BOTH, f"run={run}").returncode == 0
    assert report.main(["a", "--results", str(tmp_path), "--page-only"]) == 0
    assert "500 of 1,200 test rows" in (tmp_path / "a" / "report.html").read_text()
    capsys.readouterr()
    assert compare.main(["a", "b", "--results", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert told.count("identical") >= 3
    (record, *_) = [r for r in records() if r["subset"]]
    assert json.loads(json.dumps(record["subset"]))["rows"] == 500


def test_who_ended_without_a_score_says_why_in_both_tables(eras, tmp_path) -> None:
    assert eras("task=rare", MANY["rare"], "model=riser", BOTH).returncode == 0
    assert eras("task=rare", MANY["rare"], "model=first_word").returncode == 1  # it wants texts
    found = sections(Run(tmp_path / "a").read())
    assert len(found) == 2
    for section in found:
        (row,) = [row for row in section.rows if row.label == "first_word"]
        assert row.ending().startswith("failed (1 of 1): ")
