"""Runs side by side: what differs is named, what is alike is paired, what changed is judged."""

import json
import sys
from statistics import fmean
from types import ModuleType

import numpy as np
import pytest
from rich.console import Console

from benchmarks import compare
from benchmarks.analysis.comparison import Side, failures
from benchmarks.analysis.estimates import estimate, of_scores
from benchmarks.analysis.linear import Linear
from benchmarks.errors import BadInput
from benchmarks.show.comparison import comparison_chapters
from benchmarks.show.parts import Chapter, Picture, Table
from benchmarks.show.terminal import printed

ROWS = 2000
PLAIN = {"svm": 1.0}


def predicted(quality: float, seed: int, noise: float = 0.0, name: str = "svm"):
    """Raw outcomes of a model on the rows of a seed; the same arguments give the same ones."""
    random = np.random.default_rng(seed)
    labels = random.integers(2, size=ROWS)
    score = quality * (2 * labels - 1) + 1.5 * random.normal(size=ROWS)
    score += noise * np.random.default_rng([seed, len(name)]).normal(size=ROWS)
    p = (1 / (1 + np.exp(-score))).astype(np.float32)
    return {
        "predictions": np.column_stack([1 - p, p]),
        "labels": labels,
        "group": np.repeat(np.arange(ROWS // 10), 10),
    }


@pytest.fixture
def side(record):
    """Make a run by hand: model -> how good it is; `change` alters each record."""

    def make(name="one", models=PLAIN, seeds=(0, 1, 2), noise=0.0, gone=False, change=None):
        records, arrays = [], {}
        for model, quality in models.items():
            for seed in seeds:
                one = record(model, seed, rows={"train": 2 * ROWS, "test": ROWS})
                one["latency"][str(ROWS)] = one["latency"]["1000"]
                if change:
                    change(one)
                records.append(one)
                if one["status"] == "done":
                    arrays[model, seed] = predicted(quality, seed, noise, model)
        load = (lambda _: None) if gone else (lambda r: arrays.get((r["model"], r["seed"])))
        return Side(name, records, load)

    return make


@pytest.fixture
def written(side, tmp_path):
    """The same as a folder."""

    def write(name="one", **how):
        cells = tmp_path / name / "cells"
        cells.mkdir(parents=True)
        made = side(name, **how)
        for one in made.records:
            file = cells / "-".join(str(one[k]) for k in ("task", "model", "seed", "config_hash"))
            file.with_suffix(".json").write_text(json.dumps(one))
            if arrays := made.load(one):
                np.savez_compressed(file.with_suffix(".npz"), **arrays)
        return cells

    return write


def shown(*sides, width: int = 200) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(printed(comparison_chapters(compare.compare(sides)), width))
    return captured.get()


def change_of(*sides, metric="roc_auc", number=0):
    return compare.compare(sides).blocks[number].lines[0].changes[metric]


def set_of(**settings):
    """A change of the model's settings."""

    def alter(one):
        one["config"] = one["config"] | {"model": one["config"]["model"] | settings}
        one["changed"] = one["changed"] | {"model": settings}

    return alter


def failing(one):
    one |= {"status": "failed", "reason": "planted [red]failure[/]"}


# What a change is called -------------------------------------------------------------------------


def test_a_tweak_that_helps_is_better(side):
    found = change_of(side(), side("two", {"svm": 1.3}, change=set_of(C=3)))
    assert found.word == "better"
    assert found.ground.rows == "same"
    low, high = found.interval
    assert 0 < low < found.difference < high
    assert change_of(side(), side("two", {"svm": 1.3}), metric="log_loss").word == "better"


def test_one_that_hurts_is_worse_whichever_way_the_metric_points(side):
    for metric in ("roc_auc", "accuracy", "log_loss"):
        found = change_of(side(models={"svm": 1.3}), side("two"), metric=metric)
        assert found.word == "worse"
        assert (found.difference > 0) == (metric == "log_loss")
        assert found.interval[0] < found.difference < found.interval[1]


def test_one_that_does_nothing_is_identical(side):
    def other_code(one):
        one["code"] = {"task": "0", "model": "1"}

    found = change_of(side(), side("two", change=other_code))
    assert (found.word, found.difference) == ("identical", 0)
    assert "code of svm" in shown(side(), side("two", change=other_code))


def test_a_little_noise_is_equal_in_practice(side):
    found = change_of(side(), side("two", noise=0.01))
    assert found.word == "equal in practice"
    assert found.difference != 0


def test_what_nobody_can_tell_says_what_would(side):
    text = shown(side(seeds=(0, 1)), side("two", {"svm": 1.01}, seeds=(0, 1), noise=0.3))
    assert "can't tell" in text
    assert "? svm: can't tell; " in text


def test_identical_models_do_not_make_it_harder_for_the_others(side):
    """Ten models of which nobody touched nine: the tenth is judged as if it were alone."""
    many = {f"m{k}": 1.0 for k in range(9)}
    alone = change_of(side(), side("two", {"svm": 1.04}))
    among = compare.compare([side(models=PLAIN | many), side("two", {"svm": 1.04} | many)])
    words = [line.changes["roc_auc"].word for line in among.blocks[0].lines]
    assert words == [alone.word, *["identical"] * 9]


# What it stands on -------------------------------------------------------------------------------


def test_other_seeds_are_not_paired_and_that_is_said(side):
    found = change_of(side(), side("two", seeds=(3, 4, 5)))
    assert (found.ground.rows, found.word) == ("other", "can't tell")
    low, high = found.interval
    assert low < 0 < high
    text = shown(side(), side("two", seeds=(3, 4, 5)))
    assert "svm: they have no seed in common" in text
    assert "more seeds" not in text, "what would help is not more of the same"


def test_a_large_change_is_seen_on_other_rows_too(side):
    assert change_of(side(), side("two", {"svm": 1.8}, seeds=(3, 4, 5))).word == "better"


def test_other_settings_of_the_task_are_compared_unpaired_and_named_on_top(side):
    def larger(one):
        one["config"] = one["config"] | {"task": one["config"]["task"] | {"rows": 90}}
        one["changed"] = one["changed"] | {"task": {"rows": 90}}

    two = side("two", change=larger)
    two = Side("two", two.records, lambda r: predicted(1.0, r["seed"] + 100))
    assert change_of(side(), two).ground.rows == "other"
    text = shown(side(), two)
    assert "the test rows are not the same" in text
    assert "coin in one against coin rows=90 in two" in text
    assert text.index("coin.rows") < text.index("ROC AUC, two against one")
    assert "ROC AUC of svm on coin and coin rows=90: 1 undecided." in text


def test_seeds_that_both_have_are_compared(side):
    found = change_of(side(seeds=(0, 1, 2)), side("two", seeds=(1, 2, 7)))
    assert found.ground.seeds == (2, 2)
    assert "compared on seeds 1, 2 only" in shown(side(), side("two", seeds=(1, 2, 7)))


def test_without_raw_outcomes_scores_over_seeds_are_left(side):
    def scored(one):
        one["scores"] = one["scores"] | {"roc_auc": 0.8 + one["seed"] / 100}

    found = change_of(side(change=scored), side("two", gone=True, change=scored))
    assert (found.ground.rows, found.word) == ("unknown", "can't tell")
    # By hand: Welch's t with 4 degrees of freedom, both standard deviations 0.01.
    assert found.interval[1] == pytest.approx(2.7764 * np.sqrt(2 * 1e-4 / 3), rel=1e-3)
    one_seed = change_of(side(seeds=(0,), gone=True), side("two", seeds=(0,), gone=True))
    assert (one_seed.word, one_seed.interval) == ("can't tell", None)
    assert "raw outcomes are gone" in shown(side(), side("two", gone=True))


def test_a_score_that_is_not_there_is_left_out(side):
    def without(one):
        one["scores"] = one["scores"] | {"log_loss": None}

    comparison = compare.compare([side(), side("two", change=without)])
    assert set(comparison.blocks[0].lines[0].changes) == {"roc_auc", "accuracy"}


def sample(random, seeds: int, luck: float) -> list[Linear]:
    """Means of 400 rows each, whose seeds vary by `luck` times what rows make them vary."""
    drawn = random.normal(random.normal(0, luck / 20, (seeds, 1)), 1, (seeds, 400))
    return [Linear(float(x.mean()), x - x.mean(), 400) for x in drawn]


@pytest.mark.parametrize(("seeds", "luck"), [(3, 0.0), (3, 1.0), (10, 1.0)])
def test_intervals_of_two_samples_cover(seeds, luck):
    random = np.random.default_rng(seeds)
    covered = []
    for _ in range(300):
        both = [*sample(random, seeds, luck), *sample(random, seeds, luck)]
        found = estimate(both, [1] * seeds + [-1] * seeds)
        low, high = found.interval()
        covered.append(low <= 0 <= high)
    assert fmean(covered) >= 0.93


def test_scores_that_never_vary_are_what_they_are():
    assert of_scores([0.5, 0.5], [0.5, 0.5]).interval() == (0, 0)
    assert of_scores([0.5], [0.5, 0.6]) is None


# What belongs together ---------------------------------------------------------------------------


def test_equal_runs_differ_in_nothing(side):
    assert "Nothing that was recorded differs" in shown(side(), side("two"))


def test_only_differences_are_listed(side):
    def elsewhere(one):
        one["packages"] = {"numpy": "3", "new": "1"}
        one["commit"] = "def"

    text = shown(side(), side("two", change=elsewhere)).partition("\ncoin")[0]
    keys = {line.split()[0] for line in text.partition("──")[2].splitlines()[1:] if line.strip()}
    assert keys == {"packages.numpy", "packages.new", "commit"}


def test_rows_without_partner_are_named(side):
    one, two = side(models={"svm": 1, "forest": 1}), side("two", {"svm": 1, "network": 1})
    text = shown(one, two)
    assert "Only in one: forest" in text
    assert "Only in two: network" in text
    assert "network._target_" not in text


def joined(name, *sides):
    """A run of the records of several."""
    loads = {id(one): side.load for side in sides for one in side.records}
    records = [one for side in sides for one in side.records]
    return Side(name, records, lambda record: loads[id(record)](record))


def labels(*sides) -> list[str]:
    return [line.label for block in compare.compare(sides).blocks for line in block.lines]


def test_the_plain_row_is_partner_of_a_tweak(side):
    both = joined("one", side(), side(change=set_of(C=9)))
    text = shown(both, side("two", {"svm": 1.3}, change=set_of(C=3)))
    assert "svm → svm (C=3)" in text
    assert "Only in one: svm C=9" in text


@pytest.mark.parametrize("plain_too", [False, True])
def test_a_plain_row_is_partner_of_each_variant_that_the_other_run_has_alone(side, plain_too):
    tried = [side("two", {"svm": 1 + c / 10}, change=set_of(C=c)) for c in (3, 5)]
    wide = joined("two", *([side("two")] if plain_too else []), *tried)
    own = ["svm"] if plain_too else []
    assert labels(side(), wide) == [*own, "svm → svm (C=3)", "svm → svm (C=5)"]
    assert labels(wide, side()) == [*own, "svm (C=3) → svm", "svm (C=5) → svm"]
    lines = compare.compare([side(), wide]).blocks[0].lines
    assert [line.changes["roc_auc"].word for line in lines] == [
        *(["identical"] if plain_too else []),
        "better",
        "better",
    ]
    assert "Only in" not in shown(side(), wide)
    assert "svm → svm (C=5)" in shown(side(), wide, width=80)


def test_variants_pair_with_their_own_model_only(side):
    one = side(models={"svm": 1, "forest": 1})
    two = side("two", {"network": 1, "svm": 1.2}, change=set_of(C=3))
    assert labels(one, two) == ["svm → svm (C=3)"]
    text = shown(one, two)
    assert "Only in one: forest" in text
    assert "Only in two: network C=3" in text


def test_what_was_left_of_each_is_what_it_became(side):
    one = joined("one", side(), side(change=set_of(C=9)))
    two = joined("two", side("two"), side("two", change=set_of(C=3)))
    assert labels(one, two) == ["svm", "svm (C=9) → svm (C=3)"]


def test_a_bad_variant_is_no_fault_of_the_model_that_both_have(side):
    bad = side("two", {"svm": 0.5}, change=set_of(C=3))
    assert failures(compare.compare([side(), joined("two", side("two"), bad)]), 0.005) == []
    assert len(failures(compare.compare([side(), bad]), 0.005)) == 1


def test_a_bound_that_both_runs_have_is_in_neither_alone(record):
    runs = [
        Side(name, [record(), record("ideal_observer", auc=0.89, bound=True)], lambda _: None)
        for name in ("one", "two")
    ]
    assert "Only in" not in shown(*runs)


def test_spoiled_tasks_are_left_out(side):
    def spoiled(one):
        one["config"] = one["config"] | {"control": "shuffled_labels"}

    plain, control = side(), side(change=spoiled)
    one = Side("one", [*plain.records, *control.records], plain.load)
    comparison = compare.compare([one, side("two")])
    assert len(comparison.blocks) == 1
    assert "no contest" in comparison.remarks[0]


def test_three_runs_stand_against_the_first(side):
    sides = side(), side("two", {"svm": 1.3}), side("three", {"svm": 0.8})
    assert [change_of(*sides, number=k).word for k in (0, 1)] == ["better", "worse"]
    text = shown(*sides)
    assert "two against one" in text
    assert "three against one" in text


def test_runs_of_different_tasks_are_not_compared(side):
    def other(one):
        one["task"] = "dice"

    with pytest.raises(BadInput, match="one has coin, two has dice: nothing to compare"):
        compare.compare([side(), side("two", change=other)])


# Costs -------------------------------------------------------------------------------------------


def test_times_are_factors_and_a_disturbed_clock_is_starred(side):
    def slower(one):
        one["phases"]["fit"]["wall"] = 2.5
        one["checks"] = [{"code": "ME08", "text": "others were busy"}]

    text = shown(side(), side("two", change=slower))
    assert "×2.50*" in text
    assert "* svm: others were busy (in two)" in text
    assert "×1.00*" not in text.split("size")[1].splitlines()[2].split()[-1], "a size has no clock"


def test_times_of_another_machine_are_left_out(side):
    def elsewhere(one):
        one["machine"] = one["machine"] | {"cores": 64}

    text = shown(side(), side("two", change=elsewhere))
    assert "machine.cores" in text
    assert "left out, as one and two ran on different machines: svm" in text
    assert "×" not in text


# How it is shown ---------------------------------------------------------------------------------


def test_text_in_names_is_shown_as_text(side):
    name = "<b>[red]x[/]</b>\x1b[31m"
    text = shown(side("[bold]a", {name: 1}), side("b", {name: 1}))
    assert "<b>[red]x[/]</b>" in text
    assert "[bold]a" in text.replace("\n", "")
    assert "\x1b" not in text


@pytest.mark.parametrize("width", [80, 140])
def test_it_fits(side, width):
    models = {"random_forest": 1.0, "ideal_observer_of_many": 1.1}
    one = side("a_run_with_a_rather_long_name", models)
    two = side("another", dict.fromkeys(models, 1.01), noise=0.2)
    lines = shown(one, two, width=width).splitlines()
    assert max(map(len, lines)) <= width
    assert "…" not in "".join(lines)
    tables = lines[: lines.index("How to read this")]
    assert sum("verdict" in line and "rows" in line for line in tables) == 3, "one per metric"


def test_chapters_hold_a_picture_whose_names_are_only_values(side):
    name = "<script>[x].y"
    comparison = compare.compare([side(models={name: 1}), side("two", {name: 1.2})])
    found = comparison_chapters(comparison, True)
    parts = [part for chapter in found for part in chapter.parts]
    (picture,) = (part for part in parts if isinstance(part, Picture))
    assert picture.data[0]["model"] == name
    assert picture.data[0]["low"] < picture.data[0]["change"] < picture.data[0]["high"]
    spec = json.dumps(picture.chart.to_dict())
    assert name not in spec
    assert f'"name": "{picture.name}"' in spec
    names = [part.name for part in parts if isinstance(part, Table | Picture)]
    assert len(set(names)) == len(names)


# The command line --------------------------------------------------------------------------------


@pytest.fixture
def call(tmp_path, capsys, monkeypatch):
    """(exit code, standard output, standard error)"""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments):
        try:
            code = compare.main([*arguments, "--results", str(tmp_path)])
        except SystemExit as left:
            code = left.code
        return code, *capsys.readouterr()

    return run


def test_a_run_with_itself_is_identical(written, call):
    written()
    code, out, _ = call("one", "one", "--fail-if-worse", "0")
    assert code == 0
    assert "identical" in out
    assert "one (2) against one" in out


def test_fail_if_worse(written, call):
    written()
    written("same")
    written("worse", models={"svm": 0.8})
    written("better", models={"svm": 1.3})
    assert call("one", "same", "--fail-if-worse", "0")[0] == 0
    assert call("one", "better", "--fail-if-worse", "0")[0] == 0
    assert call("one", "worse")[0] == 0, "nobody asked"
    code, out, _ = call("one", "better", "worse", "--fail-if-worse", "0.005")
    assert code == 1
    (line,) = (line for line in out.splitlines() if line.startswith("✗"))
    assert "svm: ROC AUC worse by more than 0.005: −." in line
    assert "worse against one" in line
    assert call("one", "worse", "--fail-if-worse", "0.9")[0] == 0
    assert call("one", "worse", "--fail-if-worse", "0.005", "--metric", "log_loss")[0] == 1


def test_noise_does_not_fail(side):
    comparison = compare.compare([side(), side("two", {"svm": 0.95}, seeds=(3, 4))])
    change = comparison.blocks[0].lines[0].changes["roc_auc"]
    assert change.difference < 0 < change.interval[1]
    assert not failures(comparison, 0.0)


def test_a_model_that_now_fails_fails(written, call):
    written()
    written("broken", change=failing)
    code, out, _ = call("one", "broken", "--fail-if-worse", "0.1")
    assert code == 1
    assert "✗ svm: done in one, failed (3 of 3): planted [red]failure[/]" in out
    assert call("broken", "broken", "--fail-if-worse", "0")[0] == 0, "it never was done"


@pytest.mark.parametrize("amount", ["-1", "nan", "inf", "much"])
def test_an_amount_that_is_none_is_refused(written, call, amount):
    written()
    code, _, error = call("one", "one", f"--fail-if-worse={amount}")
    assert code == 2
    assert "--fail-if-worse" in error


def test_what_cannot_be_compared_is_refused(written, call, tmp_path):
    def other(one):
        one["task"] = "dice"

    written()
    written("dice", change=other)
    (tmp_path / "empty" / "cells").mkdir(parents=True)
    for arguments, sentence in {
        ("one", "gone"): "There is no run gone; there are: dice, empty, one.",
        ("one", "empty"): "The run empty holds no records.",
        ("one", "dice"): "one has coin, dice has dice: nothing to compare.",
        ("one", "one", "--metric", "r2"): "coin has no metric r2",
        ("one",): "required: B",
        ("one", "one", "--html", str(tmp_path / "no" / "x.html")): "x.html cannot be written",
    }.items():
        code, _, error = call(*arguments)
        assert code == 2, arguments
        assert sentence in error


def test_damaged_files_are_named_and_the_rest_compared(written, call):
    cells = written()
    written("two", models={"svm": 1.3})
    (cells / "coin-svm-0-0.json").write_text("{")
    (cells / "coin-svm-1-0.npz").write_bytes(b"no archive")
    code, out, error = call("one", "two")
    assert code == 0
    assert "coin-svm-0-0.json is damaged" in error
    assert "svm: compared on seed 2 only" in out


def test_markdown_and_page_are_made_of_the_same_chapters(written, call, tmp_path, monkeypatch):
    made = {}
    markdown, page = ModuleType("markdown"), ModuleType("page")
    markdown.document = lambda title, chapters: f"# {title}, {len(chapters)} chapters"
    page.write_page = lambda file, title, chapters: made.update({file.name: (title, chapters)})
    monkeypatch.setitem(sys.modules, "benchmarks.show.markdown", markdown)
    monkeypatch.setitem(sys.modules, "benchmarks.show.page", page)
    monkeypatch.setattr("benchmarks.show.page", page, raising=False)
    written()
    written("two", models={"svm": 1.3})
    files = [str(tmp_path / name) for name in ("x.md", "x.html")]
    assert call("one", "two", "--markdown", files[0], "--html", files[1])[0] == 0
    assert (tmp_path / "x.md").read_text() == "# two against one, 4 chapters"
    title, found = made["x.html"]
    assert title == "two against one"
    assert all(isinstance(chapter, Chapter) for chapter in found)


def test_what_is_no_longer_done_is_in_the_first_sentence(written, call):
    def late(one):
        if one["model"] == next(iter(PLAIN)):
            one |= {"status": "timeout", "reason": "stopped after 3 s in fit"}

    written("one")
    written("two", change=late)
    _, out, _ = call("one", "two")
    first = out.splitlines()[0]
    assert f"not done in two: {next(iter(PLAIN))} (timeout, 3 of 3)" in first
    assert "not done" not in call("two", "one")[1]
