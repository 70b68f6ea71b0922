"""The network, which leaves a checkpoint all the time."""

from dataclasses import dataclass

from models.network import Network
from models.parts import training

training.CHECKPOINT_SECONDS = 0.02


@dataclass
class Model(Network):
    max_epochs: int = 6
