"""Terminal, Markdown, LaTeX, CSV and page of the same parts say the same, and none of them runs
what a text holds."""

import csv
import html
import io
import re

import pytest
from rich.console import Console

from benchmarks.analysis.summary import sections
from benchmarks.show import latex, markdown, page, pages, terminal
from benchmarks.show.parts import Chapter, Entry, Head, Table, word_heads, words
from benchmarks.show.results_table import results_table
from benchmarks.show.spreadsheet import csv_text

NAMES = ["svm C=3", "a|b_c *d* [e] `f` <i>g</i>", "50 % & more_of #1 {x} $y$ \\z ~ ^", "R² ±–µ×"]


def table(names=NAMES) -> Table:
    heads = [Head("model", is_number=False), Head("ROC AUC", "more is better"), Head("vs_top|x")]
    lines = [
        [*words(name), Entry(f"0.{k}00 ±.010", k / 10 + 1e-9), Entry(f"{k},000", 1000.0 * k)]
        for k, name in enumerate(names)
    ]
    return Table("t", "A <title> & more", heads, lines, ["! svm: beware", "? who?", "so it is"])


def on_terminal(parts, width: int = 200) -> str:
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(
        terminal.printed([Chapter("C", parts)], width)
    )
    return out.getvalue()


def texts_of_terminal(made: Table) -> list[list[str]]:
    lines = on_terminal([made]).splitlines()
    rule = next(k for k, line in enumerate(lines) if "───" in line)
    rows = [lines[rule - 1], *lines[rule + 1 : rule + 1 + len(made.rows)]]
    return [re.split(r" {2,}", line.strip()) for line in rows]


def texts_of_markdown(made: Table) -> list[list[str]]:
    lines = [line for line in markdown.fragment([made]).splitlines() if line.startswith("|")]
    split = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines if not line.startswith("|--")]
    return [
        [html.unescape(re.sub(r"\\([^\w\s])", r"\1", text.strip())) for text in row]
        for row in split
    ]


def texts_of_latex(made: Table) -> list[list[str]]:
    back = {text: sign for sign, text in {chr(k): v for k, v in latex.STEERS.items()}.items()}
    longest_first = sorted(back, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest_first)))
    lines = latex.tabulars([Chapter("C", [made])]).splitlines()
    rows = [line.removesuffix(r" \\") for line in lines if line.endswith(r" \\")]
    return [
        [pattern.sub(lambda m: back[m[0]], text) for text in re.split(r" (?<!\\)& ", row)]
        for row in rows
    ]


def texts_of_page(made: Table) -> list[list[str]]:
    text = page.html("T", [Chapter("C", [made])])
    heads = re.findall(r'<th scope="col".*?<button[^>]*>(.*?)</button>', text, re.DOTALL)
    body = re.search(r"<tbody>(.*?)</tbody>", text, re.DOTALL)[1]
    rows = [
        re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
        for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    ]
    return [[html.unescape(cell) for cell in row] for row in [heads, *rows]]


@pytest.mark.parametrize(
    "texts_of", [texts_of_terminal, texts_of_markdown, texts_of_latex, texts_of_page]
)
def test_all_hold_the_same_texts(texts_of):
    made = table()
    want = [[head.text for head in made.heads]]
    want += [[entry.text for entry in row] for row in made.rows]
    assert texts_of(made) == want


def test_the_csv_holds_the_names_and_what_stands_behind_the_numbers():
    lines = list(csv.DictReader(io.StringIO(csv_text(table().data()))))
    assert [line["model"] for line in lines] == NAMES
    assert [float(line["ROC AUC"]) for line in lines] == [k / 10 + 1e-9 for k in range(4)]


def test_notes_stand_under_their_table_wherever_there_are_words():
    made = table()
    for text in (
        on_terminal([made]),
        markdown.fragment([made]),
        latex.tabulars([Chapter("C", [made])]),
        page.html("T", [Chapter("C", [made])]),
    ):
        after = text[text.index("more_of" if "more_of" in text else r"more\_of") :]
        for words_of_note in ("svm: beware", "who?", "so it is"):
            assert words_of_note in after


def test_sentences_with_a_mark_are_a_list_and_questions_a_paragraph():
    found = markdown.fragment(["✗ a", "! b", "* c", "? d.", "? e.", "f"])
    assert found == "- a\n- b\n- \\* c\n\nd. e.\n\nf\n"


def test_nothing_steers_a_terminal():
    evil = "\x1b[31mred\x1b]0;title\x07\r\n\x9b2J"
    made = Table(
        evil, evil, [Head(evil, is_number=False), Head("n")], [[*words(evil), Entry(evil)]], [evil]
    )
    for width in (40, 200):
        text = on_terminal([evil, made], width)
        assert not set(text) - {"\n"} & {chr(k) for k in (*range(32), *range(127, 160))}
        assert "red" in text


def test_names_from_records_do_not_steer_a_terminal_either(record):
    out = io.StringIO()
    cell = record("x\x1b[2J", notes={"solver": "\x1b[31m"})
    Console(file=out, width=100, color_system=None).print(pages.render(sections([cell]), 100))
    assert "\x1b" not in out.getvalue()


@pytest.mark.parametrize("width", [30, 60, 80, 140])
def test_numbers_are_never_folded_and_nothing_is_cut(record, width):
    records = [record(m, s, 0.7 + s / 10) for m in ("random_forest", "svm") for s in (0, 1)]
    (section,) = sections(records)
    made = results_table(section)
    text = on_terminal([made], width)
    assert "…" not in text
    for row in made.rows:
        for head, entry in zip(made.heads, row, strict=True):
            # Era and year are left out where there is no room for them.
            assert not head.is_number or not head.block or entry.text in text


def test_a_column_too_wide_for_the_terminal_is_folded_not_cut():
    made = Table("t", "T", word_heads("model", "reason"), [words("svm", "because " * 40)])
    assert on_terminal([made], 60).count("because") == 40


def test_a_legend_that_tables_share_is_said_once_on_a_terminal_and_under_each_elsewhere(record):
    two = [results_table(*sections([record(model)])) for model in ("svm", "other")]
    assert on_terminal(two).count("standard deviation over seeds") == 1
    assert markdown.fragment(two).count("standard deviation over seeds") == 2
