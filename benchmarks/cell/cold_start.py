"""From nothing to a first prediction: a new interpreter that loads, fits and predicts once.

Only made-up rows are used (see warm_up.py): how fast a model learns is measured elsewhere. The
new process loads nothing but the standard library before the model's own module.
"""

import json
import pickle
import pkgutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the new process loads nothing before the model's own module
    from tasks.base import Data

LIMIT = 120  # seconds


def measured(
    config: Mapping[str, Any],
    extra: Mapping[str, Any],
    rows: Any,
    data: "Data",
) -> dict[str, float] | None:
    """Seconds of a new process: `interpreter` (its start), `import` (of the model's module with
    all that it loads), `fit` (of a few rows), `predict` (of one row), and `whole`, all of it.

    config, extra: what the model is built from (see cell.build). None if rows of this kind cannot
    be made up, or if the process failed.
    """
    from benchmarks.cell.protocols import METHOD_OF
    from benchmarks.cell.rows import NoSynthetic, synthetic
    from benchmarks.cell.warm_up import labels

    try:
        # Rows travel between two processes of ours, so pickle may carry them.
        message = pickle.dumps((synthetic(rows), labels(data)))
    except NoSynthetic:
        return None
    method = METHOD_OF[data.answer]
    from benchmarks.cell.build import permitted

    request = {"config": dict(config), "extra": dict(extra), "method": method, "allow": permitted}
    begin = time.perf_counter()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.cell.cold_start", json.dumps(request)],
            input=message,
            capture_output=True,
            check=True,
            timeout=LIMIT,
        )
    except subprocess.SubprocessError:
        return None
    moments = [begin, *json.loads(done.stdout.splitlines()[-1])]
    seconds = [after - before for before, after in pairwise(moments)]
    names = ("interpreter", "import", "rows", "fit", "predict")
    found = dict(zip(names, seconds, strict=True))
    del found["rows"]  # reading them is the test's business
    return {**found, "whole": sum(found.values())}


def main(
    config: Mapping[str, Any], extra: Mapping[str, Any], method: str, allow: Sequence[str]
) -> None:
    """The new process: print the moments at which each step was done, as JSON."""
    moments = [time.perf_counter()]
    # The class was built in the cell before, so it is one that may be; its import is what is timed.
    pkgutil.resolve_name(config["_target_"])
    moments.append(time.perf_counter())
    from benchmarks.cell.build import build, permitted

    permitted[:] = allow

    model = build(config, extra)
    rows, labels = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 - see `measured`
    moments.append(time.perf_counter())
    model.fit(rows, labels)
    moments.append(time.perf_counter())
    getattr(model, method)(rows[:1])
    moments.append(time.perf_counter())
    print("\n" + json.dumps(moments))


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
