"""One colour for a model, the same on every page: a hue for each kind of approach."""

import hashlib
from collections.abc import Sequence

# Hues that people who see fewer colours tell apart as well (after Okabe and Ito 2008), in shades
# for the models of a kind; all of them show on white and on black.
PLAIN = "#8a8f98"
OF_MODEL = {
    "baseline": PLAIN,
    # linear, and kernels: blues
    "logistic": "#3b82c4",
    "ridge": "#2c5f93",
    "svm": "#6aa9df",
    "nystroem": "#4667a8",
    "hashed_logistic": "#5b8fb5",
    "factorisation": "#7cb8d4",
    "rules": "#49759c",
    # trees: greens
    "random_forest": "#7a8c3f",
    "xgboost": "#2fa37c",
    "ranker": "#5f9e57",
    "rocket": "#5cc3a0",
    # networks: reds and yellows
    "network": "#d1495b",
    "mlp": "#e8871e",
    "embedder": "#c96f4a",
    "table_prior": "#b8860b",
    # sequences and signals: violets
    "gru": "#8f6fd1",
    "transformer": "#c65d9b",
    "kalman": "#b39ae6",
    "convnet": "#7a5bb0",
    # texts
    "static": "#4aa8c7",
    "encoder": "#7d8fe0",
    "prompted": "#c9713b",
    "prompted_shown": "#d99a6c",
    "finetuned": "#a04c8f",
}
OTHERS = tuple(colour for colour in OF_MODEL.values() if colour != PLAIN)


def colours(labels: Sequence[str]) -> list[str]:
    """One for each label. Models that are known have theirs on every page; others, and further
    rows of one model, have one that follows from their name, and none that is taken."""
    found = {label: OF_MODEL[label] for label in labels if label in OF_MODEL}
    for label in labels:
        name = label.partition(" ")[0]
        usual = OF_MODEL.get(name)
        if label not in found and usual is not None and usual not in found.values():
            found[label] = usual
    for label in labels:
        if label not in found:
            start = int(hashlib.sha256(label.encode()).hexdigest(), 16)
            tried = (OTHERS[(start + k) % len(OTHERS)] for k in range(len(OTHERS)))
            found[label] = next((c for c in tried if c not in found.values()), PLAIN)
    return [found[label] for label in labels]
