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


def corners() -> list[str]:
    """What derivatives of functions are tried on beyond the table: ripples, extrema, poles, high orders."""
    from numdifftools import Derivative

    rows = []
    for name, fun, x, args, n, exact in _corners():
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = derivative(fun, x, n=n, vectorized=True, args=args)
            quotient = Derivative(fun, n=n)
            quotient.full_output = True
            theirs, their_error, *_ = quotient(x, *args)
        scale = np.maximum(abs(exact), abs(exact).max() * 1e-3 + (exact == 0).all())

        def cells(value: Any, error: Any, said: np.ndarray, exact: np.ndarray = exact, scale: Any = scale) -> list[str]:
            off = np.nan_to_num(abs(value - exact), nan=np.inf)
            outside = (off > error + 4e-16 * abs(exact))[said].sum()
            return [f"{np.median(off / scale):.0e}", f"{outside} of {said.sum()}"]

        ours, outside = cells(found.value, found.error, found.converged)
        evaluations = f"{np.median(found.n_eval):.0f}"
        shown = [f"{found.converged.mean():.0%}, {outside}", evaluations]
        peer = cells(theirs, their_error, np.ones(x.size, bool))
        rows.append(f"| {' | '.join([name, ours, *shown, *peer])} |")
    text = (
        "Errors relative to the exact derivative (to 1 at extrema), the median; the share of results said to have "
        "converged, and how many of these are farther off than their error says. numdifftools does not say whether it "
        "converged. Ripples are sin(x) + a sin(w x + p), w from 500 to 1e4, the ripple's derivative 0.1 % to 30 % of "
        "1, where a is above 1e-11."
    )
    head = "| case | numgrad | converged, outside | evaluations | numdifftools | outside |"
    return [text, "", *table(head, rows)]


def _corners() -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(17)
    cases: list[tuple[Any, ...]] = []
    for n in (1, 2, 3, 4):
        w, share = 10 ** rng.uniform(np.log10(500), 4, 4000), 10 ** rng.uniform(-3, np.log10(0.3), 4000)
        seen = np.flatnonzero(share / w**n > 1e-11)[:300]
        if seen.size < 20:
            continue
        w, a = w[seen], (share / w**n)[seen]
        x, p = rng.uniform(-2, 2, seen.size), rng.uniform(0, 6, seen.size)
        exact = np.sin(x + n * np.pi / 2) + a * w**n * np.sin(w * x + p + n * np.pi / 2)
        cases.append((f"ripples, n = {n}", _rippled, x, (a, w, p), n, exact))
    x, w = rng.uniform(-3, 3, 200), 10 ** rng.uniform(-2, 2, 200)
    cases.append(("extrema, cos(w (x - a)) + 2", _extremum, x, (x, w), 1, np.zeros(200)))
    cases.append(("extrema, 1/(1 + w² (x - a)²)", _bump, x, (x, w), 1, np.zeros(200)))
    c = 10 ** rng.uniform(-24, 0, 200)
    x = np.cbrt(c / 2)
    cases += [
        (f"x² + c/x at its minimum, n = {n}", _pole, x, (c,), n, e)
        for n, e in ((2, 2 + 2 * c / x**3), (3, -6 * c / x**4))
    ]
    for n in range(5, 11):
        for formula in ("cos(x)", "exp(-x**2)", "x/(1 + x**2)"):
            (function,) = (f for f in TABLE if f.formula == formula)
            cases.append(
                (f"{formula}, n = {n}", function.fun, function.points, (), n, function.exact(function.points, n))
            )
    return cases


def _rippled(x: Any, a: Any, w: Any, p: Any) -> Any:
    return np.sin(x) + a * np.sin(w * x + p)


def _extremum(x: Any, a: Any, w: Any) -> Any:
    return np.cos(w * (x - a)) + 2


def _bump(x: Any, a: Any, w: Any) -> Any:
    return 1 / (1 + (w * (x - a)) ** 2)


def _pole(x: Any, c: Any) -> Any:
    return x * x + c / x
