"""The report says what the records say, as one page and as files, whatever the names hold."""

import csv
import json
import re
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks.analysis.curves import SHARES, THRESHOLDS, curve
from benchmarks.analysis.summary import Row
from benchmarks.records.records import Run
from benchmarks.report import main
from benchmarks.show.files import write_files
from benchmarks.show.parts import Chapter, Entry, Head, Table
from tests.conftest import ROOT

EVIL = '<img src=x onerror=alert("no")> & =1+1 | [red]'
CHAPTERS = [
    "The answer",
    "Which one?",
    "How sure?",
    "What does it cost me?",
    "Where is it wrong?",
    "Would more data help?",
    "Would a search help?",
    "What did the work look like?",
    "Failures",
    "Checks",
    "How was it measured?",
]
WORK = {
    "feature_lines_sql": 12,
    "feature_lines_python": 3,
    "model_lines": 40,
    "loop_lines": 0,
    "knobs": 4,
    "knobs_changed": 0,
    "knobs_tuned": 0,
    "fits": 1,
    "labels": 2000,
    "tokens": None,
    "packages": ["a"],
    "package_bytes": 10**6,
    "gpu": "no",
    "raw_columns": 3,
    "designed_columns": 2,
}


@pytest.fixture
def made(tmp_path, record):
    """A run written by hand: `add(model, skill, seed, **changes)` adds a cell, whose predictions
    know so much of the truth."""
    run = Run(tmp_path / "results" / "made")
    run.create()
    rng = np.random.default_rng(0)
    truth = rng.uniform(size=1000)
    labels = (rng.uniform(size=1000) < truth).astype(np.int16)

    def add(model: str, skill: float = 0.5, seed: int = 0, **changes: object) -> dict:
        own = np.random.default_rng([seed, len(model)]).uniform(size=1000)
        p = skill * truth + (1 - skill) * own
        made = record(
            model, seed, 0.5 + skill / 3, config_hash=f"{seed}{len(model)}", work=WORK, **changes
        )
        name = f"coin-{re.sub('[^a-z]', '', model)}-{seed}-{made['config_hash']}"
        (run.cells / f"{name}.json").write_text(json.dumps(made))
        stem = f"coin-{model}-{seed}-{made['config_hash']}"
        if "/" not in stem and made["status"] == "done":
            two = [np.column_stack([1 - v, v]).astype(np.float32) for v in (p, truth)]
            np.savez(
                run.cells / f"{stem}.npz",
                predictions=two[0],
                truth=two[1],
                labels=labels,
                classes=np.array(["tail", "head"]),
            )
        return made

    add.run = run  # type: ignore[attr-defined]
    return add


def report(made, *arguments: str) -> int:
    return main([made.run.name, "--results", str(made.run.folder.parent), *arguments])


def page(made) -> str:
    return (made.run.folder / "report.html").read_text(encoding="utf-8")


def test_one_page_with_all_chapters_that_needs_nothing_else(made, capsys):
    for model, skill in (("svm", 0.6), ("forest", 0.9), ("linear", 0.3)):
        for seed in (0, 1):
            made(model, skill, seed)
    assert report(made) == 0
    text = page(made)
    assert re.findall(r"<h2 id=[^>]*>(.*?)</h2>", text) == CHAPTERS
    assert len(text) < 3e6
    shell = re.sub(r"(?s)<script.*?</script>", "", text)
    assert not re.findall(r"""(?:src|href)=["'](?!#|data:)[^"']*""", shell)
    assert "default-src 'none'" in shell
    assert "Use forest: better than all others; ROC AUC 0.800" in shell
    assert str(made.run.folder / "report.html") in capsys.readouterr().out


def test_names_are_shown_as_text_and_never_run(made):
    made(EVIL, 0.9)
    made("svm", 0.5)
    made("broken", status="failed", reason="<script>alert(1)</script>")
    assert report(made) == 0
    text = page(made)
    assert "<img src=x" not in text
    assert "<script>alert" not in text
    assert "&lt;img src=x onerror=alert(&#34;no&#34;)&gt; &amp; =1+1 | [red]" in text
    data = json.loads(re.search(r'(?s)id="data">(.*?)</script>', text)[1])
    assert data["results-1"][1]["model"] == EVIL
    markdown = (made.run.folder / "report" / "report.md").read_text()
    assert "<img" not in markdown
    assert r"=1+1 \| \[red\]" in markdown
    latex = (made.run.folder / "report" / "tables.tex").read_text()
    assert r"\& =1+1" in latex


def test_files_for_papers_and_slides(made):
    for model, skill in (("svm", 0.6), ("forest", 0.9)):
        made(model, skill)
    assert report(made) == 0
    folder = made.run.folder / "report"
    pictures = {p.stem for p in folder.glob("*.svg")}
    assert {
        "score-against-time",
        "phases",
        "latency",
        "work-map",
        "calibration",
        "gain",
        "cost",
    } <= pictures
    for stem in pictures:
        assert ElementTree.parse(folder / f"{stem}.svg").getroot().tag.endswith("svg")
        assert (folder / f"{stem}.png").read_bytes().startswith(b"\x89PNG")
        assert len(list(csv.DictReader((folder / f"{stem}.csv").open()))) > 1
    lines = list(csv.DictReader((folder / "results-1.csv").open()))
    assert [line["model"] for line in lines] == ["ceiling", "forest", "svm", "floor"]
    assert float(lines[1]["ROC AUC"]) == pytest.approx(0.8)


def test_what_can_be_changed_on_the_page_stands_on_paper_as_it_is_at_first(made):
    made("svm", 0.5)
    made("forest", 0.9)
    assert report(made) == 0
    lines = list(csv.DictReader((made.run.folder / "report" / "desk.csv").open()))
    assert [line["model"] for line in lines] == [
        "forest",
        "svm",
        "best policy (true probabilities)",
        "everyone",
    ]
    worth = [float(line["worth of 1,000 rows"]) for line in lines]
    best, everyone = worth[2], worth[3]
    assert best == max(worth)
    outcomes = np.load(next(made.run.cells.glob("*.npz")))
    assert everyone == pytest.approx(1000 * (4 * outcomes["labels"].mean() - 1))
    chosen = outcomes["truth"][:, 1] >= 0.25
    assert best == pytest.approx(1000 * (4 * outcomes["labels"] - 1)[chosen].sum() / 1000, rel=1e-3)
    assert (
        "what to use under your conditions"
        in (made.run.folder / "report" / "report.md").read_text()
    )


def test_sweeps_of_other_runs_are_shown_as_well(made, record):
    made("svm")
    other = Run(made.run.folder.parent / "scaling")
    other.create()
    for rows in (100, 1000):
        for model, auc in (("svm", 0.7), ("forest", 0.6 + rows / 5000)):
            cell = record(model, 0, auc)
            cell["config"] = cell["config"] | {"task": {"_target_": "t.T", "rows": rows}}
            (other.cells / f"{model}-{rows}.json").write_text(json.dumps(cell))
    assert report(made, "--with", "scaling") == 0
    data = json.loads(re.search(r'(?s)id="data">(.*?)</script>', page(made))[1])
    assert len(data["crossover"]) == 4
    assert report(made, "--with", "nothing") == 2


def test_a_formula_in_a_cell_stays_a_text_in_the_csv(tmp_path):
    table = Table("t", "T", [Head("model", is_number=False)], [[Entry("=1+1", "=1+1")]])
    write_files(tmp_path, "x", [Chapter("C", [table])])
    assert (tmp_path / "t.csv").read_text() == "model\n'=1+1\n"


def test_a_damaged_record_is_named_and_the_others_are_shown(made, capsys):
    made("svm")
    (made.run.cells / "half.json").write_text('{"schema": 3, "task": "co')
    (made.run.cells / "old.json").write_text('{"schema": 1}')
    assert report(made) == 0
    error = capsys.readouterr().err
    assert "half.json is damaged: it is no whole JSON; it is left out" in error
    assert "old.json was written by an older version" in error
    assert "half.json is damaged" in page(made)
    assert "svm" in page(made)


@pytest.mark.parametrize(
    ("prices", "sentence"),
    [
        ("currency: EUR\ncpu_hour: -1\ngpu_hour: 1\nmillion_tokens: 1\n", "cpu_hour=-1"),
        ("currency: EUR\n", "is missing"),
        ("[1, 2]", "need currency"),
        ("a: b: c", "no YAML"),
        ("currency: EUR\ncpu_hour: 1\ngpu_hour: 1\nmillion_tokens: 1\nbus: 2\n", "bus"),
        (None, "cannot be read"),
    ],
)
def test_bad_prices(made, tmp_path, capsys, prices, sentence):
    made("svm")
    file = tmp_path / "prices.yaml"
    if prices is not None:
        file.write_text(prices)
    assert report(made, "--prices", str(file)) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert len(error.splitlines()) == 1
    assert not (made.run.folder / "report.html").exists()


def test_a_run_that_is_not_there_or_empty(made, capsys):
    assert report(made) == 2
    assert "holds no records" in capsys.readouterr().err
    assert main(["other", "--results", str(made.run.folder.parent)]) == 2
    assert "There is no run other; there are: made." in capsys.readouterr().err


def test_only_failures_are_a_report_too(made):
    made("svm", status="timeout", reason="stopped after 2 s in fit")
    assert report(made) == 0
    assert "stopped after 2 s in fit" in page(made)
    assert "No cell of this run has come to a score yet." in page(made)


def test_without_the_libraries_of_the_models(made):
    """Report and page come from records alone, where no torch and no scikit-learn is installed."""
    made("svm")
    made("forest")
    blocked = ("torch", "sklearn", "sklearnex", "xgboost", "pandas", "duckdb", "pyarrow", "hydra")
    script = (
        f"import sys; sys.modules.update(dict.fromkeys({blocked}))\n"
        "from benchmarks.report import main\n"
        f"sys.exit(main(['made', '--results', {str(made.run.folder.parent)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_gone_outcomes_cost_their_pictures_alone(made):
    made("svm")
    made("forest")
    for file in made.run.cells.glob("*.npz"):
        file.write_bytes(b"broken")
    assert report(made) == 0
    chapters = re.findall(r"<h2 id=[^>]*>(.*?)</h2>", page(made))
    assert "benefit of each" not in page(made)
    assert "Which one?" in chapters


@pytest.mark.parametrize("kind", ["multiclass", "regression"])
def test_other_kinds_of_tasks(made, record, kind):
    metrics = {
        "multiclass": ("accuracy", "roc_auc", "log_loss"),
        "regression": ("r2", "rmse", "mae"),
    }
    scores = dict.fromkeys(metrics[kind], 0.6)
    for model in ("svm", "forest"):
        cell = made(
            model,
            kind=kind,
            metric=metrics[kind][0],
            rows={"train": 2000, "test": 300},
            scores=scores,
            ceiling=None,
            floor=dict.fromkeys(metrics[kind], 0.2),
        )
        rng = np.random.default_rng(0)
        outcomes = {
            "multiclass": {
                "predictions": rng.dirichlet(np.ones(3), 300).astype(np.float32),
                "labels": rng.integers(0, 3, 300).astype(np.int16),
                "classes": np.array(["a", "b", "c"]),
            },
            "regression": {"predictions": rng.normal(size=300), "labels": rng.normal(size=300)},
        }
        np.savez(made.run.cells / f"coin-{model}-0-{cell['config_hash']}.npz", **outcomes[kind])
    assert report(made) == 0
    chapters = re.findall(r"<h2 id=[^>]*>(.*?)</h2>", page(made))
    assert ("happens 30 % of the time" in page(made)) == (kind == "multiclass")
    assert "Where is it wrong?" in chapters
    assert "benefit of each" not in page(made)


def outcomes_of(predictions, labels) -> Row:
    """A row whose outcomes are these: (row, load)."""
    arrays = {"predictions": np.column_stack([1 - predictions, predictions]), "labels": labels}
    cell = {"status": "done", "kind": "binary"}
    return curve(Row("x", [cell]), lambda _: arrays)


def test_gain_and_decisions_of_known_predictions():
    labels = np.array([1, 1, 0, 0, 0, 1, 0, 0, 0, 0])
    perfect = outcomes_of(np.where(labels, 0.9, 0.1), labels)
    assert perfect.gain[np.isclose(SHARES, 0.3)] == pytest.approx(1)
    assert perfect.gain[np.isclose(SHARES, 0.2)] == pytest.approx(2 / 3, abs=0.02)
    at = int(np.searchsorted(THRESHOLDS, 0.5))
    assert (perfect.sent[at], perfect.positives[at]) == pytest.approx((0.3, 0.3))
    assert (perfect.sent[0], perfect.positives[0]) == pytest.approx((1.0, 0.3))
    blind = outcomes_of(np.full(10, 0.3), labels)
    assert blind.gain == pytest.approx(SHARES)  # ties have no order: a straight line
    assert blind.calibration == [pytest.approx((0.3, 0.3, 1.0))]  # all of them are one tenth


def test_calibration_of_true_probabilities_is_the_diagonal():
    rng = np.random.default_rng(0)
    p = rng.uniform(size=200_000)
    found = outcomes_of(p, rng.uniform(size=len(p)) < p)
    for predicted, observed, share in found.calibration:
        assert observed == pytest.approx(predicted, abs=0.01)
        assert share == pytest.approx(0.1, abs=1e-4)


def test_a_site_has_a_page_of_each_run_and_an_index(made, record, capsys, tmp_path):
    for model, skill in (("svm", 0.6), ("forest", 0.9)):
        made(model, skill)
    results = made.run.folder.parent
    other = Run(results / "later")
    other.create()
    cell = record("svm", 0, 0.75, started="2027-01-05T12:00:00+00:00")
    (other.cells / "svm.json").write_text(json.dumps(cell))
    broken = Run(results / "broken")
    broken.create()
    (broken.cells / "x.json").write_text("{")
    site = tmp_path / "site"
    assert main(["--site", str(site), "--results", str(results)]) == 0
    told = capsys.readouterr()
    assert "index.html: 2 runs" in told.out
    assert "The run broken holds no records" in told.err
    index = (site / "index.html").read_text()
    assert re.findall(r'<a href="(run-[^"]*)">', index) == ["run-later.html", "run-made.html"]
    assert "2 runs of 1 tasks, 3 cells; the newest is later, of 2027-01-05." in index
    assert "Use forest: better than all others" in index
    assert "coin: made has the best so far" in index
    assert '<a href="index.html">All runs</a>' in (site / "run-made.html").read_text()
    assert main(["made", "--site", str(tmp_path / "one"), "--results", str(results)]) == 0
    assert sorted(p.name for p in (tmp_path / "one").iterdir()) == ["index.html", "run-made.html"]
    (tmp_path / "file").write_text("")
    assert main(["--site", str(tmp_path / "file"), "--results", str(results)]) != 0
    assert main(["--results", str(results)]) == 2
    assert "Say which run" in capsys.readouterr().err
    assert main(["--site", str(site), "--results", str(tmp_path / "none")]) == 2
