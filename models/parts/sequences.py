"""How rows with a past become tensors, for networks that read a past event by event.

A Reader learns from train rows what there is (levels, words, quantiles) and turns histories
(tasks/histories.py) into Sequences: tokens with weights, and which events each row looks back on.
An Embedding turns tokens into the vectors that a network reckons with.
"""

import re
from collections import Counter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

QUANTILES = 9  # of a number, between which it is told how near it is to each
MOST_WORDS = 24  # of a text, the first ones
# Of sines and cosines that tell the moment, in seconds: of a day, and of a week.
PERIODS = np.array([86_400 / 1, 86_400 / 2, 86_400 / 3, 86_400 / 4, 604_800 / 1, 604_800 / 2])
KIND = {"i": torch.int64, "f": torch.float32}


class Bags(NamedTuple):
    """Rows as tokens, each with a weight; a weight of 0 where there is none."""

    tokens: Tensor  # (..., width) int32
    weights: Tensor  # (..., width) float32

    def take(self, at: Tensor) -> "Bags":
        return Bags(self.tokens[at], self.weights[at])


class Sequences(NamedTuple):
    """n rows, and the s stretches of events that they look back on: rows of one stretch share all
    that is reckoned of it, and each sees no more than what comes before its place."""

    row: Bags  # (n, ...) what rows and events have in common
    context: Bags  # (n, ...) what rows alone have, where it changes from row to row
    attributes: Bags  # (s, ...) the rest of it
    event: Bags  # (m, ...)
    outcome: Bags  # (m, ...) what events alone have
    first: Tensor  # (s,) where a stretch begins
    length: Tensor  # (s,)
    gap: Tensor  # (m,) float32, hours since the event before
    rows: Tensor  # (n,) rows, stretch by stretch
    bounds: Tensor  # (s + 1,) where in `rows` those of each begin
    place: Tensor  # (n,) how many events of its stretch a row sees
    since: Tensor  # (n,) float32, hours since the last of them

    def batch(self, s: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """s: (b,) stretches -> (r,) their rows; (r,) which of the b each belongs to; (b, t) their
        events, and whether these are there."""
        counts = self.bounds[s + 1] - self.bounds[s]
        owner = torch.arange(len(s), device=s.device).repeat_interleave(counts)
        begin = self.bounds[s] - counts.cumsum(0) + counts
        rows = self.rows[begin[owner] + torch.arange(len(owner), device=s.device)]
        step = torch.arange(int(self.length[s].max()), device=s.device)
        real = step < self.length[s, None]
        return rows, owner, (self.first[s, None] + step).where(real, 0), real


class Reader:
    """Histories -> sequences. Learns levels, words and quantiles of the train rows."""

    def __init__(self, X: Any, most_events: int) -> None:
        self.half = most_events // 2
        entity = X.now.groupby(X.start)
        shared = [c for c in X.now if c in X.events]
        own = [c for c in X.now if c not in X.events]
        fixed = [c for c in own if entity[c].nunique(dropna=False).max() == 1]
        both = pd.concat([X.now[shared], X.events[shared]], ignore_index=True)
        self.event = Columns(both, has_clock=True)
        self.attributes = Columns(X.now[fixed])
        self.context = Columns(X.now[[c for c in own if c not in fixed]])
        came = X.events[[c for c in X.events if c not in X.now]]
        self.outcome = Columns(came, has_gaps=False)  # what is not known is no surprise

    def __call__(self, X: Any, device: str) -> Sequences:
        # Of a long past the latest half to whole of `most_events`, from a place that depends on
        # nothing but the past itself.
        skipped = np.maximum(0, -(-(X.stop - X.start) // self.half) - 2) * self.half
        first = X.start + skipped
        place = X.stop - first
        # Rows that begin at one place and have the same attributes share a stretch.
        known = X.now[list(self.attributes.known)].assign(**{"(first)": first})
        alike = pd.util.hash_pandas_object(known, index=False).to_numpy()
        _, one, owner = np.unique(alike, return_index=True, return_inverse=True)
        length = np.zeros(len(one), np.int64)
        np.maximum.at(length, owner, place)
        bounds = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(one)))])
        since, has_past = np.zeros(len(X)), place > 0
        since[has_past] = (X.moment[has_past] - X.event_moment[X.stop[has_past] - 1]).clip(0)
        gap = np.diff(X.event_moment, prepend=X.event_moment[:1]).clip(0)
        numbers = {
            "first": first[one],
            "length": length,
            "gap": gap / 3600,
            "rows": np.argsort(owner, kind="stable"),
            "bounds": bounds,
            "place": place,
            "since": since / 3600,
        }
        return Sequences(
            row=self.event(X.now, device, X.moment),
            context=self.context(X.now, device),
            attributes=self.attributes(X.now.iloc[one], device),
            event=self.event(X.events, device, X.event_moment),
            outcome=self.outcome(X.events, device),
            **{
                name: torch.tensor(values, dtype=KIND[values.dtype.kind], device=device)
                for name, values in numbers.items()
            },
        )


class Columns:
    """Table -> bags. Each column has tokens of its own, the first of them for what is missing."""

    def __init__(self, table: pd.DataFrame, has_clock: bool = False, has_gaps: bool = True) -> None:
        self.known: dict[Any, tuple[int, Words | Levels | Numbers, bool]] = {}
        self.size = 1  # tokens; the first stands for nothing
        for name, column in table.items():
            kind: Any = Numbers
            if column.dtype == "category":
                kind = Levels
            elif pd.api.types.is_string_dtype(column):
                kind = Words
            read = kind(column)
            self.known[name] = self.size, read, has_gaps and bool(column.isna().any())
            self.size += 1 + read.size
        self.clock = self.size
        self.size += 2 * len(PERIODS) * has_clock

    def __call__(self, table: pd.DataFrame, device: str, moment: np.ndarray | None = None) -> Bags:
        tokens: list[np.ndarray] = [np.zeros((len(table), 1), np.int32)]
        weights: list[np.ndarray] = [np.zeros((len(table), 1), np.float32)]
        for name, (first, read, has_gaps) in self.known.items():
            place, weight, missing = read(table[name])
            place[missing] = 0
            weight = weight.astype(np.float32)
            weight[missing, 0] = has_gaps  # a gap tells something only where there were gaps
            tokens.append(first + place)
            weights.append(weight)
        if moment is not None:  # the hour and the day of the week, whatever the table says of them
            angle = 2 * np.pi * moment[:, None] / PERIODS
            weights.append(np.concatenate([np.sin(angle), np.cos(angle)], axis=1))
            tokens.append(np.broadcast_to(np.arange(self.clock, self.size), weights[-1].shape))
        return Bags(
            torch.tensor(np.concatenate(tokens, axis=1), dtype=torch.int32, device=device),
            torch.tensor(np.concatenate(weights, axis=1), dtype=torch.float32, device=device),
        )


# What a column is read by: column -> (n, w) tokens from 1 on, (n, w) weights, (n,) what is missing.
Read = tuple[np.ndarray, np.ndarray, np.ndarray]


class Levels:
    """A level is a token; one that was never seen weighs nothing."""

    def __init__(self, column: pd.Series) -> None:
        self.levels = column.cat.remove_unused_categories().cat.categories
        self.size = len(self.levels)

    def __call__(self, column: pd.Series) -> Read:
        place = self.levels.get_indexer(pd.Index(column.astype(object)))[:, None] + 1
        return place, place > 0, column.isna().to_numpy(bool)


class Words:
    """A word, or a sign, is a token if two of the train texts have it."""

    def __init__(self, column: pd.Series) -> None:
        counts = Counter(w for text in column.dropna() for w in set(self.split(text)))
        known = sorted(w for w in counts if counts[w] > 1)
        self.place = {w: k for k, w in enumerate(known, 1)}
        self.size = len(self.place)

    def __call__(self, column: pd.Series) -> Read:
        codes, texts = pd.factorize(column)
        bags = np.zeros((len(texts) + 1, MOST_WORDS), np.int32)  # the last one of what is missing
        for bag, text in zip(bags, texts, strict=False):
            found = [self.place[w] for w in self.split(text) if w in self.place][:MOST_WORDS]
            bag[: len(found)] = found
        place: np.ndarray = bags[codes]
        return place, place > 0, column.isna().to_numpy(bool)

    @staticmethod
    def split(text: str) -> list[str]:
        return re.findall(r"\w+|[^\w\s]", text.lower())


class Numbers:
    """A number is three tokens: the two nearest quantiles, whose weights say how near (piecewise
    linear, arXiv 2203.05556), and itself, scaled."""

    def __init__(self, column: pd.Series) -> None:
        values = floats(column)
        values = values[~np.isnan(values)]
        if not len(values):
            values = np.zeros(1)
        self.quantiles = np.unique(np.quantile(values, np.linspace(0, 1, QUANTILES)))
        self.mean, self.spread = values.mean(), values.std() or 1.0
        self.size = len(self.quantiles) + 1

    def __call__(self, column: pd.Series) -> Read:
        values, count = floats(column), len(self.quantiles)
        missing = np.isnan(values)
        at = np.nan_to_num(np.interp(values, self.quantiles, np.arange(1, count + 1)))
        scaled = np.nan_to_num(((values - self.mean) / self.spread).clip(-4, 4))
        place = np.stack([np.floor(at), np.ceil(at), np.full(len(at), count + 1)], axis=1)
        weight = np.stack([1 - at % 1, at % 1, scaled], axis=1) * ~missing[:, None]
        return place.astype(np.int32), weight, missing


def floats(column: pd.Series) -> np.ndarray:
    """(n,) float64, NaN where it is no finite number. Raises ValueError."""
    if column.dtype.kind in "mMc":
        raise ValueError(
            f"column {column.name!r} holds {column.dtype}: numbers, truth values, categories and "
            "texts can be read"
        )
    try:
        values = column.astype(float).to_numpy(float, na_value=np.nan)
    except ValueError as error:
        raise ValueError(f"column {column.name!r} should hold numbers: {error}") from None
    return np.where(np.isfinite(values), values, np.nan)


class Embedding(nn.Module):
    """Bags -> (..., outputs): the sum of what stands for their tokens."""

    def __init__(self, columns: Columns, outputs: int) -> None:
        super().__init__()
        self.table = nn.Parameter(0.1 * torch.randn(columns.size, outputs))

    def forward(self, bags: Bags) -> Tensor:
        found = functional.embedding_bag(
            bags.tokens.flatten(0, -2),
            self.table,
            per_sample_weights=bags.weights.flatten(0, -2),
            mode="sum",
        )
        return found.view(*bags.tokens.shape[:-1], self.table.shape[1])


@torch.inference_mode()
def answers(module: nn.Module, made: Any) -> Tensor:
    """(n, outputs) of a module that answers stretches with their rows, 256 stretches at a time."""
    module.eval()
    parts = [module(made, s) for s in made.length.argsort(stable=True).split(256)]
    rows, found = (torch.cat(part) for part in zip(*parts, strict=True))
    return found[rows.argsort()]


def surprise_of_weights(
    module: nn.Module, outputs: int, effects: float, embeddings: float, layers: float
) -> Tensor:
    """Minus the logarithm of a normal prior, up to a constant. The precisions are those of effects
    by themselves, which are the first `outputs` columns of a table, of its others, and of matrices
    in layers."""
    total = torch.zeros((), device=next(module.parameters()).device)
    for name, weight in module.named_parameters():
        if name.endswith("table"):
            by_itself, embedding = (weight**2).tensor_split([outputs], dim=1)
            total = total + effects * by_itself.sum()
            total = total + embeddings * embedding.sum()
        else:
            total = total + layers * (weight**2).sum() * (weight.dim() > 1)
    return total / 2


def clock(hours: Tensor) -> Tensor:
    """How long something is over: (...) -> (..., 2)."""
    return torch.stack([hours.log1p() / 4, torch.exp(-hours / 24)], dim=-1)
