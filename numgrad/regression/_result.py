"""What a run of gradient descent found."""

import warnings
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from math import frexp, ldexp, sqrt
from typing import Any

import numpy as np

from numgrad.regression import _check
from numgrad.regression._check import Data, Floats
from numgrad.regression._engine import Rule
from numgrad.regression._kernels.iteration import LARGEST
from numgrad.regression._modes import replayed
from numgrad.regression._quadratic import (
    EPS,
    UNSCALED,
    Coordinates,
    Quadratic,
    Scale,
    column_norms,
    exponent,
    is_beyond,
    parameter_names,
)
from numgrad.regression._rows import CompressedRows
from numgrad.regression._step_size import Inner, StepSize, diagnose, divided, extreme_eigenvalues

# Sizes within 2**-SINGLE to 2**SINGLE are computed in float32, if they were given so; others in float64.
SINGLE = 32
# The ratio of eigenvalues that is told from zero: without a decomposition of the data, and at all.
CERTAIN, LEAST = 1e4 * EPS, 1e-300


@dataclass(eq=False)
class Problem:
    """The data of a descent as arrays or as compressed rows, and what is derived from them when needed."""

    data: Data | None
    rows: CompressedRows | None
    l2: float
    fit_intercept: bool
    standardize: bool
    scale: Scale = UNSCALED
    unit: float = 1.0  # of inner theta: one of this size explains the targets
    has_run: bool = False  # the data may have changed since then

    @cached_property
    def quadratic(self) -> Quadratic:
        if self.rows is not None:
            return self.rows.quadratic(self.l2, self.fit_intercept, self.standardize)
        if self.data is None or (self.has_run and _check.has_changed(self.data)):
            raise RuntimeError(
                "`X` or `y` has changed since gradient_descent read it, and what is asked for needs the data of then; "
                "ask before you change them, or run with method='modes', which keeps what it needs"
            )
        return CompressedRows().read(self.data).quadratic(self.l2, self.fit_intercept, self.standardize)

    @cached_property
    def coordinates(self) -> Coordinates:
        if self.standardize or self.data is None:
            return self.quadratic.coordinates
        n = self.data.x.shape[1]
        return Coordinates(np.zeros(n), np.ones(n), self.fit_intercept)

    @cached_property
    def step_size(self) -> StepSize:
        return diagnose(self.quadratic)

    def find_scale(self, start: Floats) -> None:
        """Choose what the descent from `start`, in its coordinates, is divided by: nothing, for ordinary data."""
        if self.data is not None:
            x, y = (_check.size(array, *found) for array, found in zip(self.data[:2], self.data.trace, strict=True))
        else:
            known = self.quadratic
            x, y = float(known.sizes.max()), float(column_norms(np.vstack([known.b, known.rest])).max(initial=0))
        raw = x
        if self.standardize:
            x = 1.0
        x = max(x, float(self.fit_intercept), sqrt(self.l2))
        y = max(y, min(x * float(abs(start).max()), LARGEST))
        self.scale = Scale(exponent(x), exponent(y))
        self.unit = ldexp(y, -self.scale.y) / ldexp(x, -self.scale.x) if x else 0.0
        if self.data is not None and self.data.dtype == np.float32:
            sizes = [raw, x, y, *(self.coordinates.scale if self.standardize else ())]
            if any(size and abs(frexp(size)[1]) > SINGLE for size in sizes):
                self.data = self.data._replace(dtype=np.float64)

    @cached_property
    def inner(self) -> Inner:
        """The data as a fused descent reads them."""
        assert self.data is not None
        if any(self.scale):
            return divided(self.data, self.coordinates, self.scale)
        return Inner(self.data, self.coordinates, int(self.fit_intercept))

    @cached_property
    def ends(self) -> tuple[float, float, bool]:
        """The largest and the least eigenvalue but zero, divided by the scale, and whether they are exact."""
        if "quadratic" in self.__dict__ or self.data is None:
            values = self.quadratic.eigenvalues(self.scale)
            return (float(values[0]), float(values[-1]), True) if len(values) else (0.0, 0.0, True)
        return extreme_eigenvalues(self.inner, self.scale.curvature(self.l2))

    @property
    def largest(self) -> tuple[float, bool]:
        """L, divided by the scale, and whether it is exact."""
        return self.ends[0], self.ends[2]

    @property
    def slowest(self) -> float:
        """The least eigenvalue but zero, divided by the scale; at least what L / mu can be computed with."""
        return max(float(self.quadratic.eigenvalues(self.scale)[-1]), self.ends[0] * LEAST)

    @property
    def kappa(self) -> float:
        """L over the least eigenvalue but zero; nan if that is not known without another pass over large data."""
        largest, least, _ = self.ends
        if np.isnan(least):
            return np.nan
        if "quadratic" not in self.__dict__ and least <= CERTAIN * largest:  # zero, or rounding
            least = float(self.quadratic.eigenvalues(self.scale)[-1])
        return largest / least if least else np.inf

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Those of the parameters."""
        if self.data is None:
            return self.quadratic.names
        return parameter_names(self.data.names, self.data.x.shape[1], self.fit_intercept)

    def finish(self) -> None:
        """After a run: the data may change, and are let go of where they are not needed any more."""
        self.has_run = True
        self.__dict__.pop("inner", None)
        if "quadratic" in self.__dict__:
            self.coordinates, self.names, self.ends  # noqa: B018
            self.data = self.rows = None

    def __getstate__(self) -> dict[str, Any]:
        """Pickle what the data amount to, not the data; without that, if they have changed."""
        with suppress(RuntimeError):
            self.quadratic, self.coordinates, self.names  # noqa: B018
        return {k: v for k, v in self.__dict__.items() if k != "inner"} | {"data": None, "rows": None}


@dataclass(frozen=True, eq=False, repr=False)
class Descent:
    """What a run of `gradient_descent` found.

    Attributes
    ----------
    theta : ndarray, shape (n,) or (n, p)
        The parameters after `n_iter` updates, in the dtype of the data; the intercept first, if one was fitted. With
        ``learning_rate="bb"``, whose cost jumps, those of the least cost.
    cost : ndarray of float64, shape (k,), or None
        The cost at the theta that each of the recorded `iterations` started from, over all targets. None with
        ``record=False``.
    iterations : ndarray of int, shape (k,), or None
        The iterations recorded: 0 to n_iter - 1, or fewer.
    n_iter : int
        Iterations done.
    stop_reason : str
        Why the run ended, in words. It begins with "completed", "converged", "stopped", "diverged" or "interrupted".
    method : str
        The engine: "fused" or "modes".
    learning_rate : float
        The rate; the last one if it was found anew in each iteration.
    momentum : float
        The momentum, 0 without.
    theta_path : ndarray of float64, shape (k, n) or (k, n, p), or None
        The theta of the recorded iterations, with ``record_theta=True``.
    best_theta : ndarray, shape (n,) or (n, p)
        The theta of least cost on the way. To a callback, of those before the last.
    excess_cost : ndarray of float64, shape (k,), or None
        The cost above the least possible one, without cancellation: it falls in a straight line on a log axis until it
        is far below the rounding errors of `cost`. After a fused run, it is that of the same iteration in modes.
    step_size : StepSize
        What learning rates do in the coordinates that the descent ran in: with intercept, penalty, standardised.
    theta_least_squares : ndarray of float64, shape (n,) or (n, p)
        Where the descent leads: the minimum of the cost, nearest to the start if there are many.
    contraction : float
        The factor by which an iteration shrinks the error of theta, in the long run; the excess cost shrinks by its
        square. nan for rates that are found anew in each iteration.
    names : tuple of str
        The parameters: column names or "feature 0" and so on, "the intercept" first.
    intercept, coef : float or ndarray
        The two parts of `theta`. The intercept is 0 if none was fitted.

    Notes
    -----
    After a fused run, `excess_cost`, `step_size` and `theta_least_squares` are computed from X and y when first asked
    for; if X or y has changed by then, they raise RuntimeError.
    """

    theta: Floats
    cost: Floats | None
    iterations: np.ndarray | None
    n_iter: int
    stop_reason: str
    method: str
    learning_rate: float
    momentum: float
    theta_path: Floats | None
    best_theta: Floats
    names: tuple[str, ...]
    _problem: Problem
    _rule: Rule
    _start: Floats
    _rates: Floats
    _excess: Floats | None

    @cached_property
    def excess_cost(self) -> Floats | None:
        if self.iterations is None or self._excess is not None:
            return self._excess
        scale = self._problem.scale
        run = self._start, self._rule, self.iterations, scale, self._rates, self.n_iter
        return np.asarray(scale.cost(replayed(self._problem.quadratic, *run)))

    @property
    def step_size(self) -> StepSize:
        return self._problem.step_size

    @cached_property
    def theta_least_squares(self) -> Floats:
        quadratic, scale = self._problem.quadratic, self._problem.scale
        inner = quadratic.divided(scale).inner_solution if any(scale) else quadratic.inner_solution
        if quadratic.is_deficient:  # what the cost does not depend on stays where it started
            v = quadratic.svd[2]
            inner = inner + self._start - self._start @ v.T @ v
        with np.errstate(over="ignore", invalid="ignore"):
            found = quadratic.coordinates.leave(scale.theta(inner))
        if (any(scale) or self._problem.standardize) and is_beyond(
            quadratic.coordinates.sizes(inner), found, np.float64, EPS * self._problem.unit
        ):
            warnings.warn(
                "Descent: `theta_least_squares` is beyond the range of float64, so 0, inf or of fewer digits; scale "
                "`X` or `y`",
                RuntimeWarning,
                stacklevel=3,
            )
        return self._shaped(found)

    @property
    def contraction(self) -> float:
        return self._rule.contraction(self._problem.quadratic.eigenvalues(self._problem.scale))

    @property
    def intercept(self) -> Any:
        return self.theta[0] if self._problem.fit_intercept else np.zeros_like(self.theta[0])

    @property
    def coef(self) -> Floats:
        return self.theta[int(self._problem.fit_intercept) :]

    def inner_path(self) -> tuple[Floats, Floats]:
        """Return the path in the coordinates of the descent, and the Hessian there.

        Returns
        -------
        path : ndarray, shape (k, p, n)
            `theta_path`, standardised if the descent was, less the minimum.
        hessian : ndarray, shape (n, n)
        """
        if self.theta_path is None:
            raise ValueError("there is no theta_path; run gradient_descent with record_theta=True")
        quadratic = self._problem.quadratic
        path = self.theta_path.reshape(*self.theta_path.shape[:2], -1).swapaxes(-1, -2)
        minimum = self.theta_least_squares.reshape(len(self.theta), -1).T
        enter = quadratic.coordinates.enter
        return enter(path) - enter(minimum), quadratic.hessian

    def _shaped(self, theta: Floats) -> Floats:
        return theta[0] if self.theta.ndim == 1 else theta.T

    def _settings(self) -> str:
        momentum = f", momentum {self.momentum:.4g}" if self.momentum else ""
        return f"{self.method}, learning rate {self.learning_rate:.6g}{momentum}"

    def __repr__(self) -> str:
        has_cost = self.cost is not None and len(self.cost)
        cost = f"cost {self.cost[0]:.6g} -> {self.cost[-1]:.6g}, " if has_cost and self.cost is not None else ""
        reason = self.stop_reason.partition(". ")[0]
        theta = np.array2string(self.theta, threshold=8, max_line_width=10**6).replace("\n", "")
        return f"Descent: {cost}{reason} ({self._settings()})\n  theta = {theta}"

    def summary(self) -> str:
        """Return the run in a few lines: its end, the rate against the limit, the costs, theta against least squares.

        Returns
        -------
        str
        """
        exact = self.theta_least_squares
        lines = [f"Gradient descent: {self.stop_reason}", f"  {self._settings()}"]
        lines += self._step_size_in_words()
        if self.cost is not None and len(self.cost):
            excess = self.excess_cost
            assert excess is not None
            lines.append(
                f"  cost {self.cost[0]:.6g} -> {self.cost[-1]:.6g}, of which {excess[-1]:.3g} can still be gained"
            )
        targets = self.theta[0].size
        names = [f"{name}, target {k}" for name in self.names for k in range(targets)] if targets > 1 else self.names
        width = max(map(len, names))
        lines.append(f"  {'':{width}}  {'descent':>14}  {'least squares':>14}")
        for name, value, end in zip(names, self.theta.ravel(), exact.ravel(), strict=True):
            lines.append(f"  {name:{width}}  {value:14.6g}  {end:14.6g}")
        return "\n".join(lines)

    def _step_size_in_words(self) -> list[str]:
        try:
            step = self.step_size
        except ValueError:
            return ["  the squares of the features are beyond the range of numbers, and so are L and mu"]
        limit, rate = (self._problem.scale.rate(value) for value in (self._rule.limit, self._rule.rate))
        share = self.learning_rate / limit
        text = f"{share:.0%}" if share < 10 else f"{share:.3g} times"
        before = f"{text} of the limit {limit:.6g}; " if limit < np.inf else ""
        lines = [f"  {before}L = {step.L:.6g}, mu = {step.mu:.4g}, kappa = {step.kappa:.4g}"]
        if self.n_iter and self._rule.kind == 0 and self.momentum == 0:
            lines.append(f"  iterations for 6 digits of theta at this rate: {step.iterations(1e-6, rate):.6g}")
        return lines

    def __getstate__(self) -> dict[str, Any]:
        """Pickle results, not the data: what depends on them is computed first."""
        with suppress(RuntimeError):
            self.excess_cost  # noqa: B018
        return self.__dict__
