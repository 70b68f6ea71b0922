"""Rows with a past: what is in it, and what cannot be."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.cell import rows, storage, views
from tasks.base import Data
from tasks.histories import Histories, histories, split
from tasks.notifications import Notifications
from tests.examples import assert_same, events

EVENTS = pd.DataFrame({"what": list("abcdef"), "came": [1, 0, 1, 0, 1, 0]})
OWNER = np.array([7, 3, 7, 3, 7, 3])
MOMENT = np.array([50, 10, 10, 30, 30, 20])


def made(moment: list[int], entity: list[int], known_after: int = 0) -> Histories:
    now = pd.DataFrame({"row": range(len(moment))})
    return histories(
        now, np.array(entity), np.array(moment), EVENTS, OWNER, MOMENT, known_after=known_after
    )


def pasts(found: Histories) -> list[str]:
    return [
        "".join(found.events["what"][a:b]) for a, b in zip(found.start, found.stop, strict=True)
    ]


def test_a_past_is_the_entitys_own_events_up_to_the_moment():
    found = made([5, 10, 29, 100, 30, 100], [3, 3, 3, 3, 7, 8])
    assert pasts(found) == ["", "b", "bf", "bfd", "ce", ""]
    assert found.event_moment.tolist() == [10, 20, 30, 10, 30, 50]


def test_an_event_is_in_a_past_when_it_is_known_what_came_of_it():
    assert pasts(made([39, 40, 41], [7, 7, 7], known_after=10)) == ["c", "ce", "ce"]


def test_rows_of_an_entity_share_the_beginning_of_their_pasts():
    found = made([15, 25, 35, 15, 35], [3, 3, 3, 7, 7])
    assert found.start[:3].tolist() == [0, 0, 0]
    assert found.start[3:].tolist() == [3, 3]
    assert found.stop.tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("part", [slice(1, 3), np.array([4, 0, 2]), slice(None, None, -1)])
def test_taken_rows_keep_their_pasts(part):
    found = made([15, 25, 35, 15, 35], [3, 3, 3, 7, 7])
    taken = rows.take(found, part)
    assert pasts(taken) == np.array(pasts(found), dtype=object)[part].tolist()
    assert taken.now["row"].tolist() == np.arange(5)[part].tolist()
    assert taken.now.index.tolist() == list(range(len(taken)))


def test_train_rows_know_no_event_that_is_in_none_of_their_pasts():
    train, test = split(made([15, 15, 100, 100], [3, 7, 3, 7]), 2)
    assert pasts(train) == ["b", "c"]
    assert sorted(train.events["what"]) == ["b", "c"]
    assert pasts(test) == ["bfd", "cea"]


def test_rows_joined_keep_their_pasts():
    one, other = made([15, 35], [3, 7]), made([25, 100, 100], [3, 7, 8])
    both = rows.join(one, other)
    assert pasts(both) == [*pasts(one), *pasts(other)]
    train, test = split(made([15, 15, 100], [3, 7, 3]), 2)
    assert pasts(rows.join(train, test)) == ["b", "c", "bfd"]


def test_what_differs_is_found_in_the_row_and_in_its_past_and_nowhere_else():
    before = made([25, 35, 100], [3, 7, 7])
    changed = EVENTS.assign(came=[9, 0, 1, 0, 1, 0])  # the last event of 7
    after = histories(before.now, np.array([3, 7, 7]), before.moment, changed, OWNER, MOMENT)
    assert rows.differing(before, after, 2) == set()
    assert rows.differing(before, after, 3) == {"events.came"}
    moved = histories(before.now, np.array([3, 7, 7]), before.moment, EVENTS, OWNER, MOMENT - 15)
    assert rows.differing(before, moved, 2) == {"events"}
    other = before.now.assign(row=[0, 5, 2])
    assert rows.differing(
        before, histories(other, np.array([3, 7, 7]), before.moment, EVENTS, OWNER, MOMENT), 2
    ) == {"row"}


def test_a_past_beyond_the_events_is_refused():
    with pytest.raises(ValueError, match="a past reaches beyond the 6 events that there are"):
        Histories(
            pd.DataFrame({"row": [0]}), np.zeros(1), EVENTS, MOMENT, np.zeros(1), np.array([7])
        )
    with pytest.raises(ValueError, match="histories have 1 rows and 2 values of start"):
        Histories(
            pd.DataFrame({"row": [0]}), np.zeros(1), EVENTS, MOMENT, np.zeros(2), np.array([1])
        )


@pytest.mark.parametrize("kind", ["binary", "regression"])
def test_they_are_kept_and_come_back_as_they_were(tmp_path, kind):
    train, labels = events(40, 0, kind)
    test, _ = events(20, 1, kind)
    classes = () if kind == "regression" else ("no", "yes")
    data = Data(None, labels, labels[:20], classes)
    storage.write(tmp_path / "kept", data, train, test, {})
    _, one, other, _ = storage.read(tmp_path / "kept")
    assert_same(one, train)
    assert_same(other, test)


def test_made_up_ones_have_the_same_columns_and_pasts_of_each_length():
    made_up = rows.synthetic(events(40, 0, "binary")[0])
    assert len(made_up) == rows.ROWS
    assert made_up.now.dtypes.equals(events(40, 0, "binary")[0].now.dtypes)
    assert set((made_up.stop - made_up.start).tolist()) == set(range(rows.PAST))


@pytest.fixture(scope="module")
def task() -> Notifications:
    return Notifications(rows=2_000)


def test_the_log_as_events_holds_every_earlier_notification_with_its_outcome(task):
    data = task.load(0)
    train, test = views.make(task, data, "events")
    log = data.raw.notifications.to_pandas()
    assert "opened" not in train.now
    for made_of, offset in ((train, 0), (test, data.raw.train_rows)):
        for place in np.random.default_rng(0).integers(0, len(made_of), 60):
            row = log.iloc[offset + place]
            assert made_of.now["title"][place] == row["title"]
            earlier = log[(log["user_id"] == row["user_id"]) & (log["sent_at"] < row["sent_at"])]
            past = made_of.events[made_of.start[place] : made_of.stop[place]]
            assert past["opened"].tolist() == earlier["opened"].tolist()
            assert past["title"].tolist() == earlier["title"].tolist()


@pytest.mark.parametrize("n", [300, 900, 1_700])
def test_no_past_of_the_log_moves_when_the_future_is_rewritten(task, n):
    data = task.load(0)
    other = task.rewrite(data, n, 1)
    before, after = (rows.join(*views.make(task, d, "events")) for d in (data, other))
    assert rows.differing(before, after, n) == set()
    assert rows.differing(before, after, len(after)) != set()
