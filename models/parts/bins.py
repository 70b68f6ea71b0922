"""Rows as XGBoost takes them: sorted into bins, in memory or, of rows on disk, beside it."""

import tempfile
from typing import Any
from weakref import finalize

import numpy as np
import pandas as pd
import xgboost


class Matrices:
    """Any part of the rows, as a matrix of bins."""

    def __init__(self, X: Any, target: np.ndarray, prepare: Any, max_bin: int) -> None:
        self.rows = prepare(X) if isinstance(X, pd.DataFrame) else X
        self.target, self.prepare = target, prepare
        self.how = {"enable_categorical": True, "max_bin": max_bin}

    def __call__(self, part: slice, ref: xgboost.DMatrix | None = None) -> xgboost.DMatrix:
        """The rows of this part. ref: whose bins they share."""
        rows, target = self.rows[part], self.target[part]
        if isinstance(rows, pd.DataFrame):
            if isinstance(self.rows, pd.DataFrame):
                return xgboost.QuantileDMatrix(rows, target, ref=ref, **self.how)
            return xgboost.QuantileDMatrix(self.prepare(rows), target, ref=ref, **self.how)
        reader = Reader(rows, target, self.prepare)
        matrix = xgboost.ExtMemQuantileDMatrix(reader, ref=ref, **self.how)
        finalize(matrix, reader.folder.cleanup)  # what it wrote stays as long as it is used
        return matrix


class Reader(xgboost.DataIter):  # type: ignore[misc] # xgboost tells no types
    """Hands XGBoost one piece after the other; their bins lie in a folder while it uses them."""

    def __init__(self, rows: Any, target: np.ndarray, prepare: Any) -> None:
        self.rows, self.target, self.prepare = rows, target, prepare
        self.folder = tempfile.TemporaryDirectory(prefix="xgboost-")
        super().__init__(cache_prefix=f"{self.folder.name}/rows")

    def reset(self) -> None:
        self.pieces, self.at = self.rows.pieces(), 0

    def next(self, input_data: Any) -> bool:
        piece = next(self.pieces, None)
        if piece is None:
            return False
        stop = self.at + len(piece)
        input_data(data=self.prepare(piece), label=self.target[self.at : stop])
        self.at = stop
        return True
