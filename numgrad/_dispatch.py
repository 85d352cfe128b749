"""Which kernels compute a gradient: by dtype, shape and spacing; or numpy.gradient, with the reason."""

import operator
import platform
from functools import cache, lru_cache, partial
from math import frexp, isfinite, prod
from operator import mul, truediv
from typing import Any, NamedTuple

import numpy as np

from numgrad._jit import Kernel, specialise
from numgrad._kernels.edges import with_edges
from numgrad._kernels.nonuniform import nonuniform
from numgrad._kernels.quotient import smith
from numgrad._kernels.short import short
from numgrad._kernels.streamed import fence, put_line, streamed
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


# Blocks of up to SHORT elements, if there are some, are done by a table of what differs in them; one of coordinates is
# made in each call, and only worth it for many.
SHORT = 256
MANY, MANY_WITH_COORDINATES = 1 << 10, 1 << 15


class Recipe(NamedTuple):
    """Which kernel: its functions from the innermost on, and the types and the division bound in them."""

    functions: tuple[Kernel, ...]
    dtype: "np.dtype[Any]"
    work: Any
    real: Any
    divide: Any

    @property
    def name(self) -> str:
        words = {uniform: "uniform", nonuniform: "nonuniform", with_edges: "edges", short: "short lines"}
        return " + ".join(words[f] for f in self.functions)


class AxisPlan(NamedTuple):
    """How one axis is done: `n` and `inner` as in `_kernels`, the kernel, and its last arguments.

    `constants` is a tuple, or the function that makes it from the coordinates of the axis, the `place`-th spacing.
    """

    axis: int
    place: int
    n: int
    inner: int
    recipe: Recipe
    constants: Any


class Plan:
    """How to compute a gradient: the dtype of a result, and a plan for each axis.

    `calls`, for a small array in C order, is what there is left to do: for each axis the compiled kernel, what follows
    `f` and `out` in its arguments, and the function that makes the rest of them from the coordinates, or None.
    """

    __slots__ = ("axes", "calls", "dtype")

    def __init__(self, dtype: "np.dtype[Any]", axes: tuple[AxisPlan, ...]) -> None:
        self.dtype, self.axes = dtype, axes
        self.calls: tuple[tuple[Kernel, tuple[Any, ...], Any], ...] = ()


class Request(NamedTuple):
    """A call, read: the plan (or NotFast), what results are like, f and the order of its axes in memory, and the rest
    of the key of the plan, by which a tile of f finds its own."""

    plan: Any
    like: Any
    f: Any
    order: Order
    spacings: tuple[Any, ...]
    axis: Any
    edge_order: Any
    keys: tuple[Any, ...]


def prepare(f: Any, varargs: tuple[Any, ...], axis: Any, edge_order: Any) -> Request:
    """Read the arguments of a call. Nothing the size of f is copied, but for lists."""
    if type(f) is not np.ndarray:
        if type(f) not in (list, tuple):
            return Request(NotFast(f"f is a {type(f).__name__}"), f, f, None, (), axis, edge_order, ())
        f = np.asarray(f)
    order = None if f.flags.c_contiguous else _memory_order(f)
    spacings, keys = read(varargs)
    if not (axis is None or type(axis) is int) or type(edge_order) is not int:
        axis, edge_order = _as_integers(axis), _as_integers(edge_order)
    plan = plan_for(f.dtype, f.shape, order, axis, edge_order, *keys)
    like = f
    if f.dtype.kind in "iu" and type(plan) is Plan and not f.flags.c_contiguous:
        # NumPy makes the results of integers like their converted copy. Strides along an axis of length 1 can tell.
        like = np.empty_like(f, subok=False)
    return Request(plan, like, f, order, spacings, axis, edge_order, tuple(keys))


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
    dtype: "np.dtype[Any]", shape: tuple[int, ...], order: Order, axis: Any, edge_order: Any, *keys: Any
) -> Plan | NotFast:
    """Return the plan for spacings with these keys (`_spacing.read`), or why there is none."""
    for given in (axis, edge_order, *keys):
        if type(given) is NotFast:
            return given
    views = _views(shape, order, axis, edge_order)
    if type(views) is NotFast:
        return views
    if dtype not in _FIELDS:
        return NotFast(f"f has dtype {dtype}")
    keys = keys or ((float, 1.0),)
    if len(keys) == 1 and len(keys[0]) == 2:
        keys *= len(views)
    if len(keys) != len(views):
        return NotFast("the number of spacings is not the number of axes")
    plans = []
    for place, ((a, n, inner), key) in enumerate(zip(views, keys, strict=True)):
        rung = _ladder(dtype, n, inner, prod(shape), key, edge_order)
        if type(rung) is NotFast:
            return rung
        plans.append(AxisPlan(a, place, n, inner, *rung))
    return Plan(np.dtype(_FIELDS[dtype]), tuple(plans))


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


def _ladder(dtype: "np.dtype[Any]", n: int, inner: int, size: int, key: Any, edge_order: int) -> Any:
    """Return the recipe and the constants of one axis, or NotFast."""
    kind, h, *length = key
    if length not in ([], [n]):
        return NotFast("coordinates do not have the length of the axis")
    field = _FIELDS[dtype]
    has_short_lines = n * inner <= SHORT and size >= (MANY_WITH_COORDINATES if h is None else MANY)
    if h is None:
        functions = (nonuniform, *((with_edges,) if edge_order == 2 else ()), *((short,) if has_short_lines else ()))
        recipe = Recipe(functions, dtype, np.result_type(field, kind).type, kind.type, _division(field))
        return recipe, partial(_coordinate_constants, recipe, inner, edge_order)
    if kind is int and abs(h) > 2**63:
        return NotFast("a spacing is beyond 64 bits")
    if field is np.complex64 and kind in _SMALL_INTEGERS:
        return NotFast("complex64 over a small integer is divided in two precisions")
    if (kind is float or kind is int) and _REAL[field] is np.float64:
        return _number_rung(dtype, n, inner, h, edge_order, has_short_lines)
    with np.errstate(all="ignore"):  # what overflows goes to NumPy, which has the warning
        return _number_rung(dtype, n, inner, h, edge_order, has_short_lines)


def _number_rung(dtype: "np.dtype[Any]", n: int, inner: int, h: Any, edge_order: int, has_short_lines: bool) -> Any:
    # NumPy promotes by the type of each divisor: a Python float is weak, 2.0 * np.int8(3) is a float64. Where h itself
    # is narrower than 2.0 * h, the wider division still rounds to the same float32.
    field, twice = _FIELDS[dtype], 2.0 * h
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
    functions: tuple[Kernel, ...] = (uniform,)
    constants: tuple[Any, ...] = (argument(width), argument(step))
    ends = None
    if edge_order == 2:
        low = (-1.5 / h, 2.0 / h, -0.5 / h)
        ends = np.array((*low, -low[2], -low[1], -low[0]), real)
        functions, constants = (*functions, with_edges), (ends, constants)
    if has_short_lines:
        divisors = np.full(n, width, real)
        divisors[[0, -1]] = step
        functions, constants = (*functions, short), (_table(inner, divisors, None, ends), constants)
    return Recipe(functions, dtype, work, real, divide), constants


def _coordinate_constants(recipe: Recipe, inner: int, edge_order: int, x: np.ndarray) -> tuple[Any, ...]:
    constants: tuple[Any, ...] = (x,)
    if len(recipe.functions) == 1:
        return constants
    ends = None
    with np.errstate(all="ignore"):  # a step of zero is found by the kernel
        if edge_order == 2:
            a, b, c = _one_sided(x[1] - x[0], x[2] - x[1])
            d, e, g = _one_sided(x[-1] - x[-2], x[-2] - x[-3])
            ends = np.array((a, b, c, -g, -e, -d))
            constants = (ends, constants)
        if recipe.functions[-1] is short:
            d = np.diff(x)
            p, q = d[:-1], d[1:]
            inside = np.array((-q / (p * (p + q)), (q - p) / (p * q), p / (q * (p + q))))
            divisors = np.ones(x.size, x.dtype)
            divisors[[0, -1]] = d[[0, -1]]
            constants = _table(inner, divisors, inside, ends), constants
    return constants


def _one_sided(p: Any, q: Any) -> tuple[Any, Any, Any]:
    """Weights of f[0], f[1], f[2] for the derivative at x[0]; p and q are the first two steps."""
    return -(2.0 * p + q) / (p * (p + q)), (p + q) / (p * q), -p / (q * (p + q))


def _table(inner: int, divisors: np.ndarray, inside: np.ndarray | None, ends: np.ndarray | None) -> np.ndarray:
    """Return the table of `_kernels.short`: of the weights inside and at the ends, those that are used."""
    n = divisors.size
    table = np.zeros((7, n), divisors.dtype)
    table[0, 0] = table[1, -1] = 1
    table[2] = divisors
    if inside is not None:
        table[3, 1:-1], table[4:, 1:-1] = 1, inside
    if ends is not None:
        table[3, [0, -1]], table[4:, [0, -1]] = 1, ends.reshape(2, 3).T
    return np.ascontiguousarray(np.tile(np.repeat(table, inner, axis=1), SHORT // (n * inner)))


def has_streaming_stores() -> bool:
    return platform.machine().lower() in ("x86_64", "amd64")


@cache
def compiled(recipe: Recipe, streaming: bool) -> Kernel:
    """Return the kernel of a recipe, to be compiled when it is first called."""
    field = _FIELDS[recipe.dtype]
    names = {
        "FIELD": field,
        "DIVISOR": recipe.work,
        "divide": recipe.divide,
        "UNIT": _REAL[recipe.work](1),
        "HAS_WEIGHTS": recipe.functions != (uniform, short),
    }
    functions, stores = recipe.functions, ""
    if streaming:
        functions = (*functions, streamed)
        names |= {"put_line": put_line, "fence": fence}
        if has_streaming_stores():
            from numgrad import _intrinsics

            names |= {"put_line": _intrinsics.put_line, "fence": _intrinsics.fence}
            stores = "past_the_cache"
    tags = (recipe.dtype.name, recipe.work.__name__, recipe.real.__name__, recipe.divide.__name__)
    chain = "_".join([*(f.__name__ for f in functions), stores])
    for function in functions[:-1]:
        names["inside"] = specialise(function, chain, *tags, inline=True, **names)
    return specialise(functions[-1], chain, *tags, **names)


def _division(field: Any) -> Any:
    return smith if issubclass(field, np.complexfloating) else truediv
