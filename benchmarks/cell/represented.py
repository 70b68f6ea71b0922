"""What a pretrained model makes of texts, kept text by text.

Some models read each row by itself and learn nothing from it: a frozen encoder turns a text into a
vector, and only what stands on top of it is fitted. Such a model has a method `represent`. What it
gives is kept from run to run, so that another seed, another setting or another model on the same
texts waits for nothing. What the making took is charged to every cell that uses it: of train
rows to the phase `fit`, of test rows to `predict`.
"""

import dataclasses
import hashlib
import json
import math
import os
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cell.clock import Clock
from benchmarks.cell.fields import Tokens
from benchmarks.cell.prepared import Prepared
from benchmarks.cell.protocols import offered

FORM = 1  # of what is kept
DIGEST = 16  # bytes by which a text is known
SHARED = ("wall", "cpu")  # what of a phase is charged, by number of texts


@dataclass
class Represented:
    """Rows as the model is to fit and predict them, and what is to be charged for that."""

    train: Any
    test: Any
    charges: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Name of a phase -> what is added to it."""
    tokens: Mapping[str, int] = field(default_factory=dict)
    """Name of a phase -> tokens that were read for it."""
    said: str = ""
    """For the record: how many texts were found."""

    def charge(self, clock: Clock) -> None:
        for phase, amounts in self.charges.items():
            for name in amounts.keys() & clock.phases[phase].keys():
                clock.phases[phase][name] += amounts[name]

    def within(self, made: Prepared) -> Prepared:
        """What was prepared, with these rows."""
        return dataclasses.replace(made, train=self.train, test=self.test)


def represented(
    job: Mapping[str, Any], model: Any, train: Any, test: Any, clock: Clock
) -> Represented:
    """The rows as they are, for a model that does not represent them."""
    if offered(model, "represent") is None:
        return Represented(train, test)
    store = Store(folder_of(job, model), model, job.get("cache_bytes", math.inf))
    with clock.phase("represent"):
        rows = store.of([*train, *test], clock)
    n = len(train)
    parts = {"fit": slice(0, n), "predict": slice(n, None)}
    return Represented(
        rows.values[:n],
        rows.values[n:],
        {
            phase: dict(zip(SHARED, rows.cost[part].sum(0), strict=True))
            for phase, part in parts.items()
        },
        {phase: round(float(rows.tokens[part].sum())) for phase, part in parts.items()},
        f"{rows.found:,} of {len(rows.values):,} texts found",
    )


def folder_of(job: Mapping[str, Any], model: Any) -> Path | None:
    """Where what this model makes of texts is kept: by all that it depends on. None: nowhere."""
    if job.get("cache") is None:
        return None
    made_of = {
        "form": FORM,
        "class": job["model"]["_target_"],
        "code": json.loads(job.get("stamp", "{}")).get("model"),
        "settings": {name: getattr(model, name) for name in offered(model, "represents_by")},
        "weights": model.fetch() if offered(model, "fetch") else None,
        "device": job.get("device"),
    }
    text = json.dumps(made_of, sort_keys=True, default=str)
    return Path(job["cache"]) / "texts" / hashlib.sha256(text.encode()).hexdigest()[:24]


@dataclass
class Rows:
    values: np.ndarray  # (n, numbers)
    cost: np.ndarray  # (n, len(SHARED)) seconds
    tokens: np.ndarray  # (n,)
    found: int


class Store:
    """A folder of files, each written once and whole: digests of texts, what was made of them, and
    what that took. A file that cannot be read is one that is not there."""

    def __init__(self, folder: Path | None, model: Any, most_bytes: float) -> None:
        self.folder, self.model, self.most_bytes = folder, model, most_bytes

    def of(self, texts: Sequence[str], clock: Clock) -> Rows:
        """What there is, and the rest made and kept."""
        known = self._known()
        names = [digest(text) for text in texts]
        new = {name: text for name, text in zip(names, texts, strict=True) if name not in known}
        if new:
            known |= self._made(new, clock)
        values, costs, tokens = zip(*(known[name] for name in names), strict=True)
        found = sum(name not in new for name in names)
        return Rows(np.stack(values), np.stack(costs), np.array(tokens), found)

    def _made(self, new: Mapping[bytes, str], clock: Clock) -> dict[bytes, Any]:
        own, before = clock.another(), Tokens.of(self.model)
        with own.phase("represent"):
            values = np.asarray(self.model.represent([*new.values()]), dtype=np.float32)
        if values.shape[:1] != (len(new),):
            raise ValueError(f"represent gave {values.shape} for {len(new):,} texts")
        each = np.array([own.phases["represent"].get(name, 0.0) for name in SHARED]) / len(new)
        tokens = Tokens.of(self.model).since(before).read / len(new)
        if self.folder is not None:
            self._keep([*new], values, each, tokens)
        return {name: (row, each, tokens) for name, row in zip(new, values, strict=True)}

    def _keep(
        self, names: list[bytes], values: np.ndarray, each: np.ndarray, tokens: float
    ) -> None:
        assert self.folder is not None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, part = tempfile.mkstemp(prefix=".", dir=self.folder)
            with os.fdopen(handle, "wb") as opened:
                np.savez(
                    opened,
                    allow_pickle=False,
                    names=np.frombuffer(b"".join(names), np.uint8).reshape(-1, DIGEST),
                    values=values,
                    each=each,
                    tokens=tokens,
                )
            Path(part).rename(self.folder / f"{hashlib.sha256(names[0]).hexdigest()[:16]}.npz")
            shrink(self.folder.parent, self.most_bytes)
        except OSError as error:  # nothing is kept: the next cell makes it again
            print(f"what was made of texts is not kept: {error}", flush=True)

    def _known(self) -> dict[bytes, Any]:
        known: dict[bytes, Any] = {}
        for file in sorted(self.folder.glob("*.npz")) if self.folder else ():
            try:
                with np.load(file, allow_pickle=False) as kept:
                    names, values = kept["names"], kept["values"]
                    each, tokens = kept["each"], float(kept["tokens"])
            except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
                print(f"{file} is damaged ({error}): it is made again", flush=True)
                file.unlink(missing_ok=True)
                continue
            known |= {
                name.tobytes(): (row, each, tokens) for name, row in zip(names, values, strict=True)
            }
        return known


def shrink(folder: Path, most: float) -> None:
    """Remove what was written longest ago until what is left has at most so many bytes."""
    files = sorted((f.stat().st_mtime, f.stat().st_size, f) for f in folder.glob("*/*.npz"))
    total = sum(size for _, size, _ in files)
    for _, size, file in files:
        if total <= most:
            return
        file.unlink(missing_ok=True)
        total -= size


def digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=DIGEST).digest()
