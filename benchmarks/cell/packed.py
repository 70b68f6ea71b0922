"""What was learned, taken apart into data: JSON, arrays, and files in the forms that libraries have
for it. Never a pickle, which would run whatever somebody has put into it.

One walk for all models, so that none needs a method for it: settings and learned attributes
(`..._`) of a dataclass, and whatever these are made of. Networks become their weights (safetensors)
and how their layers are put together, boosters UBJSON, estimators of scikit-learn skops. The way
back is restored.py.
"""

import functools
import json
import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from re import Pattern
from types import FunctionType
from typing import Any

import numpy as np
import pandas as pd
from safetensors.numpy import save_file

from benchmarks.cell.protocols import MODEL_MAY_HAVE
from benchmarks.cell.restored import ARRAYS, HARMLESS, LIBRARIES, STATE, Unfit, is_allowed

FACTS = frozenset(name for name in MODEL_MAY_HAVE if name.endswith("_"))
"""Of a fit, for its record: nothing that an answer depends on."""
FOLDERS = ("checkpoints", "artifacts", "cache")
PLAIN = (bool, int, str, type(None))


def write(folder: Path, parts: Mapping[str, Any], rows: int | None) -> dict[str, str]:
    """Leave these things in a folder, from where `restored` gives them back; the classes and
    functions of ours that it needs for that, by where they stand (`model`, `reader.tellable`).

    rows: attributes of ours that hold a value for each of so many rows are left out, as they are
    labels that nothing asks for after a fit; None: none are. Raises Unfit, with a sentence on the
    first thing that is no data.
    """
    packer = Packer(folder, rows)
    tree = {name: packer(part, name) for name, part in parts.items()}
    if packer.arrays:
        save_file(packer.arrays, folder / ARRAYS)
    text = json.dumps(tree, ensure_ascii=False, allow_nan=False)
    (folder / STATE).write_text(text, encoding="utf-8")
    return packer.ours


class Packer:
    """A thing -> the part of the tree that stands for it; `where` it was found names its files."""

    def __init__(self, folder: Path, rows: int | None) -> None:
        self.folder, self.rows = folder, rows
        self.arrays: dict[str, np.ndarray] = {}
        self.ours: dict[str, str] = {}
        self._tensors: dict[int, tuple[str, Any]] = {}
        self._objects: dict[int, tuple[str, Any]] = {}
        self._names: set[str] = set()
        self._inside: list[int] = []

    def __call__(self, thing: Any, where: str) -> Any:
        if type(thing) in PLAIN or isinstance(thing, np.str_):
            return str(thing) if isinstance(thing, str) else thing
        if type(thing) is float:
            return thing if math.isfinite(thing) else {"is": "float", "of": repr(thing)}
        if id(thing) in self._objects:  # what is used twice, or knows what it is a part of
            return {"is": "same", "of": self._objects[id(thing)][0]}
        if id(thing) in self._inside:
            raise Unfit(f"{where} is a part of itself, which no file of data holds")
        self._inside.append(id(thing))
        try:
            return self._kind(thing)(thing, where)
        finally:
            self._inside.pop()

    def _kind(self, thing: Any) -> Callable[[Any, str], Any]:
        """What packs it."""
        for library, kind, its in (
            ("torch", "nn.Module", self._module),
            ("torch", "Tensor", self._tensor),
            ("xgboost", "Booster", self._booster),
            ("xgboost", "XGBModel", self._xgboost),
        ):
            if library in sys.modules:
                of_library: Any = functools.reduce(getattr, kind.split("."), sys.modules[library])
                if isinstance(thing, of_library):
                    return its
        for known, pack in KINDS.items():
            if type(thing) is known:
                return functools.partial(pack, self)
        for known, pack in FAMILIES.items():
            if isinstance(thing, known):
                return functools.partial(pack, self)
        package = type(thing).__module__.partition(".")[0]
        if package in ("sklearnex", "onedal"):
            return self._attributes if hasattr(thing, "__dict__") else self._state
        estimator: Any = getattr(sys.modules.get("sklearn.base"), "BaseEstimator", ())
        if package == "sklearn" or isinstance(thing, estimator):
            return self._skops
        return self._attributes

    def each(self, things: Mapping[str, Any], where: str) -> dict[str, Any]:
        return {name: self(value, f"{where}.{name}") for name, value in things.items()}

    def listed(self, things: Any, where: str) -> list[Any]:
        return [self(value, f"{where}.{k}") for k, value in enumerate(things)]

    def _attributes(self, thing: Any, where: str) -> Any:
        """An object of ours, or of a library whose objects are what their attributes are."""
        kind = self._known(type(thing), where)
        if isinstance(thing, type) or not (hasattr(thing, "__dict__") or isinstance(thing, tuple)):
            raise Unfit(f"{where} is of {kind}, which is kept in no form without a pickle")
        if isinstance(thing, tuple):
            return {"is": "tuple", "class": kind, "of": self.listed(thing, where)}
        self._objects[id(thing)] = where, thing  # kept, so that its id stays its own
        kept = {}
        for name, value in vars(thing).items():
            if name in FACTS:
                continue
            if self._is_of_rows(value):
                continue
            if name in FOLDERS:
                value = None
            elif name in ("device", "device_") and isinstance(value, str):
                value = "cpu"  # where it is read, whatever it learned on
            kept[name] = self(value, f"{where}.{name}")
        return {"is": "object", "class": kind, "at": where, "of": kept}

    def _known(self, thing: Any, where: str) -> str:
        """The name of a class or function by which it is found again. Raises Unfit."""
        name = f"{thing.__module__}.{thing.__qualname__}"
        if "<" in name or not is_allowed(name):
            raise Unfit(f"{where} is of {name}, which is kept in no form without a pickle")
        if not name.startswith(LIBRARIES):
            self.ours[where] = name
        return name

    def _is_of_rows(self, value: Any) -> bool:
        shape = getattr(value, "shape", None)
        is_array = type(value).__name__ in ("ndarray", "Tensor")
        return self.rows is not None and is_array and tuple(shape or ()) == (self.rows,)

    def _state(self, thing: Any, where: str) -> Any:
        kind = self._known(type(thing), where)
        state = thing.__getstate__()
        if not isinstance(state, bytes):
            raise Unfit(f"{where} is of {kind}, which is kept in no form without a pickle")
        return {
            "is": "state",
            "class": kind,
            "of": self._kept(np.frombuffer(state, np.uint8), where),
        }

    def _tuple(self, thing: Any, where: str) -> Any:
        return {"is": "tuple", "of": self.listed(thing, where)}

    def _dict(self, thing: Any, where: str) -> Any:
        pairs = [
            [self(key, f"{where} (key)"), self(value, f"{where}.{key}")]
            for key, value in thing.items()
        ]
        return {"is": "dict", "of": pairs}

    def _set(self, thing: Any, where: str) -> Any:
        return {"is": "set", "of": self.listed(sorted(thing), where)}

    def _pattern(self, thing: Any, _where: str) -> Any:
        return {"is": "pattern", "of": thing.pattern, "flags": thing.flags}

    def _scalar(self, thing: Any, where: str) -> Any:
        return {"is": "scalar", "dtype": thing.dtype.name, "of": self(thing.item(), where)}

    def _array(self, thing: np.ndarray, where: str) -> Any:
        if thing.dtype.kind in "OU":
            values = self.listed(thing.astype(object).ravel().tolist(), where)
            shape, dtype = list(thing.shape), thing.dtype.str
            return {"is": "objects", "of": values, "shape": shape, "dtype": dtype}
        if thing.dtype.kind not in "biuf" or thing.dtype.name == "longdouble":
            raise Unfit(f"{where} is an array of {thing.dtype}, which is kept in no such file")
        by_columns = thing.flags.f_contiguous and not thing.flags.c_contiguous
        order = {"order": "F"} if by_columns else {}
        return {"is": "array", "of": self._kept(thing, where), **order}

    def _index(self, thing: pd.Index, where: str) -> Any:
        name, dtype = self(thing.name, f"{where}.name"), thing.dtype
        values = self._values(thing, where)
        return {"is": "index", "of": values, "dtype": str(dtype), "name": name}

    def _series(self, thing: pd.Series, where: str) -> Any:
        index, name = self(thing.index, f"{where}.index"), self(thing.name, f"{where}.name")
        dtype = None if thing.dtype == "category" else str(thing.dtype)
        values = self._values(thing, where)
        return {"is": "series", "of": values, "index": index, "dtype": dtype, "name": name}

    def _values(self, thing: Any, where: str) -> Any:
        if thing.dtype == "category":
            return self(pd.Categorical(thing), where)
        if thing.dtype.kind in "biuf" and isinstance(thing.dtype, np.dtype):
            return self(thing.to_numpy(), where)
        values = thing.astype(object).where(thing.notna(), None)
        return self.listed([str(v) if isinstance(v, str) else v for v in values], where)

    def _categories(self, thing: pd.Categorical, where: str) -> Any:
        levels, codes = self(thing.categories, f"{where}.levels"), self(thing.codes, where)
        return {"is": "categories", "of": codes, "levels": levels, "ordered": thing.ordered}

    def _frame(self, thing: pd.DataFrame, where: str) -> Any:
        columns = [
            [self(name, where), self(thing.iloc[:, k], f"{where}.{k}")]
            for k, name in enumerate(thing)
        ]
        return {"is": "frame", "of": columns}

    def _partial(self, thing: Any, where: str) -> Any:
        function = self(thing.func, where)["of"]
        arguments = self.listed(thing.args, where)
        kept = self.each(thing.keywords, where)
        return {"is": "partial", "function": function, "arguments": arguments, "of": kept}

    def _function(self, thing: Any, where: str) -> Any:
        return {"is": "function", "of": self._known(thing, where)}

    def _tensor(self, thing: Any, where: str) -> Any:
        if id(thing) not in self._tensors:
            values = thing.detach().cpu()
            try:
                name = self._kept(values.numpy(), where)
            except TypeError:
                raise Unfit(f"{where} is a tensor of {thing.dtype}, which numpy has not") from None
            self._tensors[id(thing)] = name, thing
        return {"is": "tensor", "of": self._tensors[id(thing)][0]}

    def _module(self, thing: Any, where: str) -> Any:
        kind = self._known(type(thing), where)
        self._objects[id(thing)] = where, thing
        torch: Any = sys.modules["torch"]
        usual = vars(torch.nn.Module()).keys() | {"training"}
        own = {name: value for name, value in thing.__getstate__().items() if name not in usual}
        return {
            "is": "module",
            "class": kind,
            "at": where,
            "of": self.each(own, where),
            "parameters": self.each(thing._parameters, where),
            "buffers": self.each(thing._buffers, where),
            "transient": sorted(thing._non_persistent_buffers_set),
            "children": self.each(thing._modules, where),
        }

    def _booster(self, thing: Any, where: str) -> Any:
        thing.save_model(self.folder / (name := self._file(where, "ubj")))
        return {"is": "booster", "of": name}

    def _xgboost(self, thing: Any, where: str) -> Any:
        thing.save_model(self.folder / (name := self._file(where, "ubj")))
        kind = f"{type(thing).__module__}.{type(thing).__qualname__}"
        return {"is": "xgboost", "class": kind, "of": name}

    def _skops(self, thing: Any, where: str) -> Any:
        from skops.io import dump, get_untrusted_types

        file = self.folder / self._file(where, "skops")
        try:
            dump(thing, file)
            strange = set(get_untrusted_types(file=file)) - HARMLESS
        except Exception as error:  # whatever a class of another package raises
            said = " ".join(str(error).split())[:200]
            raise Unfit(f"{where} cannot be kept in the form of skops ({said})") from None
        if strange:
            raise Unfit(f"{where} holds {', '.join(sorted(strange))}, which nobody vouches for")
        return {"is": "skops", "of": file.name}

    def _kept(self, array: np.ndarray, where: str) -> str:
        """The name of an array among the arrays."""
        name = self._unique(where, "")
        self.arrays[name] = np.asarray(array, order="C")
        return name

    def _file(self, where: str, ending: str) -> str:
        """A name in the folder."""
        bare = "".join(c if c.isalnum() or c in "._-" else "-" for c in where).strip(".")[:80]
        return self._unique(bare, f".{ending}")

    def _unique(self, bare: str, ending: str) -> str:
        """A name that no other part has."""
        name, k = f"{bare}{ending}", 1
        while name in self._names:
            k += 1
            name = f"{bare}-{k}{ending}"
        self._names.add(name)
        return name


KINDS: Mapping[type, Callable[[Packer, Any, str], Any]] = {
    list: Packer.listed,
    tuple: Packer._tuple,
    dict: Packer._dict,
    set: Packer._set,
    FunctionType: Packer._function,
    functools.partial: Packer._partial,
    Pattern: Packer._pattern,
}
"""What packs things of exactly these types."""
FAMILIES: Mapping[type, Callable[[Packer, Any, str], Any]] = {
    np.generic: Packer._scalar,
    np.ndarray: Packer._array,
    pd.Index: Packer._index,
    pd.Series: Packer._series,
    pd.Categorical: Packer._categories,
    pd.DataFrame: Packer._frame,
}
"""And of these or what is made of them."""
