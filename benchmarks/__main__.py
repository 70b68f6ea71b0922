import sys

from benchmarks.records.machine import available_cores
from benchmarks.runner.worker import Worker

if __name__ == "__main__":
    with Worker(available_cores()) as worker:  # loads libraries while Hydra reads the configs
        from benchmarks.run import main

        sys.exit(main(worker))
