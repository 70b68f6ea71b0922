"""Tasks and models whose `check` does not come to an end of its own."""

import os
import sys
import time
from dataclasses import dataclass

from tests.harness import Coin, Steep


@dataclass
class Task(Coin):
    rows: int = 60
    slope: float = 2.0
    regression: bool = False
    way: str = "good"

    def check(self) -> None:
        if self.way == "hangs":
            time.sleep(3600)
        if self.way == "exits":
            os._exit(5)


@dataclass
class Model(Steep):
    factor: float = 1.0
    way: str = "good"

    def check(self) -> None:
        if self.way == "leaves":
            sys.exit(4)
        if self.way == "refuses":
            raise ValueError("way=refuses is refused")
