import time
from dataclasses import dataclass

from tests.harness import Steep

while True:
    time.sleep(60)


@dataclass
class Model(Steep):
    pass
