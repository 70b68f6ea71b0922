"""Two runs side by side: what differs is named, what is alike is paired."""

import io

import pytest
from rich.console import Console

from benchmarks import compare


def shown(a, b, width: int = 200) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(compare.render(["one", "two"], [a, b], width))
    return out.getvalue()


def tweaked(record, **settings):
    record["config"]["model"] = record["config"]["model"] | settings
    record["changed"]["model"] = settings
    return record


def test_a_tweak_is_named_and_its_change_shown(record):
    a = [record(auc=0.80), record("forest")]
    b = [tweaked(record(auc=0.83), C=3), record("forest")]
    b[0]["phases"]["fit"]["wall"] = 2.5
    a[0]["config"]["model"]["C"] = 1
    text = shown(a, b)
    assert "svm.C" in text
    change = text[text.index("svm C=3") :].splitlines()[1]
    assert "+.030" in change
    assert "×2.50" in change
    assert "+.000" in text, "the forest did not change"


def test_equal_runs_differ_in_nothing(record):
    assert "Nothing that was recorded differs" in shown([record()], [record()])


def test_only_seeds_that_both_have_are_compared(record):
    a = [record(seed=0, auc=0.80), record(seed=1, auc=0.60)]
    text = shown(a, [record(seed=0, auc=0.81)])
    assert "+.010" in text
    assert "0.600" not in text


def test_rows_without_partner_are_named(record):
    text = shown([record(), record("forest")], [record(), record("network")])
    assert "only in one: forest" in text
    assert "only in two: network" in text


def test_the_plain_row_is_partner_of_a_tweak(record):
    a = [record(auc=0.8), tweaked(record(auc=0.7), C=9)]
    text = shown(a, [tweaked(record(auc=0.85), C=3)])
    assert "+.050" in text
    assert "only in one: svm C=9" in text


def test_other_rows_and_other_machines_are_pointed_out(record):
    b = record()
    b["config"]["task"] = b["config"]["task"] | {"rows": 90}
    b["changed"]["task"] = {"rows": 90}
    b["machine"] = b["machine"] | {"cores": 64}
    text = shown([record()], [b])
    assert "not the same rows" in text
    assert "machine.cores" in text
    assert "different machines" in text


def test_text_in_names_is_not_markup(record):
    assert "[red]x[/]" in shown([record("[red]x[/]")], [record("[red]x[/]")])


@pytest.mark.parametrize("width", [80, 140])
def test_it_fits(record, width):
    a = [record("random_forest", seed=s, auc=0.8 + s / 100) for s in (0, 1)]
    lines = shown(a, a, width).splitlines()
    assert max(map(len, lines)) <= width
    assert "…" not in "".join(lines)


def test_a_run_that_is_not_there_is_refused(tmp_path, capsys):
    (tmp_path / "here" / "cells").mkdir(parents=True)
    assert compare.main(["here", "gone", "--results", str(tmp_path)]) == 2
    assert "There is no run gone; there are: here." in capsys.readouterr().err
    assert compare.main(["here", "here", "--results", str(tmp_path)]) == 2
    assert "holds no records" in capsys.readouterr().err


def test_a_bound_that_both_runs_have_is_in_neither_alone(record):
    runs = [[record(), record("ideal_observer", auc=0.89, bound=True)] for _ in range(2)]
    assert "only in" not in shown(*runs)
