"""Derivatives of samples, of any order and accuracy: a stencil inside, others at the ends, one pass over the array."""

import math
from functools import lru_cache
from typing import Any

import numpy as np

from numgrad import _gradient, _threads
from numgrad._dispatch import AxisPlan, Plan, Request, inner_of, memory_order
from numgrad._jit import entry_point, specialise
from numgrad._kernels.stencil import TOGETHER, constant_taps, fill_table, nearest, varying_taps
from numgrad._recipe import FIELDS, REAL, Recipe, division
from numgrad._stencil import Stencil, weights, whole

BOUNDARIES = ("one-sided", "periodic", "nan")
# Points whose weights are found in one thread.
PARALLEL = 1 << 15


def derivative(
    f: Any,
    x: Any = 1.0,
    *,
    n: int = 1,
    accuracy: int = 2,
    axis: int = -1,
    boundary: str = "one-sided",
    edge_accuracy: int | None = None,
    period: float | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Return the n-th derivative of samples along an axis, to any order of accuracy, on even and uneven grids.

    Parameters
    ----------
    f : array_like
        Samples of a function: float32, float64, complex64, complex128, or integers, which become float64.
    x : float or array_like of shape (f.shape[axis],), default 1.0
        The distance of neighbours, negative where the coordinate falls; or the coordinates, rising or falling.
    n : int, default 1
        Order of the derivative, at least 1.
    accuracy : int, default 2
        Order of accuracy, even: the error falls as the distance of neighbours to this power.
    axis : int, default -1
        The axis to differentiate along.
    boundary : {"one-sided", "periodic", "nan"}, default "one-sided"
        What the ends do, where the symmetric stencil has not enough neighbours: take the points nearest to the end;
        go on at the other end; or be nan.
    edge_accuracy : int, optional
        Order of accuracy of the one-sided ends, at least 1; `accuracy` by default. Lower ones amplify noise less.
    period : float, optional
        Needed for ``boundary="periodic"`` with coordinates: the distance after which `f` repeats, larger than the span
        of the coordinates. With a number as `x` it is the number of points times that.
    out : ndarray, optional
        Where to write: f's shape, the dtype of the result. It may share memory with `f`.

    Returns
    -------
    ndarray
        Of f's shape, dtype (float64 for integers) and memory layout; `out` itself, if given.

    Raises
    ------
    TypeError
        If `f` or `x` has a dtype without a kernel, or an order is no integer, or `out` has another dtype.
    ValueError
        If there are too few points, `accuracy` is odd, coordinates repeat, turn back or do not fit, the period is
        missing or too short, or an option is unknown; `out` has another shape or is read-only.
    numpy.exceptions.AxisError
        If there is no such axis.

    See Also
    --------
    gradient : all axes at once, for n=1 and accuracy=2.
    Stencil : the formulas.

    Notes
    -----
    Inside, an even grid has the symmetric `Stencil`, an uneven one the ``n + accuracy`` nearest points by index with
    Fornberg's weights [1]_. One-sided ends use ``n + edge_accuracy`` points. All are exact for polynomials of degree
    below their number of points, so the error is of order ``h**accuracy`` at every point. A NaN or infinity reaches
    only results whose formula has a weight on it that is not zero. With n=1, accuracy=2 and edge_accuracy 1 or 2 the
    result is that of `gradient`, bit for bit, which on uneven grids has a weight on the point itself, if need be of
    zero. float32 is computed in float32, with weights that were rounded once.

    References
    ----------
    .. [1] B. Fornberg, "Generation of finite difference formulas on arbitrarily spaced grids", Mathematics of
       Computation 51 (1988), 699-706.

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
    """
    f, n, accuracy = _samples(f), whole(n, "n", 1), whole(accuracy, "accuracy", 1)
    if accuracy % 2:
        raise ValueError(f"`accuracy` is {accuracy}, give an even number")
    if boundary not in BOUNDARIES:
        raise ValueError(f"`boundary` is {boundary!r}, give one of {', '.join(map(repr, BOUNDARIES))}")
    if edge_accuracy is not None and boundary != "one-sided":
        raise ValueError(f"`edge_accuracy` is {edge_accuracy}, boundary={boundary!r} has no edges; leave it away")
    edges = accuracy if edge_accuracy is None else whole(edge_accuracy, "edge_accuracy", 1)
    axis = np.lib.array_utils.normalize_axis_index(axis, f.ndim)
    size = f.shape[axis]
    spacing = _spacing(x, size)
    is_even = isinstance(spacing, float)
    period = _period(period, spacing, boundary)
    stencil = _central(n, accuracy)
    # Distances of the samples for a point inside: an uneven grid lacks the symmetry that saves some.
    taps = stencil.offsets if is_even else tuple(range(-((n + accuracy) // 2), (n + accuracy + 1) // 2))
    low, high = -int(min(taps)), int(max(taps))
    needed = n + max(accuracy, edges) if boundary == "one-sided" else low + high + 1
    if size < needed:
        raise ValueError(
            f"axis {axis} has {size} points; n={n} with accuracy={max(accuracy, edges)} and boundary={boundary!r} "
            f"needs at least {needed}"
        )
    if n == 1 and accuracy == 2 and boundary == "one-sided" and edges <= 2:
        return _gradient.gradient(f, spacing, axis=axis, edge_order=edges, out=out)  # type: ignore[no-any-return]
    field = FIELDS[f.dtype]
    real = REAL[field]
    low = min(low, (size + 1) // 2)
    places = np.array([*range(low), *range(max(low, size - high), size)], np.int64)
    if boundary == "nan":
        found, samples = np.full((len(places), 1), np.nan), np.zeros((len(places), 1), np.int64)
    elif boundary == "periodic":
        found, samples = _around(spacing, places, stencil, taps, size, period)
    else:
        found, samples = _one_sided(spacing, places, low, size, n, n + edges)
    rows = np.ascontiguousarray(found, real), samples, low
    order = None if f.flags.c_contiguous else memory_order(f)
    inner = inner_of(f.shape, order, axis)
    function: Any = varying_taps
    constants: tuple[Any, ...]
    if is_even:
        function = constant_taps
        steps = tuple([np.int64(o) * inner for o in taps])
        constants = steps, tuple([real(w / spacing**n) for w in stencil.weights]), rows
    else:
        reach = -int(taps[0])
        constants = _table(spacing, len(taps), reach, n).astype(real, copy=False), reach, rows
    recipe = Recipe((function,), f.dtype, field, real, division(field), len(taps))
    plan = Plan(np.dtype(field), (AxisPlan(axis, 0, size, inner, recipe, constants),))
    request = Request(plan, f, f, order, ())
    results, inputs = _gradient.arrange(request, out)
    if f.size:
        _gradient.fill_flat(request, results, inputs)
    return out if out is not None else results[0]


def _samples(f: Any) -> np.ndarray:
    if isinstance(f, np.ma.MaskedArray):
        raise TypeError("`f` is a MaskedArray; give f.filled(numpy.nan), whose gaps stay gaps")
    array: np.ndarray = np.asarray(f)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype not in FIELDS:
        raise TypeError(f"`f` has dtype {array.dtype}, give float32, float64, complex64, complex128 or integers")
    return array


def _spacing(x: Any, size: int) -> Any:
    """Return a distance as a float, or coordinates as an array of float64."""
    given = np.asarray(x)
    if given.dtype.kind not in "iuf":
        raise TypeError(f"`x` has dtype {given.dtype}, give real numbers")
    if given.ndim == 0:
        h = float(given)
        if not math.isfinite(h) or h == 0:
            raise ValueError(f"`x` is {h}, give a distance that is finite and not zero, or coordinates")
        return h
    if given.shape != (size,):
        raise ValueError(
            f"`x` has shape {given.shape}, give a number or the coordinates of all {size} points of the axis"
        )
    coordinates = np.array(given, np.float64, order="C")
    steps = np.diff(coordinates)
    if not np.isfinite(coordinates).all():
        raise ValueError("`x` has coordinates that are not finite")
    if not ((steps > 0).all() or (steps < 0).all()):
        i = int(np.flatnonzero((steps == 0) | (np.sign(steps) != np.sign(steps[0])))[0])
        raise ValueError(
            f"`x` goes from {coordinates[i]} to {coordinates[i + 1]} at {i + 1}; give coordinates that only rise "
            "or only fall, or split `f` there"
        )
    return coordinates


def _period(period: Any, spacing: Any, boundary: str) -> float:
    """Return the period with the sign of the steps; 0 where there is none."""
    if boundary != "periodic" or isinstance(spacing, float):
        if period is not None:
            raise ValueError(f"`period` is {period}; leave it away but for boundary='periodic' with coordinates")
        return 0.0
    if period is None:
        raise ValueError("`period` is missing; with coordinates, boundary='periodic' needs the distance of repetition")
    span = float(spacing[-1] - spacing[0])
    if not (math.isfinite(period) and period > abs(span)):
        raise ValueError(f"`period` is {period}, the coordinates span {abs(span)}; give a larger one")
    return math.copysign(period, span)


@lru_cache(256)
def _central(n: int, accuracy: int) -> Stencil:
    return Stencil.central(n, accuracy)


@lru_cache(1024)
def _exact(offsets: tuple[int, ...], n: int) -> np.ndarray:
    return weights(offsets, 0, n)


def _around(
    spacing: Any, places: np.ndarray, stencil: Stencil, taps: tuple[Any, ...], size: int, period: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return weights and samples of the points at the ends of a period."""
    beyond = places[:, None] + np.array(taps, np.int64)
    samples = beyond % size
    if isinstance(spacing, float):
        return np.tile(np.array(stencil.weights) / spacing**stencil.n, (len(places), 1)), samples
    return weights(spacing[samples] + period * (beyond // size), spacing[places], stencil.n), samples


def _one_sided(
    spacing: Any, places: np.ndarray, low: int, size: int, n: int, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return weights and samples of the points at the ends, by `count` samples from the end inwards."""
    first = np.where(np.arange(len(places)) < low, 0, size - count)
    samples = first[:, None] + np.arange(count)
    if isinstance(spacing, float):
        offsets = (samples - places[:, None]).tolist()
        found = [_exact(tuple(row), n) / spacing**n for row in offsets]
        return np.array(found).reshape(samples.shape), samples
    return weights(spacing[samples], spacing[places], n), samples


def _table(x: np.ndarray, count: int, reach: int, n: int) -> np.ndarray:
    """Return the weights of all points that have enough neighbours; a column for each point."""
    table = np.empty((count, x.size))
    kernel = specialise(fill_table, "weights", nearest=nearest)
    start, stop = reach, x.size - (count - 1 - reach)

    def fill(parts: Any) -> None:
        scratch = np.empty((n + 3, max(count, 3), TOGETHER))
        for a, b in parts:
            arguments = (x, table, reach, a, b, n, scratch)
            entry_point(kernel, *arguments)(*arguments)

    parts = [(a, min(a + PARALLEL, stop)) for a in range(start, stop, PARALLEL)]
    _threads.share(fill, parts, 1 if len(parts) < 2 else _threads.get_num_threads())
    return table
