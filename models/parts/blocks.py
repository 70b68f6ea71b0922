"""Rows for a training by small batches, in memory or on disk.

Rows on disk (pieces.py) are read a few blocks at a time, whose rows are shuffled together: so a
batch is of many places, and a pass over the rows reads each block once.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import torch
from torch import Tensor

MIXED = 4  # blocks whose rows are shuffled together
Encode = Callable[[pd.DataFrame], tuple[Tensor, ...]]


def encoded(X: Any, encode: Encode) -> Any:
    """The rows as tensors, in memory or on disk. encode: a frame -> tensors of as many rows."""
    return InMemory(X, encode) if isinstance(X, pd.DataFrame) else Shuffled(X, encode)


def mean_loss(
    rows: Any, target: Tensor, loss: Callable[[tuple[Tensor, ...], Tensor], Tensor]
) -> Tensor:
    """Of all rows, a piece at a time where they lie on disk."""
    losses, counts = [], []
    for start, piece in rows.pieces():
        counts.append(len(piece[0]))
        losses.append(loss(piece, target[start : start + counts[-1]]))
    if len(losses) == 1:
        return losses[0]
    weights = torch.tensor(counts, device=losses[0].device) / sum(counts)
    return (torch.stack(losses) * weights).sum()


class InMemory:
    """All rows at hand, in whatever order a training takes them."""

    order = None

    def __init__(self, X: pd.DataFrame, encode: Encode) -> None:
        self.rows = encode(X)

    def take(self, places: Tensor) -> tuple[Tensor, ...]:
        """These rows, (b,) places -> tensors"""
        return tuple(rows.index_select(0, places) for rows in self.rows)

    def pieces(self) -> Iterator[tuple[int, tuple[Tensor, ...]]]:
        """(place of the first, tensors) of rows in order."""
        yield 0, self.rows


class Shuffled:
    """Rows on disk, in an order that reads few blocks at a time."""

    def __init__(self, X: Any, encode: Encode) -> None:
        self.X, self.encode = X, encode
        self.blocks = torch.tensor(X.blocks())  # (blocks, 2)
        self.starts = self.blocks[:, 0].contiguous()
        self.read: dict[int, tuple[Tensor, ...]] = {}

    def order(self) -> Tensor:
        """(n,) places: the blocks by chance, and the rows of a few of them by chance."""
        mixed = self.blocks[torch.randperm(len(self.blocks))].split(MIXED)
        rows = [torch.cat([torch.arange(a, b) for a, b in few.tolist()]) for few in mixed]
        return torch.cat([places[torch.randperm(len(places))] for places in rows])

    def take(self, places: Tensor) -> tuple[Tensor, ...]:
        """These rows, (b,) places -> tensors; the blocks that they are not of are forgotten."""
        at = places.cpu()
        block = torch.searchsorted(self.starts, at, right=True) - 1
        wanted = block.unique().tolist()
        if len(self.read) + len(wanted) > 2 * MIXED:
            self.read = {k: rows for k, rows in self.read.items() if k in wanted}
        parts, found = [], []
        for k in wanted:
            if k not in self.read:
                start, stop = self.blocks[k].tolist()
                self.read[k] = self.encode(self.X.frame(start, stop))
            mine = (block == k).nonzero()[:, 0]
            inside = (at[mine] - self.starts[k]).to(self.read[k][0].device)
            parts.append([rows.index_select(0, inside) for rows in self.read[k]])
            found.append(mine)
        back = torch.cat(found).argsort().to(places.device)
        return tuple(torch.cat(same).index_select(0, back) for same in zip(*parts, strict=True))

    def pieces(self) -> Iterator[tuple[int, tuple[Tensor, ...]]]:
        """(place of the first, tensors) of rows in order."""
        start = 0
        for piece in self.X.pieces():
            yield start, self.encode(piece)
            start += len(piece)
