"""Weighted sums of samples along an axis: derivatives of any order and accuracy."""

from typing import Any

import numpy as np

FIELD: Any = np.float64
TAPS: Any = 3
SIZE = np.uintp

# Points whose weights are found together, so that the loops over them vectorise.
TOGETHER = 64


def constant_taps(
    f: Any, out: Any, n: Any, inner: Any, start: Any, stop: Any, shift: Any, taps: Any, weights: Any, rows: Any
) -> bool:
    """out[i] = sum_j weights[j] f[i + taps[j]], but at the ends what `closed_ends` says.

    `taps` are distances in memory; unsigned, negative ones wrap around and come out right.
    """
    n, inner, start, stop, shift = SIZE(n), SIZE(inner), SIZE(start), SIZE(stop), SIZE(shift)
    block, low, count = n * inner, SIZE(rows[2]), SIZE(rows[0].shape[0])
    first, last = low * inner, block - (count - low) * inner
    for base in range(start - start % block, stop, block):
        for k in range(max(start, base + first), min(stop, base + last)):
            value = weights[0] * FIELD(f[k + SIZE(taps[0])])
            for j in range(1, len(weights)):
                value += weights[j] * FIELD(f[k + SIZE(taps[j])])
            out[k - shift] = value
        closed_ends(f, out, n, inner, base, start, stop, shift, rows)
    return False


def closed_ends(f: Any, out: Any, n: Any, inner: Any, base: Any, start: Any, stop: Any, shift: Any, rows: Any) -> None:
    """out[i] = sum_j weights[r, j] f[samples[r, j]] for the first `low` points of an axis and for the last ones.

    `rows` are the weights, the samples and `low`. A weight of zero is no weight: a NaN there is not looked at.
    """
    weights, samples, low = rows
    for r in range(SIZE(weights.shape[0])):
        i = r if r < SIZE(low) else n - SIZE(weights.shape[0]) + r
        row = base + i * inner
        for k in range(max(start, row), min(stop, row + inner)):
            value = FIELD(0)
            for j in range(SIZE(weights.shape[1])):
                if weights[r, j] != 0:
                    value += weights[r, j] * FIELD(f[base + SIZE(samples[r, j]) * inner + (k - row)])
            out[k - shift] = value


def varying_taps(
    f: Any, out: Any, n: Any, inner: Any, start: Any, stop: Any, shift: Any, table: Any, reach: Any, rows: Any
) -> bool:
    """out[i] = sum_j table[j, i] f[i - reach + j], but at the ends what `closed_ends` says; zero weights as there."""
    n, inner, start, stop, shift = SIZE(n), SIZE(inner), SIZE(start), SIZE(stop), SIZE(shift)
    block, low, count, back = n * inner, SIZE(rows[2]), SIZE(rows[0].shape[0]), SIZE(reach) * inner
    for base in range(start - start % block, stop, block):
        if inner == SIZE(1):
            for k in range(max(start, base + low), min(stop, base + n - (count - low))):
                i = k - base
                value = FIELD(0)
                for j in range(TAPS):
                    w = table[j, i]
                    value += w * FIELD(f[k - back + SIZE(j)]) if w != 0 else FIELD(0)
                out[k - shift] = value
        else:
            top = min(n - (count - low), (min(stop, base + block) - base + inner - SIZE(1)) // inner)
            for i in range(max(low, (max(start, base) - base) // inner), top):
                row = base + i * inner
                for k in range(max(start, row), min(stop, row + inner)):
                    value = FIELD(0)
                    for j in range(TAPS):
                        w = table[j, i]
                        value += w * FIELD(f[k - back + SIZE(j) * inner]) if w != 0 else FIELD(0)
                    out[k - shift] = value
        closed_ends(f, out, n, inner, base, start, stop, shift, rows)
    return False


def fill_table(x: Any, table: Any, reach: Any, start: Any, stop: Any, n: Any, scratch: Any) -> None:
    """table[j, i] = the weight of the j-th of the points x[i - reach:], for the n-th derivative at x[i].

    Fornberg's recursion for TOGETHER points at a time. The points come from the nearest to the farthest, or rounding
    errors grow. `scratch` has room for n + 1 rows of weights by point, for distances, and for the products.
    """
    count = table.shape[0]
    for tile in range(start, stop, TOGETHER):
        size = min(TOGETHER, stop - tile)
        for j in range(count):
            # reach, reach + 1, reach - 1, reach + 2, ...: as far as there are points, then the rest of them
            place = nearest(j, reach, count)
            for t in range(size):
                scratch[n + 1, j, t] = x[tile + t - reach + place] - x[tile + t]
        for t in range(size):
            scratch[n + 2, 0, t] = 1
        for k in range(n + 1):
            for t in range(size):
                scratch[k, 0, t] = 1 if k == 0 else 0
        for i in range(1, count):
            for t in range(size):
                scratch[n + 2, 1, t] = 1
            for j in range(i):
                for t in range(size):
                    scratch[n + 2, 1, t] *= scratch[n + 1, i, t] - scratch[n + 1, j, t]
            for t in range(size):
                scratch[n + 2, 2, t] = scratch[n + 2, 0, t] / scratch[n + 2, 1, t]
            for k in range(n, -1, -1):
                for t in range(size):
                    lower = k * scratch[k - 1, i - 1, t] if k > 0 else 0.0
                    scratch[k, i, t] = scratch[n + 2, 2, t] * (lower - scratch[n + 1, i - 1, t] * scratch[k, i - 1, t])
            for j in range(i):
                for t in range(size):
                    scratch[n + 2, 2, t] = 1 / (scratch[n + 1, i, t] - scratch[n + 1, j, t])
                for k in range(n, -1, -1):
                    for t in range(size):
                        lower = k * scratch[k - 1, j, t] if k > 0 else 0.0
                        value = scratch[n + 1, i, t] * scratch[k, j, t] - lower
                        scratch[k, j, t] = value * scratch[n + 2, 2, t]
            for t in range(size):
                scratch[n + 2, 0, t] = scratch[n + 2, 1, t]
        for j in range(count):
            place = nearest(j, reach, count)
            for t in range(size):
                table[place, tile + t] = scratch[n, j, t]


def nearest(j: Any, reach: Any, count: Any) -> Any:
    """Return the place of the j-th nearest of `count` points, the point itself being at `reach`."""
    both = min(reach, count - 1 - reach)
    if j > 2 * both:
        return j if reach == both else count - 1 - j
    half = (j + 1) // 2
    return reach + half if j % 2 else reach - half
