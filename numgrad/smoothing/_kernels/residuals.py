"""Whether residuals are white."""

import numpy as np

from numgrad._compile.language import Array, Target


def lags(residuals: Array, weight: Array, order: Array, last: Target, found: Target) -> None:
    """Write sums over samples in order, the missing left out: of the squares, then of the products of those apart.

    The residuals count by the roots of their weights. `order` is empty if samples are in order. found: the count, the
    sum of the squares, the sums of the products with the one before, with the one before that, and so on; `last` has
    room for as many residuals.
    """
    is_alike, is_ordered, most = weight.shape[0] == 1, order.shape[0] == 0, last.shape[0]
    count = 0
    for k in range(residuals.shape[0]):
        i = k if is_ordered else order[k]
        w = weight[0] if is_alike else weight[i]
        value = residuals[i] * np.sqrt(w)
        if value != value or w == 0.0:
            continue
        found[1] += value * value
        for apart in range(1, min(count, most) + 1):
            found[1 + apart] += value * last[(count - apart) % most]
        last[count % most] = value
        count += 1
    found[0] = count
