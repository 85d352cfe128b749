"""Ctrl-C, put off while Numba is imported or compiles: half of its tables would make all later compilations fail."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import current_thread, main_thread
from typing import Any


@contextmanager
def put_off() -> Iterator[None]:
    """Let the first Ctrl-C wait for the end of the block; the second one does not."""
    handler = signal.getsignal(signal.SIGINT)
    if current_thread() is not main_thread() or not callable(handler):  # others do not get it; or nobody waits for it
        yield
        return
    pending: list[Any] = []

    def remember(number: int, frame: Any) -> None:
        if pending:
            handler(number, frame)
        pending.append(frame)

    signal.signal(signal.SIGINT, remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if len(pending) == 1:
            handler(signal.SIGINT, pending[0])


def uninterrupted(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function, for which the first Ctrl-C waits."""

    @wraps(function)
    def run(*arguments: Any, **options: Any) -> Any:
        with put_off():
            return function(*arguments, **options)

    return run
