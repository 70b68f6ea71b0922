"""`task.train_rows`: any task with fewer train rows, for a learning curve."""

import pytest


def test_any_task_can_have_fewer_train_rows(eras, records) -> None:
    done = eras("task=coin", "task.rows=300", "model=steep,baseline", "task.train_rows=10,50,200")
    assert done.returncode == 0, done.stdout + done.stderr
    found = records()
    assert sorted(r["rows"]["train"] for r in found) == [10, 10, 50, 50, 200, 200]
    assert {r["rows"]["test"] for r in found} == {100}
    for record in found:
        assert record["config"]["task"]["train_rows"] == record["rows"]["train"]
        assert record["prepared"]["origin"] in ("made", "found"), "all of them read the same rows"
    assert len({r["ceiling"]["roc_auc"] for r in found}) == 1, "the test rows are the same"
    assert "coin over train rows: who leads where" in done.stdout


def test_a_task_without_it_is_what_it_was(eras, records) -> None:
    assert eras("task=coin").returncode == 0
    assert eras("task=coin", "task.train_rows=null").returncode == 0
    (record,) = records()  # the same cell
    assert "train_rows" not in record["config"]["task"]


@pytest.mark.parametrize("rows", ["0", "7", "-5", "many", "3.5", "true"])
def test_a_number_that_is_none_ends_in_a_sentence(eras, records, rows) -> None:
    done = eras("task=coin", f"task.train_rows={rows}")
    assert done.returncode == 2
    assert "task.train_rows=" in done.stderr
    assert "give a whole number from 8 on" in done.stderr
    assert records() == []


def test_more_than_there_are_is_skipped_and_says_so(eras, records) -> None:
    assert eras("task=coin", "task.train_rows=20,5000").returncode == 0
    endings = {r["config"]["task"]["train_rows"]: (r["status"], r["reason"]) for r in records()}
    assert endings[20] == ("done", None)
    assert endings[5000] == ("skipped", "there are 40 train rows (task.train_rows=5,000)")


def test_the_rows_of_a_small_number_are_the_last_ones(eras, records) -> None:
    """A model that says what it saw: the first word of the last row."""
    fit = ("task=sentences", "model=first_word", "task.train_rows=30,60")
    done = eras(*fit)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(r["rows"]["train"] for r in records()) == [30, 60]
