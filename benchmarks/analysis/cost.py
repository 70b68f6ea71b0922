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
from benchmarks.records.subset import whole_of

PREDICTIONS = tuple(10**k for k in range(3, 10))  # a thousand to a billion
SERVED = "served"  # the device of a model that runs elsewhere
PRICES = Path(__file__).parents[1] / "prices.yaml"
Price = Annotated[float, pydantic.Field(ge=0, allow_inf_nan=False)]


class Prices(pydantic.BaseModel, extra="forbid"):
    """Of an hour of one core, of one GPU, and of a million tokens that a served model reads, and
    writes: as much, where nothing is said."""

    currency: Annotated[str, pydantic.Field(min_length=1, max_length=12)]
    cpu_hour: Price
    gpu_hour: Price
    million_tokens: Price
    million_tokens_written: Price | None = None

    def tokens(self, read: float, written: float) -> float:
        """Money."""
        of_written = self.million_tokens_written
        dear = self.million_tokens if of_written is None else of_written
        return (read * self.million_tokens + written * dear) / 1e6


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
        by_token = row.first["notes"].get("device") == SERVED
        found.append(
            Cost(
                row.label,
                once,
                each,
                _tokens_once(row, prices) if by_token else once * per_second,
                _tokens_each(row, prices) if by_token else each * per_second,
            )
        )
    return found


def seconds_once(record: Record) -> float:
    """The features of the train rows, the search, the fit."""
    rows = whole_of(record)["rows"]
    share = rows["train"] / (rows["train"] + rows["test"])
    return (
        share * (phase(record, "view") or 0.0)
        + (phase(record, "tune") or 0.0)
        + (phase(record, "fit") or 0.0)
    )


def seconds_each(record: Record) -> float:
    """A row's share of the features, and of the call with all test rows."""
    rows = whole_of(record)["rows"]
    features = (phase(record, "view") or 0.0) / (rows["train"] + rows["test"])
    return features + (row_latency(record) or 0.0)


def _hour(row: Row, prices: Prices) -> float:
    """Of all cores that a cell had, or of the GPU that its model says it used."""
    if row.first["notes"].get("device") in ("cuda", "xpu", "mps"):
        return prices.gpu_hour
    return float(row.first["config"]["threads"]) * prices.cpu_hour


def _tokens_each(row: Row, prices: Prices) -> float:
    """Of a model that somebody serves: its tokens are paid for, and nothing for those who wait."""
    return prices.tokens(_work(row, "tokens_read_each"), _work(row, "tokens_written_each"))


def _tokens_once(row: Row, prices: Prices) -> float:
    whole = prices.tokens(_work(row, "tokens_read"), _work(row, "tokens_written"))
    return max(0.0, whole - _tokens_each(row, prices) * whole_of(row.first)["rows"]["test"])


def _work(row: Row, name: str) -> float:
    return row.median(lambda record: (record.get("work") or {}).get(name)) or 0.0


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
