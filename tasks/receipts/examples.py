"""A document of each half and what is to be read out of it: `python -m tasks.receipts.examples`."""

import json

from tasks.receipts import Receipts


def shown(seed: int = 1) -> str:
    """The first test row of each half, as text and answer."""
    data = Receipts(rows=30).load(seed)
    parts = zip(("same", "shifted"), data.raw.test, data.test_labels, strict=False)
    return "\n\n".join(f"# {half}: {json.dumps(label)}\n\n{d.text}" for half, d, label in parts)


if __name__ == "__main__":
    print(shown())
