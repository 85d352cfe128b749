"""A limit of the work that a text may cause, whatever its shape.

A limit in seconds would refuse on one machine what another one takes. So work is counted: `spend` is told of our own,
and the calls of Python functions are counted while SymPy is `watched`, which more than doubles the time that it takes.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

WORK = 1_250_000  # in calls of functions, a million of which take about a second if they are counted
HEAVY = 4  # calls that one of mpmath counts for: it works on long integers
IS_GENERATOR = 0x20  # in the flags of code

_left: ContextVar[list[int] | None] = ContextVar("_left", default=None)


class Exceeded(BaseException):
    """Not an Exception: SymPy catches those, and goes on."""


@contextmanager
def limited() -> Iterator[None]:
    """Raise `Exceeded` when more than `WORK` has been spent."""
    before = _left.set([WORK])
    try:
        yield
    finally:
        _left.reset(before)


def spend(work: int) -> None:
    left = _left.get()
    if left is not None:
        left[0] -= work
        if left[0] < 0:
            raise Exceeded


@contextmanager
def watched() -> Iterator[None]:
    """Count the calls of this thread, where they are limited; a debugger does not see these."""
    left, before = _left.get(), sys.gettrace()
    if left is None or getattr(before, "__qualname__", "").startswith("watched."):
        yield
        return

    def count(frame: Any, event: str, argument: Any) -> None:
        left[0] -= HEAVY if "mpmath" in frame.f_code.co_filename else 1
        # What is raised in a generator that is thrown away is lost.
        if left[0] < 0 and not frame.f_code.co_flags & IS_GENERATOR:
            raise Exceeded

    sys.settrace(count)
    try:
        yield
    finally:
        sys.settrace(before)
