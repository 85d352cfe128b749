"""Gradient descent for linear least squares: read the arguments, plan, run, and warn."""

import warnings
from collections.abc import Callable
from typing import Any, Literal

from numgrad._checks import choice, flag, integer, not_negative
from numgrad.regression import _check, _plan, _words
from numgrad.regression._engine import Record
from numgrad.regression._problem import Model, read
from numgrad.regression._result import Descent, End
from numgrad.regression._run import Run


def gradient_descent(
    X: Any,
    y: Any = None,
    theta0: Any = None,
    *,
    learning_rate: float | Literal["auto", "optimal", "bb", "backtracking"] = "auto",
    n_iter: int = 1000,
    method: Literal["auto", "fused", "modes"] = "auto",
    momentum: float | Literal["nesterov"] | None = None,
    l2: float = 0.0,
    fit_intercept: bool = False,
    standardize: bool = False,
    sample_weight: Any = None,
    tol: float = 0.0,
    record: bool | int | Literal["log"] = True,
    record_theta: bool = False,
    on_divergence: Literal["warn", "raise", "ignore"] = "warn",
    callback: Callable[[Descent], Any] | None = None,
    progress: bool = False,
) -> Descent:
    """Fit ``y = X @ theta`` by batch gradient descent on the mean squared loss.

    Parameters
    ----------
    X : array_like or sparse, shape (m, n), dask array or dataframe, or CompressedRows
        One row for each observation, one column for each feature. Arrays in C or Fortran order, lists, and data
        frames of pandas, polars and pyarrow, which name theta; matrices and arrays of scipy.sparse, see the notes.
        Computed in float32 if `X` and `y` are float32, else in float64. With `CompressedRows`, `y` and `sample_weight`
        are left out. dask collections are compressed first, as by `CompressedRows.from_dask`.
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
        same iterates, to rounding; "auto" takes the one that should be faster, by the shape of the data and `n_iter`
        alone, or "modes" where the options need the decomposition anyway.
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
        says nothing of theta, `stop_reason` and `doubt` of the result say so.
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
        With `theta`, `cost`, `n_iter`, `stop_reason`, and whatever else is known of the run.

    Raises
    ------
    TypeError
        For an argument of a wrong type, for data of a wrong dtype, like words, dates or complex numbers, and for
        quantities (of astropy, pint), whose unit would be lost.
    ValueError
        For data that are empty, not finite, ragged or of shapes that do not match, and for options out of their range;
        with ``on_divergence="raise"`` for a rate from the limit on. The message names the argument, the value and the
        remedy.
    FloatingPointError
        With ``on_divergence="raise"``, if the cost grows without end or leaves the range of the dtype. It has the state
        reached, a Descent, as ``descent``.
    KeyboardInterrupt
        On Ctrl-C, at most 0.2 seconds after it, except in the decomposition of more than about 500 features, which
        LAPACK brings to its end, and while kernels are compiled. Once the iteration has begun, the exception has the
        state reached, a Descent, as ``descent``.

    Warns
    -----
    RuntimeWarning
        Before the run, if the rate is at or above the limit; the message has the limit. Such a run stops when the cost
        has grown to twice its least value. (It can stay finite for 100,000 iterations, so NaN and infinity are no
        test.) Also for features that standardising drops, being constant to the rounding of their entries, and for the
        parts of the result that lie beyond the range of numbers, since features and targets may have any scale.

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

    A sparse `X` is never made dense: memory is in proportion to its entries, rows and features. In format CSR, with
    sorted indices and without duplicates, of float32 or float64, it is read in place; else a copy of its entries is.
    "fused" goes over the entries; features are centred by sums of what is stored, so that about as many digits are lost
    as the mean of a feature has before its deviation. L is an estimate there, by Lanczos's iteration, from a size on.
    "modes", and what needs mu or the least-squares solution, like ``learning_rate="optimal"``, make blocks of rows
    dense, one at a time, and are refused where R would have more than 4 million elements, as of 2048 features and as
    many rows.

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
    engine = choice("method", method, ("auto", "fused", "modes"))
    model = Model(not_negative("l2", l2), flag("fit_intercept", fit_intercept), flag("standardize", standardize))
    total = integer("n_iter", n_iter, 1, 2**62, "a positive integer, like 1000 or int(1e5)")
    on_end = choice("on_divergence", on_divergence, ("warn", "raise", "ignore"))
    has_bar = flag("progress", progress)
    if callback is not None and not callable(callback):
        raise TypeError(f"`callback` is {callback!r}; give a function of one argument")
    kept = Record(_check.recorded(record, total), flag("record_theta", record_theta))
    if kept.has_path and not len(kept.at):
        raise ValueError(
            "`record_theta` is True and `record` is False; give a `record`, which says of which iterations"
        )
    wish = _plan.read_wish(learning_rate, momentum, tol)
    problem = read(X, y, sample_weight, model, engine)
    plan = _plan.plan(problem, _check.theta(theta0, problem.shape), engine, total, wish)
    if plan.is_beyond:
        message = f"`learning_rate` is {_words.limit_and_remedy(problem, plan.rule)}"
        if on_end == "raise":
            raise ValueError(message)
        if on_end == "warn":
            _warn(message)
    _warn(_words.dropped(problem))

    run = Run(plan, kept)
    found = run.go(callback, has_bar)
    _warn(run.beyond_range(found))
    if found.end is End.DIVERGED and on_end == "raise":
        raised = FloatingPointError(f"gradient_descent {found.stop_reason}")
        raised.descent = found  # type: ignore[attr-defined]
        raise raised
    if found.end is End.DIVERGED and on_end == "warn" and not plan.is_beyond:
        warnings.warn(f"gradient_descent {found.stop_reason}", RuntimeWarning, stacklevel=2)
    return found


def _warn(message: str) -> None:
    """Warn the caller of `gradient_descent`, unless there is nothing to say."""
    if message:
        warnings.warn(f"gradient_descent: {message}", RuntimeWarning, stacklevel=3)
