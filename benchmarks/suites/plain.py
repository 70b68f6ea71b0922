"""What a user would type instead of this kit, on the table that the kit is timed on as well.

python -m benchmarks.suites.plain loop          four models in a scikit-learn loop
python -m benchmarks.suites.plain lazypredict   the same through lazypredict
"""

import sys
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pandas as pd
from annotated_types import Ge
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split

from tasks.base import Data, UnknownView


@dataclass
class PlainTable:
    """Numbers only, 10,000 train and 5,000 test rows of 30 columns, as scikit-learn makes them."""

    classes: ClassVar[tuple[str, str]] = ("no", "yes")

    rows: Annotated[int, Ge(100)] = 15_000
    columns: Annotated[int, Ge(20)] = 30

    def load(self, seed: int) -> Data:
        X, y = make_classification(
            self.rows,
            self.columns,
            n_informative=15,
            n_redundant=5,
            n_clusters_per_class=6,
            class_sep=0.7,
            flip_y=0.05,
            random_state=seed,
        )
        labels = np.array(self.classes, dtype=object)[y]
        train, test, train_labels, test_labels = train_test_split(
            X, labels, test_size=1 / 3, random_state=seed, stratify=labels
        )
        return Data((train, test), train_labels, test_labels, self.classes)

    def view(self, data: Data, name: Literal["features"] | str) -> tuple[Any, Any]:
        if name != "features":
            raise UnknownView("plain_table", name, ("features",))
        names = [f"x{k}" for k in range(self.columns)]
        train, test = (pd.DataFrame(part, columns=names) for part in data.raw)
        return train, test


def loop(rows: int = 15_000) -> dict[str, float]:
    """Fit the four models with their libraries' defaults; return the test ROC AUC of each."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC
    from xgboost import XGBClassifier

    train, test, train_labels, test_labels = arrays(rows)
    models = {
        "svm": make_pipeline(StandardScaler(), SVC()),
        "random_forest": RandomForestClassifier(n_jobs=-1, random_state=0),
        "xgboost": XGBClassifier(random_state=0),
        "network": make_pipeline(StandardScaler(), MLPClassifier(random_state=0)),
    }
    found = {}
    for name, model in models.items():
        model.fit(train, train_labels)
        is_svm = name == "svm"  # its decision values rank as well as probabilities, and cost less
        scores = model.decision_function(test) if is_svm else model.predict_proba(test)[:, 1]
        found[name] = float(roc_auc_score(test_labels, scores))
    return found


def lazypredict(rows: int = 15_000) -> dict[str, float]:
    """The same four through lazypredict's LazyClassifier."""
    from lazypredict.Supervised import LazyClassifier
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.svm import SVC
    from xgboost import XGBClassifier

    train, test, train_labels, test_labels = arrays(rows)
    chosen = [SVC, RandomForestClassifier, XGBClassifier, MLPClassifier]
    lazy = LazyClassifier(verbose=0, ignore_warnings=True, classifiers=chosen)
    table, _ = lazy.fit(train, test, train_labels, test_labels)
    return dict(table["ROC AUC"].astype(float))


def arrays(rows: int) -> tuple[Any, Any, np.ndarray, np.ndarray]:
    task = PlainTable(rows)
    data = task.load(0)
    train, test = task.view(data, "features")
    return (
        train,
        test,
        data.train_labels.astype(int),
        data.test_labels.astype(int),
    )


if __name__ == "__main__":
    way, *rows = sys.argv[1:]
    print({"loop": loop, "lazypredict": lazypredict}[way](*map(int, rows)))
