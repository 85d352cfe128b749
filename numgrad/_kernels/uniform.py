"""Differences along an axis of constant spacing."""

from operator import truediv
from typing import Any

import numpy as np

FIELD: Any = np.float64
divide: Any = truediv
SIZE = np.uintp
ZERO, ONE, TWO = SIZE(0), SIZE(1), SIZE(2)

# Short lines are taken together until this many elements: one long loop over all of them, whose values across the
# line ends the edges then overwrite, beats many short loops.
GROUP = SIZE(4096)


def uniform(f: Any, out: Any, n: Any, inner: Any, start: Any, stop: Any, width: Any, step: Any) -> None:
    """out[i] = (f[i+1] - f[i-1]) / width inside, (f[i+1] - f[i]) / step at the two ends."""
    n, inner, start, stop, size = SIZE(n), SIZE(inner), SIZE(start), SIZE(stop), SIZE(f.size)
    block = n * inner
    group = block if block >= GROUP else GROUP // block * block
    while start < stop:
        base = start - start % block
        end = base + group if base + group < stop else stop
        # The ends of the lines: one by one, `inner` elements each; or, of whole lines of single elements, all at once.
        lines, extent, stride = (end - base + block - ONE) // block, inner, ONE
        if inner == ONE and base == start and end % block == ZERO:
            lines, extent, stride = ONE, end - base, block
        # One loop for the inside and then both ends of the lines: compiling three would delay the first call by 0.1 s.
        for part in range(ZERO, ONE + TWO * lines):
            if part == ZERO:
                low, behind, ahead, hop, d = base + inner, inner, inner, ONE, width
                high = (base + group if base + group < size else size) - inner
            else:
                low, behind, ahead, hop, d = base + part // TWO * block, ZERO, inner, stride, step
                if part % TWO == ZERO:
                    low, behind, ahead = low - inner, inner, ZERO
                high = low + extent
            for k in range(low if low > start else start, high if high < end else end, hop):
                out[k] = divide(FIELD(f[k + ahead]) - FIELD(f[k - behind]), d)
        start = end
