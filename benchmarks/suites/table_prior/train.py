"""Pre-trains `table_prior` on tables that never were, on one thread of a CPU.

    python -m benchmarks.suites.table_prior.train --folder build/table_prior --seconds 3600
    python -m benchmarks.suites.table_prior.train --folder build/table_prior --anneal 2000

The first goes on at one rate for as many CPU seconds as it is given; asked again, it goes on from
where it was. The second lets the rate fall to nothing over as many more steps, beside the first and
without changing it, and writes the weights that are shipped (Hägele et al. 2024, arXiv 2405.18392).
So a training is never too short to be used, nor too long to be gone on with.

    python -m benchmarks.suites.table_prior.train --folder again --steps 9000 --anneal 2000

makes the same weights from the beginning: all that a step needs beside the weights and the
optimisers' moments follows from the seed and the step's number. Killed at any moment, it loses what
came after the last checkpoint, and ends at the same bits.
"""

import argparse
import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional
from torch.optim import AdamW, Muon, Optimizer

from benchmarks.suites.table_prior.prior import draw
from models.parts import checkpoint
from models.parts.in_context import MARK, InContext

RATE = 2e-3  # the longest steps
RISE = 100  # steps until then
CELLS = 6_000  # of a step, in tables of one size: more tables if they are small
CHECKPOINT_SECONDS = 60.0
LOG_STEPS = 100  # of which a line tells the mean loss
UNSEEN = 2**31  # the seed of validation tables, and of no training


@dataclass
class Training:
    """All that a checkpoint holds."""

    seed: int
    step: int = 0  # finished ones
    seconds: float = 0.0  # of CPU, over all processes
    began: int | None = None  # the step at which the rate began to fall
    losses: list[float] = field(default_factory=list)  # the mean of each LOG_STEPS
    network: InContext = field(default_factory=InContext)

    NUMBERS = ("seed", "step", "seconds", "began", "losses")

    def __post_init__(self) -> None:
        # Matrices of the inner layers by Muon (Jordan 2024), what reads and writes by AdamW.
        inner = [w for name, w in self.network.named_parameters() if is_inner(name, w)]
        outer = [w for name, w in self.network.named_parameters() if not is_inner(name, w)]
        self.optimizers: tuple[Optimizer, ...] = (
            Muon(inner, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
            AdamW(outer, betas=(0.9, 0.98), weight_decay=0.0),
        )
        self.recent: list[float] = []  # losses since the last line

    def one_step(self, rate: float) -> None:
        X, y, known, marks = batch(np.random.default_rng([self.seed, self.step]))
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.zero_grad()
        loss = loss_of(self.network, X, y, known, marks)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
        self.step += 1
        self.recent.append(float(loss.detach()))
        if self.step % LOG_STEPS == 0:
            self.losses.append(float(np.mean(self.recent[-LOG_STEPS:])))

    def keep(self, file: Path) -> None:
        tensors = {f"weights.{k}": v for k, v in self.network.state_dict().items()}
        for which, optimizer in enumerate(self.optimizers):
            for weight, moments in optimizer.state_dict()["state"].items():
                tensors |= {f"moments.{which}.{weight}.{k}": v for k, v in moments.items()}
        tensors["recent"] = torch.tensor(self.recent[-LOG_STEPS:], dtype=torch.float64)
        checkpoint.write(file, tensors, {k: getattr(self, k) for k in self.NUMBERS})

    def restore(self, file: Path) -> None:
        """Go on from a checkpoint. Raises checkpoint.Unusable."""
        tensors, numbers = checkpoint.read(file)
        if set(numbers) != set(self.NUMBERS) or "recent" not in tensors:
            raise checkpoint.Unusable("of another kind of training")
        if numbers["seed"] != self.seed:
            raise checkpoint.Unusable(f"of another seed ({numbers['seed']})")
        vars(self).update(numbers, recent=tensors.pop("recent").tolist())
        weights = {k: v for k, v in tensors.items() if k.startswith("weights.")}
        self.network.load_state_dict({k.removeprefix("weights."): v for k, v in weights.items()})
        states: list[dict[int, dict[str, Tensor]]] = [{} for _ in self.optimizers]
        for name, value in tensors.items():
            if name.startswith("moments."):
                _, which, weight, moment = name.split(".")
                states[int(which)].setdefault(int(weight), {})[moment] = value
        for optimizer, state in zip(self.optimizers, states, strict=True):
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": state, "param_groups": groups})


def is_inner(name: str, weight: Tensor) -> bool:
    return weight.ndim == 2 and name.startswith(("refine.", "cells.", "rows.", "join."))


def batch(rng: Generator, cells: int = CELLS) -> tuple[Tensor, Tensor, int, Tensor]:
    """Tables of one size: (tables, rows, columns), (tables, rows), how many of the rows have a
    label, and marks of columns (see InContext)."""
    known = round(math.exp(rng.uniform(math.log(20), math.log(1_000))))
    asked = round(math.exp(rng.uniform(math.log(20), math.log(200))))
    rows = known + asked
    most = max(2, min(30, 20_000 // rows))
    columns = round(math.exp(rng.uniform(math.log(2), math.log(most))))
    count = max(1, round(cells / (rows * (columns + 2))))
    tables = [draw(rng, rows, columns) for _ in range(count)]
    X, y = (torch.from_numpy(np.stack(part)) for part in zip(*tables, strict=True))
    marks = rng.standard_normal((count, 1, columns, MARK), dtype=np.float32)
    return X, y, known, torch.from_numpy(marks)


def loss_of(network: InContext, X: Tensor, y: Tensor, known: int, marks: Tensor) -> Tensor:
    """Mean log loss of the rows without a label, but for those of a class that no label names."""
    labels, truth = y[:, :known], y[:, known:]
    logits = network(X[:, :known], labels, X[:, known:], marks)
    there = torch.zeros(len(y), logits.shape[-1], dtype=torch.bool).scatter_(1, labels, True)
    logits = logits.masked_fill(~there.unsqueeze(1), -1e4)
    truth = truth.masked_fill(~there.gather(1, truth), -100)
    return functional.cross_entropy(logits.flatten(0, 1), truth.flatten(), ignore_index=-100)


@torch.inference_mode()
def validate(network: InContext, count: int = 100) -> float:
    """Mean log loss on tables of the prior that no training sees."""
    made = (batch(np.random.default_rng([UNSEEN, k])) for k in range(count))
    return float(np.mean([float(loss_of(network, *one)) for one in made]))


def rates(training: Training, anneal: int | None, steps: int | None) -> Iterator[float]:
    """The rate of each step that is to come."""
    while steps is None or training.step < steps:
        yield RATE * min(1.0, (training.step + 1) / RISE)
    if anneal:
        if training.began is None:
            training.began = training.step
        while training.step < (end := training.began + anneal):
            yield RATE * (end - training.step) / anneal


def run(
    folder: Path,
    seed: int = 0,
    *,
    seconds: float = math.inf,
    steps: int | None = None,
    anneal: int | None = None,
    every: float = CHECKPOINT_SECONDS,
) -> Training:
    """Train until the steps are done or the CPU seconds of this process are spent.

    With `anneal` and no `steps` the rate begins to fall where the last training stands.
    """
    folder.mkdir(parents=True, exist_ok=True)
    steady = folder / "steady.safetensors"
    torch.manual_seed(seed)
    training = Training(seed)
    if steady.exists():
        training.restore(steady)
    if anneal and steps is None:
        steps = training.step
    falling = folder / f"annealed_from_{steps}.safetensors"
    if anneal and falling.exists():
        training.restore(falling)
    before, started, kept = training.seconds, time.process_time(), time.monotonic()
    for rate in rates(training, anneal, steps):
        training.one_step(rate)
        training.seconds = before + time.process_time() - started
        spent = training.seconds - before >= seconds
        turns = training.step == steps  # the last step before the rate falls
        if spent or turns or time.monotonic() - kept > every:
            training.keep(steady if training.began is None else falling)
            kept = time.monotonic()
        if training.step % LOG_STEPS == 0:
            log(
                folder,
                {
                    "step": training.step,
                    "loss": training.losses[-1],
                    "seconds": round(training.seconds, 1),
                    "rate": rate,
                },
            )
        if spent:
            return training
    training.keep(steady if training.began is None else falling)
    return training


def log(folder: Path, facts: dict[str, Any]) -> None:
    print(json.dumps(facts), flush=True)
    with (folder / "log.jsonl").open("a") as file:
        file.write(json.dumps(facts) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, required=True, help="of checkpoints and the log")
    parser.add_argument("--seed", type=int, default=0, help=f"below {UNSEEN}")
    parser.add_argument("--seconds", type=float, default=math.inf, help="of CPU, for this process")
    parser.add_argument("--steps", type=int, help="at the steady rate, in all")
    parser.add_argument("--anneal", type=int, help="steps over which the rate falls to nothing")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if not 0 <= given.seed < UNSEEN:
        parser.error(f"--seed {given.seed}: say one from 0 to {UNSEEN - 1}")
    try:
        training = run(
            given.folder, given.seed, seconds=given.seconds, steps=given.steps, anneal=given.anneal
        )
    except checkpoint.Unusable as error:
        parser.error(f"the checkpoint in {given.folder} is {error}")
    training.network.eval()
    facts = {
        "step": training.step,
        "seconds": training.seconds,
        "validation": validate(training.network),
    }
    log(given.folder, facts)
    if training.began is not None:
        # Half the precision is enough, and half the size.
        weights = {name: weight.half() for name, weight in training.network.state_dict().items()}
        save_file(weights, given.folder / "table_prior.safetensors")


if __name__ == "__main__":
    main()
