"""What a user is told of a mistake: one sentence."""

import typing

import pydantic


class BadInput(Exception):
    """A user's mistake: one sentence on what was found and what is allowed."""


def refusal(error: pydantic.ValidationError, prefix: str = "") -> str:
    """The sentence for the first value that does not fit: what was found, what is allowed."""
    first = error.errors()[0]
    # Behind the names in a location pydantic puts the branch of a union it tried last.
    path = [str(part) for part in first["loc"] if str(part).isidentifier()]
    if path[-1] in ("int", "float", "str", "bool"):
        path.pop()
    key = prefix + ".".join(path)
    if first["type"] == "missing":
        return f"{key} is missing; give it as {key}=VALUE."
    return f"{key}={first['input']}: {first['msg'][0].lower()}{first['msg'][1:]}."


def unknown_key(key: str, allowed: typing.Iterable[str]) -> str:
    """The sentence for a key that does not exist."""
    return f"There is no setting {key}; there are: {', '.join(sorted(allowed)) or 'none'}."
