"""What to use, and why: known answers."""

from dataclasses import replace

import pytest

from benchmarks.analysis.advice import advise
from benchmarks.analysis.summary import sections
from benchmarks.analysis.verdicts import Verdict
from benchmarks.show.answer import answer, closing, doubt, recommendation, tiles

COMMON = {"metric": "roc_auc", "band": 0.002, "design": "new rows", "seeds": 3}
YEARS = {"old": 1958, "middle": 2001, "new": 2016}
WORDS = {">": "better", "=": "equal in practice", "~": "can't tell"}


@pytest.fixture
def asked(record):
    """A section of three rows with verdicts: `asked(old=…, middle=…, new=…, told="new > old")`."""

    def made(*told: str, seconds: dict | None = None, **auc: float):
        cells = [record(name, 0, value, year=YEARS.get(name, 2000)) for name, value in auc.items()]
        for cell in cells:
            took = (seconds or {}).get(cell["model"], 1.0)
            cell["phases"] = {**cell["phases"], "fit": {**cell["phases"]["fit"], "wall": took}}
        (section,) = sections(cells)
        verdicts = [
            Verdict(a, b, difference=0.01, low=-0.01, high=0.02, p=0.5, word=WORDS[word], **COMMON)
            for a, word, b in (text.split() for text in told)
        ]
        found = advise(replace(section, verdicts=verdicts))
        assert found is not None
        return found

    return made


def test_the_best_where_all_others_are_worse(asked):
    found = asked("new > middle", "new > old", "middle > old", old=0.7, middle=0.75, new=0.8)
    text = "Use new: better than all others; ROC AUC 0.800, next middle 0.750."
    assert recommendation(found) == text
    assert found.ties == (0, 2)
    assert doubt(found) == ""
    assert tiles(found).tiles[2].text == "nothing about the best"


def test_the_simplest_of_those_that_are_as_good(asked):
    seconds = {"old": 0.1, "new": 9.0}
    found = asked("new > middle", "new = old", old=0.7999, middle=0.75, new=0.8, seconds=seconds)
    text = recommendation(found)
    assert text.startswith("Use old: as good as the best (new) and the simplest and fastest, in ")
    assert text.endswith(" % of the time; ROC AUC 0.800, best 0.800.")
    assert [tile.text for tile in tiles(found).tiles[:2]] == ["new", "old"]
    assert "% of what new takes" in tiles(found).tiles[1].detail


def test_simple_is_not_always_fast(asked):
    found = asked("new = old", old=0.7999, new=0.8, seconds={"old": 9.0, "new": 0.1})
    assert recommendation(found).startswith("Use old: as good as the best (new) and the simplest;")
    assert found.cheapest is found.best


def test_what_nobody_can_tell_is_not_as_good(asked):
    found = asked("new ~ old", "new ~ middle", old=0.79, middle=0.795, new=0.8)
    assert recommendation(found).startswith("Use new: the best so far; ROC AUC 0.800, next middle")
    assert doubt(found).startswith("Not decided: whether old is as good (−.0100)")
    assert "; the same goes for 1 more." in doubt(found)
    assert found.ties == (2, 2), "nobody judged the other pair"
    assert tiles(found).tiles[2].text == "2 models"
    assert "none of the others is as good beyond doubt" in tiles(found).tiles[1].detail


def test_a_pair_that_nobody_judged_is_not_sure(asked):
    found = asked("new > old", old=0.7, middle=0.75, new=0.8)
    assert recommendation(found).startswith("Use new: the best so far;")


def test_the_only_one_and_one_that_knows_nothing(asked):
    assert recommendation(asked(old=0.7)) == "Use old: the only one with a score (ROC AUC 0.700)."
    nothing = recommendation(asked("new ~ old", old=0.49, new=0.5))
    assert nothing.startswith("Use none of them: the best, new, has ROC AUC 0.500, as much as is")


def test_at_most_two_warnings_a_leak_first_and_once(asked):
    found = asked("new > old", old=0.7, new=0.8)
    section = found.section
    leak = {"code": "ME11", "text": "`paid` tells the target"}
    for row in section.rows:
        row.records[0]["checks"] = [leak]
    distrusted = replace(section, distrust={"old": "shuffled_labels: it knew"})
    one_seed = [replace(v, design="one seed") for v in section.verdicts]
    made = advise(replace(distrusted, verdicts=one_seed))
    assert made is not None
    assert list(made.warnings) == [
        "A leak is suspected: `paid` tells the target.",
        "Do not trust old: a control failed.",
    ]
    assert answer(made.section).count("A leak is suspected") == 1


def test_several_tasks_have_an_answer_each(record):
    cells = [record("a", 0, 0.7, task=task) for task in ("coin", "dice", "card", "dart")]
    lines = closing(sections(cells))
    assert lines[0] == "coin: Use a: the only one with a score (ROC AUC 0.700)."
    assert len([line for line in lines if ": Use a" in line]) == 3
    assert lines[-1] == "And 1 more; each has its table in table.md."
