"""Derivatives of samples, of any order and accuracy, by differences or by fits to windows, and their standard errors.

A stencil inside, others at the ends, one pass over the array.
"""

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack, overload

import numpy as np

from numgrad._arrays.containers import home_of
from numgrad._arrays.errors import (
    WithError,
    check_pair,
    dtype_of_error,
    gaps,
    has_gaps,
    is_alike,
    read_sigma,
    roots,
    variances,
)
from numgrad._arrays.gradient import gradient
from numgrad._arrays.known import Known, Limits, Single, are_uneven, limits_of, may_be_kept, slot_of, steps
from numgrad._arrays.plan.dispatch import axis_plan, known_calls, plan_for
from numgrad._arrays.plan.dtypes import FIELDS
from numgrad._arrays.plan.options import (
    TABLE,
    TIMES,
    Coordinates,
    StencilFormula,
    Wanted,
    check_length,
    key_and_values,
    read_formula,
    read_period,
    read_samples,
    read_spacing,
)
from numgrad._arrays.plan.spacing import from_first, number_key
from numgrad._arrays.plan.types import PIECE, Order, Plan, Request, memory_order
from numgrad._arrays.run.arrange import arrange, fill_by_stencils
from numgrad._checks import choice
from numgrad._system.memory import copy, shares_memory
from numgrad._system.out import check

if TYPE_CHECKING:
    from numgrad._arrays.signatures import DerivativeOptions, Numbers, Out, Same

GAPS = ("propagate", "one-sided")


@overload
def derivative(
    f: Any, x: Any = None, *, sigma: None = None, out: "Out", **options: "Unpack[DerivativeOptions]"
) -> "Out": ...
@overload
def derivative(
    f: "Same", x: Any = None, *, sigma: None = None, out: None = None, **options: "Unpack[DerivativeOptions]"
) -> "Same": ...
@overload
def derivative(
    f: "Numbers", x: Any = None, *, sigma: None = None, out: None = None, **options: "Unpack[DerivativeOptions]"
) -> np.ndarray: ...
@overload
def derivative(
    f: Any, x: Any = None, *, sigma: Any, out: Any = None, **options: "Unpack[DerivativeOptions]"
) -> WithError: ...
def derivative(
    f: Any,
    x: Any = None,
    *,
    n: int = 1,
    accuracy: int | None = None,
    axis: int = -1,
    boundary: str = "one-sided",
    edge_accuracy: int | None = None,
    period: float | None = None,
    nan: str | None = None,
    window: int | None = None,
    degree: int | None = None,
    sigma: Any = None,
    out: Any = None,
) -> Any:
    """Return the n-th derivative of samples along an axis, to any order of accuracy, on even and uneven grids.

    Parameters
    ----------
    f : array_like
        Samples of a function: float32, float64, complex64, complex128, or integers, which become float64. What is
        masked is a gap; a quantity of pint or astropy has a result with units.
    x : float or array_like of shape (f.shape[axis],) or f.shape, optional
        The distance of neighbours, negative where the coordinate falls; or the coordinates, rising or falling, the same
        for all lines or those of each line. By default 1.0, for objects of xarray their own coordinate, for those of
        pandas their index; of a data frame it may be a column, by its name. Integers of any size keep their digits,
        nanoseconds since 1970 among them.
    n : int, default 1
        Order of the derivative, at least 1; with a `window` at least 0, where 0 gives the smoothed samples.
    accuracy : int, optional
        Order of accuracy, even, by default 2: the error falls as the distance of neighbours to this power. Not beside a
        `window`.
    axis : int, default -1
        The axis to differentiate along.
    boundary : {"one-sided", "periodic", "nan"}, default "one-sided"
        What the ends do, where the symmetric stencil has not enough neighbours: take the points nearest to the end;
        go on at the other end; or be nan.
    edge_accuracy : int, optional
        Order of accuracy of the one-sided ends, at least 1; `accuracy` by default. Lower ones amplify noise less. An
        axis needs ``n + edge_accuracy`` points; inside `numba.njit` those of the longest formula. Not beside a
        `window`.
    period : float, optional
        Needed for ``boundary="periodic"`` with coordinates: the distance after which `f` repeats, larger than the span
        of the coordinates. With a number as `x` it is the number of points times that.
    nan : {"propagate", "one-sided"}, optional
        What a NaN in `f` does: makes results NaN whose formula has a weight on it that is not zero; or ends an
        interval. The intervals between NaNs have one-sided ends of their own; one with less than
        ``n + edge_accuracy`` points, or than those of a `window`, is NaN, as are the NaNs themselves. "propagate" by
        default, but "one-sided" for data frames and their series, which have holes, and for masked arrays.
    window : int, optional
        For noisy samples: an odd number of points, from 3 to 767, with the one in the middle that the derivative is at.
        It is that of the polynomial of a `degree` that fits these samples by least squares, after Savitzky and Golay.
        An even window has no point in the middle, and is refused. One-sided ends take the polynomial of the first or
        the last window. Not inside `numba.njit`.
    degree : int, optional
        Needed with a `window`: the degree of the polynomial, from `n` to 15 and below `window`.
    sigma : float or array_like, optional
        The standard deviations of the errors of the samples, which are independent: a number, or an array that
        broadcasts to f's shape; at least 0, and NaN only where `f` is. Then the standard error of the derivative is
        returned beside it: the root of the sum of squared weights times variances. Not inside `numba.njit`.
    out : ndarray, or two of them with `sigma`, optional
        Where to write: f's shape, the dtype of the result. It may share memory with `f`.

    Returns
    -------
    ndarray, or WithError
        Of f's shape, dtype (float64 for integers) and memory layout; `out` itself, if given. With `sigma` a named tuple
        of the derivative, `value`, and its standard error, `error`, which is real. Of dask arrays, objects of xarray,
        series and data frames (column by column) come the same; ``numgrad.interop.dataframes.derivative`` has more
        options for the latter, as have the accessors.
        Masked arrays have masked ones, quantities such in the unit of `f` over that of `x` to the power `n`.

    Raises
    ------
    TypeError
        If `f` or `x` has a dtype without a kernel; if `x` is a quantity and `f` is none, or units do not fit, so that
        the unit of the result would be lost: the message says how to strip and restore it. If coordinates are masked,
        an order is no integer, or `out` has another dtype.
    ValueError
        If there are too few points, `accuracy` is odd, coordinates repeat, turn back or do not fit, the period is
        missing or too short, or an option is unknown; `out` has another shape or is read-only. If `n` and accuracy sum
        up to more than 64. If `window` or `degree` is missing beside the other, does not fit it, or comes with an
        accuracy. If `sigma` is negative, not finite, or has another shape. If distances to the power -n are beyond the
        range of the dtype.
    numpy.exceptions.AxisError
        If there is no such axis.

    See Also
    --------
    gradient : all axes at once, for n=1 and accuracy=2.
    Stencil : the formulas; `Stencil.smoothing` is that of a window.

    Notes
    -----
    Inside, an even grid has the symmetric `Stencil`, an uneven one the ``n + accuracy`` nearest points by index, of
    two as near the lower one, with weights for these [1]_. One-sided ends use the ``n + edge_accuracy`` points around
    theirs, as far as the end lets them. All are exact for polynomials of degree below their number of points, so the
    error is of order ``h**accuracy`` at every point. A NaN or infinity reaches only results whose formula has a weight
    on it that is not zero. With n=1, accuracy=2 and edge_accuracy 1 or 2 the result is that of `gradient`, bit for bit,
    which on uneven grids has a weight on the point itself, if need be of zero; but not with ``nan="one-sided"``,
    nor for integer coordinates beyond 2**53, which `gradient` rounds as NumPy does. On very uneven grids a higher
    `accuracy` pays: n=2 on 80 random points of a sine is off by 8e-3 with accuracy=2, by 5e-5 with accuracy=4, at less
    than twice the time.
    float32 is computed in float32, with weights that were rounded once. An array whose elements do not lie side by side
    is copied first.

    With a `window` even grids have weights rounded once from exact ones, by Gram's polynomials [2]_; the result is that
    of ``scipy.signal.savgol_filter(f, window, degree, deriv=n, delta=x)``, with mode="wrap" that of a periodic axis.
    On uneven ones each point has weights of its own, by polynomials that are orthogonal over its window. They are as
    accurate as float64 allows, but for degrees near `window` where spacings differ by a thousand and more: there, take
    a lower degree, or `accuracy`. A larger window averages more noise, but bends to less of the signal.

    Standard errors are of the noise alone. Results nearby share samples, so their errors are not independent.

    References
    ----------
    .. [1] B. Fornberg, "Generation of finite difference formulas on arbitrarily spaced grids", Mathematics of
       Computation 51 (1988), 699-706.
    .. [2] A. Savitzky and M. J. E. Golay, "Smoothing and differentiation of data by simplified least squares
       procedures", Analytical Chemistry 36 (1964), 1627-1639; P. A. Gorry, "General least-squares smoothing and
       differentiation by the convolution (Savitzky-Golay) method", Analytical Chemistry 62 (1990), 570-573.

    Examples
    --------
    >>> import numpy as np
    >>> import numgrad as ng
    >>> x = np.array([0, 1, 2, 4, 5, 7, 8.0])
    >>> ng.derivative(x**3, x, n=2)
    array([ 0.,  6., 12., 24., 30., 42., 48.])
    >>> t = np.arange(8) * 2 * np.pi / 8
    >>> ng.derivative(np.sin(t), 2 * np.pi / 8, accuracy=6, boundary="periodic").round(2)
    array([ 1.  ,  0.71,  0.  , -0.71, -1.  , -0.71, -0.  ,  0.71])
    >>> ng.derivative([0, 1, 4, np.nan, 16, 25, 36], nan="one-sided")
    array([ 0.,  2.,  4., nan,  8., 10., 12.])
    >>> slope = ng.derivative(x**2, x, window=5, degree=2, sigma=0.5)
    >>> slope.value[3:].round(9)
    array([ 8., 10., 14., 16.])
    >>> slope.error.round(2)
    array([0.49, 0.31, 0.16, 0.1 , 0.1 , 0.25, 0.36])
    """
    h = 1.0 if x is None else x
    if type(f) in (list, tuple):
        f = read_samples(f, "f")
    kind = None
    if sigma is None:
        kind = slot_of("derivative", f, (h,), n, accuracy, axis, boundary, edge_accuracy, period, nan, window, degree)
        if kind is not None and kind.known is not None and (found := kind.known.values(f, (h,), out)) is not None:
            return found
    if (home := home_of(f)) is not None:
        return home.derivative(
            f, x, n=n, accuracy=accuracy, axis=axis, boundary=boundary, edge_accuracy=edge_accuracy, period=period,
            nan=nan, window=window, degree=degree, sigma=sigma, out=out,
        )  # fmt: skip
    call = read_call(
        f, h, n=n, accuracy=accuracy, axis=axis, boundary=boundary, edge_accuracy=edge_accuracy, period=period, nan=nan,
        window=window, degree=degree,
    )  # fmt: skip
    if kind is not None and kind.known is None:
        kind.known = known_of(call, h)
    if sigma is not None:
        return with_error(call, read_sigma(sigma, call.f), out)
    if out is not None:
        check(out, call.f.shape, np.dtype(FIELDS[call.f.dtype]), np.ndarray)
    return value_of(call, out)


def value_of(call: "Arguments", out: np.ndarray | None = None) -> Any:
    """Return the derivative."""
    if call.is_gradient:
        return gradient(call.f, call.x, axis=call.axis, edge_order=call.formula.edges, out=out)
    return by_stencil(call, out)


def by_stencil(call: "Arguments", out: np.ndarray | None = None) -> np.ndarray:
    """Return the derivative by the stencil of its formula, also where `gradient` would have its own rounding."""
    return filled(call.request(), out)


def filled(request: Request, out: np.ndarray | None = None) -> np.ndarray:
    results, inputs = arrange(request, out)
    if request.f.size:
        fill_by_stencils(request, results, inputs)
    return out if out is not None else results[0]


def with_error(call: "Arguments", sigma: np.ndarray, out: Any = None) -> WithError:
    """Return the derivative and its standard error, for samples with errors of these standard deviations."""
    missing = gaps(call.f) if call.is_gradient and isinstance(call.spacing, Coordinates) else None
    if out is None:
        value, error = value_of(call), error_of(call, sigma)
    else:
        check_pair(out, call.f)
        is_apart = not shares_memory(out[1], (call.f, call.x, sigma))
        # First, for the value may be written over what this reads.
        error = error_of(call, sigma, out[1] if is_apart else None)
        value = value_of(call, out[0])
    if missing is not None:
        error[missing & gaps(value)] = np.nan  # `gradient` has a weight on the point itself, if need be of zero
    if out is None:
        return WithError(value, error)
    if error is not out[1]:
        copy(error, out[1])
    return WithError(*out)


def error_of(call: "Arguments", sigma: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Return the standard error of a derivative: the root of the sum of squared weights times variances.

    Where lines have the same one, only that of one line is computed; and of an even grid with the same sigma at all
    points that of a few points, of which the one in the middle stands for all but the ends.
    """
    f, axis, count = call.f, call.axis, call.formula.most_points
    size = f.shape[axis]
    is_short = isinstance(call.spacing, float) and sigma.strides[axis] == 0 and size > 2 * count + 1 and f.size > 0
    are_alike = call.has_shared_spacing and is_alike(sigma, axis) and (is_short or f.size > size)
    if not are_alike or has_gaps(f):
        return _errors(call, sigma)
    result = np.empty_like(f, dtype_of_error(f), subok=False) if out is None else out
    if is_short:
        lines = np.moveaxis(result, axis, -1)
        found = _errors_of_few(f.dtype, call.spacing, call.formula, call.period, sigma.item(0))
        copy(np.broadcast_to(found[count], f.shape), result)
        lines[..., :count], lines[..., -count:] = found[:count], found[-count:]
        return result
    line = tuple([slice(1 if a != axis else None) for a in range(f.ndim)])
    few = call._replace(f=np.zeros_like(f[line], order="C"), order=None)
    copy(np.broadcast_to(_errors(few, sigma[line]), f.shape), result)
    return result


@lru_cache(256)
def _errors_of_few(
    dtype: "np.dtype[Any]", h: float | Coordinates, formula: StencilFormula, period: float, sigma: float
) -> np.ndarray:
    """Return the errors at so many points that the one in the middle has none of the ends in its formula."""
    f = np.zeros(2 * formula.most_points + 1, dtype)
    return _errors(Arguments(f, h, None, 0, h, formula, period), np.broadcast_to(sigma, f.shape))


def _errors(call: "Arguments", sigma: np.ndarray) -> np.ndarray:
    squares, unit = variances(sigma, call.f)
    return roots(filled(call._replace(f=squares).request(squared=True)), unit, call.f)


class Arguments(NamedTuple):
    """The arguments of a call, read."""

    f: np.ndarray
    x: Any
    order: Order
    axis: int
    spacing: float | Coordinates
    formula: StencilFormula
    period: float

    @property
    def is_gradient(self) -> bool:
        """Whether this goes the way of `gradient`: not with coordinates of many lines."""
        return self.has_shared_spacing and self.formula.is_gradient

    @property
    def has_shared_spacing(self) -> bool:
        """Whether all lines have the same coordinates."""
        return isinstance(self.spacing, float) or self.spacing.x.size == self.f.shape[self.axis]

    def request(self, squared: bool = False) -> Request:
        """Return what the kernels need; with `squared` weights they sum up variances, which `f` then has."""
        n, count = self.formula.n, self.formula.most_points
        key, given = key_and_values(self.spacing, "x", n, count, self.f.dtype, squared)
        wanted = Wanted(self.axis, key, self.formula, self.period, squared)
        plan = plan_of(self.f.dtype, self.f.shape, self.order, wanted)
        return Request(plan, self.f, self.f, self.order, (given,))


class Options(NamedTuple):
    """The options of `derivative`, as given."""

    n: Any = 1
    accuracy: Any = None
    axis: Any = -1
    boundary: Any = "one-sided"
    edge_accuracy: Any = None
    period: Any = None
    nan: Any = None
    window: Any = None
    degree: Any = None


def read_call(f: Any, x: Any = None, **options: Any) -> Arguments:
    """Read the arguments of `derivative`, but for `out`."""
    given = Options(**options)
    f, x = read_samples(f, "f"), 1.0 if x is None else x
    formula = formula_of(given)
    order = None if f.flags.c_contiguous else memory_order(f)
    axis = np.lib.array_utils.normalize_axis_index(given.axis, f.ndim)
    spacing = read_spacing(x, "x", f.shape, axis, order, lines=True)
    check_length(formula, axis, f.shape[axis], has_edges=True)
    period = read_period(given.period, spacing, formula, f.shape[axis])
    if isinstance(spacing, Coordinates):
        if np.ndim(spacing.origin):
            x = spacing.x
        if not spacing.are_own and 8 * formula.window * spacing.x.size > max(TABLE, TIMES * f.nbytes):
            spacing = spacing.of_each_line(f.shape, order, axis)
    return Arguments(f, np.ravel(x) if np.ndim(x) > 1 else x, order, axis, spacing, formula, period)


def formula_of(given: Options) -> StencilFormula:
    """Return the formula that the options ask for."""
    has_gaps = given.nan is not None and choice("nan", given.nan, GAPS) == "one-sided"
    return read_formula(
        given.n, given.accuracy, given.boundary, given.edge_accuracy, has_gaps, given.window, given.degree
    )


def read_lines(f: np.ndarray, x: np.ndarray, cuts: np.ndarray, **options: Any) -> Arguments:
    """As `read_call`, of lines of any lengths, one behind another: from each of `cuts` to the next.

    They are long enough and their coordinates rise or fall, which is not looked at. One call does for all, with the
    bits that each has alone, unless products of distances leave float64 in some lines and not in others (`Key`).
    """
    given = Options(**options)
    formula = formula_of(given)
    firsts, lasts = (np.repeat(x[at], np.diff(cuts)) for at in (cuts[:-1], cuts[1:] - 1))
    values, origin = from_first(x, firsts, lasts)
    steps = abs(np.diff(values))
    steps[cuts[1:-1] - 1] = steps[:1]  # from line to line there is none
    shortest, longest = (float(steps.min()), float(steps.max())) if steps.size else (1.0, 1.0)
    spacing = Coordinates(values, True, 1, shortest, longest, origin, cuts)
    return Arguments(f, values, None, 0, spacing, formula, read_period(given.period, spacing, formula, len(f)))


class KnownGradient(NamedTuple):
    """As `gradient` does, once it is known that coordinates only rise or only fall."""

    limits: Limits
    axis: int
    edges: int
    uneven: Single | None  # what `gradient` does where steps differ

    def values(self, f: Any, spacings: tuple[Any, ...], out: Any) -> Any:
        """Return the derivative; None for coordinates that the long way must look at."""
        (given,) = spacings
        x = self.limits.read(given)
        if x is None:
            return None
        if self.uneven is not None and are_uneven(x):
            return self.uneven.values(f, (x,), out)
        return gradient(f, given, axis=self.axis, edge_order=self.edges, out=out)


def limits_in(call: "Arguments", x: Any) -> tuple[Limits | None] | None:
    """Return what coordinates of other calls of the kind must be like; None if there is no saying."""
    f = call.f
    if isinstance(call.spacing, float):
        return (None,)
    limits = limits_of(x, call.spacing, f.shape[call.axis], call.formula, f.dtype, call.period)
    return None if limits is None else (limits,)


def known_of(call: "Arguments", x: Any) -> Known | None:
    """Return what the next calls of the kind need not find out; None if there is too little, or kernels are missing."""
    f = call.f
    found = limits_in(call, x) if may_be_kept(f.size) else None
    if found is None:
        return None
    (limits,) = found
    if call.is_gradient:
        key = number_key(type(x), x) if limits is None else (np.dtype(np.float64), None, x.size)
        plan = plan_for(f.dtype, f.shape, None, call.axis, call.formula.edges, key)
    else:
        plan = call.request().plan
    known = None
    if type(plan) is Plan and plan.calls:
        (step,) = steps(plan)
        known = Single(plan.dtype, f.shape, step, None if call.is_gradient else limits)
    if limits is None or not call.is_gradient:
        return known
    # Of float32 `gradient` takes the distances in that precision.
    if x.size < 3 or x.dtype == np.float32 or not are_uneven(x):
        return KnownGradient(limits, call.axis, call.formula.edges, None)
    return None if known is None else KnownGradient(limits, call.axis, call.formula.edges, known)


@lru_cache(1024)
def plan_of(dtype: "np.dtype[Any]", shape: tuple[int, ...], order: Order, wanted: Wanted) -> Plan:
    plan = Plan(np.dtype(FIELDS[dtype]), (axis_plan(dtype, shape, order, wanted),))
    size = math.prod(shape)
    if size <= PIECE:
        plan.calls = known_calls(plan.axes, size)
    return plan
