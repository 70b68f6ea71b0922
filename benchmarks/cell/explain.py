"""What moved a prediction, where the model's library says it."""

import sys
from typing import Any

import numpy as np

from benchmarks.cell.jobs import Refused


class Explainer:
    """Of boosted trees what each column added to the log odds, or to the value (TreeSHAP, Lundberg
    et al. 2020); of a linear model its terms: a weight times a scaled column."""

    def __init__(self, model: Any, name: str) -> None:
        """Raises Refused for any other model."""
        last: Any = getattr(model, "model_", None)
        self._prepare: Any = getattr(model, "prepare_", None)
        if type(last).__module__.startswith("sklearn.pipeline"):  # of an estimator of a package
            self._prepare, last = (last[:-1] if len(last) > 1 else None), last[-1]
        booster = getattr(sys.modules.get("xgboost"), "Booster", ())
        self._is_trees = isinstance(last, booster)
        self._model, self._last = model, last
        names_terms = hasattr(self._prepare, "get_feature_names_out")
        is_linear = isinstance(getattr(last, "coef_", None), np.ndarray) and names_terms
        if not self._is_trees and not is_linear:
            raise Refused(
                f"what moved a prediction is told of boosted trees and of linear models, and the "
                f"library of {name} does not say it"
            )
        self._names: np.ndarray | None = None

    def __call__(self, rows: Any, towards: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """(names, effects) of (k,) and (n, k). towards: (n,) the class that an effect is for, as a
        place in the model's `classes_`; None for values."""
        effects = self._of_trees(rows) if self._is_trees else self._of_terms(rows)
        if towards is None:
            found = effects[..., 0] * float(getattr(self._model, "scale_", 1.0))
        elif effects.shape[2] == 1:  # of two classes, for the second
            found = effects[..., 0] * np.where(towards == 1, 1.0, -1.0)[:, None]
        else:
            found = effects[np.arange(len(effects)), :, towards]
        return self._named(rows), found

    def _of_trees(self, rows: Any) -> np.ndarray:  # -> (n, k, classes or 1)
        xgboost: Any = sys.modules["xgboost"]
        matrix = xgboost.DMatrix(self._model.inputs(rows), enable_categorical=True)
        found = self._last.predict(matrix, pred_contribs=True)
        found = found[:, None, :] if found.ndim == 2 else found
        return found[:, :, :-1].transpose(0, 2, 1)  # the last one is where all begin

    def _of_terms(self, rows: Any) -> np.ndarray:
        weights = np.atleast_2d(self._last.coef_)
        return np.asarray(self._model.inputs(rows))[:, :, None] * weights.T[None]

    def _named(self, rows: Any) -> np.ndarray:
        """Columns of the view; of a linear model its terms, as `topic_news` of a category."""
        if self._names is None:
            own = [str(name) for name in getattr(rows, "columns", range(np.shape(rows)[1]))]
            if not self._is_trees:
                terms = self._prepare.get_feature_names_out()
                told = [str(name).partition("__")[2] or str(name) for name in terms]
                by_place = {f"column {k}": name for k, name in enumerate(own)}
                own = [by_place.get(name, name) for name in told]
            self._names = np.array(own, dtype=object)
        return self._names


def strongest(names: np.ndarray, effects: np.ndarray, n: int) -> dict[str, np.ndarray]:
    """Columns of the n largest effects of each row: `reason 1`, `effect 1`, …"""
    n = min(n, effects.shape[1])
    places = np.argsort(-np.abs(effects), axis=1, kind="stable")[:, :n]
    found: dict[str, np.ndarray] = {}
    for k in range(n):
        found[f"reason {k + 1}"] = names[places[:, k]]
        found[f"effect {k + 1}"] = np.take_along_axis(effects, places[:, k : k + 1], 1)[:, 0]
    return found
