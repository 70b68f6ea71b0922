from dataclasses import dataclass

from tests.harness import Steep

raise KeyboardInterrupt


@dataclass
class Model(Steep):
    pass
