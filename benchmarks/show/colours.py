"""One colour for a model, the same on every page: a hue for each kind of approach."""

import hashlib
from collections.abc import Sequence

# Hues that people who see fewer colours tell apart as well (after Okabe and Ito 2008), each from
# dark to light; all of them show on white and on black.
LINEAR = ("#3b82c4", "#6aa9df", "#2c5f93")
TREES = ("#2fa37c", "#7a8c3f", "#5cc3a0")
NETWORKS = ("#d1495b", "#e8871e", "#b8860b")
SEQUENCES = ("#8f6fd1", "#c65d9b", "#b39ae6")
TEXTS = ("#4aa8c7", "#c9713b", "#a04c8f", "#7d8fe0")
PLAIN = "#8a8f98"

OF_MODEL = {
    "baseline": PLAIN,
    "logistic": LINEAR[0],
    "ridge": LINEAR[0],
    "svm": LINEAR[1],
    "nystroem": LINEAR[2],
    "hashed_logistic": LINEAR[2],
    "factorisation": LINEAR[1],
    "random_forest": TREES[1],
    "xgboost": TREES[0],
    "network": NETWORKS[0],
    "mlp": NETWORKS[1],
    "embedder": NETWORKS[1],
    "table_prior": NETWORKS[2],
    "gru": SEQUENCES[0],
    "transformer": SEQUENCES[1],
    "kalman": SEQUENCES[2],
    "rocket": TREES[2],
    "convnet": SEQUENCES[0],
    "rules": LINEAR[1],
    "ranker": TREES[0],
    "static": TEXTS[0],
    "encoder": TEXTS[3],
    "prompted": TEXTS[1],
    "finetuned": TEXTS[2],
}
OTHERS = (*LINEAR, *TREES, *NETWORKS, *SEQUENCES, *TEXTS)


def colours(labels: Sequence[str]) -> list[str]:
    """One for each label. Of labels that begin with one model's name the first has that model's
    colour; the others, and models that nobody knows, have one that follows from their name."""
    found: list[str] = []
    for label in labels:
        usual = OF_MODEL.get(label) or OF_MODEL.get(label.partition(" ")[0])
        if usual is None or usual in found:
            start = int(hashlib.sha256(label.encode()).hexdigest(), 16)
            tried = (OTHERS[(start + k) % len(OTHERS)] for k in range(len(OTHERS)))
            usual = next((colour for colour in tried if colour not in found), usual or PLAIN)
        found.append(usual)
    return found
