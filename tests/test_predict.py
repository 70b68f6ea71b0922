"""New rows: read as the old ones were, in pieces, explained, and refused where they do not fit."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from benchmarks import predict
from tasks.table import Table, again, formats
from tasks.table.read import pieces, read
from tests.takes import TARGET, new_rows, scored, taken, task_of, write_table


@pytest.fixture
def folder(eras, worker, tmp_path):
    """A taken model of a kind of problem, and the table that it learned from."""

    def of(model: str, kind: str = "binary"):
        table = write_table(tmp_path / "table.csv", kind)
        done = eras(*task_of(table), f"model={model}", "seed=0", "limits.seconds=60")
        assert done.returncode == 0, done.stderr
        return taken(worker, tmp_path / "a", model, tmp_path / "folder"), table

    return of


def reader_of(table, **settings):
    task = Table(path=str(table), target=TARGET, **settings)
    data = task.load(0)
    return task, data, task.new_rows(data, "features")


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_rows_are_read_as_those_learned_from(tmp_path, kind):
    """The table itself, as a file of new rows: prepared to the bit as its test rows were."""
    table = write_table(tmp_path / "table.csv", kind)
    task, data, reader = reader_of(table)
    _, test = task.view(data, "features")
    new = new_rows(table, data.raw.test, tmp_path / "new.csv")
    ((_, rows),) = reader.pieces(str(new), 10_000)
    pd.testing.assert_frame_equal(rows, test.reset_index(drop=True), check_exact=True)
    frame = pd.read_csv(new, dtype=str, keep_default_na=False)
    frame.to_parquet(tmp_path / "new.parquet")
    pieces = [rows for _, rows in reader.pieces(str(tmp_path / "new.parquet"), 7)]
    assert max(map(len, pieces)) <= 7
    if kind == "binary":  # of texts, shares of rows add up in another order
        whole = pd.concat([p.astype({"plan": str}) for p in pieces], ignore_index=True)
        expected = test.reset_index(drop=True).astype({"plan": str})
        pd.testing.assert_frame_equal(whole, expected, check_exact=True)


FORMATS = {
    "amount": (["1.234,50", "2,5", "1.000.000,75", "-7,25"], "3.000,125", 3000.125),
    "dollars": (["$ 1,234.50", "$2", "$7.25", "$12"], "$3,000.5", 3000.5),
    "took": (["1:02:03", "0:00:59", "10:00:00", "2:30:00"], "0:01:00", 60.0),
    "zip": (["01234", "99999", "04711", "10115"], "04711", "04711"),
    "at": (["1700000000", "1700086400", "1700172800", "1700259200"], "1700345600", None),
    "when": (["3/14/2024", "12/31/2024", "1/2/2024", "6/30/2024"], "2/1/2024", None),
}


@pytest.mark.parametrize("name", FORMATS)
def test_formats_are_kept(tmp_path, name):
    values, new, expected = FORMATS[name]
    called = {"at": "created_at", "zip": "zip code"}.get(name, name)
    frame = pd.DataFrame({called: values * 30, "n": np.arange(120) % 7, TARGET: ["a", "b"] * 60})
    frame.to_csv(tmp_path / "t.csv", index=False)
    _, data, reader = reader_of(tmp_path / "t.csv", split="random")
    assert called in reader.names
    typed = reader.typed(pa.table({called: [new, None], "n": ["1", "2"]}))
    known = {column.name: column for column in data.raw.found.columns}[called]
    assert typed[called].isna().tolist() == [False, True]
    if expected is not None:
        assert typed[called].iloc[0] == expected
    else:
        assert known.kind == "date"
        day = {"at": "2023-11-18 22:13:20", "when": "2024-02-01"}[name]
        assert typed[called].iloc[0] == pd.Timestamp(day)
    if known.kind != "category":
        wrong = pa.table({called: ["1x", new], "n": ["1", "2"]})
        with pytest.raises(ValueError, match=f"row 1 of '{called}' is '1x'"):
            reader.typed(wrong)


def test_every_format_is_found_again_by_its_key():
    told = [told for _, told, _ in formats.layouts()]
    assert len(set(told)) == len(told)
    for texts in (["1,5", "2,25"], ["3 Jan 2024", "12 May 2023"], ["1 days", "2 days 03:00:00"]):
        for reading in formats.readings(pa.array(texts)):
            assert formats.again(reading.key, pa.array(texts)).equals(reading.values)


def test_a_long_file_is_read_in_blocks_and_once(tmp_path):
    """Also where a line break in a value, far behind, asks for another way of reading."""
    file = tmp_path / "long.csv"
    lines = [f"{k},{'x' * 200}" for k in range(100_000)]
    lines[90_000] = '90000,"a\nb"'
    file.write_text("n,text\n" + "\n".join(lines) + "\n")
    parts = list(pieces(str(file), None, "utf-8", 1, 30_000))
    numbers = np.concatenate([part["n"].to_numpy() for part in parts]).astype(int)
    np.testing.assert_array_equal(numbers, np.arange(100_000))
    assert max(map(len, parts)) <= 30_000
    whole = read(str(file), None, "utf-8", 1).table
    assert pa.concat_tables(parts).equals(whole)


@pytest.mark.slow
def test_what_was_predicted_why_and_what_goes_along(folder, worker, tmp_path, capsys):
    taken_folder, table = folder("xgboost")
    new = new_rows(table, range(40), tmp_path / "new.csv", plan="gold")
    found = scored(worker, taken_folder, new, "--explain", "2", "--keep", "id")
    assert "40 rows have a value of 'plan' that was never learned from, such as 'gold'" in (
        capsys.readouterr().err
    )
    reasons = ["reason 1", "effect 1", "reason 2", "effect 2"]
    said = ["row", "prediction", "probability no", "probability yes"]
    assert list(found.columns) == ["id", *said, *reasons]
    assert list(found["id"]) == [f"n{k}" for k in range(40)]
    assert list(found["row"]) == list(range(40))
    likely = found["probability yes"] > 0.5
    assert (found["prediction"].astype(str) == np.where(likely, "yes", "no")).all()
    assert (found["effect 1"].abs() >= found["effect 2"].abs()).all()
    strong = found["effect 1"].abs() > 1
    assert ((found["effect 1"] > 0) == likely)[strong].mean() > 0.8
    out = tmp_path / "scored.csv"
    assert predict.main([str(taken_folder), str(new), "--out", str(out)], worker) == 0
    pd.testing.assert_frame_equal(
        pd.read_csv(out)[said], found[said].astype({"prediction": str}), check_dtype=False
    )


def test_effects_of_trees_and_terms_add_up(folder, worker, tmp_path):
    taken_folder, table = folder("ridge", "regression")
    new = new_rows(table, range(60), tmp_path / "new.csv")
    found = scored(worker, taken_folder, new, "--explain", "50")
    effects = found[[name for name in found if name.startswith("effect")]].sum(axis=1)
    rest = found["prediction"] - effects  # where all begin
    assert rest.std() < 1e-6 * found["prediction"].std()
    assert "plan_plus" in set(found["reason 1"]) | set(found["reason 2"])


def test_what_a_library_does_not_tell_is_not_told(folder, worker, tmp_path, capsys):
    taken_folder, table = folder("baseline")
    new = new_rows(table, [0], tmp_path / "new.csv")
    out = tmp_path / "out.parquet"
    asked = [str(taken_folder), str(new), "--out", str(out), "--explain", "2"]
    assert predict.main(asked, worker) == 2
    assert "the library of baseline does not say it" in capsys.readouterr().err
    assert not out.exists()


def test_rows_that_do_not_fit_end_in_one_sentence(folder, worker, tmp_path, capsys):
    taken_folder, table = folder("baseline")
    good = new_rows(table, range(5), tmp_path / "good.csv")
    text = good.read_text()
    frame = pd.read_csv(good)
    broken = {
        "missing.csv": (text.replace("price", "cost"), "there is no column 'price'"),
        "renamed.csv": (text.replace("tenure", "Tenure"), "'tenure' (is it 'Tenure'?)"),
        "none.csv": (text.splitlines()[0] + "\n", "has no rows"),
        "empty.csv": ("", "is empty"),
    }
    words = frame.assign(tenure="long")
    words.to_csv(tmp_path / "words.csv", index=False)
    flags = frame.assign(plan=True)
    flags.to_parquet(tmp_path / "flags.parquet")
    cases = [("words.csv", "row 1 of 'tenure' is 'long'"), ("flags.parquet", "'plan' holds bool")]
    for name, (content, told) in broken.items():
        (tmp_path / name).write_text(content)
        cases.append((name, told))
    out = tmp_path / "out.parquet"
    for name, told in [*cases, ("gone.csv", "there is no file")]:
        asked = [str(taken_folder), str(tmp_path / name), "--out", str(out)]
        assert predict.main(asked, worker) == 2
        error = capsys.readouterr().err
        assert told in error, error
        assert name in error
        assert len(error.splitlines()) == 1
        assert not out.exists()
    assert not list(tmp_path.glob(".*.part"))


def test_a_folder_that_is_not_as_it_was_left(folder, worker, tmp_path, capsys):
    taken_folder, table = folder("logistic")
    new = new_rows(table, [0], tmp_path / "new.csv")
    asked = [str(taken_folder), str(new), "--out", str(tmp_path / "out.csv")]

    def refused() -> str:
        assert predict.main(asked, worker) == 2
        error = capsys.readouterr().err
        assert len(error.splitlines()) == 1
        return error

    state = taken_folder / "state.json"
    before = state.read_text()
    state.write_text(before.replace("1", "2", 1))
    assert "state.json was changed since" in refused()
    state.unlink()
    assert "state.json is gone" in refused()
    state.write_text(before)
    assert predict.main(asked, worker) == 0
    capsys.readouterr()
    facts = json.loads((taken_folder / "taken.json").read_text())
    for form, told in ((99, "a newer version"), (0, "another version"), (None, "another version")):
        (taken_folder / "taken.json").write_text(json.dumps({**facts, "form": form}))
        assert told in refused()
    (taken_folder / "taken.json").write_text("{")
    assert "holds no model that was taken" in refused()
    asked[0] = str(tmp_path)
    assert "it has no taken.json" in refused()
    asked[0] = str(tmp_path / "nowhere")
    assert "There is no folder" in refused()


def test_what_is_asked_for_in_vain(folder, worker, tmp_path, capsys):
    taken_folder, table = folder("baseline")
    new = str(new_rows(table, [0], tmp_path / "new.csv"))
    for more, told in (
        (["--out", "x.xlsx"], "ends in .parquet or .csv"),
        (["--out", str(tmp_path / "no" / "x.csv")], "there is no folder"),
        (["--out", str(tmp_path / "x.csv"), "--explain", "-1"], "from 1 on"),
        (["--out", str(tmp_path / "x.csv"), "--keep", "name"], "no column 'name' to keep"),
        (["--out", str(tmp_path / "x.csv"), "--query", "select 1"], "task.query is for"),
    ):
        assert predict.main([str(taken_folder), new, *more], worker) == 2
        assert told in capsys.readouterr().err
    assert again.told_lacking(["a"], ["b"]) == "there is no column 'a'"


def test_a_fraction_in_a_column_of_whole_numbers_stays_one(folder, worker, tmp_path):
    """Whatever its neighbours hold: a gap among them, or whole numbers alone."""
    found, table = folder("logistic")
    alone = new_rows(table, [3], tmp_path / "alone.csv", tenure="30.5")
    whole = new_rows(table, [3], tmp_path / "whole.csv", tenure="30")
    by_fraction, by_whole = (scored(worker, found, new) for new in (alone, whole))
    p = [one["probability yes"].item() for one in (by_fraction, by_whole)]
    assert abs(p[0] - p[1]) > 1e-6
    lines = alone.read_text().splitlines()
    empty = new_rows(table, [3], tmp_path / "empty.csv", tenure="").read_text().splitlines()[1]
    (tmp_path / "both.csv").write_text("\n".join([*lines, empty]) + "\n")
    both = scored(worker, found, tmp_path / "both.csv")
    assert both["probability yes"][0] == pytest.approx(p[0], abs=1e-12)


def test_new_rows_are_not_written_over(folder, worker, tmp_path, capsys):
    found, table = folder("baseline")
    new = new_rows(table, [0, 1], tmp_path / "new.csv")
    before = new.read_text()
    assert predict.main([str(found), str(new), "--out", str(new)], worker) == 2
    assert "is the file of new rows itself" in capsys.readouterr().err
    assert new.read_text() == before


UNLIKE = {  # what keeps a column from being read as numbers at once: what stands in it
    "a word": ("amount", "x", ValueError),
    "a gap that was never one": ("amount", "n.a.", ValueError),
    "blanks": ("amount", " 7.5 ", 7.5),
    "a decimal comma": ("amount", '"7,5"', ValueError),
    "more digits than a float has": ("amount", "9007199254740993", 9007199254740993.0),
    "infinite": ("amount", "inf", np.nan),
    "a gap": ("amount", "NA", np.nan),
    "a moment with no such day": ("when", "2024-02-30 00:00:00", ValueError),
    "a moment of another form": (
        "when",
        "2024-02-03T04:05:06.5",
        pd.Timestamp("2024-02-03T04:05:06.5"),
    ),
    "a gap of a moment": ("when", "null", pd.NaT),
}


@pytest.mark.parametrize("case", UNLIKE)
def test_what_is_read_at_once_is_what_texts_would_give(tmp_path, case):
    """In the last of many rows, far behind the first block."""
    called, written, expected = UNLIKE[case]
    moments = pd.date_range("2024-01-01 01:00", periods=120, freq="7h").astype(str)
    frame = pd.DataFrame({"amount": np.arange(120) / 4, "when": moments, TARGET: ["a", "b"] * 60})
    frame.to_csv(tmp_path / "t.csv", index=False)
    _, _, reader = reader_of(tmp_path / "t.csv", split="random")
    types = reader.expected().types
    assert (types["amount"], types["when"]) == (pa.float64(), pa.timestamp("us"))
    assert "amount" not in reader.expected(keep=["amount"]).types
    usual = {"amount": "1.25", "when": "2024-01-01 01:00:00"}
    rows = [",".join(usual.values())] * 400_000 + [",".join((usual | {called: written}).values())]
    (tmp_path / "new.csv").write_text("amount,when\n" + "\n".join(rows) + "\n")
    typed = []
    reader.tellable = typed.append  # what a model would read is made of these
    read = list
    if expected is ValueError:
        with pytest.raises(ValueError, match=f"row 400,001 of '{called}' is "):
            read(reader.pieces(str(tmp_path / "new.csv"), 100_000))
        return
    read(reader.pieces(str(tmp_path / "new.csv"), 100_000))
    assert sum(map(len, typed)) == 400_001
    found = typed[-1][called].iloc[-1]
    assert found == expected or (pd.isna(found) and pd.isna(expected))
    assert set(typed[0][called]) == {1.25 if called == "amount" else pd.Timestamp(usual["when"])}
