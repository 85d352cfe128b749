"""Symmetric matrices of a band: a[i, k] is the entry in row i, column i + k. Rows of zeros follow the last."""

from typing import Any

import numpy as np

from numgrad._compile.language import Array, Index, Scalar, Target

REAL = np.float64
# A pivot is the smaller part of the diagonal, the more digits it has lost.
LEAST = 1e-14


def assemble(products: Array, sums: Array, band: Target, right: Target) -> None:
    """Add the products of the functions of all spans, a <= b in turn, to `band`, and those with the data to `right`."""
    count = sums.shape[1]
    for span in range(sums.shape[0]):
        k = 0
        for a in range(count):
            right[span + a] += sums[span, a]
            for b in range(a, count):
                band[span + a, b - a] += products[span, k]
                k += 1


def factor(data: Array, penalty: Array, smoothing: Scalar, upper: Target, size: Index) -> Any:
    """Write the Cholesky factor U of ``data + smoothing * penalty`` and return the logarithm of the determinant.

    That is infinite if rounding has eaten a pivot. The diagonal of U has reciprocals.
    """
    width = data.shape[1]
    total, product, lost = 0.0, 1.0, False
    for i in range(size):
        for k in range(width):
            upper[i, k] = data[i, k] + smoothing * penalty[i, k]
    for i in range(size, upper.shape[0]):
        for k in range(width):
            upper[i, k] = 0.0
    for i in range(size):
        least = LEAST * (data[i, 0] + smoothing * penalty[i, 0])
        pivot = upper[i, 0]
        if not pivot > least:
            pivot, lost = least, True
        product *= pivot
        if not (product > 1e-200 and product < 1e200):
            total += np.log(product)
            product = 1.0
        inverse = 1.0 / np.sqrt(pivot)
        upper[i, 0] = inverse
        for k in range(1, width):
            upper[i, k] *= inverse
        for k in range(1, width):
            f = upper[i, k]
            for j in range(k, width):
                upper[i + k, j - k] -= f * upper[i, j]
    return np.inf if lost else total + np.log(product)


def solve(upper: Array, right: Target, size: Index) -> None:
    """Solve U' U c = right for each row of `right`, in place."""
    width = upper.shape[1]
    for row in range(right.shape[0]):
        for i in range(size):
            value = right[row, i] * upper[i, 0]
            right[row, i] = value
            for k in range(1, min(width, size - i)):
                right[row, i + k] -= upper[i, k] * value
        for back in range(size):
            i = size - 1 - back
            value = right[row, i]
            for k in range(min(width, size - i) - 1, 0, -1):  # the one that was found last comes last
                value -= upper[i, k] * right[row, i + k]
            right[row, i] = value * upper[i, 0]


def reduce(data: Array, penalty: Array, smoothing: Scalar, upper: Target, right: Target, size: Index) -> Any:
    """Factor the sum as `factor` does, and solve for each row of `right`; return the logarithm of the determinant."""
    total = factor(data, penalty, smoothing, upper, size)
    solve(upper, right, size)
    return total


def judged(square: Scalar, determinant: Scalar, smoothing: Scalar, terms: Array) -> Any:
    """Return minus twice the logarithm of the restricted likelihood.

    terms: the least penalised sum of squares that there can be, the degrees of freedom of the noise, its variance or
    nan, the rank of the penalty, and what the determinant of that adds.
    """
    free, variance = terms[1], terms[2]
    if np.isnan(variance):
        variance = square / free
    value = square / variance + free * np.log(variance) + determinant - terms[3] * np.log(smoothing) - terms[4]
    return value if free > 0.0 and np.isfinite(value) else np.inf


def fit(
    data: Array, penalty: Array, smoothings: Array, squares: Target, terms: Array, upper: Target, right: Target,
    values: Target, room: Target, size: Index,
) -> None:  # fmt: skip
    """Factor for each smoothing, the last of which stays in `upper`, and solve for its row of `right`, in place.

    squares[row], the sum of squares for coefficients of zero, becomes that of the solution, with the penalty; values:
    see `judged`.
    """
    for row in range(smoothings.shape[0]):
        own = right[row : row + 1]
        for i in range(size):
            room[i] = own[0, i]
        determinant, product = reduce(data, penalty, smoothings[row], upper, own, size), REAL(0)
        for i in range(size):
            product += room[i] * own[0, i]
        square = max(squares[row] - product, terms[0])
        squares[row], values[row] = square, judged(square, determinant, smoothings[row], terms)


def times(band: Array, vector: Array, out: Target, size: Index) -> None:
    """Write the product of a matrix and a vector."""
    width = band.shape[1]
    for i in range(size):
        out[i] = 0.0
    for i in range(size):
        value = vector[i]
        total = band[i, 0] * value
        for k in range(1, min(width, size - i)):
            total += band[i, k] * vector[i + k]
            out[i + k] += band[i, k] * value
        out[i] += total


def invert(upper: Array, inverse: Target, size: Index) -> None:
    """Write the band of the inverse of U' U (K. Takahashi, J. Fagan, M. Chin 1973; Erisman and Tinney, CACM 1975)."""
    width = upper.shape[1]
    for back in range(size):
        i = size - 1 - back
        reach, pivot = min(width, size - i), upper[i, 0]
        for k in range(reach - 1, 0, -1):
            total = REAL(0)
            for j in range(1, reach):
                low, high = min(j, k), max(j, k)
                total -= upper[i, j] * inverse[i + low, high - low]
            inverse[i, k] = total * pivot
        total = pivot
        for j in range(1, reach):
            total -= upper[i, j] * inverse[i, j]
        inverse[i, 0] = total * pivot
