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

    def form(self, v: np.ndarray) -> float:
        """Return v' A v."""
        n = self.size
        found: float = call(_FORM, n * self.band.shape[1], self.band, v, n)
        if len(self.corner):
            found += float((2 * (v[:n] @ self.cross) + self.corner @ v[n:]) @ v[n:])
        return found


_TIMES, _FORM, _REDUCE = draft(kernels.times), draft(kernels.form), draft(kernels.reduce)
_SOLVE, _INVERT, _ASSEMBLE = draft(kernels.solve), draft(kernels.invert), draft(kernels.assemble)


class Solution:
    """The solution of ``(data + smoothing * penalty) c = right``, with the Cholesky factor of the matrix."""

    def __init__(self, data: Bordered, penalty: Bordered, smoothing: float, right: np.ndarray) -> None:
        n, q = data.cross.shape
        self.size, self.width = n, data.band.shape[1]
        self.upper = np.empty_like(data.band)
        work = n * self.width**2 // 2 + 2 * n * self.width * (q + 1)
        if not q:
            self.coefficients = right.copy()
            rows = self.coefficients[None]
        else:
            cross = data.cross + smoothing * penalty.cross
            rows = np.vstack([right[None, :n], cross.T])
        self.log_determinant = float(
            call(_REDUCE, work, data.band, penalty.band, smoothing, self.upper, rows, n)
        )
        self.columns = rows[1:]
        if q:
            rest = data.corner + smoothing * penalty.corner - self.columns @ cross
            sign, more = np.linalg.slogdet(rest)
            self.log_determinant += float(more) if sign > 0 else np.inf
            self.rest = np.linalg.inv(rest) if sign > 0 else rest
            border = self.rest @ (right[n:] - cross.T @ rows[0])
            self.coefficients = np.concatenate([rows[0] - border @ self.columns, border])

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


class Level(NamedTuple):
    """Normal equations for one number of spans: products of functions, with the data, and of their m-th derivatives.

    `normal` is the logarithm of the determinant of the penalty, but for the factor in front of it, so that the
    likelihood of the data can be compared for different numbers of spans; `rank` is the power of that factor in it.
    """

    spans: int
    data: Bordered
    right: np.ndarray
    penalty: Bordered
    normal: float
    rank: int


def level(moments: np.ndarray, found: Basis, is_periodic: bool) -> Level:
    """Return the normal equations for moments."""
    spans, d = len(moments), found.degree
    band, right = np.zeros((spans + 2 * d, d + 1)), np.zeros(spans + d)
    gram = _upper_gram(found.m)
    call(_ASSEMBLE, spans * (d + 1) ** 2 * d, moments, gram, found.chebyshev, band, right, spans)
    penalty, normal, rank = _penalty(found.m, spans, is_periodic)
    if is_periodic:
        right[:d] += right[spans:]
        return Level(spans, _wrapped(band, spans), right[:spans], penalty, normal, rank)
    return Level(spans, _open(band, spans + d), right, penalty, normal, rank)


@lru_cache(16)
def _upper_gram(m: int) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(basis(m).gram, 0, -1))


@lru_cache(64)
def _penalty(m: int, spans: int, is_periodic: bool) -> tuple[Bordered, float, int]:
    found = basis(m)
    d = found.degree
    band = np.zeros((spans + 2 * d, d + 1))
    for a in range(d + 1):
        for b in range(a, d + 1):
            band[a : a + spans, b - a] += found.penalty[a, b]
    if not is_periodic:
        return _open(band, spans + d), log_of_penalty(m, spans), spans + d - m
    row = np.zeros(spans)
    for k in range(d + 1):
        entry = band[d, k] if spans > d else 0.0
        row[k % spans] += entry
        if k:
            row[-k % spans] += entry
    values = np.fft.fft(row).real[1:]
    return _wrapped(band, spans), float(np.log(values).sum()) - log(spans), spans - 1


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
