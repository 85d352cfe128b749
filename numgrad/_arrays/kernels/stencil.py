"""Weighted sums of samples along an axis: derivatives of any order and accuracy."""

from typing import Any

import numpy as np

from numgrad._arrays.kernels.uniform import FEW_ENDS
from numgrad._compile.language import Array, Index, Record, Scalar, Target

FIELD: Any = np.float64
TAPS: Any = 3
SIZE = np.uintp
# Whether what `store` does may be done twice. Then the inside of lines with FEW_ENDS times as many points as ends is
# done in one go, the ends between them along with it, as in `uniform`.
ONCE_OR_TWICE: Any = False


def assign(out: Target, k: Index, value: Scalar) -> None:
    """out[k] = value."""
    out[k] = value


def add(out: Target, k: Index, value: Scalar) -> None:
    """out[k] += value."""
    out[k] += value


store: Any = assign


def constant_taps(
    f: Array,
    out: Target,
    n: Index,
    inner: Index,
    start: Index,
    stop: Index,
    shift: Index,
    taps: Record,
    weights: Record,
    rows: Record,
) -> bool:
    """out[i] = sum_j weights[j] f[i + taps[j]], but at the ends what `closed_ends` says.

    `taps` are distances in memory; unsigned, negative ones wrap around and come out right.
    """
    n, inner, start, stop, shift = SIZE(n), SIZE(inner), SIZE(start), SIZE(stop), SIZE(shift)
    block, low, count = n * inner, SIZE(rows[2]), SIZE(rows[0].shape[0])
    begin = start - start % block
    first, whole = begin, block
    if ONCE_OR_TWICE and n >= FEW_ENDS * count:
        first, whole = SIZE(0), SIZE(f.size)
    for base in range(first, stop, whole):
        for k in range(max(start, base + low * inner), min(stop, base + whole - (count - low) * inner)):
            value = weights[0] * FIELD(f[k + SIZE(taps[0])])
            for j in range(1, len(weights)):
                value += weights[j] * FIELD(f[k + SIZE(taps[j])])
            store(out, k - shift, value)
    for base in range(begin, stop, block):
        closed_ends(f, out, n, inner, base, start, stop, shift, rows)
    return False


def closed_ends(
    f: Array, out: Target, n: Index, inner: Index, base: Index, start: Index, stop: Index, shift: Index, rows: Record
) -> None:
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
            store(out, k - shift, value)


def varying_taps(
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
    """out[i] = sum_j table[j, i] f[i - reach + j], but at the ends what `closed_ends` says."""
    n, inner, start, stop, shift = SIZE(n), SIZE(inner), SIZE(start), SIZE(stop), SIZE(shift)
    block, low, count, back = n * inner, SIZE(rows[2]), SIZE(rows[0].shape[0]), SIZE(reach) * inner
    for base in range(start - start % block, stop, block):
        if inner == SIZE(1):
            for k in range(max(start, base + low), min(stop, base + n - (count - low))):
                store(out, k - shift, column(f, k - back, inner, table, k - base))
        else:
            top = min(n - (count - low), (min(stop, base + block) - base + inner - SIZE(1)) // inner)
            for i in range(max(low, (max(start, base) - base) // inner), top):
                row = base + i * inner
                for k in range(max(start, row), min(stop, row + inner)):
                    store(out, k - shift, column(f, k - back, inner, table, i))
        closed_ends(f, out, n, inner, base, start, stop, shift, rows)
    return False


def column(f: Array, k: Index, inner: Index, table: Array, i: Index) -> Any:
    """Return sum_j table[j, i] f[k + j inner]. A weight of zero is no weight."""
    value = FIELD(0)
    for j in range(TAPS):
        w = table[j, i]
        value += w * FIELD(f[k + SIZE(j) * inner]) if w != 0 else FIELD(0)
    return value
