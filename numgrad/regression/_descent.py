"""Gradient descent for linear least squares, all four operations of an iteration in one kernel."""

import warnings
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from numgrad._jit import specialise
from numgrad._kernels.descent import descent
from numgrad.regression import _check
from numgrad.regression._check import Floats

# Rows taken together: the block of X and its loss stay in the first-level cache between hypothesis and gradient.
BLOCK = 128
# X up to this size is copied once, feature by feature, which the kernel reads 2 to 3 times as fast as other orders.
COPY_LIMIT = 2**26
# Seconds in the kernel between two looks at pending signals.
PATIENCE = 0.05
# Elements of X for the first call of the kernel, whose speed is not known yet.
FIRST_BUDGET = 2**20
# Up to this size of the smaller Gram matrix, L is computed exactly.
EXACT = 2000
_LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True, eq=False, repr=False)
class Descent:
    """What a run of `gradient_descent` found.

    Attributes
    ----------
    theta : ndarray, shape (n,)
        The parameters after `n_iter` updates, in the dtype of the data.
    cost : ndarray of float64, shape (n_iter,), or None
        ``sum((X @ theta - y)**2) / (2 * m)`` at the theta that each iteration started from. None with ``record=False``.
    n_iter : int
        Iterations done.
    stop_reason : str
        Why the run ended, in words. It begins with "completed", "diverged" or "interrupted".
    """

    theta: Floats
    cost: Floats | None
    n_iter: int
    stop_reason: str

    def __repr__(self) -> str:
        cost = "" if self.cost is None or not self.n_iter else f"cost {self.cost[0]:.6g} -> {self.cost[-1]:.6g}, "
        return f"Descent: {cost}{self.stop_reason}\n  theta = {np.array2string(self.theta, threshold=8)}"


def gradient_descent(
    X: Any, y: Any, theta0: Any = None, *, learning_rate: float, n_iter: int, record: bool = True
) -> Descent:
    """Fit ``y = X @ theta`` by batch gradient descent on the mean squared loss.

    Parameters
    ----------
    X : array_like, shape (m, n)
        One row for each observation, one column for each feature; for an intercept, add a column of ones. Arrays in C
        or Fortran order, lists and pandas objects. Computed in float32 if `X` and `y` are float32, else in float64.
    y : array_like, shape (m,)
        The observed values.
    theta0 : array_like, shape (n,), optional
        Where to start. Zeros by default.
    learning_rate : float
        The factor of the gradient in an update, in units of theta over gradient. The iteration converges below 2/L,
        L being the largest eigenvalue of ``X.T @ X / m``.
    n_iter : int
        The number of iterations.
    record : bool, default True
        Whether to keep the cost of every iteration.

    Returns
    -------
    Descent
        With `theta`, `cost`, `n_iter` and `stop_reason`.

    Raises
    ------
    ValueError
        For data that are empty, not finite, not numbers or of shapes that do not match, and for a rate or a number of
        iterations that is not positive. The message names the argument, the value and the remedy.
    KeyboardInterrupt
        On Ctrl-C, at most 0.2 seconds after it. Once the iteration has begun, the exception has the state reached, a
        Descent, as ``descent``.

    Warns
    -----
    RuntimeWarning
        If the cost grows to twice its least value and the rate is above 2/L; below it, such growth is rounding. The
        run stops there, and the warning names the limit. (A diverging run can stay finite for 100,000 iterations, so
        NaN and infinity are no test.)

    Notes
    -----
    An iteration computes, for m observations,

    - the hypothesis ``h = X @ theta``,
    - the loss ``l = h - y``, and the cost ``J = sum(l**2) / (2 * m)``,
    - the gradient ``g = X.T @ l / m``,
    - the update ``theta = theta - learning_rate * g``,

    in one pass over the data. An error along an eigenvector of ``X.T @ X / m`` with eigenvalue s shrinks by
    ``1 - learning_rate * s`` in each iteration [1]_, so features of very different scales converge at very different
    rates.

    References
    ----------
    .. [1] G. Goh, "Why Momentum Really Works", Distill, 2017. doi:10.23915/distill.00006

    Examples
    --------
    >>> import numpy as np
    >>> import numgrad as ng
    >>> X = np.column_stack([np.ones(5), np.arange(5)])
    >>> run = ng.gradient_descent(X, 3 + 2 * np.arange(5), learning_rate=0.2, n_iter=1000)
    >>> run.theta.round(6)
    array([3., 2.])
    >>> run.cost[0]
    np.float64(28.5)
    >>> run.stop_reason
    'completed 1000 iterations'
    """
    x, target = _check.data(X, y)
    m, n = x.shape
    theta = _check.theta(theta0, n)
    rate = _check.rate(learning_rate)
    total = _check.count(n_iter)
    cost = np.empty(total if _check.flag("record", record) else 1)
    features, layout = _features(x)
    target = _read_only(np.ascontiguousarray(target))
    # Growth of the cost counts from the level of rounding up, which is about eps of the first cost.
    sums = np.array([0.0, _LARGEST, np.finfo(x.dtype).eps])
    position, gradient, loss = np.array([0, 0, total]), np.zeros(n), np.empty(min(BLOCK, m), x.dtype)
    kernel = specialise(
        descent, x.dtype.name, layout, fastmath=frozenset({"reassoc", "contract", "nsz"}), REAL=x.dtype.type
    )

    def result(reason: str) -> Descent:
        done = int(position[0])
        kept = (cost if done == total else cost[:done].copy()) if record else None
        return Descent(theta.astype(x.dtype), kept, done, reason)

    budget = 1 + FIRST_BUDGET // n
    try:
        while position[0] < total:
            start = perf_counter()
            kernel(features, target, theta, rate, cost, position, sums, loss, gradient, budget)
            budget = max(BLOCK, min(2**40, int(budget * min(8.0, PATIENCE / (perf_counter() - start + 1e-9)))))
            latest = cost[(position[0] - 1) % cost.size]
            if position[0] and position[1] == 0 and not latest <= sums[1:].max():
                curvature, is_exact = _largest_eigenvalue(features)
                if is_exact and rate * curvature <= 2 and np.isfinite(latest):
                    sums[2] = _LARGEST  # rounding at the end of a slow mode: below the limit nothing else grows
                    continue
                reason = _diagnosis(rate, curvature, x.dtype, int(position[0]), sums[1] / 2, latest)
                warnings.warn(f"gradient_descent {reason}", RuntimeWarning, stacklevel=2)
                return result(reason)
    except KeyboardInterrupt as interrupt:
        interrupt.descent = result(f"interrupted after {position[0]} of {total} iterations")  # type: ignore[attr-defined]
        raise
    return result(f"completed {total} iterations")


def _features(x: Floats) -> tuple[Floats, str]:
    """X with a feature in each row, and the layout as a tag for its kernel."""
    if x.nbytes <= COPY_LIMIT:
        x = np.asfortranarray(x)
    layout = "columns" if x.flags.f_contiguous else "rows" if x.flags.c_contiguous else "strided"
    return _read_only(x.T), layout


def _read_only(array: Floats) -> Floats:
    """Return a view that cannot be written, so that one kernel serves writeable and read-only data."""
    view = array.view()
    view.flags.writeable = False
    return view


def _diagnosis(rate: float, curvature: float, dtype: Any, iteration: int, least: float, latest: float) -> str:
    limit = 2 / curvature if curvature else np.inf
    grown = f"diverged in iteration {iteration}: the cost "
    grown += f"grew from {least:.6g} to {latest:.6g}. " if iteration > 1 else f"is {latest} from the start. "
    if np.isfinite(latest) or rate > limit:  # a limit from an estimate of L can lie above a rate that diverged
        return grown + (
            f"learning_rate={rate:.6g} is above the limit 2/L = {limit:.6g}, L = {curvature:.6g} being the largest "
            f"eigenvalue of X.T @ X / m; take a rate below it, or standardise the features to raise it"
        )
    return grown + (
        f"learning_rate={rate:.6g} is below the limit 2/L = {limit:.6g}, so the range of {dtype} is at fault; "
        f"scale the features and y down"
    )


def _largest_eigenvalue(features: Floats) -> tuple[float, bool]:
    """L of X.T @ X / m, and whether it is exact; where the smaller Gram matrix is large, power iteration."""
    n, m = features.shape
    a = features.astype(np.float64, copy=False)
    if min(n, m) <= EXACT:
        with np.errstate(over="ignore", invalid="ignore"):
            gram = a @ a.T if n <= m else a.T @ a
        return float(np.linalg.eigvalsh(gram)[-1] / m) if np.isfinite(gram).all() else np.inf, True
    v = np.random.default_rng(0).standard_normal(n)
    for _ in range(100):
        v /= np.linalg.norm(v)
        v = a @ (a.T @ v)
    return float(np.linalg.norm(v) / m), False
