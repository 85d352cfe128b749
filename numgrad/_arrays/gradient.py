"""np.gradient's contract: arrange the memory, run the plan, wrap the results; or hand the call to NumPy."""

import os
import sys
from functools import partial
from importlib import import_module
from time import perf_counter
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from numgrad._system import original
from numgrad._system.forks import importing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numgrad._arrays.containers import as_array, home_of
    from numgrad._arrays.plan.dispatch import prepare
    from numgrad._arrays.plan.spacing import NotFast, read
    from numgrad._arrays.plan.types import Plan, Request
    from numgrad._arrays.run.arrange import arrange, fill_flat, is_flat, is_flat_by_default
    from numgrad._arrays.run.flat import account_of, is_streaming
    from numgrad._arrays.run.strided import account_of_strided, fill_strided
    from numgrad._arrays.signatures import (
        AnyShape,
        Arrays,
        Axes,
        Axis,
        Foreign,
        Line,
        Numbers,
        Out,
        Pair,
        Plane,
        Space,
        Triple,
    )
    from numgrad._checks import unit_of
    from numgrad._compile.tiers import COMPILED, Account
    from numgrad._system.memory import new_arrays
    from numgrad._system.out import is_plain, plain_arrays, store

# What a script of a few small calls does without; `_load` imports it. The last name says that all is there.
LATER = {
    "numgrad._arrays.containers": ("as_array", "home_of"),
    "numgrad._arrays.plan.spacing": ("NotFast", "read"),
    "numgrad._arrays.plan.types": ("Request",),
    "numgrad._arrays.run.strided": ("account_of_strided", "fill_strided"),
    "numgrad._arrays.run.arrange": ("arrange", "fill_flat", "is_flat", "is_flat_by_default"),
    "numgrad._arrays.run.flat": ("account_of", "is_streaming"),
    "numgrad._checks": ("unit_of",),
    "numgrad._compile.tiers": ("COMPILED",),
    "numgrad._system.memory": ("new_arrays",),
    "numgrad._system.out": ("is_plain", "plain_arrays", "store"),
    "numgrad._arrays.plan.dispatch": ("prepare", "plan_for"),
}
plan_for: Any = None

# Seconds that numpy.gradient takes for an element, and the elements that it could do while it reads its arguments.
ELEMENT, OVERHEAD = 6e-9, 2000
# The part of the time in NumPy that kernels save, about, and the seconds that the cheapest of them costs.
GAIN, CHEAPEST = 0.7, 0.45
# Types of arguments that NumPy does not ask for anything but their numbers.
PLAIN = {np.ndarray, list, tuple, float, int, np.float64}
_ndarray, _empty = np.ndarray, np.empty
INTEGER = {int}
# NumPy's messages, for dask and compiled code, which raise them without asking NumPy.
MESSAGES = {
    "COUNT": "invalid number of arguments",
    "REPEATED": "repeated axis",
    "ORDER": "'edge_order' greater than 2 not supported",
    "DIMENSIONS": "distances must be either scalars or 1d",
    "MISMATCH": "when 1d, distances must match the length of the corresponding dimension",
    "ONE": "index 0 is out of bounds for axis 0 with size 0",
    "SHORT": "Shape of array too small to calculate a numerical gradient, at least (edge_order + 1) elements are "
    "required.",
}


@overload
def gradient(f: Any, *varargs: Any, axis: "Axes" = None, edge_order: int = 1, out: "Out") -> "Out": ...
@overload
def gradient(f: "Foreign", *varargs: Any, axis: "Axes" = None, edge_order: int = 1) -> Any: ...
@overload
def gradient(f: "Numbers", *varargs: Any, axis: "Axis | tuple[Axis]", edge_order: int = 1) -> np.ndarray: ...
@overload
def gradient(f: "Numbers", *varargs: Any, axis: "tuple[Axis, Axis]", edge_order: int = 1) -> "Pair": ...
@overload
def gradient(f: "Numbers", *varargs: Any, axis: "tuple[Axis, Axis, Axis]", edge_order: int = 1) -> "Triple": ...
@overload
def gradient(f: "Numbers", *varargs: Any, axis: "Sequence[Axis]", edge_order: int = 1) -> "np.ndarray | Arrays": ...
@overload
def gradient(f: "AnyShape", *varargs: Any, axis: None = None, edge_order: int = 1) -> "np.ndarray | Arrays": ...
@overload
def gradient(f: "Line", *varargs: Any, axis: None = None, edge_order: int = 1) -> np.ndarray: ...
@overload
def gradient(f: "Plane", *varargs: Any, axis: None = None, edge_order: int = 1) -> "Pair": ...
@overload
def gradient(f: "Space", *varargs: Any, axis: None = None, edge_order: int = 1) -> "Triple": ...
@overload
def gradient(f: "Numbers", *varargs: Any, axis: None = None, edge_order: int = 1) -> "np.ndarray | Arrays": ...
@overload
def gradient(f: Any, *varargs: Any, axis: "Axes" = None, edge_order: int = 1, out: Any) -> Any: ...
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1, out: Any = None) -> Any:
    """Return the gradient of an N-dimensional array: `numpy.gradient`, bit for bit, in compiled kernels.

    Second-order central differences inside; one-sided differences of first or second order at the ends of each axis.

    Parameters
    ----------
    f : array_like
        Samples of a function. The kernels take arrays, memory-mapped files and lists of float32, float64, complex64,
        complex128 and all integers, of any layout; numpy.gradient gets the rest (other subclasses, masked arrays,
        datetime64, float16, ...).
    *varargs : float or array_like, optional
        Spacing, as in numpy.gradient, in units of the coordinates: nothing (1.0), one number for all axes, or for each
        axis a number or a 1-D array of coordinates of the axis' length.
    axis : None, int or tuple of int, optional
        The axes to differentiate along. All by default.
    edge_order : {1, 2}, default 1
        Order of accuracy at the ends.
    out : ndarray or tuple of ndarray, optional
        Where to write: for one axis an array of f's shape; for several a tuple of such arrays, or one array of shape
        ``(number of axes, *f.shape)``. Its dtype must be that of the result. It may share memory, or a mapped file,
        with `f` and the coordinates.

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
    global _limit
    if _spent < _limit:
        result = _first(f, varargs, axis, edge_order, out)
        if result is not None:
            return result
        if plan_for is None:
            _load()
    if (
        type(f) is _ndarray
        and f.flags.carray
        and type(edge_order) is int
        and (axis is None or type(axis) is int or (type(axis) is tuple and INTEGER.issuperset(map(type, axis))))
    ):
        shape = f.shape
        if varargs:
            spacings, keys = read(varargs)
            plan = plan_for(f.dtype, shape, None, axis, edge_order, *keys)
        else:
            spacings, plan = (), plan_for(f.dtype, shape, None, axis, edge_order)
        calls = plan.calls
        # The same as below, but shorter, for a small array in C order: such a call is nothing but overhead.
        if len(calls) == 1 and (out is None or is_plain(out, plan.dtype, shape, (f, *spacings))):
            ((kernel, arguments, make, place),) = calls
            if make is not None:
                arguments += make(spacings[place])
            result = _empty(shape, plan.dtype) if out is None else out
            if len(shape) == 1:
                met_zero = kernel(f, result, *arguments)
            else:
                met_zero = kernel(f.reshape(-1), result.reshape(-1), *arguments)
            return _fall_back(f, varargs, axis, edge_order, out) if met_zero else result
        results = calls and _results(plan, shape, out, (f, *spacings))
        if results:
            met_zero = _fill(calls, f, results, spacings)
            if met_zero:
                return _fall_back(f, varargs, axis, edge_order, out)
            return tuple(results) if out is None else out
        request = Request(plan, f, f, None, spacings)
    else:
        if type(f) not in (_ndarray, list, tuple):
            home = home_of(f)
            if home is not None and all(unit_of(x) is None for x in varargs):
                return home.gradient(f, *varargs, axis=axis, edge_order=edge_order, out=out)
            f = as_array(f)
        request = prepare(f, varargs, axis, edge_order)
    plan = request.plan
    if type(plan) is NotFast:
        return _fall_back(f, varargs, axis, edge_order, out)
    if plan.calls:
        return _by_kernels(request, f, varargs, axis, edge_order, out)
    account, work = account_and_work(request)
    arguments = request, f, varargs, axis, edge_order, out
    result = account.run(work, partial(_by_numpy, *arguments), partial(_by_kernels, *arguments))
    _limit = account.limit if _limit else 0.0
    return result


def _results(plan: "Plan", shape: tuple[int, ...], out: Any, inputs: tuple[Any, ...]) -> list[np.ndarray] | None:
    """Return arrays for the results of a small array in C order; None if `out` is not all as kernels write it."""
    if out is not None:
        return plain_arrays(out, len(plan.calls), plan.dtype, shape, inputs)
    return new_arrays(len(plan.calls), inputs[0].size * plan.dtype.itemsize, partial(_empty, shape, plan.dtype))


def _fill(calls: Any, f: np.ndarray, results: list[np.ndarray], spacings: tuple[Any, ...]) -> bool:
    """Fill the results for a small array in C order; return whether there are coordinates of which NumPy must warn."""
    flat, met_zero = f.reshape(-1), False
    for (kernel, arguments, make, place), result in zip(calls, results, strict=True):
        if make is not None:
            arguments += make(spacings[place])
        met_zero |= kernel(flat, result.reshape(-1), *arguments)
    return met_zero


def account_and_work(request: "Request") -> "tuple[Account, int]":
    """Return the account that decides on the tier of a call, and how much work that is."""
    plan = request.plan
    size = request.f.size * len(plan.axes)
    nbytes = size * plan.dtype.itemsize
    if is_flat_by_default(request, nbytes):
        account = account_of(plan, is_streaming(nbytes), ELEMENT, GAIN)
    else:
        account = account_of_strided(request, ELEMENT, GAIN)
    account.spent = max(account.spent, _spent)
    return account, size + OVERHEAD


# The seconds that plain calls have spent in NumPy, and those from which on kernels may pay; 0 once there are some.
_spent = 0.0
_limit = 0.0 if "NUMGRAD_TIER" in os.environ else CHEAPEST / GAIN
_strict = np.errstate(all="raise")(getattr(original.gradient, "__wrapped__", original.gradient))


def _first(f: Any, varargs: tuple[Any, ...], axis: Any, edge_order: Any, out: Any) -> Any:
    """Return what NumPy returns for plain arguments, if this takes little time and nothing is out of the ordinary.

    None for all else, also for what raises an error or a warning: kernels do not warn of rounding or overflow.
    """
    global _spent
    if not _is_first(f, varargs, out):
        return None
    began = perf_counter()
    try:
        return _strict(f, *varargs, axis=axis, edge_order=edge_order)
    except Exception:
        return None
    finally:
        _spent += perf_counter() - began
        if _spent >= _limit and plan_for is None:  # then `gradient` goes on without this function
            _load()


def _is_first(f: Any, varargs: tuple[Any, ...], out: Any) -> bool:
    """Whether a call has plain arguments, and NumPy does it before kernels may pay."""
    if plan_for is None and "numba" in sys.modules:
        return False
    size = f.size * f.ndim if type(f) is _ndarray else OVERHEAD
    return out is None and PLAIN.issuperset(map(type, (f, *varargs))) and _spent + size * ELEMENT <= _limit


def tier(request: "Request", f: Any, varargs: tuple[Any, ...], out: Any) -> tuple[int, str]:
    """Return the tier of a call, and why."""
    if plan_for is None:
        _load()
    if _limit and _is_first(f, varargs, out):
        return 0, f"NumPy has had {_spent:.2g} s of such work, and compiled kernels may pay from {_limit:.2g} s on"
    if request.plan.calls:
        return 1, COMPILED
    account, work = account_and_work(request)
    return account.choose(work)


def go_by_kernels() -> None:
    """Let no call go to NumPy before it is asked which kernels there are."""
    global _limit
    _limit = 0.0
    _load()


def _load() -> None:
    """Import what plans and runs kernels."""
    with importing:
        for module, names in LATER.items():
            found = import_module(module)
            for name in names:
                globals()[name] = getattr(found, name)


def _by_kernels(request: "Request", f: Any, varargs: tuple[Any, ...], axis: Any, edge_order: Any, out: Any) -> Any:
    results, inputs = arrange(request, out)
    fill = fill_flat if is_flat(request, results, inputs) else fill_strided
    if not fill(request, results, inputs):
        return _fall_back(f, varargs, axis, edge_order, out)
    if out is not None:
        return out
    return results[0] if len(results) == 1 else tuple(results)


def _by_numpy(request: "Request", f: Any, varargs: tuple[Any, ...], axis: Any, edge_order: Any, out: Any) -> Any:
    """Do as the kernels do, which warn of nothing but coordinates that repeat."""
    if any(type(x) is _ndarray and (np.diff(x) == 0).any() for x in request.spacings):
        return _fall_back(f, varargs, axis, edge_order, out)
    with np.errstate(all="ignore"):
        return _fall_back(f, varargs, axis, edge_order, out)


def _fall_back(f: Any, varargs: tuple[Any, ...], axis: Any, edge_order: Any, out: Any) -> Any:
    results = original.gradient(f, *varargs, axis=axis, edge_order=edge_order)
    return results if out is None else store(results, out)


if not _limit:
    _load()
