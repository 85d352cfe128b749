"""Differences along an axis of constant spacing."""

from operator import truediv
from typing import Any

import numpy as np

FIELD: Any = np.float64
divide: Any = truediv
SIZE = np.uintp

# Short lines are taken together until this many elements: one long loop over all of them, whose values across the
# line ends the edges then overwrite, beats many short loops (shape (10**6, 3): 4 times).
GROUP = 4096


def uniform(f: Any, out: Any, n: Any, inner: Any, start: Any, stop: Any, width: Any, step: Any) -> None:
    """out[i] = (f[i+1] - f[i-1]) / width inside, (f[i+1] - f[i]) / step at the two ends."""
    n, inner, start, stop, size = SIZE(n), SIZE(inner), SIZE(start), SIZE(stop), SIZE(f.size)
    block = n * inner
    group = block * max(SIZE(1), SIZE(GROUP) // block)
    while start < stop:
        first = start - start % block
        end = min(stop, first + group)
        for k in range(max(start, first + inner), min(end, first + group - inner, size - inner)):
            out[k] = divide(FIELD(f[k + inner]) - FIELD(f[k - inner]), width)
        for base in range(first, end, block):
            for k in range(max(start, base), min(end, base + inner)):
                out[k] = divide(FIELD(f[k + inner]) - FIELD(f[k]), step)
            for k in range(max(start, base + block - inner), min(end, base + block)):
                out[k] = divide(FIELD(f[k]) - FIELD(f[k - inner]), step)
        start = end
