"""What was set or given in one run and not in another: settings, code, data, packages, machine."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.records.records import Record

ABSENT = "–"  # as in show.formats, which this room does not know


@dataclass
class Given:
    """Everything that was set or given in a run, with all values that its records have of it."""

    values: dict[str, set[str]] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    """Key -> the task or model that it belongs to; nothing for those of a whole run."""
    there: set[str] = field(default_factory=set)
    """Tasks and models of the run."""

    def add(self, key: str, value: Any, owner: str = "") -> None:
        if isinstance(value, Mapping):
            for name, inner in value.items():
                self.add(f"{key}.{name}" if key else name, inner, owner)
        elif value is not None:
            self.values.setdefault(key, set()).add(str(value))
            self.owners[key] = owner

    def has(self, key: str, owner: str) -> bool:
        """Could the run have this key at all?"""
        return key in self.values or not owner or owner in self.there


def facts(records: Iterable[Record]) -> Given:
    found = Given()
    for record in records:
        task, model, config = record["task"], record["model"], record["config"]
        found.there |= {task, model}
        found.add(task, config["task"], task)
        found.add(model, config["model"], model)
        found.add(f"{model}.tune", (config.get("tune") or {}).get("budget"), model)
        found.add("control", config.get("control"))
        found.add(f"code of {task}", record["code"]["task"], task)
        found.add(f"data of {task}", record["code"].get("data"), task)
        found.add(f"code of {model}", record["code"]["model"], model)
        for key in ("threads", "device", "engine"):
            found.add(key, config.get(key))
        for key in ("seed", "commit", "limits", "timing", "packages", "machine"):
            found.add(key, record.get(key))
    return found


def differences(runs: Sequence[Iterable[Record]]) -> list[tuple[str, list[str]]]:
    """(key, its values in each run) for all that is not the same in every run that could have it;
    settings of a model that only one run has are no difference."""
    found = [facts(records) for records in runs]
    owners = {key: owner for one in found for key, owner in one.owners.items()}
    lines = []
    for key, owner in owners.items():
        values = [one.values.get(key, set()) for one in found if one.has(key, owner)]
        if any(value != values[0] for value in values):
            lines.append((key, [written(one.values.get(key, set())) for one in found]))
    return lines


def written(values: Iterable[str]) -> str:
    """Numbers in their order, then words."""

    def key(value: str) -> tuple[bool, float, str]:
        try:
            return False, float(value), value
        except ValueError:
            return True, 0.0, value

    return ", ".join(sorted(values, key=key)) or ABSENT
