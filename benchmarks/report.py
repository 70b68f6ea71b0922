"""A run as one page, and as files for a README, a paper or a slide.

    python -m benchmarks.report RUN
    python -m benchmarks.report --site FOLDER

Writes results/RUN/report.html, which needs no network and no second file, and beside it in
results/RUN/report/ the same content as Markdown and LaTeX, the numbers as CSV, the pictures as SVG
and PNG. With --site a page of every run and an index of all of them, which a plain web server, or
the pages of a repository, can serve. Works from records alone.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from benchmarks.analysis.cost import PRICES, Prices, read_prices
from benchmarks.analysis.summary import Section, sections
from benchmarks.analysis.verdicts import judge
from benchmarks.commands import spoken, typed
from benchmarks.errors import FINISHED, BadInput, cannot_write, command, tell
from benchmarks.records.places import open_run, place_of
from benchmarks.records.records import Run
from benchmarks.runs import found_in


def judged(run: Run) -> tuple[list[Section], list[str]]:
    """(sections of a run with their verdicts, sentences on what cannot be read, which are printed).
    Raises BadInput if there is no record."""
    records, unreadable = run.scan()
    for sentence in unreadable:
        tell(f"warning: {sentence}", is_error=True)
    if not records:
        raise BadInput(f"The run {run.name} holds no records.")
    return [judge(section, run.outcomes) for section in sections(records)], unreadable


def write_site(options: argparse.Namespace, prices: Prices) -> int:
    """A page of each run, and the index. Raises BadInput if there is none."""
    if options.run is None:
        runs = [Run(options.results / found.name) for found in found_in(options.results)]
    else:
        runs = [open_run(options.results, options.run)]
    from benchmarks.show.answer import subject
    from benchmarks.show.build import report_chapters
    from benchmarks.show.page import write_page
    from benchmarks.show.site import Page, index

    folder: Path = options.site
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from None
    pages = []
    for run in runs:
        try:
            own, unreadable = judged(run)
        except BadInput as error:
            tell(f"warning: {error}", is_error=True)
            continue
        file = f"run-{run.name}.html"
        chapters = report_chapters(own, run.outcomes, unreadable, prices, rows=run.rows)
        write_page(folder / file, f"{run.name}: {subject(own)}", chapters, "index.html")
        began = [r["started"] for s in own for row in s.everything for r in row.records]
        last = max(map(datetime.fromisoformat, began), key=datetime.timestamp)
        pages.append(Page(run.name, file, own, last))
    if not pages:
        raise BadInput(f"{options.results}/ holds no run to make a page of.")
    pages.sort(key=lambda page: page.last.timestamp(), reverse=True)
    write_page(folder / "index.html", "model-eras: all runs", index(pages))
    tell(f"{folder / 'index.html'}: {len(pages)} run{'s' * (len(pages) > 1)}")
    return FINISHED


@command
def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog=typed("report"),
        description=spoken(__doc__ or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", metavar="RUN", nargs="?", help="name of a run (or its folder)")
    parser.add_argument(
        "--site", type=Path, metavar="FOLDER", help="pages of all runs, or of RUN, and their index"
    )
    parser.add_argument(
        "--results", type=place_of, default=Path("results"), help="default: results"
    )
    parser.add_argument(
        "--prices",
        type=Path,
        default=PRICES,
        metavar="FILE",
        help=f"what computing costs; default: {PRICES}",
    )
    parser.add_argument(
        "--with",
        dest="others",
        nargs="+",
        default=[],
        metavar="RUN",
        help="runs whose sweeps and searches are shown as well, such as scaling",
    )
    parser.add_argument("--page-only", action="store_true", help="write nothing but the page")
    options = parser.parse_args(arguments)
    prices = read_prices(options.prices)
    if options.site is not None:
        return write_site(options, prices)
    if options.run is None:
        raise BadInput("Say which run, or --site FOLDER for a page of each.")
    run = open_run(options.results, options.run)
    own, unreadable = judged(run)
    others = [judged(open_run(options.results, name))[0] for name in options.others]
    # Only here, as loading the pictures' library takes a while and a mistake is told at once.
    from benchmarks.show.answer import subject
    from benchmarks.show.build import report_chapters
    from benchmarks.show.files import write_files
    from benchmarks.show.page import write_page

    title = f"{run.name}: {subject(own)}"
    chapters = report_chapters(own, run.outcomes, unreadable, prices, others, run.rows)
    file, folder = run.folder / "report.html", run.folder / "report"
    write_page(file, title, chapters)
    tell(file)
    if not options.page_only:
        write_files(folder, title, chapters)
        tell(f"{folder}/")
    return FINISHED


if __name__ == "__main__":
    sys.exit(main())
