"""Cells from records: the same config once more, on other seeds."""

from collections.abc import Iterable

from benchmarks.errors import BadInput
from benchmarks.plan.cells import PARTS, constants_of, hashes, is_expensive, require_device
from benchmarks.plan.sources import find_source
from benchmarks.records import allowed
from benchmarks.records.records import Cell, Record


def cells_like(
    record: Record,
    seeds: Iterable[int],
    so: str = "there is nothing to confirm it with",
    allow: Iterable[str] = (),
) -> list[Cell]:
    """Cells with exactly the config of a record. Raises BadInput where the code or the data behind
    it are not what they were, as they would be cells of something else. so: what follows then."""
    parts = {part: record["config"][part] for part in PARTS}
    for part, config in parts.items():
        if (sentence := allowed.refusal(part, config["_target_"], allow)) is not None:
            raise BadInput(sentence.replace("allow=", "--allow "))
    now = hashes(parts, record["task"])
    for name, then in record["code"].items():
        if now.get(name) != then:
            raise BadInput(f"{changed(record, name)}, so {so}.")
    if (device := record["config"].get("device")) is not None:
        require_device(device)
    return [
        Cell(
            task=record["task"],
            model=record["model"],
            seed=seed,
            config=record["config"],
            code=now,
            changed=record["changed"],
            expensive=is_expensive(parts),
            constants=constants_of(parts["model"]["_target_"]),
        )
        for seed in seeds
    ]


def changed(record: Record, name: str) -> str:
    """What is not what it was when the record was made."""
    if name == "data":
        return f"The data of {record['task']} has changed since, or is gone"
    target = record["config"][name]["_target_"]
    if find_source(target) is None:
        return f"The file of the {name} {record[name]} ({target}) is gone"
    return f"The code of the {name} {record[name]} ({target}) has changed since"


def splits_only(record: Record) -> bool:
    """Is a new seed a new split of the same rows, and no new rows?"""
    constants = constants_of(record["config"]["task"]["_target_"])
    return constants.get("general") is True or bool(constants.get("files"))
