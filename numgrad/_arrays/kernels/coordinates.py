"""Weights of stencils from coordinates, and derivatives along lines that each have coordinates of their own."""

from typing import Any

import numpy as np

from numgrad._compile.language import Array, Flag, Index, Record, Scalar, Target, early
from numgrad._compile.stand_ins import frozen, prefetch, workspace

FIELD: Any = np.float64
REAL: Any = np.float64
ORDER: Any = 1
TAPS: Any = 3  # 0: as many as there is room for in the table, or as the ends take
# Whether distances are taken in units of the width of their stencil: the products of others would leave float64.
SCALED: Any = False
# Whether weights are squared, as for the variance of a sum.
SQUARED: Any = False
SIZE = np.uintp
# How many points have their weights found together: of nine weights each these, and the room for the next, fit the
# first-level cache.
BATCH: Any = SIZE(192)
LINE = SIZE(8)  # weights in a line of the cache

# The ways to do the ends of an axis.
ONE_SIDED, PERIODIC, EMPTY = 0, 1, 2


@early
def product(x: Array, first: Index, hop: Index, at: Scalar, c: Index, count: Index) -> Any:
    """Return the product of -d[k] over all k but c, d[k] = x[first + k hop] - at: what first derivatives share."""
    one = SIZE(1)
    unit = 1 / abs(x[first + (count - one) * hop] - x[first]) if SCALED else 1.0
    value = x.dtype.type(1)
    for k in range(count - one):
        d = at - x[first + (k + SIZE(k >= c)) * hop]
        value *= d * unit if SCALED else d
    return value


@early
def weight(x: Array, first: Index, hop: Index, at: Scalar, j: Index, c: Index, count: Index, shared: Scalar) -> Any:
    """Return what the j-th of the points x[first + k hop] weighs in the ORDER-th derivative at the c-th, which is `at`.

    But for ORDER!: the coefficient of t**(ORDER - 1) in the product of t - d[k], over the product of d[j] - d[k] and
    d[j], with d[k] = x[..] - at and products over all k of `count` but j and c. It is Lagrange's polynomial, derived.
    The products are as accurate as the differences; one division a weight makes this some ten times as fast as
    Fornberg's recursion. For ORDER = 1 the coefficient is `shared`, the `product`, over -d[j].
    """
    one, lower, upper = SIZE(1), min(j, c), max(j, c)
    there = x[first + j * hop]
    unit = 1 / abs(x[first + (count - one) * hop] - x[first]) if SCALED else 1.0
    below = (there - at) * unit
    above = workspace(x)
    lowest = x.dtype.type(1)
    for q in range(1, ORDER):
        above[q] = 0
    for k in range(count - one - one):
        skip = SIZE(k >= lower)  # leaves out j and c without a branch
        point = x[first + (k + skip + SIZE(k + skip >= upper)) * hop]
        below *= (there - point) * unit if SCALED else there - point
        if ORDER > 1:
            d = (at - point) * unit if SCALED else at - point
            for q in range(ORDER - 1, 1, -1):
                above[q] = d * above[q] + above[q - 1]
            above[1] = d * above[1] + lowest
            lowest *= d
    value = above[ORDER - 1] / below if ORDER > 1 else shared / (below * (at - there) * unit)
    if SCALED:
        for _ in range(ORDER):
            value *= unit
    return value


@early
def center_weight(x: Array, first: Index, hop: Index, at: Scalar, c: Index, count: Index) -> Any:
    """Return what the c-th point itself weighs: the coefficient of t**ORDER in the product of t - d[k], over that of 1.

    Minus the sum of the others would do, too, were it not for their rounding errors, which may be larger than it.
    """
    one = SIZE(1)
    unit = 1 / abs(x[first + (count - one) * hop] - x[first]) if SCALED else 1.0
    above = workspace(x)
    lowest = x.dtype.type(1)
    for q in range(1, ORDER + 1):
        above[q] = 0
    for k in range(count - one):
        d = at - x[first + (k + SIZE(k >= c)) * hop]
        if SCALED:
            d *= unit
        for q in range(ORDER, 1, -1):
            above[q] = d * above[q] + above[q - 1]
        above[1] = d * above[1] + lowest
        lowest *= d
    value = above[ORDER] / lowest
    if SCALED:
        for _ in range(ORDER):
            value *= unit
    return value


def fill_table(x: Array, table: Target, reach: Index, start: Index, stop: Index, factor: Scalar) -> None:
    """table[j, i] = the weight of x[i - reach + j] for the derivative at x[i]; `factor` is ORDER!, or a multiple."""
    reach, start, stop, one = SIZE(reach), SIZE(start), SIZE(stop), SIZE(1)
    row, shared, count = workspace(x), workspace(x), SIZE(TAPS) if TAPS else SIZE(table.shape[0])
    for tile in range(start, stop, BATCH):
        size = min(BATCH, stop - tile)
        for j in range(SIZE(table.shape[0])):
            for t in range(SIZE(0), size, LINE):  # where the next ones go, or they would wait for the memory
                prefetch(table, j * SIZE(table.shape[1]) + tile + BATCH + t)
            weigh(row, shared, x, tile, size, one, reach, j, count, factor)
            for t in range(size):
                table[j, tile + t] = row[t]


def weigh(
    row: Target, shared: Target, x: Array, tile: Index, size: Index, hop: Index, c: Index, j: Index, count: Index,
    factor: Scalar,
) -> None:  # fmt: skip
    """row[t] = the weight of the j-th of `count` points, of which the c-th is x[tile + t]; j = 0 must come first.

    `row` is the caller's workspace, which LLVM knows to lie apart from x: so it vectorises this for any `count`. So is
    `shared`, for what the weights of a point share.
    """
    back = c * hop
    if ORDER == 1 and j == SIZE(0):
        for t in range(size):
            shared[t] = product(x, tile + t - back, hop, x[tile + t], c, count)
    if j == c:
        for t in range(size):
            row[t] = factor * center_weight(x, tile + t - back, hop, x[tile + t], c, count)
    else:
        for t in range(size):
            row[t] = factor * weight(x, tile + t - back, hop, x[tile + t], j, c, count, shared[t])


def window(i: Index, before: Index, after: Index, is_low: Flag, count: Index) -> Any:
    """Return the first of `count` points for the i-th, which has so many neighbours to either side.

    The point is in the middle, if there are enough neighbours at the end near it; or else the end itself is the last.
    """
    half = count // 2
    return i - min(before, half) if is_low else i + min(after, half) + 1 - count


def wrap(p: Index, n: Index) -> Any:
    """Return by how many periods the p-th of n points is away from the n that there are."""
    return 1 if p >= n else -1 if p < 0 else 0


def weigh_one(
    w: Target,
    x: Array,
    at: Index,
    hop: Index,
    i: Index,
    n: Index,
    first: Index,
    count: Index,
    period: Scalar,
    factor: Scalar,
) -> None:
    """w[j] = the weight of the (first + j)-th point of a line of n, for the derivative at the i-th, x[at].

    The next coordinate is x[at + hop]. Points below 0 and from n on are those a period away.
    """
    if x[at + (1 - i) * hop] < x[at - i * hop]:
        period = -period
    d, row, shared, c, one = workspace(x), workspace(x), workspace(x), SIZE(i - first), SIZE(1)
    for j in range(count):
        p = first + j
        d[j] = x[at + (p - wrap(p, n) * n - i) * hop] + wrap(p, n) * period - x[at]
    for j in range(count):
        weigh(row, shared, frozen(d), c, one, one, c, SIZE(j), SIZE(count), factor)
        w[j] = row[SIZE(0)]


def fill_rows(x: Array, rows: Target, places: Array, firsts: Array, period: Scalar, factor: Scalar) -> None:
    """rows[r] = the weights of the points from the firsts[r]-th on, for the derivative at the places[r]-th."""
    row = workspace(x)
    for r in range(places.size):
        i = places[r]
        weigh_one(row, x, i, 1, i, x.size, firsts[r], rows.shape[1], period, factor)
        for j in range(rows.shape[1]):
            rows[r, j] = row[j]


def fill_weights(
    x: Array, table: Target, reach: Index, start: Index, stop: Index, rows: Target, places: Array, firsts: Array,
    period: Scalar, factor: Scalar,
) -> None:  # fmt: skip
    """Do both: one kernel, with its parts in common, is sooner compiled than two."""
    fill_table(x, table, reach, start, stop, factor)
    fill_rows(x, rows, places, firsts, period, factor)


@early
def used(w: Scalar) -> Any:
    """Return what a sample is multiplied by."""
    return REAL(w) * REAL(w) if SQUARED else REAL(w)


def one_point(
    f: Array, k: Index, i: Index, n: Index, inner: Index, x: Array, at: Index, hop: Index, first: Index, count: Index,
    period: Scalar, factor: Scalar,
) -> Any:  # fmt: skip
    """Return the derivative at f[k], the i-th of its line, by the `count` points from the first-th on."""
    w, value = workspace(x), FIELD(0)
    weigh_one(w, x, at, hop, i, n, first, count, period, factor)
    for j in range(count):
        if w[j] != 0:
            p = first + j
            value += used(w[j]) * FIELD(f[k + (p - wrap(p, n) * n - i) * inner])
    return value


def own_taps(
    f: Array,
    out: Target,
    n: Index,
    inner: Index,
    start: Index,
    stop: Index,
    shift: Index,
    x: Array,
    factor: Scalar,
    reach: Index,
    ends: Record,
) -> bool:
    """out[i] = sum_j w[j] f[i - reach + j], with the weights for x[i - reach + j]; f and x have the same shape.

    `ends` are what the ends do, how many points a one-sided one takes, and the period. A weight of zero is no weight.
    """
    n, inner, start, stop, shift, reach = SIZE(n), SIZE(inner), SIZE(start), SIZE(stop), SIZE(shift), SIZE(reach)
    one, count, block = SIZE(1), SIZE(TAPS) if TAPS else SIZE(ends[1]), n * inner
    back = min(reach * inner, block)  # of a short line all is an end
    ahead = min((count - one - reach) * inner, block - back)
    row, shared, total = workspace(x), workspace(x), workspace(out)
    kind, edge, period = ends
    for base in range(start - start % block, stop, block):
        last = min(stop, base + block - ahead)
        for tile in range(max(start, base + back), last, BATCH):
            size = min(BATCH, last - tile)
            for t in range(size):
                total[t] = FIELD(0)
            for j in range(count):
                weigh(row, shared, x, tile, size, inner, reach, j, count, factor)
                k = tile + j * inner - back
                for t in range(size):
                    total[t] += used(row[t]) * FIELD(f[k + t]) if row[t] != 0 else FIELD(0)
            for t in range(size):
                out[tile + t - shift] = total[t]
        for part in range(2):
            low, high = (base, base + back) if part == 0 else (base + block - ahead, base + block)
            for k in range(max(start, low), min(stop, high)):
                i, points, line = np.int64((k - base) // inner), np.int64(count), np.int64(n)
                begin = i - np.int64(reach)
                if kind == ONE_SIDED:
                    points = edge
                    begin = window(i, i, line - 1 - i, i < min(np.int64(reach), (line + 1) // 2), edge)
                value = FIELD(f[k]) * REAL(np.nan)
                if kind != EMPTY:
                    here, hop = np.int64(k), np.int64(inner)
                    value = one_point(f, here, i, line, hop, x, here, hop, begin, points, period, factor)
                out[k - shift] = value
    return False


def first_turn(x: Array, steps: Target, n: Index, inner: Index) -> Any:
    """Return where along a line, of `n` coordinates each `inner` apart, one is not beyond the one before; else -1.

    `steps` becomes the shortest and the longest distance of neighbours.
    """
    n, inner, size, shortest, longest = SIZE(n), SIZE(inner), SIZE(x.size), np.inf, 0.0
    for base in range(SIZE(0), size, n * inner):
        for i in range(base, base + (n - SIZE(1)) * inner, inner):
            for c in range(inner):
                step = x[i + c + inner] - x[i + c]
                if x[base + c + inner] < x[base + c]:
                    step = -step
                if not 0 < step < np.inf:
                    return np.int64(i + c)
                shortest, longest = min(shortest, step), max(longest, step)
    steps[0], steps[1] = shortest, longest
    return np.int64(-1)
