import sys

from benchmarks.commands import COMMANDS, COMPLETION, HELP, SHOWING, tell_version


def dispatched() -> None:
    """`python -m benchmarks report RUN` is `python -m benchmarks.report RUN`."""
    import runpy

    name = sys.argv.pop(1)
    runpy.run_module(f"benchmarks.{name}", run_name="__main__", alter_sys=True)
    sys.exit(0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["run"]:
        sys.argv.pop(1)
    if len(sys.argv) > 1 and sys.argv[1] in COMMANDS:
        dispatched()
    if sys.argv[1:] == ["--version"]:
        tell_version()
        sys.exit(0)
    if COMPLETION.intersection(sys.argv[1:]):
        from benchmarks.plan.completion import complete

        sys.exit(complete(sys.argv[1:]))

    from benchmarks.interruption import leave_when_interrupted

    leave_when_interrupted()  # before anything else is loaded: a signal may come meanwhile

    if (HELP | SHOWING).intersection(sys.argv[1:]):  # there is nothing to run
        from benchmarks.run import main

        sys.exit(main())

    from benchmarks.records.machine import available_cores
    from benchmarks.runner.worker import Worker

    with Worker(available_cores()) as worker:  # loads libraries while Hydra reads the configs
        from benchmarks.run import main

        sys.exit(main(worker))
