"""Arrays of any strides, row by row."""

from operator import truediv
from typing import Any

import numpy as np

from numgrad._arrays.kernels.nonuniform import three_points
from numgrad._compile.language import Array, Index, Record, Scalar, Target

FIELD: Any = np.float64
REAL: Any = np.float64
divide: Any = truediv
SIZE = np.uintp

HAS_COORDINATES: Any = False
HAS_WEIGHTS: Any = False
# Strides of f and of out along the rows, where they are among the usual ones: loops vectorise for those that are known.
STRIDE: Any = SIZE(0)
OUT_STRIDE: Any = SIZE(0)


def difference(
    f: Array, out: Target, ahead: Index, behind: Index, o: Index, s: Index, t: Index, count: Index, d: Scalar
) -> None:
    """out[o + j t] = (f[ahead + j s] - f[behind + j s]) / d."""
    for j in range(count):
        out[o + j * t] = divide(FIELD(f[ahead + j * s]) - FIELD(f[behind + j * s]), d)


def combination(
    f: Array,
    out: Target,
    k: Index,
    far: Index,
    o: Index,
    s: Index,
    t: Index,
    count: Index,
    a: Scalar,
    b: Scalar,
    c: Scalar,
) -> None:
    """out[o + j t] = a f[k + j s] + b f[k + far + j s] + c f[k + 2 far + j s]."""
    for j in range(count):
        m = k + j * s
        out[o + j * t] = a * FIELD(f[m]) + b * FIELD(f[m + far]) + c * FIELD(f[m + far + far])


def along(
    f: Array, out: Target, k: Index, o: Index, s: Index, t: Index, count: Index, x: Array, c: Index, hop: Index
) -> Any:
    """The formula of `nonuniform` for a row along the axis, at x[c + j hop]. Returns whether NumPy has to warn."""
    repeats = False
    for j in range(count):
        m, i = k + j * s, c + j * hop
        p, q = REAL(x[i]) - REAL(x[i - hop]), REAL(x[i + hop]) - REAL(x[i])
        repeats |= (p == REAL(0)) | (p == -q)
        a, b, c_ = three_points(p, q)
        out[o + j * t] = a * FIELD(f[m - s]) + b * FIELD(f[m]) + c_ * FIELD(f[m + s])
    return repeats


def strided(f: Array, out: Target, scalars: Array, x: Array, w: Array, divisors: Record, grid: Target) -> Any:
    """Fill a box by the formulas of `uniform` or `nonuniform`, and of `with_edges` if there are weights.

    `f`, `out` and `x` are the memory around the arrays. A column of `grid` is an axis, the last one that along which
    the rows run; its rows are where the box begins and ends, the strides of f and of out, and room for an index.
    `scalars` are the length of the axis, the column it has in `grid`, the places of the first elements of f, out and x,
    and the stride of x. `divisors` are those inside, at the low and at the high end. Strides, in elements, may be
    negative: in unsigned arithmetic they come out right. Returns whether NumPy has to warn, as `nonuniform` does.
    """
    n, begin, origin, place, hop = (
        SIZE(scalars[0]), SIZE(scalars[2]), SIZE(scalars[3]), SIZE(scalars[4]), SIZE(scalars[5]),
    )  # fmt: skip
    axis, last, one, repeats, rows = scalars[1], grid.shape[1] - 1, SIZE(1), False, 1
    low, high, far = SIZE(grid[0, last]), SIZE(grid[1, last]), SIZE(grid[2, axis])
    s = STRIDE if SIZE(0) != STRIDE else SIZE(grid[2, last])
    t = OUT_STRIDE if SIZE(0) != OUT_STRIDE else SIZE(grid[3, last])
    for d in range(last):
        grid[4, d] = grid[0, d]
        rows *= grid[1, d] - grid[0, d]
    for _ in range(rows):
        k, o, i = begin, origin, SIZE(grid[4, axis])
        for d in range(last):
            k += SIZE(grid[4, d]) * SIZE(grid[2, d])
            o += SIZE(grid[4, d]) * SIZE(grid[3, d])
        for part in range(3):  # the inside of the axis, its low and its high end
            first, rest = (one, n - one) if part == 0 else (SIZE(0), one) if part == 1 else (n - one, n)
            start, stop = low, high if first <= i < rest else low
            if axis == last:
                start, stop = max(low, first), min(high, rest)
            if start < stop:
                m, q, count = k + start * s, o + start * t, stop - start
                if part == 0 and not HAS_COORDINATES:
                    difference(f, out, m + far, m - far, q, s, t, count, divisors[0])
                elif part == 0 and axis == last:
                    repeats |= along(f, out, m, q, s, t, count, x, place + start * hop, hop)
                elif part == 0:
                    c = place + i * hop
                    e, g = REAL(x[c]) - REAL(x[c - hop]), REAL(x[c + hop]) - REAL(x[c])
                    repeats |= (e == REAL(0)) | (e == -g)
                    weights = three_points(e, g)
                    combination(f, out, m - far, far, q, s, t, count, weights[0], weights[1], weights[2])
                elif HAS_WEIGHTS and part == 1:
                    combination(f, out, m, far, q, s, t, count, w[0], w[1], w[2])
                elif HAS_WEIGHTS:
                    combination(f, out, m - far - far, far, q, s, t, count, w[3], w[4], w[5])
                elif part == 1:
                    difference(f, out, m + far, m, q, s, t, count, divisors[1])
                else:
                    difference(f, out, m, m - far, q, s, t, count, divisors[2])
        d = last - 1
        while d >= 0:
            grid[4, d] += 1
            if grid[4, d] < grid[1, d]:
                break
            grid[4, d] = grid[0, d]
            d -= 1
    return repeats
