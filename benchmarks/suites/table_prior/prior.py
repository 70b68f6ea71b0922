"""Tables that never were: drawn from random causal graphs, so that a model can learn to learn.

    rng = np.random.default_rng(0)
    X, y = draw(rng, rows=200, columns=8)

A table begins as a graph whose nodes stand in causal order (Hollmann et al. 2023, arXiv 2207.01848,
section 4). Roots are noise of some distribution; every other node is a random function of a few
earlier ones (lines, bends, trees, waves, products) and noise of its own. The class is read from a
node of its own, which may lie anywhere in the order: what comes later may be its effect. The
columns are some of the nodes, seen through a lens: stretched, rounded, cut into categories, with
gaps. What is not seen is noise that nobody can explain. Nothing here looks at a real table.
"""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

MOST_CLASSES = 10
MOST_LEVELS = 16  # of a category
ACTIVATIONS: tuple[Callable[[np.ndarray], np.ndarray], ...] = (
    lambda x: x,
    np.tanh,
    lambda x: np.maximum(x, 0),
    np.abs,
    np.sin,
    lambda x: np.exp(-(x**2)),
    lambda x: x**2,
    np.sign,
)


def draw(rng: Generator, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """-> (rows, columns) float32, NaN where a value is missing, and (rows,) int64 classes from 0
    on, at least two and at most MOST_CLASSES."""
    while True:
        nodes, y = graph(rng, rows, columns)
        shares = np.bincount(y) / rows
        if shares.max() < min(0.97, 1 - 4 / rows):
            break
    _, y = np.unique(y, return_inverse=True)
    y = rng.permutation(y.max() + 1)[y]
    return seen(rng, nodes[:, rng.permutation(nodes.shape[1])[:columns]]), y.astype(np.int64)


def graph(rng: Generator, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """-> (rows, at least `columns`) standardised nodes, and (rows,) classes"""
    hidden = int(rng.integers(0, columns + 1) if rng.random() < 0.6 else 0)
    n_nodes = columns + hidden
    n_roots = int(rng.integers(1, max(2, n_nodes // rng.choice([1, 1, 2, 4]) + 1)))
    # Where there are roots alone the class is the only effect; else it is often the last one.
    place = n_nodes if rng.random() < 0.6 else int(rng.integers(n_roots, n_nodes + 1))
    mix = rng.dirichlet(np.full(len(FUNCTIONS), 0.7))  # what functions this world likes
    noise = np.exp(rng.uniform(np.log(0.02), np.log(1.0)))
    nodes = np.empty((rows, n_nodes))
    y, effect = None, None
    correlated = rng.random() < 0.4  # roots that share factors
    nodes[:, :n_roots] = roots(rng, rows, n_roots, correlated)
    for k in range(n_roots, n_nodes + 1):
        if k == place:
            y, effect = classes(rng, nodes[:, :k], mix)
        if k == n_nodes:
            break
        parents = nodes[:, rng.permutation(k)[: 1 + min(k, rng.geometric(0.5)) - 1]]
        if effect is not None and rng.random() < 0.5:
            parents = np.column_stack([parents, effect])
        own = noise * rng.lognormal(0, 0.7)
        value = scaled(function(rng, parents, mix)) + own * rng.standard_normal(rows)
        nodes[:, k] = scaled(value)
    assert y is not None
    return nodes, y


def roots(rng: Generator, rows: int, count: int, correlated: bool) -> np.ndarray:
    """-> (rows, count)"""
    kind = rng.integers(5, size=count) if rng.random() < 0.5 else np.full(count, rng.integers(5))
    out = rng.standard_normal((rows, count))
    if correlated:
        factors = int(rng.integers(1, count + 1))
        shared = rng.standard_normal((rows, factors)) @ rng.standard_normal((factors, count))
        out = scaled(scaled(shared) + rng.uniform(0.1, 1.5) * out)
    for k in range(count):
        if kind[k] == 1:
            out[:, k] = rng.uniform(-1.7, 1.7, rows) if not correlated else np.tanh(out[:, k])
        elif kind[k] == 2:
            out[:, k] = np.exp(rng.uniform(0.3, 1.2) * out[:, k])
        elif kind[k] == 3:
            centres = rng.normal(0, 2, rng.integers(2, 6))
            out[:, k] += centres[rng.integers(len(centres), size=rows)]
        elif kind[k] == 4:
            out[:, k] = np.round(out[:, k] * rng.uniform(0.5, 3))
    return scaled(out)


def classes(rng: Generator, nodes: np.ndarray, mix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """-> (rows,) classes, and (rows,) the number through which they act on later nodes"""
    rows, there = nodes.shape
    few = int(np.exp(rng.uniform(0, np.log(there + 1))))
    parents = nodes[:, rng.permutation(there)[: max(1, min(few, 20))]]
    count = 2 if rng.random() < 0.6 else int(rng.integers(3, MOST_CLASSES + 1))
    # Few steps of many strengths: how sure a perfect observer could be.
    sure = np.exp(rng.uniform(np.log(0.7), np.log(30)))
    if rng.random() < (0.75 if count == 2 else 0.25):  # classes in the order of one number
        score = scaled(function(rng, parents, mix))
        blurred = score + rng.logistic(size=rows) / sure
        shares = rng.dirichlet(np.full(count, rng.choice([1.0, 3.0, 20.0])))
        cuts = np.quantile(blurred, np.cumsum(shares)[:-1])
        y = np.searchsorted(np.sort(cuts), blurred)
        return y, (scaled(y * 1.0) if rng.random() < 0.5 else score)
    scores = np.column_stack([scaled(function(rng, parents, mix)) for _ in range(count)])
    scores += rng.normal(0, rng.choice([0.2, 0.7, 1.5]), count)
    y = np.argmax(scores + rng.gumbel(size=scores.shape) / sure, axis=1)
    return y, scaled(rng.standard_normal(count)[y])


def function(rng: Generator, parents: np.ndarray, mix: np.ndarray) -> np.ndarray:
    """A random function of (rows, parents) -> (rows,)"""
    if rng.random() < 0.35:  # a line, or a bent one, in every world
        return line(rng, parents)
    return FUNCTIONS[rng.choice(len(FUNCTIONS), p=mix)](rng, parents)


def line(rng: Generator, parents: np.ndarray) -> np.ndarray:
    return parents @ (rng.standard_normal(parents.shape[1]) * rng.exponential(1, parents.shape[1]))


def bent(rng: Generator, parents: np.ndarray) -> np.ndarray:
    act = ACTIVATIONS[rng.integers(len(ACTIVATIONS))]
    return act(rng.uniform(0.5, 3) * scaled(line(rng, parents)) + rng.normal(0, 0.7))


def sum_of_bends(rng: Generator, parents: np.ndarray) -> np.ndarray:
    """Each parent for itself."""
    terms = [bent(rng, parents[:, [k]]) for k in range(parents.shape[1])]
    return np.column_stack(terms) @ rng.standard_normal(len(terms))


def network(rng: Generator, parents: np.ndarray) -> np.ndarray:
    """One or two hidden layers of random weights."""
    hidden = parents
    for _ in range(rng.integers(1, 3)):
        width, act = int(rng.integers(4, 24)), ACTIVATIONS[rng.integers(len(ACTIVATIONS))]
        weights = rng.standard_normal((hidden.shape[1], width)) / hidden.shape[1] ** 0.5
        hidden = act(rng.uniform(0.5, 2) * hidden @ weights + rng.normal(0, 0.7, width))
    return hidden @ rng.standard_normal(hidden.shape[1])


def trees(rng: Generator, parents: np.ndarray) -> np.ndarray:
    """A few trees that ask all rows of a level the same question (oblivious ones)."""
    total = np.zeros(len(parents))
    for _ in range(int(np.exp(rng.uniform(0, np.log(16))))):
        depth = int(rng.integers(1, 6))
        asked = rng.integers(parents.shape[1], size=depth)
        at = parents[rng.integers(len(parents), size=depth), asked]
        leaf = (parents[:, asked] > at) @ (1 << np.arange(depth))
        total += rng.standard_normal(1 << depth)[leaf]
    return total


def waves(rng: Generator, parents: np.ndarray) -> np.ndarray:
    """A smooth surface: a draw of a Gaussian process, by random Fourier features."""
    scale = np.exp(rng.uniform(np.log(0.2), np.log(1.5)))
    weights = rng.standard_normal((parents.shape[1], 32)) * scale
    waves = np.cos(parents @ weights + rng.uniform(0, 2 * np.pi, 32))
    return waves @ rng.standard_normal(32)


def product(rng: Generator, parents: np.ndarray) -> np.ndarray:
    return bent(rng, parents) * bent(rng, parents)


def lookup(rng: Generator, parents: np.ndarray) -> np.ndarray:
    """Each parent is a category, each level has a number."""
    total = np.zeros(len(parents))
    for k in range(parents.shape[1]):
        levels = int(rng.integers(2, MOST_LEVELS))
        total += rng.standard_normal(levels)[cut(rng, parents[:, k], levels)]
    return total


FUNCTIONS = (bent, sum_of_bends, network, trees, waves, product, lookup)


def seen(rng: Generator, nodes: np.ndarray) -> np.ndarray:
    """Nodes through a lens -> (rows, columns) float32 with NaN"""
    columns = nodes.shape[1]
    out = nodes.copy()
    categories = rng.random() * (rng.random() < 0.6)
    warp = rng.random() * (rng.random() < 0.7)
    for k in range(columns):
        if rng.random() < categories:
            levels = int(np.exp(rng.uniform(np.log(2), np.log(MOST_LEVELS))))
            out[:, k] = rng.permutation(levels)[cut(rng, out[:, k], levels)]
        elif rng.random() < warp:
            out[:, k] = warped(rng, out[:, k])
    if rng.random() < 0.3:
        gaps = np.where(rng.random(columns) < rng.random(), rng.beta(1, 4, columns), 0)
        chance = np.broadcast_to(gaps, out.shape)
        if rng.random() < 0.5:  # what is missing tells something
            chance = np.clip(chance * (1 + np.tanh(3 * nodes)), 0, 0.98)
        out[rng.random(out.shape) < chance] = np.nan
    return out.astype(np.float32)


def cut(rng: Generator, values: np.ndarray, levels: int) -> np.ndarray:
    """(rows,) numbers -> (rows,) int64 below `levels`, some of them rare"""
    shares = rng.dirichlet(np.full(levels, rng.choice([0.7, 2.0, 10.0])))
    return np.searchsorted(np.quantile(values, np.cumsum(shares)[:-1]), values)


def warped(rng: Generator, values: np.ndarray) -> np.ndarray:
    kind = rng.integers(5)
    if kind == 0:
        return np.exp(rng.uniform(0.3, 1.5) * np.clip(values, -4, 4))
    if kind == 1:
        return np.sign(values) * np.abs(values) ** rng.uniform(0.4, 3)
    if kind == 2:
        return np.round(values * rng.uniform(0.7, 4))
    if kind == 3:  # much is nothing
        return np.maximum(values - np.quantile(values, rng.uniform(0.1, 0.8)), 0)
    return values.argsort().argsort() / len(values)


def scaled(values: np.ndarray) -> np.ndarray:
    """Mean 0 and standard deviation 1 in each column; what does not vary becomes 0."""
    values = values - values.mean(0)
    return values / np.maximum(values.std(0), 1e-6)
