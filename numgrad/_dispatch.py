"""Which kernels compute a gradient: by dtype, shape and spacing; or numpy.gradient, with the reason."""

import operator
from functools import cache, lru_cache
from math import frexp, isfinite, prod
from operator import mul, truediv
from typing import Any, NamedTuple

import numpy as np

from numgrad._jit import Kernel, specialise
from numgrad._kernels.edges import edges
from numgrad._kernels.nonuniform import nonuniform
from numgrad._kernels.quotient import smith
from numgrad._kernels.uniform import uniform
from numgrad._spacing import NotFast, read

# The type NumPy subtracts and stores in, for each dtype of f on the fast path.
_FIELDS: dict[Any, Any] = {
    **{np.dtype(t): t for t in (np.float32, np.float64, np.complex64, np.complex128)},
    **{np.dtype(t): np.float64 for t in "bhilqBHILQ"},
}
_REAL: dict[Any, Any] = {
    np.float32: np.float32,
    np.float64: np.float64,
    np.complex64: np.float32,
    np.complex128: np.float64,
}
_DOUBLE: dict[Any, Any] = {
    np.float32: np.float64,
    np.float64: np.float64,
    np.complex64: np.complex128,
    np.complex128: np.complex128,
}
# What Numba's dispatcher recognises fastest.
_ARGUMENT: dict[Any, Any] = {
    np.float32: np.float32,
    np.float64: float,
    np.complex64: np.complex64,
    np.complex128: complex,
}
_SMALL_INTEGERS = (np.int8, np.int16, np.uint8, np.uint16)

Order = tuple[int, ...] | None
"""The axes as they lie in memory, outermost first. None: C order."""


class Pass(NamedTuple):
    """One kernel, called as kernel(f, out, n, inner, start, stop, *constants).

    `constants` is a tuple, or the function that makes it from the coordinates of the axis. `work` is the type of the
    quotient before it is stored.
    """

    kernel: Kernel
    constants: Any
    name: str
    work: Any


class AxisPlan(NamedTuple):
    """How one axis is done: `n` and `inner` as in `_kernels`, and the passes in their order."""

    axis: int
    n: int
    inner: int
    passes: tuple[Pass, ...]


class Plan(NamedTuple):
    """How to compute a gradient: the dtype of a result, a plan for each axis, and the whole as one call if it is one.

    `call` holds a kernel, what follows `f` and `out` in its arguments, and whether the coordinates follow those.
    """

    dtype: np.dtype[Any]
    axes: tuple[AxisPlan, ...]
    call: Any


def prepare(f: Any, varargs: tuple[Any, ...], axis: Any, edge_order: Any) -> Any:
    """Return a Plan or NotFast; what results are like; f in compact memory, its axes' order there; the spacings."""
    order: Order = None
    compact = writeable = True
    if type(f) is not np.ndarray:
        if type(f) not in (list, tuple):
            return NotFast(f"f is a {type(f).__name__}"), f, f, None, ()
        f = np.asarray(f)
    if not f.flags.carray:
        order = _memory_order(f)
        compact = is_compact(f, order)
        writeable = f.flags.writeable or not compact
    spacings, keys = read(varargs)
    if not (axis is None or type(axis) is int) or type(edge_order) is not int:
        axis, edge_order = _as_integers(axis), _as_integers(edge_order)
    chosen = plan_for(f.dtype, f.shape, writeable, order, axis, edge_order, *keys)
    if (order is None and compact) or type(chosen) is NotFast:
        return chosen, f, f, order, spacings
    # NumPy makes the results of integers like their converted copy. Strides along an axis of length 1 can tell.
    like = np.empty_like(f) if f.dtype.kind in "iu" else f
    return chosen, like, f if compact else f.copy(order="K"), order, spacings


def _memory_order(f: np.ndarray) -> Order:
    """The axes from the outermost to the innermost, as NumPy lays out a result for this array."""
    strides = np.empty_like(f).strides
    order = tuple(sorted(range(f.ndim), key=lambda axis: -strides[axis]))
    return None if order == tuple(range(f.ndim)) else order


def is_compact(array: np.ndarray, order: Order) -> bool:
    return array.transpose(order or range(array.ndim)).flags.c_contiguous and array.flags.aligned


def _as_integers(given: Any) -> Any:
    """Return an integer or a tuple of integers as Python's, None as it is, anything else as a hashable refusal."""
    try:
        if type(given) in (tuple, list):
            return tuple([operator.index(i) for i in given])
        return None if given is None else operator.index(given)
    except TypeError:
        return NotFast(f"axis or edge_order is {given!r}, no integer")


@lru_cache(maxsize=1024)
def plan_for(
    dtype: np.dtype[Any], shape: tuple[int, ...], writeable: bool, order: Order, axis: Any, edge_order: Any, *keys: Any
) -> Any:
    """Return the plan for spacings with these keys (`_spacing.read`), or NotFast."""
    for given in (axis, edge_order, *keys):
        if type(given) is NotFast:
            return given
    views = _views(shape, order, axis, edge_order)
    if type(views) is NotFast:
        return views
    field = _FIELDS.get(dtype)
    if field is None:
        return NotFast(f"f has dtype {dtype}")
    keys = keys or ((float, 1.0),)
    if len(keys) == 1 and len(keys[0]) == 2:
        keys *= len(views)
    if len(keys) != len(views):
        return NotFast("the number of spacings is not the number of axes")
    plans = []
    for (a, n, inner), key in zip(views, keys, strict=True):
        passes = _ladder(dtype, writeable, field, n, key, edge_order)
        if type(passes) is NotFast:
            return passes
        plans.append(AxisPlan(a, n, inner, passes))
    call = None
    if len(plans) == 1 and len(passes) == 1:
        kernel, constants, _, _ = passes[0]
        from_x = type(constants) is not tuple
        call = kernel, (n, inner, 0, prod(shape), *(() if from_x else constants)), from_x
    return Plan(np.dtype(field), tuple(plans), call)


@lru_cache(maxsize=1024)
def _views(shape: tuple[int, ...], order: Order, axis: Any, edge_order: Any) -> Any:
    """Return (axis, n, inner) for each axis wanted, or NotFast."""
    if edge_order not in (1, 2):
        return NotFast(f"edge_order is {edge_order}")
    ndim = len(shape)
    wanted: Any = range(ndim) if axis is None else (axis,) if type(axis) is int else axis
    axes = [a % ndim for a in wanted if -ndim <= a < ndim]
    if not wanted or 0 in shape:
        return NotFast("there is nothing to compute")
    if len(set(axes)) != len(wanted):
        return NotFast("an axis is out of bounds or repeated")
    if min(shape[a] for a in axes) <= edge_order:
        return NotFast("an axis is too short")
    places = order or tuple(range(ndim))
    return [(a, shape[a], prod(shape[i] for i in places[places.index(a) + 1 :])) for a in axes]


def _ladder(dtype: np.dtype[Any], writeable: bool, field: Any, n: int, key: Any, edge_order: int) -> Any:
    """Return the passes of one axis, or NotFast."""
    kind, h, *length = key
    if length not in ([], [n]):
        return NotFast("coordinates do not have the length of the axis")
    if h is None:
        return _coordinate_passes(dtype, writeable, field, kind, edge_order)
    if kind is int and abs(h) > 2**63:
        return NotFast("a spacing is beyond 64 bits")
    if field is np.complex64 and kind in _SMALL_INTEGERS:
        return NotFast("complex64 over a small integer is divided in two precisions")
    if (kind is float or kind is int) and _REAL[field] is np.float64:
        return _number_passes(dtype, writeable, field, h, edge_order)
    with np.errstate(all="ignore"):  # what overflows goes to NumPy, which has the warning
        return _number_passes(dtype, writeable, field, h, edge_order)


def _number_passes(dtype: np.dtype[Any], writeable: bool, field: Any, h: Any, edge_order: int) -> Any:
    # NumPy promotes by the type of each divisor: a Python float is weak, 2.0 * np.int8(3) is a float64. Where h itself
    # is narrower than 2.0 * h, the wider division still rounds to the same float32.
    twice = 2.0 * h
    work = _DOUBLE[field] if type(twice) is np.float64 else field
    real, argument = _REAL[work], _ARGUMENT[work]
    width, step = float(real(twice)), float(real(h))
    if not (width and step and isfinite(width) and isfinite(step)):
        return NotFast(f"a spacing is {h}")
    divide = _division(field)
    mantissa, exponent = frexp(step)
    if divide is truediv and abs(mantissa) == 0.5 and abs(exponent) < 100:
        # The reciprocal of a power of two is exact, so the product is the quotient, and it costs a quarter.
        divide, width, step = mul, 1 / width, 1 / step
    kernel = _compiled(uniform, dtype, writeable, work, real, divide)
    first = Pass(kernel, (argument(width), argument(step)), "uniform", work)
    if edge_order == 1:
        return (first,)
    low = (-1.5 / h, 2.0 / h, -0.5 / h)
    weights = np.array((*low, -low[2], -low[1], -low[0]), real)
    return first, Pass(_compiled(edges, dtype, writeable, work, real, truediv), (weights,), "edges", work)


def _coordinate_passes(dtype: np.dtype[Any], writeable: bool, field: Any, x_dtype: Any, edge_order: int) -> Any:
    work: Any = np.result_type(field, x_dtype).type
    kernel = _compiled(nonuniform, dtype, writeable, work, x_dtype.type, _division(field))
    first = Pass(kernel, _as_constants, "nonuniform", work)
    if edge_order == 1:
        return (first,)
    return first, Pass(_compiled(edges, dtype, writeable, work, x_dtype.type, truediv), _edge_weights, "edges", work)


@cache
def _compiled(kernel: Kernel, dtype: np.dtype[Any], writeable: bool, work: Any, real: Any, divide: Any) -> Kernel:
    """Return `kernel` for f of this dtype, divisors of type `work`, and coordinates or weights of type `real`."""
    names = {"FIELD": _FIELDS[dtype], "DIVISOR": work, "divide": divide, "UNIT": _REAL[work](1)}
    tags = (dtype.name, "writeable" if writeable else "readonly", work.__name__, real.__name__, divide.__name__)
    return specialise(kernel, *tags, **names)


def _division(field: Any) -> Any:
    return smith if issubclass(field, np.complexfloating) else truediv


def _as_constants(x: np.ndarray) -> tuple[np.ndarray]:
    return (x,)


def _edge_weights(x: np.ndarray) -> tuple[np.ndarray]:
    """Weights of the three points at either end; those of the high end are the low end's, mirrored and negated."""
    with np.errstate(all="ignore"):
        a, b, c = _one_sided(x[1] - x[0], x[2] - x[1])
        d, e, g = _one_sided(x[-1] - x[-2], x[-2] - x[-3])
    return (np.array((a, b, c, -g, -e, -d)),)


def _one_sided(p: Any, q: Any) -> tuple[Any, Any, Any]:
    """Weights of f[0], f[1], f[2] for the derivative at x[0]; p and q are the first two steps."""
    return -(2.0 * p + q) / (p * (p + q)), (p + q) / (p * q), -p / (q * (p + q))
