"""A decoder that reads prompts with one beginning, and chooses or writes what comes next.

What all prompts begin with (the instruction, the examples) is read once: its keys and values are
kept, and only what differs is read for each row.
"""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import DynamicCache, PreTrainedModel, PreTrainedTokenizerBase

from models.parts import precision as of_precision
from models.parts.language import cut, decoder_of, tokenizer_of


class Row(NamedTuple):
    """A prompt behind its beginning: a text, and what the template has around it."""

    before: str
    text: str
    after: str


@dataclass
class Decoder:
    """A pretrained decoder, and the tokens that it has read and written."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    batch_size: int
    max_tokens: int  # of a row's text; of a longer one its two ends
    reuse: bool = True  # of the beginning; else it is read anew with each row
    parameters: int = 0  # weights of the model, in whatever precision
    read: int = 0
    written: int = 0
    _beginning: list[int] = field(default_factory=list)
    _kept: DynamicCache | None = None

    @classmethod
    def load(
        cls,
        folder: Path,
        device: str,
        precision: str,
        batch_size: int,
        max_tokens: int,
        reuse: bool,
    ) -> "Decoder":
        """Raises ValueError for weights that are damaged or none of a decoder."""
        model = decoder_of(folder, device, of_precision.dtype_of(precision))
        parameters = model.num_parameters()
        of_precision.reduce(model, precision)
        return cls(model, tokenizer_of(folder), batch_size, max_tokens, reuse, parameters)

    @property
    def device(self) -> str:
        return str(self.model.device.type)

    def begin(self, text: str) -> None:
        """What all prompts begin with, as the template's author wrote it: marks of turns in it are
        such marks."""
        tokens = self.tokenizer(text)["input_ids"]
        if tokens and tokens[-1] == self.tokenizer.eos_token_id and text:
            tokens = tokens[:-1]
        self._beginning, self._kept = tokens, None
        if self.reuse and tokens:
            with torch.inference_mode():
                ids = torch.tensor([tokens], device=self.model.device)
                self._kept = self.model.base_model(ids, use_cache=True).past_key_values
            self.read += len(tokens)

    def tokens(self, row: Row) -> list[int]:
        """Of the row, at least one. In its text, which somebody else wrote, marks of turns and ends
        are letters like others."""
        blank = " " if row.before.endswith(" ") else ""
        before, after = row.before.removesuffix(" "), row.after.removesuffix(" ")
        found = [
            *self._template(before),
            *cut(self.of_text(blank + row.text), self.max_tokens),
            *self._template(after),
        ]
        return found or [self.tokenizer.eos_token_id]

    def _template(self, text: str) -> list[int]:
        found: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return found

    def of_text(self, text: str) -> list[int]:
        found: list[int] = self.tokenizer(
            text, add_special_tokens=False, split_special_tokens=True
        )["input_ids"]
        return found

    def text(self, tokens: list[int]) -> str:
        return str(self.tokenizer.decode(tokens, skip_special_tokens=True))

    def way(self, row: Row, answer: str) -> list[int]:
        """Tokens of an answer behind a row; none of one that has not begun: a blank alone would
        be a word of its own."""
        if not answer:
            return []
        return self.of_text(f" {answer}" if row.after.endswith(" ") else answer)

    @torch.inference_mode()
    def choose(self, rows: Sequence[Row], answers: Sequence[str]) -> np.ndarray:
        """(n, len(answers)) log-probabilities that each row goes on with each of these answers,
        given that it goes on with one of them.

        Answers are a tree of tokens. At each fork the model says which branch comes next; what it
        would have said beside them does not count. Raises ValueError for an answer that is the
        beginning of another one.
        """
        read = [self.tokens(row) for row in rows]
        found = torch.zeros(len(rows), len(answers))
        for stem, branches in forks([self.way(rows[0], answer) for answer in answers]).items():
            heads = torch.tensor([*branches], device=self.model.device)
            weights = self.model.get_output_embeddings().weight.index_select(0, heads)
            for places, states in self._states([[*tokens, *stem] for tokens in read]):
                chosen = (states @ weights.T).float().log_softmax(-1).cpu()
                for column, taken in enumerate(branches.values()):
                    for way in taken:
                        found[places, way] += chosen[:, column]
        return found.double().numpy()

    def _states(self, rows: Sequence[list[int]]) -> Iterator[tuple[list[int], Tensor]]:
        """Places of some rows, and (b, width) the state of the last token of each, from which the
        next one follows."""
        for places in alike(rows, self.batch_size):
            taken = [rows[k] if self._kept else self._beginning + rows[k] for k in places]
            self.read += sum(map(len, taken))
            # Filled up on the right: a causal model never looks there.
            ids = pad_sequence([torch.tensor(row) for row in taken], batch_first=True)
            kept = self._kept_for(len(taken))
            states = self.model.base_model(
                ids.to(self.model.device), past_key_values=kept, use_cache=kept is not None
            ).last_hidden_state
            last = torch.tensor([len(row) - 1 for row in taken], device=states.device)
            yield places, states[torch.arange(len(taken)), last]

    def _kept_for(self, rows: int) -> DynamicCache | None:
        if self._kept is None:
            return None
        kept = copy.deepcopy(self._kept)
        kept.batch_repeat_interleave(rows)
        return kept

    @torch.inference_mode()
    def write(self, rows: Sequence[Row], begun: str, most: int) -> list[str]:
        """What each row goes on with, the most probable token each time, until the text ends, its
        line ends or its object does (`}`), or there are `most` tokens.

        begun: what each answer begins with; it is in the texts.
        """
        read = [[*self.tokens(row), *self.way(row, begun)] for row in rows]
        texts = [begun] * len(rows)
        for places in alike(read, self.batch_size):
            for place, text in zip(
                places, self._written([read[k] for k in places], most), strict=True
            ):
                texts[place] += text
        return texts

    def _written(self, rows: list[list[int]], most: int) -> list[str]:
        kept = self._kept_for(len(rows))
        if kept is None:
            rows, kept = [self._beginning + row for row in rows], DynamicCache()
        self.read += sum(map(len, rows))
        # Filled up on the left, so that all go on at the same place; what fills is masked.
        ids = pad_sequence(
            [torch.tensor(row) for row in rows], batch_first=True, padding_side="left"
        )
        real = pad_sequence(
            [torch.ones(len(row), dtype=torch.long) for row in rows],
            batch_first=True,
            padding_side="left",
        )
        before = torch.ones(len(rows), kept.get_seq_length(), dtype=torch.long)
        mask = torch.cat([before, real], dim=-1).to(self.model.device)
        ids, places = ids.to(mask.device), (mask.cumsum(-1) - 1).clamp(min=0)[:, before.shape[1] :]
        found: list[list[int]] = [[] for _ in rows]
        goes_on = [True] * len(rows)
        for _ in range(most):
            states = self.model.base_model(
                ids,
                attention_mask=mask,
                position_ids=places,
                past_key_values=kept,
                use_cache=True,
            ).last_hidden_state[:, -1]
            ids = self.model.get_output_embeddings()(states).argmax(-1, keepdim=True)
            for k, token in enumerate(ids[:, 0].tolist()):
                if goes_on[k]:
                    found[k].append(token)
                    self.written += 1
                    is_end = token == self.tokenizer.eos_token_id
                    goes_on[k] = not is_end and not ended(self.text([token]))
            if not any(goes_on):
                break
            mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=-1)
            places = places[:, -1:] + 1
        return [self.text(tokens) for tokens in found]


def ended(text: str) -> bool:
    """Does an answer end with this?"""
    return "}" in text or "\n" in text


def alike(rows: Sequence[Sequence[int]], batch_size: int) -> Iterator[list[int]]:
    """Places of rows, by their length, so many at a time."""
    order = sorted(range(len(rows)), key=lambda k: len(rows[k]))
    for at in range(0, len(order), batch_size):
        yield order[at : at + batch_size]


def forks(ways: Sequence[Sequence[int]]) -> dict[tuple[int, ...], dict[int, list[int]]]:
    """Where ways part: what they have in common until then -> next token -> places of the ways that
    take it. Raises ValueError for a way that is another one's beginning, or none at all."""
    found: dict[tuple[int, ...], dict[int, list[int]]] = {}
    waiting: list[tuple[tuple[int, ...], list[int]]] = [((), [*range(len(ways))])]
    while waiting:
        stem, places = waiting.pop()
        branches: dict[int, list[int]] = {}
        for place in places:
            if len(ways[place]) == len(stem):
                raise ValueError("an answer to choose from is the beginning of another one")
            branches.setdefault(ways[place][len(stem)], []).append(place)
        if len(branches) > 1:
            found[stem] = branches
        waiting += [((*stem, token), taken) for token, taken in branches.items() if len(taken) > 1]
    return found


def shares(log_odds: np.ndarray) -> np.ndarray:
    """(n, n_classes) -> the same, rows that sum to one"""
    odds = np.exp(log_odds - log_odds.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)
