"""Locks that a fork waits for: a child could never have those released that other threads of its parent held."""

import os
from threading import Lock, RLock
from typing import Any

# Held while parts of numgrad are imported, on first use.
importing = RLock()

_locks: list[Any] = [importing]
_held: list[Any] = []
_forking = Lock()


def hold_at_fork(lock: Any) -> None:
    """Let every fork wait for this lock, and hold it meanwhile.

    A thread that takes several of these locks must take the one that was added last first, as a fork does.
    """
    if not any(lock is known for known in _locks):
        _locks.append(lock)


def _acquire() -> None:
    _forking.acquire()
    while True:
        wanted = _locks[::-1]
        for lock in wanted:
            lock.acquire()
        if len(wanted) == len(_locks):
            break
        for lock in reversed(wanted):  # another thread has come by one more meanwhile
            lock.release()
    _held.extend(wanted)


def _release() -> None:
    while _held:
        _held.pop().release()
    _forking.release()


# Once: hooks that come while a fork waits would be called after it, without having been called before.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_acquire, after_in_parent=_release, after_in_child=_release)
