"""One text, several engines: what is read, what is refused, and that all of them agree."""

import datetime
import importlib.metadata
import socket
import subprocess

import pandas as pd
import pyarrow as pa
import pytest

from benchmarks.errors import BadInput
from benchmarks.plan.cells import engine_for
from benchmarks.records.records import Run
from tasks import engines
from tasks.ads import Ads
from tasks.events import Events
from tasks.events.features import tables as tables_of_events
from tasks.notifications import Notifications
from tests.conftest import ROOT

NOTIFICATIONS = ROOT / "tasks" / "notifications"
SHOP = ROOT / "tests" / "data" / "shop"
SEEN = pa.table({"user": [1, 2, 1], "said": ["no", "yes", "no"]})


@pytest.mark.parametrize(
    ("sql", "steps", "query"),
    [
        ("SELECT 1", [], "SELECT 1"),
        ("SELECT 1;", [], "SELECT 1"),
        ("SELECT ';' AS x -- and; so on\n", [], "SELECT ';' AS x -- and; so on\n"),
        ("/* a;b */ SELECT 'it''s; so';\n-- done;\n", [], "/* a;b */ SELECT 'it''s; so'"),
        (
            "-- first;\ncreate temporary view a as select 1;\nCREATE TEMPORARY TABLE b AS\n"
            "SELECT 2 -- two\n;SELECT 3",
            [("VIEW", "a", "select 1"), ("TABLE", "b", "SELECT 2")],
            "SELECT 3",
        ),
    ],
)
def test_a_text_is_a_query_and_what_it_reads(sql, steps, query):
    text = engines.read(sql)
    assert list(text.steps) == [engines.Step(*step) for step in steps]
    assert text.query.strip() == query.strip()


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("", "no query"),
        ("-- nothing;", "no query"),
        ("DROP TABLE x; SELECT 1", "only CREATE TEMPORARY VIEW"),
        ("CREATE VIEW a AS SELECT 1; SELECT 1", "only CREATE TEMPORARY VIEW"),
        ("SELECT reflect('java.lang.System', 'exit', 1)", "reflect"),
        ("SELECT `reflect`('java.lang.System', 'exit', 1)", "reflect"),
        ("SELECT Java_Method /* */ ('a', 'b')", "Java_Method"),
        ("SELECT try_reflect('a', 'b')", "try_reflect"),
        ("SELECT TRANSFORM(user) USING 'sh -c id' AS x FROM seen", "USING '"),
        ("SELECT TRANSFORM(user) USING -- then\n 'sh'", "USING"),
        ('FROM seen MAP user USING "sh" AS x', "USING"),
        ("SELECT * FROM parquet.`/etc/passwd`", "/etc/passwd"),
        ("SELECT * FROM csv . `file:x`", "file:x"),
        ("SELECT '${env:HOME}'", r"\$\{"),
        ("SELECT 1 -- done\rAS x, reflect('a', 'b')", "reflect"),
        ("SELECT IDENTIFIER('ref' || 'lect')('a', 'b')", "IDENTIFIER"),
        ("SELECT /* /* */ reflect('a', 'b') */", "reflect"),
    ],
)
def test_what_is_no_query_is_refused(sql, said):
    with pytest.raises(ValueError, match=said):
        engines.read(sql)


def test_a_join_by_name_and_words_in_texts_are_no_program():
    sql = "SELECT 'reflect' AS a FROM seen JOIN seen AS b USING (user) -- using 'this'"
    assert engines.run(sql, {"seen": SEEN}).a.tolist() == ["reflect"] * 5


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [
        (pa.array([datetime.datetime(1970, 1, 1, 0, 0, 1, 999_999)], pa.timestamp("us")), 1),
        (pa.array([datetime.datetime(1969, 12, 31, 23, 59, 58, 500_000)], pa.timestamp("ms")), -2),
        (pa.array([datetime.date(1970, 1, 2)], pa.date32()), 86_400),
        (pa.array([3600], pa.timestamp("s", "Europe/Berlin")), 3600),
        (pa.array([None], pa.timestamp("ns")), None),
    ],
)
def test_moments_stand_as_seconds_too(moment, seconds):
    found = engines.run("SELECT at_second FROM seen", {"seen": pa.table({"at": moment})})
    (second,) = found.at_second
    assert pd.isna(second) if seconds is None else second == seconds


def test_a_column_of_that_name_stays_and_a_time_of_day_is_no_moment():
    table = pa.table({"at": pa.array([5], pa.timestamp("s")), "at_second": [7]})
    assert engines.with_seconds(table).column_names == ["at", "at_second"]
    times = pa.table({"at": pa.array([5], pa.time32("s"))})
    assert engines.with_seconds(times).column_names == ["at"]


def test_texts_become_categories():
    sql = "SELECT said, CASE WHEN user = 1 THEN 'b' ELSE 'a' END AS made FROM seen ORDER BY user"
    found = engines.run(sql, {"seen": SEEN}, levels={"said": ("yes", "no", "it's")})
    assert list(found.said.cat.categories) == ["yes", "no", "it's"]
    assert list(found.made.cat.categories) == ["a", "b"]
    with pytest.raises(ValueError, match="Could not convert string 'no'"):
        engines.run(sql, {"seen": SEEN}, levels={"said": ("yes",)})


def test_nothing_but_the_tables_is_read(tmp_path):
    (tmp_path / "x.csv").write_text("a\n1\n")
    for sql in (f"SELECT * FROM '{tmp_path}/x.csv'", f"SELECT * FROM read_csv('{tmp_path}/x.csv')"):
        with pytest.raises(ValueError, match=r"disabled|does not exist"):
            engines.run(sql, {"seen": SEEN})


# --- what a person types ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("engine=postgres",), "engine"),
        (("engine=sc://nowhere",), "engine"),
        (("task=breast_cancer", "engine=spark"), "the task breast_cancer has no view in SQL"),
        (("task.sql_engine=spark",), "filled in by the cell"),
    ],
)
def test_an_engine_that_cannot_be_is_refused(command, words, said, tmp_path):
    made = subprocess.run(
        command(f"results={tmp_path}", "model=logistic", *words),
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert made.returncode == 2, made.stderr
    assert said in made.stderr
    assert len(made.stderr.strip().splitlines()) <= 3


def test_an_engine_that_is_not_installed_says_what_to_type(monkeypatch):
    target = "tasks.notifications.Notifications"
    assert engine_for("notifications", target, "duckdb") == {}
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(BadInput, match=r"model-eras\[spark\]"):
        engine_for("notifications", target, "spark")


def test_a_server_that_does_not_answer_is_one_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        address = f"sc://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ValueError, match="does not answer"):
            engines.run("SELECT 1", {}, address)


# --- the same rows everywhere -------------------------------------------------------------------


def texts():
    """(name, SQL, tables, levels)"""
    shop = Events(str(SHOP), features=str(SHOP / "features.sql"))
    sent, ads = Notifications(rows=2000), Ads(rows=2000)
    log = sent.tables(sent.load(0))
    return [
        ("features", (NOTIFICATIONS / "features.sql").read_text(), log, sent.levels),
        (
            "ads",
            (ROOT / "tasks" / "ads" / "features.sql").read_text(),
            ads.tables(ads.load(0)),
            ads.levels,
        ),
        ("shop", (SHOP / "features.sql").read_text(), tables_of_events(shop.load(0).raw), {}),
        ("rich", (NOTIFICATIONS / "features_rich.sql").read_text(), log, sent.levels),
    ]


@pytest.fixture(scope="module")
def engine():
    """Spark of this machine, or Sail where its client is: the two cannot be side by side."""
    try:
        importlib.metadata.version("pyspark-client")
    except importlib.metadata.PackageNotFoundError:
        yield "spark"
        return
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer(port=0)
    server.start(background=True)
    yield f"sc://127.0.0.1:{server.listening_address[1]}"
    server.stop()


@pytest.mark.spark
@pytest.mark.parametrize("which", range(4), ids=["features", "ads", "shop", "rich"])
def test_every_engine_gives_the_same_rows(which, engine):
    _, sql, tables, levels = texts()[which]
    here = engines.run(sql, tables, levels=levels)
    there = engines.run(sql, tables, engine, threads=2, levels=levels)
    assert len(here) > 20
    pd.testing.assert_frame_equal(here, there, check_exact=True, check_dtype=True)


def test_a_quote_that_only_spark_takes_for_one_hides_nothing():
    text = engines.read(r"SELECT 'a\'' , reflect('java.lang.System', 'getenv') , '")
    with pytest.raises(ValueError, match="backslash"):
        engines.ran(None, text)


@pytest.mark.spark
@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE kept AS SELECT * FROM seen",
        "INSERT INTO seen SELECT * FROM seen",
        "CREATE TEMPORARY FUNCTION f AS 'java.lang.Math'",
        "SET spark.sql.runSQLOnFiles=true",
        "ADD JAR 'x.jar'",
        "SELECT nothing FROM seen",
        "SELECT 1) AS rows; DROP VIEW seen; SELECT * FROM (SELECT 1",
    ],
)
def test_a_command_is_no_query(sql, engine, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"engine=|only CREATE"):
        engines.run(sql, {"seen": SEEN}, engine)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.spark
def test_a_cell_says_which_engine_made_its_rows(engine, command, tmp_path):
    words = (
        "task=notifications",
        "task.rows=500",
        "model=logistic",
        "explain.seconds=0",
        f"results={tmp_path}",
    )
    for one in ("duckdb", engine):
        subprocess.run(command(f"engine={one}", *words), cwd=ROOT, check=True, capture_output=True)
    records, _ = Run(tmp_path / "a").scan()
    by_engine = {r["config"].get("engine"): r for r in records}
    assert by_engine.keys() == {None, engine}
    assert by_engine[None]["files"] == by_engine[engine]["files"]
    assert by_engine[None]["scores"] == by_engine[engine]["scores"]
