"""Kinks: places where derivatives may jump, as functions beside the splines that have them there.

A kinked function is ((u - t)_+)^p, p = 1, ..., m - 1, less the splines that make it zero from a few spans behind t on.
Piece by piece it is a polynomial without a penalty, so the fit has the least integral of the squared m-th derivative
over all pieces, which are joined continuously.
"""

from collections.abc import Iterable
from functools import lru_cache
from math import factorial
from typing import NamedTuple

import numpy as np
from numpy.polynomial import chebyshev, polynomial

from numgrad._compile.jit import draft
from numgrad._compile.tiers import call
from numgrad.smoothing._basis import Basis, basis, products_by_moments
from numgrad.smoothing._kernels.kinks import scores as kernel
from numgrad.smoothing._search import by_spans
from numgrad.smoothing._system import Bordered, Level


class Column(NamedTuple):
    """A kinked function: its place and power in units of the knots, and the first of the d spans that it is in.

    By T_k(s): `left` in each span, and `right` what is to be added behind the place, in the span of that. `spline`: the
    coefficients that it has of splines.
    """

    place: float
    power: int
    first: int
    left: np.ndarray
    right: np.ndarray
    spline: np.ndarray

    @property
    def span(self) -> int:
        return self.first + len(self.left) // 2

    def values(self, u: np.ndarray, n: int) -> np.ndarray:
        """Return the n-th derivative by u; each u is in the spans that this is in."""
        span = np.floor(u).astype(int)
        s, out = 2 * (u - span) - 1, np.zeros(len(u))
        for o, row in enumerate(self.left):
            here = span == self.first + o
            if here.any():
                out[here] = chebyshev.chebval(s[here], chebyshev.chebder(row, n)) * 2.0**n
        if n <= self.power:
            behind = (span == self.span) & (u >= self.place)
            factor = factorial(self.power) // factorial(self.power - n)
            out[behind] += factor * (u[behind] - self.place) ** (self.power - n)
        return out


def column(m: int, place: float, power: int) -> Column:
    """Return a kinked function."""
    span = int(place)
    left, right, spline = _shape(m, place - span, power)
    return Column(place, power, span - len(left) // 2, left, right, spline)


@lru_cache(256)
def _shape(m: int, place: float, power: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the functions around a place in the span 0."""
    d, found = 2 * m - 1, basis(m)
    half = d // 2
    begin = half + 1  # the first spline that is subtracted
    inverse = found.inverse
    q = polynomial.polypow([begin - place, 1.0], power) if power else np.ones(1)
    coefficients = q @ inverse[: len(q)]  # of the splines from `begin` on
    left, spline = np.zeros((d, d + 1)), np.zeros((d, d + 1))
    right = np.zeros(d + 1)
    for o in range(d):
        span = o - half
        for a in range(d + 1):
            if 0 <= span + a - begin <= d:
                spline[o, a] = -coefficients[span + a - begin]
        left[o] = spline[o] @ found.chebyshev
        linear = [span + 0.5 - place, 0.5]
        behind = chebyshev.poly2cheb(polynomial.polypow(linear, power) if power else np.ones(1))
        if span > 0:
            left[o, : len(behind)] += behind
        elif span == 0:
            right[: len(behind)] = behind
    return left, right, spline


def _products(row: np.ndarray, count: int) -> np.ndarray:
    """Return the products of T_0, ..., by the moments of a span."""
    sums, differences = _places(count)
    found: np.ndarray = (row[sums] + row[differences]) / 2
    return found


@lru_cache(16)
def _places(count: int) -> tuple[np.ndarray, np.ndarray]:
    i, j = np.indices((count, count))
    return i + j, abs(i - j)


def kinked(level: Level, rows: np.ndarray, behind: dict[float, np.ndarray], found: Basis) -> Level:
    """Return the normal equations with kinks: `behind` has the moments behind each place, in its span."""
    d, m, spans = found.degree, found.m, level.spans
    columns = columns_at(behind, m)
    n, q = level.data.size, len(columns)
    data = Bordered(level.data.band, np.zeros((n, q)), np.zeros((q, q)))
    rough = Bordered(level.penalty.matrix.band, np.zeros((n, q)), np.zeros((q, q)))
    right = np.concatenate([level.right, np.zeros(q)])
    wide = found.width
    for span in sorted({span for one in columns for span in range(max(one.first, 0), min(one.first + d, spans))}):
        here = [c for c, one in enumerate(columns) if 0 <= span - one.first < d]
        left = np.array([columns[c].left[span - columns[c].first] for c in here])
        spline = np.array([columns[c].spline[span - columns[c].first] for c in here])
        by_data, by_penalty = _products(rows[span], d + 1) @ left.T, found.penalty @ spline.T
        own = left @ by_data
        right[[n + c for c in here]] += left @ rows[span, wide:]
        for a, c in enumerate(here):
            one = columns[c]
            if one.span != span:
                continue
            part = behind[one.place]
            jump = _products(part, d + 1) @ one.right
            by_data[:, a] += jump
            right[n + c] += one.right @ part[wide:]
            own[:, a] += left @ jump
            own[a] += left @ jump
            for b, e in enumerate(here):
                other = columns[e]
                if other.span == span:
                    later = behind[max(one.place, other.place)]
                    own[a, b] += one.right @ _products(later, d + 1) @ other.right
        block = np.ix_(here, here)
        data.cross[span : span + d + 1, here] += found.chebyshev @ by_data
        rough.cross[span : span + d + 1, here] += by_penalty
        data.corner[block] += own
        rough.corner[block] += spline @ by_penalty
    return Level(spans, data, right, level.penalty._replace(matrix=rough))


def columns_at(places: Iterable[float], m: int) -> tuple[Column, ...]:
    """Return the kinked functions of places."""
    return tuple(column(m, place, power) for place in places for power in range(1, m))


def without(
    rows: np.ndarray, behind: dict[float, np.ndarray], found: Basis, c: np.ndarray, whole: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Return the moments of what kinked functions leave of the data, and the coefficients in each span, with theirs."""
    columns, d = columns_at(behind, found.m), found.degree
    rows, whole = rows.copy(), whole.copy()
    for one, factor in zip(columns, c[len(c) - len(columns) :], strict=True):
        for span in range(max(one.first, 0), min(one.first + d, len(rows))):
            o = span - one.first
            rows[span, found.width :] -= factor * (_products(rows[span], d + 1) @ one.left[o])
            if span == one.span:
                rows[span, found.width :] -= factor * (_products(behind[one.place], d + 1) @ one.right)
            whole[span] += factor * one.spline[o]
    return rows, whole


def scores(
    level: Level, rows: np.ndarray, found: Basis, smoothing: float, upper: np.ndarray, change: np.ndarray,
    whole: np.ndarray, power: int = 1,
) -> np.ndarray:  # fmt: skip
    """Return for each knot how many standard deviations of noise of variance 1 a kink there is worth."""
    function, by_data, itself, spline = _knot(found.m, power)
    wide, (around, count), size = found.width, function.shape, level.data.size
    by_penalty = smoothing * (spline @ found.penalty)
    products = (rows[:, :wide] @ by_data).reshape(-1, around, count)
    gains = rows[:, wide:] @ function.T - whole @ by_penalty.T
    gains -= (products @ by_spans(change, found)[:, :, None])[:, :, 0]
    owns = rows[:, :wide] @ itself + (by_penalty * spline).sum(1)
    out = np.zeros((level.spans, 2))
    call(draft(kernel), products.size * 2, gains, owns, products, by_penalty, upper, np.zeros(size), out, size)
    with np.errstate(all="ignore"):
        worth = out[:, 0] / np.sqrt(out[:, 1])
    return np.where(out[:, 1] > 0, worth, 0.0)


@lru_cache(32)
def _knot(m: int, power: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the kinked function of a knot in the spans around; and what else `scores` needs of it.

    These are what makes, of the moments of a span, its products with the basis functions there and with itself; and the
    coefficients that it has of splines.
    """
    left, right, spline = _shape(m, 0.0, power)
    found, function = basis(m), left.copy()
    function[len(left) // 2] += right
    by_data, itself = [], []
    for products in products_by_moments(found.degree + 1):
        here = function @ products
        by_data.append((here @ found.chebyshev.T).ravel())
        itself.append((here * function).sum(1))
    return function, np.array(by_data), np.array(itself), spline
