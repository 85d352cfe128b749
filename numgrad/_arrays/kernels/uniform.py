"""Differences along an axis of constant spacing."""

from operator import truediv
from typing import Any

import numpy as np

from numgrad._compile.language import Array, Index, Scalar, Target

FIELD: Any = np.float64
divide: Any = truediv
SIZE = np.uintp


# Lines with so many times as many points as ends have their inside done in one go, the ends between them along with it,
# which are then written again: loops of its own for each line of 50 points take 1.6 times as long.
FEW_ENDS = SIZE(8)


def uniform(
    f: Array, out: Target, n: Index, inner: Index, start: Index, stop: Index, shift: Index, width: Scalar, step: Index
) -> bool:
    """out[i] = (f[i+1] - f[i-1]) / width inside, (f[i+1] - f[i]) / step at the two ends."""
    n, inner, start, stop, shift, zero = SIZE(n), SIZE(inner), SIZE(start), SIZE(stop), SIZE(shift), SIZE(0)
    block, rest = n * inner, n * inner - inner
    if n >= FEW_ENDS + FEW_ENDS:
        rest = inner  # nothing is left of the inside
        for k in range(max(start, inner), min(stop, SIZE(f.size) - inner)):
            out[k - shift] = divide(FIELD(f[k + inner]) - FIELD(f[k - inner]), width)
        if inner == SIZE(1):  # short lines have many ends, and loops of one turn take longer than these two results
            for low in range(start - start % n, stop, n):
                high = low + n - SIZE(1)
                if low >= start:
                    out[low - shift] = divide(FIELD(f[low + SIZE(1)]) - FIELD(f[low]), step)
                if high >= start and high < stop:
                    out[high - shift] = divide(FIELD(f[high]) - FIELD(f[high - SIZE(1)]), step)
            return False
    for base in range(start - start % block, stop, block):
        # One loop for the inside and then both ends of a line: compiling three would delay the first call by 0.1 s.
        for part in range(3):
            low, high, behind, ahead, d = base + inner, base + rest, inner, inner, width
            if part == 1:
                low, high, behind, d = base, low, zero, step
            elif part == 2:
                low, high, ahead, d = base + block - inner, base + block, zero, step
            for k in range(max(low, start), min(high, stop)):
                out[k - shift] = divide(FIELD(f[k + ahead]) - FIELD(f[k - behind]), d)
    return False
