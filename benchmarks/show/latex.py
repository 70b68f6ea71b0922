"""Tables as LaTeX in the form of booktabs, to be \\input where they are wanted."""

from collections.abc import Iterable, Sequence

from benchmarks.show.parts import Chapter, Table, on_paper, parts_of

STEERS = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\^{}",
        "<": r"\ensuremath{<}",
        ">": r"\ensuremath{>}",
    }
    # What plain LaTeX fonts may lack.
    | {
        "±": r"$\pm$",
        "µ": r"$\mu$",
        "²": "$^2$",
        "–": "--",
        "−": "$-$",
        "×": r"$\times$",
        "·": r"$\cdot$",
        "…": r"\ldots{}",
        "≥": r"$\geq$",
        "≤": r"$\leq$",
        "★": r"$\star$",
        "≈": r"$\approx$",
        "✓": "yes",
        "✗": "no",
    }
)


def tabulars(chapters: Sequence[Chapter]) -> str:
    """Every table, its title and notes as comments."""
    parts = map(on_paper, parts_of(chapters))
    return "\n".join(_tabular(part) for part in parts if isinstance(part, Table))


def _tabular(table: Table) -> str:
    sides = "".join("r" if head.is_number else "l" for head in table.heads)
    lines = [
        f"\\begin{{tabular}}{{{sides}}}",
        "\\toprule",
        _line(head.text for head in table.heads),
        "\\midrule",
        *(_line(entry.text for entry in row) for row in table.rows),
        "\\bottomrule",
        "\\end{tabular}",
    ]
    below = [text for text in (*table.notes, table.legend, table.source) if text]
    return "\n".join([_comment(table.title), *lines, *map(_comment, below)]) + "\n"


def _line(texts: Iterable[str]) -> str:
    # A bracket behind \\ would be read as its argument.
    line = " & ".join(" ".join(text.split()).translate(STEERS) for text in texts)
    return f"{'{}' if line.startswith(('[', '*')) else ''}{line} \\\\"


def _comment(text: str) -> str:
    return f"% {' '.join(text.split())}"
