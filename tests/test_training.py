"""The loop of all networks: what it leaves, what it goes on from, and how it ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional

from models.parts import checkpoint, training
from models.parts.training import SEEN, UNSEEN, Keeper, State, train
from tests.conftest import ROOT

FIT = """
import os, sys, torch
from torch import nn
from torch.nn import functional
from models.parts import training

folder, die_at = sys.argv[1], int(sys.argv[2])
training.CHECKPOINT_SECONDS = 0.0
torch.set_num_threads(1)
torch.manual_seed(5)
X, w = torch.randn(230, 6), torch.randn(6)
y = X @ w + 0.1 * torch.randn(230)
module = nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.3), nn.ReLU(), nn.Linear(8, 1))
steps = 0

def loss(places):
    global steps
    steps += 1
    if steps == die_at:
        os.kill(os.getpid(), 9)
    return functional.mse_loss(module(X[places])[:, 0], y[places])

trained = training.train(
    module, loss, 200, lambda: functional.mse_loss(module(X[200:])[:, 0], y[200:]),
    learning_rate=0.02, weight_decay=0.01, batch_size=32, max_epochs=6, patience=PATIENCE, clip=1.0,
    checkpoints=folder,
)
torch.save({**module.state_dict(), "history": torch.tensor(list(trained.history.values()))},
           os.path.join(folder, "end.pt"))
print(trained.best_epoch, trained.notes.get("checkpoint"), steps)
"""


def run(folder: Path, die_at: int = 0, patience: int | None = 3) -> subprocess.CompletedProcess:
    folder.mkdir(exist_ok=True)
    code = FIT.replace("PATIENCE", str(patience))
    command = [sys.executable, "-c", code, str(folder), str(die_at)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def end(folder: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = torch.load(folder / "end.pt", weights_only=True)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("patience", [3, None])
def test_ten_kills_change_no_bit(tmp_path, patience):
    """42 steps; it is killed at the third, fifth, … step after it has gone on."""
    whole = run(tmp_path / "whole", patience=patience)
    assert whole.returncode == 0, whole.stderr
    kills = 0
    for die_at in (3, 5, 4, 2, 6, 7, 1, 3, 2, 5):
        killed = run(tmp_path / "killed", die_at, patience)
        kills += killed.returncode == -signal.SIGKILL
    last = run(tmp_path / "killed", patience=patience)
    assert kills == 10
    assert "gone on from epoch" in last.stdout
    assert int(last.stdout.split()[-1]) < int(whole.stdout.split()[-1])
    undisturbed, disturbed = end(tmp_path / "whole"), end(tmp_path / "killed")
    assert undisturbed.keys() == disturbed.keys()
    assert all(torch.equal(undisturbed[name], disturbed[name]) for name in undisturbed)


class Stopped(Exception):
    pass


class Fit:
    """A small regression; `stop_at`: the step at which it is broken off."""

    def __init__(self, folder: Path | None, stop_at: int = -1, width: int = 8, rows: int = 200):
        torch.manual_seed(5)
        X = torch.randn(230, 6)
        y = X @ torch.randn(6) + 0.1 * torch.randn(230)
        self.steps = 0
        self.module = nn.Sequential(
            nn.Linear(6, width), nn.Dropout(0.3), nn.ReLU(), nn.Linear(width, 1)
        )

        def loss(places):
            self.steps += 1
            if self.steps == stop_at:
                raise Stopped
            return functional.mse_loss(self.module(X[places])[:, 0], y[places])

        self.trained = train(
            self.module,
            loss,
            rows,
            lambda: functional.mse_loss(self.module(X[200:])[:, 0], y[200:]),
            learning_rate=0.02,
            weight_decay=0.01,
            batch_size=32,
            max_epochs=4,
            patience=2,
            checkpoints=str(folder) if folder else None,
        )


@pytest.fixture(autouse=True)
def at_each_step(monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)


def same(one: nn.Module, other: nn.Module) -> bool:
    weights = one.state_dict(), other.state_dict()
    return all(torch.equal(weights[0][k], weights[1][k]) for k in weights[0])


def test_a_fit_that_was_killed_behind_its_last_step_answers_all_the_same(tmp_path):
    """No step is left, and so nothing that would have told the module that it learns no more: with
    dropout still at work its answers were by lot."""
    whole = Fit(tmp_path)
    again = Fit(tmp_path)
    assert (whole.steps, again.steps) == (4 * 7, 0)
    assert same(whole.module, again.module)
    assert not whole.module.training
    assert not again.module.training


@pytest.mark.parametrize("stop_at", [2, 7, 8, 15, 28])
def test_a_fit_that_was_broken_off_ends_as_one_that_was_not(tmp_path, stop_at):
    whole = Fit(None)
    with pytest.raises(Stopped):
        Fit(tmp_path, stop_at)
    resumed = Fit(tmp_path)
    assert resumed.steps == whole.steps - (stop_at - 1), "it began anew"
    assert same(whole.module, resumed.module)
    assert resumed.trained.history == whole.trained.history
    assert resumed.trained.best_epoch == whole.trained.best_epoch
    epoch, step = divmod(stop_at - 1, 7)
    assert resumed.trained.notes["checkpoint"] == f"gone on from epoch {epoch + 1}, step {step}"


def halved(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def newer(file: Path) -> None:
    save_file(load_file(file), file, {"version": str(checkpoint.VERSION + 1), "numbers": "{}"})


DAMAGE = {
    "cut in half": (halved, "damaged"),
    "empty": (lambda file: file.write_bytes(b""), "damaged"),
    "no checkpoint at all": (lambda file: file.write_text("weights"), "damaged"),
    "without a header": (lambda file: save_file(load_file(file), file), "damaged"),
    "of a newer version": (newer, "of a newer version"),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_checkpoint_that_cannot_be_used_is_said_and_costs_no_more_than_itself(tmp_path, how):
    damage, word = DAMAGE[how]
    with pytest.raises(Stopped):
        Fit(tmp_path, 9)
    damage(tmp_path / "training.safetensors")
    again = Fit(tmp_path)
    assert again.trained.notes["checkpoint"].startswith(f"begun anew, the last one is {word}")
    assert "\n" not in again.trained.notes["checkpoint"]
    assert same(again.module, Fit(None).module)


@pytest.mark.parametrize(
    ("changed", "word"),
    [({"width": 9}, "of another architecture"), ({"rows": 190}, "of other rows or settings")],
)
def test_a_checkpoint_of_something_else_is_not_taken_over(tmp_path, changed, word):
    with pytest.raises(Stopped):
        Fit(tmp_path, 9)
    again = Fit(tmp_path, **changed)
    assert again.trained.notes["checkpoint"] == f"begun anew, the last one is {word}"
    assert same(again.module, Fit(None, **changed).module)


def test_a_checkpoint_that_lacks_a_tensor_changes_nothing(tmp_path):
    """Taken over as a whole or not at all."""
    with pytest.raises(Stopped):
        Fit(tmp_path, 9)
    file = tmp_path / "training.safetensors"
    tensors, numbers = checkpoint.read(file)
    for name in [name for name in tensors if name.startswith("moments.2")] + ["random.cpu"]:
        left = {k: v for k, v in tensors.items() if k != name}
        checkpoint.write(file, left, numbers)
        again = Fit(tmp_path)
        assert again.trained.notes["checkpoint"].startswith("begun anew"), name
        assert same(again.module, Fit(None).module), name
        checkpoint.write(file, tensors, numbers)


def test_a_disk_that_takes_no_checkpoint_ends_no_training(tmp_path, monkeypatch, capsys):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save", full)
    assert same(Fit(tmp_path).module, Fit(None).module)
    assert "no checkpoint was kept: [Errno 28] No space left" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_is_replaced_as_a_whole(tmp_path, monkeypatch):
    file = tmp_path / "kept.safetensors"
    checkpoint.write(file, {"a": torch.arange(3)}, {"epoch": 1})

    def broken(_):
        raise OSError("the power is gone")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="power"):
        checkpoint.write(file, {"a": torch.zeros(3)}, {"epoch": 2})
    tensors, numbers = checkpoint.read(file)
    assert tensors["a"].tolist() == [0, 1, 2]
    assert numbers == {"epoch": 1}
    assert list(tmp_path.iterdir()) == [file]


def test_the_rate_rises_and_falls_and_ends_near_nothing():
    rates = []
    module = nn.Linear(1, 1)

    def loss(places):
        return module(torch.ones(len(places), 1)).square().mean()

    original = torch.optim.AdamW.step

    def step(self, *given):
        rates.append(self.param_groups[0]["lr"])
        return original(self, *given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", step)
        train(
            module,
            loss,
            100,
            lambda: torch.tensor(1.0),
            learning_rate=0.1,
            weight_decay=0.0,
            batch_size=10,
            max_epochs=10,
            patience=None,
        )
    top = int(np.argmax(rates))
    assert len(rates) == 100
    assert max(rates) == pytest.approx(0.1)
    assert 28 <= top <= 31
    assert all(np.diff(rates[: top + 1]) > 0)
    assert all(np.diff(rates[top + 1 :]) < 0)
    assert rates[-1] < 0.002


def losses(*unseen: float, patience: int | None) -> tuple[nn.Linear, training.Trained]:
    """A training whose losses on held-out rows are these; its weight counts the epochs."""
    module, left = nn.Linear(1, 1, bias=False), list(unseen)
    nn.init.zeros_(module.weight)

    def held_out():
        with torch.no_grad():
            module.weight.fill_(len(unseen) - len(left) + 1)
        return torch.tensor(left.pop(0))

    trained = train(
        module,
        lambda places: 0 * module(torch.ones(len(places), 1)).mean(),
        10,
        held_out,
        learning_rate=1e-9,
        weight_decay=0.0,
        batch_size=10,
        max_epochs=len(unseen),
        patience=patience,
    )
    return module, trained


def test_it_stops_without_progress_and_keeps_the_best_weights():
    module, trained = losses(3.0, 1.0, 2.0, 1.5, 0.5, patience=2)
    assert (trained.best_epoch, trained.history[UNSEEN]) == (2, [3.0, 1.0, 2.0, 1.5])
    assert module.weight.item() == 2
    assert trained.unfinished is None


def test_without_patience_it_goes_to_the_end_and_keeps_the_last_weights():
    module, trained = losses(3.0, 1.0, 2.0, 1.5, 2.5, patience=None)
    assert (trained.best_epoch, len(trained.history[SEEN])) == (5, 5)
    assert module.weight.item() == pytest.approx(5, abs=1e-6)
    assert trained.unfinished is None


def test_it_says_that_the_last_epoch_still_helped():
    assert losses(3.0, 2.0, 1.0, patience=2)[1].unfinished == "the last of 3 epochs still helped"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_training_that_goes_astray_says_so(value):
    with pytest.raises(FloatingPointError, match=r"^training went astray: in epoch 2 [^\n]+$"):
        losses(1.0, value, 1.0, patience=5)


def test_progress_is_told_with_loss_and_time_left(monkeypatch, capsys):
    monkeypatch.setattr(training, "PROGRESS_SECONDS", 0.0)
    monkeypatch.setattr(training, "PROGRESS_SHARE", 0.0)  # a busy machine makes some steps long
    Fit(None)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 28
    assert lines[0].startswith("epoch 1 of 4, step 1 of 7: loss ")
    assert " held out; at most " in lines[10]
    assert lines[-1].endswith("; at most 0 s left")


def test_the_random_numbers_of_a_device_are_kept_and_taken_up(tmp_path):
    """As far as it goes without one: what a checkpoint from a GPU holds does no harm here."""
    torch.manual_seed(0)
    module = nn.Linear(2, 1)
    optimizer = torch.optim.AdamW(module.parameters())
    state = State([1, 1, 1], torch.zeros(()))
    keeper = Keeper(str(tmp_path), module, optimizer, state)
    module(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    keeper.keep()
    tensors, numbers = checkpoint.read(tmp_path / "training.safetensors")
    random = torch.zeros(16, dtype=torch.uint8)
    checkpoint.write(tmp_path / "training.safetensors", {**tensors, "random.cuda": random}, numbers)
    assert Keeper(str(tmp_path), module, optimizer, state).resume() == {
        "checkpoint": "gone on from epoch 1, step 0"
    }
