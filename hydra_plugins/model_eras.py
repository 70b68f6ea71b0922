"""What Hydra does differently here, in the folder where it looks for plugins.

CellSweeper is chosen in conf/config.yaml. It composes every job of a sweep first and hands all of
them on, so that bad input is refused before any work is done and only cells that have no record
yet are run: here, or by a launcher of another kind than Hydra's basic one.
"""

from collections.abc import Mapping
from typing import Any

from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from benchmarks.plan.app import HydraTask


class CellSweeper(Sweeper):
    """Hydra's grid sweep; what it sweeps over are the cells of a run."""

    def __init__(self, params: Mapping[str, Any], **models: str) -> None:
        """params: what a suite sweeps over. models: those that suites name in it, by groups."""
        self.params, self.models = params, models

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        assert isinstance(task_function, HydraTask)
        self.task, self.loader = task_function, hydra_context.config_loader
        self.composed = config
        self.chosen_launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> None:
        suite = [f"{key}={value}" for key, value in self.params.items()]
        self.task.sweep(self.composed, self.loader, self.chosen_launcher, [*suite, *arguments])
