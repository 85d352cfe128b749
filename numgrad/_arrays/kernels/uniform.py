"""Differences along an axis of constant spacing."""

from operator import truediv
from typing import Any

import numpy as np

from numgrad._compile.language import Array, Index, Scalar, Target

FIELD: Any = np.float64
divide: Any = truediv
SIZE = np.uintp


def uniform(
    f: Array, out: Target, n: Index, inner: Index, start: Index, stop: Index, shift: Index, width: Scalar, step: Index
) -> bool:
    """out[i] = (f[i+1] - f[i-1]) / width inside, (f[i+1] - f[i]) / step at the two ends."""
    n, inner, start, stop, shift, zero = SIZE(n), SIZE(inner), SIZE(start), SIZE(stop), SIZE(shift), SIZE(0)
    block = n * inner
    base = start - start % block
    while start < stop:
        end = min(base + block, stop)
        # One loop for the inside and then both ends of a line: compiling three would delay the first call by 0.1 s.
        for part in range(3):
            low, high, behind, ahead, d = base + inner, base + block - inner, inner, inner, width
            if part == 1:
                low, high, behind, d = base, low, zero, step
            elif part == 2:
                low, high, ahead, d = high, base + block, zero, step
            for k in range(max(low, start), min(high, end)):
                out[k - shift] = divide(FIELD(f[k + ahead]) - FIELD(f[k - behind]), d)
        start = end
        base += block
    return False
