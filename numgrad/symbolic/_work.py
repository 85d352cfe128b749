"""A limit of the work that a text may cause, whatever its shape."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Calls of Python functions. 200 terms in three variables take 2 millions of them at order 2, and about a second; a
# limit in seconds would refuse on one machine what another one takes.
MOST_CALLS = 3_000_000


class Exceeded(BaseException):
    """Not an Exception: SymPy catches those, and goes on."""


@contextmanager
def limited(most: int | None = None) -> Iterator[None]:
    """Raise `Exceeded` when this thread has called so many functions; a debugger does not see these calls."""
    left = MOST_CALLS if most is None else most

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Exceeded

    before = sys.gettrace()
    sys.settrace(count)
    try:
        yield
    finally:
        sys.settrace(before)
