"""A transformer that reads a whole table with its labels, and answers for rows without one.

You do: hand over rows with labels, and rows that want one.
It does: describes each cell beside the labelled rows of like value, turns a row's cells into one
vector, and lets rows without a label attend to those with one.
Pays in: a pass over all rows for every table; nothing is learned but by who trained it.

Weights are the same for all tables: columns come in any order and number, classes are up to ten.
The idea is TabPFN's (Hollmann et al. 2023, arXiv 2207.01848); that cells become rows, which then
attend to each other, is TabICL's (Qu et al. 2025, arXiv 2502.05564). What differs from both is
`like`: the shares of the classes among labelled rows of like value are found by a fixed kernel,
not by layers that would have to learn to look first (docs/adr/0026-table-prior.md).
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, cast

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn import functional

CLASSES = 10
MARK = 16  # random numbers by which a row's cells can tell their columns apart
WIDTHS = (0.02, 0.12)  # of the kernel: shares of the labelled rows
AT_ONCE = 2**22  # pairs of cells that are compared at a time
WAVES = (0.5, 1.0, 2.0)
CELL = 3 + 2 * len(WAVES) + len(WIDTHS) * (CLASSES + 1)  # numbers that describe a cell


class Memory(NamedTuple):
    """What is kept of labelled rows: all that others are answered from."""

    mean: Tensor  # (tables, 1, columns)
    spread: Tensor  # (tables, 1, columns)
    order: Tensor  # (tables, columns, rows): values in order, gaps as infinity
    known: Tensor  # (tables, columns, 1): how many are no gaps
    ranks: Tensor  # (tables, columns, rows)
    labels: Tensor  # (tables, rows, CLASSES): one for the class, else nought
    marks: Tensor  # (tables, 1, columns, MARK)
    keys: list[tuple[Tensor, Tensor]]  # of each layer, (tables, heads, rows, width of a head) twice


class InContext(nn.Module):
    def __init__(
        self,
        cell: int = 64,
        cell_layers: int = 2,
        summaries: int = 2,
        width: int = 128,
        layers: int = 4,
        heads: int = 4,
    ) -> None:
        super().__init__()
        self.summaries = nn.Parameter(0.5 * torch.randn(summaries, cell))
        self.describe = nn.Linear(CELL, cell)
        self.mark = nn.Linear(MARK, cell, bias=False)
        self.refine = Feed(cell)
        self.cells = nn.ModuleList(Layer(cell, heads) for _ in range(cell_layers))
        self.join = nn.Sequential(
            nn.LayerNorm(summaries * cell), nn.Linear(summaries * cell, width, bias=False)
        )
        self.label = nn.Linear(CLASSES, width, bias=False)
        self.rows = nn.ModuleList(Layer(width, heads, scaled=True) for _ in range(layers))
        self.answers = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 2 * width),
            nn.GELU(),
            nn.Linear(2 * width, CLASSES),
        )

    def forward(self, X: Tensor, y: Tensor, asked: Tensor, marks: Tensor) -> Tensor:
        """Tables side by side, all of one size.

        X: (tables, rows, columns) with NaN; y: (tables, rows) int64 below CLASSES; asked: (tables,
        n, columns); marks: (tables, 1, columns, MARK) normal numbers -> (tables, n, CLASSES) logits
        """
        return self.answer(self.remember(X, y, marks), asked)

    def remember(self, X: Tensor, y: Tensor, marks: Tensor) -> Memory:
        """Labelled rows -> what others are answered from."""
        mean = X.nanmean(1, keepdim=True).nan_to_num(0)
        spread = (X - mean).square().nanmean(1, keepdim=True).nan_to_num(0).sqrt()
        order = X.nan_to_num(math.inf).sort(1).values.transpose(1, 2).contiguous()
        known = (~X.isnan()).sum(1).unsqueeze(-1)
        labels = functional.one_hot(y, CLASSES).float()
        memory = Memory(mean, spread, order, known, order, labels, marks, [])
        memory = memory._replace(ranks=places(memory, X)[1])
        row = self._row(memory, X, own=True) + self.label(labels)
        for layer in typed(self.rows):
            keys = layer.keys(row)
            memory.keys.append(keys)
            if layer is not self.rows[-1]:
                row = layer(row, keys)
        return memory

    def answer(self, memory: Memory, X: Tensor) -> Tensor:
        """(tables, n, columns) -> (tables, n, CLASSES) logits"""
        row = self._row(memory, X)
        for layer, keys in zip(self.rows, memory.keys, strict=True):
            row = layer(row, keys)
        return self.answers(row)

    def _row(self, memory: Memory, X: Tensor, own: bool = False) -> Tensor:
        """(tables, n, columns) -> (tables, n, width). own: these are the labelled rows."""
        tables, n, _ = X.shape
        x = self.describe(described(memory, X, own)) + self.mark(memory.marks)
        x = self.refine(x).flatten(0, 1)
        x = torch.cat([self.summaries.expand(len(x), -1, -1), x], dim=1)
        for layer in typed(self.cells):
            # The last one needs no more than the summaries.
            ask = x[:, : len(self.summaries)] if layer is self.cells[-1] else x
            x = layer(ask, layer.keys(x))
        return self.join(x.reshape(tables, n, -1))


class Layer(nn.Module):
    """Attention to keys, and a feed-forward part, both added to what was there."""

    def __init__(self, width: int, heads: int, scaled: bool = False) -> None:
        super().__init__()
        self.heads, self.scaled = heads, scaled
        self.norm = nn.LayerNorm(width)
        self.ask = nn.Linear(width, width, bias=False)
        self.offer = nn.Linear(width, 2 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.feed = Feed(width)
        nn.init.zeros_(self.out.weight)

    def keys(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, n, width) -> keys and values, (batch, heads, n, width of a head) each"""
        keys, values = self.offer(self.norm(x)).chunk(2, dim=-1)
        return self._parted(keys), self._parted(values)

    def forward(self, x: Tensor, keys: tuple[Tensor, Tensor]) -> Tensor:
        """(batch, n, width) -> the same"""
        ask = self._parted(self.ask(self.norm(x)))
        if self.scaled:
            # Among more rows attention would be spread thinner (Nakanishi 2025, arXiv 2501.19399).
            ask = ask * (math.log(keys[0].shape[2] + 1) / 5)
        seen = functional.scaled_dot_product_attention(ask, *keys)
        return self.feed(x + self.out(seen.transpose(1, 2).flatten(2)))

    def _parted(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def typed(kept: nn.ModuleList) -> Iterator[Layer]:
    """Of their own type, which a ModuleList forgets."""
    return cast(Iterator[Layer], iter(kept))


class Feed(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.into = nn.Linear(width, 2 * width)
        self.out = nn.Linear(2 * width, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.out(functional.gelu(self.into(self.norm(x))))


@torch.no_grad()  # nothing is learned here
def described(memory: Memory, X: Tensor, own: bool) -> Tensor:
    """(tables, n, columns) -> (tables, n, columns, CELL): size, rank, whether it is missing, the
    rank's waves, and what labelled rows of like value say"""
    missing = X.isnan()
    size, ranks = places(memory, X)
    rank = ranks.transpose(1, 2).masked_fill(missing, 0)
    angle = rank.unsqueeze(-1) * (math.pi * torch.tensor(WAVES, device=X.device))
    waves = torch.cat([angle.sin(), angle.cos()], dim=-1).masked_fill(missing.unsqueeze(-1), 0)
    plain = torch.stack([size, rank, missing.float()], dim=-1)
    return torch.cat([plain, waves, like(memory, ranks, own)], dim=-1)


def places(memory: Memory, X: Tensor) -> tuple[Tensor, Tensor]:
    """(tables, n, columns) -> size in standard deviations, large ones less so, (tables, n,
    columns); rank among labelled rows from -1 to 1, a gap's far off, (tables, columns, n)"""
    missing = X.isnan()
    size = (X - memory.mean) / (memory.spread + 1e-6 * memory.mean.abs() + 1e-30)
    size = 3 * torch.asinh(size.masked_fill(missing, 0).clamp(-1e6, 1e6) / 3).clamp(-5, 5)
    values = X.nan_to_num(0).transpose(1, 2).contiguous()
    below = torch.searchsorted(memory.order, values)
    up_to = torch.searchsorted(memory.order, values, right=True).minimum(memory.known)
    rank = (below + up_to) / memory.known.clamp_min(1) - 1
    return size, rank.clamp(-1, 1).masked_fill(missing.transpose(1, 2), 100)


def like(memory: Memory, ranks: Tensor, own: bool) -> Tensor:
    """(tables, columns, n) ranks -> (tables, n, columns, len(WIDTHS) * (CLASSES + 1)): for each
    width how much more frequent than usual a class is among labelled rows of like rank, as a log,
    and how many such rows there are. own: a row's own label is left out."""
    usual = memory.labels.mean(1, keepdim=True).unsqueeze(1)  # (tables, 1, 1, classes)
    tables, columns, n = ranks.shape
    told = ranks.new_empty(tables, columns, n, len(WIDTHS), CLASSES + 1)
    step = max(1, AT_ONCE // (tables * columns * memory.ranks.shape[-1]))
    for start in range(0, n, step):
        stop = min(n, start + step)
        apart = (ranks[:, :, start:stop, None] - memory.ranks[:, :, None, :]).abs()
        if own:
            apart.diagonal(start, 2, 3).fill_(math.inf)
        for k, width in enumerate(WIDTHS):
            near = torch.exp(apart / (-2 * width))
            count = near.sum(-1, keepdim=True)
            share = (near @ memory.labels.unsqueeze(1) + usual) / (count + 1)
            told[:, :, start:stop, k, :-1] = ((share + 1e-3) / (usual + 1e-3)).log()
            told[:, :, start:stop, k, -1:] = count.log1p() / 4 - 1
    return told.flatten(3).transpose(1, 2)


def restored(file: Path) -> InContext:
    """The network as a file of safetensors has it. Raises ValueError of one sentence."""
    network = InContext()
    try:
        with safe_open(file, "pt") as opened:
            weights = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - no dict
    except (OSError, SafetensorError) as error:
        why = "is missing" if isinstance(error, FileNotFoundError) else "is damaged"
        raise ValueError(f"{file}: the file of weights {why}") from None
    shapes = {name: value.shape for name, value in network.state_dict().items()}
    if {name: value.shape for name, value in weights.items()} != shapes:
        raise ValueError(f"{file}: its weights are of another architecture than InContext")
    network.load_state_dict(weights)
    return network.eval()
