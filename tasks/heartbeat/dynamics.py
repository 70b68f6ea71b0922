"""The published dynamical model of an electrocardiogram, solved instead of stepped through.

McSharry, Clifford, Tarassenko, Smith, "A dynamical model for generating synthetic electrocardiogram
signals", IEEE Trans. Biomed. Eng. 50(3):289-294, 2003. A point runs round the unit circle, once a
beat; at the angles of P, Q, R, S and T it is pushed up or down, and its height is what an electrode
sees:

    dx/dt = (1 - r) x - w y      dy/dt = (1 - r) y + w x      r = sqrt(x² + y²)
    dz/dt = -sum a D exp(-D² / 2 b²) - (z - z0)               D = angle - angle of the push

On the circle r = 1, so the angle grows by w = 2 pi / T in a beat of T seconds, whatever z does, and
what is left is linear in z. In a beat each push is the derivative in time of a bump of a b² / w, so

    z = G + u      G = sum (a b² / w) exp(-D² / 2 b²)      du/dt = -u - G + z0

exactly, where w changes between bumps alone. G is written down where its bumps are, and u is a
low-pass filter of it. `tests/test_heartbeat.py` holds this against the equations above, integrated
step by step. All of it is done for many recordings at once.
"""

from typing import NamedTuple

import numpy as np
from scipy.signal import lfilter

LOW, HIGH = 0.1, 0.25  # Hz, published: waves of the blood pressure, and breathing
BAND = 0.01  # Hz, published: the standard deviation of either
WAVES = 6  # cosines for either
REACH = 4.0  # standard deviations at which a bump ends; it has fallen to 0.03 %


class Rhythm(NamedTuple):
    """How the time between two beats varies: (n,) each."""

    period: np.ndarray  # seconds, the mean
    spread: np.ndarray  # seconds, the standard deviation
    low_share: np.ndarray  # of the variance, about `LOW`; the rest is about `breathing`
    breathing: np.ndarray  # Hz, about `HIGH`


class Bumps(NamedTuple):
    """What a beat adds to the trace, (n, beats, bumps) each; the bumps of P, Q, R, S, T, …"""

    after: np.ndarray  # seconds from R, negative before it: angle / w
    width: np.ndarray  # seconds, the standard deviation: b / w
    height: np.ndarray  # millivolts: a b² / w


def beats(
    rng: np.random.Generator, rhythm: Rhythm, start: np.ndarray, factor: np.ndarray
) -> np.ndarray:
    """(n, beats + 1) seconds of the R peaks from `start` on, (n,).

    factor: (n, beats), what the time to the next beat is multiplied by; 1 in a healthy heart. The
    published tachogram has a spectrum of two Gaussian bands and phases by chance. So has a sum of
    cosines whose frequencies are drawn from that spectrum (Shinozuka and Deodatis 1991, Appl. Mech.
    Rev. 44(4):191), which can be asked for at the very moment of a beat.
    """
    n, length = factor.shape
    band = rng.normal(0, BAND, (n, 2, WAVES))
    frequency = 2 * np.pi * (np.stack([np.full(n, LOW), rhythm.breathing], 1)[:, :, None] + band)
    phase = rng.uniform(0, 2 * np.pi, (n, 2, WAVES))
    shares = np.stack([rhythm.low_share, 1 - rhythm.low_share], 1)
    size = rhythm.spread[:, None, None] * np.sqrt(2 * shares / WAVES)[:, :, None]
    least = 0.3 * rhythm.period  # a heart has to fill again
    found = np.empty((n, length + 1))
    found[:, 0] = start
    for k in range(length):
        waves = size * np.cos(frequency * found[:, k, None, None] + phase)
        period = rhythm.period + waves.sum(axis=(1, 2))
        found[:, k + 1] = found[:, k] + np.maximum(period * factor[:, k], least)
    return found


def trace(peaks: np.ndarray, bumps: Bumps, level: np.ndarray, hertz: float) -> np.ndarray:
    """(n, samples) millivolts: z of the equations above.

    peaks: (n, beats) seconds of R, of which any may lie outside. level: (n, samples) z0, the line
    about which it swings; its first value is where z begins to be pulled from.
    """
    bump = summed(peaks, bumps, level.shape[1], hertz)
    # u between two samples is pulled along the straight line between them (a first-order hold).
    step = 1 / hertz
    stays = np.exp(-step)
    mean = (1 - stays) / step
    first, second = mean - stays, 1 - mean  # weights of the earlier and of the later sample
    pull = level - bump
    begin = pull.mean(axis=1, keepdims=True)  # as if it had been so for long
    u, _ = lfilter([second, first], [1, -stays], pull, axis=1, zi=begin - second * pull[:, :1])
    return bump + u


def summed(peaks: np.ndarray, bumps: Bumps, samples: int, hertz: float) -> np.ndarray:
    """(n, samples): G. Each bump is added where it is, which is a small part of the trace."""
    n, length = peaks.shape
    after, width, height = (
        np.broadcast_to(part, (n, length, np.shape(part)[-1])) for part in bumps
    )
    margin = int(np.ceil(REACH * width.max() * hertz)) + 1
    wide = samples + 4 * margin
    found = np.zeros(n * wide)
    for k in range(after.shape[2]):
        centre = (peaks + after[:, :, k]) * hertz
        near_by = (centre > -margin) & (centre < samples + margin) & (height[:, :, k] != 0)
        row, beat = near_by.nonzero()
        at, scale = centre[row, beat], width[row, beat, k] * hertz
        half = int(np.ceil(REACH * scale.max(initial=0)))
        around = np.arange(-half, half + 1)
        middle = np.rint(at).astype(np.int64)
        away = ((around + (middle - at)[:, None]) / scale[:, None]).astype(np.float32)
        values = height[row, beat, k, None] * np.exp(-0.5 * away * away)
        place = (row * wide + 2 * margin + middle)[:, None] + around
        found += np.bincount(place.ravel(), values.ravel(), minlength=len(found))
    return found.reshape(n, wide)[:, 2 * margin : 2 * margin + samples]
