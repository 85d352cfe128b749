"""Plain functions that stand in for intrinsics: kernels call these, and compiled code has the intrinsic instead."""

from threading import Lock
from time import sleep
from typing import Any

import numpy as np

SIZE = np.uintp
# How many points have their weights computed at once, packed.
TILE = SIZE(256)

# Elements of what holds numbers for each sample of the windows of some points: what the first-level cache can hold.
ROOM = 8192


def workspace(x: Any) -> Any:
    """Return room for the three weights of TILE points. The intrinsic allocates nothing."""
    return np.empty(3 * int(TILE), x.dtype)


def room(x: Any) -> Any:
    """Return room for ROOM numbers. The intrinsic allocates nothing."""
    return np.empty(ROOM, x.dtype)


def put_line(out: Any, k: Any, buffer: Any, j: Any) -> None:
    """out[k:] = buffer[j:], 64 bytes. The intrinsic writes past the cache."""
    for i in range(SIZE(64 // out.itemsize)):
        out[k + i] = buffer[j + i]


def prefetch(x: Any, k: Any) -> None:
    """Ask for x[k], which will be read soon and need not exist. The intrinsic lets the processor fetch it meanwhile."""


def fence() -> None:
    """After this, other threads see the lines put."""


def bits_of(x: Any) -> Any:
    """Return the numbers of 64 bits as whole numbers of the same bits, in the same memory."""
    return x.view(np.int64)


def frozen(x: Any) -> Any:
    """Return the array, not to be written: of the type of arguments that are read, for which a part is compiled."""
    return x


_lock = Lock()


def now(x: Any, k: Any) -> Any:
    """Return x[k], which other threads may `swap`; what they wrote before that is seen from now on."""
    with _lock:
        return x[k]


def swap(x: Any, k: Any, old: Any, new: Any) -> bool:
    """Make x[k] the new number and return True, at once, if it is the old one, and no other thread has been faster."""
    with _lock:
        is_old = bool(x[k] == old)
        if is_old:
            x[k] = new
        return is_old


def rest(turns: Any) -> None:
    """Wait a moment for another thread; from many turns on let others have the processor."""
    sleep(0)
