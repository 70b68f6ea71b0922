"""Features from files: in parts as in one, by another engine, and what is refused."""

import importlib.util

import pandas as pd
import pyarrow.parquet as pq
import pytest

from benchmarks import features
from benchmarks.cell import views
from tasks import engines
from tasks.ads import Ads
from tasks.notifications import Notifications
from tests.test_engines import engine  # noqa: F401 - a fixture

TASKS = {"notifications": Notifications(rows=3000), "ads": Ads(rows=3000)}
VIEWS = [("notifications", "features"), ("notifications", "features_rich"), ("ads", "features")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    for name, task in TASKS.items():
        (folder / name).mkdir()
        for table, rows in task.tables(task.load(0)).items():
            pq.write_table(engines.plain(rows), folder / name / f"{table}.parquet")
    return folder


def rows_in(folder, key: str) -> pd.DataFrame:
    return pd.read_parquet(folder).sort_values(key, ignore_index=True)


def made(tmp_path, name, view, folder, *more) -> pd.DataFrame:
    words = [f"task={name}", "--of", str(folder / name), "--to", str(tmp_path / "rows")]
    assert features.main([*words, "--view", view, *more]) == 0
    return rows_in(tmp_path / "rows", TASKS[name].key)


def expected(name: str, view: str) -> pd.DataFrame:
    task = TASKS[name]
    both = pd.concat(views.make(task, task.load(0), view), ignore_index=True)
    return both.astype({c: "object" for c in both if both[c].dtype == "category"})


@pytest.mark.parametrize(("name", "view"), VIEWS)
@pytest.mark.parametrize("parts", [1, 7])
def test_parts_are_cut_where_nothing_depends_on_it(name, view, parts, folder, tmp_path):
    found = made(tmp_path, name, view, folder, "--parts", str(parts), "--memory", "500")
    assert len([*(tmp_path / "rows").iterdir()]) == parts
    pd.testing.assert_frame_equal(
        found.drop(columns=TASKS[name].key), expected(name, view), check_dtype=False
    )


def test_columns_of_the_log_are_kept_beside(folder, tmp_path):
    found = made(tmp_path, "notifications", "features", folder, "--with", "opened, user_id")
    log = pq.read_table(folder / "notifications" / "notifications.parquet").to_pandas()
    for name in ("notification_id", "opened", "user_id"):
        assert found[name].tolist() == log[name].tolist()


def test_a_table_may_be_a_folder_of_files(folder, tmp_path):
    log = pq.read_table(folder / "notifications" / "notifications.parquet")
    (tmp_path / "notifications" / "notifications").mkdir(parents=True)
    for k in range(3):
        file = tmp_path / "notifications" / "notifications" / f"{k}.parquet"
        pq.write_table(log[k * 1000 : (k + 1) * 1000], file)
    users = pq.read_table(folder / "notifications" / "users.parquet")
    pq.write_table(users, tmp_path / "notifications" / "users.parquet")
    found = made(tmp_path, "notifications", "features", tmp_path)
    pd.testing.assert_frame_equal(
        found.drop(columns="notification_id"),
        expected("notifications", "features"),
        check_dtype=False,
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Say which task"),
        (("task=notifications", "--engine", "oracle"), "--engine oracle"),
        (("task=notifications", "--parts", "0"), "--parts 0"),
        (("task=notifications", "--memory", "10"), "--memory 10"),
        (("task=notifications", "--engine", "spark", "--parts", "2"), "Spark cuts by itself"),
        (("task=notifications", "--with", "a;b"), "no name of a column"),
        (("task=notifications", "--with", "sound"), "no table has notification_id, sound"),
        (("task=notifications", "--view", "events"), "no view 'events' in SQL"),
        (("task=notifications", "--view", "../ads/features"), "in SQL"),
        (("task=heartbeat",), "no view 'features' in SQL"),
        (("task=ads",), "impressions does not exist"),
        (("task=ads", "--of", "nowhere"), "nowhere is no folder"),
    ],
)
def test_what_cannot_be_made_is_one_sentence(words, said, folder, tmp_path, capsys):
    source = [] if "--of" in words else ["--of", str(folder / "notifications")]
    assert features.main([*words, *source, "--to", str(tmp_path / "rows")]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert len(told.strip().splitlines()) == 1
    assert [*tmp_path.iterdir()] == []


def test_what_is_there_is_not_written_over(folder, tmp_path, capsys):
    words = ["task=ads", "--of", str(folder / "ads"), "--to", str(tmp_path)]
    assert features.main(words) == 2
    assert "there already" in capsys.readouterr().err


def test_a_folder_without_tables_is_refused(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    words = ["task=ads", "--of", str(tmp_path / "empty"), "--to", str(tmp_path / "rows")]
    assert features.main(words) == 2
    assert "has no table" in capsys.readouterr().err


def test_spark_that_is_not_installed_says_what_to_type(folder, tmp_path, capsys, monkeypatch):
    found = importlib.util.find_spec

    def without(name: str, *more):
        return None if name in ("pyspark", "py4j") else found(name, *more)

    monkeypatch.setattr("importlib.util.find_spec", without)
    words = ["task=ads", "--of", str(folder / "ads"), "--to", str(tmp_path / "rows")]
    assert features.main([*words, "--engine", "spark"]) == 2
    assert "model-eras[spark]" in capsys.readouterr().err


@pytest.mark.spark
@pytest.mark.parametrize(("name", "view"), [VIEWS[0], VIEWS[2]])
def test_another_engine_leaves_the_same_files(name, view, folder, tmp_path, engine):  # noqa: F811
    (tmp_path / "here").mkdir()
    here = made(tmp_path / "here", name, view, folder)
    there = made(tmp_path, name, view, folder, "--engine", engine)
    pd.testing.assert_frame_equal(here, there, check_exact=True, check_dtype=False)
