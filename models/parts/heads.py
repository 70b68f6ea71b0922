"""A linear model on top of vectors that somebody else learned."""

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler


def linear_head(Z: np.ndarray, y: np.ndarray, C: float) -> Pipeline:
    """Fit weights of scaled numbers: of classes, or of values. (n, numbers), (n,) -> fitted

    C: the smaller, the closer the weights stay to zero.
    """
    head: Any = Ridge(1 / C) if y.dtype.kind == "f" else LogisticRegression(C=C, max_iter=1_000)
    return make_pipeline(StandardScaler(), head).fit(Z, y)
