"""Parts as a piece of HTML that a notebook shows among other things: no style sheet, no script."""

from collections.abc import Iterable

from markupsafe import Markup, escape

from benchmarks.show.parts import Entry, Head, Table, marked

SIDE = {"left": Markup(' style="text-align:left"'), "right": Markup(' style="text-align:right"')}
FAINT = Markup(' style="opacity:.6"')


def fragment(lead: Iterable[str], tables: Iterable[Table]) -> str:
    """lead: sentences that stand first, in large letters. Whatever a text holds, it is shown."""
    words = Markup("").join(
        Markup('<p style="font-size:1.15em;max-width:60em">{}</p>').format(text) for text in lead
    )
    return str(words + Markup("").join(map(_table, tables)))


def _table(table: Table) -> Markup:
    rows = Markup("").join(
        Markup("<tr{}>{}</tr>").format(
            FAINT if place in table.faint else "",
            Markup("").join(map(_entry, table.heads, row)),
        )
        for place, row in enumerate(table.rows)
    )
    notes = Markup("").join(Markup("<li>{}</li>").format(_note(note)) for note in table.notes)
    below = [text for text in (table.legend, table.source) if text]
    return Markup(
        "<p><b>{}</b></p>"
        '<div style="overflow-x:auto"><table class="dataframe"><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>{}<details><summary>What the columns mean</summary>{}"
        "</details>"
    ).format(
        table.title,
        Markup("").join(map(_head, table.heads)),
        rows,
        Markup("<ul>{}</ul>").format(notes) if notes else "",
        Markup("").join(Markup("<p>{}</p>").format(text) for text in below),
    )


def _head(head: Head) -> Markup:
    return Markup('<th{} title="{}">{}</th>').format(SIDE[head.side], head.help, head.text)


def _entry(head: Head, entry: Entry) -> Markup:
    return Markup("<td{}>{}</td>").format(SIDE[head.side], entry.text)


def _note(text: str) -> Markup:
    """A mark stays before its sentence, as on paper."""
    mark, rest = marked(text)
    return Markup("{} {}").format(mark, rest) if mark else escape(rest)
