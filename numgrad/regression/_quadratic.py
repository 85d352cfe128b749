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

    def leave(self, inner: Floats) -> Floats:
        theta = inner.copy()
        first = int(self.intercept)
        theta[..., first:] /= self.scale
        if self.intercept:
            theta[..., 0] -= theta[..., 1:] @ self.shift
        return theta


@dataclass(frozen=True, eq=False)
class Quadratic:
    """The cost ``(|a z - b|**2 + rest) / 2`` of theta = basis z in inner coordinates.

    a and b include the penalty. The basis, of orthonormal columns, spans the rows of the data and the intercept; None
    stands for the identity. What it leaves out of theta costs the penalty alone.
    """

    a: Floats
    b: Floats  # a column for each target
    rest: float
    basis: Floats | None
    l2: float
    coordinates: Coordinates
    names: tuple[str, ...]
    sizes: Floats  # root mean squares of the features
    standardized_kappa: float

    @cached_property
    def svd(self) -> tuple[Floats, Floats, Floats]:
        """u, s and v' of a, as far as the cost depends on z; v' in inner coordinates."""
        u, s, vt = np.linalg.svd(self.a, full_matrices=False)
        rank = self._scaled[3]
        vt = vt if self.basis is None else vt @ self.basis.T
        return u[:, :rank], s[:rank], vt[:rank]

    @cached_property
    def _scaled(self) -> tuple[Floats, Floats, Floats, int]:
        """Norms of the columns of a; s and v' of a with columns of norm 1; its rank, whatever the scale of columns."""
        norms = column_norms(self.a)
        norms[norms == 0] = 1
        s, vt = np.linalg.svd(self.a / norms, full_matrices=False)[1:]
        return norms, s, vt, rank(s, self.a)

    @property
    def is_deficient(self) -> bool:
        """Whether columns depend on each other, so that the Hessian has eigenvalues of zero."""
        is_whole = self.basis is None or bool(self.l2)
        return not is_whole or self._scaled[3] < self.a.shape[1]

    @cached_property
    def eigenvalues(self) -> Floats:
        """Those of the Hessian that are not zero, from the largest."""
        with np.errstate(over="ignore"):
            values = self.svd[1] ** 2
        return values if self.basis is None or not self.l2 else np.sort(np.append(values, self.l2))[::-1]

    @cached_property
    def inner_solution(self) -> Floats:
        """The minimum in inner coordinates, of least norm; a row for each target."""
        n = self.a.shape[1]
        norms, s, vt, rank = self._scaled
        if rank == n:
            r = np.hstack([self.a, self.b])
            if len(self.a) > n or self.basis is not None:
                r = np.asarray(np.linalg.qr(r, mode="r"))
            z = np.linalg.solve(np.triu(r[:n, :n]), r[:n, n:])
        else:
            u = np.linalg.svd(self.a / norms, full_matrices=False)[0][:, :rank]
            z = vt[:rank].T @ ((u.T @ self.b) / s[:rank, None]) / norms[:, None]
            # Of least norm: without what lies in the null space, which the scale has turned as well.
            null = np.linalg.svd(vt[:rank], full_matrices=True)[2][rank:] / norms
            null = np.linalg.qr(null.T)[0]
            z = z - null @ (null.T @ z)
        return np.asarray(z.T if self.basis is None else z.T @ self.basis.T)

    @property
    def solution(self) -> Floats:
        return self.coordinates.leave(self.inner_solution)

    @cached_property
    def least_cost(self) -> float:
        u = self.svd[0]
        outside = self.b - u @ (u.T @ self.b)
        with np.errstate(over="ignore"):
            return float(((outside**2).sum() + self.rest) / 2)

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
    all_names = parameter_names(names, n, intercept)
    others = centred[:, ~is_constant] / deviation[~is_constant]
    best = 1.0
    if others.size:
        s = np.linalg.svd(others, compute_uv=False)
        best = np.inf if rank(s, others) < others.shape[1] else float((s[0] / s[-1]) ** 2)
    with np.errstate(over="ignore"):  # an infinite cost is what the descent reports
        square = float((rest**2).sum())
    return Quadratic(a, b, square, basis, l2, Coordinates(shift, factor, intercept), all_names, sizes, best)
