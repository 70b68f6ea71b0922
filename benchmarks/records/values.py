"""Any value as JSON can hold it: what models and tasks say of themselves is of any kind."""

import math
from collections.abc import Mapping
from typing import Any

DEPTH = 50  # of what lies in each other; json.loads follows some hundreds
MOST_VALUES = 1_000_000
LONGEST = 10_000  # characters of what is no text but was made one
LARGEST = 2**1000  # of whole numbers: what is larger is no float either


class TooMuch(ValueError):
    """More values than a record should hold."""


def plain_data(value: Any) -> Any:
    """The same in null, truth values, numbers, texts, lists and objects: null for what is not
    finite, `\\udc80` spelled out for half a character, arrays as lists, and the text of anything
    else. Raises TooMuch."""
    return _plain(value, DEPTH, [MOST_VALUES])


def _plain(value: Any, depth: int, left: list[int]) -> Any:
    left[0] -= 1
    if left[0] < 0:
        raise TooMuch(f"there are more than {MOST_VALUES:,} values")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.encode(value, "utf-8", "backslashreplace").decode()
    if isinstance(value, int):
        whole = int(value)
        return whole if abs(whole) < LARGEST else f"a number of {whole.bit_length():,} bits"
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "backslashreplace")
    if depth and isinstance(value, Mapping):
        found: dict[str, Any] = {}
        for key, one in value.items():
            name = key if isinstance(key, str) else text_of(key)
            name = _plain(name, 0, left)
            if name in found:  # 1 and "1" are two keys
                name = f"{name} ({type(key).__name__})"
            found[name] = _plain(one, depth - 1, left)
        return found
    if depth and isinstance(value, list | tuple | set | frozenset):
        return [_plain(one, depth - 1, left) for one in value]
    if depth and hasattr(value, "tolist"):  # numbers and arrays of NumPy, torch, pandas
        try:
            return _plain(value.tolist(), depth - 1, left)
        except TooMuch:
            raise
        except Exception:
            return text_of(value)
    return _plain(text_of(value), 0, left)


def text_of(value: Any) -> str:
    """Its text, or the name of its type if it has none."""
    try:
        return str(value)[:LONGEST]
    except Exception:
        return type(value).__name__
