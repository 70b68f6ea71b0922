"""What Hydra does differently here. Hydra finds plugins in a folder of this name.

- SettingsSource reads conf/ and completes each model and task with the settings of its class,
  so that `model.C=3` can be typed, checked and shown without repeating defaults in YAML;
- SettingsPath puts conf/ on Hydra's search path, and has every other folder read in that way too;
- CellSweeper composes every job of a sweep first and gives all of them to run.run_cells, which
  refuses bad input before any work is done and runs only cells that have no record yet: here,
  unless a launcher of another kind than Hydra's basic one was chosen.
"""

import copy
import re
from typing import Any, ClassVar

from hydra._internal.core_plugins.basic_launcher import BasicLauncher
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.plugins.config_source import ConfigResult
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, OmegaConf

from benchmarks.plan import run
from benchmarks.plan.settings import REQUIRED, read_settings


class SettingsSource(FileConfigSource):
    """YAML files whose `_target_` class supplies the settings that the file does not state."""

    @staticmethod
    def scheme() -> str:
        return "settings"

    def __init__(self, provider: str, path: str) -> None:
        super().__init__(provider, re.sub("^file://", f"{self.scheme()}://", path))

    _loaded: ClassVar[dict[tuple[str, str], ConfigResult]] = {}

    def load_config(self, config_path: str) -> ConfigResult:
        # Hydra reads all files again for each job of a sweep.
        key = self.path, config_path
        if key not in self._loaded:
            self._loaded[key] = self._load_config(config_path)
        return copy.deepcopy(self._loaded[key])

    def _load_config(self, config_path: str) -> ConfigResult:
        result = super().load_config(config_path)
        group, _, name = config_path.removesuffix(".yaml").partition("/")
        if group in ("task", "model") and isinstance(result.config, DictConfig):
            target = result.config.get("_target_")
            settings = read_settings(target) if target else None
            if settings is not None:
                known = settings.configurable() | dict.fromkeys(settings.required(), REQUIRED)
                result.config = OmegaConf.merge(known, result.config)
            run.PLAIN[group, name] = OmegaConf.to_container(result.config)  # type: ignore[assignment]
        return result


class SettingsPath(SearchPathPlugin):
    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        # Hydra's own guess is the folder of the task function, which holds no configs to offer.
        paths = search_path.get_path()
        paths[:] = [path for path in paths if path.provider != "main"]
        search_path.append(provider="model-eras", path=f"{SettingsSource.scheme()}://{run.CONF}")
        # A folder of the user's own (--config-dir, hydra.searchpath) comes as file://, which
        # Hydra's own source is registered for and nothing else can be.
        SourcesRegistry.instance().types["file"] = SettingsSource


class CellSweeper(BasicSweeper):
    """Hydra's grid sweep; what it sweeps over are the cells of a run."""

    def sweep(self, arguments: list[str]) -> None:
        assert self.config is not None
        assert self.hydra_context
        assert self.launcher
        launcher, loader = self.launcher, self.hydra_context.config_loader
        parser = OverridesParser.create(config_loader=loader)
        overrides = parser.parse_overrides(self._parse_config() + arguments + run.requested)
        (jobs,) = self.split_arguments(overrides, max_batch_size=None)
        composed = [loader.load_sweep_config(self.config, list(job)) for job in jobs]

        def launch(wanted: list[int]) -> None:
            for job in launcher.launch([list(jobs[k]) for k in wanted], initial_job_idx=0):
                _ = job.return_value  # raises what the job raised

        # The basic launcher would compose every config a second time, 0.1 s a cell.
        run.run_cells(composed, None if isinstance(launcher, BasicLauncher) else launch)


_CELLS: dict[str, Any] = {
    "_target_": f"{__name__}.CellSweeper",
    "max_batch_size": None,
    "params": {},
}
ConfigStore.instance().store(group="hydra/sweeper", name="cells", node=_CELLS)
