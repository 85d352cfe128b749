"""Derivatives of noisy samples."""

from typing import Any

import numpy as np

from numgrad._arrays.containers import home_of, takes_containers
from numgrad._checks import flag
from numgrad.smoothing._diagnosis import concerns
from numgrad.smoothing._finding import kinks_of
from numgrad.smoothing._fit import fit
from numgrad.smoothing._read import most_spans, orders_for, read_call, read_kinks, samples_of
from numgrad.smoothing._result import Smooth, made
from numgrad.smoothing._robust import fit_robustly


@takes_containers(home_of)
def smooth(
    y: Any, x: Any = None, *, axis: int = -1, sigma: Any = None, weights: Any = None, period: float | None = None,
    order: int | None = None, knots: int | None = None, robust: bool = False, kinks: Any = None,
    share: bool = False,
) -> Smooth:  # fmt: skip
    """Return a smooth function through noisy samples, with its derivatives, their errors, and the noise found.

    Nothing has to be chosen: how smooth the function is, and how large the noise, is what makes the samples likeliest.

    Parameters
    ----------
    y : array_like
        Samples: float32, float64, or integers. NaN is missing, and so is what is masked, whose residuals are masked. Of
        a series or a data frame the result has series or data frames like it, by its index, or by the column that is
        named as `x`.
    x : float or array_like of shape (y.shape[axis],) or y.shape, optional
        The distance of neighbours, 1.0 by default; or coordinates in any order, which may repeat, the same for all
        lines or those of each line. Integers keep their digits.
    axis : int, default -1
        The axis to look along; each line along it is smoothed on its own.
    sigma : float or array_like, optional
        Standard errors of the samples, where they are known: one for all or for each sample.
    weights : array_like, optional
        Or weights, which are relative: a sample of weight w has the variance ``noise**2 / w``. One of 0 is missing.
    period : float, optional
        The distance after which the function repeats; larger than what the coordinates span.
    order : int, optional
        The order m of the derivative that is kept small, from 2 to 8; there are derivatives up to m - 1. By default 3,
        4 or 5, whichever makes the samples likeliest.
    knots : int, optional
        How many spans of even knots there are at most; found by default.
    robust : bool, default False
        Whether there are outliers, which are to have no effect.
    kinks : "auto" or array_like, optional
        Coordinates where the derivatives may jump, the same for all lines; "auto" finds those that are strongly in
        evidence, to about two samples. Bands take the coordinates as known.
    share : bool, default False
        Whether all lines are equally smooth: one smoothing for all, whose noise may still differ.

    Returns
    -------
    Smooth
        With `value`, `derivative`, `error`, `band`, `noise`, `turning_points`, and more; can be called.

    Warns
    -----
    UserWarning
        If residuals are not white, so that bands are too narrow, and what to do about it; see `Smooth.concerns`.

    Raises
    ------
    TypeError
        If `y`, `x`, `sigma` or `weights` has a dtype that is not taken.
    ValueError
        If there are too few distinct coordinates or none that are finite, samples are infinite or all missing, `sigma`
        is not above 0, the period is too short, or an option is out of its range.
    numpy.exceptions.AxisError
        If there is no such axis.

    See Also
    --------
    derivative : of samples without noise.

    Notes
    -----
    The function f is a spline of degree 2 m - 1 with even knots that minimises ``sum(w (y - f(x))**2)`` plus
    `smoothing` times the integral of the square of the m-th derivative. That is the mean of what a Gaussian process
    says whose m-th derivative is white noise [1]_; the standard errors are those of that process, so they know of the
    bias as well as of the noise, and of how well the smoothing is known [3]_. `smoothing` and `noise` are where the
    restricted likelihood is highest [2]_, knots are doubled until it does not rise any more, and orders are compared by
    the likelihood, with coefficients of polynomials that are normal with the variance of the samples. Samples are read
    once, into their moments in the spans; all that follows is of the order of the number of knots. The results are the
    same, bit for bit, for any number of threads.

    The noise is to be white: equal (or as `sigma` and `weights` say) and independent from sample to sample. Noise that
    is correlated over a distance looks like a signal that changes over that distance.

    References
    ----------
    .. [1] G. Wahba, "Improper priors, spline smoothing and the problem of guarding against model errors in regression",
       Journal of the Royal Statistical Society B 40 (1978), 364-372.
    .. [2] S. N. Wood, "Fast stable restricted maximum likelihood and marginal likelihood estimation of semiparametric
       generalized linear models", Journal of the Royal Statistical Society B 73 (2011), 3-36.
    .. [3] R. E. Kass and D. Steffey, "Approximate Bayesian inference in conditionally independent hierarchical models",
       Journal of the American Statistical Association 84 (1989), 717-726.

    Examples
    --------
    >>> import numpy as np
    >>> import numgrad as ng
    >>> rng = np.random.default_rng(1)
    >>> x = np.sort(rng.random(1000)) * 10
    >>> found = ng.smooth(np.sin(x) + 0.1 * rng.standard_normal(1000), x)
    >>> round(found.noise, 2)
    0.1
    >>> error = found.derivative() - np.cos(x)
    >>> bool(np.sqrt(np.mean(error**2)) < 0.03)
    True
    >>> low, high = found.band()
    >>> bool(np.mean((low < np.cos(x)) & (np.cos(x) < high)) > 0.9)
    True
    """
    call = read_call(
        y, x, axis=axis, sigma=sigma, weights=weights, period=period, order=order, knots=knots, share=share
    )
    found, is_robust = read_kinks(kinks, call), flag("robust", robust)
    lines, fits = [], []
    for together in samples_of(call):
        most, places = most_spans(call, max(one.distinct for one in together)), found
        if places is None:
            places = kinks_of(together[0], orders_for(call, together), most)
        orders = orders_for(call, together, places)
        fits += (fit_robustly if is_robust else fit)(together, orders, most, places)
        lines += together
    values = np.empty(call.rows.shape)
    for row, (one, line) in enumerate(zip(fits, lines, strict=True)):
        values[row] = one.values(line.line.x, line.line.y.size, 0)
    residuals = call.rows - values
    origin = 0.0 if call.origin is None else float(call.origin)
    said = [concerns(*parts, origin) for parts in zip(fits, lines, residuals, strict=True)]
    result = made(call, fits, values, residuals, said)
    result.warn()
    return result
