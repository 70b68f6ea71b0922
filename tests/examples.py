"""Made-up rows of every view, with labels that they can explain: what models are tried on."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.cell import views
from tasks.candidates import Candidates
from tasks.histories import Histories, histories
from tasks.receipts import Receipts

KINDS = ("binary", "multiclass", "regression")
EVENTS_EACH = 8  # rows of one entity, each an event of the later ones


def labels(signal: np.ndarray, kind: str) -> np.ndarray:
    """signal: (n,) about standard normal, twice as wide -> class names, or numbers."""
    if kind == "regression":
        return 100 + 10 * signal
    names = ["no", "yes"] if kind == "binary" else ["much", "none", "some"]
    cuts = [0.6] if kind == "binary" else [-0.5, 1.5]
    return np.array(names, dtype=object)[np.digitize(signal, cuts)]


def table(rows: int, seed: int, kind: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Numbers, whole numbers, truth values, gaps and categories."""
    random = np.random.default_rng(seed)
    X = pd.DataFrame(
        random.normal(size=(rows, 4)), columns=["a", "b", "with [brackets] <", "noise"]
    )
    X["whole"] = random.integers(0, 5, rows)
    X["flag"] = random.random(rows) < 0.5
    X["topic"] = pd.Categorical(random.choice(["news", "sport", "music"], rows))
    X["constant"] = 1.0
    X["empty"] = np.nan
    music = (X["topic"] == "music").to_numpy()
    signal = 2 * X["a"].to_numpy() - X["b"].to_numpy() + 2 * music + 0.3 * random.normal(size=rows)
    X.loc[random.random(rows) < 0.1, "noise"] = np.nan
    X["history"] = X["noise"].astype(object).where(X["noise"].notna(), None)
    return X, labels(signal, kind)


def events(rows: int, seed: int, kind: str) -> tuple[Histories, np.ndarray]:
    """Entities with a past of 0 to 7 events: what comes of a row depends on the row, on a text, and
    on the one before."""
    random = np.random.default_rng(seed)
    entity, place = np.divmod(np.arange(rows), EVENTS_EACH)
    now = pd.DataFrame({"a": random.normal(size=rows), "constant": 1.0})
    now["flag"] = random.random(rows) < 0.5
    now["topic"] = pd.Categorical(random.choice(["news", "sport", "music"], rows))
    now["words"] = random.choice(["come and see", "see you", "now or never", ""], rows)
    now["words"] = now["words"].astype("string")
    before = np.where(place > 0, np.roll(now["a"].to_numpy(), 1), 0.0)
    music, never = (now["topic"] == "music").to_numpy(), (now["words"] == "now or never").to_numpy()
    signal = 2 * now["a"].to_numpy() + 1.0 * before + 1.5 * music - never
    y = labels(signal + 0.2 * random.normal(size=rows), kind)
    outcome = pd.Series(y) if kind == "regression" else pd.Series(pd.Categorical(y))
    now.loc[random.random(rows) < 0.05, "a"] = np.nan
    moment = 1_700_000_000 + 7200 * place
    return histories(now, entity, moment, now.assign(outcome=outcome), entity, moment, 3600), y


def waves(rows: int, seed: int, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Two channels of 96 samples: how strong one of two waves is says what comes of it."""
    random = np.random.default_rng(seed)
    strength = random.normal(size=rows)
    time = np.arange(96) / 96 + random.random((rows, 1))
    wave = (2 + strength[:, None]) * np.sin(2 * np.pi * 6 * time)
    X = 0.3 * random.normal(size=(rows, 2, 96)).astype(np.float32)
    X[:, 0] += wave.astype(np.float32)
    X[::7, 1, :30] = np.nan
    return X, labels(2 * strength + 0.2 * random.normal(size=rows), kind)


def ids(rows: int, seed: int, kind: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Three fields of hashed ids: each value has an effect, and so has a pair of fields."""
    random = np.random.default_rng(seed)
    fields = {"user": 12, "ad": 8, "device": 3}
    codes = {name: random.integers(0, n, rows) for name, n in fields.items()}
    effects = np.random.default_rng(0)  # the same for all seeds
    signal = sum(effects.normal(size=n)[codes[name]] for name, n in fields.items())
    signal = signal + effects.normal(size=(12, 3))[codes["user"], codes["device"]]
    X = pd.DataFrame({name: hashed(code) for name, code in codes.items()})
    return X, labels(signal + 0.2 * random.normal(size=rows), kind)


WORDS = ("good", "bad", "new", "now", "today", "music")


def texts(rows: int, seed: int, kind: str) -> tuple[list[str], np.ndarray]:
    """Six words each, of which every one has a worth."""
    random = np.random.default_rng(seed)
    codes = random.integers(0, len(WORDS), (rows, 6))
    worth = np.array([2.0, -2.0, 1.0, -1.0, 0.5, 0.0])
    signal = worth[codes].sum(axis=1) / 1.5 + 0.1 * random.normal(size=rows)
    return [" ".join(WORDS[k] for k in row) for row in codes], labels(signal, kind)


def hashed(codes: np.ndarray) -> np.ndarray:
    return ((codes.astype(np.int64) + 1) * 2_654_435_761) % 2**31


EXAMPLES: dict[str, Callable[[int, int, str], tuple[Any, np.ndarray]]] = {
    "features": table,
    "events": events,
    "signal": waves,
    "ids": ids,
    "text": texts,
}
"""By the name of the view: (rows, seed, kind) -> rows, labels"""


def answered(view: str, rows: int, seed: int) -> tuple[Any, list[Any]]:
    """Rows of a view of texts, and the answers to them: what a receipt says."""
    task = Receipts(rows=max(30, rows * 2), test_share=0.5)
    data = task.load(seed)
    train, _ = views.make(task, data, view)
    return train[:rows], data.train_labels[:rows]


def strange(view: str, kind: str) -> Any:
    """60 rows of a view with gaps and with values that none of its examples has."""
    X, _ = EXAMPLES[view](60, 2, kind)
    if view == "text":
        odd = [
            "",
            " \n",
            "\x00\x1b[2J",
            "good \u202e bad",
            "שלום",
            "日本語",
            "<end>",
            "word " * 5_000,
        ]
        return (odd * 8)[:60]
    opera = pd.Categorical(["opera", None, "music"] * 20)
    if view == "features":
        return X.assign(topic=opera, a=np.nan)  # had no gap when it was learned from
    if view == "ids":
        return X.assign(ad=hashed(np.arange(1000, 1060)))
    if view == "signal":
        X[:20] = np.nan
        X[20:40] = 1.0
        return X
    words = pd.Series(["unheard of", None, ""] * 20, dtype="string")
    now = X.now.assign(topic=opera, a=np.nan, words=words)
    past = X.events.assign(outcome=X.events["outcome"].where(np.arange(len(X.events)) % 2 == 0))
    return Histories(now, X.moment, past, X.event_moment, X.start, X.stop)


def assert_same(rows: Any, other: Any) -> None:
    """Rows of any view, to the bit."""
    if isinstance(rows, Histories):
        for mine, theirs in zip(rows.parts().values(), other.parts().values(), strict=True):
            assert_same(mine, theirs)
    elif isinstance(rows, Candidates):
        for part in vars(rows):
            assert_same(getattr(rows, part), getattr(other, part))
    elif isinstance(rows, list):
        assert rows == other
    elif isinstance(rows, pd.DataFrame):
        pd.testing.assert_frame_equal(rows, other, check_exact=True)
    else:
        np.testing.assert_array_equal(rows, other)


def heads(rows: int = 90) -> pd.DataFrame:
    """A table whose outcome a model of the harness can tell (tests/harness.py)."""
    x = [((7 * k) % 31 - 15) / 5 for k in range(rows)]
    return pd.DataFrame({"x": x, "y": ["head" if v > 0 else "tail" for v in x]})
