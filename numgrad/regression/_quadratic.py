"""The cost of a linear model as a quadratic function, and the coordinates that a descent runs in."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from numgrad.regression._check import Floats

EPS = float(np.finfo(np.float64).eps)
# A column whose deviation is less than this part of its size is constant but for rounding.
CONSTANT = 100 * EPS


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Theta of the features, and theta of (x - shift) factor; a row for each target, an intercept first."""

    shift: Floats
    factor: Floats  # 0 for constant features
    intercept: bool

    @property
    def scale(self) -> Floats:
        return np.where(self.factor == 0, 1, 1 / np.where(self.factor == 0, 1, self.factor))

    def enter(self, theta: Floats) -> Floats:
        inner = theta.copy()
        first = int(self.intercept)
        if self.intercept:
            inner[..., 0] += theta[..., 1:] @ self.shift
        inner[..., first:] *= self.scale
        return inner

    def leave(self, inner: Floats) -> Floats:
        theta = inner.copy()
        first = int(self.intercept)
        theta[..., first:] /= self.scale
        if self.intercept:
            theta[..., 0] -= theta[..., 1:] @ self.shift
        return theta


@dataclass(frozen=True, eq=False)
class Quadratic:
    """The cost ``(|a theta - b|**2 + rest) / 2``, a and b including the penalty, in inner coordinates."""

    a: Floats
    b: Floats  # a column for each target
    rest: float
    coordinates: Coordinates
    names: tuple[str, ...]
    standardized_kappa: float

    @cached_property
    def svd(self) -> tuple[Floats, Floats, Floats]:
        u, s, vt = np.linalg.svd(self.a, full_matrices=False)
        return u, s, vt

    @cached_property
    def is_deficient(self) -> bool:
        """Whether columns depend on each other, whatever their scale."""
        norms = column_norms(self.a)
        if len(self.a) < self.a.shape[1] or not norms.all():
            return True
        s = np.linalg.svd(self.a / norms, compute_uv=False)
        return bool(s[-1] <= max(self.a.shape) * EPS * s[0])

    @cached_property
    def eigenvalues(self) -> Floats:
        """Those of the Hessian that are not zero but for rounding, from the largest."""
        s = self.svd[1]
        least = max(self.a.shape) * EPS * s[0] if self.is_deficient else 0
        return s[s > least] ** 2

    @cached_property
    def inner_solution(self) -> Floats:
        """The minimum in inner coordinates, of least norm; a row for each target."""
        u, s, vt = self.svd
        if not self.is_deficient:
            n = self.a.shape[1]
            r = np.hstack([self.a, self.b])
            if len(self.a) > n:
                r = np.asarray(np.linalg.qr(r, mode="r"))
            return np.asarray(np.linalg.solve(np.triu(r[:n, :n]), r[:n, n:])).T
        count = len(self.eigenvalues)
        return np.asarray((vt[:count].T @ ((u[:, :count].T @ self.b) / s[:count, None])).T)

    @property
    def solution(self) -> Floats:
        return self.coordinates.leave(self.inner_solution)

    @cached_property
    def least_cost(self) -> float:
        u = self.svd[0]
        count = len(self.eigenvalues)
        outside = self.b - u[:, :count] @ (u[:, :count].T @ self.b)
        return float(((outside**2).sum() + self.rest) / 2)


def column_norms(a: Floats) -> Floats:
    """Return the norms of columns whose squares may lie beyond the range of numbers."""
    largest = abs(a).max(axis=0, initial=0)
    scale = np.where(largest == 0, 1, largest)
    return np.asarray(np.linalg.norm(a / scale, axis=0) * largest)


def reduce(
    R: Floats, total: float, n: int, l2: float, intercept: bool, standardize: bool, names: tuple[str, ...] | None
) -> Quadratic:
    """Return the cost that the R of [1 | X | y] stands for, `total` being the sum of the weights."""
    r = R / np.sqrt(total)
    centred = r[1:, 1 : 1 + n]
    mean = r[0, 1 : 1 + n] / r[0, 0]
    deviation, size = column_norms(centred), column_norms(r[:, 1 : 1 + n])
    is_constant = deviation <= CONSTANT * size
    shift = mean if standardize and intercept else np.zeros(n)
    scale: Floats = np.ones(n)
    if standardize:
        scale = np.where(is_constant, 0, deviation) if intercept else size
    factor = np.where(scale == 0, 0, 1 / np.where(scale == 0, 1, scale))
    if not intercept:
        r = np.linalg.qr(r[:, 1:], mode="r")
    first = int(intercept)
    a, b, rest = r[: first + n, : first + n].copy(), r[: first + n, first + n :], r[first + n :, first + n :]
    a[:, first:] *= factor
    if standardize and intercept:
        a[0, 1:] = 0
    if l2:
        penalty = np.eye(first + n)[first:] * np.sqrt(l2)
        a, b = np.vstack([a, penalty]), np.vstack([b, np.zeros((n, b.shape[1]))])
    all_names = names or tuple(f"feature {j}" for j in range(n))
    others = centred[:, ~is_constant] / deviation[~is_constant]
    best = 1.0
    if others.size:
        s = np.linalg.svd(others, compute_uv=False)
        is_singular = len(s) < others.shape[1] or s[-1] <= max(others.shape) * EPS * s[0]
        best = np.inf if is_singular else float((s[0] / s[-1]) ** 2)
    coordinates = Coordinates(shift, factor, intercept)
    return Quadratic(a, b, float((rest**2).sum()), coordinates, ("the intercept",) * first + all_names, best)
