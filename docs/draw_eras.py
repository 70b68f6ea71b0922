"""The README's picture and its six columns, and the table of docs/reading.md, all from the records
of results/reference: `python docs/draw_eras.py`, or `nox -s reference`, which runs them first."""

import re
from dataclasses import replace
from pathlib import Path

from benchmarks.analysis.advice import advise
from benchmarks.analysis.summary import Section, sections
from benchmarks.analysis.verdicts import judge
from benchmarks.records.records import Run
from benchmarks.show import markdown
from benchmarks.show.drawing import svg
from benchmarks.show.parts import Entry
from benchmarks.show.results_table import results_table
from benchmarks.show.which_pictures import history

ROOT = Path(__file__).parents[1]
COLUMNS = ("model", "year", "ROC AUC", "known", "fit s", "1 row ms")


def reference() -> Section:
    run = Run(ROOT / "results" / "reference")
    (section,) = sections(run.read())
    return judge(section, run.outcomes)


def six_columns(section: Section) -> str:
    """Models alone, as Markdown."""
    whole = results_table(section)
    places = [k for k, head in enumerate(whole.heads) if head.text in COLUMNS]
    labels = {row.label for row in section.everything}
    shown = [line for line in whole.rows if line[0].text in labels]
    rows = [[Entry(line[k].text.rstrip("*")) for k in places] for line in shown]
    heads = [whole.heads[k] for k in places]
    table = replace(whole, title="", heads=heads, rows=rows, notes=(), legend="", source="")
    return markdown.fragment([table]).partition("\n")[2].strip() + "\n"


def within(text: str, mark: str, new: str) -> str:
    """A text with what stands between two marks replaced."""
    marks = f"<!-- {mark} -->\n", f"<!-- /{mark} -->"
    assert all(one in text for one in marks), f"there is no place for {mark}"
    return re.sub(f"(?s){marks[0]}.*?{marks[1]}", lambda _: f"{marks[0]}{new}{marks[1]}", text)


def documents(section: Section) -> dict[Path, str]:
    """What the documents hold that show the reference."""
    table = (ROOT / "results" / "reference" / "table.md").read_text().partition("\n### ")[0]
    readme, reading = ROOT / "README.md", ROOT / "docs" / "reading.md"
    return {
        readme: within(readme.read_text(), "eras", six_columns(section)),
        reading: within(reading.read_text(), "reference", table),
    }


def main() -> None:
    section = reference()
    for file, text in documents(section).items():
        file.write_text(text)
    advice = advise(section)
    assert advice
    picture = history(advice, "eras")
    assert picture
    (ROOT / "docs" / "eras.svg").write_text(svg(picture))


if __name__ == "__main__":
    main()
