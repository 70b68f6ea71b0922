"""What a task and a model must have, and what they may have beside that.

Nothing is inherited from here: a class that has these methods is a task, or a model. What one may
have stands in MODEL_MAY_HAVE and TASK_MAY_HAVE with what its absence means, and everything that
asks for such a thing asks through `offered`: the defaults stand nowhere else.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from tasks.base import Data, Look


class Task(Protocol):
    """Settings are the fields of a dataclass; see tasks.base."""

    def load(self, seed: int) -> Data:
        """Draw or split. Raises ValueError with one sentence where that cannot be."""
        ...


class Viewing(Protocol):
    """A task whose views are made by a method; else each is a file of the task's folder."""

    def view(self, data: Data, name: str) -> tuple[Any, Any]: ...


class Model(Protocol):
    """scikit-learn's conventions: no logic in the constructor, what was learned ends in _."""

    def fit(self, X: Any, y: Any) -> Any:
        """X: rows as the view gives them. y: (n,) class names as str objects, (n,) float64, or a
        list of answers. Returns self."""
        ...


class Classifier(Model, Protocol):
    classes_: Sequence[str]

    def predict_proba(self, X: Any) -> np.ndarray:
        """-> (n, n_classes), columns as in `classes_`."""
        ...


class Regressor(Model, Protocol):
    def predict(self, X: Any) -> np.ndarray:
        """-> (n,)"""
        ...


class Answerer(Model, Protocol):
    def answer(self, X: Any) -> Sequence[Any]:
        """-> n texts, or values that JSON can hold"""
        ...


METHOD_OF: Mapping[str, str] = {
    "probabilities": "predict_proba",
    "values": "predict",
    "answers": "answer",
}
"""What a model is asked by, for each kind of answer (Data.answer)."""

MODEL_MAY_HAVE: Mapping[str, Any] = {
    # A setting or constant: which view of the task it reads; of several (`events|signal`) the first
    # that there is.
    "view": "features",
    # Constants of the class.
    "answers": ("probabilities", "values"),  # kinds of answers it can give
    "bound": False,  # no model to compare, but what models are held against
    # Names of settings that say what its answers took, where they were made elsewhere: it knows the
    # test rows alone, and no clock here tells anything of it.
    "stated": (),
    "needs_gpu": False,
    # Settings that make a fit short, for a first call on made-up rows; None: do without that call.
    "warm_up": {},
    "represents_by": (),  # settings that `represent` depends on, beside the weights
    # Settings that are paths of files, beside those that it fetches: their content counts.
    "files": (),
    # Settings or constants: more are refused before any work is done.
    "max_rows": None,
    "max_values": None,
    # Constant: does its `fit` take rows that lie on disk (tasks.pieces) and read them a piece at a
    # time? It is asked for answers to frames all the same.
    "pieces": False,
    # Setting or constant: is it asked for all test rows, however many they are? Else, of many, for
    # a subset that stands for all, and on which all others are scored as well (records/subset.py).
    "whole_test": True,
    # Methods.
    # () -> what tells its weights from others; LookupError with a sentence where it needs something
    # that is not there: the cell is skipped.
    "fetch": None,
    # (texts) -> (n, numbers) of each text by itself, whatever the labels are: kept for others
    # (cell/represented.py). `fit` and what it is asked by take either.
    "represent": None,
    # After `fit`.
    "inputs": None,  # (X) -> rows as its estimator takes them; all its answers go through it
    "n_parameters_": None,  # learned numbers
    "n_fits_": 1,  # fits that were made for the one model
    "tokens_": None,  # what a language model has `read` and `written` so far
    "spent_": None,  # money, where somebody else's machine answers
    "labels_": None,  # train rows whose labels it looked at; None: all
    "unfinished_": None,  # what a search for the right moment to stop says that reached its limit
    "notes_": {},  # what it wants to be known: name -> number or text
    "history_": None,  # name of a curve -> its numbers, one for each step or epoch
    "estimator": None,  # of another package, which this one feeds
}
"""What a model may have, with what its absence means."""

TASK_MAY_HAVE: Mapping[str, Any] = {
    # Constants of the class.
    # Nobody wrote its views, or those named here, for the problem at hand (docs/work-ledger.md).
    "general": False,
    "files": (),  # settings that are paths of data
    "expensive": (),  # views that are kept from run to run, as they cost minutes or money
    # Names of metrics or `Metric` objects, the main one first; a method of `data` may give them.
    "metrics": None,
    # Methods.
    "score": None,  # (data, answers) -> name of a metric -> value; else the metrics do it
    "tables": None,  # (data) -> name -> table, for views in SQL
    # Constants, of such views: name of a text -> what it may be, in order; the column that says
    # which row it is, which no model reads; and that by which tables can be cut, such as a user.
    "levels": {},
    "key": None,
    "cut_by": None,
    "check": None,  # () -> None, or ValueError where settings contradict each other
    "look": None,  # (rows) -> Look: what about so many rows tell
    "suspicions": None,  # (data) -> sentences on what may be a leak (check ME11)
    "notices": None,  # (data) -> sentences on how its rows were read and split, for every table
    "raw_columns": None,  # (data, view) -> names of the raw columns that a view reads
    # A model that is taken away (cell/take.py): the data with all rows as train rows, in order,
    # (data, seed) -> Data; and what reads new rows from a file as these were read, (data, view) ->
    # an object with `names` of columns, `pieces` of rows and `notes` (cell/new_rows.py has those of
    # other tasks), or None for a view that nothing reads.
    "whole": None,
    "new_rows": None,
    # (data) -> (train rows, test rows, name of the target): frames as they were before a view was
    # made of them.
    "as_given": None,
    # Controls (cell/controls.py): the same rows with other outcomes, wherever these stand; and the
    # first n rows as they were, with all that came after them made different, moved in time, and
    # some of it deleted.
    "relabel": None,
    "rewrite": None,
}
"""What a task may have, with what its absence means."""

MAY_HAVE = {**MODEL_MAY_HAVE, **TASK_MAY_HAVE}


def offered(thing: Any, name: str) -> Any:
    """What a task or a model offers under a name, or what the absence of that means."""
    return getattr(thing, name, MAY_HAVE[name])


__all__ = [
    "MAY_HAVE",
    "METHOD_OF",
    "Answerer",
    "Classifier",
    "Look",
    "Model",
    "Regressor",
    "Task",
    "Viewing",
    "offered",
]
