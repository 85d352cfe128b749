"""A limit of the work that a text may cause, whatever its shape."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Calls of Python functions, a million of which take one to two seconds. A limit in seconds would refuse on one machine
# what another one takes.
CALLS, CALLS_PER_CHARACTER = 3_000_000, 400
HEAVY = 4  # calls that one of mpmath counts for: it works on long integers
IS_GENERATOR = 0x20  # in the flags of code


class Exceeded(BaseException):
    """Not an Exception: SymPy catches those, and goes on."""


@contextmanager
def limited(text: str) -> Iterator[None]:
    """Raise `Exceeded` when this thread has called too many functions; a debugger does not see these calls."""
    left = CALLS + CALLS_PER_CHARACTER * len(text)

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal left
        left -= HEAVY if "mpmath" in frame.f_code.co_filename else 1
        # What is raised in a generator that is thrown away is lost.
        if left < 0 and not frame.f_code.co_flags & IS_GENERATOR:
            raise Exceeded

    before = sys.gettrace()
    sys.settrace(count)
    try:
        yield
    finally:
        sys.settrace(before)
        globals()['LAST'] = CALLS + CALLS_PER_CHARACTER * len(text) - left  # TEMP
