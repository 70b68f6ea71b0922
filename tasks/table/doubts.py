"""What was understood of a table and could be meant otherwise, or was left out: a sentence each."""

from collections.abc import Sequence

from tasks.table.columns import Column

SENTENCES = {
    "dates": "{each} (or task.dates={way})",
    "decimal": "{each} (or task.decimal={way})",
    "moments": "{each}, so dates (or task.types={{{first}: number}})",
    "perhaps moments": "{each}, taken for numbers (or task.types={{{first}: date}})",
    "zeros": "{each} has leading zeros, so categories (or task.types={{{first}: number}})",
    "exponents": "{each} may be a code or a number, taken for categories (or "
    "task.types={{{first}: number}})",
    "digits": "{each} has more digits than a number keeps, so categories",
    "post": "{each}, by its name postal codes: categories (or task.types={{{first}: number}})",
    "called": "{each}, by its name codes: taken for numbers (or task.types={{{first}: category}})",
    "nearly number": "{each} is no number, and nearly all others are: no numbers (or "
    "task.types={{{first}: number}} with the others missing)",
    "nearly date": "{each} is no date in the format of nearly all others: no dates (or "
    "task.types={{{first}: date}} with the others missing)",
    "lost number": "{each}: no numbers, so missing",
    "lost date": "{each}: no dates, so missing",
    "infinite": "{each} infinite, taken for missing",
    "spelled": "{each} kept as a level (or task.missing=[…] with all that is missing)",
    "gaps": "{each} taken for missing (or task.missing=[…] with all that is missing)",
    "merged": "{each} taken for one",
    "alike": "{each} kept apart",
}
"""Of each kind of doubt. each: its columns with their examples; first: the first column."""
SHOWN = 3  # columns that a sentence names


def sentences(columns: Sequence[Column]) -> list[str]:
    """One for each kind of doubt, whichever columns have it."""
    found: dict[str, list[Column]] = {}
    for column in columns:
        for doubt in column.doubts:
            found.setdefault(doubt, []).append(column)
    return [_sentence(doubt, those) for doubt, those in found.items()]


def _sentence(doubt: str, columns: Sequence[Column]) -> str:
    kind, _, way = doubt.rpartition(" ") if doubt not in SENTENCES else (doubt, "", "")
    each = "; ".join(f"{column.name!r}: {column.doubts[doubt]}" for column in columns[:SHOWN])
    if len(columns) > SHOWN:
        each += f"; and {len(columns) - SHOWN} more columns:"
    return SENTENCES[kind].format(each=each, first=columns[0].name, way=way)
