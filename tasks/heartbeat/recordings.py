"""Recordings of real hearts, from a folder of WFDB records (https://wfdb.io), as PhysioNet's are.

What a record shows stands in `labels.csv` in the folder, a line for each record:

    record,label,patient
    100,normal,A
    more/231,paced,B

or, without that file, in a comment of each record's header: `# label: normal`, `# patient: A`. The
patient may be left out; each record is a patient's of its own then.
"""

from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.signal import resample_poly


class Found(NamedTuple):
    """Windows of all records, n in all."""

    signals: np.ndarray  # (n, samples) float32; NaN where nothing was recorded
    labels: np.ndarray  # (n,) names
    patients: np.ndarray  # (n,) names
    said: list[str]  # a sentence each


class Entry(NamedTuple):
    """A record, and what is said of it."""

    place: Path  # without the ending
    label: str
    patient: str


def read(path: str, hertz: int, seconds: float, lead: str | None) -> Found:
    """All records, cut into windows of so many seconds that follow each other, at one rate.

    What is left of a record after its last whole window is left out; a shorter record is one window
    whose end is missing. Raises ValueError in one sentence for what cannot be read or has no label.
    """
    wfdb = library()
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise ValueError(f"there is no folder {path}")
    entries, unlisted = listed(folder, wfdb)
    samples = round(hertz * seconds)
    windows, labels, patients = [], [], []
    rates: dict[float, int] = {}
    short = empty = 0
    for entry in entries:
        signal, rate = one(entry, lead, wfdb)
        rates[rate] = rates.get(rate, 0) + 1
        signal = at_rate(signal, rate, hertz)
        short += len(signal) < samples
        cut = windows_of(signal, samples)
        kept = cut[~np.isnan(cut).all(axis=1)]
        empty += len(cut) - len(kept)
        windows.append(kept)
        labels += [entry.label] * len(kept)
        patients += [entry.patient] * len(kept)
    if not labels:
        raise ValueError(f"nothing is recorded in any of the {len(entries):,} records of {path}")
    said = [
        f"{len(labels):,} windows of {seconds:g} s from {len(entries):,} records of "
        f"{len(set(patients)):,} patients"
    ]
    for rate, count in sorted(rates.items()):
        if rate != hertz:
            said.append(f"{count:,} records were resampled from {rate:g} to {hertz} Hz")
    if short:
        said.append(f"{short:,} records are shorter than {seconds:g} s: their end is missing")
    if empty:
        said.append(f"{empty:,} windows in which nothing was recorded are left out")
    if unlisted:
        said.append(f"{unlisted:,} records that labels.csv does not name are left out")
    return Found(
        np.concatenate(windows), np.array(labels, object), np.array(patients, object), said
    )


def library() -> ModuleType:
    """WFDB, which only those need who bring recordings. Raises ValueError."""
    try:
        import wfdb
    except ImportError as error:
        raise ValueError(
            f"reading recordings needs pip install 'model-eras[wfdb]' ({error})"
        ) from None
    return wfdb


def listed(folder: Path, wfdb: Any) -> tuple[list[Entry], int]:
    """All records that have a label, and how many are not named where labels are. Raises
    ValueError."""
    headers = {p.relative_to(folder).with_suffix("").as_posix(): p for p in folder.rglob("*.hea")}
    if not headers:
        raise ValueError(f"{folder} holds no WFDB records: there is no file *.hea in it")
    table = folder / "labels.csv"
    if not table.is_file():
        return [from_header(folder, name, wfdb) for name in sorted(headers)], 0
    try:
        rows = pd.read_csv(table, dtype=str, keep_default_na=False, skipinitialspace=True)
    except ValueError as error:  # pandas' errors of parsing and Unicode's are such
        raise ValueError(f"{table} cannot be read: {' '.join(str(error).split())}") from None
    for column in ("record", "label"):
        if column not in rows:
            raise ValueError(f"{table} has no column {column!r}, but {', '.join(rows.columns)}")
    names = [name.strip().removesuffix(".hea") for name in rows["record"]]
    entries: dict[str, Entry] = {}
    for place, name in enumerate(names):
        label = rows["label"].iloc[place].strip()
        patient = rows["patient"].iloc[place].strip() if "patient" in rows else ""
        if name not in headers:
            raise ValueError(f"{table} names the record {name!r}, and there is no {name}.hea")
        if name in entries:
            raise ValueError(f"{table} names the record {name!r} twice")
        if not label:
            raise ValueError(f"{table} has no label for the record {name!r}")
        entries[name] = Entry(folder / name, label, patient or name)
    if not entries:
        raise ValueError(f"{table} names no record")
    return list(entries.values()), len(headers) - len(entries)


def from_header(folder: Path, name: str, wfdb: Any) -> Entry:
    """What the comments of a header say. Raises ValueError."""
    comments = header(folder / name, wfdb).comments
    pairs = (line.partition(":") for line in comments)
    said = {key.strip().lower(): value.strip() for key, _, value in pairs}
    if not said.get("label"):
        raise ValueError(
            f"the record {name!r} has no label: neither a file {folder / 'labels.csv'} nor a "
            "comment '# label: NAME' in its header"
        )
    return Entry(folder / name, said["label"], said.get("patient") or name)


def header(place: Path, wfdb: Any) -> Any:
    try:
        return wfdb.rdheader(str(place))
    except Exception as error:  # of a file that somebody else wrote anything may be wrong
        raise ValueError(f"{place}.hea cannot be read: {' '.join(str(error).split())}") from None


def one(entry: Entry, lead: str | None, wfdb: Any) -> tuple[np.ndarray, float]:
    """(samples,) of one lead, and its rate in Hz. Raises ValueError."""
    about = header(entry.place, wfdb)
    names = list(about.sig_name or [])
    if not names or not about.fs:
        raise ValueError(f"{entry.place}.hea describes no signal")
    if lead is not None and lead not in names:
        raise ValueError(f"{entry.place} has no lead {lead!r}, but {', '.join(map(str, names))}")
    channel = names.index(lead) if lead is not None else 0
    try:
        signal = wfdb.rdrecord(str(entry.place), channels=[channel]).p_signal
    except Exception as error:  # as above
        raise ValueError(f"{entry.place} cannot be read: {' '.join(str(error).split())}") from None
    if signal is None or not len(signal):
        raise ValueError(f"{entry.place} holds no samples")
    return np.asarray(signal[:, 0], dtype=np.float64), float(about.fs)


def at_rate(signal: np.ndarray, rate: float, hertz: int) -> np.ndarray:
    """Resampled; a stretch that was missing is missing again."""
    if rate == hertz:
        return signal
    missing = np.isnan(signal)
    there = np.flatnonzero(~missing)
    if not len(there):
        return np.full(max(1, round(len(signal) * hertz / rate)), np.nan)
    filled = np.interp(np.arange(len(signal)), there, signal[there])
    ratio = Fraction(hertz) / Fraction(rate).limit_denominator(1_000)
    # The ends are held, so that they do not ring.
    made = resample_poly(filled, ratio.numerator, ratio.denominator, padtype="line")
    nearest = np.rint(np.arange(len(made)) * rate / hertz).astype(int).clip(0, len(signal) - 1)
    return np.where(missing[nearest], np.nan, made)


def windows_of(signal: np.ndarray, samples: int) -> np.ndarray:
    """(windows, samples) float32."""
    whole = len(signal) // samples
    if whole == 0:
        signal = np.pad(signal, (0, samples - len(signal)), constant_values=np.nan)
    return signal[: max(1, whole) * samples].reshape(-1, samples).astype(np.float32)
