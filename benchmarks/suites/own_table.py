"""A table read, typed, split and made ready for a model: by this kit, and as one would type it.

    python -m benchmarks.suites.own_table kit    FILE
    python -m benchmarks.suites.own_table pandas FILE

Prints the shape of the train rows and the peak of memory in GB.
"""

import resource
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd


def write_long(file: Path, rows: int) -> None:
    """20 columns: numbers, two categories (one of 5,000 levels), a date, an id, the target `y`."""
    numbers = ", ".join(f"round(random() * 1000, 3) as x{k}" for k in range(14))
    duckdb.sql(f"""
        copy (
            select i as row_id, timestamp '2024-01-01' + interval (i * 3) second as sent_at,
                {numbers}, ['red', 'green', 'blue', 'black'][1 + i % 4] as colour,
                'c' || (random() * 5000)::int as city, (random() * 100)::int as n,
                case when random() < 0.3 then 'yes' else 'no' end as y
            from range({rows}) as t(i)
        ) to '{file}' (header)
    """)  # noqa: S608 - names of our own making


def write_wide(file: Path, rows: int, columns: int) -> None:
    """Nothing but numbers, and the target `y`."""
    import numpy as np

    drawn = np.random.default_rng(0).normal(size=(rows, columns)).round(4)
    table = pd.DataFrame(drawn, columns=[f"gene {k}" for k in range(columns)])
    table["y"] = np.where(drawn[:, 0] > 0, "yes", "no")
    table.to_csv(file, index=False)


def kit(file: str) -> tuple[int, int]:
    """`task=table`, with all that it finds out by itself."""
    from benchmarks.cell import views
    from benchmarks.records.machine import available_cores
    from tasks.table import Table

    task = Table(path=file, target="y", n_jobs=available_cores())
    train, _ = views.make(task, task.load(0), "features")
    return train.shape


def plain(file: str) -> tuple[int, int]:
    """The same for someone who knows the columns: nothing has to be found out."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder

    rows = pd.read_csv(file)
    target = rows.pop("y")
    dates = [name for name in rows if name == "sent_at"]
    if dates:  # the latest rows are tested on
        rows = rows.drop(columns="row_id")
        rows["sent_at"] = pd.to_datetime(rows["sent_at"])
        order = rows["sent_at"].argsort(kind="stable")
        cut = round(len(rows) * 0.7)
        train, test = rows.iloc[order[:cut]], rows.iloc[order[cut:]]
    else:
        train, test = train_test_split(rows, test_size=0.3, stratify=target, random_state=0)
    del rows

    def parts(values: pd.DataFrame) -> pd.DataFrame:
        moment = values["sent_at"].dt
        names = ("year", "month", "day", "day_of_week", "hour")
        found = {name: getattr(moment, name) for name in names}
        return pd.DataFrame(found | {"days": (values["sent_at"] - pd.Timestamp(0)).dt.days})

    encode = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, max_categories=1_000
    )
    texts = make_column_selector(dtype_include=["object", "str"])
    prepare = make_column_transformer(
        (FunctionTransformer(parts), dates), (encode, texts), remainder="passthrough"
    )
    found = prepare.fit_transform(train)
    prepare.transform(test)
    return found.shape


WAYS: dict[str, Callable[[str], tuple[int, int]]] = {"kit": kit, "pandas": plain}


if __name__ == "__main__":
    way, path = sys.argv[1:]
    shape = WAYS[way](path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(*shape, f"{peak:.2f}")
