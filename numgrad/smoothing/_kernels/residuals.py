"""Whether residuals are white."""

import numpy as np

from numgrad._compile.language import Array, Target

REAL = np.float64


def lags(residuals: Array, weight: Array, order: Array, found: Target) -> None:
    """Write sums over samples in order, the missing left out: of the squares, then of the products with the one before.

    The residuals count by the roots of their weights. `order` is empty if samples are in order. found: the count, the
    sum of the squares, the sum of the products.
    """
    is_alike, is_ordered = weight.shape[0] == 1, order.shape[0] == 0
    before, count, squares, products = REAL(0), 0, REAL(0), REAL(0)
    for k in range(residuals.shape[0]):
        i = k if is_ordered else order[k]
        w = weight[0] if is_alike else weight[i]
        value = residuals[i] * np.sqrt(w)
        if value != value or w == 0.0:
            continue
        squares += value * value
        products += value * before
        before = value
        count += 1
    found[0], found[1], found[2] = count, squares, products
