"""The keys of conf/config.yaml that are neither task nor model: what they may be."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic

from benchmarks.errors import BadInput, refusal
from benchmarks.records import codes, machine
from benchmarks.records.places import place_of


def at_home(path: Path) -> Path:
    """With a home folder for its `~`, which a shell leaves alone behind an equals sign."""
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError("there is no such user") from None


Folder = Annotated[Path, pydantic.AfterValidator(at_home)]


class Limits(pydantic.BaseModel, extra="forbid"):
    """What a cell may take before it is ended, with all that it starts; null: anything."""

    seconds: Annotated[float, pydantic.Field(gt=0, allow_inf_nan=False)]
    memory: Annotated[float, pydantic.Field(gt=0, allow_inf_nan=False)] | None
    """Megabytes (10^6 bytes) over what it has at its start; up to 1: a share of the machine's."""
    tokens: Annotated[int, pydantic.Field(ge=0)] | None
    """That its models may read and write."""
    money: Annotated[float, pydantic.Field(ge=0, allow_inf_nan=False)] | None
    """That they may spend, in the currency of their prices."""
    ask: Annotated[float, pydantic.Field(ge=0, le=60)]
    """Seconds that a cell at a limit has to leave what it knows, once it was asked to (SIGINT)."""
    terminate: Annotated[float, pydantic.Field(ge=0, le=60)]
    """Seconds behind that until it is killed, once it and all that it started were told to end
    (SIGTERM)."""
    artifact_mb: Annotated[float, pydantic.Field(ge=0, allow_inf_nan=False)]
    """Of the files that it may leave beside its record; larger ones are left out."""


class Cache(pydantic.BaseModel, extra="forbid"):
    """Where expensive views are kept from command to command, and how much of them."""

    folder: Folder | None
    gigabytes: Annotated[float, pydantic.Field(ge=0, allow_inf_nan=False)]


class Verdicts(pydantic.BaseModel, extra="forbid"):
    band: Annotated[float, pydantic.Field(ge=0, allow_inf_nan=False)] | None


class Tune(pydantic.BaseModel, extra="forbid"):
    trials: Annotated[int, pydantic.Field(ge=1)] | None = None
    seconds: Annotated[float, pydantic.Field(gt=0, allow_inf_nan=False)] | None = None

    def budget(self) -> dict[str, Any]:
        """What each model may spend on a search; empty for none."""
        return self.model_dump(exclude_none=True)


class Timing(pydantic.BaseModel, extra="forbid"):
    """What is timed besides the phases: single calls by batch size, at most so many `calls` of
    each within so many `seconds`; a `cold_start`. audit: are gauges read beside the clock?"""

    batches: list[Annotated[int, pydantic.Field(ge=1)]]
    calls: Annotated[int, pydantic.Field(ge=1)]
    seconds: Annotated[float, pydantic.Field(ge=0, allow_inf_nan=False)]
    cold_start: bool
    audit: bool


class Checks(pydantic.BaseModel, extra="forbid"):
    skip: list[codes.Code]
    rows: Annotated[int, pydantic.Field(ge=0)]


class Explain(pydantic.BaseModel, extra="forbid"):
    """What a cell does so that a page can say where its model is wrong, and what drives it."""

    seconds: Annotated[float, pydantic.Field(ge=0, allow_inf_nan=False)]
    rows: Annotated[int, pydantic.Field(ge=0, le=1_000_000)]


SEEDS = 2**32
ENGINES = r"^(duckdb|spark|(spark|sc)://[^\s/]+:[0-9]{1,5}(/\S*)?)$"
WORKERS = r"^(local(:[1-9][0-9]{0,3})?|ray|slurm|dask)$"


class RunConfig(pydantic.BaseModel, extra="forbid"):
    """All of them."""

    run: Annotated[str, pydantic.Field(pattern=r"^\w[\w.-]*$")]
    results: Annotated[Folder, pydantic.BeforeValidator(place_of)]
    """A folder of runs; of an address on object storage its mirror here."""
    seed: Annotated[int, pydantic.Field(ge=0, lt=SEEDS)]
    threads: Annotated[int, pydantic.Field(ge=1)] | None
    workers: Annotated[str, pydantic.Field(pattern=WORKERS)]
    cluster: dict[str, Any]
    """What the cluster's own library is given beside, by its names (docs/scaling.md)."""
    engine: Annotated[str, pydantic.Field(pattern=ENGINES)]
    """What runs a task's views in SQL (tasks/engines.py)."""
    device: Literal["auto", "cpu", "cuda", "xpu", "mps"]
    limits: Limits
    tune: Tune
    timing: Timing
    metric: Annotated[str, pydantic.Field(pattern=r"^[a-z]\w*$")] | None
    verdicts: Verdicts
    checks: Checks
    explain: Explain
    cache: Cache
    control: (
        Literal[
            "shuffled_labels", "future_column", "duplicate_users", "kept_order", "shuffled_order"
        ]
        | None
    )
    allow: list[Annotated[str, pydantic.Field(pattern=r"^[^\W\d]\w*$")]]
    """Packages whose classes may be built, beside those of records/allowed.py."""
    picture: bool
    fresh: bool
    rerun: Literal["nothing", "failed", "disturbed"]

    @property
    def is_here(self) -> bool:
        """Do cells run on this machine, started by this command?"""
        return self.workers.startswith("local")

    @property
    def beside(self) -> int:
        """How many cells run on it at a time."""
        return int(self.workers.partition(":")[2] or 1)


def run_config(given: Mapping[str, Any], choices: Mapping[str, str]) -> RunConfig:
    """Check these keys of a composed config. Raises BadInput.

    choices: the option chosen in each config group; the suite's name is that of the run, unless
    one is given.
    """
    given = {key: value for key, value in given.items() if key not in ("task", "model")}
    if given["run"] is None:
        given["run"] = choices["suite"]
    try:
        checked = RunConfig(**given)
    except pydantic.ValidationError as error:
        raise BadInput(refusal(error)) from None
    cores, beside = machine.available_cores(), checked.beside
    if checked.is_here and (checked.threads or 1) * beside > cores:
        what = f"workers={checked.workers}: " if beside > 1 else ""
        threads = f"threads={checked.threads}: " if checked.threads is not None else ""
        raise BadInput(f"{what}{threads}this machine offers {cores}.")
    if checked.threads is None and beside > 1:
        return checked.model_copy(update={"threads": cores // beside})
    return checked
