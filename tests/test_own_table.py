"""Your own table: what is read, what is understood, how it is split, and what is refused."""

import contextlib
import gzip
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from urllib.error import URLError

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pytest
from sklearn.utils import Bunch

from benchmarks.cell import views
from tasks.table import Table
from tasks.table.prepare import Preparation
from tests.conftest import ROOT


def frame(rows: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.normal(size=rows)
    return pd.DataFrame(
        {
            "row id": np.arange(1000, 1000 + rows),
            "amount": x.round(3),
            "plan": rng.choice(["free", "basic", "gold"], rows),
            "flag": rng.choice([True, False], rows),
            "same": "x",
            "churned": np.where(x + rng.normal(size=rows) > 0, "yes", "no"),
        }
    )


def kinds(task: Table) -> dict[str, str]:
    return {column.name: column.kind for column in task.understand().columns}


@pytest.fixture
def write(tmp_path):
    def save(text: str | bytes, name: str = "data.csv") -> str:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return save


# Reading

WRITERS = {
    "a.csv": lambda f, p: f.to_csv(p, index=False),
    "semicolons.csv": lambda f, p: f.to_csv(p, index=False, sep=";"),
    "tabs.tsv": lambda f, p: f.to_csv(p, index=False, sep="\t"),
    "packed.csv.gz": lambda f, p: f.to_csv(p, index=False),
    "packed.csv.zst": lambda f, p: _zst(f, p),
    "wide.csv": lambda f, p: p.write_bytes(f.to_csv(index=False).encode("utf-16")),
    "a b & c.parquet": lambda f, p: f.to_parquet(p),
    "a.feather": lambda f, p: pa.feather.write_feather(pa.Table.from_pandas(f), p),
    "a.jsonl": lambda f, p: f.to_json(p, orient="records", lines=True),
}


def _zst(f: pd.DataFrame, path: Path) -> None:
    with pa.CompressedOutputStream(str(path), "zstd") as out:
        out.write(f.to_csv(index=False).encode())


@pytest.mark.parametrize("name", WRITERS)
def test_every_form_of_a_file_gives_the_same_table(name, tmp_path):
    WRITERS[name](frame(), tmp_path / name)
    task = Table(path=str(tmp_path / name), target="churned")
    assert kinds(task) == {
        "row id": "out",
        "amount": "number",
        "plan": "category",
        "flag": "category",
        "same": "out",
    }
    data = task.load(0)
    assert data.classes == ("no", "yes")
    assert (len(data.train_labels), len(data.test_labels)) == (210, 90)


def test_other_encodings_can_be_said_and_are_asked_for(write):
    text = frame().replace("gold", "café").to_csv(index=False).encode("latin-1")
    path = write(text)
    with pytest.raises(
        ValueError, match=r"is not utf-8 in line \d+; say what it is, such as task.encoding="
    ):
        Table(path=path, target="churned").load(0)
    found = Table(path=path, target="churned", encoding="latin-1").understand().table
    assert "café" in set(found["plan"])


def test_folders_globs_and_databases(tmp_path):
    whole = frame()
    whole[:100].to_csv(tmp_path / "1.csv", index=False)
    whole[100:].to_csv(tmp_path / "2.csv", index=False)
    for path in (tmp_path, tmp_path / "*.csv"):
        assert len(Table(path=str(path), target="churned").understand().table) == 300
    with sqlite3.connect(tmp_path / "a.db") as database:
        whole.to_sql("t", database, index=False)
    with duckdb.connect(str(tmp_path / "a.duckdb")) as database:
        database.register("f", whole)
        database.execute("create table t as select * from f")
    for name in ("a.db", "a.duckdb"):
        path = str(tmp_path / name)
        with pytest.raises(ValueError, match=r"say what to read with task\.query"):
            Table(path=path, target="churned").load(0)
        query = "select * from t where amount > 0"
        found = Table(path=path, target="churned", query=query).understand().table
        assert len(found) == (whole.amount > 0).sum()
        bad = Table(path=path, target="churned", query="select * from nothing")
        with pytest.raises(ValueError, match="nothing"):
            bad.load(0)
    outside = "select * from read_csv('/etc/passwd')"
    with pytest.raises(ValueError, match="cannot be read"):
        Table(path=str(tmp_path / "a.duckdb"), target="churned", query=outside).load(0)
    for name in ("a.db", "a.duckdb"):  # whatever a query says, the file stays as it is
        with pytest.raises(ValueError, match=r"cannot be read|returns no rows"):
            Table(path=str(tmp_path / name), target="churned", query="drop table t").load(0)


# Understanding


def test_what_columns_are(write):
    rng = np.random.default_rng(0)
    n = 400
    table = pd.DataFrame(
        {
            "thousands": [f"{v:,}" for v in rng.integers(1, 10**7, n)],
            "mixed": [str(v) if k % 50 else "n.a." for k, v in enumerate(rng.normal(size=n))],
            "gaps": ["NA", "?", "", "null"] * 50 + [str(k) for k in range(200)],
            "endless": ["inf", "-inf", "1.5", "2.5"] * (n // 4),
            "day": pd.date_range("2024-01-01", periods=n).strftime("%d.%m.%Y"),
            "note": [
                " ".join(rng.choice(["good", "bad", "day", "ship", "late"], 8)) for _ in range(n)
            ],
            "customer_id": rng.integers(0, 90, n),
            "uuid": [f"{k:x}-{k * 7919:x}" for k in range(n)],
            "formula": rng.choice(["=1+2", "@cmd", "+1x"], n),
            "million": [f"v{v}" for v in rng.integers(0, 300, n)],
            "y": rng.choice([0, 1], n),
        }
    )
    path = write(table.to_csv(index=False))
    found = Table(path=path, target="y").understand()
    by_name = {c.name: c for c in found.columns}
    assert {c.name: c.kind for c in found.columns} == {
        "thousands": "number",
        "mixed": "number",
        "gaps": "number",
        "endless": "number",
        "day": "date",
        "note": "text",
        "customer_id": "number",
        "uuid": "out",
        "formula": "category",
        "million": "category",
    }
    assert found.table["thousands"].max() > 10**6
    assert by_name["mixed"].notes == ["8 are no numbers: missing"]
    assert by_name["gaps"].missing == 200
    assert np.isinf(found.table["endless"]).sum() == 0
    assert found.table["endless"].isna().sum() == 200
    assert found.table["day"].iloc[0] == pd.Timestamp("2024-01-01")
    assert set(found.table["formula"]) == {"=1+2", "@cmd", "+1x"}
    asked = {"customer_id": "category", "note": "out"}
    other = Table(path=path, target="y", types=asked).understand()
    assert {c.name: c.kind for c in other.columns if c.name in asked} == asked


def test_names_of_any_kind_reach_every_model(write):
    odd = ["", "a", "a", "line\nbreak", "[x] < <b>", "🦆", 'quo"te', "select"]
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(200, len(odd))), columns=odd)
    table["y"] = np.where(table["🦆"] > 0, "up", "down")
    task = Table(path=write(table.to_csv(index=False)), target="y")
    data = task.load(0)
    train, test = views.make(task, data, "features")
    assert train.shape[1] == len(odd)
    assert len(set(train.columns)) == len(odd)
    from models.boosting import XGBoost
    from models.logistic import Logistic

    for model in (XGBoost(n_estimators=20), Logistic()):
        p = model.fit(train, data.told(data.train_labels)).predict_proba(test)
        assert (model.classes_[p.argmax(axis=1)] == data.told(data.test_labels)).mean() > 0.9


@pytest.mark.parametrize(
    ("values", "kind", "classes"),
    [
        ([0, 1] * 50, "binary", ("0", "1")),
        ([0.0, 1.0] * 50, "binary", ("0", "1")),
        (["true", "false"] * 50, "binary", ("false", "true")),
        (["yes", "zz"] * 50, "binary", ("zz", "yes")),
        (["b", "a"] * 50, "binary", ("a", "b")),
        ([1, 2, 3, 4] * 25, "multiclass", ("1", "2", "3", "4")),
        (["x", "y", "z", ""] * 25, "multiclass", ("x", "y", "z")),
        (np.linspace(0, 1, 100), "regression", ()),
        (np.arange(100), "regression", ()),
    ],
)
def test_the_target_says_which_kind_of_problem_it_is(write, values, kind, classes):
    table = pd.DataFrame({"x": np.random.default_rng(0).normal(size=100), "y": values})
    found = Table(path=write(table.to_csv(index=False)), target="y").understand()
    assert (found.kind, found.classes) == (kind, classes)
    assert found.without_target == (25 if "" in list(values) else 0)
    assert found.why


def test_it_can_be_said_instead(write):
    table = pd.DataFrame({"x": np.random.default_rng(0).normal(size=100), "y": [1, 2, 3, 4] * 25})
    path = write(table.to_csv(index=False))
    assert Table(path=path, target="y", kind="regression").understand().kind == "regression"
    table["y"] = ["a", "b"] * 50
    path = write(table.to_csv(index=False))
    assert Table(path=path, target="y", positive="a").understand().classes == ("b", "a")


def test_shipped_tables_and_openml_come_by_name(monkeypatch):
    found = Table(name="wine").understand()
    assert (found.kind, len(found.table), len(found.classes)) == ("multiclass", 178, 3)
    assert Table(name="diabetes").understand().kind == "regression"

    import sklearn.datasets

    def offline(**_: object) -> None:
        raise URLError("Temporary failure in name resolution")

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", offline)
    with pytest.raises(
        ValueError, match=r"OpenML data set 31 cannot be fetched \(Temporary failure"
    ):
        Table(id=31).check()

    def online(data_id: int, **_: object) -> Bunch:
        table = frame()
        return Bunch(frame=table, target_names=["churned"] if data_id == 31 else [])

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", online)
    assert Table(id=31).understand().classes == ("no", "yes")
    assert Table(id=32, target="plan").understand().kind == "multiclass"
    with pytest.raises(ValueError, match="names no column as target"):
        Table(id=32).check()


# Splitting


def dated(rows: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.permutation(rows), "D")
    return pd.DataFrame(
        {
            "sent_at": days,
            "customer_id": rng.integers(0, 80, rows),
            "x": rng.normal(size=rows),
            "y": rng.choice(["a", "b"], rows),
        }
    )


def test_columns_choose_the_split_and_can_be_overruled(write):
    path = write(dated().to_csv(index=False))
    auto = Table(path=path, target="y")
    assert auto.understand().plan[:2] == ("time", "sent_at")
    assert Table(path=path, target="y", split="random").understand().plan.way == "random"
    assert Table(path=path, target="y", group="customer_id").understand().plan.way == "group"
    without = write(dated().drop(columns="sent_at").to_csv(index=False), "b.csv")
    assert Table(path=without, target="y").understand().plan[:2] == ("group", "customer_id")
    plain = write(dated()[["x", "y"]].to_csv(index=False), "c.csv")
    assert Table(path=plain, target="y").understand().plan.way == "random"
    with pytest.raises(ValueError, match="no column holds dates"):
        Table(path=plain, target="y", split="time").load(0)


def test_a_column_that_cannot_split_rows_is_refused_or_passed_over(write):
    path = write(dated().assign(note="a word or two more").to_csv(index=False))
    for types in ({"note": "text"}, {"note": "out"}):
        with pytest.raises(ValueError, match="'note' holds neither dates nor numbers"):
            Table(path=path, target="y", time="note", types=types).load(0)
    with pytest.raises(
        ValueError, match="'customer_id' is left out, so rows cannot be split by it"
    ):
        Table(path=path, target="y", group="customer_id", types={"customer_id": "out"}).load(0)
    left_out = {"customer_id": "out", "sent_at": "out"}
    assert Table(path=path, target="y", types=left_out).load(0).group is None
    for name in ("time", "group"):
        with pytest.raises(ValueError, match=rf"task\.{name} is the target"):
            Table(path=path, target="y", **{name: "y"}).load(0)


def test_by_time_the_past_comes_first_and_cut_offs_roll(write):
    task = Table(path=write(dated().to_csv(index=False)), target="y")
    begins = []
    for seed in range(4):
        data = task.load(seed)
        moments = data.raw.found.table["sent_at"]
        train, test = moments.iloc[data.raw.train], moments.iloc[data.raw.test]
        assert train.is_monotonic_increasing
        assert train.max() < test.min()
        begins.append(test.min())
    assert begins == sorted(begins, reverse=True)
    assert len(set(begins)) == 4


def test_no_group_is_on_both_sides_and_each_seed_splits_anew(write):
    task = Table(path=write(dated().to_csv(index=False)), target="y", group="customer_id")
    tests = []
    for seed in (0, 1):
        data = task.load(seed)
        users = data.raw.found.table["customer_id"]
        assert not set(users.iloc[data.raw.train]) & set(users.iloc[data.raw.test])
        assert len(set(data.group)) == users.iloc[data.raw.test].nunique()
        tests.append(set(data.test_ids))
    assert tests[0] != tests[1]


def test_random_splits_keep_the_shares_of_classes(write):
    table = pd.DataFrame({"x": np.arange(1000.0) ** 1.5, "y": ["rare"] * 100 + ["usual"] * 900})
    data = Table(path=write(table.to_csv(index=False)), target="y").load(3)
    assert (data.told(data.test_labels) == "rare").sum() == 30


# Preparing


def test_only_train_rows_are_learned_from(write):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "kind": rng.choice(["a", "b"], 300),
            "note": ["late ship again now"] * 150 + ["all is well here"] * 150,
            "day": pd.date_range("2024-01-01", periods=300),
            "x": rng.normal(size=300),
            "y": rng.choice(["n", "p"], 300),
        }
    )
    task = Table(path=write(table.to_csv(index=False)), target="y", split="time")
    found = task.understand()
    first, rest = found.table[:200], found.table[200:].copy()
    preparation = Preparation(found.columns).fit(first)
    before = preparation.transform(first)
    rest["kind"], rest["note"] = "new", "words that nobody wrote before"
    after = preparation.transform(rest)
    assert after["kind"].isna().all()
    assert list(after.columns) == list(before.columns)
    assert (after.filter(like="note").abs().sum(axis=1) < 1e-6).all()
    pd.testing.assert_frame_equal(preparation.transform(first), before)
    assert not [c for c in before.columns if c.endswith("hour")]  # the same in every train row


def test_many_levels_become_one(monkeypatch):
    from tasks.table.columns import Column

    monkeypatch.setattr(Preparation, "LEVELS", 3)
    rows = pd.DataFrame({"c": [*"aaabbbccde", None]})
    prepared = Preparation([Column("c", "category")]).fit(rows).transform(rows)
    assert list(prepared["c"].cat.categories) == ["a", "b", "c", "(rare)"]
    assert (
        list(prepared["c"][-3:].astype(object)) == ["(rare)", "(rare)", np.nan]
        or prepared["c"].isna().sum() == 1
    )


# Refusing

GOOD = frame().to_csv(index=False)


def _truncated() -> bytes:
    sink = pa.BufferOutputStream()
    pa.parquet.write_table(pa.Table.from_pandas(frame()), sink)
    whole = sink.getvalue().to_pybytes()
    return whole[: len(whole) // 2]


REFUSED: dict[str, tuple[str | bytes, str, dict[str, object], str]] = {
    "an empty file": ("", "a.csv", {}, "a.csv is empty"),
    "only a header": ("a,churned\n", "a.csv", {}, "has a header and no rows"),
    "a missing target": (
        GOOD,
        "a.csv",
        {"target": "churn"},
        "there is no column 'churn'; the nearest are 'churned'",
    ),
    "one class": ("x,churned\n" + "1,a\n2,a\n" * 30, "a.csv", {}, "has one class only: 'a'"),
    "a rare class": (
        "x,churned\n" + "1,a\n2,b\n" * 30 + "3,c\n",
        "a.csv",
        {},
        "the class 'c' of the target 'churned' has 1 row;",
    ),
    "no value": ("x,churned\n" + "1,\n2,NA\n" * 30, "a.csv", {}, "has no value in any row"),
    "a constant": (
        "x,churned\n" + "1,5\n2,5\n" * 30,
        "a.csv",
        {"kind": "regression"},
        "is 5 in every row",
    ),
    "all rows alike": (
        "x,z,churned\n" + "1,2,a\n" * 50,
        "a.csv",
        {},
        "all 50 rows of .* are the same",
    ),
    "a ragged line": (GOOD + "1,2,3\n", "a.csv", {}, r"[Ll]ine:? 302"),
    "bytes that are no text": (
        GOOD.encode() + b"1,2,\xff\xfe\xfa,True,x,yes\n",
        "a.csv",
        {},
        "utf-8",
    ),
    "a parquet of nothing": (b"", "a.parquet", {}, "a.parquet is empty"),
    "half a parquet": (_truncated(), "a.parquet", {}, "a.parquet cannot be read"),
    "a class that is none": (
        GOOD,
        "a.csv",
        {"positive": "maybe"},
        "positive=maybe is no class; there are no, yes",
    ),
    "an encoding that is none": (GOOD, "a.csv", {"encoding": "klingon"}, "klingon"),
    "too many classes": (
        GOOD,
        "a.csv",
        {"target": "amount", "kind": "multiclass"},
        "rows?; a split needs",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_learned_from_is_refused_with_one_sentence(case, write, tmp_path):
    text, name, settings, expected = REFUSED[case]
    task = Table(**({"path": write(text, name), "target": "churned"} | settings))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=expected) as refusal:
        task.check()
    assert str(refusal.value).count("\n") == 0
    assert len(str(refusal.value).replace(str(tmp_path), "")) < 400


def test_places_that_hold_nothing_are_refused(tmp_path):
    for path, expected in {
        str(tmp_path / "none.csv"): "there is no file",
        str(tmp_path / "*.csv"): "no file matches",
        str(tmp_path): "a folder with nothing readable in it",
    }.items():
        with pytest.raises(ValueError, match=expected):
            Table(path=path, target="y").check()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(write):
    path = write(GOOD)
    Path(path).chmod(0)
    with pytest.raises(ValueError, match="Permission denied"):
        Table(path=path, target="churned").check()


def test_a_permission_that_is_missing_is_told(write, monkeypatch):
    path = write(GOOD)

    def deny(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", deny)
    with pytest.raises(ValueError, match=r"data\.csv cannot be read: Permission denied"):
        Table(path=path, target="churned").check()


def test_a_refusal_ends_the_command_before_any_cell(eras, write, tmp_path):
    done = eras("task=table", f"task.path={write(GOOD)}", "task.target=churn", "model=baseline")
    assert done.returncode == 2
    assert "there is no column 'churn'; the nearest are 'churned'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not list((tmp_path / "a" / "cells").glob("*.json"))
    for given, expected in {
        "task.target=y": "say where the table is: task.path, task.id or task.name, not none",
        "task.path=a.csv": "say which column is to be predicted: task.target=COLUMN",
        "task.name=irises": "scikit-learn ships no 'irises'; there are breast_cancer, ",
    }.items():
        done = eras("task=table", given, "model=baseline")
        assert done.returncode == 2
        assert expected in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


# The whole of it


@pytest.mark.slow
def test_a_table_goes_through_every_model(eras, records, write):
    path = write(gzip.compress(GOOD.encode()), "a b.csv.gz")
    models = "model=baseline,logistic,svm,random_forest,xgboost,network"
    done = eras("task=table", f'task.path="{path}"', "task.target=churned", models)
    assert done.returncode == 0, done.stdout + done.stderr
    scores = {r["model"]: r["scores"]["roc_auc"] for r in records()}
    assert len(scores) == 6
    assert min(v for k, v in scores.items() if k != "baseline") > 0.6


def test_other_rows_under_the_same_name_are_other_cells(eras, records, write):
    arguments = ("task=table", f"task.path={write(GOOD)}", "task.target=churned", "model=baseline")
    assert eras(*arguments).returncode == 0
    assert "0 cells to run" in eras(*arguments).stdout
    write(frame(200).to_csv(index=False))
    assert "1 cells to run" in eras(*arguments).stdout


def look(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.look", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_a_look_tells_what_was_understood_and_what_is_suspicious(write):
    table = dated(600)
    table["closed_at"] = table["sent_at"] + pd.Timedelta(days=3)
    table["y_final"] = table["y"]
    table["score"] = (
        np.where(table["y"] == "b", 2.0, 1.0) + np.random.default_rng(1).random(600) / 9
    )
    table = table.rename(columns={"y": "outcome", "y_final": "outcome_final"})
    table = pd.concat([table, table[:100]])
    done = look(
        "task=table",
        f"task.path={write(table.to_csv(index=False))}",
        "task.target=outcome",
        "task.time=sent_at",
    )
    assert done.returncode == 0, done.stderr
    text = " ".join(done.stdout.split())
    for part in (
        "rows 700",
        "outcome is binary",
        "classes a 4",
        "time by sent_at",
        "roughly",
        "'outcome_final' is called like the target",
        "'outcome_final' alone predicts the target almost perfectly",
        "'score' alone predicts the target almost perfectly",
        "'closed_at' lies after 'sent_at' in 100% of the rows",
    ):
        assert part in text, part


@pytest.mark.slow
def test_a_look_at_a_clean_table_warns_of_nothing_and_at_a_bad_one_says_why(write):
    done = look("task=table", f"task.path={write(GOOD)}", "task.target=churned")
    assert done.returncode == 0
    assert "!" not in done.stdout
    assert "numbers the rows" in " ".join(done.stdout.split())
    done = look("task=table", "task.path=nowhere.csv", "task.target=y")
    assert (done.returncode, done.stderr) == (2, "error: there is no file nowhere.csv\n")
    assert look("model=svm").returncode == 2
    assert "kind" in look("task=breast_cancer").stdout


def test_a_suspected_leak_is_a_mark_in_the_table(eras, records, write):
    table = frame()
    table["churned_on"] = table["churned"]
    path = write(table.to_csv(index=False))
    done = eras("task=table", f"task.path={path}", "task.target=churned", "model=logistic")
    assert "ME11" in done.stdout
    (record,) = records()
    texts = [check["text"] for check in record["checks"] if check["code"] == "ME11"]
    assert "'churned_on' is called like the target 'churned'" in texts[0]


def test_a_model_that_cannot_take_the_size_is_skipped_with_its_limit(eras, records):
    done = eras("task=breast_cancer", "model=svm", "model.max_rows=100")
    assert done.returncode == 0, done.stderr
    (record,) = records()
    assert record["status"] == "skipped"
    assert record["reason"] == "398 rows are more than it takes (model.max_rows=100)"


@pytest.mark.parametrize("name", ["data?mode=rwc.db", "file:x", ":memory:", "a#b.db", "a%41.db"])
@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_query_reads_one_file_and_writes_none(tmp_path, monkeypatch, name, kind):
    import sqlite3

    import duckdb

    from tasks.table.read import _query

    monkeypatch.chdir(tmp_path)
    if kind == "sqlite":
        with contextlib.closing(sqlite3.connect(tmp_path / name)) as made:
            made.executescript("create table t(a); insert into t values (1); ")
        refused = sqlite3.Error
        writing = [
            "attach 'o.db' as o",
            "vacuum into 'v.db'",
            "insert into t values (2) returning a",
        ]
    else:
        with duckdb.connect(str(tmp_path / name)) as database:
            database.execute("create table t as select 1 a")
        refused = duckdb.Error
        writing = [
            "attach 'o.db'",
            "copy t to 'v.csv'",
            "insert into t values (2)",
            "set enable_external_access = true",
            "select * from read_csv('/etc/passwd')",
        ]
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert _query(name, "select * from t", None).to_pylist() == [{"a": 1}]
    for query in writing:
        with pytest.raises(refused):
            _query(name, query, None)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
