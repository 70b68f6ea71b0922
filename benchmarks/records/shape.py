"""What a record must look like for anything to be made of it: types and ranges, not meaning.

results/README.md says what the fields mean. A field that is not there is asked for elsewhere
(records.ALWAYS, WHEN_DONE); fields that are not listed may hold anything.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

import pydantic
from annotated_types import Ge, Le, MinLen

Status = Literal["done", "failed", "timeout", "out_of_memory", "skipped"]
Number = Annotated[float, Ge(-1e150), Le(1e150)]  # its square is a number as well
Amount = Annotated[float, Ge(0), Le(1e18)]
Seconds = Annotated[float, Ge(0), Le(1e9)]
Count = Annotated[int, Ge(0), Le(2**53)]
Rows = Annotated[int, Ge(1), Le(2**53)]
Text = Annotated[str, pydantic.StringConstraints(max_length=1_000_000)]
Name = Annotated[str, pydantic.StringConstraints(pattern=r"^[^\x00]+$", max_length=200)]
Digits = Annotated[str, pydantic.StringConstraints(pattern=r"^[0-9]{1,15}$")]
Beside = Annotated[
    str,
    pydantic.StringConstraints(
        pattern=r"^\.(npz|answers\.jsonl|rows\.parquet|artifacts/[^\x00]+)$"
    ),
]
"""What a name has behind that of its cell."""


class Part(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="ignore", strict=True, allow_inf_nan=False)


class Metric(Part):
    model_config = pydantic.ConfigDict(extra="forbid")

    name: Name
    label: Text
    words: Text
    higher_is_better: bool
    band: Amount
    relative: bool = False


class NumberOfRows(Part):
    train: Rows
    test: Rows
    of: Rows | None = None


class Phase(Part):
    wall: Seconds
    start: Number = 0.0
    cpu: Number = 0.0
    others: Number = 0.0
    steal: Number = 0.0
    memory_growth: Number = 0.0
    children_peak: Number = 0.0
    peak: Number = 0.0
    gpu_peak: Number = 0.0
    joules: Number = 0.0
    gpu_joules: Number = 0.0


class Latency(Part):
    p50: Seconds
    p99: Seconds | None
    min: Seconds = 0.0
    calls: Count = 1


class Lift(Part):
    score: Annotated[float, Ge(0), Le(1e300)]
    ceiling: Annotated[float, Ge(0), Le(1e300)] | None = None
    both: Annotated[float, Ge(-1e300), Le(1e300)] | None = None

    @pydantic.model_validator(mode="after")
    def is_whole(self) -> "Lift":
        if (self.ceiling is None) != (self.both is None):
            raise ValueError("what varies with the ceiling needs how the ceiling varies")
        return self


class Subset(Part):
    rows: Rows
    scores: dict[str, Number | None]
    ceiling: dict[str, Number | None] | None = None
    floor: dict[str, Number | None] = {}
    lifts: dict[str, Lift] = {}


class Driver(Part):
    column: Text
    drop: Number
    variance: Annotated[float, Ge(0), Le(1e300)] | None = None


class Drivers(Part):
    metric: Name = "-"
    label: Text = ""
    rows: Count = 0
    of: list[Driver] = []
    why: Text = ""

    @pydantic.model_validator(mode="after")
    def is_whole(self) -> "Drivers":
        if self.of and not {"metric", "rows"} <= self.model_fields_set:
            raise ValueError("what drives a model needs a metric and a number of rows")
        return self


class Check(Part):
    code: Annotated[str, pydantic.StringConstraints(pattern=r"^ME[0-9]{2}$")]
    text: Text


class Control(Part):
    name: Text = ""
    passed: bool | None = None
    text: Text = ""


class Trial(Part):
    values: dict[str, Any]
    score: Number | None
    seconds: Seconds
    reason: Text = ""


class Used(Part):
    trials: Count
    seconds: Seconds = 0.0


class Tuning(Part):
    metric: Name = "-"
    judged_by: Text = ""
    rows: dict[str, Count] = {}
    budget: dict[str, Amount] = {}
    used: Used
    trials: list[Trial]
    chosen: dict[str, Any]


class Work(Part):
    feature_lines_sql: Count | None = None
    feature_lines_python: Count | None = None
    preparation: list[Text] = []
    model_lines: Count | None = None
    loop_lines: Count | None = None
    knobs: Count | None = None
    knobs_changed: Count | None = None
    knobs_tuned: Count | None = None
    gpu: Text | None = None
    packages: list[Text] | None = None
    package_bytes: Count | None = None
    raw_columns: Count | None = None
    designed_columns: Count | None = None
    fits: Count | None = None
    labels: Count | None = None
    tokens: Count | None = None
    tokens_read: Count | None = None
    tokens_written: Count | None = None
    tokens_read_each: Amount | None = None
    tokens_written_each: Amount | None = None


class File(Part):
    bytes: Count
    blake2b: Annotated[str, pydantic.StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class Artifacts(Part):
    files: dict[str, Count]
    refused: Text = ""


class Settings(Part):
    target: str = pydantic.Field(alias="_target_")


class Search(Part):
    budget: Annotated[dict[Literal["trials", "seconds"], Amount], MinLen(1)]
    space: dict[str, Any] = {}


class Config(Part):
    task: Settings
    model: Settings
    threads: Count
    device: Text | None
    tune: Search = Search(budget={"trials": 0})
    control: Text | None = None
    engine: Text | None = None


class Code(Part):
    task: str | None
    model: str | None
    data: str | None = None
    prompt: str | None = None


class Limits(Part):
    seconds: Amount
    memory: Amount | None = None
    tokens: Count | None = None
    money: Amount | None = None


class Timing(Part):
    batches: list[Count]
    calls: Count
    seconds: Amount
    cold_start: bool


class Machine(Part):
    processor: Text
    cores: Count
    memory_gb: Amount
    python: Text
    system: Text = ""
    architecture: Text = ""
    host: Text = ""


class Ended(Part):
    limit: Text | None
    phase: Text | None
    said: list[Text]


class Stated(Part):
    fit_seconds: Seconds | None = None
    predict_seconds: Seconds | None = None
    price: Amount | None = None
    by: Text | None = None


class Expected(Part):
    seconds: Seconds
    memory: Amount


class Shape(Part):
    task: Name
    model: Name
    seed: Count
    status: Status
    reason: Text | None
    config: Config
    config_hash: Name
    changed: dict[Literal["task", "model"], dict[str, Any]]
    code: Code
    machine: Machine
    packages: dict[str, Text]
    started: Text
    seconds: Seconds | None
    limits: Limits
    timing: Timing

    era: Text | None = None
    year: Annotated[int, Ge(-9999), Le(9999)] | None = None
    view: Text = "features"
    bound: bool = False
    unasked: bool = False
    kind: Literal["binary", "multiclass", "regression", "answers"] = "binary"
    answer: Literal["probabilities", "values", "answers"] = "probabilities"
    metric: Name = "-"
    judged_by: Text = ""
    metrics: Annotated[list[Metric], MinLen(1)] = []
    scores: dict[str, Number | None] = {}
    ceiling: dict[str, Number | None] | None = None
    floor: dict[str, Number | None] = {}
    lifts: dict[str, Lift] = {}
    subset: Subset | None = None
    drivers: Drivers | None = None
    same_rows: bool = False
    tuning: Tuning | None = None
    rows: NumberOfRows | None = None
    columns: Count | None = None
    levels: Count | None = None
    outputs: Count | None = None
    expected: Expected | None = None
    prepared: dict[str, Text] = {}
    phases: dict[str, Phase] = {}
    calibration: dict[str, Number] = {}
    control: Control | None = None
    checks: list[Check] = []
    warmed_up: bool = True
    latency: dict[Digits, Latency] = {}
    notices: list[Text] = []
    asked: dict[str, Count] = {}
    cold_start: dict[str, Seconds | None] | None = None
    parameters: Count | None = None
    size_bytes: Count | None = None
    work: Work | None = None
    notes: dict[str, Any] = {}
    history: dict[str, list[Number | None]] | None = None
    artifacts: Artifacts | None = None
    files: dict[Beside, File] = {}
    pools: dict[str, Count] | None = None
    commit: Text | None = None
    stated: Stated | None = None
    ended: Ended | None = None
    beside: Rows | None = None
    lost: Count | None = None

    @pydantic.field_validator("started")
    @classmethod
    def is_moment(cls, text: str) -> str:
        if datetime.fromisoformat(text).tzinfo is None:
            raise ValueError("a moment needs its zone")
        return text

    @pydantic.model_validator(mode="after")
    def is_whole(self) -> "Shape":
        if self.status != "done":
            if self.reason is None:
                raise ValueError("what is not done needs a reason")
            return self
        if self.rows is None or not self.metrics or not {"fit", "predict"} <= self.phases.keys():
            raise ValueError("what is done needs rows, metrics and the phases fit and predict")
        names = [metric.name for metric in self.metrics]
        if names[0] != self.metric or len(set(names)) < len(names):
            raise ValueError("metrics must begin with the main one, each once")
        if self.metric not in self.scores or not self.latency:
            raise ValueError("what is done needs a score and a latency")
        if "tune" in self.config.model_fields_set and self.tuning is None:
            raise ValueError("a search needs its trials")
        if self.tuning is not None and self.tuning.metric not in names:
            raise ValueError("a search needs one of the metrics")
        return self


def misfit(record: Mapping[str, Any]) -> str | None:
    """What is wrong with the first field that does not fit, None if all of them do."""
    try:
        Shape.model_validate(record)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])[:100]
        words = first["msg"].removeprefix("Value error, ")
        return f"{place}: {words[:1].lower()}{words[1:]}" if place else words
    return None
