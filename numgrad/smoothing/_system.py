"""Normal equations of a smoothing: symmetric matrices of a band, bordered by few full columns."""

from functools import lru_cache
from math import log
from typing import NamedTuple

import numpy as np

from numgrad._compile.jit import draft
from numgrad._compile.tiers import call
from numgrad.smoothing._basis import Basis, basis, log_of_penalty
from numgrad.smoothing._kernels import band as kernels


class Bordered(NamedTuple):
    """A symmetric matrix: n rows of a band with d rows of zeros behind them, columns `cross`, and their `corner`."""

    band: np.ndarray
    cross: np.ndarray
    corner: np.ndarray

    @property
    def size(self) -> int:
        return len(self.cross)

    def times(self, v: np.ndarray) -> np.ndarray:
        n = self.size
        out = np.empty(n + len(self.corner))
        call(_TIMES, n * self.band.shape[1], self.band, v, out, n)
        if len(self.corner):
            out[:n] += self.cross @ v[n:]
            out[n:] = v[:n] @ self.cross + self.corner @ v[n:]
        return out


_TIMES, _FIT, _REDUCE = (draft(k) for k in (kernels.times, kernels.fit, kernels.reduce))
_SOLVE, _INVERT, _ASSEMBLE = draft(kernels.solve), draft(kernels.invert), draft(kernels.assemble)


class Question(NamedTuple):
    """The least of ``square - 2 right' c + c' (data + smoothing * penalty) c``, and how likely it is: see `judged`.

    It is asked for several smoothings, each with its row of `rights` and its element of `squares`.
    """

    data: Bordered
    penalty: Bordered
    smoothings: np.ndarray
    rights: np.ndarray
    squares: np.ndarray
    terms: np.ndarray

    def fits(self, upper: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return coefficients, their squares and their values, if there is no border.

        The factor for the last smoothing is left in `upper`.
        """
        data, penalty, smoothings, rights, squares, terms = self
        (n, width), rows, squares = (data.size, data.band.shape[1]), rights.copy(), squares.copy()
        values, work = np.empty(len(rows)), len(rows) * n * width * (width // 2 + 2)
        call(_FIT, work, data.band, penalty.band, smoothings, squares, terms, upper, rows, values, np.empty(n), n)
        return rows, squares, values

    def values(self) -> np.ndarray:
        """Return the values for all smoothings."""
        if not len(self.data.corner):
            return self.fits(np.empty_like(self.data.band))[2]
        each = (slice(row, row + 1) for row in range(len(self.smoothings)))
        parts = (
            self._replace(smoothings=self.smoothings[i], rights=self.rights[i], squares=self.squares[i]) for i in each
        )
        return np.array([Solution(one).value for one in parts])


class Solution:
    """The coefficients c that answer a question with one smoothing, and the Cholesky factor of their matrix.

    `square` is the least, `value` what `judged` says of it.
    """

    def __init__(self, asked: Question) -> None:
        data, penalty, smoothing, right = asked.data, asked.penalty, float(asked.smoothings[0]), asked.rights[0]
        n, q = data.cross.shape
        self.size, self.width = n, data.band.shape[1]
        self.upper = np.empty_like(data.band)
        if not q:
            rows, squares, values = asked.fits(self.upper)
            self.square, self.value = float(squares[0]), float(values[0])
            self.coefficients, self.columns = rows[0], rows[1:]
            return
        self.cross = data.cross + smoothing * penalty.cross
        rows = np.empty((q + 1, n))
        rows[0], rows[1:] = right[:n], self.cross.T
        work = n * self.width**2 // 2 + 2 * n * self.width * (q + 1)
        determinant = float(call(_REDUCE, work, data.band, penalty.band, smoothing, self.upper, rows, n))
        self.columns = rows[1:]
        rest = data.corner + smoothing * penalty.corner - self.columns @ self.cross
        sign, more = np.linalg.slogdet(rest)
        determinant += float(more) if sign > 0 else np.inf
        self.rest = np.linalg.inv(rest) if sign > 0 else rest
        self.coefficients = self._bordered(rows[0], right)
        self.square = max(float(asked.squares[0] - right @ self.coefficients), float(asked.terms[0]))
        self.value = float(kernels.judged(self.square, determinant, smoothing, asked.terms))

    def solve(self, right: np.ndarray) -> np.ndarray:
        """Solve for another right side."""
        found = right[: self.size].copy()
        call(_SOLVE, 2 * self.size * self.width, self.upper, found[None], self.size)
        return self._bordered(found, right) if len(self.columns) else found

    def _bordered(self, inside: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return the solution for all columns, from that for those of the band."""
        border = self.rest @ (right[self.size :] - self.cross.T @ inside)
        return np.concatenate([inside - border @ self.columns, border])

    def inverse(self) -> Bordered:
        """Return the inverse of the matrix, of the band of which no more than the band."""
        n, width = self.size, self.width
        band = np.zeros_like(self.upper)
        call(_INVERT, n * width**2, self.upper, band, n)
        if not len(self.columns):
            return Bordered(band, np.empty((n, 0)), np.empty((0, 0)))
        cross = -self.columns.T @ self.rest
        for k in range(min(width, n)):
            band[: n - k, k] -= np.einsum("iq,qi->i", cross[: n - k], self.columns[:, k:])
        return Bordered(band, cross, self.rest)


class Penalty(NamedTuple):
    """The penalty, S = D' R D: m-th differences D, and R the products of splines of degree m - 1.

    `normal` is the logarithm of its determinant, by which the likelihood of the data can be compared for different
    numbers of spans, and orders; `rank` is the power in it of a factor in front of S.
    """

    matrix: Bordered
    products: np.ndarray
    spans: int
    m: int
    normal: float
    rank: int

    def times(self, c: np.ndarray) -> np.ndarray:
        """Return S c, without the rounding of the large parts of c that the differences are not large of."""
        found = self._differences(c)
        out = np.pad(self._product(found), self.m)
        for _ in range(self.m):
            out = out[:-1] - out[1:]
        if len(out) > len(c):
            out[: len(out) - len(c)] += out[len(c) :]
        return out[: len(c)]

    def form(self, c: np.ndarray) -> float:
        """Return c' S c, likewise."""
        found = self._differences(c)
        return float(found @ self._product(found))

    def _product(self, differences: np.ndarray) -> np.ndarray:
        out = np.empty(len(differences))
        call(_TIMES, len(out) * self.m, self.products, differences, out, len(out))
        return out

    def _differences(self, c: np.ndarray) -> np.ndarray:
        more = self.spans + 2 * self.m - 1 - len(c)
        found = np.concatenate([c, c[:more]]) if more else c
        for _ in range(self.m):
            found = found[1:] - found[:-1]
        return found


class Level(NamedTuple):
    """Normal equations for one number of spans: products of functions, with the data, and the penalty."""

    spans: int
    data: Bordered
    right: np.ndarray
    penalty: Penalty


def level(moments: np.ndarray, found: Basis, is_periodic: bool) -> Level:
    """Return the normal equations for moments."""
    spans, d = len(moments), found.degree
    band, right = np.zeros((spans + 2 * d, d + 1)), np.zeros(spans + d)
    products, sums = moments[:, : found.width] @ _gram(found.m), moments[:, found.width :] @ found.chebyshev.T
    call(_ASSEMBLE, products.size, products, sums, band, right)
    penalty = _penalty(found.m, spans, is_periodic)
    if is_periodic:
        right[:d] += right[spans:]
        return Level(spans, _wrapped(band, spans), right[:spans], penalty)
    return Level(spans, _open(band, spans + d), right, penalty)


@lru_cache(16)
def _gram(m: int) -> np.ndarray:
    """Return what makes the products of functions a <= b of the moments of weights."""
    found = basis(m)
    return np.ascontiguousarray(found.gram[:, *np.triu_indices(found.degree + 1)])


@lru_cache(64)
def _penalty(m: int, spans: int, is_periodic: bool) -> Penalty:
    found = basis(m)
    d = found.degree
    band = np.zeros((spans + 2 * d, d + 1))
    for a in range(d + 1):
        for b in range(a, d + 1):
            band[a : a + spans, b - a] += found.penalty[a, b]
    products = np.zeros((spans + 2 * m - 2, m))
    for a in range(m):
        for b in range(a, m):
            products[a : a + spans, b - a] += found.products[a, b]
    if not is_periodic:
        return Penalty(_open(band, spans + d), products, spans, m, log_of_penalty(m, spans), spans + d - m)
    # The eigenvalues of D' R D, which goes round, are those of R times (2 sin(pi k / spans))^(2m), k = 0, 1, ... The
    # product of all 2 sin but the first, which is 0, is spans. Constants count by their value: another 1 / spans.
    sums = [sum(found.products[a, a + k] for a in range(m - k)) for k in range(m)]
    angles = 2 * np.pi * np.arange(1, spans) / spans
    values = sums[0] + sum(2 * sums[k] * np.cos(k * angles) for k in range(1, m))
    normal = float(np.log(values).sum()) + (2 * m - 1) * log(spans)
    return Penalty(_wrapped(band, spans), products, spans, m, normal, spans - 1)


def _open(band: np.ndarray, size: int) -> Bordered:
    return Bordered(band, np.empty((size, 0)), np.empty((0, 0)))


def _wrapped(band: np.ndarray, spans: int) -> Bordered:
    """Return the matrix of functions that go round: the last d of them are the border."""
    d = band.shape[1] - 1
    n = spans - d
    rows = band[:spans].copy()
    rows[:d] += band[spans : spans + d]
    inside, cross, corner = np.zeros((spans, d + 1)), np.zeros((n, d)), np.zeros((d, d))
    for k in range(d + 1):
        inside[: max(n - k, 0), k] = rows[: max(n - k, 0), k]
        for i in range(max(n - k, 0), spans):
            a, b = sorted((i, (i + k) % spans))
            if a < n:
                cross[a, b - n] += rows[i, k]
            else:
                corner[a - n, b - n] += rows[i, k]
                if a != b:
                    corner[b - n, a - n] += rows[i, k]
    return Bordered(inside, cross, corner)


def unwrapped(inverse: Bordered, spans: int, d: int) -> np.ndarray:
    """Return a band, as of functions that do not go round, of a matrix of ones that do."""
    n = inverse.size
    out = np.zeros((spans + d, d + 1))
    for k in range(d + 1):
        out[: max(n - k, 0), k] = inverse.band[: max(n - k, 0), k]
        for i in range(max(n - k, 0), spans):
            a, b = sorted((i, (i + k) % spans))
            out[i, k] = inverse.cross[a, b - n] if a < n else inverse.corner[a - n, b - n]
    out[spans:] = out[:d]
    return out
