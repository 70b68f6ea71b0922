"""Send runs to MLflow: one MLflow run per record, for those who look there already.

    python -m benchmarks.export default wide --uri http://localhost:5000

What was sent before is left alone. Needs MLflow: pip install 'model-eras[mlflow]'.
"""

import argparse
import logging
import os
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.analysis.summary import model_label
from benchmarks.commands import spoken, typed
from benchmarks.errors import FINISHED, BadInput, command, tell
from benchmarks.records.frame import flat, settings
from benchmarks.records.places import open_run, place_of
from benchmarks.records.records import Record, Run

ALWAYS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
UNLESS_SET = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}
"""MLflow reads its settings from the environment: it calls nobody but the store, and soon gives
up on one that does not answer."""

RECORD = "model_eras.record"
"""The tag by which a record that was sent before is known again."""
TAGS = (
    "cell",
    "task",
    "model",
    "era",
    "status",
    "reason",
    "kind",
    "metric",
    "control",
    "commit",
    "config_hash",
)
NOT_MEASURED = ("year", "seed", "threads", "machine_cores", "machine_memory_gb")
"""Columns of numbers that are no metrics."""
LONGEST = 5000  # characters; MLflow takes 6,000 of a param and 8,000 of a tag


def clean(name: str) -> str:
    """A name without what MLflow forbids in it, or takes for a path."""
    return re.sub(r"[^\w.\- ]", "_", name)[:250]


def params_of(record: Record) -> dict[str, str]:
    """What was set, as text."""
    config = record["config"]
    given = {"seed": record["seed"], "threads": config["threads"], "device": config["device"]}
    for part in ("task", "model"):
        given |= {f"{part}.{name}": value for name, value in settings(record, part).items()}
    return {clean(name): str(value)[:LONGEST] for name, value in given.items()}


def tags_of(row: Mapping[str, Any], run: str) -> dict[str, str]:
    tags = {name: row[name] for name in TAGS} | {"run": run, "checks": " ".join(row["checks"])}
    return {name: value[:LONGEST] for name, value in tags.items() if value}


def metrics_of(row: Mapping[str, Any]) -> dict[str, float]:
    """All numbers that were measured; those with a dot in their names are settings."""
    return {
        clean(name): value
        for name, value in row.items()
        if type(value) in (int, float) and "." not in name and name not in NOT_MEASURED
    }


def trials_of(record: Record) -> Iterator[tuple[str, float, int]]:
    """(metric, value, step): the search of a tuned cell, a step per trial."""
    for step, trial in enumerate((record.get("tuning") or {}).get("trials", ())):
        if trial["score"] is not None:
            yield "trial_score", trial["score"], step
        yield "trial_seconds", trial["seconds"], step


def connect(uri: str | None) -> Any:
    """MLflow's client; None: of the store that MLflow itself would take. Raises BadInput."""
    os.environ.update(ALWAYS)
    for name, value in UNLESS_SET.items():
        os.environ.setdefault(name, value)
    try:
        import mlflow
        from mlflow.store.db import utils
    except ImportError:
        raise BadInput("MLflow is not installed: pip install 'model-eras[mlflow]'.") from None
    logging.getLogger("mlflow").setLevel(logging.ERROR)  # it tells of every table that it makes
    utils.MAX_RETRY_COUNT = 4  # no setting shortens the 100 s for which it knocks at a database
    return mlflow.MlflowClient(uri)


def experiment_of(client: Any, name: str) -> str:
    """The id of an experiment, which is made if it is not there."""
    found = client.get_experiment_by_name(name)
    identifier: str = client.create_experiment(name) if found is None else found.experiment_id
    return identifier


def send(client: Any, experiment: str, run: str, record: Record) -> bool:
    """Make an MLflow run of a record; False if there is one already."""
    from mlflow.entities import Metric, Param

    row = flat(record)
    identity = f"{row['cell']} {record['started']}"
    for old in client.search_runs([experiment], f"tags.`{RECORD}` = '{identity}'"):
        if old.info.status != "RUNNING":
            return False
        client.delete_run(old.info.run_id)  # of an export that was cut off
    start = round(1000 * row["started"].timestamp())
    end = start + round(1000 * (record["seconds"] or 0))
    metrics = [(name, value, 0) for name, value in metrics_of(row).items()] + [*trials_of(record)]
    name = f"{model_label(record)}, seed {record['seed']}"
    tags = {RECORD: identity, **tags_of(row, run)}
    made: str = client.create_run(experiment, start, tags, name).info.run_id
    client.log_batch(
        made,
        [Metric(name, value, end, step) for name, value, step in metrics],
        [Param(*param) for param in params_of(record).items()],
    )
    client.log_dict(made, record, "record.json")
    client.set_terminated(made, "FINISHED" if record["status"] == "done" else "FAILED", end)
    return True


def export(runs: Sequence[Run], client: Any, experiment: str) -> None:
    """Send all records that can be read, name the others on standard error."""
    from mlflow.version import VERSION

    identifier = experiment_of(client, experiment)
    for run in runs:
        records, unreadable = run.scan()
        for sentence in unreadable:
            tell(f"warning: {sentence}", is_error=True)
        sent = sum(send(client, identifier, run.name, record) for record in records)
        tell(f"run {run.name}: {sent} sent, {len(records) - sent} were there already")
    store = client.tracking_uri
    if store.startswith("http"):
        tell(f"Look at them: {store}")
    else:  # mlflow-skinny has no pages, and another version would want to convert the database
        tell(f"Look at them, with mlflow {VERSION}: mlflow ui --backend-store-uri {store}")


@command
def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog=typed("export"), description=spoken(__doc__ or ""))
    parser.add_argument("runs", metavar="RUN", nargs="+", help="name of a run (or its folder)")
    parser.add_argument(
        "--uri", help="MLflow's store; default: MLFLOW_TRACKING_URI, or mlflow.db in this folder"
    )
    parser.add_argument("--experiment", default="model-eras", help="default: model-eras")
    parser.add_argument(
        "--results", type=place_of, default=Path("results"), help="default: results"
    )
    options = parser.parse_args(arguments)
    runs = [open_run(options.results, name) for name in options.runs]
    with refusing(options.uri):
        export(runs, connect(options.uri), options.experiment)
    return FINISHED


@contextmanager
def refusing(uri: str | None) -> Iterator[None]:
    """Make one sentence, as BadInput, of all the ways in which a store cannot be used."""
    try:
        yield
    except Exception as error:
        # Each store fails in its own way: MLflow's error, SQLAlchemy's, the system's, or no driver.
        names = {kind.__name__ for kind in type(error).__mro__}
        if not names & {"MlflowException", "SQLAlchemyError", "OSError", "ImportError"}:
            raise
        store = uri or os.environ.get("MLFLOW_TRACKING_URI") or "mlflow.db"
        reason = textwrap.shorten(str(error), 250, placeholder=" …")
        text = f"MLflow's store {store} cannot be used ({reason})"
        raise BadInput(re.sub(r"//[^/@\s]*@", "//…@", text)) from None  # without a password


if __name__ == "__main__":
    sys.exit(main())
