"""Results that no cache can hold, written past it."""

from typing import Any

import numpy as np

from numgrad._arrays.kernels.uniform import uniform
from numgrad._compile.language import Array, Index, Record, Target
from numgrad._compile.stand_ins import fence, prefetch, put_line

SIZE = np.uintp
LINE = SIZE(64)

inside: Any = uniform


def streamed(
    f: Array, out: Target, n: Index, inner: Index, start: Index, stop: Index, buffer: Target, constants: Record
) -> Any:
    """As `inside`, by way of `buffer`, from which whole lines of memory are written without reading them first.

    A store of a few bytes makes the processor read the line around them: for a result larger than the cache, a third
    of all traffic. The buffer is small, so that reading and writing alternate often: 2 KiB are 1.3 times as fast as 16.
    And with each line that is written, one of those that the next buffer is made of is asked for: 1.05 to 1.1 times.
    """
    start, stop, zero, capacity = SIZE(start), SIZE(stop), SIZE(0), SIZE(buffer.size)
    item, ahead = SIZE(out.itemsize), SIZE(inner) + capacity
    line = LINE // item
    offset = (SIZE(out.ctypes.data) + start * item) % LINE
    met = False
    while start < stop:
        end = min(stop, start + capacity)
        whole = start
        if offset == zero and end - start >= line:
            end -= (end - start) % line
            whole = end
        elif offset % item == zero and offset != zero:
            end = min(stop, start + (LINE - offset) // item)
        met |= inside(f, buffer, n, inner, start, end, start, *constants)
        for k in range(start, whole, line):
            put_line(out, k, buffer, k - start)
            prefetch(f, k + ahead)
        for k in range(whole, end):
            out[k] = buffer[k - start]
        start, offset = end, zero if offset % item == zero else offset
    fence()
    return met


def copied(
    f: Array, out: Target, n: Index, inner: Index, start: Index, stop: Index, shift: Index, origin: Index
) -> bool:
    """out[i] = f[i - origin], for what was computed elsewhere; `n` and `inner` play no part."""
    start, stop, shift, origin = SIZE(start), SIZE(stop), SIZE(shift), SIZE(origin)
    for k in range(start, stop):
        out[k - shift] = f[k - origin]
    return False
