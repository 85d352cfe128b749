"""Weights of finite-difference formulas, by Fornberg's recursion."""

from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

# Up to so many points are done in exact arithmetic; with more, its integers grow too long.
EXACT = 64


@lru_cache(256)
def central(n: int, accuracy: int) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Return offsets and weights of the symmetric formula of least width, for a distance of 1."""
    found = nonzero([Fraction(o) for o in symmetric(n, accuracy)], n)
    return tuple(map(int, found)), tuple(map(float, found.values()))


def symmetric(n: int, accuracy: int) -> range:
    """Return the offsets of the symmetric formula of least width, those of weight 0 among them."""
    reach = (n + 1) // 2 + accuracy // 2 - 1
    return range(-reach, reach + 1)


@lru_cache(1024)
def at_origin(offsets: tuple[int, ...], n: int) -> np.ndarray:
    """Return the weights of the n-th derivative at 0 for samples at these offsets, rounded once."""
    return np.array([float(w) for w in fornberg([Fraction(o) for o in offsets], n)])


def nonzero(offsets: list[Fraction], n: int) -> dict[Fraction, Fraction]:
    """Return the weights of the n-th derivative at 0 that are not 0, by their offsets."""
    return {o: w for o, w in zip(offsets, fornberg(offsets, n), strict=True) if w}


def fractions(points: np.ndarray, at: Any) -> list[Fraction]:
    offsets = [Fraction(p) - Fraction(at) for p in points.tolist()]
    if len(set(offsets)) < len(offsets):
        raise ValueError("`points` repeat; a formula needs different ones")
    return offsets


def fornberg(x: list[Any], n: int) -> list[Any]:
    """Weights of the n-th derivative at 0 for samples at x: exact for fractions, elementwise for arrays."""
    m, one = len(x), x[0] * 0 + 1
    # table[k][j]: the weight of the j-th point for the k-th derivative, by the points so far.
    table = [[one * 0] * m for _ in range(n + 1)]
    table[0][0] = one
    before = one  # the product of the differences of the last point to those before it
    for i in range(1, m):
        product = one
        for j in range(i):
            product = product * (x[i] - x[j])
        for k in range(min(i, n), -1, -1):
            lower = k * table[k - 1][i - 1] if k else one * 0
            table[k][i] = before * (lower - x[i - 1] * table[k][i - 1]) / product
        for j in range(i):
            for k in range(min(i, n), -1, -1):
                lower = k * table[k - 1][j] if k else one * 0
                table[k][j] = (x[i] * table[k][j] - lower) / (x[i] - x[j])
        before = product
    return table[n]
