"""How a user's table is read and typed: by column, without losing a digit, a level or a name."""

import functools
import http.server
import json
import re
import sqlite3
import subprocess
import sys
import threading
import unicodedata
from decimal import Decimal

import fsspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.cell import views
from tasks.table import Table, columns, formats
from tasks.table.columns import Column, written
from tests.conftest import ROOT

N = 240
RNG = np.random.default_rng(0)
DAYS = pd.Timestamp("2020-01-01") + pd.to_timedelta(RNG.integers(0, 1500, N), "D")
SECONDS = pd.Timestamp("2020-01-01") + pd.to_timedelta(RNG.integers(0, 10**8, N), "s")
EARLY = pd.to_datetime([f"2024-{m:02}-{d:02}" for m in range(1, 13) for d in range(1, 13)] * 2)[:N]
X = RNG.normal(size=N).round(4)


@pytest.fixture
def understood(tmp_path):
    """Write a CSV whose column `c` has these texts, and read it."""

    def read(texts, target=None, name="c", **settings):
        y = np.resize(["a", "b"], N) if target is None else target
        table = pd.DataFrame({"x": X, name: np.resize(np.array(texts, object), N), "y": y})
        table.to_csv(tmp_path / "a.csv", index=False)
        task = Table(path=str(tmp_path / "a.csv"), target="y", split="random", **settings)
        train, _ = views.make(task, task.load(0), "features")  # whatever it is, a cell can read it
        assert len(train)
        return task.understand()

    return read


def column(found, name="c") -> Column:
    return {column.name: column for column in found.columns}[name]


# A format is a column's


@pytest.mark.parametrize(
    ("pattern", "moments"),
    [
        ("%d/%m/%Y", DAYS),
        ("%m/%d/%Y", DAYS),
        ("%d.%m.%Y", DAYS),
        ("%d-%m-%Y", DAYS),
        ("%Y/%m/%d", DAYS),
        ("%Y%m%d", DAYS),
        ("%d-%b-%Y", DAYS),
        ("%B %d, %Y", DAYS),
        ("%d %b %y", DAYS),
        ("%m/%d/%y", DAYS),
        ("%G-W%V-%u", DAYS),
        ("%d.%m.%Y %H:%M", SECONDS.floor("min")),
        ("%m/%d/%Y %I:%M:%S %p", SECONDS),
        ("%Y-%m-%dT%H:%M:%SZ", SECONDS),
        ("%Y-%m-%d %H:%M:%S+00:00", SECONDS),
        ("%a, %d %b %Y %H:%M:%S GMT", SECONDS),
    ],
)
def test_dates_are_read_in_the_one_format_that_explains_all(understood, pattern, moments):
    found = understood(moments.strftime(pattern))
    assert column(found).kind == "date"
    assert (found.table["c"].to_numpy() == moments.to_numpy()).all()


def test_offsets_are_taken_off(understood):
    texts = [f"{s.isoformat()}{o}" for s, o in zip(SECONDS, ["+02:00", "-0530"] * N, strict=False)]
    moments = understood(texts).table["c"]
    assert (moments[::2].to_numpy() == (SECONDS - pd.Timedelta("2h"))[::2].to_numpy()).all()
    assert (moments[1::2].to_numpy() == (SECONDS + pd.Timedelta("5h30min"))[1::2].to_numpy()).all()


@pytest.mark.parametrize(
    ("pattern", "asked", "other"),
    [("%d/%m/%Y", "dmy", "mdy"), ("%m-%d-%Y", "mdy", "dmy"), ("%d.%m.%y", "dmy", "mdy")],
)
def test_two_orders_of_a_date_are_a_question_that_a_setting_answers(
    understood, pattern, asked, other
):
    texts = EARLY.strftime(pattern)
    (question,) = understood(texts).notices
    assert "is read as" in question
    assert "task.dates=" in question
    for setting in (asked, {"c": asked}):
        found = understood(texts, dates=setting)
        assert (found.table["c"].to_numpy() == EARLY.to_numpy()).all()
        assert found.notices == []
    assert not (understood(texts, dates=other).table["c"].to_numpy() == EARLY.to_numpy()).all()


def test_another_column_of_the_file_tells_the_order(tmp_path):
    table = pd.DataFrame({"a": EARLY.strftime("%m/%d/%Y"), "b": DAYS.strftime("%m/%d/%Y")})
    table.assign(y=np.resize(["a", "b"], N)).to_csv(tmp_path / "a.csv", index=False)
    found = Table(path=str(tmp_path / "a.csv"), target="y").understand()
    assert (found.table["a"].to_numpy() == EARLY.to_numpy()).all()


def test_any_format_can_be_said_and_a_wrong_one_is_refused(understood):
    texts = DAYS.strftime("%Y|%d|%m")
    for dates in ("%Y|%d|%m", {"c": "%Y|%d|%m"}):
        assert (understood(texts, dates=dates).table["c"].to_numpy() == DAYS.to_numpy()).all()
    for dates, sentence in {
        "klingon": "task.dates=klingon: give one of dmy, mdy, ymd, or a format such as",
        "%Q": "bad directive",
    }.items():
        with pytest.raises(ValueError, match=sentence):
            understood(texts, dates=dates)
    with pytest.raises(ValueError, match=r"task\.dates=\{c: mdy\} does not explain all of 'c'"):
        understood(DAYS.strftime("%d/%m/%Y"), dates={"c": "mdy"})
    with pytest.raises(ValueError, match="there is no column 'cc'"):
        understood(texts, dates={"cc": "dmy"})


def test_the_ends_of_the_calendar_break_nothing(understood):
    for texts in (
        ["9999-12-31", "0001-01-01", "2024-02-29"],
        ["31.12.9999", "01.01.0001", "29.2.2024"],
    ):
        found = understood(texts)
        assert column(found).kind == "date"
        assert [v.year for v in found.table["c"][:3]] == [9999, 1, 2024]


@pytest.mark.parametrize(
    "texts",
    [
        [f"{a}.{b}.{c}" for a, b, c in RNG.integers(0, 13, (N, 3))],  # versions
        [f"{a}-{b}-{c}" for a, b, c in RNG.integers(0, 9, (N, 3))],  # records
        [f"555-{a:03}-{b:04}" for a, b in RNG.integers(0, 99, (N, 2))],  # telephone numbers
        [f"{a:02}-{b:04}" for a, b in RNG.integers(1, 13, (N, 2))],  # parts
        ["2024-01-05", "05/01/2024", "2024-02-07"],  # two formats
        ["2024-01-05 10:00Z", "2024-01-05 11:00"],  # with and without an offset
        ["2024-02-30", "2024-01-30"],  # no day
    ],
)
def test_what_no_format_explains_stays_a_text_and_keeps_every_value(understood, texts):
    found = understood(texts, types=None)
    own = column(found)
    assert own.kind in ("category", "out")
    if own.kind == "category":
        assert list(found.table["c"].astype(str)) == list(np.resize(texts, N))


@pytest.mark.parametrize(
    ("texts", "seconds"),
    [
        (["08:30", "23:59"], [30600, 86340]),
        (["08:30:05", "23:59:59.5"], [30605, 86399.5]),
        (["11:30 PM", "12:05 AM"], [84600, 300]),
        (["30:00:00", "1:02:03"], [108000, 3723]),
        (["1 days 00:00:01", "0 days 00:00:00"], [86401, 0]),
        (["PT1H30M", "P1D"], [5400, 86400]),
    ],
)
def test_times_of_day_and_lengths_of_time_are_seconds(understood, texts, seconds):
    found = understood(texts)
    assert column(found).kind == "number"
    assert list(found.table["c"][:2]) == seconds


@pytest.mark.parametrize("unit", [1, 1000])
def test_numbers_since_1970_are_moments_where_their_name_says_so_and_else_a_question(
    understood, unit
):
    numbers = [str(int(s.timestamp()) * unit) for s in SECONDS]
    found = understood(numbers, name="created_at")
    assert (found.table["created_at"].to_numpy() == SECONDS.to_numpy()).all()
    found = understood(numbers)
    assert column(found).kind == "number"
    assert any("since 1970, taken for numbers" in text for text in found.notices)
    found = understood(numbers, types={"c": "date"})
    assert (found.table["c"].to_numpy() == SECONDS.to_numpy()).all()


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["0,125", "12,34", "-7"], [0.125, 12.34, -7]),
        (["1.234.567,8", "5,5"], [1234567.8, 5.5]),
        (["1 234,5", "7,25"], [1234.5, 7.25]),
        (["1,234,567.8", "5.5"], [1234567.8, 5.5]),
        (["12,34,567", "1,00,000"], [1234567, 100000]),
        (["1'234", "1'234'567"], [1234, 1234567]),
        (["1.5e-05", "2E+10"], [1.5e-05, 2e10]),
        (["+5", "-3"], [5, -3]),
        (["12.5%", "3%"], [12.5, 3]),
        (["$1,234.50", "-$3"], [1234.5, -3]),
        (["7,50 €", "1.000,00 €"], [7.5, 1000]),
    ],
)
def test_numbers_are_read_with_the_signs_that_explain_all(understood, texts, numbers):
    found = understood(texts)
    assert column(found).kind == "number"
    assert list(found.table["c"][: len(numbers)]) == numbers
    assert found.notices == []


@pytest.mark.parametrize(
    ("texts", "point", "comma"),
    [(["1,234", "56,789"], [1234, 56789], [1.234, 56.789]), (["1.234"], [1.234], [1234])],
)
def test_two_signs_of_decimals_are_a_question_that_a_setting_answers(
    understood, texts, point, comma
):
    texts = [*texts, *(texts[0][:-1] + str(k) for k in range(10))]
    found = understood(texts)
    assert list(found.table["c"][: len(point)]) == point
    assert any("task.decimal=comma" in text for text in found.notices)
    for said, numbers in {"point": point, "comma": comma, ",": comma}.items():
        for decimal in (said, {"c": said}):
            found = understood(texts, decimal=decimal)
            assert list(found.table["c"][: len(point)]) == numbers
            assert found.notices == []
    with pytest.raises(ValueError, match=r"task\.decimal=dot: give point or comma"):
        understood(texts, decimal="dot")


def test_a_value_in_another_format_is_never_swapped_or_lost_in_silence(understood):
    numbers = [str(v) for v in X]
    found = understood(["12,5", *numbers[1:]])
    assert column(found).kind != "number"
    assert any("'12,5' is no number" in text for text in found.notices)
    found = understood(["12,5", *numbers[1:]], types={"c": "number"})
    assert found.table["c"].isna().sum() == 1
    assert any("'12,5' and such (1 rows): no numbers" in text for text in found.notices)
    found = understood(["unknown", *numbers[1:]])
    assert (column(found).kind, column(found).missing) == ("number", 1)
    assert any("'unknown' and such (1 rows): no numbers" in text for text in found.notices)
    with pytest.raises(ValueError, match="'a' is no number"):
        understood(["a", "b"], types={"c": "number"})


# Digits


def test_whole_numbers_stay_whole_and_others_keep_all_digits(understood):
    ids = [str(3_000_000_000 + k % 119) for k in range(N)]
    found = understood(ids, name="customer_id", group=None)
    assert found.table["customer_id"].dtype == np.int64
    assert found.table["customer_id"].nunique() == 119
    found = understood([repr(v) for v in RNG.normal(1.7e9, 1, 10).tolist()], name="z")
    assert found.table["z"].dtype == np.float64
    assert found.table["z"].nunique() == 10


def test_groups_times_and_targets_come_from_stored_values(tmp_path):
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "customer_id": 9_007_199_254_740_993 + rng.integers(0, 119, 600),
            "ts": 1_700_000_000 + rng.permutation(600),
            "x": rng.normal(size=600),
            "y": 1.7e9 + rng.normal(size=600) * 100,
        }
    )
    for name in ("a.csv", "a.parquet"):
        path = tmp_path / name
        table.to_csv(path, index=False) if name == "a.csv" else table.to_parquet(path)
        task = Table(path=str(path), target="y", split="group", group="customer_id")
        assert task.understand().table["customer_id"].nunique() == table.customer_id.nunique()
        task = Table(path=str(path), target="y", time="ts")
        data = task.load(0)
        assert data.raw.found.table["ts"].nunique() == 600
        known = np.sort(np.concatenate([data.train_labels, data.test_labels]))
        assert set(known) <= set(table.y)
        train, _ = views.make(task, data, "features")
        assert train["customer_id"].dtype == np.int64
        assert train["x"].dtype == np.float64


def test_what_no_number_holds_is_a_category(understood, tmp_path):
    for ids in (
        [f"9{k % 40:019}" for k in range(N)],
        ["", *(f"9{k % 40:017}" for k in range(1, N))],
    ):
        found = understood(ids)
        assert column(found).kind == "category"
        assert column(found).distinct == 40
        assert "more digits than a number keeps" in found.notices[0]
    table = pa.table(
        {
            "u": pa.array(2**63 + np.arange(N, dtype=np.uint64) % 5),
            "gaps": pa.array([None if k % 9 == 0 else 2**60 + k % 40 for k in range(N)]),
            "exact": pa.array(
                [Decimal(10**18 + k % 7).scaleb(-3) for k in range(N)], pa.decimal128(38, 3)
            ),
            "y": np.resize(["a", "b"], N),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    found = Table(path=str(tmp_path / "a.parquet"), target="y").understand()
    assert {c.name: (c.kind, c.distinct) for c in found.columns} == {
        "u": ("category", 5),
        "gaps": ("category", 40),
        "exact": ("category", 7),
    }


def test_stored_types_of_all_kinds_are_read_or_left_out(tmp_path):
    table = pa.table(
        {
            "length": pa.array(np.arange(N), pa.duration("ms")),
            "clock": pa.array(np.arange(N, dtype=np.int32) * 7).cast(pa.time32("s")),
            "bytes": [b"\xff"] * N,
            "list": [[1, 2]] * N,
            "single": pa.array(X.astype(np.float32)),
            "zone": pa.array(np.arange(N) * 10**12, pa.timestamp("us", "Europe/Berlin")),
            "flag": X > 0,
            "y": np.resize(["a", "b"], N),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    task = Table(path=str(tmp_path / "a.parquet"), target="y", split="random")
    found = task.understand()
    kinds = ["number", "number", "out", "out", "number", "date", "category"]
    assert [c.kind for c in found.columns] == kinds
    assert found.table["length"].max() == (N - 1) / 1000
    views.make(task, task.load(0), "features")


# Text that is not a number


@pytest.mark.parametrize(
    ("texts", "question"),
    [
        (["01", "1", "02"], "has leading zeros"),
        (["00501", "10115", "94110"], "has leading zeros"),
        (["1E5", "2E3"], "may be a code or a number"),
    ],
)
def test_codes_stay_codes_and_a_setting_decides(understood, texts, question):
    for types in (None, {"c": "category"}):
        found = understood(texts, types=types)
        assert column(found).kind == "category"
        assert set(found.table["c"].cat.categories) == set(texts)
        assert any(question in text for text in found.notices) == (types is None)
    found = understood(texts, types={"c": "number"})
    assert column(found).kind == "number"
    assert found.table["c"].nunique() == len({float(text) for text in texts})


def test_hexadecimal_numbers_are_texts(understood):
    found = understood(["0x1F", "0x20", "0x0A"])
    assert set(found.table["c"].cat.categories) == {"0x1F", "0x20", "0x0A"}


@pytest.mark.parametrize("name", ["zip", "zip_code", "PLZ", "postal code"])
def test_postal_codes_are_categories_by_their_name(understood, name):
    found = understood([str(v) for v in RNG.integers(10_000, 99_999, 60)], name=name)
    assert column(found, name).kind == "category"
    assert "by its name postal codes" in found.notices[0]
    numbers = understood(["10115", "20095", "80331"], name=name, types={name: "number"})
    assert column(numbers, name).kind == "number"


def test_numbers_called_like_codes_are_a_question(understood):
    found = understood([str(k % 40) for k in range(N)], name="store_id")
    assert "by its name codes: taken for numbers" in found.notices[0]
    assert understood([str(k % 40) for k in range(N)], name="size").notices == []


# What is missing


@pytest.mark.parametrize("word", ["NA", "None", "none", "-", "?", "N/A", "missing"])
def test_a_word_is_a_level_and_a_class_and_a_gap_among_numbers(understood, word):
    found = understood([word, "EU", "US"])
    assert word in found.table["c"].cat.categories
    assert any(f"'{word}'" in text and "kept as a level" in text for text in found.notices)
    found = understood(["1"], target=np.resize([word, "x", "y"], N))
    assert word in found.classes
    assert found.without_target == 0
    assert any("kept as a level" in text for text in found.notices)
    found = understood([word, *map(str, X[1:])])
    assert (column(found).kind, column(found).missing) == ("number", 1)
    found = understood([word, "EU", "US"], missing=[word])
    assert column(found).missing == N // 3
    assert set(found.table["c"].cat.categories) == {"EU", "US"}


def test_rows_without_a_target_are_told_in_every_table(understood, eras, tmp_path):
    found = understood(["1", "2"], target=np.resize(["", "x", "y", "NULL"], N))
    assert found.without_target == N // 2
    assert (
        f"{N // 2} of {N} rows are left out: their target 'y' is missing ('NULL')" in found.notices
    )
    path = tmp_path / "a.csv"
    done = eras("task=table", f"task.path={path}", "task.target=y", "model=baseline")
    assert done.returncode == 0, done.stderr
    assert "rows are left out: their target 'y' is missing" in " ".join(done.stdout.split())


def test_the_list_of_what_is_missing_can_be_said(understood):
    assert column(understood(["-999", "1", "2"], missing=[-999])).missing == N // 3
    assert column(understood(["NULL", "x", "y"], missing=[])).missing == 0
    assert column(understood(["NULL", "x", "y"])).missing == N // 3


def test_a_number_that_means_missing_is_missing_in_stored_columns_too(tmp_path):
    pd.DataFrame(
        {"c": np.resize([-999, 1, 2], N), "x": X, "y": np.resize(["a", "b"], N)}
    ).to_parquet(tmp_path / "a.parquet")
    found = Table(path=str(tmp_path / "a.parquet"), target="y", missing=[-999]).understand()
    assert column(found).missing == N // 3


def test_infinity_and_nan_are_told_apart(understood):
    found = understood(["nan", "inf", "-inf", "1.5", "2"])
    assert f"{N * 2 // 5} infinite: missing" in column(found).notes
    assert any(f"{N * 2 // 5} rows infinite" in text for text in found.notices)
    assert column(found).missing == N * 3 // 5


# Names and labels


def test_labels_that_look_alike_are_merged_or_kept_apart_and_told(understood):
    for texts, levels, said in (
        ([" a", "a", "b "], {"a", "b"}, "taken for one"),
        (["café", "cafe\u0301", "x"], {"café", "x"}, "taken for one"),
        (["Yes", "yes", "no"], {"Yes", "yes", "no"}, "'Yes' and 'yes' kept apart"),
        (["01", "1", "2"], {"01", "1", "2"}, "kept apart"),
    ):
        found = understood(texts)
        assert set(found.table["c"].cat.categories) == levels
        assert any(said in text for text in found.notices)
        found = understood(["1"], target=np.resize(texts, N))
        assert set(found.classes) == levels
        assert any(said in text for text in found.notices)
    found = understood(["1"], target=np.resize(["1", "1.0", "0"], N))
    assert found.classes == ("0", "1")
    assert any("'1' and '1.0' taken for one" in text for text in found.notices)
    found = understood(["1", "1.0", "2"], types={"c": "category"})
    assert set(found.table["c"].cat.categories) == {"1", "1.0", "2"}


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_columns_that_are_called_alike_stay_apart(tmp_path, ending):
    table = pd.DataFrame(
        {"Age": X, "age": X * 2, " age": X * 3, "age_1": X * 4, "y": np.resize(["a", "b"], N)}
    )
    path = tmp_path / f"a.{ending}"
    if ending == "csv":
        table.to_csv(path, index=False)
    elif ending == "parquet":
        table.to_parquet(path)
    else:
        table.to_json(path, orient="records", lines=True)
    found = Table(path=str(path), target="y").understand()
    for name, factor in {"Age": 1, "age": 2, "age_2": 3, "age_1": 4}.items():
        np.testing.assert_allclose(found.table[name], X * factor)
    assert "'Age' and 'age' are two columns" in found.notices
    assert "several columns are called 'age': one of them is 'age_2' here" in found.notices


def test_numbers_and_texts_in_one_column_are_one_and_told(tmp_path):
    values = [1, "1", 2]
    rows = [{"x": float(X[k]), "y": values[k % 3]} for k in range(N)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with sqlite3.connect(tmp_path / "a.db") as database:
        database.execute("create table t (x, y)")
        database.executemany("insert into t values (:x, :y)", rows)
    for name, query in (("a.jsonl", None), ("a.db", "select * from t")):
        found = Table(path=str(tmp_path / name), target="y", query=query).understand()
        assert set(found.classes) == {"1", "2"}
        assert any("'y' holds numbers and texts" in text for text in found.notices)


def test_a_name_in_another_form_of_unicode_is_the_same_name(tmp_path):
    decomposed = unicodedata.normalize("NFD", "größe")
    table = pd.DataFrame({decomposed: RNG.integers(0, 9, N), " y ": np.resize(["a", "b"], N)})
    table.to_csv(tmp_path / "a.csv", index=False)
    for name in ("größe", decomposed):
        task = Table(path=str(tmp_path / "a.csv"), target="y", types={name: "category"})
        assert column(task.understand(), "größe").kind == "category"


def test_a_derived_name_never_overwrites_a_column(tmp_path):
    table = pd.DataFrame(
        {
            "order": DAYS.strftime("%Y-%m-%d"),
            "order year": RNG.integers(0, 5, N),
            "note": np.resize(["a good long day", "a bad long night"], N),
            "note 1": RNG.integers(0, 5, N),
            "y": np.resize(["a", "b"], N),
        }
    )
    table.to_csv(tmp_path / "a.csv", index=False)
    task = Table(path=str(tmp_path / "a.csv"), target="y", split="random")
    data = task.load(0)
    train, _ = views.make(task, data, "features")
    assert list(train["order year"]) == list(table["order year"].iloc[data.raw.train])
    assert list(train["note 1"]) == list(table["note 1"].iloc[data.raw.train])
    assert {"order year'", "note 1'"} <= set(train.columns)


# Distinct values


@pytest.mark.parametrize("rows", [3_000, 20_000])
def test_unique_columns_are_counted_exactly(tmp_path, rows):
    rng = np.random.default_rng(0)
    names = {
        f"u{k}": [f"{v:x}" for v in rng.permutation(rows) * 7919 + k + 2**44] for k in range(20)
    }
    table = pd.DataFrame(names | {"x": rng.normal(size=rows), "y": rng.choice(["a", "b"], rows)})
    table.to_csv(tmp_path / "a.csv", index=False)
    found = Table(path=str(tmp_path / "a.csv"), target="y").understand()
    own = [c for c in found.columns if c.name in names]
    assert {(c.kind, c.distinct) for c in own} == {("out", rows)}


# Files and folders


def plain(rows: int = N) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "x": rng.normal(size=rows).round(3),
            "k": rng.integers(0, 99, rows),
            "y": np.resize(["a", "b"], rows),
        }
    )


@pytest.mark.parametrize("pattern", ["", "*/*/*.csv", "**/*.csv"])
def test_folders_tell_columns_and_what_is_hidden_is_no_data(tmp_path, pattern):
    root = tmp_path / "data"
    for month in ("01", "02", "__HIVE_DEFAULT_PARTITION__"):
        place = root / "land=a%20b" / f"month={month}"
        place.mkdir(parents=True)
        plain().to_csv(place / "part.csv", index=False)
        for name in (
            ".part.csv.swp",
            "._part.csv",
            ".~lock.part.csv#",
            "_SUCCESS",
            "part.csv~",
            "_old.csv",
        ):
            (place / name).write_text("x,k,y\n1,2,a\n")
    (root / "_temporary").mkdir()
    plain().to_csv(root / "_temporary" / "part.csv", index=False)
    found = Table(
        path=str(root / pattern), target="y", types={"month": "category", "land": "category"}
    ).understand()
    assert len(found.table) == 3 * N
    assert found.table["month"].value_counts(dropna=False).tolist() == [N, N, N]
    assert set(found.table["month"].cat.categories) == {"01", "02"}
    assert set(found.table["land"].cat.categories) == {"a b"}


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_files_whose_types_differ_are_one_table(tmp_path, ending):
    table = plain()
    months = [
        table,
        table.assign(k=table.k + 0.5),
        table.assign(k=table.k.astype(str)),
        table.drop(columns="x"),
    ]
    for number, month in enumerate(months):
        path = tmp_path / f"{number}.{ending}"
        month.to_csv(path, index=False) if ending == "csv" else month.to_parquet(path)
    found = Table(path=str(tmp_path), target="y").understand()
    assert {c.name: c.kind for c in found.columns} == {"x": "number", "k": "number"}
    assert found.table["k"].sum() == pytest.approx(4 * table.k.sum() + N / 2)
    assert "'x' stands in 3 of 4 files: missing elsewhere" in found.notices


def test_a_header_of_more_than_a_mebibyte_is_read(tmp_path):
    names = [f"{k} " + "x" * 3_000 for k in range(400)]
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 400)).round(2), columns=names)
    table.assign(y=["a", "b"] * 20).to_csv(tmp_path / "a.csv", index=False)
    found = Table(path=str(tmp_path / "a.csv"), target="y").understand()
    assert found.table.shape == (40, 400)


FORMS = {
    "CR": lambda text: text.replace("\n", "\r"),
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "BOM": lambda text: "\ufeff" + text,
    "a delimiter at the end of every line": lambda text: text.replace("\n", ",\n"),
    "one at the end of every row": lambda text: text.replace("\n", ",\n").replace(",\n", "\n", 1),
    "one at the end of the header": lambda text: text.replace("\n", ",\n", 1),
    "a last line without an end": lambda text: text.rstrip("\n"),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_lines_gives_the_same_table(tmp_path, form):
    (tmp_path / "a.csv").write_bytes(FORMS[form](plain().to_csv(index=False)).encode())
    found = Table(path=str(tmp_path / "a.csv"), target="y").understand()
    pd.testing.assert_frame_equal(found.table, plain()[["x", "k"]])


def test_row_names_without_a_header_are_a_column(tmp_path):
    text = plain().to_csv().removeprefix(",")  # as R writes them
    (tmp_path / "a.csv").write_text(text)
    found = Table(path=str(tmp_path / "a.csv"), target="y").understand()
    assert {c.name: c.kind for c in found.columns} == {
        "column0": "out",
        "x": "number",
        "k": "number",
    }


def test_workbooks_are_read_or_refused_by_name(tmp_path, monkeypatch):
    for name in ("a.xls", "a.ods", "a.pkl", "a.zip"):
        (tmp_path / name).write_text("x")
        with pytest.raises(ValueError, match=r"files are not read; save it as CSV or Parquet"):
            Table(path=str(tmp_path / name), target="y").check()
    (tmp_path / "a.xlsx").write_bytes(b"x")

    def gone(*_: object, **__: object) -> None:
        raise ImportError("openpyxl")

    monkeypatch.setattr(pd, "read_excel", gone)
    with pytest.raises(
        ValueError, match=r"needs pip install 'model-eras\[excel\]', or save it as CSV"
    ):
        Table(path=str(tmp_path / "a.xlsx"), target="y").check()


def test_a_workbook_gives_the_same_table(tmp_path):
    pytest.importorskip("openpyxl")
    table = plain().assign(day=DAYS, code=np.resize(["01", "1"], N))
    with pd.ExcelWriter(tmp_path / "a.xlsx") as book:
        table.to_excel(book, sheet_name="first", index=False)
        plain().to_excel(book, sheet_name="other", index=False)
    found = Table(path=str(tmp_path / "a.xlsx"), target="y", split="random").understand()
    kinds = {"x": "number", "k": "number", "day": "date", "code": "category"}
    assert {c.name: c.kind for c in found.columns} == kinds
    assert "of 2 sheets the first, 'first', is read" in found.notices


@pytest.mark.parametrize(
    "path", ["memory://one/a.csv", "memory://all", "memory://all/*/*.csv", "memory://one/a.parquet"]
)
def test_what_lies_elsewhere_is_read_by_fsspec(tmp_path, path):
    plain().to_parquet(tmp_path / "a.parquet")
    memory = fsspec.filesystem("memory")
    text = plain().to_csv(index=False).encode()
    memory.pipe("/one/a.csv", text)
    memory.pipe("/one/a.parquet", (tmp_path / "a.parquet").read_bytes())
    memory.pipe("/all/month=1/a.csv", text)
    memory.pipe("/all/month=2/a.csv", text)
    found = Table(path=path, target="y").understand()
    assert len(found.table) == (2 * N if "all" in path else N)
    assert ("month" in found.table) == ("all" in path)


def test_what_cannot_be_fetched_ends_in_one_sentence(monkeypatch):
    for path, sentence in {
        "memory://nothing/a.csv": "there is no file memory://nothing/a.csv",
        "klingon://a.csv": "klingon://a.csv cannot be read: Protocol not known",
    }.items():
        with pytest.raises(ValueError, match=sentence):
            Table(path=path, target="y").check()

    def gone(*_: object, **__: object) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", gone)
    with pytest.raises(ValueError, match=r"s3://b/a.csv needs pip install 'model-eras\[remote\]'"):
        Table(path="s3://b/a.csv", target="y").check()


def test_the_web_is_read(tmp_path):
    pytest.importorskip("aiohttp")
    plain().to_csv(tmp_path / "a b.csv.gz", index=False)
    plain().to_parquet(tmp_path / "a.parquet")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for name in ("a%20b.csv.gz", "a.parquet", "a.parquet?token=1"):
            path = f"http://127.0.0.1:{server.server_port}/{name}"
            assert len(Table(path=path, target="y").understand().table) == N
        with pytest.raises(ValueError, match="there is no file http://"):
            Table(path=f"http://127.0.0.1:{server.server_port}/no.csv", target="y").check()
        server.shutdown()


# A look


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_a_look_sees_all_of_a_sorted_file(tmp_path, ending):
    table = plain(45_000).assign(y=np.repeat(["a", "b", "c"], 15_000))
    path = tmp_path / f"a.{ending}"
    if ending == "csv":
        table.to_csv(path, index=False)
    elif ending == "parquet":
        table.to_parquet(path)
    else:
        table.to_json(path, orient="records", lines=True)
    facts = dict(Table(path=str(path), target="y").look(200_000).facts)
    assert facts["rows"] == "45,000"
    assert facts["classes"] == "a 33.3%, b 33.3%, c 33.3%"
    facts = dict(Table(path=str(path), target="y").look(20_000).facts)
    assert facts["rows"].startswith("45,000; ")
    shares = [float(share) for share in re.findall(r"([0-9.]+)%", facts["classes"])]
    assert shares == pytest.approx([33.3] * 3, abs=2)


def test_a_look_sees_all_classes_where_they_take_turns(tmp_path):
    plain(45_000).to_csv(tmp_path / "a.csv", index=False)
    facts = dict(Table(path=str(tmp_path / "a.csv"), target="y").look(22_000).facts)
    assert facts["target"].startswith("y is binary")


@pytest.mark.slow
def test_a_look_shows_values_format_and_range_in_80_columns(tmp_path):
    table = pd.DataFrame(
        {
            "visited": EARLY.strftime("%d/%m/%Y"),
            "price": [f"{v:.2f}".replace(".", ",") for v in X],
            "region": np.resize(["NA", "EU"], N),
            "code": np.resize(["001", "012", "1"], N),
            "y": np.resize(["a", "b"], N),
        }
    )
    table.to_csv(tmp_path / "a.csv", index=False)
    command = [
        sys.executable,
        "-m",
        "benchmarks.look",
        "task=table",
        f"task.path={tmp_path / 'a.csv'}",
    ]
    done = subprocess.run(
        [*command, "task.target=y", "task.split=random"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"COLUMNS": "80"},
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    text = " ".join(done.stdout.split())
    for part in (
        "such as",
        "understood as",
        "001, 012, 1",
        "decimal comma, ",
        "2024-01-01",
        "or task.dates=mdy",
        "'NA' (120 rows) kept as a level",
        "has leading zeros, so categories (or task.types={code: number})",
    ):
        assert part in text, part


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1.7e9 + 1, "1700000001"),
        (-1234567.4, "-1234567"),
        (999999.5, "1000000"),
        (0.1 + 0.2, "0.3"),
        (1e-7, "1e-07"),
        (1e20, "1e+20"),
        (5, "5"),
    ],
)
def test_a_number_is_told_with_all_it_has_before_its_point(value, shown):
    assert written(value) == shown


STORED = [
    ["2024-02-29", "1677-01-31", "9999-12-31"],
    ["2024-02-29 23:59:59", "2024-03-01T00:00:00", "2024-03-01 00:00:00.25"],
    ["2024-02-29 23:59:59.123456"] * 3,
]
NOT_STORED = [
    ["2024-02-29", "2023-02-29"],
    ["2024-02-29", "0000-01-01"],
    ["2024-02-29", "2024-02-29 10:00:00"],
    ["2024-02-29 10:00:00", "2024-02-29 24:00:00"],
    ["2024-02-29 10:00:00", "2024-02-29 10:00:60"],
    ["2024-02-29 10:00:00", "2024-02-29 10:00:00Z"],
    ["2024-02-29 10:00:00.1234567"],
]


@pytest.mark.parametrize("texts", STORED + NOT_STORED, ids=lambda texts: texts[-1])
def test_the_short_way_to_a_moment_leads_where_the_long_one_does(texts):
    short = formats.stored_moments(pa.chunked_array([texts]))
    assert (short is not None) == (texts in STORED)
    if short is not None:
        (long,) = formats.moments(pa.array(texts), texts)
        assert short[:3] == long[:3]
        assert short.values.to_pylist() == long.values.to_pylist()


MOMENTS = {
    "plain": [f"2024-01-{day:02}" for day in range(1, 10)],
    "gaps": ["2024-01-01", "", "NA", "2024-01-03", None, "NULL", "n/a"] * 3,
    "times": ["2024-01-01 10:00:00", "2024-01-01T11:00:00.5", ""],
    "one value": ["2024-01-01"] * 6,
    "with and without a time": ["2024-01-01", "2024-01-02 10:00:00"],
    "no such day": ["2024-01-01", "2024-02-30"] * 5,
    "another, late": ["2024-01-01"] * 300 + ["x"],
    "blanks": ["2024-01-01", " 2024-01-02 ", "2024-01-03", " "],
    "nothing": ["", None],
    "far": ["9999-12-31", "0001-01-01", "2024-01-01"],
}


@pytest.mark.parametrize("texts", MOMENTS.values(), ids=MOMENTS)
def test_moments_without_a_second_look_are_understood_as_with_one(texts, monkeypatch):
    def understood():
        """Beside a column that only another one can explain."""
        halves = [texts[: len(texts) // 2], texts[len(texts) // 2 :]]
        rows = len(texts)
        table = {
            "x": pa.chunked_array(halves, pa.string()),
            "z": pa.chunked_array([(["01-02-03", "02-03-04", "03-04-05"] * rows)[:rows]]),
            "y": pa.chunked_array([(["1", "2"] * rows)[:rows]]),
        }
        frame, found = columns.understand(table, "y", [], {}, columns.Rules())
        return repr((frame.to_dict("list"), [vars(column) for column in found]))

    short = understood()
    monkeypatch.setattr(columns, "plain_moments", lambda *_: None)
    assert short == understood()
