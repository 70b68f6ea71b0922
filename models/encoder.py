"""A frozen encoder: a transformer that has read the web gives each text a vector in its context.

You do: hand over texts, and name the encoder.
It does: reads each text once, averages what it makes of its words, and weighs that average.
Pays in: reading, a text at a time, for every row that is learned or predicted; its weights stay.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from annotated_types import Ge, Gt

from models.parts.heads import linear_head
from models.parts.language import encoder_of, find, fingerprint, padded, tokenizer_of
from models.parts.training import find_device


@dataclass
class Encoder:
    weights: str = "all-MiniLM-L6-v2"  # of which encoder: a name, or a folder
    max_tokens: Annotated[int, Ge(8)] = 256  # of a text; of a longer one its two ends
    C: Annotated[float, Gt(0)] = 0.1  # the smaller, the closer the weights of the head stay to zero
    batch_size: Annotated[int, Ge(1)] = 32  # texts that are read at once
    view: str = "text"  # which view of the task it reads
    # Supplied by the runner.
    device: Literal["auto", "cpu", "cuda", "xpu", "mps"] = "auto"
    cache: str | None = None
    random_state: int = 0  # unused: nothing here is left to chance

    era: ClassVar[str] = "frozen encoder"
    year: ClassVar[int] = 2019  # Reimers and Gurevych, Sentence-BERT, arXiv 1908.10084
    represents_by: ClassVar[tuple[str, ...]] = ("weights", "max_tokens")
    warm_up: ClassVar[dict[str, float]] = {"C": 1.0}

    def fetch(self) -> str:
        """What tells its weights from others. Raises LookupError where they cannot be had."""
        return fingerprint(find(self.weights, self.cache))

    def fit(self, X: Any, y: np.ndarray) -> "Encoder":
        """X: n texts, or what `represent` made of them; y: (n,) class names as str objects, or
        floats for regression."""
        self.load()
        Z = self.inputs(X)
        self.model_ = linear_head(Z, y, self.C)
        self.classes_ = getattr(self.model_[-1], "classes_", None)
        self.n_parameters_ = self.encoder_.num_parameters() + self.model_[-1].coef_.size
        self.notes_: dict[str, Any] = {"weights": self.weights, "device": self.encoder_.device.type}
        return self

    def load(self) -> None:
        """Once: the encoder stays for later texts."""
        if not hasattr(self, "encoder_"):
            folder = find(self.weights, self.cache)
            self.tokenizer_ = tokenizer_of(folder)
            self.encoder_ = encoder_of(folder, find_device(self.device))
            self.tokens_ = {"read": 0}

    def represent(self, texts: list[str]) -> np.ndarray:
        """-> (n, numbers) float32: what the encoder makes of the tokens of a text, averaged (mean
        pooling), at length 1."""
        self.load()
        encoder, most = (
            self.encoder_,
            min(self.max_tokens, self.encoder_.config.max_position_embeddings),
        )
        found = np.zeros((len(texts), encoder.config.hidden_size), dtype=np.float32)
        with torch.inference_mode():
            for places, ids, mask in padded(self.tokenizer_, texts, most, self.batch_size):
                states = encoder(
                    input_ids=ids.to(encoder.device), attention_mask=mask.to(encoder.device)
                ).last_hidden_state
                weights = mask.to(states)[..., None]
                mean = (states * weights).sum(1) / weights.sum(1)
                found[places] = torch.nn.functional.normalize(mean, dim=-1).cpu().numpy()
                self.tokens_ = {"read": self.tokens_["read"] + int(mask.sum())}
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
