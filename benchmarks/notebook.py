"""What a notebook starts: the main job, with what came of it as JSON. Nothing that is typed.

    python -m benchmarks.notebook '{"texts": {…}, "arguments": […], "file": FILE, "parent": PID}'

texts: settings that mean what they hold, whatever characters these are; arguments: others, as they
are typed; the file is written if the run comes to its end (told.py). When the process that asked is
gone, this one ends as at a signal.
"""

if __name__ == "__main__":
    from benchmarks.interruption import leave_when_interrupted

    leave_when_interrupted()

    import json
    import signal
    import sys
    from pathlib import Path

    from benchmarks.records.machine import available_cores
    from benchmarks.runner import tree
    from benchmarks.runner.worker import Worker

    request = json.loads(sys.argv[1])
    tree.end_with_parent(request["parent"], signal.SIGTERM)
    with Worker(available_cores()) as worker:  # as in __main__.py
        from benchmarks.plan.spelling import quoted
        from benchmarks.run import main
        from benchmarks.told import TellingJob

        texts = [f"{key}={quoted(text)}" for key, text in request["texts"].items()]
        sys.argv[1:] = [*texts, *request["arguments"]]
        sys.exit(main(worker, TellingJob(worker, Path(request["file"]))))
