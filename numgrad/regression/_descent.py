"""Gradient descent for linear least squares: read, plan, warn, run, wrap."""

import warnings
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from math import sqrt
from time import perf_counter
from typing import Any

import numpy as np

from numgrad._checks import choice, flag, integer, not_negative, number
from numgrad.regression import _check
from numgrad.regression._engine import Engine, Record, Rule
from numgrad.regression._fused import Fused
from numgrad.regression._kernels.iteration import BACKTRACKING, BARZILAI_BORWEIN, FIXED, LARGEST
from numgrad.regression._modes import Modes
from numgrad.regression._quadratic import EPS
from numgrad.regression._result import Descent, Problem
from numgrad.regression._rows import CompressedRows, is_dask

# Seconds in a kernel between two looks at pending signals.
PATIENCE = 0.05
# Products in the first call of a kernel, whose speed is not known yet.
FIRST_BUDGET = 2**20
# Chances for a callback in a run, at least.
CHUNKS = 100
# The "optimal" rate is at most this part of the limit.
BELOW = 1 - 1e-9
RATES = ("auto", "optimal", "bb", "backtracking")
ADAPTIVE = {"bb": BARZILAI_BORWEIN, "backtracking": BACKTRACKING}


def gradient_descent(
    X: Any,
    y: Any = None,
    theta0: Any = None,
    *,
    learning_rate: float | str = "auto",
    n_iter: int = 1000,
    method: str = "auto",
    momentum: float | str | None = None,
    l2: float = 0.0,
    fit_intercept: bool = False,
    standardize: bool = False,
    sample_weight: Any = None,
    tol: float = 0.0,
    record: bool | int | str = True,
    record_theta: bool = False,
    on_divergence: str = "warn",
    callback: Callable[[Descent], Any] | None = None,
    progress: bool = False,
) -> Descent:
    """Fit ``y = X @ theta`` by batch gradient descent on the mean squared loss.

    Parameters
    ----------
    X : array_like, shape (m, n), dask array or dataframe, or CompressedRows
        One row for each observation, one column for each feature. Arrays in C or Fortran order, lists and pandas
        objects. Computed in float32 if `X` and `y` are float32, else in float64. With `CompressedRows`, `y` and
        `sample_weight` are left out. dask collections are compressed first, as by `CompressedRows.from_dask`.
    y : array_like, shape (m,) or (m, p)
        The observed values, of one target or of several, which are fitted at once.
    theta0 : array_like, shape of theta, optional
        Where to start. Zeros by default.
    learning_rate : float or {"auto", "optimal", "bb", "backtracking"}, default "auto"
        The factor of the gradient in an update, in units of theta over gradient.

        - a number: below 2/L to converge (see `StepSize`);
        - "auto": 1/L, with which the cost falls in each iteration;
        - "optimal": the fixed rate with the fastest convergence at worst, 2/(L + mu); with momentum m,
          ``2 * (1 + m) / (L + mu)``; with "nesterov", ``4 / (3 * L + mu)``;
        - "bb": Barzilai's and Borwein's [2]_, found anew in each iteration from the last two gradients, the first 1/L.
          The fastest without momentum, by far; its cost jumps, so the best iterate is kept;
        - "backtracking": twice the last rate, halved until the cost falls at least half as much as the slope promises
          (Armijo's condition); 1.5/L at first.
    n_iter : int, default 1000
        The number of iterations.
    method : {"auto", "fused", "modes"}, default "auto"
        "fused" goes over the data in each iteration. "modes" compresses the data once, by a QR decomposition, and
        iterates in the eigenbasis of the Hessian, n operations an iteration however many rows there are. Both give the
        same iterates, to rounding; "auto" takes the one that needs fewer operations.
    momentum : float or "nesterov", optional
        A number m, at least 0 and below 1, for the heavy ball: ``v = m * v + g, theta -= learning_rate * v``.
        "nesterov" for ``theta -= learning_rate * (g + m * v)``, theta being where the gradient is taken, with the m
        that suits the rate. With fixed rates only.
    l2 : float, default 0.0
        A penalty ``l2 * sum(theta**2) / 2`` in the cost, on standardised parameters with `standardize`, never on the
        intercept.
    fit_intercept : bool, default False
        Whether theta begins with an intercept, as if `X` began with a column of ones.
    standardize : bool, default False
        Whether to descend in features of mean 0 and standard deviation 1; without `fit_intercept`, of mean square 1.
        `theta0` and all theta of the result are those of the features as given. Constant features stay at
        `theta0`, or shrink by the penalty.
    sample_weight : float or array_like, shape (m,), optional
        Weights of the rows, at least 0; a weight of k is as good as k equal rows.
    tol : float, default 0.0
        End when the norm of the gradient, in the coordinates of the descent, is at most `tol` of what it was at the
        start or of what it is at zero, whichever is larger; 0 to do all iterations. Where kappa is so large that this
        says nothing of theta, `stop_reason` says so.
    record : bool, int or "log", default True
        Of which iterations the cost is kept: all, none, every k-th and the last, or about 50 in each decade and the
        last.
    record_theta : bool, default False
        Whether to keep theta of the same iterations.
    on_divergence : {"warn", "raise", "ignore"}, default "warn"
        What to do when the rate is at or above the limit, before the run; and when the cost leaves the range of
        numbers.
    callback : callable, optional
        Called with the `Descent` so far at least a hundred times in a run, and every 0.05 seconds, or after each
        iteration if it takes longer. A true result stops the run. While "backtracking", theta may be that of the
        iteration before. An exception gets the state reached as ``descent``.
    progress : bool, default False
        Whether to show a progress bar, which needs tqdm.

    Returns
    -------
    Descent
        With `theta`, `cost`, `n_iter`, `stop_reason`, and what it took.

    Raises
    ------
    ValueError
        For data that are empty, not finite, not numbers or of shapes that do not match, and for options out of their
        range; with ``on_divergence="raise"`` for a rate from the limit on. The message names the argument, the value
        and the remedy.
    FloatingPointError
        With ``on_divergence="raise"``, if the cost grows without end or leaves the range of the dtype. It has the state
        reached, a Descent, as ``descent``.
    KeyboardInterrupt
        On Ctrl-C, at most 0.2 seconds after it, except in the decomposition of more than about 500 features, which
        LAPACK brings to its end. Once the iteration has begun, the exception has the state reached, a Descent, as
        ``descent``.

    Warns
    -----
    RuntimeWarning
        Before the run, if the rate is at or above the limit; the message has the limit. Such a run stops when the cost
        has grown to twice its least value. (It can stay finite for 100,000 iterations, so NaN and infinity are no
        test.) Also for features that standardising drops, being constant to the rounding of their entries, and for what
        of the result lies beyond the range of numbers: features and targets of any scale are descended on.

    See Also
    --------
    step_size : what a learning rate does, before a run.

    Notes
    -----
    An iteration computes, for m observations,

    - the hypothesis ``h = X @ theta``,
    - the loss ``l = h - y``, and the cost ``J = sum(l**2) / (2 * m)``,
    - the gradient ``g = X.T @ l / m``,
    - the update ``theta = theta - learning_rate * g``,

    in one pass over the data. With weights w, sums are of ``w * l``, and m is ``sum(w)``. An error along an eigenvector
    of ``X.T @ X / m`` with eigenvalue s shrinks by ``1 - learning_rate * s`` in each iteration [1]_, so features of
    very different scales converge at very different rates. L is the largest eigenvalue, mu the smallest that is not
    zero. The limit of the rate is ``2 / L``, with momentum m ``2 * (1 + m) / L``, with "nesterov"
    ``2 * (1 + m) / ((1 + 2 * m) * L)``; its m is ``(1 - q) / (1 + q)``, ``q = sqrt(learning_rate * mu)``, or that of
    [3]_ for the "optimal" rate.

    The sums of a pass are taken in the same order for any number of threads, and so are their bits.

    References
    ----------
    .. [1] G. Goh, "Why Momentum Really Works", Distill, 2017. doi:10.23915/distill.00006
    .. [2] J. Barzilai, J. Borwein, "Two-Point Step Size Gradient Methods", IMA J. Numer. Anal. 8, 1988.
       doi:10.1093/imanum/8.1.141
    .. [3] L. Lessard, B. Recht, A. Packard, "Analysis and Design of Optimization Algorithms via Integral Quadratic
       Constraints", SIAM J. Optim. 26, 2016. doi:10.1137/15M1009597

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
    wanted = choice("method", method, ("auto", "fused", "modes"))
    if wanted == "fused" and is_dask(X):
        raise ValueError(
            "`method` is 'fused', and dask would compute all rows again in each iteration; give 'modes' or 'auto'"
        )
    problem, theta, is_flat, dtype = _read(X, y, theta0, sample_weight, l2, fit_intercept, standardize)
    total = integer("n_iter", n_iter, 1, 2**62, "a positive integer, like 1000 or int(1e5)")
    if wanted == "fused" and problem.data is None:
        raise ValueError("`method` is 'fused', and CompressedRows have no rows to go over; give 'modes' or 'auto'")
    record_at = _check.recorded(record, total)
    has_record = len(record_at) > 0
    has_path = flag("record_theta", record_theta)
    if has_path and not has_record:
        raise ValueError(
            "`record_theta` is True and `record` is False; give a `record`, which says of which iterations"
        )
    on_end = choice("on_divergence", on_divergence, ("warn", "raise", "ignore"))
    if callback is not None and not callable(callback):
        raise ValueError(f"`callback` is {callback!r}; give a function of one argument")
    tolerance = not_negative("tol", tol)
    has_bar = flag("progress", progress)
    p = 1 if is_flat else theta.shape[1]
    wanted = _cheaper(problem, total, p) if wanted == "auto" else wanted
    if wanted == "modes":
        problem.quadratic  # noqa: B018  # before L is asked for, which it has, too
    start = problem.coordinates.enter(theta.reshape(len(theta), -1).T)
    problem.find_scale(start)
    scale = problem.scale
    start = scale.enter(start)
    rule = _rule(problem, learning_rate, momentum, tolerance)
    is_told = rule.rate >= rule.limit and problem.largest[1]
    if is_told:
        message = f"`learning_rate` is {_limit_and_remedy(problem, rule)}"
        if on_end == "raise":
            raise ValueError(message)
        if on_end == "warn":
            warnings.warn(f"gradient_descent: {message}", RuntimeWarning, stacklevel=2)

    _warn_of_constants(problem)
    kept = Record(record_at, has_path)
    engine: Engine
    if wanted == "modes":
        engine = Modes(problem.quadratic, start, rule, kept, scale)
    else:
        engine = Fused(problem.inner, start, rule, kept, scale.curvature(problem.l2), total)

    def shaped(inner: np.ndarray) -> np.ndarray:
        theta = problem.coordinates.leave(scale.theta(inner))
        return theta[..., 0, :] if is_flat else theta.swapaxes(-1, -2)

    def result(reason: str, is_end: bool = False) -> Descent:
        done = engine.done
        is_last_best = not rule.keeps_best or not done
        if is_end and not is_last_best and not engine.is_diverged:
            is_last_best = engine.settle() < engine.least_excess
        with np.errstate(over="ignore", invalid="ignore"):  # of a run that diverged
            last = engine.theta()
            best = last if is_last_best else engine.best()
            last = best if rule.kind == BARZILAI_BORWEIN else last
            theta, best_theta = (shaped(t).astype(dtype, copy=False) for t in (last, best))
            path = shaped(engine.path()) if has_path else None
        iterations = engine.kept
        costs = scale.cost(kept.costs[:, : len(iterations)])
        costs = costs if is_end and len(iterations) == len(record_at) else costs.copy()
        if is_end and (any(scale) or dtype == np.float32 or problem.standardize):
            _warn_of_the_range(problem, dtype, engine, kept.costs[0, : len(iterations)], costs[0], theta)
        return Descent(
            theta=theta,
            cost=costs[0] if has_record else None,
            iterations=iterations if has_record else None,
            n_iter=done,
            stop_reason=reason,
            method=wanted,
            learning_rate=scale.rate(engine.rate) if rule.given is None else rule.given,
            momentum=rule.momentum,
            theta_path=path,
            best_theta=best_theta,
            names=problem.names,
            _problem=problem,
            _rule=rule,
            _start=start,
            _rates=engine.rates[:done].copy(),
            _excess=costs[1] if has_record and wanted == "modes" else None,
        )

    bar = _progress_bar(total) if has_bar else None
    try:
        is_stopped = _iterate(engine, total, callback, bar, result)
        done = engine.done
        if engine.is_diverged:
            reason = _diagnosis(problem, rule, engine, dtype)
        elif engine.is_converged:
            reason = (
                f"converged in iteration {done}: the gradient is below tol={tolerance:g} of what it was at the start"
                + _doubt(problem, tolerance)
            )
        elif is_stopped:
            reason = f"stopped by the callback after {done} of {total} iterations"
        else:
            reason = f"completed {total} iterations"
        run = result(reason, True)
    except BaseException as error:  # a KeyboardInterrupt in most cases; or the callback's
        with suppress(AttributeError):
            error.descent = result(f"interrupted after {engine.done} of {total} iterations")  # type: ignore[attr-defined]
        raise
    finally:
        problem.finish()
        if bar is not None:
            bar.close()
    if engine.is_diverged and on_end == "raise":
        raised = FloatingPointError(f"gradient_descent {run.stop_reason}")
        raised.descent = run  # type: ignore[attr-defined]
        raise raised
    if engine.is_diverged and on_end == "warn" and not is_told:
        warnings.warn(f"gradient_descent {run.stop_reason}", RuntimeWarning, stacklevel=2)
    return run


def _read(
    X: Any, y: Any, theta0: Any, sample_weight: Any, l2: float, fit_intercept: bool, standardize: bool
) -> tuple[Problem, np.ndarray, bool, Any]:
    options = (
        not_negative("l2", l2),
        flag("fit_intercept", fit_intercept),
        flag("standardize", standardize),
    )
    if is_dask(X):
        if y is None:
            raise ValueError("`y` is missing; give the observed values, or CompressedRows in place of `X` and `y`")
        X, y, sample_weight = CompressedRows.from_dask(X, y, sample_weight), None, None
    if isinstance(X, CompressedRows):
        for name, given in (("y", y), ("sample_weight", sample_weight)):
            if given is not None:
                raise ValueError(f"`{name}` is given with CompressedRows, which have theirs; leave it out")
        if X.R is None:
            raise ValueError("`X` is CompressedRows without rows; call its `update` first")
        problem = Problem(None, X, *options)
        n, p, is_flat, dtype = X.n_features, X.n_targets, X.is_flat, np.float64
        problem.quadratic  # noqa: B018  # of now: the rows may be updated later
    else:
        if y is None:
            raise ValueError("`y` is missing; give the observed values, or CompressedRows in place of `X` and `y`")
        data = _check.data(X, y, sample_weight)
        problem = Problem(data, None, *options)
        n, p, is_flat, dtype = data.x.shape[1], data.y.shape[1], data.is_flat, data.dtype
    size = n + options[1]
    return problem, _check.theta(theta0, (size,) if is_flat else (size, p)), is_flat, dtype


def _cheaper(problem: Problem, n_iter: int, p: int) -> str:
    """Return the engine that needs less, in products; a third of one for the QR, whose loops reuse what they load."""
    if problem.data is None:
        return "modes"
    m, n = problem.data.x.shape
    size = n + p + 1
    modes = 2 * m * size * min(m, size) / 3 + 20 * size * min(m, size) ** 2 + 4 * n_iter * size * p
    return "modes" if modes + 2**16 < 2 * n_iter * m * n * p else "fused"


def _rule(problem: Problem, learning_rate: Any, momentum: Any, tol: float) -> Rule:
    """Return what the options amount to for these data."""
    is_nesterov = isinstance(momentum, str) and momentum == "nesterov"
    if isinstance(momentum, str) and not is_nesterov:
        raise ValueError(f"`momentum` is {momentum!r}; give None, a number of at least 0 and below 1, or 'nesterov'")
    m = 0.0 if momentum is None or is_nesterov else not_negative("momentum", momentum, 1.0)
    if isinstance(learning_rate, str):
        choice("learning_rate", learning_rate, RATES, "a positive number, or ")
    else:
        remedy = "a positive number, below 2/L to converge, or one of " + ", ".join(map(repr, RATES))
        number("learning_rate", learning_rate, remedy, above=0.0)
    if learning_rate in ADAPTIVE and (m or is_nesterov):
        raise ValueError(
            f"`momentum` is {momentum!r} with learning_rate={learning_rate!r}, which finds its own steps; "
            f"give a fixed rate, 'auto' or 'optimal'"
        )
    if learning_rate == "optimal" or is_nesterov:
        problem.quadratic  # noqa: B018  # these need mu
    L, is_exact = problem.largest
    given = 1.0 if isinstance(learning_rate, str) else problem.scale.enter_rate(float(learning_rate))
    if not L:  # nothing moves
        rate = given
        return Rule(FIXED, rate, m, is_nesterov, rate, np.inf, tol)
    mu = problem.slowest if learning_rate == "optimal" or is_nesterov else 0.0
    safe = 1 / L
    kind = ADAPTIVE.get(learning_rate, FIXED) if isinstance(learning_rate, str) else FIXED
    if kind != FIXED:
        return Rule(kind, safe * (1.5 if kind == BACKTRACKING else 1), safe=safe, tol=tol)
    if learning_rate == "auto":
        rate = safe
    elif learning_rate == "optimal":
        rate = 4 / (3 * L + mu) if is_nesterov else 2 * (1 + m) / (L + mu)
    else:
        rate = given
    if is_nesterov and learning_rate == "optimal":
        root = sqrt(3 * L / mu + 1)
        m = (root - 2) / (root + 2)
    elif is_nesterov:
        q = min(1.0, sqrt(rate * mu))
        m = (1 - q) / (1 + q)
    limit = 2 * (1 + m) / L / (1 + 2 * m if is_nesterov else 1)
    if learning_rate == "optimal":  # 2/(L + mu) is 2/L to rounding, if mu is small enough
        rate = min(rate, BELOW * limit)
    # The cost of a run with momentum swings; without, growth means divergence, if L may be larger than estimated.
    is_watched = rate >= limit or not (is_exact or m)
    is_given = not isinstance(learning_rate, str)
    return Rule(FIXED, rate, m, is_nesterov, safe, limit, tol, is_watched, float(learning_rate) if is_given else None)


def _iterate(engine: Engine, total: int, callback: Any, bar: Any, result: Callable[[str], Descent]) -> bool:
    """Run to the end; return whether the callback has stopped the run."""
    step = 1 + FIRST_BUDGET // engine.work
    most = max(1, total // CHUNKS) if callback is not None or bar is not None else total
    while engine.done < total and engine.goes_on:
        before, start = engine.done, perf_counter()
        step = min(step, most)
        engine.run(min(total, before + step))
        step = max(1, min(2**40, int(step * min(8.0, PATIENCE / (perf_counter() - start + 1e-9)))))
        done = engine.done
        if bar is not None:
            bar.update(done - before)
        if callback is not None and callback(result(f"running, {done} of {total} iterations")):
            return done < total and engine.goes_on
    return False


def _progress_bar(total: int) -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise ImportError("`progress` is True, which needs tqdm: pip install 'numgrad[progress]'") from None
    return tqdm(total=total, desc="gradient_descent", unit="iteration")


def _limit_and_remedy(problem: Problem, rule: Rule) -> str:
    L = problem.largest[0]
    formula = "2/L"
    if rule.momentum:
        formula = "2 (1 + momentum) / L"
        formula += " / (1 + 2 momentum)" if rule.is_nesterov else ""
    hessian = "X.T @ X / m" + (" + l2" if problem.l2 else "")
    hessian += " of the standardised features" if problem.standardize else ""
    remedy = "" if problem.standardize else ", or standardize=True, which raises the limit"
    rate, limit, safe = (shown(value, -2 * problem.scale.x) for value in (rule.rate, rule.limit, 1 / L))
    rate = rate if rule.given is None else f"{rule.given:.6g}"
    return (
        f"{rate}, at or above the limit {formula} = {limit}, L = {shown(L, 2 * problem.scale.x)} being the largest "
        f"eigenvalue of {hessian}: the descent diverges. Take a rate below the limit, like learning_rate='auto', which "
        f"is 1/L = {safe}{remedy}"
    )


def _doubt(problem: Problem, tol: float) -> str:
    """Say what a gradient below `tol` of what it was means, where it means nothing."""
    kappa = problem.kappa
    if not kappa * max(tol, EPS) >= 1:
        return ""
    remedy = "" if problem.standardize else ", or descend with standardize=True"
    return (
        f". With kappa = {kappa:.3g} that says nothing of theta, which may be wrong in all digits: take "
        f"theta_least_squares{remedy}"
    )


def _warn_of_constants(problem: Problem) -> None:
    """Name the features that standardising drops."""
    if not problem.standardize:
        return
    first = int(problem.fit_intercept)
    dropped = [problem.names[first + j] for j in np.flatnonzero(problem.coordinates.factor == 0)]
    if dropped:
        what = "constant to the rounding of their entries" if first else "zero in all rows"
        some = ", ".join(map(repr, dropped[:8])) + (f" and {len(dropped) - 8} more" if len(dropped) > 8 else "")
        warnings.warn(
            f"gradient_descent: of the features of `X`, {some} cannot be standardised, being {what}: dropped, their "
            f"theta stays at `theta0`, or shrinks by the penalty; leave them out",
            RuntimeWarning,
            stacklevel=3,
        )


def _warn_of_the_range(problem: Problem, dtype: Any, engine: Engine, inner_costs: Any, costs: Any, theta: Any) -> None:
    """Name what the result has as 0 or infinity, or with fewer digits, since it is beyond the range of numbers."""
    if engine.is_diverged:
        return

    def is_lost(inner: Any, outer: Any, kind: Any, least: float = 0.0) -> bool:
        limits = np.finfo(kind)
        size = abs(np.asarray(outer, np.float64))
        return bool(((abs(np.asarray(inner)) > least) & ~((limits.tiny <= size) & (size <= limits.max))).any())

    inner = engine.theta().T.reshape(theta.shape)
    lost = ["theta"] * is_lost(inner, theta, dtype, float(np.finfo(dtype).eps) * problem.unit)
    lost += ["cost"] * is_lost(inner_costs, costs, np.float64, EPS**2)
    lost += ["learning_rate"] * is_lost(engine.rate, problem.scale.rate(engine.rate), np.float64)
    if lost:
        names = " and ".join(f"`{name}`" for name in lost)
        warnings.warn(
            f"gradient_descent: {names} of the result {'is' if len(lost) == 1 else 'are'} beyond the range of "
            f"{np.dtype(dtype)}, so 0, inf or of fewer digits; scale `X` or `y`",
            RuntimeWarning,
            stacklevel=4,
        )


def shown(value: float, exponent: int) -> str:
    """Return value times a power of two in words, be it in the range of numbers or not."""
    if not exponent or not np.isfinite(value):
        return f"{value:.6g}"
    return f"{Decimal(value) * Decimal(2) ** exponent:.6g}"


def _diagnosis(problem: Problem, rule: Rule, engine: Engine, dtype: Any) -> str:
    iteration, least, latest = engine.done, engine.least_cost, engine.latest
    of_cost, of_rate = 2 * problem.scale.y, -2 * problem.scale.x
    limit = shown(rule.limit, of_rate)
    grown = f"diverged in iteration {iteration}: the cost "
    if least < LARGEST / 2:
        grown += f"grew from {shown(least, of_cost)} to {shown(latest, of_cost)}"
    else:
        grown += f"is {latest} from the start"
    if rule.rate >= rule.limit:
        return f"{grown}. learning_rate={_limit_and_remedy(problem, rule)}"
    if rule.is_watched and np.isfinite(latest):
        return (
            f"{grown}. learning_rate={shown(rule.rate, of_rate)} is above the limit 2/L, estimated to be {limit} at "
            f"most. Take a rate well below it, or method='modes', which knows it"
        )
    below = f"learning_rate={shown(rule.rate, of_rate)} is below the limit {limit}"
    what = below if rule.kind == FIXED else "The rates found converge"
    return f"{grown}. {what}, so the range of {np.dtype(dtype)} is at fault; scale the features and y down"
