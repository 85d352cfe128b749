"""A pass over a sparse matrix, entry by entry."""

from typing import NamedTuple

import numpy as np

from numgrad._compile.language import Array, Index, Target
from numgrad.regression._kernels.passes import SIZE

# Rows whose losses are found before their gradients, while the entries are in the cache: a loss waits for all entries
# of its row, and the other rows need not wait for it.
AT_A_TIME = SIZE(64)


class Rows(NamedTuple):
    """Rows of entries, with their targets and weights."""

    values: Array
    columns: Array
    starts: Array
    y: Array
    weight: Array


def over_entries(rows: Rows, theta: Array, base: Array, loss: Target, sums: Target, start: Index, stop: Index) -> None:
    """Add X' W l, the sum of W l, and l' W l to a row of `sums`, l = X theta + base - y, for rows `start` to `stop`.

    Theta, base and sums have a row for each target; `loss` has room for the weighted losses of AT_A_TIME rows.
    """
    values, columns, starts, y, weight = rows
    p, n, one = SIZE(theta.shape[0]), SIZE(theta.shape[1]), SIZE(1)
    for low in range(SIZE(start), SIZE(stop), AT_A_TIME):
        high = min(low + AT_A_TIME, SIZE(stop))
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
