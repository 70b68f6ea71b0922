"""Work on features against a change of model: the same models on several views of one task."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.analysis.summary import Row, Section


@dataclass(frozen=True)
class Dial:
    """Models of one section, some of which were tried on several views."""

    section: Section
    views: Sequence[str]
    """Those that models read, by the best score on each, worst first"""
    rows: Mapping[str, Mapping[str, Row]]
    """Model, without its view -> view -> its row with a score; models in order of their years"""

    def score(self, model: str, view: str) -> float | None:
        row = self.rows[model].get(view)
        score = None if row is None else row.score(self.section.metric)
        return None if score is None else score.mean

    def start(self) -> tuple[str, str]:
        """(model, view) that gains are counted from: the view that most models read where nobody
        says which, and the oldest model on it."""
        usual = Counter(
            view
            for model, rows in self.rows.items()
            for view, row in rows.items()
            if row.label == model
        )
        view = max(self.views, key=lambda view: (usual[view], len(self._on(view))))
        return next(iter(self._on(view))), view

    def sentence(self) -> str:
        """What the view gives, what the model gives, and both."""
        model, view = self.start()
        score = self.score(model, view)
        assert score is not None
        metric = self.section.main
        by_view = self._best({(model, v): s for v, s in self._of(model).items()})
        by_model = self._best({(m, view): s for m, s in self._on(view).items()})
        both = self._best({(m, v): s for m in self.rows for v, s in self._of(m).items()})
        gains = [metric.sign * (found - score) for _, found in (by_view, by_model, both)]
        (_, its_view), (its_model, _), last = (place for place, _ in (by_view, by_model, both))
        view_gain, model_gain, both_gain = (f"{gain:+.3f}".replace("-", "−") for gain in gains)
        return (
            f"From {model} on {view} ({metric.label} {score:.3f}): another view of the same rows "
            f"gives {view_gain} ({its_view}), another model on the same view {model_gain} "
            f"({its_model}), both {both_gain} ({last[0]} on {last[1]})."
        )

    def _of(self, model: str) -> dict[str, float]:
        return {v: s for v in self.views if (s := self.score(model, v)) is not None}

    def _on(self, view: str) -> dict[str, float]:
        return {m: s for m in self.rows if (s := self.score(m, view)) is not None}

    def _best(self, scores: Mapping[tuple[str, str], float]) -> tuple[tuple[str, str], float]:
        place = max(scores, key=lambda place: self.section.main.sign * scores[place])
        return place, scores[place]


def dial(section: Section) -> Dial | None:
    """None unless some model was tried on several views. Who knows no more than the floor is left
    out: to it all views are alike."""
    floor = section.reference("floor", section.metric)
    scored = [
        row
        for row in section.rows
        if (score := row.score(section.metric)) is not None
        and (floor is None or score.mean != floor.mean)
    ]
    rows: dict[str, dict[str, Row]] = {}
    for row in sorted(scored, key=lambda row: (row.first["year"] or 9999, row.label)):
        rows.setdefault(without_view(row.label), {}).setdefault(row.first["view"], row)
    if all(len(views) < 2 for views in rows.values()):
        return None
    # Rows stand best first.
    views = list(dict.fromkeys(row.first["view"] for row in scored))[::-1]
    return Dial(section, views, rows)


def without_view(label: str) -> str:
    """The label of a row as it would be with the view that its class reads first."""
    return re.sub(r" view=\S+", "", label)
