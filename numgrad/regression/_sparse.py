"""Sparse X without ever being dense: passes over its entries, and what a descent must know of it beforehand.

With ``z = (x - shift) factor``, sums over z follow from those over x: ``z' l = factor (x' l - shift sum(l))``. So zeros
stay what is not stored, also where features are centred.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from numgrad._compile.jit import entry_point, specialise
from numgrad._system.memory import read_only
from numgrad._system.threads import get_num_threads, share
from numgrad.regression._check import Data, Floats
from numgrad.regression._entries import Entries
from numgrad.regression._kernels.entries import Rows, over_entries
from numgrad.regression._quadratic import Scale, ThetaCoordinates, exponent, shifted
from numgrad.regression._rows import ROUNDING
from numgrad.regression._step_size import EXACT, Inner

# Products of a decomposition, or of a Gram matrix, that nobody waits for.
QUICK = 2**28
# Parts of a pass, each with sums of its own; fewer if they would have less than so many entries, or than sums.
PARTS, LEAST = 16, 2**16
# Entries of which all losses are found first, and which stay in the cache meanwhile.
BLOCK = 2**15
# Entries that a kernel goes over, or NumPy, between two chances for Ctrl-C.
AT_A_TIME = 2**21
# Steps of Lanczos's iteration, and how near to L it ends.
STEPS, NEAR = 60, 1e-2


class Passes:
    """Sums of the loss and its gradient over all entries, in the same order for any number of threads."""

    def __init__(self, inner: Inner, y: np.ndarray):
        x: Entries = inner.data.x
        self._coordinates, self._one, p = inner.coordinates, inner.one, y.shape[1]
        self._is_plain = inner.coordinates.is_plain
        weight = np.ascontiguousarray(inner.data.weight)
        targets = read_only(np.ascontiguousarray(y, np.float64))
        self._rows = Rows(x.values, x.columns, x.starts, targets, read_only(weight))
        self._kernel = specialise(over_entries, x.values.dtype.name, x.columns.dtype.name)
        work = x.count + len(x)
        parts = min(PARTS, max(1, work * p // max(LEAST, 4 * x.width * p)))
        self._several = max(16, BLOCK * len(x) // work)
        size = work // parts + work // len(x) + 1  # a row more, so that none is left over
        self._parts = [x.cuts(AT_A_TIME // p, *part) for part in x.cuts(size)]
        self._sums = np.empty((len(self._parts), p, x.width + 2))

    def go(self, theta: Floats) -> tuple[Floats, float]:
        """Return the gradient, times the sum of the weights, and the weighted sum of squares; a row for each target."""
        shift, factor, first = self._coordinates.shift, self._coordinates.factor, int(self._coordinates.intercept)
        if self._is_plain:
            outer, base = np.ascontiguousarray(theta[:, first:]), np.zeros(len(theta))
        else:
            outer = theta[:, first:] * factor
            base = -(outer * shift).sum(axis=1)
        if first:
            base += self._one * theta[:, 0]
        if len(self._parts) == 1:
            self._go_over(outer, base, iter([0]))
        else:
            share(partial(self._go_over, outer, base), range(len(self._parts)), get_num_threads())
        total = self._sums[0] if len(self._parts) == 1 else self._sums.sum(axis=0)
        ones, gradient = total[:, -2:-1], total[:, :-2]
        if not self._is_plain:
            gradient = (gradient - shift * ones) * factor
        return np.hstack([self._one * ones, gradient]) if first else gradient, float(total[:, -1].sum())

    def _go_over(self, outer: Floats, base: Floats, parts: Iterator[int]) -> None:
        loss = np.empty(self._several)
        for which in parts:
            sums = self._sums[which]
            sums[...] = 0
            for low, high in self._parts[which]:
                arguments = self._rows, outer, base, loss, sums, low, high
                entry_point(self._kernel, *arguments)(*arguments)


def standardising(data: Data, intercept: bool) -> ThetaCoordinates:
    """Return the coordinates of features of mean 0 and deviation 1; without an intercept, of mean square 1.

    As from a decomposition, to rounding, but by sums over the entries: those of a column about its mean and, for each
    row without an entry there, the square of the mean.
    """
    n = data.x.width
    count, stored, mean, square = np.zeros((4, n))
    origin, power = np.zeros(n), _powers(data)
    for columns, _, weight in _chunks(data):
        stored += np.bincount(columns, weight, n)
        count += np.bincount(columns, weight > 0, n)
    is_full = count == np.count_nonzero(data.weight)  # which may have little spread about a large mean
    has_origin, has_power = is_full.any(), power.any()

    def moved(columns: np.ndarray, values: Floats) -> Floats:
        values = np.ldexp(values, -power[columns]) if has_power else values
        return values - origin[columns] if has_origin else values

    if has_origin:
        for columns, values, weight in _chunks(data):
            some = is_full[columns] & (weight > 0)
            origin[columns[some]] = values[some]  # any one
        origin = np.ldexp(origin, -power)
    for columns, values, weight in _chunks(data):
        mean += np.bincount(columns, weight * moved(columns, values), n)
    mean /= data.total
    missing = np.where(is_full, 0, np.maximum(data.total - stored, 0))
    for columns, values, weight in _chunks(data):
        square += np.bincount(columns, weight * (moved(columns, values) - mean[columns]) ** 2, n)
    deviation = np.sqrt((square + missing * mean**2) / data.total)
    mean += origin
    size = np.hypot(mean, deviation)
    is_constant = deviation <= ROUNDING * float(np.finfo(data.x.dtype).eps) * size
    scale = np.ldexp(np.where(is_constant, 0, deviation) if intercept else size, power)
    shift = np.ldexp(mean, power) if intercept else np.zeros(n)
    return ThetaCoordinates(shift, np.where(scale == 0, 0, 1 / np.where(scale == 0, 1, scale)), intercept)


def _powers(data: Data) -> np.ndarray:
    """Return the power of two to divide each column by, so that its values have squares; 0 if all have some."""
    largest = np.zeros(data.x.width)
    sizes = (abs(values[values != 0]) for _, values, _ in _chunks(data))
    if any(size.size and (exponent(size.max()) or exponent(size.min())) for size in sizes):
        for columns, values, _ in _chunks(data):
            np.maximum.at(largest, columns, abs(values))
    return np.frexp(largest)[1]


def _chunks(data: Data) -> Any:
    """Yield the columns, values and weights of some entries at a time."""
    x: Entries = data.x
    for low, high in x.cuts(AT_A_TIME):
        some = slice(x.starts[low], x.starts[high])
        weight = np.repeat(data.weight[low:high], np.diff(x.starts[low : high + 1]))
        yield x.columns[some], x.values[some].astype(np.float64, copy=False), weight


def divided(data: Data, coordinates: ThetaCoordinates, scale: Scale) -> Inner:
    """Return data in the coordinates of the descent, divided by its scale, if there is one."""
    x: Entries = data.x
    if not any(scale):
        return Inner(data, coordinates, int(coordinates.intercept))
    shift, factor, power = coordinates.shift, coordinates.factor, np.full(x.width, scale.x)
    if not coordinates.is_plain:  # features of any scale, so that each is divided by its own first
        power = np.frexp(np.maximum(abs(shift), coordinates.scale))[1]
        shift, factor = np.ldexp(shift, -power), np.ldexp(factor, power - scale.x)
    values = np.ldexp(x.values.astype(np.float64), -power[x.columns])
    y = read_only(shifted(data.y.astype(np.float64), -scale.y))
    entries = Entries(read_only(values), x.columns, x.starts, x.width)
    inner = ThetaCoordinates(shift, factor, coordinates.intercept)
    return Inner(data._replace(x=entries, y=y), inner, int(inner.intercept), float(shifted(1.0, -scale.x)))


def is_quick(x: Entries) -> bool:
    """Return whether a decomposition, or a Gram matrix, takes little time."""
    m, n = x.shape
    return n <= EXACT and m * n * min(m, n) <= QUICK


def largest_eigenvalue(inner: Inner, l2: float) -> tuple[float, float, bool]:
    """Return an estimate of the largest eigenvalue of the Hessian from below; nan, as the least is not known; False.

    By C. Lanczos, "An iteration method for the solution of the eigenvalue problem", J. Res. Natl. Bur. Stand. 45, 1950,
    without reorthogonalisation: its copies of the largest eigenvalue do no harm.
    """
    size = inner.data.x.width + int(inner.coordinates.intercept)
    penalty = np.full(size, l2)
    penalty[: inner.first] = 0
    passes = Passes(inner, np.zeros((len(inner.data.x), 1)))
    v = np.random.default_rng(0).standard_normal(size)
    v /= np.linalg.norm(v)
    before, beta, found = np.zeros(size), 0.0, 0.0
    diagonal: list[float] = []
    beside: list[float] = []
    for _ in range(STEPS):
        new = passes.go(v[None])[0][0] / inner.data.total + penalty * v
        if not np.isfinite(new).all():
            return np.inf, np.nan, False
        alpha = float(v @ new)
        new -= alpha * v + beta * before
        diagonal.append(alpha)
        values, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1))
        beta, found = float(np.linalg.norm(new)), float(values[-1])
        if beta * abs(vectors[-1, -1]) <= NEAR * found:
            break
        beside.append(beta)
        before, v = v, new / beta
    return found, np.nan, False
