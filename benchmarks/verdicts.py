"""Is one model better than another on the same rows, equal in practice, or can nobody tell yet?

    python -m benchmarks.verdicts RUN [--metric log_loss] [--band 0.01]

For every pair of models of a run. docs/measuring.md gives the method in words. Works from records
alone.
"""

import argparse
import sys
from collections.abc import Sequence
from math import inf
from pathlib import Path

from benchmarks.analysis.summary import sections
from benchmarks.analysis.verdicts import judge
from benchmarks.commands import spoken, typed
from benchmarks.errors import FINISHED, BadInput, command, tell
from benchmarks.records.places import open_run, place_of
from benchmarks.records.records import Run
from benchmarks.show.parts import Chapter
from benchmarks.show.terminal import Terminal, printed
from benchmarks.show.verdict_table import verdicts_table


@command
def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog=typed("verdicts"), description=spoken(__doc__ or ""))
    parser.add_argument("run", metavar="RUN", help="name of a run (or its folder)")
    parser.add_argument("--metric", help="default: the task's main metric")
    parser.add_argument("--band", type=float, help="largest difference that does not matter")
    parser.add_argument(
        "--results", type=place_of, default=Path("results"), help="default: results"
    )
    options = parser.parse_args(arguments)
    console = Terminal()
    if options.band is not None and not 0 <= options.band < inf:
        raise BadInput(f"--band {options.band}: give a number of at least 0.")
    run: Run = open_run(options.results, options.run)
    records, unreadable = run.scan()
    for sentence in unreadable:
        tell(f"warning: {sentence}", is_error=True)
    judged = [
        judge(section, run.outcomes, options.metric, options.band) for section in sections(records)
    ]
    if not any(section.verdicts for section in judged):
        raise BadInput(f"The run {run.name} has no two models that share a seed.")
    tables = [table for section in judged if (table := verdicts_table(section))]
    console.print(printed([Chapter("", tables)], console.width))
    return FINISHED


if __name__ == "__main__":
    sys.exit(main())
