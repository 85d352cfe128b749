"""The result of gradient descent."""

import warnings
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from numgrad._system.tables import Table, figures, together
from numgrad.regression._check import Floats
from numgrad.regression._engine import Rule
from numgrad.regression._kernels.iteration import FIXED
from numgrad.regression._modes import replayed
from numgrad.regression._problem import Problem
from numgrad.regression._quadratic import EPS, is_beyond
from numgrad.regression._step_size import StepSize

if TYPE_CHECKING:
    from numgrad.regression._explained import IterationExplanation


class End(StrEnum):
    """Why a run ended, if it has."""

    COMPLETED = "completed"
    CONVERGED = "converged"
    STOPPED = "stopped"
    DIVERGED = "diverged"
    INTERRUPTED = "interrupted"
    RUNNING = "running"


@dataclass(frozen=True, eq=False, repr=False)
class Descent:
    """The result of `gradient_descent`, or of a part of its iterations.

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
    end : str
        Why the run ended: "completed", "converged", "stopped" (by the callback), "diverged" or "interrupted"; "running"
        for the callback itself.
    stop_reason : str
        The same in a sentence, with the remedy after it if there is one.
    doubt : str
        Why the end says nothing of theta, if it does not; else empty.
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
        The effect of learning rates in the coordinates of the descent: with intercept, penalty, standardised.
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
    end: End
    stop_reason: str
    doubt: str
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
        if quadratic.is_deficient:  # directions that the cost does not depend on stay where they started
            v = quadratic.svd[2]
            inner = inner + self._start - self._start @ v.T @ v
        with np.errstate(over="ignore", invalid="ignore"):
            found = quadratic.coordinates.leave(scale.theta(inner))
        if (any(scale) or self._problem.model.standardize) and is_beyond(
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
        return self.theta[0] if self._problem.model.fit_intercept else np.zeros_like(self.theta[0])

    @property
    def coef(self) -> Floats:
        return self.theta[int(self._problem.model.fit_intercept) :]

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

    def explain(
        self, iteration: int = 0, X: Any = None, y: Any = None, sample_weight: Any = None, *, target: int = 0
    ) -> "IterationExplanation":
        """Return the four operations of an iteration with their numbers: hypothesis, loss, gradient, update.

        The run is done again up to this iteration, so that the numbers are its own. All is in the coordinates of the
        descent: of features that were standardised, those. Of many rows and parameters the first and the last are
        shown.

        Parameters
        ----------
        iteration : int, default 0
            From 0 to ``n_iter - 1``; negative ones count from the end.
        X, y, sample_weight : array_like, optional
            The data of the run, once more. Without them, few rows are those of the run; of more than 4096 numbers no
            copy is kept, so that rows can be shown only as long as the caller has their arrays.
        target : int, default 0
            Which target, if there are several.

        Returns
        -------
        IterationExplanation
            Which prints the text, and has the numbers: `theta`, `cost`, `gradient`, `learning_rate`, `theta_next`, and
            `hypothesis` and `loss` of the `rows` shown.

        Raises
        ------
        ValueError
            If there is no such iteration or target, or `X` and `y` have not the shapes of those of the run.
        RuntimeError
            If the data have changed, or are needed and gone.

        Examples
        --------
        >>> import numgrad as ng
        >>> run = ng.gradient_descent([[1, 0], [1, 1], [1, 2]], [3, 5, 7], learning_rate=0.5, n_iter=9)
        >>> run.explain()
        iteration 0 of 9
        hypothesis h = X theta
          h[0] = 1 * 0 + 0 * 0 = 0
          h[1] = 1 * 0 + 1 * 0 = 0
          h[2] = 1 * 0 + 2 * 0 = 0
        loss l = h - y
          l[0] = 0 - 3 = -3
          l[1] = 0 - 5 = -5
          l[2] = 0 - 7 = -7
          cost J = sum(l^2) / (2 m) = 83 / (2 * 3) = 13.8333333333333
        gradient g = X' l / m
          g[0] = (1 * (-3) + 1 * (-5) + 1 * (-7)) / 3 = -5
          g[1] = (0 * (-3) + 1 * (-5) + 2 * (-7)) / 3 = -6.33333333333333
        update theta = theta - learning_rate g, learning_rate = 0.5
          theta[0] = 0 - 0.5 * (-5) = 2.5
          theta[1] = 0 - 0.5 * (-6.333333333333333) = 3.16666666666667
        """
        from numgrad.regression._explained import explained

        data = X, y, sample_weight
        run = self._problem, self._rule, self._start, self.method, self.n_iter
        return explained(*run, iteration, target, data)

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

    def _repr_html_(self) -> str:
        rows = [("end", self.stop_reason or self.end), ("beware", self.doubt)]
        rows += [("iterations", f"{self.n_iter:,}"), ("method", self._settings())]
        if self.cost is not None and len(self.cost):
            rows.append(("cost", f"{self.cost[0]:.6g} -> {self.cost[-1]:.6g}"))
        targets = self.theta[0].size

        def row(i: int) -> list[str]:
            which = [f"target {i % targets}"] * (targets > 1)
            return [self.names[i // targets], *which, f"{self.theta.reshape(-1)[i]:.6g}"]

        theta = Table(["parameter", *["target"] * (targets > 1), "theta"], row, self.theta.size)
        return together(figures("Descent", [row for row in rows if row[1]]), theta.html())

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
        limit = self._rule.limit(self._problem.largest[0])
        limit, rate = (self._problem.scale.rate(value) for value in (limit, self._rule.rate))
        share = self.learning_rate / limit
        text = f"{share:.0%}" if share < 10 else f"{share:.3g} times"
        before = f"{text} of the limit {limit:.6g}; " if limit < np.inf else ""
        lines = [f"  {before}L = {step.L:.6g}, mu = {step.mu:.4g}, kappa = {step.kappa:.4g}"]
        if self.n_iter and self._rule.kind == FIXED and self.momentum == 0:
            lines.append(f"  iterations for 6 digits of theta at this rate: {step.iterations(1e-6, rate):.6g}")
        return lines

    def __getstate__(self) -> dict[str, Any]:
        """Pickle results, not the data: what depends on them is computed first."""
        state = dict(self.__dict__)
        with suppress(RuntimeError):  # the data have changed
            state["excess_cost"] = self.excess_cost
        return state
