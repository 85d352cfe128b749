"""Batch gradient descent on the squared loss of a linear model.

Data come feature by feature (`columns`), as they lie or in blocks of ROWS rows that `pack` has laid out so; or as rows
where they lie (`rows`). Theta has a row for each target; the first element of a row is the intercept, if there is one.
"""

from typing import Any, NamedTuple

import numpy as np

from numgrad._compile.language import Array, Flag, Index, Target
from numgrad._compile.stand_ins import prefetch, room

REAL: Any = np.float64
SIZE = np.uintp
# Sums in any order: what these kernels add up.
FASTMATH = frozenset({"reassoc", "contract", "nsz"})
ROWS = SIZE(128)
# Whether neighbours in memory are those in a column of x.
BY_COLUMNS = False
# From one feature of a block to the next. A power of two would put all features into the same sets of the cache.
LINE = SIZE(136)
# How far ahead rows are asked for, in elements, and how many come at once, of float64.
AHEAD, EACH = SIZE(512), SIZE(8)


class Layout(NamedTuple):
    """Data, and how they are packed: see `pack`."""

    x: Array
    y: Array
    weight: Array
    shift: Array
    factor: Array
    intercept: Flag


class Rows(NamedTuple):
    """Data row by row, where they lie."""

    x: Array
    y: Array
    weight: Array  # none where all are 1
    intercept: Flag


class Columns(NamedTuple):
    """Data feature by feature, and where they lie: see `columns`."""

    x: Array
    y: Array
    weight: Array  # none where all are 1, or have been multiplied in
    intercept: Flag  # whether theta begins with one that no feature of x stands for
    line: Index  # from one feature to the next
    across: Index  # from one target to the next
    before: Index  # from the first feature of a block in x to its first target in y
    rows: Index  # of a block, ROOM at most
    step: Index  # from one block to the next


class Packing(NamedTuple):
    """Data that are packed in each pass, and how a block of them lies."""

    layout: Layout
    packed: Columns


def pack(
    x: Array,
    y: Array,
    weight: Array,
    shift: Array,
    factor: Array,
    intercept: Flag,
    blocks: Target,
    start: Index,
    stop: Index,
) -> None:
    """Lay out the rows `start` to `stop` in blocks: (1, (x - shift) factor, y) sqrt(weight), the 1 if `intercept`.

    The elements of `shift` after those of x are taken off y. Rows of zeros, which change no sum, complete the last
    block.
    """
    n, p, first = SIZE(x.shape[1]), SIZE(y.shape[1]), SIZE(intercept)
    before = n + first
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


def columns(data: Columns, part: Target, theta: Array, gradient: Target, start: Index, stop: Index) -> Any:
    """Return l' W l and add Z' W l to `gradient`, l = Z theta - y, for rows `start` to `stop`.

    `part` is not needed. `start` is where a block begins. All features of a block are in the cache from the first
    product to the second. Four at a time share the loads and stores of l; where fewer are left, the first of these
    stands for the missing ones. l is on the stack, so that LLVM knows that nothing else lies there.
    """
    x, y, weight, intercept, line, across, before, rows, step = data
    p, first, rows, line = SIZE(theta.shape[0]), SIZE(intercept), SIZE(rows), SIZE(line)
    n, four = SIZE(theta.shape[1]), SIZE(4)
    one, two, three, loss, square = SIZE(1), SIZE(2), SIZE(3), room(y), 0.0
    for low in range(SIZE(start), SIZE(stop), rows):
        base, count = low // rows * SIZE(step), min(rows, SIZE(stop) - low)
        for k in range(p):
            at, a = base + SIZE(before) + k * SIZE(across), REAL(0)
            if first:
                a = REAL(theta[k, SIZE(0)])
            for i in range(count):
                loss[i] = a - REAL(y[at + i])
            for j in range(first, n, four):
                f = base + (j - first) * line
                g, h, e = f, f, f
                a, b, c, d = REAL(theta[k, j]), REAL(0), REAL(0), REAL(0)
                if j + one < n:
                    g, b = f + line, REAL(theta[k, j + one])
                if j + two < n:
                    h, c = f + two * line, REAL(theta[k, j + two])
                if j + three < n:
                    e, d = f + three * line, REAL(theta[k, j + three])
                for i in range(count):
                    left = REAL(x[f + i]) * a + REAL(x[g + i]) * b
                    loss[i] += left + (REAL(x[h + i]) * c + REAL(x[e + i]) * d)
            total, ones = REAL(0), REAL(0)
            if len(weight):
                for i in range(count):
                    this = loss[i]
                    loss[i] = this * REAL(weight[low + i])
                    total += this * loss[i]
            else:
                for i in range(count):
                    total += loss[i] * loss[i]
            square += total
            if first:
                for i in range(count):
                    ones += loss[i]
                gradient[k, SIZE(0)] += ones
            for j in range(first, n, four):
                f = base + (j - first) * line
                g, h, e = f, f, f
                if j + one < n:
                    g = f + line
                if j + two < n:
                    h = f + two * line
                if j + three < n:
                    e = f + three * line
                a, b, c, d = REAL(0), REAL(0), REAL(0), REAL(0)
                for i in range(count):
                    this = loss[i]
                    a += REAL(x[f + i]) * this
                    b += REAL(x[g + i]) * this
                    c += REAL(x[h + i]) * this
                    d += REAL(x[e + i]) * this
                gradient[k, j] += a
                if j + one < n:
                    gradient[k, j + one] += b
                if j + two < n:
                    gradient[k, j + two] += c
                if j + three < n:
                    gradient[k, j + three] += d
    return square


def packing(data: Packing, part: Target, theta: Array, gradient: Target, start: Index, stop: Index) -> Any:
    """Pack a block of rows at a time in `part`, and go over it, as `columns` does, while it is in the cache."""
    x, y, weight, shift, factor, intercept = data.layout
    square = 0.0
    for low in range(SIZE(start), SIZE(stop), ROWS):
        pack(x, y, weight, shift, factor, intercept, part, low, min(low + ROWS, SIZE(stop)))
        square += columns(data.packed, part, theta, gradient, 0, ROWS)
    return square


def rows(data: Rows, part: Target, theta: Array, gradient: Target, start: Index, stop: Index) -> Any:
    """Return l' W l and add [1 | X]' W l to `gradient`, l = [1 | X] theta - y, for rows `start` to `stop`.

    There are no weights where all are 1. Four rows at a time share the loads of theta and the sums; `part` holds the
    sums of ROWS rows. What lies AHEAD is asked for meanwhile, half of it before each product: the processor's own
    guesses leave memory idle while it computes.
    """
    x, y, weight, intercept = data
    square = 0.0
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
                for j in range(zero, two * n, EACH):
                    prefetch(x, i * n + AHEAD + j)
                a, b = base - REAL(y[i, k]), base - REAL(y[i + one, k])
                c, d = base - REAL(y[i + two, k]), base - REAL(y[i + three, k])
                for j in range(n):
                    w = REAL(theta[k, first + j])
                    a += REAL(x[i, j]) * w
                    b += REAL(x[i + one, j]) * w
                    c += REAL(x[i + two, j]) * w
                    d += REAL(x[i + three, j]) * w
                wa, wb, wc, wd = a, b, c, d
                if len(weight):
                    wa, wb = a * REAL(weight[i]), b * REAL(weight[i + one])
                    wc, wd = c * REAL(weight[i + two]), d * REAL(weight[i + three])
                total += (a * wa + b * wb) + (c * wc + d * wd)
                ones += (wa + wb) + (wc + wd)
                for j in range(two * n, four * n, EACH):
                    prefetch(x, i * n + AHEAD + j)
                for j in range(n):
                    left = wa * REAL(x[i, j]) + wb * REAL(x[i + one, j])
                    part[j] += left + (wc * REAL(x[i + two, j]) + wd * REAL(x[i + three, j]))
            for i in range(fours, high):
                a = base - REAL(y[i, k])
                for j in range(n):
                    a += REAL(x[i, j]) * REAL(theta[k, first + j])
                wa = a
                if len(weight):
                    wa = a * REAL(weight[i])
                total += a * wa
                ones += wa
                for j in range(n):
                    part[j] += wa * REAL(x[i, j])
            square += total
            if first:
                gradient[k, zero] += ones
            for j in range(n):
                gradient[k, first + j] += part[j]
    return square
