"""Two runs side by side, or more: what differs between them, and what that changed.

    python -m benchmarks.compare default wide
    python -m benchmarks.compare main branch --fail-if-worse 0.005

Each later run is held against the first. On the same test rows models are compared row by row,
elsewhere as what they are: two different samples (docs/measuring.md). Works from records alone;
knows no model and no task.

--fail-if-worse AMOUNT makes it a test: the exit code is 1 if the main metric of any model in any
later run is worse than in the first by more than AMOUNT (in the metric's own units) and that is
not noise, i.e. the whole 95 % interval of the change lies on the worse side; and if a model that
was done in the first run ended otherwise (failed, timeout, ...) in a later one. Otherwise it is 0;
identical predictions never fail, and what only one of the runs has does not count: a model, or a
variant beside a plain row that both have. The exit code is 2 for bad input, and for runs that have
no task in common.
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from math import inf
from pathlib import Path

from rich.text import Text

from benchmarks.analysis.comparison import Comparison, Side, compare, failures
from benchmarks.analysis.outcomes import NEEDED
from benchmarks.commands import spoken, typed
from benchmarks.errors import FAILED_CELLS, FINISHED, BadInput, CannotWrite, command, tell
from benchmarks.records import files
from benchmarks.records.places import open_run, place_of
from benchmarks.records.records import Run
from benchmarks.show.comparison import HEADINGS, comparison_chapters
from benchmarks.show.terminal import Terminal, printed


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=typed("compare"),
        description=spoken(__doc__ or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("a", metavar="A", help="name of a run (or its folder)")
    parser.add_argument("others", metavar="B", nargs="+", help="names of the runs held against it")
    parser.add_argument("--metric", help="default: each task's main metric")
    parser.add_argument(
        "--results", type=place_of, default=Path("results"), help="default: results"
    )
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write it as Markdown, too")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write it as a page, too")
    parser.add_argument(
        "--fail-if-worse",
        type=amount,
        metavar="AMOUNT",
        help="exit code 1 if a model got worse by more than this, beyond noise (see above)",
    )
    return parser.parse_args(arguments)


def amount(text: str) -> float:
    value = float(text)  # argparse makes a sentence of its ValueError
    if not 0 <= value < inf:
        raise argparse.ArgumentTypeError(f"{text}: give a number of at least 0")
    return value


def read(results: Path, names: Sequence[str]) -> list[Side]:
    """The runs with these names; what cannot be read of them is named on standard error. BadInput:
    a run is not there, or holds no records."""
    runs = [open_run(results, name) for name in names]
    sides = []
    for run, name in zip(runs, distinct(runs, names), strict=True):
        records, unreadable = run.scan()
        for sentence in unreadable:
            tell(f"warning: {sentence}", is_error=True)
        if not records:
            raise BadInput(f"The run {run.name} holds no records.")
        sides.append(Side(name, records, partial(run.outcomes, names=NEEDED)))
    return sides


def distinct(runs: Sequence[Run], given: Sequence[str]) -> list[str]:
    """A name for each run that no other has."""
    names = [run.name for run in runs]
    if len(set(names)) < len(names):
        names = list(given)
    names = [f"run {name}" if name in HEADINGS else name for name in names]
    return [
        f"{name} ({names[: k + 1].count(name)})" if name in names[:k] else name
        for k, name in enumerate(names)
    ]


def write_files_asked(options: argparse.Namespace, comparison: Comparison) -> None:
    """The files that were asked for. BadInput: there is no folder for one of them."""
    title = f"{', '.join(comparison.names[1:])} against {comparison.names[0]}"
    file = options.markdown
    try:
        if options.markdown:
            from benchmarks.show.markdown import document

            files.write(file, document(title, comparison_chapters(comparison)))
        if options.html:
            from benchmarks.show.page import write_page

            file = options.html
            write_page(file, title, comparison_chapters(comparison, pictures=True))
    except CannotWrite as error:
        if file.parent.is_dir() and not file.is_dir():
            raise
        raise BadInput(str(error)) from None


@command
def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    sides = read(options.results, [options.a, *options.others])
    comparison = compare(sides, options.metric)
    console = Terminal()
    console.print(printed(comparison_chapters(comparison), console.width))
    write_files_asked(options, comparison)
    failed = [] if options.fail_if_worse is None else failures(comparison, options.fail_if_worse)
    for sentence in failed:
        console.print(Text(f"✗ {sentence}", style="red"))
    return FAILED_CELLS if failed else FINISHED


if __name__ == "__main__":
    sys.exit(main())
