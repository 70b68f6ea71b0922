"""Every era on every home ground, and what a view gives against what a model gives."""

from dataclasses import replace

import pytest

from benchmarks.analysis.dial import dial
from benchmarks.analysis.matrix import ground, matrix
from benchmarks.analysis.summary import sections
from benchmarks.analysis.verdicts import Verdict
from benchmarks.show import pages
from benchmarks.show.build import report_chapters
from benchmarks.show.markdown import fragment
from benchmarks.show.matrix_pictures import dial_picture, matrix_picture
from benchmarks.show.matrix_table import dial_table, matrix_table
from benchmarks.show.parts import Picture, parts_of
from tests.test_sweeps import PRICES

YEARS = {"logistic": 1958, "xgboost": 2016, "convnet": 2016, "rocket": 2019, "embedder": 2020}


@pytest.fixture
def grounds(record):
    """Three tasks: tables alone; signals, where rocket lacks a seed; ids, which convnet cannot
    read."""
    scores = {
        "tables": {("logistic", "features"): 0.7, ("xgboost", "features"): 0.8},
        "hearts": {
            ("logistic", "features"): 0.7,
            ("xgboost", "features"): 0.78,
            ("convnet", "signal"): 0.86,
            ("rocket", "signal"): 0.84,
        },
        "ads": {("logistic", "features"): 0.6, ("embedder", "ids"): 0.59},
    }
    made = [
        record(model, seed, auc + seed / 500, task=task, view=view, year=YEARS[model])
        for task, of in scores.items()
        for (model, view), auc in of.items()
        for seed in (0, 1)
    ]
    reason = "Ads has no view 'signal'; it offers features, ids"
    ended = {"status": "skipped", "reason": reason, "scores": None, "task": "ads"}
    made += [record("convnet", seed, view="signal", year=2016, **ended) for seed in (0, 1)]
    died = {"status": "timeout", "reason": "stopped after 600 s in fit", "task": "ads"}
    made += [record("rocket", 0, view="signal", year=2019, **{**died, "scores": None})]
    return sections(made)


def judged(section, better: str, worse: str, word: str = "better"):
    verdict = Verdict(
        better,
        worse,
        metric="roc_auc",
        difference=0.05,
        band=0.002,
        design="new rows",
        low=0.01,
        high=0.09,
        p=0.001,
        word=word,
        seeds=2,
    )
    return replace(section, verdicts=[verdict])


def test_models_stand_by_their_years_and_every_square_has_a_score_or_a_reason(grounds):
    made = matrix(grounds)
    assert made is not None
    assert list(made.models) == ["logistic", "convnet", "xgboost", "rocket", "embedder"]
    assert [section.task for section in made.sections] == ["ads", "hearts", "tables"]
    squares = dict(zip(made.models, made.squares, strict=True))
    assert [square.has_score for square in squares["convnet"]] == [False, True, False]
    assert [square.why[0] for square in squares["convnet"]] == ["reads signal", "", "not run"]
    assert squares["convnet"][0].why[1].startswith("Ads has no view 'signal'")
    assert squares["rocket"][0].why == ("timeout", "stopped after 600 s in fit")
    assert squares["logistic"][1].rank == (4, 4)
    assert squares["convnet"][1].rank == (1, 1)
    for line in made.squares:
        for square in line:
            assert bool(square.why[0]) is not square.has_score
            assert (square.rank is None) is not square.has_score
            assert (square.seconds is None) is not square.has_score


def test_an_empty_square_is_never_a_zero(grounds):
    made = matrix(grounds)
    assert made is not None
    table = matrix_table(made)
    by_model = {row[0].text: row for row in table.rows}
    empty = by_model["convnet"][3], by_model["convnet"][1], by_model["rocket"][1]
    assert [(entry.text, entry.value) for entry in empty] == [
        ("– not run", None),
        ("– signal", None),
        ("– timeout", None),
    ]
    full = by_model["convnet"][2]
    assert full.text == "1: 87–93%, 4.0 s"
    assert full.value == pytest.approx(0.9, abs=0.01)
    picture = matrix_picture(made)
    values = {(d["model"], d["task"]): d["value"] for d in picture.data}
    assert values["convnet", "ads"] is None
    assert len(values) == 15


def test_a_sentence_a_task_says_what_its_own_ground_gave(grounds):
    tables, hearts, ads = grounds
    assert ground(tables) == "", "nothing was read but features"
    assert ground(judged(hearts, "convnet", "xgboost")) == (
        "On hearts, convnet on signal has ROC AUC 0.861, xgboost on features 0.781: what the task "
        "is made of gives +0.080 over what a person designed (better)."
    )
    assert "gives −0.010 over what a person designed (worse)" in ground(
        judged(ads, "logistic", "embedder")
    )
    assert "(can't tell)" in ground(judged(ads, "embedder", "logistic", "can't tell"))


def test_there_is_no_matrix_of_one_task_of_a_sweep_or_of_strangers(record):
    one = [record("a"), record("b")]
    assert matrix(sections(one)) is None
    sweep = [record("a"), record("a")]
    task = {"_target_": "tests.harness.Coin", "rows": 99}
    sweep[1]["config"] = {**sweep[1]["config"], "task": task}
    assert matrix(sections(sweep)) is None
    strangers = [record("a", task="one"), record("b", task="other")]
    assert matrix(sections(strangers)) is None
    assert matrix(sections([record("a", task="one"), record("a", task="other")])) is not None


def views(record, scores):
    made = []
    for (model, view), auc in scores.items():
        own = {} if view in ("features", "events") else {"view": view}
        config = record()["config"]
        config = {**config, "model": {"_target_": f"m.{model}", "view": view}}
        changed = {"task": {}, "model": own}
        year = {"baseline": 1662, "logistic": 1958, "xgboost": 2016, "gru": 2014}[model]
        made.append(record(model, 0, auc, view=view, config=config, changed=changed, year=year))
    return sections(made)[0]


SCORES = {
    ("baseline", "features"): 0.5,
    ("baseline", "features_rich"): 0.5,
    ("logistic", "features"): 0.78,
    ("logistic", "features_rich"): 0.84,
    ("xgboost", "features"): 0.80,
    ("xgboost", "features_rich"): 0.83,
    ("xgboost", "auto"): 0.81,
    ("gru", "events"): 0.79,
}


def test_what_a_view_gives_and_what_a_model_gives(record):
    made = dial(views(record, SCORES))
    assert made is not None
    assert list(made.rows) == ["logistic", "gru", "xgboost"], "the floor is no model to gain from"
    assert list(made.views) == ["events", "features", "auto", "features_rich"]
    assert made.start() == ("logistic", "features")
    assert made.sentence() == (
        "From logistic on features (ROC AUC 0.780): another view of the same rows gives +0.060 "
        "(features_rich), another model on the same view +0.020 (xgboost), both +0.060 (logistic "
        "on features_rich)."
    )
    table = dial_table(made, "views")
    found = {row[0].text: [entry.text for entry in row[1:]] for row in table.rows}
    place = list(made.views).index("features_rich")
    assert found["logistic"][place] == "0.840"
    assert found["gru"][place] == "–"
    assert isinstance(dial_picture(made, "views"), Picture)


def test_one_view_is_no_dial(record):
    one = {k: v for k, v in SCORES.items() if k[1] in ("features", "events")}
    assert dial(views(record, one)) is None


def test_they_are_shown_on_the_page_in_the_tables_and_on_the_terminal(record, grounds):
    section = views(record, SCORES)
    for found, word in ((grounds, "home-grounds"), ([section], "views-1")):
        chapters = report_chapters(found, lambda _: None, [], PRICES)
        names = [part.name for part in parts_of(chapters) if not isinstance(part, str)]
        assert word in names
        shown = [table.name for chapter in pages.shown_chapters(found) for table in chapter.parts]
        assert word in shown
    lead = report_chapters([section], lambda _: None, [], PRICES)[0]
    assert any("From logistic on features" in str(part) for part in lead.parts)
    made = matrix(grounds)
    assert made is not None
    assert "what the task is made of gives" in fragment([matrix_table(made)])
