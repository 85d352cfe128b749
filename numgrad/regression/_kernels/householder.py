"""R of a QR decomposition, block by block of rows."""

import numpy as np

from numgrad._compile.language import Array, Index, Target, early
from numgrad.regression._kernels.passes import LINE, ROWS, SIZE, pack


@early
def fold(r: Target, block: Target) -> None:
    """Set R, upper triangular, to that of the QR of [R; Z], for one packed block Z, which is used up.

    The reflection of column k, by (v, z_k) with v = R_kk +- |(R_kk, z_k)|, leaves the other rows of R alone. Two
    columns at a time share the loads of z_k.
    """
    n, one, two = SIZE(r.shape[0]), SIZE(1), SIZE(2)
    for k in range(n):
        z = k * LINE
        square = 0.0
        for i in range(ROWS):
            square += block[z + i] * block[z + i]
        if square == 0:
            continue
        top = r[k, k]
        norm = np.sqrt(top * top + square)
        if top > 0:
            norm = -norm
        v = top - norm
        scale = -1 / (norm * v)  # 2 / (v**2 + square)
        r[k, k] = norm
        j = SIZE(k + one)
        while j + one < n:  # a range with a step takes twice as long
            a, b = j * LINE, (j + one) * LINE
            first, second = r[k, j] * v, r[k, j + one] * v
            for i in range(ROWS):
                first += block[z + i] * block[a + i]
                second += block[z + i] * block[b + i]
            first, second = first * scale, second * scale
            r[k, j] -= first * v
            r[k, j + one] -= second * v
            for i in range(ROWS):
                block[a + i] -= first * block[z + i]
                block[b + i] -= second * block[z + i]
            j += two
        if j < n:
            a = j * LINE
            first = r[k, j] * v
            for i in range(ROWS):
                first += block[z + i] * block[a + i]
            first *= scale
            r[k, j] -= first * v
            for i in range(ROWS):
                block[a + i] -= first * block[z + i]


def compress(
    x: Array, y: Array, weight: Array, shift: Array, factor: Array, r: Target, block: Target, start: Index, stop: Index
) -> None:
    """Fold the rows `start` to `stop` of [1 | (X - shift) factor | y - shift], times roots of weights, into R."""
    for low in range(SIZE(start), SIZE(stop), ROWS):
        pack(x, y, weight, shift, factor, 1, block, low, min(low + ROWS, SIZE(stop)))
        fold(r, block)
