"""Word vectors: a text is the average of its words, which somebody else learned.

You do: hand over texts, and name whose vectors to take.
It does: looks up each word, averages, and learns one weight for each number of the average.
Pays in: all that the order of words says, and all that a word's neighbours change about it.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Gt
from safetensors import SafetensorError, safe_open

from models.parts.heads import linear_head
from models.parts.language import find, fingerprint, one_line, tokenizer_of

TABLES = ("word_embeddings.weight", "embed_tokens.weight", "wte.weight")
"""How the table of word vectors is called in the weights of encoders and decoders."""


@dataclass
class Static:
    weights: str = "all-MiniLM-L6-v2"  # whose word vectors: a name, or a folder
    C: Annotated[float, Gt(0)] = 0.1  # the smaller, the closer the weights stay to zero
    view: str = "text"  # which view of the task it reads
    # Supplied by the runner.
    cache: str | None = None
    random_state: int = 0  # unused: nothing here is left to chance

    era: ClassVar[str] = "word vectors"
    year: ClassVar[int] = 2013  # Mikolov et al., arXiv 1301.3781
    represents_by: ClassVar[tuple[str, ...]] = ("weights",)
    warm_up: ClassVar[dict[str, float]] = {"C": 1.0}

    def fetch(self) -> str:
        """What tells its weights from others. Raises LookupError where they cannot be had."""
        return fingerprint(find(self.weights, self.cache))

    def fit(self, X: Any, y: np.ndarray) -> "Static":
        """X: n texts, or what `represent` made of them; y: (n,) class names as str objects, or
        floats for regression."""
        self.load()
        Z = self.inputs(X)
        self.model_ = linear_head(Z, y, self.C)
        self.classes_ = getattr(self.model_[-1], "classes_", None)
        self.n_parameters_ = self.table_.size + self.model_[-1].coef_.size
        self.notes_: dict[str, Any] = {"weights": self.weights}
        return self

    def load(self) -> None:
        """Once: the vectors stay for later texts."""
        if not hasattr(self, "table_"):
            folder = find(self.weights, self.cache)
            self.tokenizer_, self.table_ = tokenizer_of(folder), table_of(folder)

    def represent(self, texts: list[str]) -> np.ndarray:
        """-> (n, numbers) float32: the mean vector of a text's words; of an empty one zeros."""
        self.load()
        found = np.zeros((len(texts), self.table_.shape[1]), dtype=np.float32)
        for row, text in zip(found, texts, strict=True):
            words = self.tokenizer_(text, add_special_tokens=False, split_special_tokens=True)
            if words["input_ids"]:
                row[:] = self.table_[words["input_ids"]].mean(axis=0)
        return found

    def inputs(self, X: Any) -> np.ndarray:
        """Rows as the linear model takes them: (n, numbers)."""
        return (X if isinstance(X, np.ndarray) else self.represent(X)).astype(np.float64)

    def predict_proba(self, X: Any) -> np.ndarray:
        """-> (n, n_classes), columns as in `classes_`."""
        return self.model_.predict_proba(self.inputs(X))

    def predict(self, X: Any) -> np.ndarray:
        """-> (n,), regression only."""
        return self.model_.predict(self.inputs(X))


def table_of(folder: Any) -> np.ndarray:
    """(words, numbers) float32. Raises ValueError for weights without one."""
    for file in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(file, "pt") as opened:
                for name in opened.keys():  # noqa: SIM118 - no dict
                    if name.endswith(TABLES):
                        return opened.get_tensor(name).float().numpy()
        except SafetensorError as error:
            raise ValueError(f"{file} is damaged ({one_line(error)})") from None
    raise ValueError(f"there is no table of word vectors in {folder}")
