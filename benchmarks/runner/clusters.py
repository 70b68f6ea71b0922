"""Where cells run when they do not run here: Ray, Slurm, Dask, each by a library of its own.

A cell is one task with its own process, cores, GPU and memory. What a cluster says of a task that
did not come to its end is Lost: its node died, or was taken away. No other code knows a cluster.
"""

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from benchmarks.errors import BadInput
from benchmarks.runner.compose import ROOT
from benchmarks.runner.remote import run_cell
from benchmarks.runner.watch import bytes_of

POLL_SECONDS = 1.0
MARGIN_SECONDS = 120.0  # of a Slurm job, beyond the limit of its cell: to begin and to leave


class Lost(Exception):
    """Nothing came back of a cell: the message says what the cluster says."""


class Cluster(Protocol):
    """What all of them do."""

    def submit(self, requests: Sequence[Mapping[str, Any]]) -> Sequence[Any]:
        """Hand these over (see remote.request_of); what each is known by."""
        ...

    def ended(self, tasks: Iterable[Any]) -> Iterable[tuple[Any, bytes | Lost]]:
        """Wait for one of these at least; those that have ended, and what came of them."""
        ...

    def close(self) -> None:
        """End what still runs, and leave."""
        ...


def connected(kind: str, options: Mapping[str, Any], folder: Path) -> Cluster:
    """options: for the cluster's library. folder: for what it writes. Raises BadInput."""
    try:
        return CLUSTERS[kind](options, folder)
    except ModuleNotFoundError as error:
        raise BadInput(
            f"workers={kind} needs pip install 'model-eras[{kind}]' ({error.name} is missing)."
        ) from None


def environment() -> dict[str, str]:
    """By which a node finds this kit, where it lies at the same place."""
    paths = [str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {"PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}


def resources(request: Mapping[str, Any]) -> tuple[int, int | None, int, float]:
    """(cores, bytes of memory if they are limited, GPUs, seconds at most) of a cell."""
    config, limits = request["cell"]["config"], request["settings"]["limits"]
    memory = limits.get("memory")
    gpus = int(config["device"] in ("cuda", "xpu"))
    most = None if memory is None else bytes_of(memory)
    return config["threads"], most, gpus, limits["seconds"]


class OnRay:
    """options: as ray.init takes them; `address` is `auto` unless given."""

    def __init__(self, options: Mapping[str, Any], _: Path) -> None:
        import ray  # only here, as in each of these: most runs need none of them

        self._ray = ray
        try:
            ray.init(
                **{"address": "auto", "log_to_driver": False, "logging_level": "ERROR", **options},
                runtime_env={"env_vars": environment()},
            )
        except (ConnectionError, ValueError, TypeError, RuntimeError) as error:
            raise BadInput(
                f"workers=ray: no cluster answers ({first_line(error)}); start one with ray start "
                "--head, or say where with cluster.address=HOST:6379."
            ) from None
        self._task = ray.remote(max_retries=0)(run_cell)

    def submit(self, requests: Sequence[Mapping[str, Any]]) -> Sequence[Any]:
        tasks = []
        for request in requests:
            cores, memory, gpus, _ = resources(request)
            asked = {"num_cpus": cores, "num_gpus": gpus, "memory": memory}
            tasks.append(self._task.options(**asked).remote(request))
        return tasks

    def ended(self, tasks: Iterable[Any]) -> Iterable[tuple[Any, bytes | Lost]]:
        ready, _ = self._ray.wait(list(tasks), num_returns=1)
        for task in ready:
            try:
                yield task, self._ray.get(task)
            except self._ray.exceptions.RayError as error:
                yield task, Lost(first_line(error))

    def close(self) -> None:
        self._ray.shutdown()


class OnSlurm:
    """options: as submitit takes them for Slurm, with or without `slurm_` before them, such as
    `partition`, `account`, `array_parallelism`."""

    def __init__(self, options: Mapping[str, Any], folder: Path) -> None:
        import submitit

        self._submitit = submitit
        try:
            self._executor = submitit.SlurmExecutor(folder / ".slurm")
        except RuntimeError as error:
            raise BadInput(f"workers=slurm: {first_line(error)}.") from None
        self._options = {name.removeprefix("slurm_"): value for name, value in options.items()}
        os.environ |= environment()  # which sbatch hands on
        self._under_way: list[Any] = []

    def submit(self, requests: Sequence[Mapping[str, Any]]) -> Sequence[Any]:
        jobs: list[Any] = []
        alike: dict[Any, list[int]] = {}
        for place, request in enumerate(requests):
            alike.setdefault(resources(request), []).append(place)
        found: dict[int, Any] = {}
        for (cores, memory, gpus, seconds), places in alike.items():
            asked: dict[str, Any] = {
                "cpus_per_task": cores,
                "time": -(-int(seconds + MARGIN_SECONDS) // 60),
                "job_name": "model-eras",
            }
            if memory is not None:
                asked["mem"] = f"{-(-memory // 2**20) + 512}MB"  # and what it begins with
            if gpus:
                asked["gpus_per_node"] = gpus
            try:
                self._executor.update_parameters(**asked | self._options)
                jobs = self._executor.map_array(run_cell, [requests[place] for place in places])
            except (ValueError, TypeError, self._submitit.core.utils.FailedJobError) as error:
                raise BadInput(f"workers=slurm: {first_line(error)}") from None
            found |= dict(zip(places, jobs, strict=True))
        self._under_way += found.values()
        return [found[place] for place in range(len(requests))]

    def ended(self, tasks: Iterable[Any]) -> Iterable[tuple[Any, bytes | Lost]]:
        waiting = list(tasks)
        while not (ready := [job for job in waiting if job.done()]):
            time.sleep(POLL_SECONDS)
        for job in ready:
            self._under_way.remove(job)
            try:
                yield job, job.result()
            except Exception as error:  # whatever it raised there, and what Slurm says of it
                yield job, Lost(f"{job.state.lower()}: {first_line(error)}")

    def close(self) -> None:
        for job in self._under_way:
            job.cancel()


class OnDask:
    """options: as distributed.Client takes them; `address` of the scheduler."""

    def __init__(self, options: Mapping[str, Any], _: Path) -> None:
        import distributed

        self._distributed = distributed
        if "address" not in options:
            raise BadInput(
                "workers=dask: say where the scheduler is with cluster.address=HOST:8786."
            )
        try:
            self._client = distributed.Client(**{"timeout": 10, **options})
        except (OSError, ValueError, TypeError) as error:
            raise BadInput(
                f"workers=dask: no scheduler answers at {options['address']} ({first_line(error)})."
            ) from None

    def submit(self, requests: Sequence[Mapping[str, Any]]) -> Sequence[Any]:
        return [self._client.submit(run_cell, request, pure=False) for request in requests]

    def ended(self, tasks: Iterable[Any]) -> Iterable[tuple[Any, bytes | Lost]]:
        waiting = list(tasks)
        done, _ = self._distributed.wait(waiting, return_when="FIRST_COMPLETED")
        for task in done:
            error = task.exception()
            yield task, task.result() if error is None else Lost(first_line(error))

    def close(self) -> None:
        self._client.close()


CLUSTERS: Mapping[str, Callable[[Mapping[str, Any], Path], Cluster]] = {
    "ray": OnRay,
    "slurm": OnSlurm,
    "dask": OnDask,
}


def first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300].rstrip(".")


__all__ = ["Cluster", "Lost", "connected"]
