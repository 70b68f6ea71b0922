"""The sentence that answers: who is best, who is as good and what it costs, how much is known."""

from collections.abc import Sequence

from benchmarks.analysis.summary import Row, Section
from benchmarks.analysis.verdicts import Verdict, percentage, signed
from benchmarks.show.formats import percent, spread_text
from benchmarks.show.ledger_table import total_seconds


def answer(section: Section) -> str:
    """A few sentences on one section. Raises nothing: what cannot be said is left out."""
    scored = [row for row in section.rows if row.score(section.main.name) is not None]
    if not scored:
        return f"On {section.label}, no model got to a score; the failures say why."
    top = scored[0]
    score = top.score(section.main.name)
    assert score
    label = section.main.label
    against = {
        v.b if v.a == top.label else v.a: v for v in section.verdicts if top.label in (v.a, v.b)
    }
    alike = [
        (row, against[row.label])
        for row in scored[1:]
        if row.label in against and against[row.label].word != "better"
    ]
    decided = [v for v in against.values() if v.word == "better" and v.a == top.label]
    ahead = {v.b for v in decided} >= {row.label for row in scored[1:]}
    head = f"On {section.label}, {top.label} {'is best' if ahead else 'comes first'}"
    head += f" ({label} {spread_text(score)})"
    parts = [head, *(_alike(section, top, row, verdict) for row, verdict in alike)]
    sentences = ["; ".join(parts) + "."]
    for row in scored[1:]:  # one that has not all seeds, so it could not be ranked
        verdict = against.get(row.label)
        if verdict is not None and verdict.word == "better" and verdict.a == row.label:
            figure = signed(verdict.difference)
            sentences.append(f"On the seeds in common {row.label} is better than it ({figure}).")
    if len(scored) == 1:
        sentences = [f"{head}, and the only one with a score."]
    elif not against:
        sentences.append("No pair was judged: no two models have a seed in common.")
    standing = section.standings.get(top.label)
    if standing is not None and standing.first is not None and len(section.standings) > 1:
        often = percentage(standing.first)
        sentences.append(f"Drawing the test rows again leaves {top.label} first in {often}.")
    if against and all(v.design == "one seed" for v in against.values()):
        sentences.append("All this is about one seed; another may turn out otherwise.")
    if cheap := _cheap(section, top, {top.label, *(row.label for row, _ in alike)}):
        sentences.append(cheap)
    if (known := section.known(top)) is not None:
        sentences.append(f"That is {percent(known, ' to ', ' %')} of what can be known.")
    elif (share := top.share()) is not None:
        sentences.append(
            f"That is {percent(share, ' to ', ' %')} of the way from the floor to the ceiling; "
            "what can be known at all, an ideal observer would say (model=ideal_observer)."
        )
    if section.distrust:
        names = ", ".join(section.distrust)
        sentences.append(f"Do not trust {names}: a control failed.")
    return " ".join(sentences)


def _alike(section: Section, top: Row, row: Row, verdict: Verdict) -> str:
    costs = times(section, row, top)
    if verdict.word == "equal in practice":
        band = f"{verdict.band:.2g}".removeprefix("0")
        text = f"{row.label} is equal in practice (within ±{band})"
        return f"{text} and costs {costs}" if costs else text
    behind = verdict.difference if verdict.b == row.label else -verdict.difference
    text = f"nobody can tell {row.label} from it ({signed(-behind)}{verdict.advice()})"
    return f"{text}, which costs {costs}" if costs else text


def times(section: Section, row: Row, other: Row) -> str:
    """How long a row takes in all, next to another; empty where a clock does not tell."""
    mine, theirs = (section.seconds(of, total_seconds) for of in (row, other))
    if not mine or not theirs:
        return ""
    ratio = mine / theirs
    if 0.9 < ratio < 1.1:
        return "the same time"
    return f"{ratio:.2g} times the time"


def _cheap(section: Section, top: Row, named: set[str]) -> str:
    """Of the others, the one that gives most per second, if it comes near at a fraction."""
    best, floor = top.score(section.main.name), section.reference("floor", section.main.name)
    total = section.seconds(top, total_seconds)
    if best is None or floor is None or not total or best.mean == floor.mean:
        return ""
    cheap: list[tuple[float, float, Row]] = []
    for row in section.rows:
        score, seconds = row.score(section.main.name), section.seconds(row, total_seconds)
        if score is None or seconds is None or row.label in named:
            continue
        lift = (score.mean - floor.mean) / (best.mean - floor.mean)
        if lift > 0.5 and seconds < 0.6 * total:
            cheap.append((lift, seconds / total, row))
    if not cheap:
        return ""
    lift, share, row = max(cheap, key=lambda item: (item[0], -item[1]))
    gives, takes = f"{100 * lift:.0f} %", f"{100 * share:.0f} %"
    return f"{row.label} gives {gives} of that lift over the floor in {takes} of the time."


def subject(sections: Sequence[Section]) -> str:
    """What a run is about, for the head of its page."""
    tasks = list(dict.fromkeys(section.task for section in sections))
    return ", ".join(tasks[:3]) + (f" and {len(tasks) - 3} more" if len(tasks) > 3 else "")
