"""Data sets that scikit-learn brings along: real measurements, and nothing to download."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import pandas as pd
from annotated_types import Gt, Lt
from sklearn import datasets
from sklearn.model_selection import train_test_split

from tasks.base import Data, UnknownView, dealt

LOADERS = {
    "breast_cancer": datasets.load_breast_cancer,
    "digits": datasets.load_digits,
    "diabetes": datasets.load_diabetes,
}
# In the order of the labels' tables; the positive class last.
CLASSES = {
    "breast_cancer": ("benign", "malignant"),
    "digits": tuple("0123456789"),
    "diabetes": (),
}


@dataclass
class Shipped:
    """A split at random per seed, with equal class shares in both parts."""

    # breast_cancer: 569 tumours; digits: 1,797 images of 8 x 8; diabetes: 442 patients, regression
    name: Literal["breast_cancer", "digits", "diabetes"] = "breast_cancer"
    # share of rows that models are tested on
    test_size: Annotated[float, Gt(0), Lt(1)] = 0.3

    general: ClassVar[bool] = True

    def load(self, seed: int) -> Data:
        """Split the rows; raises ValueError where a part would lack a class."""
        # Diabetes ships scaled with all rows at once; the raw measurements leave that to models.
        raw = {"scaled": False} if self.name == "diabetes" else {}
        bunch = LOADERS[self.name](as_frame=True, **raw)
        classes = CLASSES[self.name]
        if classes:
            labels = places_of(bunch.target_names.astype(str), classes)[bunch.target.to_numpy()]
        else:
            labels = bunch.target.to_numpy(np.float64)
        train, test = train_test_split(
            np.arange(len(labels)),
            test_size=self.test_size,
            random_state=seed,
            stratify=labels if classes else None,
        )
        train = train[dealt(labels[train], seed)]
        return Data(
            raw=(bunch.data.iloc[train], bunch.data.iloc[test]),
            train_labels=labels[train],
            test_labels=labels[test],
            classes=classes,
            test_ids=test,
            ordered=True,
        )

    def view(self, data: Data, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """`features`: the columns as shipped, all numbers."""
        if name != "features":
            raise UnknownView(self.name, name, ("features",))
        train, test = data.raw
        return train.reset_index(drop=True), test.reset_index(drop=True)

    def raw_columns(self, data: Data, _view: str) -> list[str]:
        return list(data.raw[0].columns)


def places_of(names: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    """Code of each name in `classes`."""
    return np.array([classes.index(name) for name in names])
