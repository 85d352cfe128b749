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
    block = n * inner
    base = start - start % block
    first, whole = base, block
    if n >= FEW_ENDS + FEW_ENDS:
        first, whole = zero, SIZE(f.size)
    for low in range(first, stop, whole):
        for k in range(max(start, low + inner), min(stop, low + whole - inner)):
            out[k - shift] = divide(FIELD(f[k + inner]) - FIELD(f[k - inner]), width)
    for low in range(base, stop, block):
        for part in range(2):
            end, behind, ahead = low, zero, inner
            if part == 1:
                end, behind, ahead = low + block - inner, inner, zero
            for k in range(max(start, end), min(stop, end + inner)):
                out[k - shift] = divide(FIELD(f[k + ahead]) - FIELD(f[k - behind]), step)
    return False
