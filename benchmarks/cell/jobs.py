"""Work in the process of a cell that is no cell: it ends with an outcome, or with a sentence."""

import json
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.cell import rows as of_rows
from benchmarks.cell.answers import OtherAnswers
from benchmarks.cell.cell import Missing, TooLarge
from benchmarks.cell.fields import one_line
from benchmarks.cell.restored import Unfit
from benchmarks.records.files import Unwritable
from benchmarks.records.values import plain_data
from tasks.base import UnknownView


class Refused(ValueError):
    """What was asked for cannot be done; the message is a sentence."""


SENTENCES = (Refused, UnknownView, of_rows.Unjoinable, OtherAnswers, Missing, TooLarge, Unfit)
"""Errors that are told as they are."""


def end(work: Callable[[], Mapping[str, Any]], folder: Path) -> None:
    """Do the work and leave in `outcome.json` what came of it: `status` (`done`, `refused`,
    `unwritable` or `failed`), `reason` where it is not done, and what the work returns."""
    outcome: Mapping[str, Any]
    try:
        outcome = {"status": "done", "reason": None, **work()}
    except SENTENCES as error:
        outcome = {"status": "refused", "reason": " ".join(str(error).split())}
    except Unwritable as error:
        outcome = {"status": "unwritable", "reason": str(error)}
    except BaseException as error:
        traceback.print_exc()
        outcome = {"status": "failed", "reason": one_line(error)}
    part = folder / "outcome.part"
    part.write_text(json.dumps(plain_data(dict(outcome))), encoding="utf-8")
    part.replace(folder / "outcome.json")
