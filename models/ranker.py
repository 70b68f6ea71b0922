"""Ranking candidates: of all that could be the value, the one that looks most like it is taken.

You do: write what finds candidates in a text, and what is worth knowing of each.
It does: learns from documents and their values which of it counts, and which words about it do.
Pays in: the engineering of candidates; one that is not found can never be chosen.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pandas as pd
import xgboost
from annotated_types import Ge, Gt, Le
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler


@dataclass
class Ranker:
    learner: Literal["logistic", "boosting"] = "logistic"
    C: Annotated[float, Gt(0)] = 1.0  # of logistic: the smaller, the closer weights stay to zero
    n_estimators: Annotated[int, Ge(1)] = 200  # of boosting, as are the next two
    learning_rate: Annotated[float, Gt(0), Le(1)] = 0.1
    max_depth: Annotated[int, Ge(1)] = 4
    min_count: Annotated[int, Ge(1)] = 5  # candidates that parts of words must stand by to count
    view: str = "features"  # which view of the task it reads: candidates
    # Supplied by the runner.
    random_state: int = 0  # unused by the logistic one, whose problem has one answer
    n_jobs: int = 1

    # A classifier over spans in the place of patterns: Freitag 1998, "Toward General-Purpose
    # Learning for Information Extraction" (COLING-ACL).
    era: ClassVar[str] = "candidates"
    year: ClassVar[int] = 1998
    answers: ClassVar[tuple[str, ...]] = ("answers",)
    warm_up: ClassVar[dict[str, int]] = {"n_estimators": 2}

    def fit(self, X: Any, y: list[dict[str, str]]) -> "Ranker":
        """X: n documents with candidates (tasks/candidates.py); y: n answers, each a dict of field
        and value. A candidate is right whose value is that of its field in the answer."""
        if not y or not all(isinstance(answer, dict) for answer in y):
            raise ValueError("ranker looks for fields of an answer, as in {'total': '12.50'}")
        owner, place = places(X)
        said, field = X.value[place], X.field[place]
        self.fields_ = {}
        for name in dict.fromkeys(key for answer in y for key in answer):
            mine = field == name
            told = np.array([y[k].get(name) for k in owner[mine].tolist()], dtype=object)
            right = said[mine] == told
            if right.any() and not right.all():  # else there is nothing to learn
                self.fields_[name] = OneField(self, X.table.iloc[place[mine]], right)
        self.n_parameters_ = sum(one.n_parameters for one in self.fields_.values())
        self.notes_: dict[str, Any] = {"learner": self.learner}
        return self

    def answer(self, X: Any) -> list[dict[str, str]]:
        """-> n answers; a field without a candidate is left out."""
        owner, place = places(X)
        answers: list[dict[str, str]] = [{} for _ in range(len(X))]
        for name, one in self.fields_.items():
            mine = X.field[place] == name
            of, at = owner[mine], place[mine]
            if not len(at):
                continue
            order = np.lexsort((-one(X.table.iloc[at]), of))  # of equals the one that comes first
            _, best = np.unique(of[order], return_index=True)
            for k in order[best].tolist():
                answers[of[k]][name] = X.value[at[k]]
        return answers


class OneField:
    """How much a candidate looks like the value of one field."""

    def __init__(self, settings: Ranker, table: pd.DataFrame, right: np.ndarray) -> None:
        self.texts = [c for c in table if pd.api.types.is_string_dtype(table[c])]
        self.numbers = [c for c in table if c not in self.texts]
        self.scale = StandardScaler().fit(self.floats(table))
        parts = {c: table[c].fillna("") for c in self.texts}
        self.words = {c: counter for c in self.texts if (counter := read(parts[c], settings))}
        Z = self.inputs(table)
        if settings.learner == "logistic":
            self.model: Any = LogisticRegression(C=settings.C, max_iter=1000).fit(Z, right)
            self.n_parameters = self.model.coef_.size + 1
        else:
            self.model = xgboost.XGBClassifier(
                n_estimators=settings.n_estimators,
                learning_rate=settings.learning_rate,
                max_depth=settings.max_depth,
                tree_method="hist",
                random_state=settings.random_state,
                n_jobs=settings.n_jobs,
            ).fit(Z, right)
            dump = self.model.get_booster().get_dump()
            self.n_parameters = sum(tree.count("\n") for tree in dump)  # nodes

    def floats(self, table: pd.DataFrame) -> np.ndarray:
        return np.nan_to_num(table[self.numbers].to_numpy(np.float64))

    def inputs(self, table: pd.DataFrame) -> csr_matrix:
        """(m, numbers and parts of words)"""
        words = [counter.transform(table[c].fillna("")) for c, counter in self.words.items()]
        return hstack([csr_matrix(self.scale.transform(self.floats(table))), *words]).tocsr()

    def __call__(self, table: pd.DataFrame) -> np.ndarray:
        """-> (m,)"""
        return self.model.predict_proba(self.inputs(table))[:, 1]


def places(X: Any) -> tuple[np.ndarray, np.ndarray]:
    """Of each candidate of each document: which document, and where in the table it stands."""
    length = X.stop - X.start
    owner = np.repeat(np.arange(len(X)), length)
    first = np.repeat(X.start - np.cumsum(length) + length, length)
    return owner, first + np.arange(len(owner))


def read(texts: pd.Series, settings: Ranker) -> CountVectorizer | None:
    """Which parts of words there are, three to five letters long; None where there is none."""
    counter = CountVectorizer(
        analyzer="char_wb", ngram_range=(3, 5), binary=True, min_df=settings.min_count
    )
    try:
        return counter.fit(texts)
    except ValueError:  # an empty vocabulary, or fewer texts than min_count
        return None
