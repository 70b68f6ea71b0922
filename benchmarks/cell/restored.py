"""What was learned, put together again from files that hold data and no code (see packed.py).

It stands alone, without anything of this kit: a copy of it lies in every folder that
`benchmarks.fit` leaves, for the score.py there. Only classes of the model's own project and of the
libraries named here are made, and nothing that a file names is called but the constructor of
XGBoost's own estimators: an object is what its attributes are.
"""

import functools
import json
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors.numpy import load_file

STATE, ARRAYS = "state.json", "weights.safetensors"
OURS = frozenset(("models", "tasks", "benchmarks"))
LIBRARIES = ("torch.nn.modules.", "torch.nn.functional.", "sklearnex.", "onedal.", "xgboost.")
ELSEWHERE = frozenset(("site-packages", "dist-packages"))
# Of what skops does not know by itself, what scikit-learn's estimators are made of. A tree is among
# it: its numbers are places in memory to scikit-learn, so a forged file could crash the process.
# That is what checksums are for, and why a folder is to be trusted as its maker is.
HARMLESS = frozenset(
    (
        "numpy.dtype",
        "sklearn.compose._column_transformer.make_column_selector",
        "sklearn.compose._column_transformer._RemainderColsList",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        "sklearn.tree._tree.Tree",
    )
)


class Unfit(ValueError):
    """Something that cannot be kept as data, or be made from it; the message is a sentence."""


def restored(folder: str | Path, *names: str) -> tuple[Any, ...]:
    """The things of these names (`model`, or a part of it: `reader.tellable`) that a folder holds.
    Raises Unfit."""
    folder = Path(folder)
    tree = json.loads((folder / STATE).read_text(encoding="utf-8"))
    arrays = load_file(folder / ARRAYS) if (folder / ARRAYS).is_file() else {}
    maker = Maker(folder, arrays)
    found = []
    for name in names:
        first, *rest = name.split(".")
        part = tree[first]
        for attribute in rest:
            part = part["of"][attribute]
        found.append(maker(part))
    return tuple(found)


class Maker:
    """A part of the tree -> what it stands for."""

    def __init__(self, folder: Path, arrays: dict[str, np.ndarray]) -> None:
        self.folder, self.arrays = folder, arrays
        self._tensors: dict[str, Any] = {}
        self._made: dict[str, Any] = {}  # by where they stand in the tree

    def __call__(self, part: Any) -> Any:
        if isinstance(part, list):
            return [self(item) for item in part]
        if not isinstance(part, dict):
            return part
        if part.get("is") not in KINDS:
            raise Unfit(f"there is no kind of thing called {part.get('is')!r}")
        return getattr(self, f"_{part['is']}")(part)

    def _float(self, part: Any) -> float:
        return float(part["of"])  # nan, inf

    def _scalar(self, part: Any) -> Any:
        return np.dtype(part["dtype"]).type(self(part["of"]))

    def _tuple(self, part: Any) -> tuple[Any, ...]:
        values = [self(item) for item in part["of"]]
        return tuple.__new__(class_of(part, tuple), values) if "class" in part else tuple(values)

    def _dict(self, part: Any) -> dict[Any, Any]:
        return {self(key): self(value) for key, value in part["of"]}

    def _set(self, part: Any) -> set[Any]:
        return {self(item) for item in part["of"]}

    def _pattern(self, part: Any) -> re.Pattern[str]:
        return re.compile(part["of"], part["flags"])

    def _array(self, part: Any) -> np.ndarray:
        found = self.arrays[part["of"]]
        return np.asfortranarray(found) if part.get("order") == "F" else found

    def _objects(self, part: Any) -> np.ndarray:
        found = np.empty(len(part["of"]), dtype=object)
        found[:] = [self(item) for item in part["of"]]
        return found.reshape(part["shape"]).astype(part["dtype"])

    def _index(self, part: Any) -> pd.Index:
        return pd.Index(self(part["of"]), dtype=part["dtype"], name=part["name"])

    def _series(self, part: Any) -> pd.Series:
        index = self(part["index"])
        return pd.Series(self(part["of"]), index, dtype=part["dtype"], name=part["name"])

    def _categories(self, part: Any) -> pd.Categorical:
        return pd.Categorical.from_codes(
            self(part["of"]), self(part["levels"]), ordered=part["ordered"]
        )

    def _frame(self, part: Any) -> pd.DataFrame:
        columns = {place: self(values) for place, (_, values) in enumerate(part["of"])}
        return pd.DataFrame(columns).set_axis([self(name) for name, _ in part["of"]], axis=1)

    def _object(self, part: Any) -> Any:
        kind = class_of(part, object)
        made = self._made[part["at"]] = kind.__new__(kind)
        vars(made).update({name: self(value) for name, value in part["of"].items()})
        return made

    def _same(self, part: Any) -> Any:
        return self._made[part["of"]]

    def _state(self, part: Any) -> Any:
        """Of a library that keeps its numbers to itself, in a form of its own."""
        if not part["class"].startswith(("sklearnex.", "onedal.")):
            raise Unfit(f"{part['class']} has no form of its own that is known here")
        kind = class_of(part, object)
        made = kind.__new__(kind)
        made.__setstate__(self.arrays[part["of"]].tobytes())
        return made

    def _partial(self, part: Any) -> Any:
        return functools.partial(
            function_of(part["function"]),
            *self(part["arguments"]),
            **{name: self(value) for name, value in part["of"].items()},
        )

    def _function(self, part: Any) -> Any:
        return function_of(part["of"])

    def _tensor(self, part: Any) -> Any:
        import torch

        name = part["of"]
        if name not in self._tensors:  # what is used twice is the same afterwards
            self._tensors[name] = torch.from_numpy(self.arrays[name].copy())
        return self._tensors[name]

    def _module(self, part: Any) -> Any:
        from torch import nn

        kind = class_of(part, nn.Module)
        made = self._made[part["at"]] = kind.__new__(kind)
        nn.Module.__init__(made)
        for name, value in part["parameters"].items():
            known = None if value is None else nn.Parameter(self(value), requires_grad=False)
            made.register_parameter(name, known)
        for name, value in part["buffers"].items():
            made.register_buffer(name, self(value), persistent=name not in part["transient"])
        for name, value in part["children"].items():
            made.add_module(name, self(value))
        own = {name: self(value) for name, value in part["of"].items()}
        made.__setstate__({**vars(made), **own})  # some modules keep their parameters twice
        return made.eval()

    def _booster(self, part: Any) -> Any:
        import xgboost

        made = xgboost.Booster(model_file=self.folder / part["of"])
        made.set_param({"device": "cpu"})
        return made

    def _xgboost(self, part: Any) -> Any:
        import xgboost

        made = class_of(part, xgboost.XGBModel)()
        made.load_model(self.folder / part["of"])
        return made

    def _skops(self, part: Any) -> Any:
        from skops.io import get_untrusted_types, load

        file = self.folder / part["of"]
        if strange := set(get_untrusted_types(file=file)) - HARMLESS:
            raise Unfit(f"{file} holds {', '.join(sorted(strange))}, which nobody vouches for")
        return load(file, trusted=sorted(HARMLESS))


KINDS = frozenset(name[1:] for name in vars(Maker) if re.fullmatch("_[a-z]+", name))
"""What a part may be: those that have a method."""


def class_of(part: Any, family: type) -> Any:
    """The class of a part. Raises Unfit for what is none of this family: nothing that a file names
    is ever called."""
    kind = named(part["class"])
    if not isinstance(kind, type) or not issubclass(kind, family):
        raise Unfit(f"{part['class']} is no class of the kind that belongs there")
    return kind


def function_of(name: str) -> Any:
    """A function that a model uses. Raises Unfit for any other."""
    if name.startswith("benchmarks."):
        raise Unfit(f"{name} is no function of a model")
    return named(name)


def named(name: str) -> Any:
    """A class or function by its dotted name. Raises Unfit for one that is not allowed."""
    module, _, last = name.rpartition(".")
    try:
        if is_allowed(name):
            return getattr(import_module(module), last)
    except (ImportError, AttributeError) as error:
        raise Unfit(f"{name} cannot be loaded: {error}") from None
    raise Unfit(f"{name} is neither of the model's own project nor of a library that is known")


def is_allowed(name: str) -> bool:
    """Is it ours, of a library in LIBRARIES, or code of the user's own project?"""
    top = name.partition(".")[0]
    if top in OURS or name.startswith(LIBRARIES):
        return True
    if top in sys.stdlib_module_names or "." not in name:
        return False
    source = getattr(import_module(name.rpartition(".")[0]), "__file__", None)
    return source is not None and not ELSEWHERE.intersection(Path(source).parts)
