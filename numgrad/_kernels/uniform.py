"""Differences along an axis of constant spacing."""

from operator import truediv
from typing import Any

import numpy as np

FIELD: Any = np.float64
divide: Any = truediv
SIZE = np.uintp

# Short lines are taken together until this many elements: one long loop over all of them, whose values across the
# line ends the edges then overwrite, beats many short loops.
GROUP = 4096


def uniform(f: Any, out: Any, n: Any, inner: Any, start: Any, stop: Any, width: Any, step: Any) -> None:
    """out[i] = (f[i+1] - f[i-1]) / width inside, (f[i+1] - f[i]) / step at the two ends."""
    n, inner, start, stop, size = SIZE(n), SIZE(inner), SIZE(start), SIZE(stop), SIZE(f.size)
    zero, one, two = SIZE(0), SIZE(1), SIZE(2)
    block = n * inner
    group = block * max(one, SIZE(GROUP) // block)
    while start < stop:
        base = start - start % block
        end = min(stop, base + group)
        whole_lines = inner == one and base == start and end % block == zero
        # One loop for the inside of all lines, then for their ends; three would take a third longer to compile.
        for part in range(zero, one if whole_lines else one + two * ((end - base + block - one) // block)):
            if part == zero:
                low, high, behind, ahead, d = base + inner, min(base + group, size) - inner, inner, inner, width
            elif part % two == one:
                low = base + part // two * block
                high, behind, ahead, d = low + inner, zero, inner, step
            else:
                high = base + part // two * block
                low, behind, ahead, d = high - inner, inner, zero, step
            for k in range(max(start, low), min(end, high)):
                out[k] = divide(FIELD(f[k + ahead]) - FIELD(f[k - behind]), d)
        if whole_lines:  # shape (10**6, 2): 3 times as fast as two more parts for each line
            for k in range(base, end, block):
                last = k + block - one
                out[k] = divide(FIELD(f[k + one]) - FIELD(f[k]), step)
                out[last] = divide(FIELD(f[last]) - FIELD(f[last - one]), step)
        start = end
