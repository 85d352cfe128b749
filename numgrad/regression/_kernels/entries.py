"""A pass over a sparse matrix, entry by entry."""

from typing import NamedTuple

import numpy as np

from numgrad._compile.language import Array, Index, Target
from numgrad.regression._kernels.passes import SIZE


class Rows(NamedTuple):
    """Rows of entries, with their targets and weights."""

    values: Array
    columns: Array
    starts: Array
    y: Array
    weight: Array


def over_entries(rows: Rows, theta: Array, base: Array, loss: Target, sums: Target, start: Index, stop: Index) -> None:
    """Add X' W l, the sum of W l, and l' W l to a row of `sums`, l = X theta + base - y, for rows `start` to `stop`.

    Theta, base and sums have a row for each target. `loss` has room for the weighted losses of the rows of which all
    are found before their gradients, so that rows need not wait for one another.
    """
    values, columns, starts, y, weight = rows
    p, n, one, several = SIZE(theta.shape[0]), SIZE(theta.shape[1]), SIZE(1), SIZE(len(loss))
    for low in range(SIZE(start), SIZE(stop), several):
        high = min(low + several, SIZE(stop))
        for k in range(p):
            ones, square = 0.0, 0.0
            for i in range(low, high):
                total = base[k] - y[i, k]
                for e in range(SIZE(starts[i]), SIZE(starts[i + one])):
                    total += np.float64(values[e]) * theta[k, SIZE(columns[e])]
                part = weight[i] * total
                loss[i - low] = part
                ones += part
                square += part * total
            sums[k, n] += ones
            sums[k, n + one] += square
            for i in range(low, high):
                part = loss[i - low]
                for e in range(SIZE(starts[i]), SIZE(starts[i + one])):
                    sums[k, SIZE(columns[e])] += part * np.float64(values[e])
