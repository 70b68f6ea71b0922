"""Controls: the same task, spoiled in a known way, so that the outcome is known as well.

Each is a task around a task. A model, a view or a harness that does not behave as the control says
is not to be trusted with the real thing.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from benchmarks.cell import rows as of_rows
from benchmarks.cell import views
from benchmarks.cell.protocols import Task, offered
from tasks.base import Data
from tasks.histories import Histories
from tasks.metrics import STANDARD

FUTURE_ERRORS = 0.1  # share of rows in which the planted column is wrong
MOMENTS = 3  # at which the future is changed
SURE = 3.29  # standard errors; a model at chance is beyond them once in a thousand cells
LATEST = 32  # events of a past that each row has to itself; the older ones are left out


class Impossible(ValueError):
    """A control makes no sense for a task or view; the cell is skipped."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """What a control found; passed is None if it only shows something."""

    passed: bool | None
    text: str


class Control(Task, Protocol):
    def __init__(self, task: Task, seed: int) -> None: ...

    def finding(self, data: Data, predictions: np.ndarray, view: str) -> Finding: ...


class _Around:
    """A task that is another one unless it says otherwise."""

    def __init__(self, task: Any, seed: int) -> None:
        self.task, self.seed = task, seed

    def __getattr__(self, name: str) -> Any:
        return getattr(self.task, name)

    def load(self, seed: int) -> Data:
        data: Data = self.task.load(seed)
        return data

    def view(self, data: Data, name: str) -> tuple[Any, Any]:
        return views.make(self.task, data, name)


class ShuffledLabels(_Around):
    """All labels, of train and test rows, are dealt out anew before any feature is made: whatever
    a model finds in them is chance, or the label itself."""

    def load(self, seed: int) -> Data:
        data = self.task.load(seed)
        labels = np.random.default_rng([seed, 1]).permutation(all_labels(data))
        return relabelled(self.task, data, labels)

    def finding(self, data: Data, predictions: np.ndarray, view: str) -> Finding:
        if data.kind == "regression":
            metric, chance = STANDARD["r2"], 0.0
        elif data.classes:
            metric, chance = STANDARD["roc_auc"], 0.5
        else:
            return Finding(None, "answers have no level of chance that is known")
        assert metric.influence
        value, each = metric.influence(predictions, data.test_labels)
        half = SURE * float(np.sqrt(each @ each)) / len(each)
        found = f"{metric.label} {value:.3f} on shuffled labels"
        # Noise that was learned costs R², so below its chance nothing is wrong.
        apart = value - chance if metric.name == "r2" else abs(value - chance)
        return Finding(apart <= half, f"{found}, chance is {chance:.3f} ±{half:.3f}")


class FutureColumn(_Around):
    """A column is planted that says how each row will turn out. A test of the view, which changes
    the future and looks whether the past moves, must find this column and no other."""

    def __init__(self, task: Any, seed: int) -> None:
        super().__init__(task, seed)
        if offered(task, "rewrite") is None:
            raise Impossible("the task has no order in time, so no column can know the future")

    def view(self, data: Data, name: str) -> tuple[Any, Any]:
        train, test = super().view(data, name)
        if data.answer == "answers":
            raise Impossible("answers are no column")
        labels = all_labels(data)
        known = labels if not data.classes else (labels == len(data.classes) - 1).astype(float)
        # Where it is wrong it tells the row before: it depends on nothing later than a row itself.
        wrong = np.random.default_rng([self.seed, 2]).random(len(known)) < FUTURE_ERRORS
        planted = np.where(wrong, np.concatenate([known[:1], known[:-1]]), known)
        n = len(data.train_labels)
        return (
            of_rows.with_column(train, PLANTED, planted[:n]),
            of_rows.with_column(test, PLANTED, planted[n:]),
        )

    def finding(self, data: Data, predictions: np.ndarray, view: str) -> Finding:
        moved, are_fewer = self.moved(data, view)
        others = sorted(moved - {PLANTED})
        if others:
            return Finding(False, f"knows the future: {', '.join(others)}")
        if PLANTED not in moved:
            return Finding(False, "the planted column was not caught")
        if not are_fewer:
            text = "the planted column was caught; no later row was deleted, so what their mere "
            return Finding(True, f"{text}number or times give away was not tried")
        return Finding(True, "the planted column was caught")

    def moved(self, data: Data, view: str) -> tuple[set[str], bool]:
        """Columns of a view in which rows moved although only what came after them was changed;
        and whether some of that was deleted as well. Raises ValueError where the task's `rewrite`
        does not keep the rows before."""
        total = len(all_labels(data))
        before = of_rows.join(*self.view(data, view))
        found: set[str] = set()
        are_fewer = False
        for n in np.random.default_rng([self.seed, 4]).integers(total // 4, total, MOMENTS):
            other = self.task.rewrite(data, int(n), self.seed)
            left = len(all_labels(other))
            if left < n:
                raise ValueError(f"rewrite was to keep {n:,} rows and left {left:,}")
            are_fewer |= left < total
            after = of_rows.join(*self.view(other, view))
            found |= named_planted(of_rows.differing(before, after, int(n)), before)
        return found, are_fewer


class DuplicateUsers(_Around):
    """Half of the rows are taken, each twice, as if users were in a table under two names; then
    they are split at random, as one should not: most test rows have a twin among the train rows."""

    def load(self, seed: int) -> Data:
        data = self.task.load(seed)
        n_train, labels = len(data.train_labels), all_labels(data)
        rng = np.random.default_rng([seed, 5])
        half = rng.permutation(len(labels))[: len(labels) // 2]
        order = rng.permutation(np.concatenate([half, half]))
        return Data((data, order), labels[order[:n_train]], labels[order[n_train:]], data.classes)

    def view(self, data: Data, name: str) -> tuple[Any, Any]:
        inner, order = data.raw
        rows, n = of_rows.join(*views.make(self.task, inner, name)), len(data.train_labels)
        return of_rows.take(rows, order[:n]), of_rows.anew(of_rows.take(rows, order[n:]))

    def finding(self, data: Data, predictions: np.ndarray, view: str) -> Finding:
        return Finding(None, "twins of test rows among the train rows")


class KeptOrder(_Around):
    """Each row has a copy of its past to itself, in the order in which it happened: what
    ShuffledOrder does, but for the lot. What a model finds in one and not in the other was order,
    and neither the number of pasts nor the length at which they are cut."""

    by_lot = False

    def view(self, data: Data, name: str) -> tuple[Any, Any]:
        parts = super().view(data, name)
        if not all(isinstance(rows, Histories) for rows in parts):
            raise Impossible(f"the view {name!r} gives no events, which could have an order")
        train, test = (
            apart(rows, np.random.default_rng([self.seed, 6, k]) if self.by_lot else None)
            for k, rows in enumerate(parts)
        )
        return train, test

    def finding(self, data: Data, predictions: np.ndarray, view: str) -> Finding:
        order = "an order by lot" if self.by_lot else "the order in which it happened"
        return Finding(None, f"each row's past to itself, the latest {LATEST} events, in {order}")


class ShuffledOrder(KeptOrder):
    """What happened before each row is dealt out anew among the moments at which it happened, of
    train and test rows alike: how much there was of what stays, its order goes."""

    by_lot = True


def apart(rows: Histories, lot: np.random.Generator | None) -> Histories:
    """The same rows, each with a copy of its past; contents and what came of them are dealt out
    anew among its moments where there is a lot.

    Each row needs an order of its own: rows of an entity share their events, of which later ones
    see more. If all had one order, it would show to earlier rows what came after them, or, with a
    row at each event, could be none but the true one.
    """
    order = np.lexsort((rows.stop, rows.start))  # rows of an entity stay together
    length = np.minimum(rows.stop - rows.start, LATEST)[order]
    end = np.cumsum(length)
    row = np.repeat(np.arange(len(rows)), length)
    place = np.arange(len(row)) + (rows.stop[order] - end)[row]
    dealt = place if lot is None else place[np.lexsort((lot.random(len(row)), row))]
    start, stop = np.empty_like(rows.start), np.empty_like(rows.stop)
    start[order], stop[order] = end - length, end
    return Histories(
        rows.now,
        rows.moment,
        rows.events.iloc[dealt].reset_index(drop=True),
        rows.event_moment[place],
        start,
        stop,
    )


PLANTED = "planted"
CONTROLS: Mapping[str, Callable[[Any, int], Control]] = {
    "shuffled_labels": ShuffledLabels,
    "future_column": FutureColumn,
    "duplicate_users": DuplicateUsers,
    "kept_order": KeptOrder,
    "shuffled_order": ShuffledOrder,
}


def all_labels(data: Data) -> Any:
    """Of train rows, then of test rows, as `Data` keeps them."""
    if data.answer == "answers":
        raise Impossible("answers cannot be dealt out anew")
    return np.concatenate([data.train_labels, data.test_labels])


def relabelled(task: Any, data: Data, labels: np.ndarray) -> Data:
    """The same rows with other labels; a task whose raw data hold them has to do it itself."""
    if (relabel := offered(task, "relabel")) is not None:
        changed: Data = relabel(data, labels)
        return changed
    n = len(data.train_labels)
    return dataclasses.replace(data, train_labels=labels[:n], test_labels=labels[n:], truth=None)


def named_planted(names: set[str], rows: Any) -> set[str]:
    """An array's columns have no names: the planted one is the last of them."""
    if of_rows.names(rows) is not None:
        return names
    last = (of_rows.columns(rows) or [""])[-1]
    return {PLANTED if name == last else name for name in names}
