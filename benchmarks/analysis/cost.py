"""Total cost: search, training and N predictions, in seconds and in money, and where it pays.

What a cell measured, drawn on in a straight line: training is paid once, every prediction costs
its share of the features and of the call with all test rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any

import pydantic
import yaml

from benchmarks.analysis.summary import Row, Section, phase, row_latency
from benchmarks.errors import BadInput, refusal
from benchmarks.records.records import Record

PREDICTIONS = tuple(10**k for k in range(3, 10))  # a thousand to a billion
PRICES = Path(__file__).parents[1] / "prices.yaml"
Price = Annotated[float, pydantic.Field(ge=0, allow_inf_nan=False)]


class Prices(pydantic.BaseModel, extra="forbid"):
    """Of an hour of one core, of one GPU, and of a million tokens."""

    currency: Annotated[str, pydantic.Field(min_length=1, max_length=12)]
    cpu_hour: Price
    gpu_hour: Price
    million_tokens: Price


def read_prices(file: Path = PRICES) -> Prices:
    """Raises BadInput."""
    try:
        given: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"The prices {file} cannot be read ({error.strerror}).") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise BadInput(f"The prices {file} are no YAML.") from None
    if not isinstance(given, dict):
        raise BadInput(f"The prices {file} need {', '.join(Prices.model_fields)}.")
    try:
        return Prices(**{str(key): value for key, value in given.items()})
    except pydantic.ValidationError as error:
        raise BadInput(f"{file}: {refusal(error)}") from None


@dataclass(frozen=True)
class Cost:
    """Of one model: `once`, and `each` prediction; seconds and money."""

    label: str
    seconds_once: float
    seconds_each: float
    money_once: float
    money_each: float

    def seconds(self, predictions: float) -> float:
        return self.seconds_once + predictions * self.seconds_each

    def money(self, predictions: float) -> float:
        return self.money_once + predictions * self.money_each


def costs(section: Section, prices: Prices) -> list[Cost]:
    """One for each row with a cell that is done and a clock that nothing disturbed; medians over
    seeds."""
    found = []
    for row in section.rows:
        once, each = section.seconds(row, seconds_once), section.seconds(row, seconds_each)
        if once is None or each is None:
            continue
        per_second = _hour(row, prices) / 3600
        tokens = row.median(_tokens_each) or 0.0
        found.append(
            Cost(
                row.label,
                once,
                each,
                once * per_second,
                each * per_second + tokens * prices.million_tokens / 1e6,
            )
        )
    return found


def seconds_once(record: Record) -> float:
    """The features of the train rows, the search, the fit."""
    rows = record["rows"]
    share = rows["train"] / (rows["train"] + rows["test"])
    return (
        share * (phase(record, "view") or 0.0)
        + (phase(record, "tune") or 0.0)
        + (phase(record, "fit") or 0.0)
    )


def seconds_each(record: Record) -> float:
    """A row's share of the features, and of the call with all test rows."""
    rows = record["rows"]
    features = (phase(record, "view") or 0.0) / (rows["train"] + rows["test"])
    return features + (row_latency(record) or 0.0)


def _hour(row: Row, prices: Prices) -> float:
    """Of all cores that a cell had, or of the GPU that its model says it used."""
    if row.first["notes"].get("device") in ("cuda", "xpu", "mps"):
        return prices.gpu_hour
    return float(row.first["config"]["threads"]) * prices.cpu_hour


def _tokens_each(record: Record) -> float | None:
    tokens = (record.get("work") or {}).get("tokens")
    return None if tokens is None else tokens / record["rows"]["test"]


def break_evens(found: Sequence[Cost]) -> list[tuple[str, str, float]]:
    """(cheaper before, cheaper after, predictions) of every two that cross between the first and
    the last of PREDICTIONS, the earliest first."""
    crossings = []
    for a, b in combinations(found, 2):
        if a.money_each == b.money_each:
            continue
        where = (b.money_once - a.money_once) / (a.money_each - b.money_each)
        if PREDICTIONS[0] <= where <= PREDICTIONS[-1]:
            before, after = (a, b) if a.money_each > b.money_each else (b, a)
            crossings.append((before.label, after.label, where))
    return sorted(crossings, key=lambda crossing: crossing[2])
