import ctypes
from dataclasses import dataclass

from tests.harness import Steep

ctypes.string_at(0)


@dataclass
class Model(Steep):
    pass
