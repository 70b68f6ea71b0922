"""Which cells have to run, by the records that there are."""

from collections.abc import Mapping
from typing import Any

from benchmarks.records.records import Record
from benchmarks.runner.watch import bytes_of


def is_wanted(
    record: Record | None,
    limits: Mapping[str, Any],
    timing: Mapping[str, Any],
    fresh: bool,
    rerun: str,
) -> bool:
    """Does a cell with this record (None: without one) have to run?

    Every ending counts, so that a suite with a cell that hangs can be completed; a failed cell
    runs again when its code changes, when it may take longer than before, or when asked to. A cell
    that is done runs again for what is to be timed and was not.
    """
    if record is None or fresh:
        return True
    if is_eased(record, limits):
        return True
    if record["status"] == "done" and times_more(timing, record["timing"]):
        return True
    if rerun == "disturbed":
        return any(check["code"] == "ME08" for check in record.get("checks", ()))
    return rerun == "failed" and record["status"] != "done"


def is_eased(record: Record, limits: Mapping[str, Any]) -> bool:
    """Was its cell ended at a limit that is higher now?"""
    limit = (record.get("ended") or {}).get("limit")
    if limit is None and record["status"] == "timeout":  # an older record, that knew of no other
        limit = "seconds"
    if limit is None:
        return False
    was, now = record["limits"].get(limit), limits.get(limit)
    if was is None or now is None:
        return was is not None
    return bytes_of(was) < bytes_of(now) if limit == "memory" else was < now


def times_more(wanted: Mapping[str, Any], had: Mapping[str, Any]) -> bool:
    return (
        not set(wanted["batches"]) <= set(had["batches"])
        or wanted["calls"] > had["calls"]
        or wanted["cold_start"] > had["cold_start"]
    )
