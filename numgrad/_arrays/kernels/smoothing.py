"""Derivatives of polynomials that fit the samples in a window by least squares: sums over them, and their weights."""

from typing import Any

import numpy as np

from numgrad._arrays.kernels.stencil import closed_ends
from numgrad._compile.language import Array, Index, Record, Scalar, Target, early
from numgrad._compile.stand_ins import TILE, room, workspace

FIELD: Any = np.float64
ORDER: Any = 1
DEGREE: Any = 2
# How many points have their polynomials found together: all that is kept of them fits a workspace.
BATCH: Any = np.uintp(64)
SIZE = np.uintp


def even_window(
    f: Array,
    out: Target,
    n: Index,
    inner: Index,
    start: Index,
    stop: Index,
    shift: Index,
    taps: Array,
    weights: Array,
    rows: Record,
) -> bool:
    """out[i] = sum_j weights[j] f[i + taps[j]] for any number of them, but at the ends what `closed_ends` says.

    `taps` are distances in memory. Four at a time: the sums are loaded and stored once for all of them.
    """
    n, inner, start, stop, shift = SIZE(n), SIZE(inner), SIZE(start), SIZE(stop), SIZE(shift)
    block, low, count, size = n * inner, SIZE(rows[2]), SIZE(rows[0].shape[0]), SIZE(weights.size)
    whole, total = size - size % SIZE(4), workspace(out)
    for base in range(start - start % block, stop, block):
        last = min(stop, base + block - (count - low) * inner)
        for tile in range(max(start, base + low * inner), last, TILE):
            length = min(TILE, last - tile)
            for t in range(length):
                total[t] = FIELD(0)
            for j in range(SIZE(0), whole, SIZE(4)):
                a, b = tile + SIZE(taps[j]), tile + SIZE(taps[j + 1])
                c, d = tile + SIZE(taps[j + 2]), tile + SIZE(taps[j + 3])
                wa, wb, wc, wd = weights[j], weights[j + 1], weights[j + 2], weights[j + 3]
                for t in range(length):
                    value = total[t] + wa * FIELD(f[a + t]) + wb * FIELD(f[b + t])
                    total[t] = value + wc * FIELD(f[c + t]) + wd * FIELD(f[d + t])
            for j in range(whole, size):
                a, wa = tile + SIZE(taps[j]), weights[j]
                for t in range(length):
                    total[t] += wa * FIELD(f[a + t])
            for t in range(length):
                out[tile + t - shift] = total[t]
        closed_ends(f, out, n, inner, base, start, stop, shift, rows)
    return False


def tabled(
    f: Array,
    out: Target,
    n: Index,
    inner: Index,
    start: Index,
    stop: Index,
    shift: Index,
    table: Array,
    reach: Index,
    rows: Record,
) -> bool:
    """out[i] = sum_j table[j, i] f[i - reach + j] for windows of any length, at the ends as `closed_ends`."""
    n, inner, start, stop, shift = SIZE(n), SIZE(inner), SIZE(start), SIZE(stop), SIZE(shift)
    block, low, count, one = n * inner, SIZE(rows[2]), SIZE(rows[0].shape[0]), SIZE(1)
    back, taps, total = SIZE(reach) * inner, SIZE(table.shape[0]), workspace(out)
    for base in range(start - start % block, stop, block):
        first, last = max(start, base + low * inner), min(stop, base + block - (count - low) * inner)
        tile = first
        while tile < last:
            # One line; or, where neighbours of memory are neighbours across, the elements that have the same weights.
            i = (tile - base) // inner
            size = min(TILE, last - tile if inner == one else min(last, base + (i + one) * inner) - tile)
            for t in range(size):
                total[t] = FIELD(0)
            for j in range(taps):
                k = tile + j * inner - back
                if inner == one:
                    for t in range(size):
                        w = table[j, i + t]
                        total[t] += w * FIELD(f[k + t]) if w != 0 else FIELD(0)
                elif table[j, i] != 0:
                    w = table[j, i]
                    for t in range(size):
                        total[t] += w * FIELD(f[k + t])
            for t in range(size):
                out[tile + t - shift] = total[t]
            tile += size
        closed_ends(f, out, n, inner, base, start, stop, shift, rows)
    return False


def orthogonal(
    shared: Target, norms: Target, x: Array, tile: Index, size: Index, hop: Index, first: Index, count: Index
) -> None:
    """Find the polynomials that are orthogonal over the windows of points, for all of a batch.

    p[k + 1](u) = (u - a[k]) p[k](u) - b[k] p[k - 1](u), by Stieltjes' procedure, of distances u from the point in units
    of the window's length. `shared` becomes a, b, DEGREE rows each, and from the row 3 DEGREE + 1 on the unit.
    """
    values, moment, degree, one, two = room(x), workspace(x), SIZE(DEGREE), SIZE(1), SIZE(2)
    unit, samples = (degree * SIZE(3) + one) * BATCH, count * BATCH
    for t in range(size):
        shared[unit + t] = 1 / abs(x[first + t + (count - one) * hop] - x[first + t])
    for k in range(degree + one):
        norm, a, b = k * BATCH, (k - one) * BATCH, (degree + k - one) * BATCH
        for t in range(size):
            norms[norm + t] = 0.0
            moment[t] = 0.0
        for j in range(count):
            u, there = j * BATCH, first + j * hop
            here, before = u + samples * (one + k % two), u + samples * (two - k % two)
            for t in range(size):
                if k == SIZE(0):
                    values[u + t] = (x[there + t] - x[tile + t]) * shared[unit + t]
                    values[before + t] = 0.0
                    value = 1.0
                else:
                    value = (values[u + t] - shared[a + t]) * values[before + t] - shared[b + t] * values[here + t]
                values[here + t] = value
                norms[norm + t] += value * value
                moment[t] += value * value * values[u + t]
        if k < degree:
            a, b = k * BATCH, (degree + k) * BATCH
            for t in range(size):
                shared[a + t] = moment[t] / norms[norm + t]
                shared[b + t] = norms[norm + t] / norms[norm - BATCH + t] if k > SIZE(0) else 0.0


def slopes(wanted: Target, shared: Array, size: Index) -> Any:
    """Fill `wanted` with the ORDER-th coefficients of Taylor's series of the polynomials at u = 0; return their row."""
    degree, zero, one = SIZE(DEGREE), SIZE(0), SIZE(1)
    this, lower = zero, zero
    for m in range(SIZE(ORDER + 1)):
        this, lower = (m % SIZE(2)) * (degree + one) * BATCH, (one - m % SIZE(2)) * (degree + one) * BATCH
        for t in range(size):
            wanted[this + t] = 1.0 if m == zero else 0.0
        for k in range(degree):
            a, b, row = k * BATCH, (degree + k) * BATCH, this + k * BATCH
            for t in range(size):
                value = -shared[a + t] * wanted[row + t]
                if k > zero:
                    value -= shared[b + t] * wanted[row - BATCH + t]
                if m > zero:
                    value += wanted[lower + k * BATCH + t]
                wanted[row + BATCH + t] = value
    return this


@early
def fitted(shared: Array, t: Index, u: Scalar) -> Any:
    """Return the sum of c[k] p[k](u): the weight of a sample."""
    degree = SIZE(DEGREE)
    before, here, value = 0.0, 1.0, shared[degree * SIZE(2) * BATCH + t]
    for k in range(degree):
        following = (u - shared[k * BATCH + t]) * here - shared[(degree + k) * BATCH + t] * before
        before, here = here, following
        value += shared[(degree * SIZE(2) + k + SIZE(1)) * BATCH + t] * here
    return value


def fit(shared: Target, x: Array, tile: Index, size: Index, hop: Index, c: Index, count: Index, factor: Scalar) -> None:
    """Find c[k], so that the weights sum_k c[k] p[k](u[j]) differentiate all polynomials up to DEGREE exactly.

    By orthogonality c[k] is p[k]'s derivative over its norm. What rounding has left of other products is mended by one
    step more: the weights are applied to each p[k], and the error is divided by the norm.
    """
    norms, wanted, found = workspace(x), workspace(x), workspace(x)
    degree, first = SIZE(DEGREE), tile - c * hop
    coefficients, unit = degree * SIZE(2) * BATCH, (degree * SIZE(3) + SIZE(1)) * BATCH
    orthogonal(shared, norms, x, tile, size, hop, first, count)
    aim = slopes(wanted, shared, size)
    for k in range(degree + SIZE(1)):
        for t in range(size):
            shared[coefficients + k * BATCH + t] = wanted[aim + k * BATCH + t] / norms[k * BATCH + t]
            found[k * BATCH + t] = 0.0
    for j in range(count):
        there = first + j * hop
        for t in range(size):
            u = (x[there + t] - x[tile + t]) * shared[unit + t]
            w = fitted(shared, t, u)
            before, here = 0.0, 1.0
            found[t] += w
            for k in range(degree):
                following = (u - shared[k * BATCH + t]) * here - shared[(degree + k) * BATCH + t] * before
                before, here = here, following
                found[(k + SIZE(1)) * BATCH + t] += w * here
    for k in range(degree + SIZE(1)):
        for t in range(size):
            error = wanted[aim + k * BATCH + t] - found[k * BATCH + t]
            value = factor * (shared[coefficients + k * BATCH + t] + error / norms[k * BATCH + t])
            for _ in range(ORDER):
                value *= shared[unit + t]
            shared[coefficients + k * BATCH + t] = value


def weigh_fitted(
    row: Target, shared: Target, x: Array, tile: Index, size: Index, hop: Index, c: Index, j: Index, count: Index,
    factor: Scalar,
) -> None:  # fmt: skip
    """As `coordinates.weigh`, by least squares. `shared` is a, b, c and the unit, for `size` points, up to BATCH."""
    if j == SIZE(0):
        fit(shared, x, tile, size, hop, c, count, factor)
    there, unit = tile - c * hop + j * hop, (SIZE(DEGREE) * SIZE(3) + SIZE(1)) * BATCH
    for t in range(size):
        row[t] = fitted(shared, t, (x[there + t] - x[tile + t]) * shared[unit + t])
