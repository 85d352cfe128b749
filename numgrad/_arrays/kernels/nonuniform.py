"""Differences along an axis with coordinates of its own."""

from operator import truediv
from typing import Any

import numpy as np

from numgrad._compile.language import Array, Index, Scalar, Target
from numgrad._compile.stand_ins import TILE, workspace

FIELD: Any = np.float64
DIVISOR: Any = np.float64
divide: Any = truediv
SIZE = np.uintp

SCAN = 256
# An axis whose points have fewer elements than NARROW gets the weights of TILE points first: their divisions are packed
# then, and a loop over all elements of these points is longer than one over those of each point.
NARROW = SIZE(8)


def is_evenly_spaced(x: Array) -> bool:
    """Whether all steps x[i+1] - x[i] are exactly equal; in pieces, so that the usual "no" comes early."""
    one, last = SIZE(1), SIZE(x.size) - SIZE(1)
    step = x[one] - x[SIZE(0)]
    for start in range(SIZE(0), last, SIZE(SCAN)):
        differs = False
        for i in range(start, min(start + SIZE(SCAN), last)):
            differs |= x[i + one] - x[i] != step
        if differs:
            return False
    return True


def three_points(p: Scalar, q: Scalar) -> Any:
    """Return what f[i-1], f[i] and f[i+1] weigh in the derivative at x[i], by the steps before and after it."""
    return -q / (p * (p + q)), (q - p) / (p * q), p / (q * (p + q))


def nonuniform(f: Array, out: Target, n: Index, inner: Index, start: Index, stop: Index, shift: Index, x: Array) -> Any:
    """out[i] = a f[i-1] + b f[i] + c f[i+1] inside, (f[i+1] - f[i]) / (x[i+1] - x[i]), of first order, at the ends.

    a, b and c are the weights of `three_points`.
    Returns whether it met a step of zero, or two that go there and back: NumPy warns of these.
    """
    n, inner, start, stop, shift = SIZE(n), SIZE(inner), SIZE(start), SIZE(stop), SIZE(shift)
    block, zero, one, null = n * inner, SIZE(0), SIZE(1), x.dtype.type(0)
    low, high = x[one] - x[zero], x[n - one] - x[n - one - one]
    repeats = (low == null) | (high == null)
    while start < stop:
        base = start - start % block
        end = min(stop, base + block)
        if inner == one:
            for k in range(max(start, base + one), min(end, base + block - one)):
                i = k - base
                p, q = x[i] - x[i - one], x[i + one] - x[i]
                repeats |= (p == null) | (p == -q)
                a, b, c = three_points(p, q)
                out[k - shift] = a * FIELD(f[k - one]) + b * FIELD(f[k]) + c * FIELD(f[k + one])
        elif inner < NARROW:
            weights = workspace(x)
            first, last = max(one, (start - base) // inner), min(n - one, (end - base + inner - one) // inner)
            for tile in range(first, last, TILE):
                rest = min(tile + TILE, last)
                for i in range(tile, rest):
                    p, q = x[i] - x[i - one], x[i + one] - x[i]
                    repeats |= (p == null) | (p == -q)
                    a, b, c = three_points(p, q)
                    weights[i - tile], weights[i - tile + TILE], weights[i - tile + TILE + TILE] = a, b, c
                low_k = max(start, base + tile * inner)
                i, column = (low_k - base) // inner - tile, (low_k - base) % inner
                for k in range(low_k, min(end, base + rest * inner)):
                    a, b, c = weights[i], weights[i + TILE], weights[i + TILE + TILE]
                    out[k - shift] = a * FIELD(f[k - inner]) + b * FIELD(f[k]) + c * FIELD(f[k + inner])
                    column += one
                    if column == inner:
                        column = zero
                        i += one
        else:
            for i in range(max(one, (start - base) // inner), min(n - one, (end - base + inner - one) // inner)):
                p, q = x[i] - x[i - one], x[i + one] - x[i]
                repeats |= (p == null) | (p == -q)
                a, b, c = three_points(p, q)
                row = base + i * inner
                for k in range(max(start, row), min(end, row + inner)):
                    out[k - shift] = a * FIELD(f[k - inner]) + b * FIELD(f[k]) + c * FIELD(f[k + inner])
        for part in range(2):
            first, behind, ahead, d = base, zero, inner, low
            if part == 1:
                first, behind, ahead, d = base + block - inner, inner, zero, high
            for k in range(max(start, first), min(end, first + inner)):
                out[k - shift] = divide(FIELD(f[k + ahead]) - FIELD(f[k - behind]), DIVISOR(d))
        start = end
    return repeats
