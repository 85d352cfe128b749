"""The longer messages of a descent: warnings before it begins, why it diverged, doubts about its result."""

from decimal import Decimal
from typing import Any

import numpy as np

from numgrad.regression._engine import Engine, Rule
from numgrad.regression._kernels.iteration import FIXED, LARGEST
from numgrad.regression._problem import Problem
from numgrad.regression._quadratic import EPS


def limit_and_remedy(problem: Problem, rule: Rule) -> str:
    """Say how the rate stands to the limit, and which rate to take."""
    L = problem.largest[0]
    formula = "2/L"
    if rule.momentum:
        formula = "2 (1 + momentum) / L"
        formula += " / (1 + 2 momentum)" if rule.is_nesterov else ""
    model = problem.model
    hessian = "X.T @ X / m" + (" + l2" if model.l2 else "")
    hessian += " of the standardised features" if model.standardize else ""
    scaled = (
        "standardize=True" if model.fit_intercept else "fit_intercept=True, standardize=True without a column of ones"
    )
    remedy = "" if model.standardize else f", or {scaled}, which raises the limit"
    rate, limit, safe = (_shown(value, -2 * problem.scale.x) for value in (rule.rate, rule.limit(L), 1 / L))
    rate = rate if rule.given is None else f"{rule.given:.6g}"
    return (
        f"{rate}, at or above the limit {formula} = {limit}, L = {_shown(L, 2 * problem.scale.x)} being the largest "
        f"eigenvalue of {hessian}: the descent diverges. Take a rate below the limit, like learning_rate='auto', which "
        f"is 1/L = {safe}{remedy}"
    )


def dropped(problem: Problem) -> str:
    """Name the features that standardising drops, if any."""
    if not problem.model.standardize:
        return ""
    first = int(problem.model.fit_intercept)
    names = [problem.names[first + j] for j in np.flatnonzero(problem.coordinates.factor == 0)]
    if not names:
        return ""
    what = "constant to the rounding of their entries" if first else "zero in all rows"
    some = ", ".join(map(repr, names[:8])) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    return (
        f"of the features of `X`, {some} cannot be standardised, being {what}: dropped, their "
        f"theta stays at `theta0`, or shrinks by the penalty; leave them out"
    )


def doubt(problem: Problem, tol: float) -> str:
    """Say that a gradient below `tol` of what it was says nothing of theta, where kappa is so large."""
    kappa = problem.kappa
    if not kappa * max(tol, EPS) >= 1:
        return ""
    remedy = "" if problem.model.standardize else ", or descend with standardize=True"
    return (
        f"With kappa = {kappa:.3g} that says nothing of theta, which may be wrong in all digits: take "
        f"theta_least_squares{remedy}"
    )


def diagnosis(problem: Problem, rule: Rule, engine: Engine) -> str:
    """Say why the cost of a run has grown."""
    of_cost, of_rate = 2 * problem.scale.y, -2 * problem.scale.x
    latest, limit, rate = engine.latest, _shown(rule.limit(problem.largest[0]), of_rate), _shown(rule.rate, of_rate)
    grown = f"diverged in iteration {engine.done}: the cost "
    if engine.least_cost < LARGEST / 2:
        grown += f"grew from {_shown(engine.least_cost, of_cost)} to {_shown(latest, of_cost)}"
    else:
        grown += f"is {latest} from the start"
    if rule.is_beyond:
        return f"{grown}. learning_rate={limit_and_remedy(problem, rule)}"
    if rule.is_watched and np.isfinite(latest):
        return (
            f"{grown}. learning_rate={rate} is above the limit 2/L, estimated to be {limit} at "
            f"most. Take a rate well below it, or method='modes', which knows it"
        )
    below = f"learning_rate={rate} is below the limit {limit}"
    what = below if rule.kind == FIXED else "The rates found converge"
    return f"{grown}. {what}, so the range of {np.dtype(problem.dtype)} is at fault; scale the features and y down"


def beyond_range(names: list[str], dtype: Any) -> str:
    """Say that the parts of a result with these names are 0 or infinity, or have fewer digits than they should."""
    if not names:
        return ""
    return (
        f"{' and '.join(f'`{name}`' for name in names)} of the result {'is' if len(names) == 1 else 'are'} beyond the "
        f"range of {np.dtype(dtype)}, so 0, inf or of fewer digits; scale `X` or `y`"
    )


def _shown(value: float, exponent: int) -> str:
    """Return value times a power of two in words, be it in the range of numbers or not."""
    if not exponent or not np.isfinite(value):
        return f"{value:.6g}"
    return f"{Decimal(value) * Decimal(2) ** exponent:.6g}"
