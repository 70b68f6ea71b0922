import sys
from dataclasses import dataclass

from tests.harness import Steep

sys.exit("no licence for this machine")


@dataclass
class Model(Steep):
    pass
