"""What receipts and invoices are written with: who sells what, and how each thing is called.

There are two worlds. Train rows, and the test rows that are called *same*, are of the `KNOWN` one;
the test rows that are called *shifted* are of the `OTHER` one. No label, no vendor, no item and no
way to write a sum of money or a day is in both, except that a day may be ISO in either.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Country(NamedTuple):
    """How a vendor's country writes things."""

    language: str
    places: tuple[str, ...]  # the last lines of an address
    money: tuple[str, ...]  # with {} for the number
    group: str  # between thousands
    point: str  # before cents
    dates: tuple[str, ...]  # as strftime has them; {d} is a day without its zero
    rates: tuple[int, ...]  # of the tax, in tenths of a per cent
    included: bool  # is the tax part of the prices?
    tax: tuple[str, ...]  # how it is called
    phone: str  # each # is a digit, each @ a letter by chance
    tax_id: str


class World(NamedTuple):
    """All that a document is composed of."""

    countries: Mapping[str, Country]
    labels: Mapping[str, Mapping[str, tuple[str, ...]]]  # language -> what -> how it is called
    vendors: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]  # language -> names, trades
    items: Mapping[str, tuple[str, ...]]
    thanks: Mapping[str, tuple[str, ...]]
    numbers: tuple[str, ...]  # forms: # is a digit, @ a letter by chance, ~ the year
    orders: tuple[str, ...]  # of blocks: see generator.BLOCKS
    details: tuple[str, ...]  # layouts of the number, the date and what stands beside them
    sums: tuple[str, ...]  # layouts of the total and what it is made of
    lists: tuple[str, ...]  # layouts of the items
    total_is_last: bool  # of the sums


KNOWN = World(
    countries={
        "US": Country(
            "en",
            ("Austin, TX #####", "Portland, OR #####", "Dayton, OH #####", "Tulsa, OK #####"),
            ("${}", "{}", "$ {}"),
            ",",
            ".",
            ("%m/%d/%Y", "%m/%d/%y", "%Y-%m-%d"),
            (40, 63, 83, 70),
            False,
            ("Tax", "Sales tax"),
            "(###) 555-####",
            "##-#######",
        ),
        "GB": Country(
            "en",
            ("London SE# #@@", "Leeds LS# #@@", "Bristol BS# #@@", "York YO# #@@"),
            ("£{}", "{}", "GBP {}"),
            ",",
            ".",
            ("%d/%m/%Y", "%d/%m/%y", "%Y-%m-%d"),
            (200, 50, 200),
            True,
            ("VAT",),
            "020 7### ####",
            "GB ### #### ##",
        ),
        "IE": Country(
            "en",
            ("Dublin #", "Cork", "Galway", "Limerick"),
            ("€{}", "{}", "EUR {}"),
            ",",
            ".",
            ("%d/%m/%Y", "%Y-%m-%d"),
            (230, 135),
            True,
            ("VAT", "VAT incl."),
            "01 4## ####",
            "IE#######@",
        ),
    },
    labels={
        "en": {
            "receipt": ("Receipt no", "Receipt number", "Receipt", "Ticket", "Rcpt no"),
            "invoice": ("Invoice no", "Invoice number", "Invoice", "Inv. no", "Invoice ID"),
            "sold": ("Date", "Date of sale", "Sold on", "Sale date"),
            "issued": ("Date", "Invoice date", "Issued", "Date of issue", "Invoiced on"),
            "total": ("Total", "TOTAL", "Grand total", "Invoice total", "To pay", "Total to pay"),
            "net": ("Subtotal", "Sub-total", "Net", "Goods"),
            "discount": ("Discount", "Loyalty discount", "Coupon"),
            "undiscounted": ("Regular price", "Before discount", "Full price"),
            "cash": ("Cash", "Cash tendered", "Tendered"),
            "change": ("Change", "Change given"),
            "card": ("Visa", "Card", "Debit card"),
            "earlier": ("Last payment, thank you", "Payment received", "Last invoice, paid"),
            "due": ("Due date", "Pay by", "Payment due"),
            "delivered": ("Delivery date", "Delivered", "Shipped"),
            "ordered": ("Order date", "Ordered"),
            "returns": ("Returns until", "Exchange until"),
            "order": ("Order no", "Order", "PO number"),
            "customer": ("Customer no", "Customer", "Account no"),
            "till": ("Till", "Terminal", "Cashier"),
            "phone": ("Tel", "Phone"),
            "tax_id": ("VAT reg no", "Tax ID", "VAT no"),
        }
    },
    vendors={
        "en": (
            ("Harbour", "Miller's", "Oak & Ash", "Northgate", "Bluebird", "Penny Lane", "Kestrel"),
            ("Coffee", "Hardware", "Books", "Grocers", "Office Supply", "Garage", "Garden Centre"),
        )
    },
    items={
        "en": (
            "Flat white",
            "Oat biscuit",
            "Wood screws",
            "Paint, white",
            "Notebook A5",
            "Printer paper",
            "Brake pads",
            "Oil filter",
            "Tomatoes",
            "Cheddar",
            "Rye bread",
            "Rose bush",
            "Potting soil",
            "Desk lamp",
            "Labour",
            "Road atlas",
        )
    },
    thanks={
        "en": (
            "Thank you for your custom",
            "Have a nice day",
            "Please come again",
            "Open Mon-Sat 9-18",
        )
    },
    numbers=("@@@-#####", "######", "@##-####", "~-####", "@@#####"),
    orders=(
        "head details items sums pay foot",
        "details head items sums pay foot",
        "head items sums pay details foot",
        "head items sums details pay foot",
        "head details items sums foot pay",
    ),
    details=("colon", "columns", "plain", "pairs", "table"),
    sums=("dots", "right", "colon"),
    lists=("times", "priced", "table"),
    total_is_last=True,
)

OTHER = World(
    countries={
        "DE": Country(
            "de",
            ("##### Hamburg", "##### Leipzig", "##### Ulm", "##### Bochum"),
            ("{} €", "{} EUR", "EUR {}"),
            ".",
            ",",
            ("%d.%m.%Y", "{d}. %B %Y", "%d.%m.%Y"),
            (190, 70),
            True,
            ("MwSt.", "USt.", "Umsatzsteuer"),
            "040 / ### ###",
            "DE#########",
        ),
        "CH": Country(
            "de",
            ("#### Zürich", "#### Bern", "#### Chur"),
            ("CHF {}", "{} CHF"),
            "'",
            ".",
            ("%d.%m.%Y", "{d}. %B %Y"),
            (81, 26),
            True,
            ("MwSt.", "MWST"),
            "044 ### ## ##",
            "CHE-###.###.###",
        ),
        "NL": Country(
            "en",
            ("#### @@ Utrecht", "#### @@ Delft", "#### @@ Breda"),
            ("€ {}", "EUR {}"),
            ".",
            ",",
            ("%d-%b-%Y", "{d} %B %Y", "%d.%m.%Y"),
            (210, 90),
            False,
            ("VAT amount", "Tax amount"),
            "+31 30 ### ## ##",
            "NL#########B01",
        ),
        "SE": Country(
            "en",
            ("### ## Uppsala", "### ## Lund", "### ## Kiruna"),
            ("{} kr", "{} SEK", "SEK {}"),
            " ",
            ",",
            ("%Y-%m-%d", "{d} %B %Y"),
            (250, 120),
            True,
            ("Moms (VAT)", "of which VAT"),
            "+46 18 ## ## ##",
            "SE##########01",
        ),
        "AU": Country(
            "en",
            ("Hobart TAS ####", "Perth WA ####", "Cairns QLD ####"),
            ("A${}", "AUD {}", "{} AUD"),
            ",",
            ".",
            ("{d} %B %Y", "%d %b %Y"),
            (100,),
            True,
            ("GST incl.", "GST"),
            "03 5550 ####",
            "ABN ## ### ### ###",
        ),
        "CA": Country(
            "en",
            ("Halifax, NS", "Guelph, ON", "Kelowna, BC"),
            ("C${}", "CAD {}", "{} CAD"),
            ",",
            ".",
            ("%b {d}, %Y", "%B {d}, %Y"),
            (130, 50, 120),
            False,
            ("GST", "HST"),
            "902-555-####",
            "##### #### RT0001",
        ),
    },
    labels={
        "en": {
            "receipt": ("Bill no", "Docket", "Receipt ID", "Voucher number", "Slip no"),
            "invoice": ("Bill number", "Document no", "Tax invoice", "Invoice ref", "Our bill"),
            "sold": ("Purchased", "Purchase date", "Till date", "Bought on"),
            "issued": ("Billing date", "Document date", "Billed on", "Bill dated", "Made out on"),
            "total": (
                "Total due",
                "Amount payable",
                "Balance due",
                "Please pay",
                "Total amount",
                "Total payable",
                "You pay",
                "Final total",
            ),
            "net": ("Total excl. tax", "Amount before tax", "Taxable amount"),
            "discount": ("Rebate", "Price reduction", "Member bonus"),
            "undiscounted": ("Total before rebate", "List price", "Sum at list prices"),
            "cash": ("Paid in cash", "Received from you", "Notes and coins"),
            "change": ("Returned to you", "Handed back"),
            "card": ("Mastercard", "Contactless", "Paid by card"),
            "earlier": ("Previous bill, settled", "Settled last month", "Prior bill, paid"),
            "due": ("Payable by", "To be settled by", "Term ends"),
            "delivered": ("Day of supply", "Dispatched on", "Handed over"),
            "ordered": ("Requested on", "Your request of"),
            "returns": ("May be brought back by", "Warranty ends"),
            "order": ("Purchase ref", "Job no", "Your request"),
            "customer": ("Client no", "Client", "Member"),
            "till": ("Register", "Served by", "Desk"),
            "phone": ("Call us", "Hotline"),
            "tax_id": ("VAT registration", "Tax registration"),
        },
        "de": {
            "receipt": ("Beleg-Nr.", "Bon-Nr.", "Belegnummer", "Quittung Nr."),
            "invoice": ("Rechnungsnummer", "Rechnung Nr.", "Rechnungs-Nr."),
            "sold": ("Datum", "Kaufdatum", "Verkauft am"),
            "issued": ("Rechnungsdatum", "Datum", "Ausgestellt am"),
            "total": ("Gesamtbetrag", "Zu zahlen", "Rechnungsbetrag", "Endbetrag", "Summe brutto"),
            "net": ("Nettobetrag", "Summe netto", "Netto"),
            "discount": ("Rabatt", "Nachlass", "Treuebonus"),
            "undiscounted": ("Listenpreis", "Warenwert vor Rabatt", "Summe vor Rabatt"),
            "cash": ("Gegeben", "Bar erhalten"),
            "change": ("Rückgeld", "Zurück"),
            "card": ("Girocard", "Kartenzahlung"),
            "earlier": ("Letzte Zahlung, dankend erhalten", "Vorige Rechnung, bezahlt"),
            "due": ("Zahlbar bis", "Fällig am"),
            "delivered": ("Lieferdatum", "Leistungsdatum"),
            "ordered": ("Bestelldatum", "Bestellt am"),
            "returns": ("Umtausch bis", "Garantie bis"),
            "order": ("Auftrag", "Bestellnummer", "Auftrags-Nr."),
            "customer": ("Kundennummer", "Kunden-Nr.", "Kunde"),
            "till": ("Kasse", "Bediener", "Tisch"),
            "phone": ("Telefon", "Fon"),
            "tax_id": ("USt-IdNr.", "Steuernummer"),
        },
    },
    vendors={
        "en": (
            ("Polar", "Twin Rivers", "Saint Anne's", "Maple Row", "Van Dijk", "Lindqvist"),
            ("Bakery", "Pharmacy", "Plumbing", "Print Shop", "Cycles", "Hotel", "Laundry"),
        ),
        "de": (
            ("Seiler", "Am Markt", "Brandt & Sohn", "Hofmann", "Zum Anker", "Keller"),
            ("Bäckerei", "Apotheke", "Sanitär", "Druckerei", "Fahrräder", "Gasthof"),
        ),
    },
    items={
        "en": (
            "Croissant",
            "Sourdough",
            "Cough syrup",
            "Plasters",
            "Pipe repair",
            "Call-out",
            "Flyers",
            "Inner tube",
            "Room, one night",
            "Breakfast",
            "Shirts, ironed",
            "Copper fitting",
        ),
        "de": (
            "Brötchen",
            "Apfelkuchen",
            "Hustensaft",
            "Pflaster",
            "Rohrreinigung",
            "Anfahrt",
            "Visitenkarten",
            "Schlauch",
            "Übernachtung",
            "Frühstück",
            "Bremsbelag",
            "Dichtung",
        ),
    },
    thanks={
        "en": ("We look forward to your next visit", "All sales subject to our terms", "Welcome!"),
        "de": ("Vielen Dank für Ihren Einkauf", "Auf Wiedersehen", "Es bediente Sie unser Team"),
    },
    numbers=("@@-#####", "~/####", "##.###.###", "@/##-####", "@@ #### ##"),
    orders=(
        "sums head details items pay foot",
        "head sums pay items details foot",
        "details pay sums items head foot",
        "foot pay sums items details head",
        "head details pay sums items foot",
        "items head sums foot details pay",
    ),
    details=("dashed", "equals", "arrows", "stacked", "behind", "under"),
    sums=("leaders", "equals", "arrows", "stacked", "behind", "row"),
    lists=("price first", "equals", "two lines"),
    total_is_last=False,
)
