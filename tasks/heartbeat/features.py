"""What an engineer measures in a heart's trace: rhythm, the usual beat's shape, spectrum, quality.

Beats are found as by Pan and Tompkins (1985, IEEE Trans. Biomed. Eng. 32(3):230): band-pass, slope,
energy in a short window, peaks of it. The usual beat is the median of all beats, so that a movement
in one of them does no harm; P, QRS, ST and T are read off where they have to be. Times in seconds,
voltages in those of the signal. Where nothing was found a number is missing.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.ndimage import uniform_filter1d
from scipy.signal import butter, find_peaks, sosfiltfilt, welch

from tasks.base import Data

BEFORE, AFTER = 0.32, 0.50  # seconds of a beat about its R
APART = 0.28  # seconds between two beats, at least
LARGE = 0.35  # share of a usual peak's height that a beat has at least
BANDS = {"slow": (0.0, 0.5), "low": (0.5, 4), "flutter": (4, 9), "qrs": (9, 20), "high": (20, 40)}
OF_PAIRS = "rate rr_mean sdnn rmssd pnn50 rr_cv rr_change shortest longest early pauses turns"
OF_BEATS = "likeness least_likeness unlike size_spread"


class Beats(NamedTuple):
    """What the peaks of one recording tell."""

    rhythm: dict[str, float]
    usual: np.ndarray  # (window,) the median beat, NaN where there is none


def view(task: Any, data: Data) -> tuple[pd.DataFrame, pd.DataFrame]:
    train, test = (
        measured(data.raw.signals[rows], task.hertz) for rows in (data.raw.train, data.raw.test)
    )
    return train, test


def measured(signals: np.ndarray, hertz: float) -> pd.DataFrame:
    """(n, samples), NaN where nothing was recorded -> a row of measurements for each."""
    missing = np.isnan(signals)
    flat = np.diff(signals, axis=1) == 0
    filled = without_gaps(signals.astype(np.float64))
    clean = band(filled, 0.5, 40, hertz)
    steep = np.gradient(band(filled, 6, 20, hertz), axis=1)
    energy = uniform_filter1d(steep**2, max(1, round(0.1 * hertz)), axis=1)
    found = [beats(*row, hertz) for row in zip(clean, energy, missing, strict=True)]
    parts = [
        pd.DataFrame([beat.rhythm for beat in found]),
        shape(np.array([beat.usual for beat in found]), hertz),
        spectrum(clean, filled, hertz),
        pd.DataFrame({"gaps": missing.mean(axis=1), "flat": flat.mean(axis=1)}),
    ]
    return pd.concat(parts, axis=1).astype(float)


def without_gaps(signals: np.ndarray) -> np.ndarray:
    """Gaps bridged by straight lines; zeros where nothing was recorded at all."""
    filled = signals.copy()
    for row in np.flatnonzero(np.isnan(signals).any(axis=1)):
        there = np.flatnonzero(~np.isnan(signals[row]))
        everywhere = np.arange(signals.shape[1])
        filled[row] = np.interp(everywhere, there, signals[row, there]) if len(there) else 0.0
    return filled


def band(signals: np.ndarray, low: float, high: float, hertz: float) -> np.ndarray:
    limits = (low, min(high, 0.45 * hertz))
    sections = butter(2, limits, "bandpass", fs=hertz, output="sos")
    pad = min(round(hertz), signals.shape[1] - 1)
    return sosfiltfilt(sections, signals, axis=1, padlen=pad)


def beats(clean: np.ndarray, energy: np.ndarray, missing: np.ndarray, hertz: float) -> Beats:
    peaks = find_beats(clean, energy, missing, hertz)
    before, after = round(BEFORE * hertz), round(AFTER * hertz)
    whole = peaks[(peaks >= before) & (peaks < len(clean) - after)]
    usual = np.full(before + after, np.nan)
    rhythm: dict[str, float] = dict.fromkeys(f"beats {OF_PAIRS} {OF_BEATS}".split(), np.nan)
    rhythm["beats"] = len(peaks)
    if len(peaks) >= 3:
        rr = np.diff(peaks) / hertz
        middle, change = np.median(rr), np.diff(rr)
        rhythm |= {
            "rate": 60 / middle,
            "rr_mean": rr.mean(),
            "sdnn": rr.std(),
            "rmssd": np.sqrt((change**2).mean()),
            "pnn50": (np.abs(change) > 0.05).mean(),
            "rr_cv": rr.std() / rr.mean(),
            "rr_change": np.median(np.abs(change)) / middle,
            "shortest": rr.min() / middle,
            "longest": rr.max() / middle,
            "early": float((rr < 0.8 * middle).sum()),
            "pauses": float((rr > 1.2 * middle).sum()),
            "turns": float(((rr[:-1] < 0.85 * middle) & (rr[1:] > 1.15 * middle)).sum()),
        }
    if len(whole) >= 2:
        each = clean[whole[:, None] + np.arange(-before, after)]
        usual = np.median(each, axis=0)
        like = alike(each, usual)
        top = each[:, before]
        rhythm |= {
            "likeness": np.median(like),
            "least_likeness": like.min(),
            "unlike": float((like < 0.7).sum()),
            "size_spread": top.std() / (np.abs(top).mean() + 1e-9),
        }
    return Beats(rhythm, usual)


def find_beats(
    clean: np.ndarray, energy: np.ndarray, missing: np.ndarray, hertz: float
) -> np.ndarray:
    """Places of R, the furthest points from the line about the peaks of energy."""
    loud = np.sqrt(energy)
    if not loud.max() > 1e-9 * (1 + np.abs(clean).max()):
        return np.zeros(0, dtype=np.int64)
    # A usual peak: the median of the highest of each second and a half that is not silent.
    stretches = np.array_split(loud, max(1, round(len(loud) / (1.5 * hertz))))
    highest = np.array([stretch.max() for stretch in stretches])
    usual = np.median(highest[highest > 0.02 * highest.max()])
    peaks, _ = find_peaks(loud, height=LARGE * usual, distance=max(1, round(APART * hertz)))
    reach = max(1, round(0.06 * hertz))
    around = np.clip(peaks[:, None] + np.arange(-reach, reach + 1), 0, len(clean) - 1)
    # The way most beats point is the way R points.
    up, down = (
        clean[around].max(axis=1, initial=-np.inf),
        -clean[around].min(axis=1, initial=np.inf),
    )
    sign = 1.0 if not len(peaks) or np.median(up - down) >= 0 else -1.0
    peaks = around[np.arange(len(peaks)), (sign * clean[around]).argmax(axis=1)]
    return np.unique(peaks[~missing[peaks]])


def alike(each: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """(beats,) correlation of each beat with the usual one."""
    a, b = each - each.mean(axis=1, keepdims=True), usual - usual.mean()
    return a @ b / (np.linalg.norm(a, axis=1) * np.linalg.norm(b) + 1e-12)


def shape(usual: np.ndarray, hertz: float) -> pd.DataFrame:
    """Of the median beats, (n, window)."""
    time = np.arange(usual.shape[1]) / hertz - BEFORE
    at_r = usual[:, round(BEFORE * hertz)]
    sign = np.where(at_r < 0, -1.0, 1.0)
    line = np.median(part(usual, time, -0.09, -0.05), axis=1)  # between P and Q
    beat = (usual - line[:, None]) * sign[:, None]
    r = beat[:, round(BEFORE * hertz)]
    p, p_at = top(beat, time, -0.30, -0.08)
    q, q_at = top(-beat, time, -0.08, 0.0)
    s, s_at = top(-beat, time, 0.0, 0.10)
    t, t_at = top(np.abs(beat), time, 0.16, 0.48)
    qrs = part(beat, time, -0.08, 0.12)
    slope = np.abs(np.diff(part(beat, time, -0.10, 0.16), axis=1))
    steep = slope > 0.15 * slope.max(axis=1, keepdims=True)
    st = part(beat, time, 0.09, 0.14)
    return pd.DataFrame(
        {
            "upside_down": np.where(np.isnan(at_r), np.nan, sign < 0),
            "r_size": r,
            "p_size": p / r,
            "p_time": -p_at,
            "p_area": part(beat, time, -0.28, -0.08).mean(axis=1) / r,
            "q_size": q / r,
            "q_time": -q_at,
            "s_size": s / r,
            "s_time": s_at,
            "qrs_width": np.where(np.isnan(r), np.nan, steep.sum(axis=1) / hertz),
            "r_width": (qrs > 0.5 * r[:, None]).sum(axis=1) / hertz,
            "qrs_area": np.abs(qrs).mean(axis=1) / r,
            "st_level": st.mean(axis=1) / r,
            "st_slope": (st[:, -1] - st[:, 0]) / r,
            "st_end": part(beat, time, 0.16, 0.22).mean(axis=1) / r,
            "t_size": t / r * np.sign(value_at(beat, time, t_at)),
            "t_time": t_at,
            "t_area": part(beat, time, 0.16, 0.45).mean(axis=1) / r,
        }
    )


def part(beat: np.ndarray, time: np.ndarray, low: float, high: float) -> np.ndarray:
    return beat[:, (time >= low - 1e-9) & (time <= high + 1e-9)]


def top(
    beat: np.ndarray, time: np.ndarray, low: float, high: float
) -> tuple[np.ndarray, np.ndarray]:
    """(n,) the largest value between two moments, and its moment."""
    window = part(np.nan_to_num(beat, nan=-np.inf), time, low, high)
    place = window.argmax(axis=1)
    found = window[np.arange(len(beat)), place]
    lost = np.isinf(found)
    moments = time[(time >= low - 1e-9) & (time <= high + 1e-9)][place]
    return np.where(lost, np.nan, found), np.where(lost, np.nan, moments)


def value_at(beat: np.ndarray, time: np.ndarray, moment: np.ndarray) -> np.ndarray:
    place = np.searchsorted(time, np.nan_to_num(moment) - 1e-9).clip(0, len(time) - 1)
    return beat[np.arange(len(beat)), place]


def spectrum(clean: np.ndarray, filled: np.ndarray, hertz: float) -> pd.DataFrame:
    """Shares of the power by band, how noisy it is, and how the values are spread."""
    frequency, power = welch(filled, hertz, nperseg=min(filled.shape[1], round(4 * hertz)), axis=1)
    total = power.sum(axis=1) + 1e-12
    found = {}
    for name, (low, high) in BANDS.items():
        found[f"power_{name}"] = power[:, (frequency >= low) & (frequency < high)].sum(1) / total
    share = power / total[:, None]
    found["entropy"] = -(share * np.log(share + 1e-12)).sum(axis=1)
    spread = clean.std(axis=1)
    away = (clean - clean.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1)[:, None]
    found |= {"spread": spread, "skewness": (away**3).mean(1), "kurtosis": (away**4).mean(1)}
    found["noise"] = np.median(np.abs(np.diff(filled, 2, axis=1)), axis=1)
    return pd.DataFrame(found)
