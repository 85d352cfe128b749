"""Lines of any lengths, one behind another in memory, that each have coordinates of their own."""

from typing import Any

import numpy as np

from numgrad._arrays.kernels.coordinates import own_taps
from numgrad._compile.language import Array, Index, Record, Target

inside: Any = own_taps


def with_coordinates(x: Array, constants: Record) -> Any:
    """Return the last arguments of `own_taps` for a line."""
    return (x, *constants)


def with_coordinates_and_gaps(x: Array, constants: Record) -> Any:
    """Return those of `gapped` around it."""
    numbers, rest = constants
    return x, numbers, (x, *rest)


arguments: Any = with_coordinates


def ragged(
    f: Array,
    out: Target,
    n: Index,
    inner: Index,
    start: Index,
    stop: Index,
    shift: Index,
    x: Array,
    cuts: Array,
    constants: Record,
) -> Any:
    """As `inside` does for each of the lines f[cuts[i]:cuts[i + 1]]; f and x have the same shape, of one dimension."""
    start, stop, shift = np.int64(start), np.int64(stop), np.int64(shift)
    low, high = np.int64(0), np.int64(cuts.size - 1)
    while high - low > 1:  # `low` becomes the line that `start` is in
        middle = (low + high) // 2
        if cuts[middle] <= start:
            low = middle
        else:
            high = middle
    met = False
    for line in range(low, cuts.size - 1):
        first, last = cuts[line], cuts[line + 1]
        if first >= stop:
            break
        mine = arguments(x[first:last], constants)
        a, b = max(start, first) - first, min(stop, last) - first
        met |= inside(f[first:last], out, last - first, 1, a, b, shift - first, *mine)
    return met
