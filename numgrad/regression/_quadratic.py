"""The cost of a linear model as a quadratic function, and the coordinates that a descent runs in."""

from dataclasses import dataclass, replace
from functools import cached_property
from math import frexp
from typing import Any, NamedTuple

import numpy as np

from numgrad.regression._check import Floats
from numgrad.regression._kernels.iteration import LARGEST

EPS, TINY = float(np.finfo(np.float64).eps), float(np.finfo(np.float64).tiny)
# Data of a size within 2**-ORDINARY to 2**ORDINARY need no scale: a rate of Barzilai and Borwein takes the fourth power
# of one size times the square of another, and that is in the range of numbers, even of rounding errors of such data.
ORDINARY = 100


class Scale(NamedTuple):
    """The powers of two that a descent divides features and targets by, so that nothing is rounded.

    Theta, rates and costs of the divided data are called inner; the methods convert them, and eigenvalues.
    """

    x: int = 0
    y: int = 0

    def theta(self, inner: Floats) -> Floats:
        return np.asarray(shifted(inner, self.y - self.x))

    def enter(self, theta: Floats) -> Floats:
        return np.asarray(shifted(theta, self.x - self.y))

    def cost(self, inner: Any) -> Any:
        return shifted(inner, 2 * self.y)

    def rate(self, inner: float) -> float:
        return float(shifted(inner, -2 * self.x))

    def enter_rate(self, outer: float) -> float:
        return min(float(shifted(outer, 2 * self.x)), LARGEST)

    def curvature(self, outer: float) -> float:
        """Return an inner eigenvalue or penalty."""
        return float(shifted(outer, -2 * self.x))


UNSCALED = Scale()


def shifted(values: Any, exponent: int) -> Any:
    """Return values times a power of two, which may be beyond the range of numbers; themselves for 0."""
    if not exponent:
        return values
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(values, exponent)


def exponent(size: float) -> int:
    """Return the power of two to divide by, 0 for what needs none."""
    power = frexp(size)[1]
    return power if size and abs(power) > ORDINARY else 0


def is_beyond(inner: Any, outer: Any, kind: Any, least: float = 0.0) -> bool:
    """Whether what is more than `least` in inner units is 0, infinite or of fewer digits in a dtype."""
    limits = np.finfo(kind)
    size = abs(np.asarray(outer, np.float64))
    return bool(((abs(np.asarray(inner)) > least) & ~((limits.tiny <= size) & (size <= limits.max))).any())


@dataclass(frozen=True, eq=False)
class ThetaCoordinates:
    """From theta of the features x to theta of (x - shift) factor and back; a row for each target, intercept first."""

    shift: Floats
    factor: Floats  # 0 for constant features
    intercept: bool

    @property
    def is_plain(self) -> bool:
        """Whether they are the features themselves."""
        return not self.shift.any() and bool((self.factor == 1).all())

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

    def sizes(self, inner: Floats) -> Floats:
        """Return how large theta is in inner units: of an intercept with what cancels, and is not lost, cancelled."""
        if not self.intercept:
            return inner
        sizes = inner.copy()
        with np.errstate(over="ignore", invalid="ignore"):
            sizes[..., 0] = self.leave(inner)[..., 0]
        return sizes

    def leave(self, inner: Floats) -> Floats:
        theta = inner.copy()
        first = int(self.intercept)
        theta[..., first:] /= self.scale
        if self.intercept:
            size = abs(theta[..., 1:])
            if ((size < TINY) & (inner[..., 1:] != 0) | ~np.isfinite(size)).any():  # less than inner theta says
                theta[..., 0] -= inner[..., 1:] @ (self.shift * self.factor)
            else:
                theta[..., 0] -= theta[..., 1:] @ self.shift
        return theta


@dataclass(frozen=True, eq=False)
class Quadratic:
    """The cost ``(|a z - b|**2 + rest) / 2`` of theta = basis z in inner coordinates.

    a and b include the penalty. The basis, of orthonormal columns, spans the rows of the data and the intercept; None
    stands for the identity. The part of theta outside its span costs the penalty alone.
    """

    a: Floats
    b: Floats  # a column for each target
    rest: Floats  # the part of the targets that no theta explains: its squares count
    basis: Floats | None
    l2: float
    coordinates: ThetaCoordinates
    names: tuple[str, ...]
    sizes: Floats  # root mean squares of the features
    standardized: Floats  # R of the features that are not constant, centred and scaled
    constant: np.ndarray  # whether features are constant but for rounding

    @cached_property
    def svd(self) -> tuple[Floats, Floats, Floats]:
        """u, s and v' of a, as far as the cost depends on z; v' in inner coordinates."""
        u, s, vt = np.linalg.svd(self.a, full_matrices=False)
        rank = self._scaled[1]
        vt = vt if self.basis is None else vt @ self.basis.T
        return u[:, :rank], s[:rank], vt[:rank]

    @cached_property
    def _scaled(self) -> tuple[Floats, int]:
        """Norms of the columns of a, and its rank, whatever the scale of columns."""
        norms = column_norms(self.a)
        norms[norms == 0] = 1
        return norms, rank(np.linalg.svd(self.a / norms, compute_uv=False), self.a)

    @cached_property
    def standardized_kappa(self) -> float:
        """The condition number of the Hessian of the features, centred and scaled."""
        if not self.standardized.size:
            return 1.0
        s = np.linalg.svd(self.standardized, compute_uv=False)
        is_whole = rank(s, self.standardized) == self.standardized.shape[1]
        return float((s[0] / s[-1]) ** 2) if is_whole else np.inf

    @property
    def is_deficient(self) -> bool:
        """Whether columns depend on each other, so that the Hessian has eigenvalues of zero."""
        is_whole = self.basis is None or bool(self.l2)
        return not is_whole or self._scaled[1] < self.a.shape[1]

    def eigenvalues(self, scale: Scale = UNSCALED) -> Floats:
        """Return those of the Hessian that are not zero, from the largest."""
        with np.errstate(over="ignore", under="ignore"):
            values: Floats = shifted(self.svd[1], -scale.x) ** 2
        if self.basis is None or not self.l2:
            return values
        return np.sort(np.append(values, scale.curvature(self.l2)))[::-1]

    @cached_property
    def inner_solution(self) -> Floats:
        """The minimum in inner coordinates, of least norm; a row for each target."""
        n = self.a.shape[1]
        norms, rank = self._scaled
        if rank == n:
            r = np.hstack([self.a, self.b])
            if len(self.a) > n or self.basis is not None:
                r = np.asarray(np.linalg.qr(r, mode="r"))
            z = np.linalg.solve(np.triu(r[:n, :n]), r[:n, n:])
        else:
            u, s, vt = np.linalg.svd(self.a / norms, full_matrices=len(self.a) < n)  # all of v'
            z = vt[:rank].T @ ((u[:, :rank].T @ self.b) / s[:rank, None]) / norms[:, None]
            # The solution of least norm has no part in the null space, which the scale has turned as well.
            null = np.linalg.qr((vt[rank:] / norms).T)[0]
            z = z - null @ (null.T @ z)
        return np.asarray(z.T if self.basis is None else z.T @ self.basis.T)

    def divided(self, scale: Scale) -> "Quadratic":
        """Return the cost of what is divided by the scale."""
        a, b, rest = shifted(self.a, -scale.x), shifted(self.b, -scale.y), shifted(self.rest, -scale.y)
        return replace(self, a=a, b=b, rest=rest)

    @property
    def solution(self) -> Floats:
        return self.coordinates.leave(self.inner_solution)

    def least_cost(self, scale: Scale = UNSCALED) -> float:
        u = self.svd[0]
        outside, rest = (shifted(part, -scale.y) for part in (self.b - u @ (u.T @ self.b), self.rest))
        return float(((outside**2).sum() + (rest**2).sum()) / 2)

    @property
    def hessian(self) -> Floats:
        """In inner coordinates."""
        if self.basis is None:
            return np.asarray(self.a.T @ self.a)
        a = self.a @ self.basis.T
        return np.asarray(a.T @ a + self.l2 * (np.eye(len(self.basis)) - self.basis @ self.basis.T))


def rank(s: Floats, a: Floats) -> int:
    """Return the number of singular values of `a` that are above rounding errors."""
    return int((s > max(a.shape) * EPS * s[0]).sum())


def parameter_names(names: tuple[str, ...] | None, n: int, intercept: bool) -> tuple[str, ...]:
    """Return a name for each parameter, of columns that may have none."""
    return ("the intercept",) * intercept + (names or tuple(f"feature {j}" for j in range(n)))


def column_norms(a: Floats) -> Floats:
    """Return the norms of columns whose squares may lie beyond the range of numbers."""
    largest = abs(a).max(axis=0, initial=0)
    scale = np.where(largest == 0, 1, largest)
    return np.asarray(np.linalg.norm(a / scale, axis=0) * largest)


class Triangle(NamedTuple):
    """Rows, compressed to the R of [1 | X - origin | y - origin], and what else is known of them."""

    R: Floats
    origin: Floats
    rounding: float  # how much of their size entries of X differ by if they are equal but for rounding
    n: int  # features
    p: int  # targets
    is_flat: bool  # y was given with one dimension
    names: tuple[str, ...] | None  # those of the features, if they have some
    n_rows: int
    total: float  # the sum of the weights


def reduce(rows: Triangle, l2: float, intercept: bool, standardize: bool) -> Quadratic:
    """Return the cost that rows stand for."""
    n, origin = rows.n, rows.origin
    r = rows.R / np.sqrt(rows.total)
    centred = r[1:, 1 : 1 + n]
    mean = r[0, 1 : 1 + n] / r[0, 0] + origin[:n]
    r[0, 1:] += r[0, 0] * origin
    deviation, size = column_norms(centred), column_norms(r[:, 1 : 1 + n])
    is_constant = deviation <= rows.rounding * size
    shift = mean if standardize and intercept else np.zeros(n)
    scale: Floats = np.ones(n)
    if standardize:
        scale = np.where(is_constant, 0, deviation) if intercept else size
    factor = np.where(scale == 0, 0, 1 / np.where(scale == 0, 1, scale))
    standardized = centred[:, ~is_constant] / deviation[~is_constant]
    if not intercept:
        r = np.asarray(np.linalg.qr(r[:, 1:], mode="r"))
    first = int(intercept)
    a, b, rest = r[: first + n, : first + n].copy(), r[: first + n, first + n :], r[first + n :, first + n :]
    a[:, first:] *= factor
    if standardize and intercept:
        a[0, 1:] = 0
    sizes = np.append(np.ones(first), column_norms(a[:, first:]))
    basis = None
    if len(a) < first + n:  # more columns than rows
        columns = np.hstack([np.eye(first + n)[:, :first], a.T])
        basis = np.asarray(np.linalg.qr(columns)[0])
        a = a @ basis
    if l2:
        count = a.shape[1]
        a = np.vstack([a, np.eye(count)[first:] * np.sqrt(l2)])
        b = np.vstack([b, np.zeros((count - first, b.shape[1]))])
    all_names = parameter_names(rows.names, n, intercept)
    coordinates = ThetaCoordinates(shift, factor, intercept)
    return Quadratic(a, b, rest, basis, l2, coordinates, all_names, sizes, standardized, is_constant)
