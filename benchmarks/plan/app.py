"""Hydra: from a command line to plans, and the way back for its launchers.

Hydra composes YAML files as they are. What the class of a task or model has beside them is put in
after that (`add_settings`), so its own sources, launchers and search path stay untouched.
docs/adr/0007-settings-are-completed-after-composition.md says why.
"""

import copy
import itertools
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol

import hydra
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from benchmarks.commands import HELP, SHOWING
from benchmarks.errors import BAD_INPUT, BUSY, FINISHED, BadInput, Busy, nearest, tell
from benchmarks.plan import help_page
from benchmarks.plan.cells import PARTS, Plan, to_cells
from benchmarks.plan.config import SEEDS, RunConfig, run_config
from benchmarks.plan.foreign import require_data
from benchmarks.plan.sentences import require_settings, sentence
from benchmarks.plan.settings import REQUIRED, complete, read_settings
from benchmarks.plan.spelling import declared_by, quoted, shell, spelled
from benchmarks.records import allowed

PLACES = ("results", "cache")  # that no record has
CONF = Path(__file__).parents[2] / "conf"
Launch = Callable[[Sequence[int]], None]
"""Runs the jobs with these indices elsewhere."""
Plain = Callable[[str, str], dict[str, Any]]
"""The task and the model of these names as their YAML and class have them."""


class Command(Protocol):
    """What is done with plans. Pickled when jobs are launched elsewhere."""

    def run(self, plans: Sequence[Plan], launch: Launch | None) -> None:
        """All of a sweep. launch: None to run it here."""

    def job(self, plan: Plan) -> str:
        """One job of a sweep, in the process of a launcher; how it ended, in a word or two."""


class HydraTask:
    """Hydra's task function, which it also hands to its sweeper and, pickled, to its launchers."""

    def __init__(self, command: Command, overrides: Sequence[str], is_help: bool = False) -> None:
        """overrides: for the cells (see `split_arguments`)."""
        self.command, self.overrides, self.is_help = command, overrides, is_help

    def __call__(self, config: DictConfig) -> str:
        """A job: nothing is known here but the config that Hydra has composed, and its own."""
        whole = copy.deepcopy(config)
        with open_dict(whole):
            whole.hydra = HydraConfig.get()
        plain = partial(plain_parts, GlobalHydra.instance().config_loader(), whole)
        allow_typed([whole], self.overrides)
        (plan,) = plans_of([whole], plain)
        return self.command.job(plan)

    def sweep(
        self, config: DictConfig, loader: ConfigLoader, launcher: Launcher, arguments: Sequence[str]
    ) -> None:
        """All jobs. config: composed without what is swept over. arguments: the suite's overrides
        and those that Hydra was given."""
        if self.is_help:
            print(help_text(config, loader))
            return
        plain = cache(partial(plain_parts, loader, config))
        overrides = grammatical([*arguments, *self.overrides], config, loader, plain)
        jobs = grid(OverridesParser.create(config_loader=loader).parse_overrides(overrides))
        plans = planned(config, loader, jobs, plain, self.overrides)

        def launch(wanted: Sequence[int]) -> None:
            for job in launcher.launch([jobs[k] for k in wanted], initial_job_idx=0):
                _ = job.return_value  # raises what the job raised

        # The basic launcher would compose every config a second time, 0.1 s a cell.
        is_here = config.hydra.runtime.choices["hydra/launcher"] == "basic"
        self.command.run(plans, None if is_here else launch)


def planned(
    config: DictConfig,
    loader: ConfigLoader,
    jobs: Sequence[Sequence[str]],
    plain: Plain,
    typed: Sequence[str],
) -> list[Plan]:
    """What each job asks for, all of it checked. Raises BadInput.

    Jobs that differ in their seed alone share a composition, which takes Hydra 50 ms, and where
    nothing refers to the seed all that is made of it, which takes 20.
    """
    compose = cache(lambda *overrides: loader.load_sweep_config(config, list(overrides)))
    shared: dict[tuple[str, ...], Plan] = {}
    found = []
    for job in jobs:
        seeds = [override for override in job if re.fullmatch(r"seed=\d+", override)]
        others = tuple(override for override in job if override not in seeds)
        seed = int(seeds[-1].removeprefix("seed=")) if seeds else None
        if seed is not None and seed < SEEDS and others in shared:
            found.append(shared[others].at(seed))
            continue
        one = copy.deepcopy(compose(*others))
        if seed is not None:
            one.seed = seed
        allow_typed([one], typed)
        (plan,) = plans_of([one], plain)
        if seed is not None and not refers_to_seed(one):
            shared[others] = plan
        found.append(plan)
    return found


def refers_to_seed(config: DictConfig) -> bool:
    """Does a value of it depend on the seed?"""
    ours = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    return re.search(r"\$\{[^}]*seed", str(OmegaConf.to_container(ours, resolve=False))) is not None


def allow_typed(configs: Sequence[DictConfig], typed: Sequence[str]) -> None:
    """See that what may be built was said on the command line (`packages_typed`). Raises BadInput
    where a file says so: it may be from anybody."""
    said = packages_typed(typed)
    for config in configs:
        stated = [config.allow] if isinstance(config.allow, str) else list(config.allow or ())
        if beyond := sorted({str(name) for name in stated} - said):
            raise BadInput(
                f"A file says allow=[{', '.join(beyond)}]; what may be built is said on the "
                "command line alone."
            )
        config.allow = sorted(said)


def packages_typed(arguments: Sequence[str]) -> set[str]:
    """Packages that a command line names, with `allow=` or by a class of theirs."""
    found: set[str] = set()
    naming = [one for one in arguments if re.match(r"[+~]*(allow|(task|model)\._target_)=", one)]
    for override in OverridesParser.create().parse_overrides(naming):
        values: Iterator[Any] = iter([override.value()])
        if override.is_sweep_override():
            values = override.sweep_string_iterator()
        for value in values:
            names = value if isinstance(value, list) else [value]
            found |= {str(name).strip("'\"").partition(".")[0] for name in names}
    return found


def plans_of(configs: Sequence[DictConfig], plain: Plain) -> list[Plan]:
    """What composed configs ask for, all of it checked. Raises BadInput."""
    choices = [config.hydra.runtime.choices for config in configs]
    given = [resolved(config) for config in configs]
    settings = [run_config(*pair) for pair in zip(given, choices, strict=True)]
    return [
        Plan(checked, to_cells(config, chosen, checked, plain(chosen["task"], chosen["model"])))
        for config, chosen, checked in zip(given, choices, settings, strict=True)
    ]


def plain_parts(loader: ConfigLoader, config: DictConfig, task: str, model: str) -> dict[str, Any]:
    """The task and the model of these names as their YAML and class have them: composed without
    a suite and without a value from the command line, in the search path that `config` has."""
    without = [] if config.hydra.runtime.choices.get("suite") is None else ["~suite"]
    plain = loader.load_sweep_config(config, [f"task={task}", f"model={model}", *without])
    return {part: resolved(plain)[part] for part in PARTS}


def grammatical(
    arguments: Sequence[str], config: DictConfig, loader: ConfigLoader, plain: Plain
) -> list[str]:
    """Overrides as they were typed, in Hydra's grammar. config: tells which task and model it is
    where the overrides do not. Raises BadInput."""
    readable = [argument for argument in arguments if re.match(r"(task|model)=", argument)]
    named = {part: [str(config.hydra.runtime.choices[part])] for part in PARTS}
    for override in OverridesParser.create(config_loader=loader).parse_overrides(readable):
        values = (
            override.sweep_string_iterator()
            if override.is_discrete_sweep()
            else [override.get_value_element_as_str()]
        )
        named[override.get_key_element()] = list(values)
    pairs = [plain(*names) for names in itertools.product(*(named[part] for part in PARTS))]
    targets = {part: {str(pair[part].get("_target_")) for pair in pairs} for part in PARTS}
    return spelled(
        arguments, declared_by({part: map(read_settings, targets[part]) for part in PARTS})
    )


def alone(arguments: Sequence[str]) -> list[str]:
    """The same where no sweep has composed anything yet."""
    places = [argument for argument in arguments if argument.startswith("hydra.searchpath=")]
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        config = hydra.compose("config", places, return_hydra_config=True)
        loader = GlobalHydra.instance().config_loader()
        return grammatical(arguments, config, loader, partial(plain_parts, loader, config))


def resolved(config: DictConfig) -> dict[str, Any]:
    """A composed config without Hydra's own part, with all settings of task and model."""
    add_settings(config)
    keys = [str(key) for key in config if key != "hydra"]
    for key in keys:
        if key not in PLACES and "oc.env" in written(config, key):
            raise BadInput(
                f"${{oc.env:…}} stands in {key}: nothing of the environment goes into records; "
                "give the value itself."
            )
    values = {key: config[key] for key in keys}
    return {
        key: OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
        for key, value in values.items()
    }


def written(config: DictConfig, key: str) -> str:
    """What stands there, its interpolations as they are."""
    if OmegaConf.is_interpolation(config, key):
        return str(OmegaConf.to_container(OmegaConf.masked_copy(config, [key]), resolve=False))
    value = config[key]
    return str(OmegaConf.to_container(value, resolve=False) if OmegaConf.is_config(value) else "")


def add_settings(config: DictConfig) -> None:
    """Put the settings of the classes of task and model under what is stated; in place, so that
    interpolations find them."""
    for part in PARTS:
        stated = config[part]
        settings = read_settings(str(stated.get("_target_")))
        if settings is not None:
            known = settings.configurable() | dict.fromkeys(settings.required(), REQUIRED)
            with open_dict(config):
                config[part] = OmegaConf.merge(known, stated)


def stating(override: str) -> str:
    """The override, as Hydra takes it for a setting that the YAML does not state: the class may
    have it, and whether it has is checked later (settings.validate); a cluster takes anything."""
    return re.sub(r"^\+{0,2}((task|model|cluster)\.\w+=)", r"++\1", override)


def grid(overrides: Sequence[Override]) -> list[list[str]]:
    """The overrides of each job: every value of one with every value of the others. Of two for the
    same key the later one counts, in the place of the first."""
    choices: dict[str, list[str]] = {}
    for override in overrides:
        key = override.get_key_element()
        if override.is_sweep_override() and not override.is_discrete_sweep():
            raise BadInput(f"{override.input_line}: give the values one by one, as {key}=1,2.")
        values: Iterator[str] = (
            override.sweep_string_iterator()
            if override.is_sweep_override()
            else iter([override.get_value_element_as_str()])
        )
        choices[key.lstrip("+")] = [stating(f"{key}={value}") for value in values]
    return [list(job) for job in itertools.product(*choices.values())]


def help_text(config: DictConfig, loader: ConfigLoader) -> str:
    """Of conf/hydra/help; Hydra's own would show only what is stated in YAML."""
    names = sorted(group for group in loader.list_groups("") if group != "hydra")
    groups = {name: list(loader.get_group_options(name)) for name in names}
    add_settings(config)
    shown = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    return help_page.text(config.hydra.help.template, groups, OmegaConf.to_yaml(shown))


def task_settings(overrides: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Name and settings of the task that these overrides choose. Raises BadInput."""
    try:
        stated = [stating(override) for override in one_job(alone(overrides))]
        with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
            config = hydra.compose("config", stated, return_hydra_config=True)
        given = resolved(config)["task"]
    except (HydraException, OmegaConfBaseException) as error:
        raise BadInput(sentence(error)) from None
    name = config.hydra.runtime.choices["task"]
    refused = allowed.refusal("task", given.get("_target_"), packages_typed(overrides))
    if refused is not None:
        raise BadInput(refused)
    return name, complete("task", name, given)


def task_alone(overrides: Sequence[str], command: str) -> tuple[str, dict[str, Any]]:
    """The same for a command that takes no other settings. Raises BadInput."""
    require_settings(overrides)
    of_task = [one for one in overrides if re.match(r"[+~]*(task[.=]|allow=)", one)]
    for override in overrides:
        if override not in of_task:
            key = override.partition("=")[0].lstrip("+~")
            known: list[str] = []
            with suppress(BadInput):  # of a task that only this setting would have found
                known = [f"task.{name}" for name in task_settings(of_task)[1]]
            near = nearest(key, known)
            meant = f"; did you mean {override.replace(key, near[0], 1)}?" if near else ""
            raise BadInput(f"{command} takes task=… and task.…=…, not {override}{meant}")
    return task_settings(overrides)


def usual_settings() -> RunConfig:
    """What a run has that nobody says anything of on the command line."""
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        config = hydra.compose("config", return_hydra_config=True)
    return run_config(resolved(config), config.hydra.runtime.choices)


def one_job(overrides: Sequence[str]) -> list[str]:
    """The same, if they are no sweep. Raises BadInput."""
    for override in OverridesParser.create().parse_overrides(list(overrides)):
        if override.is_sweep_override():
            key, _, values = str(override.input_line).partition("=")
            whole = values.replace("'", "")
            raise BadInput(
                f"{key} has several values, and this command takes one; if that is one value with "
                f"a comma in it: {shell(f'{key}={quoted(whole)}')}."
            )
    return list(overrides)


def split_arguments(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split a command line into what Hydra reads first and the overrides for the cells.

    Before a sweep Hydra composes one config of its own, with the default model. An override such
    as `model.space.C.low=3` would be refused there if that model has no C, although the models
    that are asked for have one. What only shows something takes all of them.
    """
    if (HELP | SHOWING).intersection(arguments):
        return [stating(argument) for argument in alone(arguments) if argument not in HELP], []

    def is_first(argument: str) -> bool:
        key, equals, _ = argument.partition("=")
        return not equals or key.startswith("-") or bool(re.match(r"[+~]*(hydra\b|suite$)", key))

    return [a for a in arguments if is_first(a)], [a for a in arguments if not is_first(a)]


def main(command: Command) -> int:
    """Run the command line; return the exit code: 0 finished, 1 a cell failed, 2 bad input, 75
    somebody else works on the run."""
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra then leaves its errors to us
    start = hydra.main(config_path=str(CONF), config_name="config", version_base="1.3")
    code = BAD_INPUT
    try:
        require_settings(sys.argv[1:])
        require_data(sys.argv[1:])
        is_help = bool(HELP.intersection(sys.argv[1:]))
        sys.argv[1:], overrides = split_arguments(sys.argv[1:])
        start(HydraTask(command, overrides, is_help))()
    except Busy as error:
        code, message = BUSY, str(error)
    except BadInput as error:
        message = str(error)
    except (HydraException, OmegaConfBaseException) as error:
        message = sentence(error)
    else:
        return FINISHED
    tell(f"error: {message}", is_error=True)
    return code
