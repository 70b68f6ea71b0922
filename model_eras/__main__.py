"""`model-eras`, from anywhere, is `python -m benchmarks` in a clone.

This process becomes the kit's, so that exit codes, signals and the terminal are its own.
"""

import os
import sys
from typing import NoReturn

from model_eras.place import command, environment


def main() -> NoReturn:
    line = command("benchmarks", *sys.argv[1:])
    os.execve(line[0], line, environment())  # noqa: S606 - without a shell is meant


if __name__ == "__main__":
    main()
