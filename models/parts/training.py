"""The training loop of all networks: small batches, a rate that rises and falls, an early stop.

You do: say how long the steps are, how many rows each looks at, and how often all are seen.
It does: follows the gradient, keeps the best weights, and leaves checkpoints on the way.
Pays in: passes over the data.

A fit that is killed goes on from its last checkpoint (checkpoint.py) as if nothing had happened: on
a CPU its weights are the same bit for bit.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW

from models.parts import checkpoint

CHECKPOINT_SECONDS = 10.0  # between two checkpoints
MOMENTS = ("exp_avg", "exp_avg_sq", "step")  # what AdamW keeps of each weight
PROGRESS_SECONDS = 2.0  # between two lines that say how far it is
PROGRESS_SHARE = 0.02  # of the time since the beginning, at least: of a long training fewer lines
UNSEEN, SEEN = "loss on held-out rows", "loss on train rows"


@dataclass
class Trained:
    """What a training tells, beside the weights that it left in the module."""

    history: dict[str, list[float]]  # loss on held-out and on train rows, a number for each epoch
    best_epoch: int  # counted from 1: the one whose weights the module has
    unfinished: str | None  # why it might have gone on with profit
    notes: dict[str, Any]


def train(
    module: nn.Module,
    loss: Callable[[Tensor], Tensor],
    rows: int,
    held_out: Callable[[], Tensor],
    *,
    learning_rate: float,
    weight_decay: float,
    batch_size: int,
    max_epochs: int,
    patience: int | None,
    warm_up: float = 0.3,
    clip: float | None = None,
    checkpoints: str | None = None,
    precision: str = "auto",
    order: Callable[[], Tensor] | None = None,
) -> Trained:
    """Fit the weights of a module and leave the best ones in it.

    loss: (b,) int64 places below `rows`, on the module's device -> mean loss of these rows. (Rows
    are taken fastest with `index_select`: three times as fast on a CPU as with brackets.)
    held_out: -> mean loss of rows that no step sees, asked for after each epoch.
    learning_rate: of the longest steps; it rises over the first `warm_up` of all steps, then falls
    to nothing (Smith and Topin 2017, arXiv 1708.07120). weight_decay: see AdamW.
    patience: epochs without progress on held-out rows before it stops; None: it goes to the end and
    keeps the last weights. clip: largest norm of a gradient. checkpoints: a folder.
    precision: `float32`, `bfloat16` wherever torch thinks it safe, or `auto`: the latter on CUDA.
    order: -> (rows,) places in the order of an epoch, where any order would not do.

    Batches and dropout follow torch's random numbers: set their seed before the module is built.
    Raises FloatingPointError if the loss is no number.
    """
    device = next(module.parameters()).device
    epoch_steps = -(-rows // batch_size)
    steps = max_epochs * epoch_steps
    optimizer = AdamW(module.parameters(), weight_decay=weight_decay, fused=True)
    mixed = torch.autocast(
        device.type,
        torch.bfloat16,
        enabled=precision == "bfloat16" or (precision == "auto" and device.type == "cuda"),
    )
    state = State(plan=[rows, batch_size, max_epochs], sum=torch.zeros((), device=device))
    keeper = Keeper(checkpoints, module, optimizer, state)
    notes = keeper.resume()
    progress = Progress(state, epoch_steps, max_epochs)

    while state.epoch < max_epochs:
        places_by_chance = state.order(order or partial(torch.randperm, rows))
        batches = places_by_chance.to(device).split(batch_size)
        module.train()
        for places in batches[state.step :]:
            k = state.epoch * epoch_steps + state.step
            for group in optimizer.param_groups:
                rising = (k + 1) / max(1, warm_up * steps)
                falling = (steps - k) / max(1, (1 - warm_up) * steps)
                group["lr"] = learning_rate * min(rising, falling)
            with mixed:
                mean = loss(places)
            optimizer.zero_grad()
            mean.backward()
            if clip is not None:
                nn.utils.clip_grad_norm_(module.parameters(), clip)
            optimizer.step()
            state.sum += mean.detach()
            state.step += 1
            progress.tell()
            if state.step < epoch_steps:
                keeper.keep()
        module.eval()
        with torch.inference_mode(), mixed:
            unseen = float(held_out())
        state.finish(unseen, float(state.sum) / epoch_steps)
        if state.best_epoch == state.epoch and patience is not None:
            state.best = {k: v.clone() for k, v in module.state_dict().items()}
        if patience is not None and state.epoch - state.best_epoch >= patience:
            break
        keeper.keep()

    if patience is None:
        state.best_epoch = state.epoch
    else:
        module.load_state_dict(state.best)
    module.eval()  # also where the checkpoint was that of the last epoch, and no step was left
    goes_on = patience is not None and state.best_epoch == max_epochs
    return Trained(
        state.history,
        state.best_epoch,
        f"the last of {max_epochs} epochs still helped" if goes_on else None,
        {"best_epoch": state.best_epoch, "device": device.type, **notes},
    )


@dataclass
class State:
    """How far a training has come. With the weights, the optimiser's moments and torch's random
    numbers that is all there is to it, and all that a checkpoint holds."""

    plan: list[int]  # rows, batch_size and max_epochs: of another plan nothing can be taken over
    sum: Tensor  # of the losses of this epoch's steps
    epoch: int = 0  # finished ones
    step: int = 0  # finished ones of the epoch that goes on
    best_loss: float = math.inf
    best_epoch: int = 0
    history: dict[str, list[float]] = field(default_factory=lambda: {UNSEEN: [], SEEN: []})
    best: dict[str, Tensor] = field(default_factory=dict)  # weights of the best epoch
    began: Tensor = field(default_factory=torch.get_rng_state)  # torch's, when the epoch began

    def order(self, drawn: Callable[[], Tensor]) -> Tensor:
        """(rows,) the order of this epoch: the same again where it goes on in its middle."""
        now = torch.get_rng_state()
        if self.step == 0:
            self.began = now
            return drawn()
        torch.set_rng_state(self.began)
        order = drawn()
        torch.set_rng_state(now)
        return order

    def finish(self, unseen: float, seen: float) -> None:
        """Close an epoch. Raises FloatingPointError if its losses are no numbers."""
        if not (math.isfinite(unseen) and math.isfinite(seen)):
            raise FloatingPointError(
                f"training went astray: in epoch {self.epoch + 1} the loss on train rows is "
                f"{seen:g}, on held-out rows {unseen:g}; a smaller learning_rate may help"
            )
        self.epoch, self.step = self.epoch + 1, 0
        self.sum.zero_()
        self.history[UNSEEN].append(unseen)
        self.history[SEEN].append(seen)
        if unseen < self.best_loss:
            self.best_loss, self.best_epoch = unseen, self.epoch


class Keeper:
    """Leaves a checkpoint now and then, and finds the last one; without a folder neither."""

    NUMBERS = ("plan", "epoch", "step", "best_loss", "best_epoch", "history")

    def __init__(
        self, folder: str | None, module: nn.Module, optimizer: AdamW, state: State
    ) -> None:
        self.file = Path(folder) / "training.safetensors" if folder else None
        self.module, self.optimizer, self.state = module, optimizer, state
        self.kept = time.monotonic()

    def keep(self) -> None:
        """A disk that takes no checkpoint ends no training."""
        if self.file is None or time.monotonic() - self.kept < CHECKPOINT_SECONDS:
            return
        state = self.state
        tensors = {"sum": state.sum, "began": state.began, "random.cpu": torch.get_rng_state()}
        if state.sum.is_cuda:
            tensors["random.cuda"] = torch.cuda.get_rng_state(state.sum.device)
        tensors |= {f"weights.{k}": v for k, v in self.module.state_dict().items()}
        tensors |= {f"best.{k}": v for k, v in state.best.items()}
        for weight, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {f"moments.{weight}.{k}": v for k, v in moments.items()}
        try:
            checkpoint.write(self.file, tensors, {k: getattr(state, k) for k in self.NUMBERS})
        except OSError as error:
            print(f"no checkpoint was kept: {error}", flush=True)
        self.kept = time.monotonic()

    def resume(self) -> dict[str, str]:
        """Go on from the last checkpoint; what is to be noted. Of one that cannot be used the note
        says why, and the training begins anew."""
        if self.file is None or not self.file.exists():
            return {}
        try:
            tensors, numbers = checkpoint.read(self.file)
            self.restore(tensors, numbers)
        except (checkpoint.Unusable, KeyError) as error:
            return {"checkpoint": f"begun anew, the last one is {error}"}
        return {"checkpoint": f"gone on from epoch {self.state.epoch + 1}, step {self.state.step}"}

    def restore(self, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
        """Take a checkpoint over, all of it or nothing. Raises Unusable, and KeyError."""
        weights, best = within(tensors, "weights."), within(tensors, "best.")
        shapes = {k: v.shape for k, v in self.module.state_dict().items()}
        if {k: v.shape for k, v in weights.items()} != shapes:
            raise checkpoint.Unusable("of another architecture")
        if numbers["plan"] != self.state.plan:
            raise checkpoint.Unusable("of other rows or settings")
        device = self.state.sum.device
        new = {k: numbers[k] for k in self.NUMBERS}
        new |= {"began": tensors["began"], "sum": tensors["sum"].to(device)}
        random = tensors["random.cpu"]
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in within(tensors, "moments.").items():
            weight, _, moment = name.partition(".")
            moments.setdefault(int(weight), {})[moment] = value
        is_whole = not best or best.keys() == weights.keys()
        kinds = {tuple(sorted(kept)) for kept in moments.values()}
        if not is_whole or kinds != {MOMENTS} or len(moments) != len([*self.module.parameters()]):
            raise checkpoint.Unusable("damaged (tensors are missing)")
        self.module.load_state_dict(weights)
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        vars(self.state).update(new, best={k: v.to(device) for k, v in best.items()})
        torch.set_rng_state(random)
        if "random.cuda" in tensors and device.type == "cuda":
            torch.cuda.set_rng_state(tensors["random.cuda"], device)


def within(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


@dataclass
class Progress:
    """A line now and then on how far a training is."""

    state: State
    epoch_steps: int
    max_epochs: int

    def __post_init__(self) -> None:
        self.began = self.told = time.monotonic()
        self.first = self.done

    @property
    def done(self) -> int:
        return self.state.epoch * self.epoch_steps + self.state.step

    def tell(self) -> None:
        now, state = time.monotonic(), self.state
        if now - self.told < max(PROGRESS_SECONDS, PROGRESS_SHARE * (now - self.began)):
            return
        self.told = now
        pace = (now - self.began) / (self.done - self.first)
        left = pace * (self.max_epochs * self.epoch_steps - self.done)
        unseen = f", {state.history[UNSEEN][-1]:.4f} held out" if state.epoch else ""
        print(
            f"epoch {state.epoch + 1} of {self.max_epochs}, step {state.step} of "
            f"{self.epoch_steps}: loss {float(state.sum) / state.step:.4f}{unseen}; "
            f"at most {left:.0f} s left",
            flush=True,
        )


def find_device(asked: str) -> str:
    """The device asked for, or the best one present for `auto`; ValueError if it is missing."""
    kinds = {"cuda": torch.cuda, "xpu": torch.xpu, "mps": torch.backends.mps}
    found = [*(name for name, kind in kinds.items() if kind.is_available()), "cpu"]
    if asked not in ("auto", *found):
        raise ValueError(f"device={asked} is missing: torch finds {', '.join(found)} here")
    return found[0] if asked == "auto" else asked
