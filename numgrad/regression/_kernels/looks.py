"""A first look at data: sums by which a later change is noticed, and how large they are."""

import numpy as np

from numgrad._compile.language import Array, Index, Scalar, Target
from numgrad.regression._kernels.passes import SIZE


def look(x: Array, factors: Array, golden: Scalar, found: Target, start: Index, stop: Index) -> None:
    """Put the sums of x times factors, of the absolute values and of the squares of x[start:stop] into `found`.

    Each stretch of as many elements as there are factors has one of its own besides.
    """
    length = SIZE(len(factors))
    checksum, size, squares = 0.0, 0.0, 0.0
    for low in range(SIZE(start), SIZE(stop), length):
        high, part = min(low + length, SIZE(stop)), 0.0
        for i in range(low, high):
            this = np.float64(x[i])
            part += this * factors[i - low]
            size += abs(this)
            squares += this * this
        multiple = np.float64(low // length) * golden
        checksum += part * (1 + (multiple - np.floor(multiple)))
    found[0], found[1], found[2] = checksum, size, squares
