"""The step size of a descent: the rates that converge, their speed, and the feature to blame for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, inf, isnan, log, log1p, sqrt
from typing import Any, NamedTuple

import numpy as np

from numgrad._checks import not_negative, number
from numgrad._system.memory import parts_of, read_only
from numgrad._system.tables import figures
from numgrad._system.threads import get_num_threads, share
from numgrad.regression import _check
from numgrad.regression._check import Data, Floats
from numgrad.regression._entries import Entries
from numgrad.regression._quadratic import TINY, Quadratic, Scale, ThetaCoordinates, shifted
from numgrad.regression._rows import CompressedRows, by_blocks, is_dask

# Up to this size of the smaller Gram matrix, L is computed exactly.
EXACT = 2000
# Columns of a block whose largest eigenvalue is found, at least; how far below what is wanted the bound should be
# expected for that; and what rounding may take off a sum of squares.
LEAST_BLOCK, ENOUGH, SLACK = 32, 0.95, 1.02
# Products that OpenBLAS has one thread for.
ALONE = 2**18


@dataclass(frozen=True, repr=False)
class StepSize:
    """The effect of learning rates on given data; prints as a short diagnosis.

    Attributes
    ----------
    L : float
        The largest eigenvalue of the Hessian ``X.T @ X / m + l2``: the steepest curvature of the cost.
    mu : float
        The smallest one. 0 if features depend on each other, as with more features than rows.
    kappa : float
        ``L / mu``, the condition number of the Hessian; inf if `mu` is 0.
    standardized_kappa : float
        What `kappa` would be with centred and scaled features (``fit_intercept=True, standardize=True``), without l2.
    dominant : str
        The feature that the steepest direction consists of for the most part, by its name, "feature 0" and so on if
        it has none.
    share : float
        Its share of that direction, from 0 to 1.
    sizes : tuple of float
        The root mean square of each feature.
    slowest : float
        The smallest eigenvalue that is not zero: the direction that converges last.
    """

    L: float
    mu: float
    kappa: float
    standardized_kappa: float
    dominant: str
    share: float
    sizes: tuple[float, ...]
    slowest: float

    @property
    def limit(self) -> float:
        """2/L. At this rate and above, descent diverges."""
        return 2 / self.L if self.L else inf

    @property
    def safe(self) -> float:
        """1/L. The cost falls in each iteration, without overshooting in any direction."""
        return 1 / self.L if self.L else inf

    @property
    def optimal(self) -> float:
        """2/(L + mu), the fastest of the fixed rates; mu being the smallest eigenvalue that is not zero."""
        return 2 / (self.L + self.slowest) if self.L else inf

    def iterations(self, eps: float, rate: float | None = None) -> float:
        """Return how many iterations shrink the error of theta to `eps` of what it was, at worst.

        Parameters
        ----------
        eps : float
            Above 0 and below 1.
        rate : float, optional
            The learning rate; `safe` by default.

        Returns
        -------
        int or float
            ``log(eps) / log(max(|1 - rate * L|, |1 - rate * mu|))``, rounded up; inf from the limit on. Directions of
            eigenvalue 0, in which nothing moves, do not count.
        """
        eps = number("eps", eps, "a number between 0 and 1, like 1e-6", above=0.0, below=1.0)
        step = self.safe if rate is None else number("rate", rate, "a positive number", above=0.0)
        if not self.L:
            return 0
        top, bottom = abs(1 - step * self.L), step * self.slowest
        if top >= 1:
            return inf
        # log1p: a slow direction shrinks by 1 - rate * mu, which is 1 to rounding.
        slow = -log1p(-bottom) if bottom < 1 else -log(bottom - 1) if bottom > 1 else inf
        return max(1, ceil(-log(eps) / min(slow, -log(top) if top else inf)))

    def __repr__(self) -> str:
        if not self.L:
            return "StepSize: L = 0, all features are zero\n  any learning rate converges: nothing moves"
        words = "features depend on each other" if self.mu == 0 else f"{self.iterations(1e-6):.3g} iterations"
        words += " for 6 digits of theta at 1/L" if self.mu else ""
        lines = [
            f"StepSize: L = {self.L:.6g}, mu = {self.mu:.4g}, kappa = {self.kappa:.4g}: {words}",
            f"  learning rate: limit 2/L = {self.limit:.6g}, safe 1/L = {self.safe:.6g}, "
            f"optimal 2/(L + mu) = {self.optimal:.6g}",
        ]
        if len(self.sizes) > 1:
            others = sorted(self.sizes)
            lines.append(
                f"  steepest: {self.dominant}, {self.share:.0%} of the direction of L; "
                f"root mean squares of the features from {others[0]:.4g} to {others[-1]:.4g}"
            )
        if self.kappa > 10 * self.standardized_kappa:
            lines.append(f"  fit_intercept=True, standardize=True would give kappa = {self.standardized_kappa:.4g}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        if not self.L:
            return figures("StepSize", [("L", 0), ("learning rate", "any converges: nothing moves")])
        rows: list[tuple[str, Any]] = [("L", f"{self.L:.6g}"), ("mu", f"{self.mu:.4g}"), ("kappa", f"{self.kappa:.4g}")]
        rows += [("limit, 2/L", f"{self.limit:.6g}"), ("safe, 1/L", f"{self.safe:.6g}")]
        rows += [("optimal, 2/(L + mu)", f"{self.optimal:.6g}")]
        if self.mu:
            rows.append(("iterations for 6 digits of theta at 1/L", f"{self.iterations(1e-6):,}"))
        else:
            rows.append(("beware", "features depend on each other"))
        if len(self.sizes) > 1:
            rows.append(("steepest", f"{self.dominant}, {self.share:.0%} of the direction of L"))
            rows.append(("root mean squares", f"from {min(self.sizes):.4g} to {max(self.sizes):.4g}"))
        rows.append(("kappa with an intercept, standardized", f"{self.standardized_kappa:.4g}"))
        return figures("StepSize", rows)


def diagnose(quadratic: Quadratic) -> StepSize:
    values, vt = quadratic.eigenvalues(), quadratic.svd[2]
    sizes = tuple(quadratic.sizes.tolist())
    largest = float(values[0]) if len(values) else 0.0
    if any(sizes) and not (values[-1] >= TINY and largest < inf):
        s = quadratic.svd[1]
        raise ValueError(
            f"`X` has root mean squares from {min(sizes):.4g} to {max(sizes):.4g} and singular values from "
            f"{s[-1]:.4g} to {s[0]:.4g}, whose squares are beyond the range of numbers; scale its features"
        )
    if not largest:
        return StepSize(0.0, 0.0, inf, quadratic.standardized_kappa, quadratic.names[0], 1.0, sizes, 0.0)
    top = int(np.argmax(abs(vt[0]))) if len(vt) else 0
    slowest = float(values[-1])
    least = 0.0 if quadratic.is_deficient else slowest
    return StepSize(
        largest,
        least,
        largest / least if least else inf,
        quadratic.standardized_kappa,
        quadratic.names[top],
        float(vt[0, top] ** 2) if len(vt) else 1.0,
        sizes,
        slowest,
    )


class Inner(NamedTuple):
    """Data, the coordinates to read them in, and how many columns have no penalty: the intercept's, if there is one.

    `one` is what stands in the column of the intercept that is in the coordinates.
    """

    data: Data
    coordinates: ThetaCoordinates
    first: int
    one: float = 1.0

    def columns(self, low: int, high: int, rows: slice = slice(None), dtype: Any = np.float64) -> Floats:
        """[1 | (X - shift) factor], times the roots of the weights, of some columns."""
        data, coordinates = self.data, self.coordinates
        ones = int(coordinates.intercept)
        some = slice(max(0, low - ones), high - ones)
        z = data.x[rows, some].astype(dtype, copy=False)
        if not coordinates.is_plain:
            z = (z - coordinates.shift[some]) * coordinates.factor[some]
        if low < ones:
            z = np.hstack([np.full((len(z), 1), self.one, z.dtype), z])
        if data.weight.strides == (0,):
            return np.asarray(z)
        return np.asarray(z * np.sqrt(data.weight[rows])[:, None])

    @property
    def trace(self) -> float:
        """The sum of the squares of all elements of all columns."""
        data, coordinates, _, one = self
        size = int(coordinates.intercept) + data.x.shape[1]
        if data.traces and coordinates.is_plain and data.weight.strides == (0,) and not isnan(data.traces[0].squares):
            return data.traces[0].squares + int(coordinates.intercept) * one**2 * len(data.x)
        with np.errstate(over="ignore", invalid="ignore"):
            parts = (
                self.columns(0, size, rows, data.dtype) for rows in parts_of((len(data.x), size), _check.AT_A_TIME)
            )
            return sum(float(np.einsum("ij,ij->", z, z)) for z in parts)


def divided(data: Data, coordinates: ThetaCoordinates, scale: Scale) -> Inner:
    """Return data beyond the ordinary as a copy in the coordinates of the descent, divided by its scale."""
    z = data.x.astype(np.float64)
    if coordinates.is_plain:
        z = shifted(z, -scale.x)
    else:  # features of any scale, so that each is divided by its own first
        power = np.frexp(np.maximum(abs(coordinates.shift), coordinates.scale))[1]
        z = (np.ldexp(z, -power) - np.ldexp(coordinates.shift, -power)) * np.ldexp(coordinates.factor, power - scale.x)
    first = int(coordinates.intercept)
    x = np.hstack([np.full((len(z), first), shifted(1.0, -scale.x)), z])
    y = shifted(data.y.astype(np.float64), -scale.y)
    size = x.shape[1]
    same = ThetaCoordinates(np.zeros(size), np.ones(size), False)
    return Inner(data._replace(x=read_only(x), y=read_only(y), traces=()), same, first)


def extreme_eigenvalues(inner: Inner, l2: float) -> tuple[float, float, bool]:
    """Return the ends of the spectrum without a QR decomposition, and whether the largest is exact.

    They are the eigenvalues of the smaller Gram matrix, to rounding of the largest. If both matrices are large, they
    are an estimate of the largest from below, by power iteration, and nan. `Entries` are made dense, some
    rows at a time: for those that `is_quick` says.
    """
    data, first = inner.data, inner.first
    m, columns, at_a_time = len(data.x), inner.columns, _check.AT_A_TIME
    size = int(inner.coordinates.intercept) + data.x.shape[1]
    penalty = np.full(size, l2 * data.total)
    penalty[:first] = 0
    with np.errstate(over="ignore", invalid="ignore"):
        is_mixed = bool(first and l2)  # the penalty is no multiple of the identity, and no shift of the eigenvalues
        if size <= EXACT and (size <= m or is_mixed or isinstance(data.x, Entries)):
            gram = np.diag(penalty)
            for rows in parts_of((m, size), at_a_time):
                z = columns(0, size, rows)
                gram += z.T @ z
            return *_ends(gram, data.total, 0.0), True
        if m <= EXACT:
            gram = np.zeros((m, m))
            for part in parts_of((size, m), at_a_time):
                z = columns(part.start, part.stop)
                gram += z @ z.T
            return *_ends(gram, data.total, l2), not is_mixed
    v, length = np.random.default_rng(0).standard_normal(size), 1.0
    for _ in range(100):
        v /= np.linalg.norm(v)
        new = penalty * v
        for rows in parts_of((m, size), at_a_time):
            z = columns(0, size, rows)
            new += z.T @ (z @ v)
        v, length = new, float(np.linalg.norm(new))
    return length / data.total, np.nan, False


def is_surely_below(inner: Inner, l2: float, most: float) -> bool:
    """Return whether the largest eigenvalue is surely below `most`, if that takes much less than to find it.

    The largest eigenvalue of a positive matrix is at most the sum of those of the blocks on its diagonal: of single
    elements, which is the trace, then of blocks so wide that it is enough if all eigenvalues are about alike.
    """
    data, size = inner.data, int(inner.coordinates.intercept) + inner.data.x.shape[1]
    m, below = len(data.x), (most - l2) * data.total / SLACK
    trace = inner.trace
    if below <= 0 or not trace < inf:
        return False
    if trace < below:
        return True
    width = LEAST_BLOCK
    # That of columns at random is about this; Marchenko and Pastur, Math. USSR-Sbornik 1, 1967.
    while width < size and trace / width * (1 + sqrt(width / m)) ** 2 > ENOUGH * below:
        width *= 2
    if 2 * width > size:
        return False

    def largest(lows: Iterator[int]) -> float:
        """The sum of the largest eigenvalues of blocks, by products so small that OpenBLAS wakes no threads."""
        total = 0.0
        for low in lows:
            gram = np.zeros((min(width, size - low),) * 2)
            for rows in parts_of((m, width), _check.AT_A_TIME):
                z = inner.columns(low, low + len(gram), rows, data.dtype)
                for some in parts_of((len(z), width), ALONE // width):
                    gram += z[some].T @ z[some]
            total += float(np.linalg.eigvalsh(gram)[-1])
        return total

    lost = trace * max(ALONE // width**2, 1) * float(np.finfo(data.dtype).eps)  # by rounding
    found: list[float] = share(largest, range(0, size, width), get_num_threads())
    return lost + sum(found) < below


def _ends(gram: Floats, total: float, l2: float) -> tuple[float, float]:
    if not np.isfinite(gram).all():
        return inf, np.nan
    values = np.linalg.eigvalsh(gram)
    return float(values[-1]) / total + l2, float(values[0]) / total + l2


def step_size(X: Any, *, sample_weight: Any = None, l2: float = 0.0) -> StepSize:
    """Say which learning rates converge on these features, how fast, and what holds them up.

    Parameters
    ----------
    X : array_like or sparse, shape (m, n), dask array or dataframe, or CompressedRows
        The features, as `gradient_descent` gets them; with a column of ones if there is one. Of a matrix of
        scipy.sparse, with up to about 2000 features, blocks of rows are made dense, one at a time.
    sample_weight : float or array_like, shape (m,), optional
        Weights of the rows, at least 0.
    l2 : float, default 0.0
        The penalty, which is added to each eigenvalue.

    Returns
    -------
    StepSize
        With `L`, `mu`, `kappa`, `limit`, `safe`, `optimal`, and `iterations`.

    Raises
    ------
    TypeError
        For data of a wrong dtype, like words or dates, and for an `l2` that is no number.
    ValueError
        For data that are empty, not finite or of the wrong shape, for weights that are negative or all zero, and for an
        `l2` below 0.

    Notes
    -----
    Descent with a fixed rate multiplies the error along an eigenvector of the Hessian, with eigenvalue s, by
    ``1 - rate * s`` in each iteration [1]_: it converges below ``2/L``, and takes about ``kappa * log(1/eps)``
    iterations at ``1/L``. The eigenvalues are the squared singular values of X, from the R of its QR decomposition;
    the matrix ``X.T @ X`` is never formed.

    References
    ----------
    .. [1] G. Goh, "Why Momentum Really Works", Distill, 2017. doi:10.23915/distill.00006

    Examples
    --------
    >>> import numpy as np
    >>> import numgrad as ng
    >>> X = np.column_stack([np.ones(100), np.arange(100)])
    >>> step = ng.step_size(X)
    >>> step
    StepSize: L = 3284.25, mu = 0.2537, kappa = 1.294e+04: 1.79e+05 iterations for 6 digits of theta at 1/L
      learning rate: limit 2/L = 0.000608968, safe 1/L = 0.000304484, optimal 2/(L + mu) = 0.000608921
      steepest: feature 1, 100% of the direction of L; root mean squares of the features from 1 to 57.3
      fit_intercept=True, standardize=True would give kappa = 1
    >>> step.iterations(1e-6, rate=0.0005)
    108901
    """
    penalty = not_negative("l2", l2)
    if isinstance(X, CompressedRows):
        if sample_weight is not None:
            raise ValueError("`sample_weight` is given with CompressedRows, which have theirs; give it to `update`")
        rows = X
    elif is_dask(X):
        rows = by_blocks(X, None, sample_weight, is_with_y=False).compute()
    else:
        rows = CompressedRows().read(_check.data(X, None, sample_weight))
    return diagnose(rows.quadratic(penalty, False))
