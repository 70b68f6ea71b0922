"""Receipts add up, can be read by whoever looks closely, and are judged field by field."""

import json
import re
import time
from itertools import chain

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.cell import rows as of_rows
from benchmarks.cell import views
from models.ranker import Ranker
from models.rules import Rules
from tasks.base import UnknownView
from tasks.candidates import Candidates
from tasks.halves import on
from tasks.metrics import STANDARD, Metric
from tasks.optical import misread
from tasks.receipts import Receipts, right, shifted
from tasks.receipts.examples import shown
from tasks.receipts.features import MOST, candidates, spans_of
from tasks.receipts.generator import LAYOUTS, Document, scanned
from tasks.receipts.normal import FIELDS, amount, date, normal, number
from tasks.receipts.wording import KNOWN, OTHER, World
from tests.conftest import ROOT

SMALL = {"rows": 600, "test_share": 0.5}
WORLDS = (KNOWN, OTHER)
ODD = {
    "empty": "",
    "blank": " \n\n\t ",
    "words alone": "no digit is here\nat all",
    "control characters": "Total\x00: 12.00\x1b[2J\r\x0bDate: 2024-03-17\x85Ticket: AB-1234\x7f",
    "right to left": "‮סה״כ 12.00\nתאריך 17.03.2024\nمجموع ١٢٫٥٠",
    "mixed scripts": "合計 12.00\nДата 17.03.2024\nInvoice no: ＡＢ－１２３４",
    "a surrogate": "Total \ud800 12.00",
}
LONG = {
    "letters": "a" * 100_000,
    "digits": "1" * 100_000,
    "amounts": "12.00 " * 16_000,
    "points": "1.1" * 33_000,
    "totals": "Total " * 16_000,
    "dates": "Date 2024-03-17 " * 6_000,
    "lines": "Total: 12.00\n" * 7_700,
    "blank lines": "\n" * 100_000,
    "blanks": "Invoice no" + " " * 100_000 + "AB-1234",
    "numbers": "AB-1234,x " * 10_000,
}


@pytest.fixture(scope="module")
def data():
    return Receipts(**SMALL).load(0)


@pytest.fixture(scope="module")
def documents(data) -> list[Document]:
    return data.raw.train + data.raw.test


def halves(data) -> tuple[list[Document], list[Document]]:
    """Documents of the known world, of the other one."""
    return data.raw.train + data.raw.test[::2], data.raw.test[1::2]


# The generator


def test_every_total_is_what_its_items_and_its_tax_come_to(documents):
    for document in documents:
        bill = document.bill
        left = sum(many * price for _, many, price in bill.items) - bill.discount
        included = {**KNOWN.countries, **OTHER.countries}[document.country].included
        assert bill.total == (left if included else left + bill.tax)
        net = bill.total - bill.tax
        assert bill.tax == pytest.approx(net * bill.rate / 1000, abs=1)
        assert f"{bill.total / 100:.2f}" == document.answer["total"]
        assert 0 <= bill.discount < bill.listed


def test_every_answer_stands_in_its_text_and_is_in_normal_form(documents):
    for document in documents:
        text, answer = document.text, document.answer
        digits = answer["total"].replace(".", "")
        assert re.search(r"(?<!\d)" + r"[.,' ]?".join(digits) + r"(?!\d)", text), text
        assert answer["number"] in re.sub(r"\s", "", text)
        year, _, day = answer["date"].split("-")
        assert year[2:] in text
        assert str(int(day)) in text
        assert normal(answer) == answer
        assert normal(json.dumps(answer)) == answer


def test_the_total_is_named_once_and_stands_beside_other_amounts(documents):
    named = {*chain(*(of["total"] for world in WORLDS for of in world.labels.values()))}
    for document in documents:
        assert sum(label in named for label in document.labels) == 1
        lines = document.text.split("\n")
        assert len({s.value for s in spans_of(lines, False) if s.field == "total"}) >= 2


def test_documents_are_short_and_look_like_some(documents):
    lengths = [len(document.text) for document in documents]
    assert 220 < np.median(lengths) < 450
    assert max(lengths) < 900
    lines = [document.text.count("\n") + 1 for document in documents]
    assert np.quantile(lines, 0.05) >= 8
    assert np.quantile(lines, 0.95) <= 34


def labels(world: World) -> set[str]:
    """All that things are called."""
    words = chain(*(chain(*of.values()) for of in world.labels.values()))
    return {w.casefold() for w in chain(words, *(c.tax for c in world.countries.values()))}


def test_the_worlds_share_no_wording_no_layout_and_no_form():
    assert not labels(KNOWN) & labels(OTHER)
    for part in ("vendors", "items", "thanks"):
        mine, theirs = (
            set(chain.from_iterable(flat(of) for of in getattr(world, part).values()))
            for world in WORLDS
        )
        assert not mine & theirs, part
    for part in ("countries", "numbers", "orders", "details", "sums", "lists"):
        assert not set(getattr(KNOWN, part)) & set(getattr(OTHER, part)), part
    dates = [set(chain(*(c.dates for c in world.countries.values()))) for world in WORLDS]
    assert dates[0] & dates[1] <= {"%Y-%m-%d"}
    for world in WORLDS:
        assert {*world.details, *world.sums} <= set(LAYOUTS)
        assert len(world.orders) * len(world.details) * len(world.sums) * len(world.lists) > 100


def flat(parts) -> list[str]:
    return list(chain.from_iterable([p] if isinstance(p, str) else p for p in parts))


def test_documents_keep_to_their_world(data):
    for world, mine in zip(WORLDS, halves(data), strict=True):
        said = {label.casefold() for document in mine for label in document.labels}
        assert said <= labels(world)
        assert len(said) > 0.8 * len(labels(world)), "hardly a word is left out"
        assert {document.country for document in mine} == set(world.countries)
        for k, part in enumerate(("orders", "details", "sums", "lists")):
            assert {document.layout[k] for document in mine} == set(getattr(world, part))


def test_a_slashed_day_is_of_a_country_that_tells_its_order(documents):
    for document in documents:
        if re.search(r"\d\d/\d\d/\d", document.text):
            american = re.search(r"\b[A-Z]{2} \d{5}\b", document.text) is not None
            assert american == (document.country == "US")


def test_a_seed_gives_the_same_bits_and_another_one_other_documents(data):
    again, other = Receipts(**SMALL).load(0), Receipts(**SMALL).load(1)
    assert again.raw == data.raw
    texts = [{d.text for d in made.raw.train + made.raw.test} for made in (data, other)]
    assert not texts[0] & texts[1]
    assert len(texts[0]) == 600


def test_halves_are_dealt_in_turn_and_shares_are_kept(data):
    assert (len(data.raw.train), len(data.raw.test)) == (300, 300)
    assert shifted(5).tolist() == [False, True, False, True, False]
    assert {d.country for d in data.raw.test[1::2]} <= set(OTHER.countries)
    assert data.truth == data.test_labels
    few = Receipts(rows=30, test_share=0.05).load(0)
    assert len(few.raw.test) == 2, "each half has a row"


# The dials


def test_noise_misreads_words_and_never_an_answer(data):
    clean, noisy = data, Receipts(**SMALL, noise=0.1).load(0)
    for document in noisy.raw.test:
        assert normal(document.answer) == document.answer
        assert document.answer["number"] in re.sub(r"\s", "", document.text)
    view = [views.make(Receipts(), d, "features")[1] for d in (clean, noisy)]
    values = [sorted(set(zip(c.field, c.value, strict=True))) for c in view]
    assert len(values[1]) > 0.9 * len(values[0])
    known = set(re.findall(r"[^\W\d_]{4,}", " ".join(d.text for d in clean.raw.train)))
    unread = [
        np.mean(
            [
                w not in known
                for d in made.raw.test[::2]
                for w in re.findall(r"[^\W\d_]{4,}", d.text)
            ]
        )
        for made in (clean, noisy)
    ]
    assert unread[0] < 0.05
    assert unread[1] > 0.25


@settings(max_examples=50)
@given(st.text(max_size=60), st.floats(0, 1), st.integers(0, 9))
def test_a_scanner_spares_numbers_months_and_short_words(text, share, seed):
    found = scanned(np.random.default_rng(seed), f"{text} 17. März 2024 TX 1l0O5S", share)
    assert found.endswith(" 17. März 2024 TX 1l0O5S")


def test_rotated_documents_begin_in_their_middle(data):
    turned = Receipts(**SMALL, rotated=1.0).load(0)
    half = Receipts(**SMALL, rotated=0.5).load(0)

    def begins_with_head(document: Document) -> bool:
        vendors = chain(*(names for world in WORLDS for names, _ in world.vendors.values()))
        return document.text.startswith(tuple(vendors))

    shares = [
        np.mean([begins_with_head(d) for d in made.raw.train]) for made in (data, half, turned)
    ]
    assert shares[0] > shares[1] + 0.1
    assert shares[1] > shares[2] + 0.1
    assert all(sorted(map(len, d.text.split())) for d in turned.raw.train)


def test_label_noise_slips_so_many_train_labels_and_no_test_label(data):
    slipped = Receipts(**SMALL, label_noise=0.3).load(0)
    for made, share in ((data, 0.0), (slipped, 0.3)):
        wrong = [
            sum(label[f] != d.answer[f] for f in FIELDS)
            for label, d in zip(made.train_labels, made.raw.train, strict=True)
        ]
        assert np.mean(np.array(wrong) > 0) == pytest.approx(share, abs=0.08)
        assert max(wrong) <= 1
        assert made.test_labels == [d.answer for d in made.raw.test]


# What a scanner makes of a text


@given(st.text(max_size=200), st.integers(0, 5))
def test_misread_is_the_same_again_and_nothing_at_a_share_of_0(text, seed):
    once, again = (misread(np.random.default_rng(seed), text, 0.3) for _ in range(2))
    assert once == again
    assert misread(np.random.default_rng(seed), text, 0.0) == text
    signs = [c for c in text if not c.isalnum()]
    assert [c for c in once if c in signs] == [c for c in text if c in signs]


def test_misread_misreads_as_much_as_it_is_asked_to():
    text = "The quick brown fox jumps over 15 lazy dogs and pays 80 euros " * 200
    lengths = []
    for share in (0.02, 0.1, 0.5):
        found = misread(np.random.default_rng(0), text, share)
        lengths.append(len(text) - len(found))
        # A third is left out, but for a few swaps that take two letters at once.
        assert lengths[-1] / sum(map(str.isalnum, text)) == pytest.approx(share / 3, rel=0.35)
    kept = misread(np.random.default_rng(1), "0" * 3000, 1.0)
    assert set(kept) == {"0", "O"}
    assert set(misread(np.random.default_rng(1), "l" * 3000, 1.0)) <= {"l", "I", "1"}
    with pytest.raises(
        ValueError, match=r"^share=1.5 of misread characters lies outside of 0 to 1$"
    ):
        misread(np.random.default_rng(0), "a", 1.5)


# One form for every answer


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("€ 1.234,50", "1234.50"),
        ("$1,234.50", "1234.50"),
        ("1'234.50 CHF", "1234.50"),
        ("1 234,50 kr", "1234.50"),
        ("C$12.5", "12.50"),
        ("12", "12.00"),
        ("007,10", "7.10"),
        ("1,234,567", "1234567.00"),
        ("1.234.567,89", "1234567.89"),
        ("１２．５０", "12.50"),
        (1234.5, "1234.50"),
        (12, "12.00"),
        ("1,234", None),
        ("1.234", None),
        ("1.234.50", None),
        ("1,234,50", None),
        ("12,34,567.00", None),
        ("-5.00", None),
        ("12.505", None),
        ("twelve", None),
        ("", None),
        (True, None),
        (float("nan"), None),
        (float("inf"), None),
        (10**400, None),
        (None, None),
        (["12.00"], None),
        ("1" * 100_000, None),
    ],
)
def test_amounts(given_, expected):
    assert amount(given_) == expected


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("2024-03-17", "2024-03-17"),
        ("2024/3/7", "2024-03-07"),
        ("17.03.2024", "2024-03-17"),
        ("17 March 2024", "2024-03-17"),
        ("17th march 2024", "2024-03-17"),
        ("17-Mar-2024", "2024-03-17"),
        ("Mar 17, 2024", "2024-03-17"),
        ("17. März 2024", "2024-03-17"),
        ("03/17/2024", "2024-03-17"),
        ("17/03/2024", "2024-03-17"),
        ("05/05/2024", "2024-05-05"),
        ("03/04/2024", None),
        ("30.02.2024", None),
        ("17 Brumaire 2024", None),
        ("17.03.24", None),
        ("2024-3/17", None),
        (20240317, None),
        ("", None),
    ],
)
def test_dates(given_, expected):
    assert date(given_) == expected


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("re-20391", "RE-20391"),
        ("# 48213", "48213"),
        ("KX 4410 02", "KX441002"),
        (48213, "48213"),
        ("2024/0117", "2024/0117"),
        ("invoice", None),
        ("RE-20391 or so, I think", None),
        ("", None),
        (True, None),
        (12.5, None),
    ],
)
def test_numbers(given_, expected):
    assert number(given_) == expected


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)
near = st.from_regex(
    r"[€$]? ?[0-9]{1,4}([.,' ][0-9]{3}){0,2}([.,][0-9]{1,3})?( EUR)?"
) | st.from_regex(r"[0-9]{1,4}[-/. ][0-9A-Za-zä]{1,9}[-/. ][0-9]{1,4}")


@given(anything | near)
def test_normal_forms_are_fixed_points_and_nothing_raises(value):
    for read in FIELDS.values():
        if (found := read(value)) is not None:
            assert read(found) == found
            assert read(f"  {found} ") == found
    for answer in (value, {"total": value, "date": value, "number": value}):
        said = normal(answer)
        assert set(said) == set(FIELDS)
        assert normal(said) == said


@given(st.integers(0, 10**9), st.sampled_from(",.' "), st.sampled_from(",."))
def test_an_amount_is_the_same_in_every_form_that_is_clear(cents, group, point):
    if group == point:
        return
    plain = f"{cents // 100}.{cents % 100:02d}"
    text = f"{cents // 100:,}".replace(",", group) + f"{point}{cents % 100:02d}"
    assert amount(text) == amount(f"EUR {text}") == amount(f"{text} €") == plain


@pytest.mark.parametrize(
    "answer",
    [
        None,
        7,
        [],
        ["total", "12.00"],
        "12.00",
        "{",
        "[" * 100_000,
        '{"total": ' + "9" * 5000 + "}",
        "{'total': '12.00'}",
        {},
        {"sum": "12.00"},
        {"total": {}},
    ],
)
def test_what_is_no_answer_is_wrong_and_counted(answer):
    label = {"total": "12.00", "date": "2024-03-17", "number": "A-1"}
    for field in (None, *FIELDS):
        assert right(field)([answer, label], [label, label])[0] == 0.5


def test_an_answer_may_be_json_and_in_other_forms():
    label = {"total": "1234.50", "date": "2024-03-17", "number": "RE-20391"}
    said = {"total": 1234.5, "date": "17 March 2024", "number": "re-20391", "note": "sure"}
    for answer in (said, json.dumps(said), json.dumps(said, indent=1)):
        assert right(None)([answer], [label])[0] == 1.0


# Metrics on halves


def test_metrics_tell_halves_and_fields_apart(data):
    metrics = {metric.name: metric for metric in Receipts().metrics(data)}
    fields = ("answer", "total", "date", "number")
    assert list(metrics) == [f"{f}_{half}" for f in fields for half in ("shifted", "same")]
    answers = [dict(label) for label in data.test_labels]
    for answer in answers[1::2]:
        answer["total"] = "?"
    for answer in answers[::4]:
        del answer["date"]
    found = {name: metric.of(answers, data.test_labels) for name, metric in metrics.items()}
    assert found == {
        "answer_shifted": 0.0,
        "answer_same": 0.5,
        "total_shifted": 0.0,
        "total_same": 1.0,
        "date_shifted": 1.0,
        "date_same": 0.5,
        "number_shifted": 1.0,
        "number_same": 1.0,
    }
    for metric in metrics.values():
        assert metric.facts().higher_is_better
        assert metric.of(data.truth, data.test_labels) == 1.0


@pytest.mark.parametrize("name", ["accuracy", "log_loss", "roc_auc"])
def test_an_influence_on_a_part_tells_the_metric_on_some_of_its_rows(name):
    rng = np.random.default_rng(0)
    n = 4000
    labels, rows = rng.integers(0, 2, n), rng.random(n) < 0.3
    p = np.clip(0.3 + 0.4 * labels + 0.2 * rng.normal(size=n), 0.02, 0.98)
    predictions = np.column_stack([1 - p, p])
    metric = on(rows, STANDARD[name], "part", "a part", "words")
    assert metric.of(predictions, labels) == STANDARD[name].of(predictions[rows], labels[rows])
    value, each = metric.influence(predictions, labels)
    assert value == pytest.approx(metric.of(predictions, labels))
    assert each.mean() == pytest.approx(0, abs=1e-9)
    assert not each[~rows].any()
    some = rng.random(n) < 0.5
    told = on(rows[some], STANDARD[name], "part", "a part", "w").of(predictions[some], labels[some])
    assert told != value
    assert value + each[some].mean() == pytest.approx(told, abs=0.3 * abs(told - value))


def test_a_part_is_known_by_its_places_alone():
    metric = on(np.arange(4) < 2, STANDARD["exact_match"], "part", "a part", "words")
    assert metric.of(["a", "b", "x", "x"], ["a", "a", "a", "a"]) == 0.5
    with pytest.raises(
        ValueError, match=r"^the metric part is one of 2 of 4 test rows[^\n]+ 3 rows$"
    ):
        metric.of(["a", "b", "c"], ["a", "b", "c"])
    with pytest.raises(ValueError, match=r"[^\n]+ 3 rows$"):
        metric.influence(["a", "b", "c"], ["a", "b", "c"])
    with pytest.raises(ValueError, match="none of 4 is among its own"):
        on(np.zeros(4, bool), STANDARD["exact_match"], "part", "a part", "words")
    valued = Metric("v", "v", "w", False, 0.1, True, value=lambda p, labels: float(len(p)))
    part = on(np.array([True, False]), valued, "part", "a part", "words")
    assert (part.of([1, 2], [1, 2]), part.influence, part.sign) == (1.0, None, -1)
    assert (part.band, part.relative) == (0.1, True)


# Views and candidates


def test_views(data):
    task = Receipts(**SMALL)
    train, test = views.make(task, data, "text")
    assert train == [document.text for document in data.raw.train]
    assert len(test) == 300
    made, _ = views.make(task, data, "features")
    assert (len(made), type(made)) == (300, Candidates)
    with pytest.raises(UnknownView, match=r"offers features, text$"):
        views.make(task, data, "signal")


def test_the_right_value_is_nearly_always_a_candidate(data):
    """A number with blanks in it is not: so much was left for a second week."""
    for docs, made in zip(data.raw, views.make(Receipts(), data, "features"), strict=True):
        for k, document in enumerate(docs):
            there = slice(made.start[k], made.stop[k])
            found = set(zip(made.field[there], made.value[there], strict=True))
            for field, value in document.answer.items():
                blank = field == "number" and value not in document.text
                assert ((field, value) in found) != blank, (document.text, field)


def test_candidates_are_taken_as_rows_are(data):
    made, _ = views.make(Receipts(), data, "features")
    picked = of_rows.take(made, np.array([5, 2, 5]))
    assert len(picked) == 3
    assert picked.start.tolist() == made.start[[5, 2, 5]].tolist()
    assert len(of_rows.take(made, slice(None, 7))) == 7
    assert len(made[:0]) == 0
    names = {name: made.table[name].dtype for name in made.table}
    assert {str(kind) for kind in names.values()} == {"float64", "string"}


def test_candidates_that_do_not_fit_are_refused():
    table, two = pd.DataFrame({"a": [1.0, 2.0]}), np.array(["x", "y"], dtype=object)
    edges = np.array([0, 1]), np.array([1, 2])
    assert len(Candidates(table, two, two, *edges)) == 2
    with pytest.raises(ValueError, match=r"^there are 2 candidates and 1 of value$"):
        Candidates(table, two, two[:1], *edges)
    with pytest.raises(ValueError, match=r"^2 stretches begin and 1 end$"):
        Candidates(table, two, two, edges[0], edges[1][:1])
    with pytest.raises(ValueError, match=r"reaches beyond the 2 candidates"):
        Candidates(table, two, two, edges[0], edges[1] + 1)


def test_a_document_tells_of_each_candidate_what_stands_about_it():
    made = candidates(
        ["Date        Invoice\n03/04/2024  AB-1234\nNet: 10.00\nTax: 2.00\nTotal: $12.00"]
    )
    table = made.table.assign(value=made.value).set_index("value")
    assert made.field.tolist() == ["date", "number", "total", "total", "total"]
    assert made.value[0] == "2024-04-03", "no American address"
    assert table.loc["AB-1234", "above"] == "Invoice"
    assert table.loc["12.00", "before"] == "Total: $"
    assert table["sums"].tolist()[2:] == [0, 0, 1]
    assert table["parts"].tolist()[2:] == [1, 1, 0]
    assert table["is_largest"].tolist()[2:] == [0, 0, 1]
    assert table.loc["12.00", "currency"] == 1
    american = candidates(["Austin, TX 78701\n03/04/2024\n03/04/24"])
    assert set(american.value[american.field == "date"]) == {"2024-03-04"}


def test_the_document_shows_what_the_command_prints():
    text = (ROOT / "docs" / "receipts.md").read_text("utf-8")
    (block,) = re.findall(r"<!-- examples -->\n```\n(.*?)\n```", text, re.DOTALL)
    assert block == shown()


# Models


@pytest.fixture(scope="module")
def read(data):
    """Both models, learned from the train rows, with what makes their rows."""
    task = Receipts(**SMALL)
    return [
        (Rules().fit(views.make(task, data, "text")[0], data.train_labels), list),
        *(
            (
                Ranker(learner=learner, n_estimators=30).fit(
                    views.make(task, data, "features")[0], data.train_labels
                ),
                candidates,
            )
            for learner in ("logistic", "boosting")
        ),
    ]


def test_models_read_what_they_know_and_part_on_what_they_do_not(read, data):
    metrics = Receipts().metrics(data)
    found = []
    for model, rows in read:
        answers = model.answer(rows([d.text for d in data.raw.test]))
        found.append({m.name: m.of(answers, data.test_labels) for m in metrics})
    rules, *rankers = found
    for one in found:
        assert one["answer_same"] > 0.9
        assert one["answer_shifted"] < 0.6
    for ranker in rankers:
        assert ranker["answer_shifted"] > rules["answer_shifted"] + 0.05
        assert ranker["total_shifted"] > rules["total_shifted"] + 0.1


@pytest.mark.parametrize("what", ODD)
def test_odd_texts_are_answered(read, what):
    for model, rows in read:
        (answer,) = model.answer(rows([ODD[what]]))
        json.dumps(answer)
        assert set(answer) <= set(FIELDS)
        if what in ("empty", "blank", "words alone"):
            assert answer == {}


def test_a_document_without_a_candidate_stands_between_others(read, data):
    texts = [data.raw.test[0].text, "", data.raw.test[2].text, "nothing"]
    for model, rows in read:
        answers = model.answer(rows(texts))
        assert (answers[1], answers[3]) == ({}, {})
        assert answers[0] == model.answer(rows(texts[:1]))[0]
        assert answers[2]["total"] == data.test_labels[2]["total"]


@pytest.mark.parametrize("what", LONG)
def test_100_000_characters_take_a_moment(read, what):
    for model, rows in read:
        began = time.process_time()
        (answer,) = model.answer(rows([LONG[what]]))
        # What grows with the square of a text would take minutes.
        assert time.process_time() - began < 20
        assert set(answer) <= set(FIELDS)
    made = candidates([LONG[what]])
    assert len(made.table) <= MOST * len(FIELDS)


def test_rules_are_of_receipts_alone():
    with pytest.raises(
        ValueError, match=r"^rules are written for receipts and find total, date, num"
    ):
        Rules().fit(["a text"], [{"topic": "sport"}])
    with pytest.raises(ValueError, match=r"no other answers$"):
        Rules().fit(["a text"], ["an answer"])


def test_rules_strike_out_the_words_that_mislead_them(data):
    texts = [document.text for document in data.raw.train]
    assert Rules().fit(texts, data.train_labels).notes_ == {"struck_out": ""}
    wrong = [label | {"total": "0.01"} for label in data.train_labels]
    model = Rules().fit(texts, wrong)
    assert "total" in model.notes_["struck_out"].split(", ")
    assert "total" not in model.labels_["total"]
    assert all(
        "total" not in answer for answer in model.answer(texts[:50]) if "balance due" not in answer
    )


def test_a_ranker_takes_any_fields_and_refuses_what_has_none(data):
    made, _ = views.make(Receipts(), data, "features")
    few = [{"total": label["total"]} for label in data.train_labels]
    assert set(Ranker().fit(made, few).answer(made[:3])[0]) == {"total"}
    unheard = Ranker().fit(made, [{"topic": "sport"}] * len(made))
    assert unheard.answer(made[:2]) == [{}, {}]
    with pytest.raises(ValueError, match=r"^ranker looks for fields of an answer"):
        Ranker().fit(made, ["sport"] * len(made))
