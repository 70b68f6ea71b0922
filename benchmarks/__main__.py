if __name__ == "__main__":
    from benchmarks.interruption import leave_when_interrupted

    leave_when_interrupted()  # before anything else is loaded: a signal may come meanwhile

    import sys

    from benchmarks.records.machine import available_cores
    from benchmarks.runner.worker import Worker

    with Worker(available_cores()) as worker:  # loads libraries while Hydra reads the configs
        from benchmarks.run import main

        sys.exit(main(worker))
