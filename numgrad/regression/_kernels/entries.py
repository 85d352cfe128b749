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


def over_entries(rows: Rows, theta: Array, base: Array, sums: Target, start: Index, stop: Index) -> None:
    """Add X' W l, the sum of W l, and l' W l to a row of `sums`, l = X theta + base - y, for rows `start` to `stop`.

    Theta, base and sums have a row for each target.
    """
    values, columns, starts, y, weight = rows
    p, n, one = SIZE(theta.shape[0]), SIZE(theta.shape[1]), SIZE(1)
    for i in range(SIZE(start), SIZE(stop)):
        low, high = SIZE(starts[i]), SIZE(starts[i + one])
        for k in range(p):
            loss = base[k] - y[i, k]
            for e in range(low, high):
                loss += np.float64(values[e]) * theta[k, SIZE(columns[e])]
            part = weight[i] * loss
            for e in range(low, high):
                sums[k, SIZE(columns[e])] += part * np.float64(values[e])
            sums[k, n] += part
            sums[k, n + one] += part * loss
