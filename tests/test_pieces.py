"""Rows on disk: the same rows as in memory, whichever way they are taken, and the same models."""

import subprocess

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from benchmarks.cell import rows as of_rows
from benchmarks.cell import storage
from benchmarks.cell.answers import predict
from benchmarks.records.records import Run
from models.boosting import XGBoost
from models.logistic import Logistic
from models.network import Network
from models.parts.blocks import encoded
from tasks import pieces
from tasks.base import Data
from tasks.parquet import Parquet
from tests.conftest import ROOT

N = 3000


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(pieces, "ROWS", 70)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "number": np.arange(N),
            "x": random.normal(size=N).astype("f4"),
            "gap": pd.array(random.integers(0, 9, N), "Int32"),
            "kind": pd.Categorical(random.choice(["b", "a", "c"], N)),
            "word": random.choice(["yes", "no"], N),
            "is": random.random(N) < 0.5,
            "when": pd.Timestamp("2025-01-01") + pd.to_timedelta(np.arange(N), "h"),
        }
    )
    logit = frame.x + (frame.word == "yes") - 0.5 * frame["is"]
    frame.loc[random.random(N) < 0.1, "gap"] = None
    return frame.assign(y=random.random(N) < 1 / (1 + np.exp(-logit)))


@pytest.fixture(scope="module")
def folder(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows")
    for k, part in enumerate(np.array_split(np.arange(N), 3)):
        pq.write_table(pa.table(table.iloc[part]), folder / f"{k}.parquet", row_group_size=130)
    return folder


def task(folder, **more) -> Parquet:
    return Parquet(str(folder), target="y", out=["number"], **more)


def both(folder, **more):
    """(data, rows on disk, the same in memory), of train rows"""
    here, there = task(folder, whole=True, **more), task(folder, **more)
    data = there.load(0)
    return data, there.view(data, "features"), here.view(here.load(0), "features")


@pytest.mark.parametrize("split", ["last", "random"])
def test_rows_on_disk_are_those_of_the_files(folder, table, split):
    data, disk, memory = both(folder, split=split)
    columns = ["x", "gap", "kind", "word", "is"]
    rest = np.setdiff1d(np.arange(N), data.test_ids)
    for rows, whole, places in zip(disk, memory, (rest, data.test_ids), strict=True):
        pd.testing.assert_frame_equal(pd.concat([*rows.pieces()], ignore_index=True), whole)
        assert list(whole) == columns
        assert rows.shape == whole.shape
        assert rows.dtypes.equals(whole.dtypes)
        expected = table[columns].iloc[places].reset_index(drop=True)
        for name in columns:
            np.testing.assert_array_equal(
                whole[name].astype(object).fillna(-1), expected[name].astype(object).fillna(-1)
            )
    assert data.train_labels.tolist() == table.y.iloc[rest].astype(int).tolist()
    assert data.test_labels.tolist() == table.y.iloc[data.test_ids].astype(int).tolist()
    assert data.classes == ("False", "True")
    assert len(data.test_ids) == pytest.approx(0.3 * N, rel=0.1)
    assert data.raw.notices == ["left out, as no number and no category: when (timestamp[us])"]


def test_the_last_rows_of_each_file_are_tested_on(folder):
    data, *_ = both(folder)
    last = [k for first in (0, 1000, 2000) for k in range(first + 700, first + 1000)]
    assert data.test_ids.tolist() == last


@pytest.mark.slow
@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_part_is_that_part(folder, data):
    _, (rows, _), (whole, _) = both(folder)
    n = len(rows)
    if data.draw(st.booleans()):
        start, stop = sorted(data.draw(st.tuples(*[st.integers(-n, n)] * 2)))
        part: object = slice(start, stop, data.draw(st.sampled_from([None, 1, 3])))
    else:
        part = np.array(data.draw(st.lists(st.integers(-n, n - 1), max_size=40)), dtype=int)
    taken, expected = of_rows.take(rows, part), whole.iloc[part].reset_index(drop=True)
    if isinstance(taken, pieces.Pieces):
        assert len(taken) > pieces.ROWS
        taken = taken.frame(0, len(taken))
    pd.testing.assert_frame_equal(taken, expected)


def test_a_slice_of_a_slice_and_a_sample(folder):
    _, (rows, _), (whole, _) = both(folder)
    part = rows[150:1900][100:1500]
    pd.testing.assert_frame_equal(part.frame(0, 1400), whole[250:1650].reset_index(drop=True))
    seen = rows.sample(500)
    assert len(seen) == pytest.approx(500, abs=20)
    assert seen.merge(whole.drop_duplicates(), how="left", indicator=True)._merge.eq("both").all()
    assert rows.sample(10**6).equals(whole)
    assert seen.dtypes.equals(whole.dtypes)


def test_they_are_kept_by_where_they_lie(folder, tmp_path):
    data, (train, test), _ = both(folder)
    storage.write(tmp_path / "kept", data, train, test, {})
    assert sum(file.stat().st_size for file in (tmp_path / "kept").iterdir()) < 100_000
    again, back, _, _ = storage.read(tmp_path / "kept")
    assert back.frame(0, 500).equals(train.frame(0, 500))
    assert again.train_labels.tolist() == data.train_labels.tolist()


def test_made_up_rows_have_their_form(folder):
    _, (rows, _), (whole, _) = both(folder)
    assert of_rows.synthetic(rows).dtypes.equals(whole.dtypes)


MODELS = {
    "xgboost": lambda: XGBoost(n_estimators=20),
    "logistic": lambda: Logistic(passes=10),
    "network": lambda: Network(max_epochs=4, members=4, batch_size=64),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_learns_from_disk_what_it_learns_in_memory(name, folder):

    data, (rows, test), (whole, _) = both(folder, split="random")
    y = data.told(data.train_labels)
    here, there = (MODELS[name]().fit(X, y) for X in (whole, rows))
    answers = [predict(model, test, data)[:, 1] for model in (here, there)]
    scores = [roc_auc_score(data.test_labels, answer) for answer in answers]
    assert min(scores) > 0.68
    assert scores[0] == pytest.approx(scores[1], abs=0.015)
    if name == "xgboost":  # bins of so few rows are the values themselves
        np.testing.assert_allclose(*answers, atol=1e-6)


def test_a_regression_and_several_classes_are_read_and_learned(table, tmp_path):
    several = table.assign(y=np.digitize(table.x, [-0.5, 0.5]))
    for name, target in (("number", table.x * 3.0 + 100), ("several", several.y)):
        (tmp_path / name).mkdir()
        made = pa.table(table.drop(columns="when").assign(y=target))
        pq.write_table(made, tmp_path / name / "0.parquet", row_group_size=200)
        data, (rows, test), _ = both(tmp_path / name)
        assert data.kind == {"number": "regression", "several": "multiclass"}[name]
        y = data.told(data.train_labels)
        model = XGBoost(n_estimators=30).fit(rows, y)
        answers = predict(model, test, data)
        if name == "number":
            assert np.abs(answers - data.test_labels).mean() < 0.5
        else:
            assert (answers.argmax(1) == data.test_labels).mean() > 0.9
            assert (
                predict(Logistic().fit(rows, y), test, data).argmax(1) == data.test_labels
            ).mean() > 0.5


def test_batches_take_each_row_once_and_from_many_places(folder):
    _, (rows, _), (whole, _) = both(folder)

    def encode(frame):
        return (torch.tensor(frame.x.to_numpy()),)

    torch.manual_seed(0)
    reader = encoded(rows, encode)
    order = reader.order()
    assert sorted(order.tolist()) == list(range(len(rows)))
    assert not torch.equal(order, reader.order())
    x = torch.tensor(whole.x.to_numpy())
    for places in order.split(97):
        (found,) = reader.take(places)
        assert torch.equal(found, x[places])
        assert len(reader.read) <= 12
    assert len({int(place) // 130 for place in order[:97]}) > 2
    assert torch.equal(torch.cat([part for _, (part,) in reader.pieces()]), x)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "task.path, task.target"),
        ({"path": "nowhere", "target": "y"}, "no file of Parquet"),
        ({"path": "{folder}", "target": "z"}, "no column 'z'"),
        ({"path": "{folder}", "target": "y", "out": ["zz"]}, "no column 'zz'"),
        ({"path": str(ROOT / "README.md"), "target": "y"}, "is no file of Parquet"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(settings, said, folder):
    given = {k: v.format(folder=folder) if k == "path" else v for k, v in settings.items()}
    with pytest.raises(ValueError, match=said):
        Parquet(**given).check()


def test_files_with_other_columns_and_targets_with_gaps_are_refused(table, folder, tmp_path):
    for k in range(2):
        pq.write_table(pa.table(table[["x", "y"] if k else ["y", "x"]]), tmp_path / f"{k}.parquet")
    with pytest.raises(ValueError, match="has other columns than"):
        Parquet(str(tmp_path), target="y").check()
    gaps = Parquet(str(folder), target="gap")
    with pytest.raises(ValueError, match=r"the target 'gap' is missing in \d+ rows"):
        gaps.load(0)


def test_rare_levels_of_many_are_missing_values(tmp_path):
    words = [f"w{k % 1500}" for k in range(4000)] + ["usual"] * 50
    pq.write_table(pa.table({"word": words, "y": [0, 1] * 2025}), tmp_path / "a.parquet")
    data = Parquet(str(tmp_path), target="y").load(0)
    assert len(data.raw.train.levels["word"]) == 1000
    assert "usual" in data.raw.train.levels["word"]
    assert "word has 1,501 levels" in data.raw.notices[0]


@pytest.mark.slow
def test_a_run_says_who_reads_from_disk(folder, command, tmp_path):
    made = subprocess.run(
        command(
            *("task=parquet", f"task.path={folder}", "task.target=y", "task.out=[number]"),
            *("seed=0", "model=baseline,logistic,random_forest,xgboost", f"results={tmp_path}"),
        ),
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert made.returncode == 0, made.stderr
    records, _ = Run(tmp_path / "a").scan()
    ended = {r["model"]: r["status"] for r in records}
    assert ended == {
        "baseline": "done",
        "logistic": "done",
        "xgboost": "done",
        "random_forest": "skipped",
    }
    reason = next(r["reason"] for r in records if r["model"] == "random_forest")
    assert "2,100 of 5 columns" in reason
    assert "task.whole=true" in reason


def test_rows_of_nothing_are_asked_for_nothing(folder):
    data, (rows, _), _ = both(folder)
    assert isinstance(data, Data)
    assert len(rows[5:5]) == 0
    assert rows[5:5].dtypes.equals(rows.dtypes)
