"""A fine-tuned language model: a few more weights in it, learned for this one use.

You do: name the model, and hand over rows with their answers.
It does: moves small additions to its weights (LoRA) until right answers are the probable ones.
Pays in: passes forth and back through all of its layers, for every row that it learns from.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from annotated_types import Ge, Gt, Lt
from peft import LoraConfig, inject_adapter_in_model
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from models.parts.decoder import Decoder, Row, shares
from models.parts.language import find, fingerprint
from models.parts.prompts import as_text, begun, read_object, template
from models.parts.target import rows_to_learn
from models.parts.training import find_device, train


@dataclass
class Finetuned:
    weights: str = "SmolLM2-135M-Instruct"  # of which decoder: a name, or a path
    prompt: str | None = None  # as of `prompted`; its row alone: what is asked for is learned
    rows: Annotated[int, Ge(8)] | None = 300  # that it learns from at most, by chance; None: all
    rank: Annotated[int, Ge(1)] = 8  # of what is added to a matrix of weights
    layers: Annotated[int, Ge(1)] | None = None  # that learn, the last ones; None: all
    learning_rate: Annotated[float, Gt(0)] = 0.002  # length of the longest steps
    batch_size: Annotated[int, Ge(1)] = 8  # rows per step
    max_epochs: Annotated[int, Ge(1)] = 2  # passes, all of which are made
    holdout: Annotated[float, Gt(0), Lt(1)] = 0.05  # share of rows, the last ones, only watched
    max_tokens: Annotated[int, Ge(8)] = 256  # of a row's text; of a longer one its two ends
    max_new_tokens: Annotated[int, Ge(1)] = 64  # of an answer that it writes
    whole_test: bool = False  # asked for all test rows, however many? else for 500 of many
    view: str = "text"  # which view of the task it reads
    # Supplied by the runner.
    device: Literal["auto", "cpu", "cuda", "xpu", "mps"] = "auto"
    cache: str | None = None
    task: str = ""
    random_state: int = 0
    checkpoints: str | None = None

    era: ClassVar[str] = "fine-tune"
    year: ClassVar[int] = 2021  # Hu et al., LoRA, arXiv 2106.09685
    answers: ClassVar[tuple[str, ...]] = ("probabilities", "answers")
    files: ClassVar[tuple[str, ...]] = ("prompt",)
    warm_up: ClassVar[dict[str, int] | None] = (
        None  # each of its steps is long; the first is no more
    )

    def fetch(self) -> str:
        """What tells its weights from others. Raises LookupError where they cannot be had."""
        return fingerprint(find(self.weights, self.cache))

    def fit(self, X: list[str], y: Any) -> "Finetuned":
        """X: n texts; y: (n,) class names as str objects, or a list of answers."""
        asks = isinstance(y, list)
        if not asks and y.dtype.kind == "f":
            raise ValueError("finetuned gives classes or answers, and y is numbers")
        self.classes_: Any = None if asks else np.unique(y)
        self.template_ = template(self.prompt, self.task, not asks)
        self.begun_ = begun(y) if asks else ""
        mixed = np.random.default_rng([self.random_state, 14]).permutation(len(y))[: self.rows]
        self.labels_ = len(mixed)
        self.model_ = Decoder.load(
            find(self.weights, self.cache),
            find_device(self.device),
            "float32",
            self.batch_size,
            self.max_tokens,
            reuse=False,
        )
        torch.manual_seed(self.random_state)
        adapter = Adapter(self.model_.model, self.rank, self.layers)
        questions = [self.model_.tokens(row) for row in self.prompts([X[k] for k in mixed])]
        (row,) = self.prompts([""])
        answers = [self.model_.way(row, as_text(y[k])) for k in mixed]
        head = rows_to_learn(len(mixed), self.holdout)

        def loss(places: Tensor) -> Tensor:
            taken = places.tolist()
            return self._surprise([questions[k] for k in taken], [answers[k] for k in taken])

        def held_out() -> Tensor:
            places = torch.arange(head, len(mixed)).split(self.batch_size)
            return torch.stack([loss(part) * len(part) for part in places]).sum() / (
                len(mixed) - head
            )

        trained = train(
            adapter,
            loss,
            head,
            held_out,
            learning_rate=self.learning_rate,
            weight_decay=0.0,
            batch_size=self.batch_size,
            max_epochs=self.max_epochs,
            patience=None,
            warm_up=0.1,
            clip=1.0,
            checkpoints=self.checkpoints,
        )
        self.history_ = trained.history
        self.n_parameters_ = self.model_.parameters + sum(w.numel() for w in adapter.parameters())
        self.notes_: dict[str, Any] = {
            "weights": self.weights,
            "learned": sum(w.numel() for w in adapter.parameters()),
            **trained.notes,
        }
        return self

    @property
    def tokens_(self) -> dict[str, int]:
        """Read and written so far."""
        return {"read": self.model_.read, "written": self.model_.written}

    def prompts(self, texts: list[str]) -> list[Row]:
        return [Row(self.template_.before, text, self.template_.after) for text in texts]

    def predict_proba(self, X: list[str]) -> np.ndarray:
        """-> (n, n_classes), columns as in `classes_`."""
        return shares(self.model_.choose(self.prompts(X), [*self.classes_]))

    def answer(self, X: list[str]) -> list[Any]:
        """-> n answers: the object that was written, or the text where that is none."""
        written = self.model_.write(self.prompts(X), self.begun_, self.max_new_tokens)
        return [read_object(text) for text in written]

    def _surprise(self, questions: list[list[int]], answers: list[list[int]]) -> Tensor:
        """Mean negative log-probability of a token of the answers."""
        decoder = self.model_
        rows = [torch.tensor(q + a) for q, a in zip(questions, answers, strict=True)]
        decoder.read += sum(map(len, rows))
        ids = pad_sequence(rows, batch_first=True).to(decoder.model.device)
        states = decoder.model.base_model(ids, use_cache=False).last_hidden_state
        # A token follows from the state of the one before it.
        flat = [
            k * ids.shape[1] + len(q) - 1 + j
            for k, (q, a) in enumerate(zip(questions, answers, strict=True))
            for j in range(len(a))
        ]
        wanted = torch.tensor([token for answer in answers for token in answer], device=ids.device)
        chosen = states.flatten(0, 1).index_select(0, torch.tensor(flat, device=ids.device))
        odds = decoder.model.get_output_embeddings()(chosen)
        return functional.cross_entropy(odds.float(), wanted)


class Adapter(nn.Module):
    """What is learned: to each matrix of queries and values the product of two thin ones is added.
    The decoder around it is none of its weights, and stays as it was."""

    def __init__(self, decoder: Any, rank: int, layers: int | None) -> None:
        super().__init__()
        all_layers = decoder.config.num_hidden_layers
        config = LoraConfig(
            r=rank,
            lora_alpha=2 * rank,
            target_modules=["q_proj", "v_proj"],
            layers_to_transform=None if layers is None else [*range(all_layers)][-layers:],
        )
        inject_adapter_in_model(config, decoder)
        for name, weight in decoder.named_parameters():
            weight.requires_grad_("lora_" in name)
        self.learned = nn.ParameterList(w for w in decoder.parameters() if w.requires_grad)
        self._around = [decoder]  # in a list, so that it is no part of this module

    def train(self, mode: bool = True) -> "Adapter":
        super().train(mode)
        for decoder in self._around:
            decoder.train(mode)
        return self
