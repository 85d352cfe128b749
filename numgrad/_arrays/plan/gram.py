"""Weights of polynomials that fit a window of an even grid by least squares, exactly.

Orthogonal over the points -m to m are the polynomials of Gram: p[k + 1](t) = t p[k](t) - b[k] p[k - 1](t), with
b[k] = k^2 (N^2 - k^2) / (4 (4 k^2 - 1)) for N = 2 m + 1 points. The weight of the j-th sample in the n-th derivative at
t is the sum over k of p[k](j) times the n-th derivative of p[k] at t, over the norm of p[k] (P. A. Gorry, "General
least-squares smoothing and differentiation by the convolution (Savitzky-Golay) method", Analytical Chemistry 62, 1990,
570-573).
"""

from fractions import Fraction
from functools import lru_cache
from math import lcm, perm
from typing import Any

import numpy as np

Polynomial = list[int]
"""Coefficients, that of the constant first."""


@lru_cache(16)
def of_window(window: int, degree: int, n: int) -> np.ndarray:
    """Return the weights for the derivative at each point of a window, those of one in a row, rounded once."""
    half, rows = window // 2, np.empty((window, window))
    for p in range(half + 1):
        weights, divisor = at_point(window, degree, n, p - half)
        rows[p] = [w / divisor for w in weights]
    rows[half + 1 :] = rows[:half][::-1, ::-1] * (-1) ** n
    rows.flags.writeable = False
    return rows


def at_point(window: int, degree: int, n: int, t: int) -> tuple[list[int], int]:
    """Return the weights for the derivative at a point, counted from the middle: integers, and what divides them."""
    values, polynomials, norms, divisor = _basis(window, degree)
    scales = [
        divisor // norm * _value([perm(k, n) * c for k, c in enumerate(p)][n:], t)
        for p, norm in zip(polynomials, norms, strict=True)
    ]
    used = [(scale, row) for scale, row in zip(scales, values, strict=True) if scale]
    return [sum([scale * row[j] for scale, row in used]) for j in range(window)], divisor


@lru_cache(64)
def _basis(window: int, degree: int) -> tuple[list[list[int]], list[Polynomial], list[int], int]:
    """Return Gram's polynomials up to a degree, as multiples with whole coefficients: values, and what divides them."""
    polynomials = _gram(window, degree)
    values = [[_value(p, t) for t in range(-(window // 2), window // 2 + 1)] for p in polynomials]
    norms = [sum([v * v for v in row]) for row in values]
    return values, polynomials, norms, lcm(*norms)


def _gram(window: int, degree: int) -> list[Polynomial]:
    before, here = [Fraction(0)], [Fraction(1)]
    found = []
    for k in range(degree + 1):
        common = lcm(*[c.denominator for c in here])
        found.append([int(c * common) for c in here])
        b = Fraction(k * k * (window * window - k * k), 4 * (4 * k * k - 1))
        following = [Fraction(0), *here]
        for i, c in enumerate(before):
            following[i] -= b * c
        before, here = here, following
    return found


def _value(polynomial: Polynomial, t: int) -> int:
    value: Any = 0
    for c in reversed(polynomial):
        value = value * t + c
    return int(value)
