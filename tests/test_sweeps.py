"""Who leads where, and what it costs in the long run: known answers."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks.analysis.cost import Prices, break_evens, costs, read_prices
from benchmarks.analysis.summary import sections
from benchmarks.analysis.sweeps import sweeps
from benchmarks.analysis.verdicts import Verdict, judge
from benchmarks.show.markdown import fragment
from benchmarks.show.sweep_pictures import _leads, sweep_lines
from benchmarks.show.sweep_table import sweep_table

PRICES = Prices(currency="EUR", cpu_hour=3.6, gpu_hour=36, million_tokens=1)


def swept(record, key: str, scores: dict) -> list:
    """Records of models under several values of a setting of the task: {value: {model: AUC}}."""
    made = []
    for value, found in scores.items():
        settings = value if isinstance(value, dict) else {key: value}
        for model, auc in found.items():
            cell = record(model, 0, auc)
            cell["config"] = {
                **cell["config"],
                "task": {"_target_": "tests.harness.Coin", **settings},
            }
            cell["rows"] = {"train": 10 * int(value) if key == "rows" else 2000, "test": 1000}
            made.append(cell)
    return made


def told(found, *order: str):
    """The sections with verdicts: at each point the models from best to worst, `a > b` where that
    is sure and `a ~ b` where nobody can tell."""
    common = {"metric": "roc_auc", "difference": 0.1, "band": 0.002, "design": "new rows"}
    judged = []
    for section, at in zip(found, order, strict=True):
        a, word, b = at.split()
        sure = word == ">"
        verdict = Verdict(
            a,
            b,
            low=0.05 if sure else -0.1,
            high=0.3,
            p=0.001 if sure else 0.5,
            word="better" if sure else "can't tell",
            seeds=3,
            **common,
        )
        judged.append(replace(section, verdicts=[verdict]))
    return sweeps(judged)


def test_lines_cross_where_they_meet(record):
    records = swept(record, "slope", {1.0: {"a": 0.8, "b": 0.7}, 3.0: {"a": 0.8, "b": 0.9}})
    (sweep,) = told(sections(records), "a > b", "b > a")
    assert (sweep.axis, [p.leader.label for p in sweep.points]) == ("slope", ["a", "b"])
    ((before, after, where, point),) = sweep.crossings()
    assert point is sweep.points[1]
    assert (before, after) == ("a", "b")
    assert where == pytest.approx(3**0.5)  # half way on a logarithmic axis
    assert sweep.sentence() == "a leads at 1.0 slope; from about 1.7 on b does."


def test_where_a_row_goes_past_one_that_takes_no_labels(record):
    scores = {8: {"a": 0.6, "b": 0.7}, 32: {"a": 0.8, "b": 0.7}, 128: {"a": 0.9, "b": 0.7}}
    records = swept(record, "labels", scores)
    for cell in records:
        cell["work"] = {"labels": 0 if cell["model"] == "b" else 8}
    (sweep,) = told(sections(records), "b > a", "a ~ b", "a > b")
    (passing,) = sweep.passings
    assert (passing.model, passing.reference, passing.sure) == ("a", "b", 128)
    assert passing.where == pytest.approx(16)  # half way on a logarithmic axis
    assert passing.score == pytest.approx(0.7)
    told_so = "Go past b, which takes no labels: a at about 16 (better from 128 on)."
    assert sweep.passing_sentence() == told_so
    assert told_so in fragment([sweep_table(sweep)])
    picture = sweep_lines(sweep, "x", ["a", "b"])
    assert picture is not None
    assert told_so in picture.caption
    for cell in records:
        cell["work"] = {"labels": 8}
    (sweep,) = told(sections(records), "b > a", "a ~ b", "a > b")
    assert sweep.passing_sentence() == ""


def test_a_lead_that_nobody_can_tell_is_none(record):
    scores = {1: {"a": 0.8, "b": 0.7}, 2: {"a": 0.7, "b": 0.8}, 4: {"a": 0.8, "b": 0.7}}
    found = sections(swept(record, "slope", scores))
    (sweep,) = told(found, "a > b", "b ~ a", "a > b")
    assert sweep.sentence() == "a leads at 1 slope; nobody can tell at 2 (b, a)."
    assert sweep.crossings() == []
    data, _ = _leads(sweep)
    assert [(d["model"], d["mark"]) for d in data if d["at"] == "2"] == [("b", "≈"), ("a", "≈")]
    (sweep,) = sweeps(found)
    assert "leads" not in sweep.sentence(), "nobody judged it"


def test_a_lead_holds_for_all_points_together(record):
    """One in twenty is not enough where there are twenty points."""
    scores = {k: {"a": 0.8, "b": 0.7} for k in range(1, 21)}
    found = told(sections(swept(record, "slope", scores)), *["a > b"] * 20)
    assert all(point.leader for point in found[0].points)
    weak = [
        replace(p.section, verdicts=[replace(p.section.verdicts[0], p=0.04)])
        for p in found[0].points
    ]
    assert not any(point.leader for point in sweeps(weak)[0].points)


@pytest.mark.parametrize("seeds", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_identical_models_hardly_ever_change_the_lead(record, seeds):
    """Two models of which neither is better, at six points: who is ahead changes in nearly every
    sweep, and that is not what is said."""
    random, changed, starred, ahead = np.random.default_rng(seeds), 0, 0, 0
    values = [1, 2, 4, 8, 16, 32]
    for _ in range(60):
        arrays, records = {}, []
        for value in values:
            for seed in range(seeds):
                labels = random.integers(2, size=300)
                for model in ("a", "b"):
                    luck = 1 + 0.15 * random.normal()
                    logit = 0.6 * luck * (2 * labels - 1) + random.normal(size=300)
                    p = 1 / (1 + np.exp(-logit))
                    made = record(model, seed, float(roc_auc_score(labels, p)))
                    task = {"_target_": "tests.harness.Coin", "slope": value}
                    made["config"] = {**made["config"], "task": task}
                    arrays[id(made)] = {
                        "predictions": np.column_stack([1 - p, p]),
                        "labels": labels,
                    }
                    records.append(made)
        judged = [judge(s, lambda r, kept=arrays: kept[id(r)]) for s in sections(records)]
        (sweep,) = sweeps(judged)
        changed += bool(sweep.crossings())
        starred += any(point.leader for point in sweep.points)
        ahead += len({point.done[0].label for point in sweep.points}) > 1
    assert ahead >= 55
    assert changed <= 3
    assert starred <= 6


def test_rows_are_told_as_train_rows_in_their_order(record):
    records = swept(record, "rows", {1000: {"a": 0.7}, 100: {"a": 0.6}, 20000: {"b": 0.9}})
    found = sections(records)
    (sweep,) = sweeps(found)
    assert sweep.axis == "train rows"
    assert [sweep.label(p) for p in sweep.points] == ["1,000", "10,000", "200,000"]
    assert "from about 200,000 on b does" in sweep.sentence()
    assert "| 200,000" in fragment([sweep_table(sweep)])


def test_a_model_that_is_not_there_at_a_point_is_named(record):
    records = swept(record, "rows", {100: {"a": 0.7, "b": 0.6}, 1000: {"b": 0.8}})
    end = record("a", 0, status="skipped", reason="too many")
    end["config"] = records[-1]["config"] | {"model": end["config"]["model"]}
    text = fragment(map(sweep_table, sweeps(sections([*records, end]))))
    assert "not there" in text
    (line,) = (line for line in text.splitlines() if line.startswith("| 10,000"))
    assert line.rstrip("| ").endswith("| a")


def test_several_dials_are_told_by_what_is_on(record):
    won = {(0, 0): "a", (1, 0): "b", (0, 1): "a", (1, 1): "b"}
    records = []
    for (text, order), best in won.items():
        for model in ("a", "b"):
            cell = record(model, 0, 0.8 if model == best else 0.7)
            task = {"_target_": "t.T", "signal_text": text, "signal_order": order}
            records.append(cell | {"config": cell["config"] | {"task": task}})
    (sweep,) = told(sections(records), "a > b", "b > a", "a ~ b", "b > a")
    assert sweep.axis is None
    assert [sweep.label(p) for p in sweep.points] == ["nothing", "text", "order", "text + order"]
    assert "b leads in 2 of 4 (text, text + order)" in sweep.sentence()
    assert "nobody can tell in 1 of 4 (order)" in sweep.sentence()


def test_a_size_beside_a_dial_grows(record):
    records = []
    for rows in (900, 20, 100):
        for motif in (1, 0):
            cell = record("a", 0, 0.8)
            task = {"_target_": "t.T", "rows": rows, "signal_motif": motif}
            records.append(cell | {"config": cell["config"] | {"task": task}})
    (sweep,) = sweeps(sections(records))
    off = ["rows=20", "rows=100", "rows=900"]
    on = [f"{label} + signal_motif" for label in off]
    assert [sweep.label(p) for p in sweep.points] == off + on


def test_one_setting_is_no_sweep(record):
    assert sweeps(sections([record("a"), record("b")])) == []


def test_costs_are_a_straight_line_in_money(record):
    # view 1 s for 3,000 rows, fit 1 s; 1,000 test rows in a call of 4 ms; two cores.
    slow = record("slow")
    (section,) = sections([slow])
    (cost,) = costs(section, PRICES)
    assert cost.seconds_once == pytest.approx(2 / 3 + 1)
    assert cost.seconds_each == pytest.approx(1 / 3000 + 0.004 / 1000)
    assert cost.money(0) == pytest.approx(cost.seconds_once * 2 * 3.6 / 3600)
    on_gpu = record("net", notes={"device": "cuda"})
    (section,) = sections([on_gpu])
    (dear,) = costs(section, PRICES)
    assert dear.money(0) == pytest.approx(cost.seconds_once * 36 / 3600)
    here = record("llm", work={"tokens_read": 500_000, "tokens_read_each": 400.0})
    (section,) = sections([here])
    assert costs(section, PRICES)[0].money_each == cost.money_each, "its machine is paid for"
    work = {"tokens_read": 500_000, "tokens_written": 2_000}
    work |= {"tokens_read_each": 400.0, "tokens_written_each": 2.0}
    (section,) = sections([record("served", work=work, notes={"device": "served"})])
    dearer = PRICES.model_copy(update={"million_tokens_written": 3.0})
    (tokens,) = costs(section, dearer)
    assert tokens.money_each == pytest.approx((400 * 1 + 2 * 3) / 1e6)
    assert tokens.money(0) == pytest.approx(100_000 / 1e6)


def test_break_even_is_where_the_lines_meet(record):
    cheap, dear = record("cheap"), record("dear")
    dear["phases"]["fit"]["wall"] = 101.0
    dear["latency"] = {"1000": {"p50": 0.001, "p99": None, "min": 0.001, "calls": 1}}
    (section,) = sections([cheap, dear])
    ((before, after, where),) = break_evens(costs(section, PRICES))
    assert (before, after) == ("cheap", "dear")
    assert where == pytest.approx(100 / (0.004 / 1000 - 0.001 / 1000))


def test_the_prices_that_come_with_the_kit_can_be_read():
    assert read_prices().cpu_hour > 0


def test_what_refers_to_the_seed_follows_it(eras, records):
    """Jobs that differ in their seed alone share a plan, where nothing refers to the seed."""
    eras("model.factor=1,2", "seed=40,60", "task.rows=${seed}")
    found = {(r["seed"], r["config"]["model"]["factor"]): r for r in records()}
    assert {key[0]: r["config"]["task"]["rows"] for key, r in found.items()} == {40: 40, 60: 60}
    assert len(found) == 4
    eras("model.factor=1,2", "seed=40,60", "run=b")
    plain = records("b")
    assert {(r["seed"], r["config"]["model"]["factor"]) for r in plain} == found.keys()
    assert {r["config"]["task"]["rows"] for r in plain} == {60}
    assert len({r["config_hash"] for r in plain}) == 2
