"""Lines too short for loops of their own: all elements in one loop, what differs among them in a table."""

from operator import truediv
from typing import Any

import numpy as np

from numgrad._compile.language import Array, Index, Record, Target

FIELD: Any = np.float64
quotient: Any = truediv
SIZE = np.uintp

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
    """As the kernel that this one is around, which it does not call: what it needs is in `table`.

    A column of that belongs to an element, and the columns repeat after some whole blocks. Its rows: whether the
    element is first, or last, of its line; what `quotient` divides a difference by, or its inverse; whether three
    weights apply instead, and these; whether NumPy has to warn of the coordinates.
    The first and the last of a line take their neighbours on one side; a select costs less than a loop for each line.
    Both sides are read before it: where a neighbour would lie outside of f, the element itself is.
    """
    inner, start, stop, shift, zero = SIZE(inner), SIZE(start), SIZE(stop), SIZE(shift), SIZE(0)
    size, period, twice, null = SIZE(f.size), SIZE(table.shape[1]), inner + inner, table.dtype.type(0)
    while start < stop:
        if twice <= start and start + twice < size:
            rest = min(stop, size - twice)
        else:  # point by point
            rest = min(stop, start - start % inner + inner)
        behind, far_behind = inner if start >= inner else zero, twice if start >= twice else zero
        ahead, far_ahead = inner if rest + inner <= size else zero, twice if rest + twice <= size else zero
        base = start - start % period
        while start < rest:
            end = min(base + period, rest)
            for k in range(start, end):
                j = k - base
                before, here, after = FIELD(f[k - behind]), FIELD(f[k]), FIELD(f[k + ahead])
                is_first, is_last = table[0, j] != null, table[1, j] != null
                value = quotient((here if is_last else after) - (here if is_first else before), table[2, j])
                if HAS_WEIGHTS:
                    far_before, far_after = FIELD(f[k - far_behind]), FIELD(f[k + far_ahead])
                    p = here if is_first else far_before if is_last else before
                    q = after if is_first else before if is_last else here
                    r = far_after if is_first else here if is_last else after
                    weighted = table[4, j] * p + table[5, j] * q + table[6, j] * r
                    value = weighted if table[3, j] != null else value
                out[k - shift] = value
            start = end
            base += period
    return table[7, 0] != null
