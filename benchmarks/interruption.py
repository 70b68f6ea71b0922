"""Ctrl-C, SIGTERM and SIGHUP: one sentence and an exit code of their own, at whatever moment.

While cells run, a signal is raised as an exception, so that their processes, the temporary folder
and the table are put in order. Before and after that there is nothing to put in order, and an
exception would surface anywhere, in the middle of an import or where Python can only print it:
there the process leaves at once. So it does at a second signal. Workers end by themselves when
whoever has started them is gone.
"""

import atexit
import contextlib
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NoReturn

SENTENCE = "Interrupted. What is done is recorded; the same command goes on from here."
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SHOW_CURSOR = "\x1b[?25h"
_before_leaving: list[Callable[[], None]] = []


class Interrupted(KeyboardInterrupt):
    """A signal came; `number` says which."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def exit_code(interrupt: BaseException) -> int:
    """As in a shell: 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP."""
    return 128 + int(getattr(interrupt, "number", signal.SIGINT))


def leave_when_interrupted() -> None:
    """From now on a signal ends this process at once, until all is done: Python drops our handlers
    while it ends, and a signal would then be told as what the command came to."""
    _handle(_leave)
    atexit.register(_ignore)


def leave_to_command() -> None:
    """For a process that a launcher has started: Ctrl-C reaches it too, and its command ends it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextlib.contextmanager
def raised() -> Iterator[None]:
    """Here the first signal is raised as Interrupted, if this process is a command's own."""
    if signal.getsignal(signal.SIGTERM) is not _leave:
        yield
        return
    _handle(_raise)
    try:
        yield
    finally:
        _handle(_leave)


@contextlib.contextmanager
def tidied(tidy: Callable[[], None]) -> Iterator[None]:
    """Call `tidy` if what is done here does not come to its end, also where a signal ends the
    process at once; it has to be short, and to raise nothing."""
    _before_leaving.append(tidy)
    try:
        yield
    except BaseException:
        tidy()
        raise
    finally:
        _before_leaving.remove(tidy)


def say() -> None:
    """Say that the command was interrupted, as the last thing that it does."""
    _ignore()
    with contextlib.suppress(OSError, RuntimeError, ValueError):  # in the middle of a write
        sys.stdout.flush()
    with contextlib.suppress(OSError):  # nobody is there any more
        cursor = SHOW_CURSOR if os.isatty(1) else ""
        os.write(1, f"{cursor}{SENTENCE}\n".encode())


def _ignore() -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _handle(handler: Callable[[int, FrameType | None], Any]) -> None:
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, handler)


def _leave(number: int, _: FrameType | None) -> NoReturn:
    for tidy in _before_leaving:
        tidy()
    say()
    os._exit(128 + number)


def _raise(number: int, _: FrameType | None) -> NoReturn:
    _handle(_leave)
    _mute_what_is_gone()
    raise Interrupted(number)


def _mute_what_is_gone() -> None:
    """A terminal that was closed takes no more words, and its table has to be written still."""
    for descriptor in (1, 2):
        poll = select.poll()
        poll.register(descriptor, 0)  # tells no more than whether the other side is gone
        if poll.poll(0):
            gone = os.open(os.devnull, os.O_WRONLY)
            os.dup2(gone, descriptor)
            os.close(gone)
