"""B-splines on even knots: the same polynomials in each span, whose numbers are found from rationals once.

A span is [k, k + 1) in units of the knots; within it s runs from -1 to 1. The basis functions k, ..., k + d are not
zero there, d = 2m - 1. Moments of data are sums with the Chebyshev polynomials T_k(s).
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import comb, factorial, log

import numpy as np


@dataclass(frozen=True, eq=False)
class Basis:
    """What belongs to the order m.

    Attributes
    ----------
    m, degree : int
        The order of the derivative whose square is the penalty; the degree of the splines.
    powers : ndarray, shape (d + 1, d + 1)
        The polynomials of the basis functions of a span: the rows have the coefficients of the powers of s.
    gram : ndarray, shape (2 d + 1, d + 1, d + 1)
        What the moments of the weights make of the products of these functions.
    chebyshev : ndarray, shape (d + 1, d + 1)
        The same polynomials, by T_k(s).
    halves : ndarray, shape (2, 2 d + 1, 2 d + 1)
        The moments of a span from those of its two halves: ``left @ halves[0] + right @ halves[1]``.
    penalty : ndarray, shape (d + 1, d + 1)
        The integrals over a span of the products of the m-th derivatives.
    products : ndarray, shape (m, m)
        Those of the splines of degree m - 1.
    inverse : ndarray, shape (d + 1, d + 1)
        The coefficients of 1, t, t^2, ..., of t from 0 to 1 in the first span.
    """

    m: int
    degree: int
    powers: np.ndarray
    gram: np.ndarray
    chebyshev: np.ndarray
    halves: np.ndarray
    penalty: np.ndarray
    products: np.ndarray
    inverse: np.ndarray

    @property
    def width(self) -> int:
        """How many moments of the weights there are; those of the data are d + 1."""
        return 2 * self.degree + 1

    def derivative(self, n: int) -> np.ndarray:
        """Return the powers of s of the n-th derivatives, by units of the knots."""
        powers = self.powers
        for _ in range(n):
            powers = 2 * powers[:, 1:] * np.arange(1, powers.shape[1])
        return powers


def products_by_moments(count: int) -> np.ndarray:
    """Return what makes the products of T_0, ..., T_(count - 1) of moments: that of T_k is by [k]."""
    i, j = np.indices((count, count))
    k = np.arange(2 * count - 1)[:, None, None]
    found: np.ndarray = ((i + j == k) + 0.0 + (abs(i - j) == k)) / 2
    return found


Polynomial = list[Fraction]


@cache
def basis(m: int) -> Basis:
    """Return the basis of order m."""
    d = 2 * m - 1
    in_s = [_moved(p, Fraction(1, 2), Fraction(1, 2)) for p in _splines(d)]
    chebyshev = np.array([[float(c) for c in _by_chebyshev(p)] for p in in_s])
    products = products_by_moments(d + 1)
    gram = np.zeros((2 * d + 1, d + 1, d + 1))
    for k in range(2 * d + 1):
        gram[k] = chebyshev @ products[k] @ chebyshev.T
    halves = np.zeros((2, 2 * d + 1, 2 * d + 1))
    for k in range(2 * d + 1):
        for side in (0, 1):
            part = _by_chebyshev(_moved(_chebyshev(k), Fraction(1, 2), Fraction(2 * side - 1, 2)))
            halves[side, : k + 1, k] = [float(c) for c in part]
    derivatives = [_derivative(p, m) for p in _splines(d)]
    penalty = np.array([[float(_integral(p, q)) for q in derivatives] for p in derivatives])
    powers = np.array([[float(c) for c in p] for p in in_s])
    inverse = np.linalg.inv(np.array([[float(c) for c in p] for p in _splines(d)]))
    return Basis(m, d, powers, gram, chebyshev, halves, penalty, _products(m), inverse)


# From so many spans on the logarithm of a determinant grows by the same for each, to rounding.
MANY = 64


@cache
def log_of_penalty(m: int, spans: int) -> float:
    """Return the logarithm of the determinant of the penalty S, on the splines but for polynomials of degree < m.

    Of those the coefficients by Legendre's polynomials, normalised over the range, are taken instead, by a matrix T. As
    S = D' R D, of m-th differences D and the products R of B-splines of degree m - 1, that is det(R) det([D; T])^2; so
    it can be compared for any number of spans, and any m.
    """
    legendre = sum(log(2 * k + 1) / 2 + log(comb(2 * k, k)) for k in range(m))
    return _log_of_products(m, spans) + m * (m - 1) * log(spans) - 2 * (legendre + _log_of_first(m))


@cache
def _log_of_first(m: int) -> float:
    """Return log det of the first m coefficients of 1, u, ..., u^(m-1)."""
    return float(np.linalg.slogdet(basis(m).inverse[:m, :m])[1])


def _products(m: int) -> np.ndarray:
    parts = _splines(m - 1)
    return np.array([[float(_integral(p, q)) for q in parts] for p in parts])


@cache
def _log_of_products(m: int, spans: int) -> float:
    if spans > MANY:
        first, second = (_log_of_products(m, k) for k in (MANY - 1, MANY))
        return second + (second - first) * (spans - MANY)
    local = _products(m)
    full = np.zeros((spans + m - 1, spans + m - 1))
    for k in range(spans):
        full[k : k + m, k : k + m] += local
    return float(np.linalg.slogdet(full)[1])


def _splines(d: int) -> list[Polynomial]:
    """Return the d + 1 B-splines of a span as polynomials of t in [0, 1] (C. de Boor, J. Approx. Theory 6, 1972)."""
    found: list[Polynomial] = [[Fraction(1)]]
    for p in range(1, d + 1):
        higher = [[Fraction(0)] * (p + 1) for _ in range(p + 1)]
        for r, old in enumerate(found):
            for k, c in enumerate(old):
                part = c / p
                higher[r][k] += part * (r + 1)  # (r + 1 - t) / p
                higher[r][k + 1] -= part
                higher[r + 1][k] += part * (p - 1 - r)  # (t + p - 1 - r) / p
                higher[r + 1][k + 1] += part
        found = higher
    return found


def _moved(p: Polynomial, factor: Fraction, shift: Fraction) -> Polynomial:
    """Return p(factor s + shift)."""
    out = [Fraction(0)] * len(p)
    for k, c in enumerate(p):
        for i in range(k + 1):
            out[i] += c * comb(k, i) * factor**i * shift ** (k - i)
    return out


@cache
def _chebyshev(k: int) -> Polynomial:
    if k < 2:
        return [Fraction(0)] * k + [Fraction(1)]
    out = [Fraction(0), *(2 * c for c in _chebyshev(k - 1))]
    for i, c in enumerate(_chebyshev(k - 2)):
        out[i] -= c
    return out


def _by_chebyshev(p: Polynomial) -> Polynomial:
    rest, out = list(p), [Fraction(0)] * len(p)
    for k in range(len(p) - 1, -1, -1):
        top = _chebyshev(k)
        out[k] = rest[k] / top[k]
        for i, c in enumerate(top):
            rest[i] -= out[k] * c
    return out


def _derivative(p: Polynomial, n: int) -> Polynomial:
    return [c * (factorial(k) // factorial(k - n)) for k, c in enumerate(p) if k >= n]


def _integral(p: Polynomial, q: Polynomial) -> Fraction:
    """Return the integral of p q over [0, 1]."""
    return sum((a * b / (i + j + 1) for i, a in enumerate(p) for j, b in enumerate(q)), Fraction(0))
