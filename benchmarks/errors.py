"""What a user is told of a mistake or a mishap: one sentence, and an exit code."""

import contextlib
import errno
import functools
import os
import sys
import typing
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

import pydantic

FORMS = {
    "list_type": 'list, as "{key}=[A,B]"',
    "dict_type": 'mapping, as "{key}={{NAME: VALUE}}"',
}
"""What a value has to look like, by pydantic's names of what is wrong with it."""
FINISHED, FAILED_CELLS, BAD_INPUT, CANNOT_WRITE, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit codes of all commands; a comparison that was to fail ends as one with failed cells does."""
BUSY = 75
"""EX_TEMPFAIL of sysexits.h: to be tried again later."""
DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO})
"""Of errors that are no mistake of a user: where files lie, nothing can be written."""


class BadInput(Exception):
    """A user's mistake: one sentence on what was found and what is allowed."""


class Busy(BadInput):
    """Somebody else works on the run: one sentence on who; the same command may go later."""


class CannotWrite(Exception):
    """A disk that is full, a folder that is gone or read-only: one sentence."""


def cannot_write(what: Path | str, error: OSError) -> CannotWrite:
    return CannotWrite(f"{what} cannot be written ({error.strerror or error}).")


def refusal(error: pydantic.ValidationError, prefix: str = "") -> str:
    """The sentence for the first value that does not fit: what was found, what is allowed."""
    first = error.errors()[0]
    # Behind the names in a location pydantic puts the branch of a union it tried last.
    path = [str(part) for part in first["loc"] if str(part).isidentifier()]
    if path[-1] in ("int", "float", "str", "bool"):
        path.pop()
    key = prefix + ".".join(path)
    if (form := FORMS.get(first["type"])) is not None:
        return f"{key}={first['input']}: give a {form.format(key=key)}."
    if first["type"] == "missing":
        return f"{key} is missing; give it as {key}=VALUE."
    return f"{key}={first['input']}: {first['msg'][0].lower()}{first['msg'][1:]}."


def unknown_key(key: str, allowed: typing.Iterable[str], others: typing.Iterable[str] = ()) -> str:
    """The sentence for a key that does not exist. others: keys elsewhere that may be meant."""
    prefix, allowed = key.rpartition(".")[0], sorted(allowed)
    near = [name if "." in name else f"{prefix}.{name}".lstrip(".") for name in allowed]
    return f"There is no setting {key}{choice(key, allowed, [*near, *others])}"


def unknown_name(kind: str, name: str, allowed: typing.Sequence[str]) -> str:
    """The sentence for a model, a task, … that does not exist."""
    return f"There is no {kind} {name!r}{choice(name, allowed, allowed)}"


def choice(
    name: str, allowed: typing.Sequence[str], candidates: typing.Sequence[str], most: int = 2
) -> str:
    """The end of such a sentence: which of the candidates may be meant, what there is."""
    there = f"there are: {', '.join(allowed) or 'none'}."
    near = nearest(name, candidates)[:most]
    return f"; did you mean {' or '.join(near)}? T{there[1:]}" if near else f"; {there}"


def nearest(name: str, candidates: typing.Sequence[str]) -> list[str]:
    """Those that may be meant, the likeliest first: what is called so elsewhere (`task.rows` for
    `rows`), then what is spelled nearly so."""
    last = name.rpartition(".")[2].lower()
    ends = [candidate.rpartition(".")[2].lower() for candidate in candidates]
    close = [last, *get_close_matches(last, dict.fromkeys(ends), n=3, cutoff=0.75)]
    found = [c for end in close for c, own in zip(candidates, ends, strict=True) if own == end]
    return [candidate for candidate in dict.fromkeys(found) if candidate != name]


def plain(text: str) -> str:
    """One line, without the characters that would steer a terminal."""
    return text if text.isprintable() else "".join(map(_plain, text))


def _plain(character: str) -> str:
    return character if character.isprintable() else " " if character.isspace() else "�"


def tell(sentence: object, is_error: bool = False) -> None:
    """Print a line: the only way by which texts reach a terminal, beside show/terminal.py."""
    print(plain(str(sentence)), file=sys.stderr if is_error else sys.stdout)


def command(main: Callable[..., int]) -> Callable[..., int]:
    """What all commands share: characters that a stream does not have are replaced, a mistake or a
    mishap ends in one sentence and its exit code."""

    @functools.wraps(main)
    def ending(*arguments: typing.Any) -> int:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(AttributeError):  # what stands in for a stream in a notebook
                typing.cast(typing.Any, stream).reconfigure(errors="replace")
        try:
            code = main(*arguments)
            sys.stdout.flush()
        except Busy as error:
            sentence, code = str(error), BUSY
        except BadInput as error:
            sentence, code = str(error), BAD_INPUT
        except CannotWrite as error:
            sentence, code = str(error), CANNOT_WRITE
        except KeyboardInterrupt:
            return INTERRUPTED
        except BrokenPipeError:  # whoever read the output has left, as `head` does
            _drop_output()
            return CANNOT_WRITE
        except OSError as error:
            if error.errno not in DISK:
                raise
            _drop_output()
            sentence, code = str(cannot_write(error.filename or "The output", error)), CANNOT_WRITE
        else:
            return code
        tell(f"error: {sentence}", is_error=True)
        return code

    return ending


def _drop_output() -> None:
    """What is still to be written would fail again when Python ends."""
    with contextlib.suppress(OSError, ValueError):  # a stream without a descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
