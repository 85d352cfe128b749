"""The spline that was found through the samples of a line."""

from typing import NamedTuple

import numpy as np

from numgrad.smoothing._basis import Basis
from numgrad.smoothing._kinks import Column
from numgrad.smoothing._moments import Grid, evaluate, spread
from numgrad.smoothing._search import powers_of


class Suspicion(NamedTuple):
    """Where a function would rather have a kink, or a jump, and how many standard deviations that is worth."""

    place: float
    score: float


class Kinks(NamedTuple):
    """The kinked functions of a fit, their coefficients, and covariances: with those of the splines, and their own.

    `drift` is as that of a `Fit`.
    """

    columns: tuple[Column, ...]
    coefficients: np.ndarray
    drift: np.ndarray
    cross: np.ndarray
    corner: np.ndarray


class Fit(NamedTuple):
    """The spline that was found, in the units of the grid.

    Coefficients and their covariances do not go round, also where the function does. `free` is the degrees of freedom
    of the noise, `gap` the longest part of the range without samples, `evidence` minus twice the logarithm of the
    likelihood of all lines that are smoothed together. The covariances are those for a known smoothing;
    the coefficients would change by `drift` if that were larger by its standard deviation.
    """

    basis: Basis
    grid: Grid
    coefficients: np.ndarray
    covariance: np.ndarray
    drift: np.ndarray
    noise: float
    freedom: float
    smoothing: float
    samples: int
    free: int
    kink: Suspicion
    jump: Suspicion
    gap: tuple[float, float]
    evidence: float
    kinks: Kinks | None = None

    @property
    def places(self) -> list[float]:
        """Where derivatives may jump."""
        columns = () if self.kinks is None else self.kinks.columns
        return sorted({self.grid.low + one.place / self.grid.per_unit for one in columns})

    def powers(self, n: int) -> np.ndarray:
        """Return for each span the powers of s of the n-th derivative."""
        return powers_of(self.coefficients, self.basis, n) * (self.grid.per_unit**n / self.grid.factor)

    def values(self, x: np.ndarray, size: int, n: int) -> np.ndarray:
        """Return the n-th derivative at places."""
        found = evaluate(x, size, self.grid, self.powers(n))
        if self.kinks is not None:
            at, _, functions = self._kinked(x, size, n)
            found[at] += functions @ self.kinks.coefficients * (self.grid.per_unit**n / self.grid.factor)
        if not n:
            found += self.grid.shift
        return found

    def errors(self, x: np.ndarray, size: int, n: int) -> np.ndarray:
        """Return the standard errors of the n-th derivative at places."""
        powers = self.basis.derivative(n)
        variance = spread(x, size, self.grid, powers, self.covariance)
        drift = evaluate(x, size, self.grid, powers_of(self.drift, self.basis, n))
        if self.kinks is not None:
            at, u, functions = self._kinked(x, size, n)
            span = np.clip(u.astype(int), 0, self.grid.spans - 1)
            s = 2 * (u - span) - 1
            for a, row in enumerate(powers):
                part = np.polynomial.polynomial.polyval(s, row)
                variance[at] += 2 * part * (self.kinks.cross[span + a] * functions).sum(1)
            variance[at] += ((functions @ self.kinks.corner) * functions).sum(1)
            drift[at] += functions @ self.kinks.drift
        variance += np.square(drift, out=drift)
        np.sqrt(np.maximum(variance, 0.0, out=variance), out=variance)
        variance *= self.grid.per_unit**n / self.grid.factor
        return variance

    def _kinked(self, x: np.ndarray, size: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return which places are near kinks, by units of the knots where, and what the kinked functions are there."""
        assert self.kinks is not None
        u = ((x[0] * np.arange(size) if x.size == 1 else x.astype(np.float64)) - self.grid.low) * self.grid.per_unit
        near = np.zeros(size, bool)
        for one in self.kinks.columns:
            near |= (u >= one.first) & (u < one.first + len(one.left))
        at = np.flatnonzero(near)
        functions = np.zeros((at.size, len(self.kinks.columns)))
        for c, one in enumerate(self.kinks.columns):
            here = (u[at] >= one.first) & (u[at] < one.first + len(one.left))
            functions[here, c] = one.values(u[at][here], n)
        return at, u[at], functions
