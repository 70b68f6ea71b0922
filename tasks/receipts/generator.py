"""One receipt or invoice after another: what was sold, what it came to, and how it is set out.

`docs/receipts.md` tells the same in words. Money is whole cents until it is printed, so that sums
are exact.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import NamedTuple, TypeVar

import numpy as np

from tasks.optical import misread
from tasks.receipts.normal import MONTHS, number
from tasks.receipts.wording import Country, World

FIRST, LAST = date(2021, 1, 1), date(2025, 12, 31)
NAMES = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
}
WORD = re.compile(r"[^\W\d_]{4,}")
T = TypeVar("T")
Lines = list[str]
Pairs = Sequence[tuple[str, str]]


class Bill(NamedTuple):
    """What was sold, in cents."""

    items: tuple[tuple[str, int, int], ...]  # name, how many, price of one
    discount: int
    tax: int
    rate: int  # of the tax, in tenths of a per cent
    total: int

    @property
    def listed(self) -> int:
        return sum(many * price for _, many, price in self.items)


class Document(NamedTuple):
    """A text, what is to be read out of it, and how it came about."""

    text: str
    answer: dict[str, str]
    bill: Bill
    country: str
    layout: tuple[str, str, str, str]  # order of blocks; of details, sums, items
    labels: tuple[str, ...]  # what it calls things


class Writer:
    """Draws one document of a world."""

    def __init__(self, world: World, random: np.random.Generator) -> None:
        self.world, self.random = world, random
        self.name = self.one(tuple(world.countries))
        self.country: Country = world.countries[self.name]
        self.words = world.labels[self.country.language]
        self.money = self.one(self.country.money)
        self.signed = self.one(("everywhere", "on sums", "nowhere"))
        self.date_form = self.one(self.country.dates)
        self.is_invoice = self.chance(0.5)
        self.day = FIRST + timedelta(days=int(random.integers((LAST - FIRST).days)))
        self.number = self.filled(self.one(world.numbers))
        self.bill = self.sold()
        self.labels: list[str] = []

    def document(self, rotated: float, noise: float) -> Document:
        """rotated: chance that the blocks begin elsewhere; noise: see `scanned`."""
        world = self.world
        order, details, sums, items = layout = (
            self.one(world.orders),
            self.one(world.details),
            self.one(world.sums),
            self.one(world.lists),
        )
        blocks = {
            "head": self.head(),
            "details": LAYOUTS[details](self.details()),
            "items": self.items(items),
            "sums": LAYOUTS[sums](self.sums()),
            "pay": self.pay(sums),
            "foot": self.foot(),
        }
        parts = [blocks[name] for name in order.split() if blocks[name]]
        if self.chance(rotated):
            first = int(self.random.integers(1, len(parts)))
            parts = parts[first:] + parts[:first]
        apart = "\n\n" if self.chance(0.5) else "\n"
        text = scanned(self.random, apart.join("\n".join(part) for part in parts), noise)
        answer = {
            "total": f"{self.bill.total // 100}.{self.bill.total % 100:02d}",
            "date": self.day.isoformat(),
            "number": number(self.number) or "",
        }
        return Document(text, answer, self.bill, self.name, layout, tuple(self.labels))

    # What happened

    def sold(self) -> Bill:
        names = self.world.items[self.country.language]
        most = self.one((900, 4_000, 30_000, 90_000))
        items = tuple(
            (
                names[place],
                int(self.random.integers(1, 5)) if self.chance(0.5) else 1,
                int(self.random.integers(most // 8, most)),
            )
            for place in self.random.permutation(len(names))[: self.one((1, 1, 2, 2, 3))]
        )
        listed = sum(many * price for _, many, price in items)
        discount = listed * self.one((0, 0, 0, 10, 20)) // 100
        rate, left = self.one(self.country.rates), listed - discount
        if self.country.included:
            return Bill(items, discount, round(left * rate / (1000 + rate)), rate, left)
        tax = round(left * rate / 1000)
        return Bill(items, discount, tax, rate, left + tax)

    # Blocks: lines of text each

    def head(self) -> Lines:
        names, trades = self.world.vendors[self.country.language]
        lines = [
            f"{self.one(names)} {self.one(trades)}",
            self.filled(self.one(self.country.places)),
        ]
        if self.chance(0.2):
            lines.append(f"{self.called('phone')} {self.filled(self.country.phone)}")
        if self.chance(0.2):
            lines.append(f"{self.called('tax_id')} {self.filled(self.country.tax_id)}")
        return lines

    def details(self) -> Pairs:
        """The number and the date, and beside them other numbers and other dates."""
        kind = ("invoice", "issued") if self.is_invoice else ("receipt", "sold")
        pairs = [(self.called(kind[0]), self.number), (self.called(kind[1]), self.dated(self.day))]
        if not self.is_invoice:
            others = [("till", self.filled("##"))]
        else:
            before, later = self.random.integers(2, 20, 2)
            others = [
                ("due", self.dated(self.day + timedelta(days=int(self.one((10, 14, 30)))))),
                ("delivered", self.dated(self.day - timedelta(days=int(later) - 8))),
                ("ordered", self.dated(self.day - timedelta(days=int(before)))),
            ]
        if self.is_invoice or self.chance(0.3):
            others.append(("order", self.filled(self.one(self.world.numbers))))
            others.append(("customer", self.filled(self.one(("#####", "@-####", "####")))))
        kept = self.random.permutation(len(others))[: self.one((1, 2, 2, 3))]
        pairs += [(self.called(others[place][0]), others[place][1]) for place in kept]
        return [pairs[place] for place in self.random.permutation(len(pairs))]

    def items(self, layout: str) -> Lines:
        found = []
        for name, many, price in self.bill.items:
            one, whole = (self.printed(p, "everywhere") for p in (price, many * price))
            found.append(ITEM[layout](name, many, one, whole))
        return ["\n".join(lines) for lines in found]

    def sums(self) -> Pairs:
        """What the known world adds up, with the total as its last line, stands in any order in the
        other."""
        bill, pairs = self.bill, []
        if bill.discount:
            pairs.append((self.called("undiscounted"), self.printed(bill.listed)))
            pairs.append((self.called("discount"), "-" + self.printed(bill.discount)))
        if self.chance(0.7):
            pairs.append((self.called("net"), self.printed(bill.total - bill.tax)))
        share = f"{bill.rate / 10:g}".replace(".", self.country.point)
        tax = self.noted(self.one(self.country.tax))
        pairs.append((f"{tax} {share}%", self.printed(bill.tax)))
        pairs.append((self.called("total"), self.printed(bill.total)))
        if self.world.total_is_last:
            return pairs
        return [pairs[place] for place in self.random.permutation(len(pairs))]

    def pay(self, layout: str) -> Lines:
        total = self.bill.total
        if self.is_invoice:
            if self.chance(0.6):
                return []
            other = int(total * self.random.uniform(0.3, 2.5)) + 1
            return LAYOUTS[layout]([(self.called("earlier"), self.printed(other))])
        if self.chance(0.4):
            return LAYOUTS[layout]([(self.called("card"), self.printed(total))])
        note = self.one((500, 1000, 5000))
        given = -(-(total + 1) // note) * note
        pairs = [("cash", given), ("change", given - total)]
        return LAYOUTS[layout]([(self.called(what), self.printed(cents)) for what, cents in pairs])

    def foot(self) -> Lines:
        lines = [self.one(self.world.thanks[self.country.language])] if self.chance(0.3) else []
        if not self.is_invoice and self.chance(0.3):
            until = self.dated(self.day + timedelta(days=int(self.one((14, 30)))))
            lines.append(f"{self.called('returns')} {until}")
        return lines

    # How it is written

    def called(self, what: str) -> str:
        return self.noted(self.one(self.words[what]))

    def noted(self, label: str) -> str:
        self.labels.append(label)
        return label

    def printed(self, cents: int, where: str = "on sums") -> str:
        whole = f"{cents // 100:,}".replace(",", self.country.group)
        text = f"{whole}{self.country.point}{cents % 100:02d}"
        return self.money.format(text) if self.signed in ("everywhere", where) else text

    def dated(self, day: date) -> str:
        month = NAMES[self.country.language].split()[day.month - 1]
        form = self.date_form.replace("{d}", str(day.day))
        return day.strftime(form.replace("%B", month).replace("%b", month[:3]))

    def filled(self, form: str) -> str:
        """A form with digits and letters by chance, and the year."""
        kinds: dict[str, Callable[[], str]] = {
            "#": lambda: str(self.random.integers(10)),
            "@": lambda: chr(65 + int(self.random.integers(26))),
            "~": lambda: str(self.day.year),
        }
        return "".join(kinds[c]() if c in kinds else c for c in form)

    def one(self, options: Sequence[T]) -> T:
        return options[int(self.random.integers(len(options)))]

    def chance(self, share: float) -> bool:
        return bool(self.random.random() < share)


def scanned(random: np.random.Generator, text: str, share: float) -> str:
    """The text with this share of the letters of its words misread. Nothing that holds a digit is,
    no month, and no word of less than four letters, as currencies and states are: so every answer
    can still be read, and so can every number beside it."""

    def word(found: re.Match[str]) -> str:
        there = found[0]
        return there if there.casefold() in MONTHS else misread(random, there, share)

    return WORD.sub(word, text) if share else text


# Layouts: pairs of a label and a value as lines


def in_columns(pairs: Pairs) -> Lines:
    wide = max(len(label) for label, _ in pairs) + 2
    return [f"{label:<{wide}}{value}" for label, value in pairs]


def two_a_line(pairs: Pairs) -> Lines:
    cells = [f"{label}: {value}" for label, value in pairs]
    return ["   ".join(cells[k : k + 2]) for k in range(0, len(cells), 2)]


def rows(pairs: Pairs, upper: int, a_row: int = 3) -> Lines:
    """Labels (upper=0) or values (upper=1) in a row, and beneath them the others."""
    lines = []
    for k in range(0, len(pairs), a_row):
        part = pairs[k : k + a_row]
        wide = [max(map(len, pair)) + 2 for pair in part]
        for row in (upper, 1 - upper):
            cells = (pair[row].ljust(w) for pair, w in zip(part, wide, strict=True))
            lines.append("".join(cells).rstrip())
    return lines


LAYOUTS: dict[str, Callable[[Pairs], Lines]] = {
    "colon": lambda pairs: [f"{label}: {value}" for label, value in pairs],
    "columns": in_columns,
    "plain": lambda pairs: [f"{label} {value}" for label, value in pairs],
    "pairs": two_a_line,
    "table": lambda pairs: rows(pairs, upper=0),
    "dots": lambda pairs: [f"{label:.<22} {value}" for label, value in pairs],
    "right": lambda pairs: [f"{label:<22}{value:>10}" for label, value in pairs],
    "stacked": lambda pairs: [line for pair in pairs for line in pair],
    "behind": lambda pairs: [f"{value} {label}" for label, value in pairs],
    "dashed": lambda pairs: [f"{label} - {value}" for label, value in pairs],
    "equals": lambda pairs: [f"{label} = {value}" for label, value in pairs],
    "arrows": lambda pairs: [f"{label} > {value}" for label, value in pairs],
    "leaders": lambda pairs: [
        f"{label} {'_' * (24 - len(label))} {value}" for label, value in pairs
    ],
    "under": lambda pairs: rows(pairs, upper=1),
    "row": lambda pairs: rows(pairs, upper=0),
}
# Name, how many, the price of one, the price of all
ITEM: dict[str, Callable[[str, int, str, str], Lines]] = {
    "times": lambda name, many, _, whole: [f"{many} x {name:<16}{whole:>10}"],
    "priced": lambda name, many, one, whole: [f"{name} {many} at {one}  {whole}"],
    "table": lambda name, many, one, whole: [f"{many:<3}{name:<16}{one:>10}{whole:>10}"],
    "price first": lambda name, many, _, whole: [f"{whole}  {name} ({many})"],
    "equals": lambda name, many, one, whole: [f"{name}: {many} × {one} = {whole}"],
    "two lines": lambda name, many, one, whole: [name, f"  {many} × {one}", f"  {whole}"],
}


def draw(
    world: World, random: np.random.Generator, rows: int, rotated: float, noise: float
) -> list[Document]:
    """So many documents of a world."""
    return [Writer(world, random).document(rotated, noise) for _ in range(rows)]
