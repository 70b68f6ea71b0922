"""What every column says, shown on hover."""

from benchmarks.analysis.summary import Section


def results_helps(section: Section) -> dict[str, str]:
    """Those of a result table: its metrics differ from task to task."""
    directions = {True: "higher is better", False: "lower is better"}
    return RESULTS | {
        metric.label: f"{metric.words}; mean over seeds ± standard deviation; "
        f"{directions[metric.higher_is_better]}"
        for metric in section.metrics
    }


RESULTS = {
    "model": "the approach, with the settings that differ from its defaults",
    "era": "what this way of learning is called here",
    "year": "of the paper that it goes back to",
    "share": "how much of the way from floor to ceiling the first metric has come: 95 % interval "
    "of the ratio of means over seeds; – where the two are too close to tell",
    "known": "the same from the floor to the ideal observer: the best that can be seen at all",
    "vs top": "is it worse than the first row, equal in practice, or can nobody tell yet? "
    "this seed: another seed may turn out otherwise",
    "rank": "those that the verdicts leave open, with 95 % for all rows together",
    "seeds": "on how many it has a score, of those on which any row has one; rows are ranked and "
    "judged on seeds that they have in common",
    "view s": "seconds to make the features, from the least to the most over seeds",
    "warm s": "seconds of first calls, on made-up rows",
    "tune s": "seconds of the search",
    "fit s": "seconds to learn, early stopping and calibration included",
    "µs/row": "microseconds per row when all test rows are predicted at once",
    "1 row ms": "milliseconds of one call with a single row: of several seeds their medians",
    "model ms": "of that call, what the model takes once the row is made fit for it",
    "+MB": "how much memory grew while fitting and predicting, in megabytes",
    "size": "learned numbers (of trees: nodes), or bytes where the model counts none",
    "checks": "what makes a number suspicious; each is explained under Checks",
}

LEDGER = {
    "SQL": "lines of SQL in the features that this model reads",
    "Python": "lines of Python in them",
    "prepares": "classes by which the model's own file makes the features fit for it",
    "model": "lines of code in the model's own file",
    "loops": "of these, lines of loops in its training",
    "raw": "raw columns that the features are made of",
    "designed": "features that somebody thought of",
    "knobs": "settings that can be turned",
    "tuned": "settings that were searched",
    "fits": "fits made for the one model: early stopping, calibration, trials of a search",
    "labels": "train rows, each with an outcome that somebody had to wait for",
    "tokens": "that a language model read and wrote, for learning and for the test rows",
    "read": "tokens that are read for one prediction",
    "written": "tokens that are written for one prediction",
    "total s": "seconds to load, make features, search, fit and predict, over seeds",
    "parameters": "learned numbers (of trees: nodes)",
    "disk": "bytes of the model as stored",
    "packages": "packages needed beyond numpy and pandas",
    "MB": "megabytes of these packages",
    "GPU": "does it need one, or can it use one?",
    "cold s": "seconds of a new process until its first prediction",
}

LATENCY = {
    "import": "seconds of a new process until the model's libraries are loaded",
    "cold": "seconds of a new process until its first prediction",
    "rows/s": "rows per second with the largest batch",
}

VERDICTS = {
    "model": "the one that did at least as well",
    "verdict": "better, equal in practice, or nobody can tell, and then what it would take",
    "better by": "in the metric's units, whichever way it points",
    "interval": "for the difference, corrected for the number of pairs: it decides",
    "p": "of no difference, corrected for the number of pairs",
}
