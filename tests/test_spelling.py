"""What a person types in a shell is what is meant, or one sentence says how to type it."""

import contextlib
import shlex
import sqlite3
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser

from benchmarks import compare, export, look, report, verdicts
from benchmarks.plan.settings import read_settings
from benchmarks.plan.sources import data_hash
from benchmarks.plan.spelling import declared_by, shell, spelled
from tasks.table import Table

FILES = [
    "my file (1).csv",
    "a=b.csv",
    "data[1].csv",
    "data[1-3]*.csv",
    "~.csv",
    "~a/b.csv",
    "a,b.csv",
    "a, b.csv",
    "it's.csv",
    'so "called".csv',
    "#1.csv",
    "{a}.csv",
    "a{1,2}.csv",
    "US$.csv",
    "$HOME.csv",
    "${HOME}.csv",
    "a\\${x}.csv",
    "100%.csv",
    "größe.csv",
    "表.csv",
    "-x.csv",
    "C:\\x.csv",
    "C:\\(1).csv",
    "a&b;c|d.csv",
    "!.csv",
    "`a`.csv",
    "<a>.csv",
    "?.csv",
    "a:b.csv",
    "null",
    "true",
    "2024",
    "1e5",
    "[a,b]",
    "{a: b}",
    "f(x)",
    "choice(a,b).csv",
    " blank .csv",
    "new\nline.csv",
    "a@b+c.csv",
    "*.csv",
]


def table(rows: int = 80) -> pd.DataFrame:
    random = np.random.default_rng(0)
    x = random.normal(size=rows)
    return pd.DataFrame({"x": x, "y": np.where(x + random.normal(size=rows) > 0, "1", "0")})


@pytest.fixture
def write(tmp_path) -> Callable[..., Path]:
    def save(name: str, frame: pd.DataFrame | None = None) -> Path:
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (table() if frame is None else frame).to_csv(path, index=False)
        return path

    return save


@pytest.fixture
def looked(capsys, monkeypatch) -> Callable[..., tuple[int, str]]:
    """`look` in this process: (exit code, all that it said)."""

    def call(*arguments: str) -> tuple[int, str]:
        code = look.main(["task=table", *arguments])
        captured = capsys.readouterr()
        if code:
            assert len(captured.err.strip().splitlines()) == 1, captured.err
            assert captured.err.startswith("error: ")
        return code, captured.out + captured.err

    return call


# Where a table lies ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_any_name_is_that_file(name, write, looked, monkeypatch, tmp_path):
    write(name)
    for decoy in ("data1.csv", "a.csv", "b.csv", "other.csv"):
        if decoy != name:
            write(decoy, table(30))
    monkeypatch.chdir(tmp_path / "data")
    place = f"./{name}" if name == "null" else name  # which alone stands for none
    code, said = looked(f"task.path={place}", "task.target=y")
    assert code == 0, said
    assert "80" in said


@pytest.mark.parametrize(
    "name", ["my file (1).csv", "a,b.csv", "data[1].csv", "${HOME}.csv", "größe.csv", "2024"]
)
def test_the_main_job_reads_it_too_and_records_what_was_typed(name, write, eras, records):
    path = write(name)
    done = eras("task=table", f"task.path={path}", "task.target=y", "model=baseline")
    assert done.returncode == 0, done.stderr
    (record,) = records()
    assert record["config"]["task"]["path"] == str(path)
    assert record["rows"]["train"] + record["rows"]["test"] == 80
    assert "data" in record["code"], "other rows under that name would be other cells"


ODD = ("data[1]", "~", "#1", "100%", "a?b=c", "*", "it's", "größe (1)")


@pytest.mark.parametrize("ending", [".jsonl", ".parquet", ".feather", ".csv.gz", ".db", ".duckdb"])
def test_a_file_of_any_form_has_any_name(ending, tmp_path, monkeypatch):
    """DuckDB, SQLite and Arrow each have a grammar of their own for names."""
    monkeypatch.chdir(tmp_path)
    writers = {
        ".jsonl": lambda frame, path: frame.to_json(path, orient="records", lines=True),
        ".parquet": lambda frame, path: frame.to_parquet(path),
        ".feather": lambda frame, path: frame.to_feather(path),
        ".csv.gz": lambda frame, path: frame.to_csv(path, index=False),
        ".db": in_sqlite,
        ".duckdb": in_duckdb,
    }
    query = "select * from t" if ending in (".db", ".duckdb") else None
    for decoy in ("data1", "b"):
        writers[ending](table(30), f"{decoy}{ending}")
    for stem in (name for name in ODD if ending != ".duckdb" or "?" not in name):
        writers[ending](table(), f"plain{ending}")
        path = Path(f"plain{ending}").rename(f"{stem}{ending}")
        found = Table(path=str(path), target="y", query=query).understand().table
        assert len(found) == 80, path
        path.unlink()


def in_sqlite(frame: pd.DataFrame, path: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database:
        frame.to_sql("t", database, index=False)


def in_duckdb(frame: pd.DataFrame, path: str) -> None:
    with duckdb.connect(path) as database:
        database.register("f", frame)
        database.execute("create table t as select * from f")


MISSING = {
    "/nowhere/x.csv": "there is no file /nowhere/x.csv",
    "nowhere.csv": "there is no file nowhere.csv",
    "/nowhere/*.csv": "no file matches /nowhere/*.csv",
    "/nowhere/**/x?.csv": "no file matches",
    "nowhere/[ab].csv": "no file matches",
    "/nowhere/x (1).csv": "there is no file /nowhere/x (1).csv",
    "C:\\x.csv": "there is no file C:\\x.csv",
    "~/nowhere/*.csv": "no file matches ~/nowhere/*.csv",
    "~nobody-of-that-name/x.csv": "cannot be read",
    "/" + 300 * "x": "File name too long",
    "/nowhere/a,b.csv": "task.path=\"'/nowhere/a,b.csv'\"",
    "": "task.path is empty",
    " ": "task.path is empty",
    "/dev/null": "is neither a file nor a folder",
    "/pro?": "only folders match",
    "${nowhere}.csv": "nowhere",
}


@pytest.mark.parametrize(("path", "sentence"), MISSING.items())
def test_a_place_that_holds_nothing_ends_in_one_sentence(path, sentence, looked, main):
    code, said = looked(f"task.path={path}", "task.target=y")
    assert (code, sentence in said) == (2, True), said
    code, said = main("task=table", f"task.path={path}", "task.target=y", "model=baseline")
    assert (code, sentence in said) == (2, True), said
    assert len(said.strip().splitlines()) == 1


def test_patterns_and_folders_may_be_absolute_and_are_part_of_a_cell(write, tmp_path, looked):
    write("part 1.csv")
    first = data_hash([str(tmp_path / "data" / "part ?.csv")])
    write("part 2.csv")
    write("deep/er/part 3.csv")
    for pattern, rows in {
        "part ?.csv": 160,
        "part [1-2].csv": 160,
        "**/part*": 240,
        "": 240,
    }.items():
        code, said = looked(f"task.path={tmp_path}/data/{pattern}", "task.target=y")
        assert (code, str(rows) in said) == (0, True), said
    second = data_hash([str(tmp_path / "data" / "part ?.csv")])
    assert None is not first != second
    assert data_hash([str(tmp_path / "nowhere" / "*.csv")]) is None
    assert data_hash(["", " "]) is None, "no place is not the folder one is in"


def test_a_home_is_found_behind_an_equals_sign(write, monkeypatch, looked, eras, tmp_path):
    monkeypatch.setenv("HOME", str(write("a.csv").parent))
    for path in ("~/a.csv", "~/*.csv"):
        assert looked(f"task.path={path}", "task.target=y")[0] == 0
    assert data_hash(["~/*.csv"]) == data_hash(["~/a.csv"])
    assert eras("results=~/my results (1)").returncode == 0
    assert (tmp_path / "data" / "my results (1)" / "a" / "cells").is_dir()


@pytest.mark.slow
def test_several_files_are_a_sweep(write, eras, records):
    first, second = write("a.csv"), write("b (1).csv", table(60))
    for k, paths in enumerate((f"{first},{second}", f"'{first}', \"{second}\"")):
        done = eras(
            "task=table", f"task.path={paths}", "task.target=y", "model=baseline", f"run={k}"
        )
        assert done.returncode == 0, done.stderr
        assert {r["config"]["task"]["path"] for r in records(str(k))} == {str(first), str(second)}


# Names and values --------------------------------------------------------------------------------

NAMES = [
    "2024",
    "1e5",
    "-1",
    "true",
    "None",
    "Age (years)",
    "age(years)",
    "a=b",
    "a.b",
    "a, b",
    "a: b",
    "it's",
    'so "called"',
    "x[0]",
    "{x}",
    "#",
    "100 %",
    "US$",
    "größe",
    "年",
    "a/b\\c",
    "a & b",
    "a|b",
    "~x",
    "+x",
    "-x",
    "*",
    "nan",
    "a;b",
    "max(a)",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_target_and_a_group_of_any_name(name, write, looked):
    frame = table().rename(columns={"y": name}).assign(**{f"{name}2": np.arange(80) % 16})
    path = write("a.csv", frame)
    code, said = looked(f"task.path={path}", f"task.target={name}", f"task.group={name}2")
    assert code == 0, said
    assert f"group by {name}2" in " ".join(said.split())


def test_a_name_with_a_comma_is_quoted_for_hydra(write, looked, eras):
    path = write("a.csv", table().rename(columns={"y": "a,b"}))
    code, said = looked(f"task.path={path}", "task.target=a,b")
    assert code == 2
    (advice,) = shlex.split(said[said.index('task.target="') :].rstrip(".\n"))
    assert advice == "task.target='a,b'"
    assert looked(f"task.path={path}", advice)[0] == 0
    done = eras("task=table", f"task.path={path}", advice, "model=baseline")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("positive", ["0", "1"])
def test_the_positive_class_may_be_a_number(positive, write, looked):
    code, said = looked(f"task.path={write('a.csv')}", "task.target=y", f"task.positive={positive}")
    assert code == 0, said
    assert f"predicted {positive}" in " ".join(said.split())


def test_the_positive_class_may_be_a_word_of_the_grammar(write, looked):
    for words in (("true", "false"), ("null", "none of them"), ("yes, twice", "inf")):
        frame = table().replace({"1": words[0], "0": words[1]})
        for word in words:
            path = write("a.csv", frame)
            if word == "null":  # it is the default, and missing
                continue
            code, said = looked(f"task.path={path}", "task.target=y", f"task.positive={word}")
            assert code == 0 or "one class only" in said, said


@pytest.mark.slow
def test_a_query_is_typed_as_it_is(tmp_path, looked, eras, records):
    file = tmp_path / "my (1).db"
    with sqlite3.connect(file) as database:
        table().assign(**{"Age (years)": 3, "name": "a,b"}).to_sql("t", database, index=False)
    queries = (
        "select x, y from t where \"Age (years)\" = 3 and name in ('a,b', 'c')",
        "select x,y from t",
        "select *\nfrom t\nwhere x > -9.5 -- all, in fact",
        "select max(x, 0) as m, y, 'it''s' as \"so, called\" from t where y != '{a}'",
    )
    for k, query in enumerate(queries):
        code, said = looked(f"task.path={file}", f"task.query={query}", "task.target=y")
        assert code == 0, said
        arguments = ("task=table", f"task.path={file}", f"task.query={query}", "task.target=y")
        done = eras(*arguments, "model=baseline", f"run=q{k}")
        assert done.returncode == 0, done.stderr
        assert [r["config"]["task"]["query"] for r in records(f"q{k}")] == [query]


def test_types_take_names_of_any_kind(write, looked, eras, records):
    frame = table().assign(**{"Größe (cm)": range(80), "a,b": range(80), "c: d": range(80)})
    path = write("a.csv", frame.assign(**{"2024": range(80)}))
    types = "{Größe (cm): category, 'a,b': out, c: d: text, 2024: number}"
    code, said = looked(f"task.path={path}", "task.target=y", f"task.types={types}")
    assert code == 0, said
    arguments = ("task=table", f"task.path={path}", "task.target=y", f"task.types={types}")
    done = eras(*arguments, "model=baseline")
    assert done.returncode == 0, done.stderr
    expected = {"Größe (cm)": "category", "a,b": "out", "c: d": "text", "2024": "number"}
    assert [r["config"]["task"]["types"] for r in records()] == [expected]


# The grammar that there is beside it -------------------------------------------------------------

MEANT = {  # what is typed -> the values that it stands for
    "task.target=2024": ["2024"],
    "task.target=01": ["01"],
    "task.target=2024,1e5": ["2024", "1e5"],
    "task.target='2024'": ["2024"],
    'task.target="a","b, c"': ["a", "b, c"],
    "task.target='a', b": ["a", "b"],
    "task.target=a\\,b": ["a,b"],
    "task.target=a,": ["a,"],
    "task.target=f(a,b),c": ["f(a,b)", "c"],
    "task.target=it's,that's": ["it's", "that's"],
    "task.target=choice(a,b)": ["a", "b"],
    "task.target=str(3)": ["3"],
    "task.target=null": [None],
    "task.target=null,2": [None, "2"],
    "task.encoding=null": ["null"],  # that must be a text
    "task.target=${task.time} (1)": ["${task.time} (1)"],
    "task.target=a${b": ["a\\${b"],  # which OmegaConf takes for what is typed
    "task.split=time, random": ["time", "random"],
    "++task.target=3": ["3"],
    "task.id=31": [31],
    "task.id=31,32": [31, 32],
    "task.test_share=1(2)": ["1(2)"],  # its class says what is wrong with it
    "task.types={zip: category}": [{"zip": "category"}],
    "model.kernel=rbf": ["rbf"],
    "model.C=1,10": [1, 10],
    "seed=0,1": [0, 1],
    "run=2024": ["2024"],
    "control=null,future_column": [None, "future_column"],
    "checks.skip=[ME04]": [["ME04"]],
    "hydra.x=2": [2],
    "model=svm,xgboost": ["svm", "xgboost"],
}


@pytest.mark.parametrize(("typed", "meant"), MEANT.items())
def test_sweeps_quotes_escapes_null_and_interpolations_stay_what_they_are(typed, meant):
    classes = {"task": ["tasks.table.Table"], "model": ["models.svm.SVM", "models.mlp.MLP"]}
    declared = declared_by({part: map(read_settings, of) for part, of in classes.items()})
    (line,) = spelled([typed], declared)
    parser = OverridesParser.create()
    override = parser.parse_override(line)
    found = [override.value()]
    if override.is_sweep_override():
        lines = [f"x={value}" for value in override.sweep_string_iterator()]
        found = [one.value() for one in parser.parse_overrides(lines)]
    assert found == meant


def test_lists_of_texts_hold_texts(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "with_list.py").write_text(
        "from dataclasses import dataclass\n@dataclass\nclass Task:\n"
        "    missing: list[str] | None = None\n    by: dict[str, str] | None = None\n"
    )
    declared = declared_by({"task": [read_settings("with_list.Task")], "model": []})
    parser = OverridesParser.create()
    for typed, meant in {
        "task.missing=[NA,-999,null,1e5,?,'a,b',n/a,#N/A]": [
            *("NA", "-999", "null", "1e5", "?", "a,b", "n/a", "#N/A")
        ],
        "task.missing=[]": [],
        "task.missing=null": None,
        "task.by={a: 1, b: (x)}": {"a": "1", "b": "(x)"},
    }.items():
        (line,) = spelled([typed], declared)
        assert parser.parse_override(line).value() == meant


@pytest.mark.parametrize("value", ["a,b", "it's", 'so "called"', "$x", "a\\b", "`", "!"])
def test_what_is_shown_can_be_typed(value):
    (argument,) = shlex.split(shell(f"task.target={value}"))
    assert argument == f"task.target={value}"


WRONG = {
    ("task.path=my", "file.csv"): 'a value with blanks in it is given as task.path="my file.csv"',
    ("task.path=my file", "(1).csv"): 'task.path="my file (1).csv"',
    ("file.csv",): 'a value with blanks in it is given as KEY="A VALUE"',
    ("-x.csv",): "-x.csv is neither KEY=VALUE nor an option",
    ("--task.path=x",): "There is no option --task.path; settings are given without dashes",
    ("=",): "",
    ("a b=3",): "",
    ("task.rows=1(2)",): "task.rows=1(2): input should be a valid integer",
    ("run=a b(1)",): "run=a b(1): string should match pattern",
    ("run=a=b",): "run=a=b: string should match pattern",
    ("task.nothing=a(b",): "There is no setting task.nothing",
    ("results=~nobody-of-that-name/x",): "there is no such user",
    ("checks.skip=ME04",): 'give a list, as "checks.skip=[A,B]"',
    ("run=\udcff",): "is no UTF-8 text",
    ("hydra.x=a(b",): "",
}


@pytest.mark.parametrize(("arguments", "sentence"), WRONG.items())
def test_what_cannot_be_meant_ends_in_one_sentence(arguments, sentence, main, tmp_path):
    code, said = main(*arguments)
    assert code == 2
    assert sentence in said
    assert len(said.strip().splitlines()) == 1
    assert said.startswith("error: ")
    assert not list(tmp_path.rglob("*.json"))


def test_a_config_is_shown_for_what_was_typed(eras, write):
    done = eras("task=table", f"task.path={write('a (1).csv')}", "task.target=2024", "--cfg", "job")
    task = yaml.safe_load(done.stdout)["task"]
    assert (Path(task["path"]).name, task["target"]) == ("a (1).csv", "2024")


# Names of runs -----------------------------------------------------------------------------------

FOLDERS = ["my run (1) 100 %", "a[/b]", "it's #1, größe", "{a}$b=*"]


@pytest.mark.parametrize("name", FOLDERS)
def test_a_run_may_be_a_folder_of_any_name(name, eras, tmp_path, capsys, monkeypatch):
    done = eras("model=steep,steep", "model.factor=1,3", f"results={tmp_path / name}")
    assert done.returncode == 0, done.stderr
    assert f"{name}/a/table.md".replace(" ", "") in "".join(done.stdout.split())
    folder = tmp_path / name / "a"
    renamed = folder.rename(tmp_path / name / name.replace("/", "-"))
    for given in (str(renamed), f"{renamed}/", renamed.name):
        where = ["--results", str(renamed.parent)]
        for command in (
            [verdicts, given],
            [compare, given, given],
            [report, given, "--page-only"],
        ):
            assert command[0].main([*command[1:], *where]) == 0
    assert (renamed / "report.html").is_file()
    monkeypatch.chdir(renamed)
    assert verdicts.main(["."]) == 0
    assert renamed.name in capsys.readouterr().out + str(renamed)


@pytest.mark.parametrize("name", ["", "nowhere", "x" * 300, "~nobody-of-that-name", "a\nb", "[/b]"])
def test_a_run_that_is_not_there_ends_in_one_sentence(name, tmp_path, capsys):
    for command, names in (
        (verdicts, [name]),
        (compare, [name, name]),
        (report, [name]),
        (export, [name]),
    ):
        assert command.main([*names, "--results", str(tmp_path)]) == 2
        assert capsys.readouterr().err.startswith("error: There is no run")
