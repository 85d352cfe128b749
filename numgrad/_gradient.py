"""np.gradient's contract: arrange the memory, run the plan, wrap the results; or hand the call to NumPy."""

from typing import Any

import numpy as np

from numgrad import _out, _sweep, _tiles
from numgrad._dispatch import Plan, Request, is_compact, plan_for, prepare
from numgrad._spacing import NotFast, is_ready, read
from numgrad._tiles import flat

# Bound now, so that np.gradient itself may be replaced by this module's.
_numpy_gradient = np.gradient
_ndarray, _empty = np.ndarray, np.empty


def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1, out: Any = None) -> Any:
    """Return the gradient of an N-dimensional array: `numpy.gradient`, bit for bit, in compiled kernels.

    Second-order central differences inside; one-sided differences of first or second order at the ends of each axis.

    Parameters
    ----------
    f : array_like
        Samples of a function. The kernels take arrays (and lists) of float32, float64, complex64, complex128 and all
        integers, of any layout; numpy.gradient gets the rest (subclasses, masked arrays, datetime64, float16, ...).
    *varargs : float or array_like, optional
        Spacing, as in numpy.gradient, in units of the coordinates: nothing (1.0), one number for all axes, or for each
        axis a number or a 1-D array of coordinates of the axis' length.
    axis : None, int or tuple of int, optional
        The axes to differentiate along. All by default.
    edge_order : {1, 2}, default 1
        Order of accuracy at the ends.
    out : ndarray or tuple of ndarray, optional
        Where to write: for one axis an array of f's shape; for several a tuple of such arrays, or one array of shape
        ``(number of axes, *f.shape)``. Its dtype must be that of the result. It may share memory with `f` and the
        coordinates.

    Returns
    -------
    ndarray or tuple of ndarray
        The derivative along the one axis asked for, or a tuple of one for each; of f's shape, dtype (float64 for
        integers) and memory layout. `out` itself, if given.

    Raises
    ------
    TypeError, ValueError, IndexError, numpy.exceptions.AxisError
        As numpy.gradient does, with its messages.
    TypeError
        If `out` is no array of the type and dtype of the result.
    ValueError
        If `out` has another shape, is read-only, or has arrays that share memory with each other.

    See Also
    --------
    explain : which kernel each axis gets, or why NumPy computes it.

    Notes
    -----
    With steps p = x[i] - x[i-1] and q = x[i+1] - x[i], the inside is
    ``(p**2 f[i+1] + (q**2 - p**2) f[i] - q**2 f[i-1]) / (p q (p + q))``, which is ``(f[i+1] - f[i-1]) / (2 h)`` for
    p = q = h: its error is of order h**2, by Taylor's theorem [1]_. The operations are done in NumPy's order, each
    rounded once.

    One difference: the kernels raise no floating-point warnings, whatever `numpy.errstate` says. A spacing of zero
    goes to NumPy, warnings and all.

    References
    ----------
    .. [1] B. Fornberg, "Generation of finite difference formulas on arbitrarily spaced grids", Mathematics of
       Computation 51 (1988), 699-706.

    Examples
    --------
    >>> import numpy as np
    >>> import numgrad as ng
    >>> ng.gradient([1, 2, 4, 7, 11, 16])
    array([1. , 1.5, 2.5, 3.5, 4.5, 5. ])
    >>> ng.gradient([5, 7, 4, 8], [0, 1, 3, 3.5])
    array([2.        , 0.83333333, 6.1       , 8.        ])
    >>> f = np.arange(6.0).reshape(2, 3) ** 2
    >>> ng.gradient(f, axis=1, out=np.empty((2, 3)))
    array([[1., 2., 3.],
           [7., 8., 9.]])
    """
    if type(f) is _ndarray and f.flags.carray and type(edge_order) is int and (axis is None or type(axis) is int):
        # What follows below, for a small array whose plan was made before: such a call is nothing but overhead.
        spacings, keys = read(varargs) if varargs else ((), ())
        shape = f.shape
        plan = plan_for(f.dtype, shape, None, axis, edge_order, *keys)
        if out is None and type(plan) is Plan and plan.calls:
            if len(plan.calls) == 1:
                ((kernel, arguments, make),) = plan.calls
                if make is not None:
                    arguments += make(spacings[0])
                result = _empty(shape, plan.dtype)
                if len(shape) == 1:
                    met_zero = kernel(f, result, *arguments)
                else:
                    met_zero = kernel(f.reshape(-1), result.reshape(-1), *arguments)
                if not met_zero:
                    return result
            else:
                memory, results, met_zero = f.reshape(-1), [], False
                for i, (kernel, arguments, make) in enumerate(plan.calls):
                    if make is not None:
                        arguments += make(spacings[i])
                    result = _empty(shape, plan.dtype)
                    met_zero |= kernel(memory, result.reshape(-1), *arguments)
                    results.append(result)
                if not met_zero:
                    return tuple(results)
            return _fall_back(f, varargs, axis, edge_order, out)
        request = Request(plan, f, f, None, spacings, axis, edge_order, tuple(keys))
    else:
        request = prepare(f, varargs, axis, edge_order)
    plan = request.plan
    if type(plan) is NotFast:
        return _fall_back(f, varargs, axis, edge_order, out)
    like = request.like
    if out is None:
        results = [np.empty_like(like, plan.dtype) for _ in plan.axes]
    else:
        results = _out.targets(out, len(plan.axes), like.shape, plan.dtype, np.ndarray)
    if is_direct(request, results):
        order = request.order
        done = _sweep.fill(flat(request.f, order), [flat(r, order) for r in results], plan, request.spacings)
    else:
        done = _tiles.fill(request, results)
    if not done:
        return _fall_back(f, varargs, axis, edge_order, out)
    if out is not None:
        return out
    return results[0] if len(results) == 1 else tuple(results)


def is_direct(request: Request, results: list[np.ndarray]) -> bool:
    """Whether kernels may read f and the coordinates and write the results where they lie."""
    arrays = [x for x in request.spacings if type(x) is np.ndarray]
    return (
        is_compact(request.f, request.order)
        and all(map(is_ready, arrays))
        and all(is_compact(r, request.order) for r in results)
        and not any(np.may_share_memory(r, i) for r in results for i in (request.f, *arrays))
    )


def _fall_back(f: Any, varargs: tuple[Any, ...], axis: Any, edge_order: Any, out: Any) -> Any:
    results = _numpy_gradient(f, *varargs, axis=axis, edge_order=edge_order)
    return results if out is None else _out.store(results, out)
