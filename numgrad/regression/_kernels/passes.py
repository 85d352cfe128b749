"""Batch gradient descent on the squared loss of a linear model.

Data come as blocks of ROWS rows that `pack` has laid out feature by feature (`columns`), or as rows where they lie
(`rows`). Theta has a row for each target; the first element of a row is the intercept, if there is one.
"""

from typing import Any, NamedTuple

import numpy as np

from numgrad._compile.language import Array, Flag, Index, Target

REAL: Any = np.float64
SIZE = np.uintp
ROWS = SIZE(128)
# Whether neighbours in memory are those in a column of x.
BY_COLUMNS = False
# From one feature of a block to the next. A power of two would put all features into the same sets of the cache.
LINE = SIZE(136)


class Layout(NamedTuple):
    """Data, and how they are packed: see `pack`."""

    x: Array
    y: Array
    weight: Array
    shift: Array
    factor: Array
    intercept: Flag
    lines: Index


def pack(
    x: Array,
    y: Array,
    weight: Array,
    shift: Array,
    factor: Array,
    intercept: Flag,
    lines: Index,
    blocks: Target,
    start: Index,
    stop: Index,
) -> None:
    """Lay out the rows `start` to `stop` in blocks: (1, (x - shift) factor, y) sqrt(weight), the 1 if `intercept`.

    y, less the elements of `shift` after those of x, comes after `lines` lines, the last of which may be empty. Rows of
    zeros, which change no sum, complete the last block.
    """
    n, p, first, before = SIZE(x.shape[1]), SIZE(y.shape[1]), SIZE(intercept), SIZE(lines)
    size = (before + p) * LINE
    base = SIZE(0)
    for low in range(SIZE(start), SIZE(stop), ROWS):
        count = min(ROWS, SIZE(stop) - low)
        for k in range(base, base + size):
            blocks[k] = 0
        # The roots of the weights: in the line of the intercept, or where the first target will be.
        home = base if first else base + before * LINE
        for i in range(count):
            blocks[home + i] = np.sqrt(weight[low + i])
        at = base + first * LINE
        if BY_COLUMNS:
            for j in range(n):
                a, b = REAL(shift[j]), REAL(factor[j])  # not in the loop, which may write to them for all LLVM knows
                for i in range(count):
                    blocks[at + j * LINE + i] = (REAL(x[low + i, j]) - a) * b * blocks[home + i]
        else:
            for i in range(count):
                root = blocks[home + i]
                for j in range(n):
                    blocks[at + j * LINE + i] = (REAL(x[low + i, j]) - shift[j]) * factor[j] * root
        for back in range(p):
            target = p - SIZE(1) - back  # the first one last: the roots may be in its place
            at, a = base + (before + target) * LINE, REAL(shift[n + target])
            for i in range(count):
                blocks[at + i] = (REAL(y[low + i, target]) - a) * blocks[home + i]
        base += size


def columns(blocks: Array, count: Index, theta: Array, loss: Target, gradient: Target, square: Target) -> None:
    """Add l'l to `square[0]` and Z' l to `gradient`, l = Z theta - y, for packed blocks of a multiple of four lines.

    Four features at a time share the loads and stores of l.
    """
    p, n = SIZE(theta.shape[0]), SIZE(theta.shape[1])
    zero, one, two, three, four = SIZE(0), SIZE(1), SIZE(2), SIZE(3), SIZE(4)
    fours = n + three - (n + three) % four
    for base in range(zero, SIZE(count) * (fours + p) * LINE, (fours + p) * LINE):
        for k in range(p):
            at = base + (fours + k) * LINE
            for i in range(ROWS):
                loss[i] = -blocks[at + i]
            for j in range(zero, n, four):
                a, b, c, d = REAL(theta[k, j]), REAL(0), REAL(0), REAL(0)
                if j + one < n:
                    b = REAL(theta[k, j + one])
                if j + two < n:
                    c = REAL(theta[k, j + two])
                if j + three < n:
                    d = REAL(theta[k, j + three])
                at = base + j * LINE
                for i in range(ROWS):
                    f = at + i
                    left = blocks[f] * a + blocks[f + LINE] * b
                    loss[i] += left + (blocks[f + two * LINE] * c + blocks[f + three * LINE] * d)
            total = REAL(0)
            for i in range(ROWS):
                total += loss[i] * loss[i]
            square[zero] += total
            for j in range(zero, n, four):
                a, b, c, d = REAL(0), REAL(0), REAL(0), REAL(0)
                at = base + j * LINE
                for i in range(ROWS):
                    f, this = at + i, loss[i]
                    a += blocks[f] * this
                    b += blocks[f + LINE] * this
                    c += blocks[f + two * LINE] * this
                    d += blocks[f + three * LINE] * this
                gradient[k, j] += a
                if j + one < n:
                    gradient[k, j + one] += b
                if j + two < n:
                    gradient[k, j + two] += c
                if j + three < n:
                    gradient[k, j + three] += d


def packing(
    data: Layout,
    block: Target,
    theta: Array,
    loss: Target,
    gradient: Target,
    square: Target,
    start: Index,
    stop: Index,
) -> None:
    """Pack a block of rows at a time, and go over it while it is in the cache."""
    for low in range(SIZE(start), SIZE(stop), ROWS):
        high = min(low + ROWS, SIZE(stop))
        x, y, weight, shift, factor, intercept, lines = data
        pack(x, y, weight, shift, factor, intercept, lines, block, low, high)
        columns(block, 1, theta, loss, gradient, square)


def rows(
    x: Array,
    y: Array,
    weight: Array,
    theta: Array,
    intercept: Flag,
    part: Target,
    gradient: Target,
    square: Target,
    start: Index,
    stop: Index,
) -> None:
    """Add l' W l to `square[0]` and [1 | X]' W l to `gradient`, l = [1 | X] theta - y, for rows `start` to `stop`.

    Four rows at a time share the loads of theta and the sums; `part` holds the sums of ROWS rows.
    """
    p, n, first = SIZE(y.shape[1]), SIZE(x.shape[1]), SIZE(intercept)
    zero, one, two, three, four = SIZE(0), SIZE(1), SIZE(2), SIZE(3), SIZE(4)
    for low in range(SIZE(start), SIZE(stop), ROWS):
        high = min(low + ROWS, SIZE(stop))
        fours = high - (high - low) % four
        for k in range(p):
            total, base, ones = REAL(0), REAL(0), REAL(0)
            if first:
                base = REAL(theta[k, zero])
            for j in range(n):
                part[j] = 0
            for i in range(low, fours, four):
                a, b = base - REAL(y[i, k]), base - REAL(y[i + one, k])
                c, d = base - REAL(y[i + two, k]), base - REAL(y[i + three, k])
                for j in range(n):
                    w = REAL(theta[k, first + j])
                    a += REAL(x[i, j]) * w
                    b += REAL(x[i + one, j]) * w
                    c += REAL(x[i + two, j]) * w
                    d += REAL(x[i + three, j]) * w
                wa, wb = a * REAL(weight[i]), b * REAL(weight[i + one])
                wc, wd = c * REAL(weight[i + two]), d * REAL(weight[i + three])
                total += (a * wa + b * wb) + (c * wc + d * wd)
                ones += (wa + wb) + (wc + wd)
                for j in range(n):
                    left = wa * REAL(x[i, j]) + wb * REAL(x[i + one, j])
                    part[j] += left + (wc * REAL(x[i + two, j]) + wd * REAL(x[i + three, j]))
            for i in range(fours, high):
                a = base - REAL(y[i, k])
                for j in range(n):
                    a += REAL(x[i, j]) * REAL(theta[k, first + j])
                wa = a * REAL(weight[i])
                total += a * wa
                ones += wa
                for j in range(n):
                    part[j] += wa * REAL(x[i, j])
            square[zero] += total
            if first:
                gradient[k, zero] += ones
            for j in range(n):
                gradient[k, first + j] += part[j]
