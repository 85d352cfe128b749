"""Lines too short for loops of their own: all elements in one loop, what differs among them in a table."""

from operator import truediv
from typing import Any

import numpy as np

from numgrad._arrays.kernels.uniform import uniform
from numgrad._compile.language import Array, Index, Record, Target

FIELD: Any = np.float64
quotient: Any = truediv
SIZE = np.uintp

inside: Any = uniform
HAS_WEIGHTS: Any = True


def short(
    f: Array,
    out: Target,
    n: Index,
    inner: Index,
    start: Index,
    stop: Index,
    shift: Index,
    table: Array,
    constants: Record,
) -> Any:
    """As `inside`, which does the first and the last block, where a neighbour may lie outside of f.

    A column of `table` belongs to an element, and the columns repeat after some whole blocks. Its rows: whether the
    element is first, or last, of its line; what `quotient` divides a difference by, or its inverse; whether three
    weights apply instead, and these.
    The first and the last of a line take their neighbours on one side; a select costs less than a loop for each line.
    """
    n, inner, start, stop, shift = SIZE(n), SIZE(inner), SIZE(start), SIZE(stop), SIZE(shift)
    block, size, period, null = n * inner, SIZE(f.size), SIZE(table.shape[1]), table.dtype.type(0)
    low = min(max(start, block), stop)
    high = max(low, min(stop, size - block))
    met = False
    for part in range(2):
        begin, end = (start, low) if part == 0 else (high, stop)
        met |= inside(f, out, n, inner, begin, end, shift, *constants)
    base = low - low % period
    while low < high:
        end = min(base + period, high)
        for k in range(low, end):
            j = k - base
            behind, here, ahead = FIELD(f[k - inner]), FIELD(f[k]), FIELD(f[k + inner])
            is_first, is_last = table[0, j] != null, table[1, j] != null
            value = quotient((here if is_last else ahead) - (here if is_first else behind), table[2, j])
            if HAS_WEIGHTS:
                far_behind, far_ahead = FIELD(f[k - inner - inner]), FIELD(f[k + inner + inner])
                p = here if is_first else far_behind if is_last else behind
                q = ahead if is_first else behind if is_last else here
                r = far_ahead if is_first else here if is_last else ahead
                weighted = table[4, j] * p + table[5, j] * q + table[6, j] * r
                value = weighted if table[3, j] != null else value
            out[k - shift] = value
        low = end
        base += period
    return met
