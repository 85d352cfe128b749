"""How accurate derivatives of functions are, and their error estimates, beside other libraries."""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.functions import TABLE, Function
from benchmarks.measure import table
from numgrad.functions import derivative


def by_scipy(function: Function, x: np.ndarray, **options: Any) -> Any:
    from scipy.differentiate import derivative as scipy_derivative

    return scipy_derivative(function.fun, x, **options).df


def by_numdifftools(function: Function, x: np.ndarray) -> Any:
    import numdifftools

    return numdifftools.Derivative(function.fun)(x)


def by_jacobi(function: Function, x: np.ndarray) -> Any:
    from jacobi import jacobi

    return [np.squeeze(jacobi(function.fun, point)[0]) for point in x]


PEERS: dict[str, Callable[[Function, np.ndarray], Any]] = {
    "scipy.differentiate": by_scipy,
    "scipy, rtol=1e-14": partial(by_scipy, tolerances={"rtol": 1e-14}, maxiter=20),
    "numdifftools": by_numdifftools,
    "jacobi": by_jacobi,
}


def errors(values: Any, exact: np.ndarray) -> np.ndarray:
    """Relative ones; inf where there is no number."""
    error = abs(np.asarray(values, float) - exact) / abs(exact)
    return np.where(np.isfinite(error), error, np.inf)


def of_peer(call: Callable[[Function, np.ndarray], Any], function: Function, exact: np.ndarray) -> np.ndarray:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return errors(call(function, function.points), exact)
        except np.linalg.LinAlgError:  # jacobi, at steps far too small
            return np.full(exact.size, np.inf)


def report(functions: list[Function] = TABLE) -> list[str]:
    rows, covered, points, behind = [], 0, 0, []
    for function in functions:
        exact = function.exact(function.points)
        result = derivative(function.fun, function.points, vectorized=True)
        covered += int((abs(result.value - exact) <= result.error).sum())
        points += exact.size
        ours = errors(result.value, exact)
        theirs = [of_peer(call, function, exact) for call in PEERS.values()]
        best = {of_all: max(min(map(of_all, theirs)), 2.0**-52) for of_all in (np.median, np.max)}
        behind += [function.formula] * any(of_all(ours) > 10 * least for of_all, least in best.items())
        cells = " | ".join(f"{np.median(e):.0e}, {e.max():.0e}" for e in (ours, *theirs))
        estimate = np.median(result.error / abs(exact))
        rows.append(f"| {function.group}: {function.formula} | {cells} | {estimate:.0e} | {result.n_eval.mean():.0f} |")
    text = (
        f"Relative errors at {functions[0].points.size} points, median and largest; numgrad's estimate, the median. It "
        f"covers the error at {covered} of {points} points ({covered / points:.1%}, at least 95 %). Behind the best of "
        f"the others by more than a factor of 10, in the median or at worst: {', '.join(behind) or 'none'}."
    )
    return [text, "", *table(f"| function | numgrad | {' | '.join(PEERS)} | estimate | evaluations |", rows)]
