"""The view `text` of notifications: the log as a person would tell it."""

import re

import pytest

from benchmarks.cell import rows, views
from tasks.notifications import Notifications
from tasks.notifications.text import TOLD, gap


@pytest.fixture(scope="module")
def task() -> Notifications:
    return Notifications(rows=2_000)


def test_a_paragraph_tells_the_last_events_with_what_came_of_them(task: Notifications) -> None:
    data = task.load(0)
    log = data.raw.notifications.to_pandas()
    train, test = views.make(task, data, "text")
    for place, text in [(5, train[5]), (900, train[900]), (1_400, test[0]), (1_999, test[-1])]:
        row = log.iloc[place]
        earlier = log[(log["user_id"] == row["user_id"]) & (log["sent_at"] < row["sent_at"])]
        told = earlier.tail(TOLD)
        lines = text.splitlines()
        assert lines[-1].endswith(f": {row['title']}")
        assert len(lines) == 2 + len(told)
        for line, (_, event) in zip(lines[1:-1], told.iterrows(), strict=True):
            assert event["title"] in line
            assert line.endswith("-> opened" if event["opened"] else "-> ignored")
        assert not lines[-1].endswith(("opened", "ignored")), "its own outcome is not told"


def test_nothing_of_the_true_probability_is_told(task: Notifications) -> None:
    train, _ = views.make(task, task.load(0), "text")
    assert all(re.fullmatch(r"User: [^\n]+(\n[^\n]+ ago: [^\n]+)*\nNow: [^\n]+", t) for t in train)


@pytest.mark.parametrize("n", [300, 1_700])
def test_no_paragraph_moves_when_the_future_is_rewritten(task: Notifications, n: int) -> None:
    data = task.load(0)
    other = task.rewrite(data, n, 1)
    before, after = (rows.join(*views.make(task, d, "text")) for d in (data, other))
    assert before[:n] == after[:n]
    assert before[n : len(after)] != after[n:]


def test_gaps_are_hours_and_then_days() -> None:
    assert [gap(s) for s in (3_600, 47 * 3_600, 49 * 3_600, 20 * 86_400)] == [
        "1 hour",
        "47 hours",
        "2 days",
        "20 days",
    ]
