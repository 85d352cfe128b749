"""What np.gradient becomes inside `@njit`, for arguments of given types: its checks, then the kernels of `gradient`."""

from functools import cache
from operator import truediv
from typing import Any

import numpy as np
from numba import njit, types
from numba.core.errors import TypingError
from numba.np.numpy_support import as_dtype

from numgrad import _intrinsics
from numgrad._jit import Kernel
from numgrad._kernels.edges import with_edges
from numgrad._kernels.nonuniform import nonuniform
from numgrad._kernels.uniform import uniform
from numgrad._recipe import ARGUMENT, DOUBLE, FIELDS, REAL, Recipe, compiled, division
from numgrad._spacing import evenness

# Numbers that Python's own become when Numba takes them over: NumPy lets those take the dtype of the array.
WEAK = (types.float64, types.intp)
LENGTH = "Shape of array too small to calculate a numerical gradient, at least (edge_order + 1) elements are required."

jit: Any = njit(error_model="numpy")
flat: Any = _intrinsics.flat


def implementation(f: Any, varargs: tuple[Any, ...], axis: Any, edge_order: Any, out: Any) -> Any:
    """Return a function with these arguments by name, which Numba compiles; raise TypingError if there is none."""
    if not _is_none(out):
        raise TypingError("gradient: `out` is given, which is not to be had inside @njit; leave it away")
    array, samples = _samples(f)
    count = _count(axis, array.ndim)
    if not isinstance(_plain(edge_order), types.Integer):
        raise TypingError(f"gradient: `edge_order` is {edge_order}; give 1 or 2")
    order = _known(edge_order)
    if len(varargs) not in (0, 1, count) or (len(varargs) == 1 < count and not _is_scalar(_plain(varargs[0]))):
        # NumPy's rule; one array of coordinates is for one axis.
        return _source(len(varargs), ["raise TypeError('invalid number of arguments')"], {})
    spacings = [_spacing(given, array, order) for given in varargs] or [_number(types.float64, array, order)]
    spacings = spacings * count if len(varargs) != count else spacings
    names: dict[str, Any] = {"samples": samples, "normal": normal, "check_order": check_order, "is_short": is_short}
    lines = ["f = samples(f)"]
    which = range(count)
    for i in which:
        given = i if _is_none(axis) else f"axis[{i}]" if isinstance(axis, types.BaseTuple) else "axis"
        lines.append(f"a{i} = normal({given}, {array.ndim})")
    lines += [f"if a{i} == a{j}: raise ValueError(REPEATED)" for i in which for j in range(i)]
    names["REPEATED"] = "repeated axis"
    for i in which:
        names[f"read{i}"], names[f"fill{i}"] = spacings[i]
        argument = "1.0" if not varargs else f"s{i if len(varargs) == count else 0}"
        lines.append(f"h{i} = read{i}({argument}, f.shape[a{i}])")
    lines.append("check_order(edge_order)")
    lines += [f"if is_short(f.shape[a{i}], edge_order): raise ValueError(LENGTH)" for i in which]
    names |= {"LENGTH": LENGTH, "like": _like(array)}
    lines += [f"o{i} = like(f)" for i in which]
    lines += [f"fill{i}(f, o{i}, a{i}, h{i}, edge_order)" for i in which]
    results = ", ".join(f"o{i}" for i in which)
    lines.append(f"return {results}" if count == 1 else f"return ({results})")
    return _source(len(varargs), lines, names)


def _source(count: int, lines: list[str], names: dict[str, Any]) -> Any:
    """Return a function of f and `count` spacings by name: Numba miscompiles `*varargs` beside keywords (#8904)."""
    arguments = "".join(f", s{i}" for i in range(count))
    text = f"def gradient(f{arguments}, axis=None, edge_order=1, out=None):\n    " + "\n    ".join(lines)
    exec(compile(text, "<numgrad.gradient in njit>", "exec"), names)
    return names["gradient"]


def _is_none(kind: Any) -> bool:
    return kind is None or isinstance(kind, types.NoneType) or (isinstance(kind, types.Omitted) and kind.value is None)


def _plain(kind: Any) -> Any:
    """The type without what it says about the value."""
    if isinstance(kind, types.Omitted):
        kind = kind.value
    return types.intp if isinstance(kind, int) else types.unliteral(kind)


def _known(kind: Any) -> int | None:
    """The value of an integer in the source, so that fewer kernels are compiled; None for one of run time."""
    if isinstance(kind, types.Omitted):
        kind = kind.value
    return kind if isinstance(kind, int) else getattr(kind, "literal_value", None)


def _is_scalar(kind: Any) -> bool:
    return isinstance(kind, types.Number) or (isinstance(kind, types.Array) and kind.ndim == 0)


def _count(axis: Any, ndim: int) -> int:
    """How many axes are asked for: a matter of types."""
    if _is_none(axis):
        return ndim
    if isinstance(axis, types.BaseTuple) and all(isinstance(_plain(t), types.Integer) for t in _parts(axis)):
        return len(axis)
    if isinstance(_plain(axis), types.Integer):
        return 1
    remedy = "give None, an integer or a tuple of integers"
    if isinstance(axis, types.Optional):
        remedy = "it may be None or not at run time, and the result one array or many; branch on it, a call in each"
    elif isinstance(axis, (types.List, types.ListType, types.Array)):
        remedy = "the number of results is a matter of types; give a tuple"
    raise TypingError(f"gradient: `axis` is {axis}; {remedy}")


def _parts(kind: Any) -> Any:
    return kind.types


def _samples(f: Any) -> tuple[Any, Any]:
    """Return the type of the array that is done, and the function that makes it of `f`."""
    if _is_sequence(f):
        array, make = _of_sequence(f)
    elif isinstance(f, types.Array):
        array, make = f, jit(lambda f: f)
        if f.layout == "A" and f.ndim:
            array, make = f.copy(layout="C", readonly=False), jit(lambda f: np.ascontiguousarray(f))
    else:
        raise TypingError(f"gradient: `f` is {f}; give an array, or np.array(f)")
    if _dtype(array) not in FIELDS:
        raise TypingError(
            f"gradient: `f` has dtype {array.dtype}; inside @njit it takes float32, float64, complex64, complex128 and "
            f"integers, as f.astype(np.float64) makes them"
        )
    return array, make


def _is_sequence(kind: Any) -> bool:
    is_one = isinstance(kind, (types.List, types.ListType, types.UniTuple))
    return is_one and isinstance(_plain(kind.dtype), types.Number)


def _of_sequence(kind: Any) -> tuple[Any, Any]:
    """Return the type of array that a list or tuple of numbers becomes, and the function that makes it."""
    array = types.Array(_plain(kind.dtype), 1, "C")
    dtype = as_dtype(array.dtype)

    @jit
    def make(given: Any) -> Any:
        made = np.empty(len(given), dtype)
        for i in range(len(given)):
            made[i] = given[i]
        return made

    return array, make


def _dtype(array: Any) -> Any:
    try:
        return as_dtype(array.dtype)
    except NotImplementedError:
        return None


def _like(array: Any) -> Any:
    """A function that returns an empty array for a result: of f's layout, as NumPy's is."""
    field = FIELDS[_dtype(array)]
    if array.layout == "F" and array.ndim > 1:
        return jit(lambda f: np.empty(f.shape[::-1], field).T)
    return jit(lambda f: np.empty(f.shape, field))


@jit
def normal(axis: Any, ndim: Any) -> Any:
    if axis < -ndim or axis >= ndim:
        raise np.exceptions.AxisError(axis, ndim)
    return axis + ndim if axis < 0 else axis


@jit
def check_order(edge_order: Any) -> Any:
    if edge_order > 2:
        raise ValueError("'edge_order' greater than 2 not supported")


@jit
def is_short(size: Any, edge_order: Any) -> Any:
    # What is no 1 gets the ends of 2, as in NumPy, and needs their points.
    return size < edge_order + 1 or (edge_order != 1 and size < 3)


def _spacing(given: Any, array: Any, order: int | None) -> tuple[Any, Any]:
    """Return the function that reads a spacing, and the one that fills a result by it."""
    kind = _plain(given)
    if isinstance(kind, types.Optional):
        raise TypingError(f"gradient: a spacing is {given}; branch on None, a call in each")
    if isinstance(kind, (types.Integer, types.Float)):
        return _number(kind, array, order)
    if isinstance(kind, types.Array) and kind.ndim == 0:
        read, fill = _number(kind.dtype, array, order, is_weak=False)
        return jit(lambda h, size: read(h[()], size)), fill
    if _is_sequence(kind):
        made, make = _of_sequence(kind)
        read, fill = _coordinates(made, array, order)
        return jit(lambda x, size: read(make(x), size)), fill
    if isinstance(kind, types.Array) and kind.ndim > 1:

        @jit
        def refuse(x: Any, size: Any) -> Any:
            if size >= 0:  # always; without a value to return there is no type for what follows
                raise ValueError("distances must be either scalars or 1d")
            return 1.0

        return refuse, _number(types.float64, array, order)[1]
    if isinstance(kind, types.Array):
        return _coordinates(kind, array, order)
    raise TypingError(
        f"gradient: a spacing is {given}; give a real number or an array of coordinates, one of each axis"
    )


@cache
def _number(kind: Any, array: Any, order: int | None, is_weak: bool | None = None) -> tuple[Any, Any]:
    dtype = _dtype(array)
    field = FIELDS[dtype]
    own = as_dtype(kind).type
    is_weak = kind in WEAK if is_weak is None else is_weak
    double = type(2.0 * own(1))  # what NumPy gets for twice the number; Numba would widen a float32
    work = DOUBLE[field] if double is np.float64 and not is_weak else field
    if field is np.complex64 and own in (np.int8, np.int16, np.uint8, np.uint16):
        raise TypingError(f"gradient: a spacing is {kind} for complex64, which NumPy divides in two precisions; give "
                          f"np.float32(h)")  # fmt: skip
    fill = _uniform(array, order, work, double)
    return jit(lambda h, size: double(h)), fill


def _uniform(array: Any, order: int | None, work: Any, double: Any) -> Any:
    """Return the function that fills a result for a number, which is a `double`."""
    real, argument = REAL[work], ARGUMENT[work]
    dtype = _dtype(array)
    inside, edges = (_kernel((uniform, *more), dtype, work, real) for more in ((), (with_edges,)))
    inner_of = _inner_of(array)
    two, a, b, c = (double(v) for v in (2.0, -1.5, 2.0, -0.5))

    @jit
    def first(f: Any, out: Any, axis: Any, h: Any, edge_order: Any) -> None:
        divisors = argument(real(two * h)), argument(real(h))
        if f.size:
            inside(flat(f, True), flat(out, False), f.shape[axis], inner_of(f, axis), 0, f.size, 0, *divisors)

    @jit
    def second(f: Any, out: Any, axis: Any, h: Any, edge_order: Any) -> None:
        divisors = argument(real(two * h)), argument(real(h))
        w = np.array((real(a / h), real(b / h), real(c / h), -real(c / h), -real(b / h), -real(a / h)))
        if f.size:
            edges(
                flat(f, True), flat(out, False), f.shape[axis], inner_of(f, axis), 0, f.size, 0, flat(w, True), divisors
            )

    return _by_order(order, first, second)


def _by_order(order: int | None, first: Any, second: Any) -> Any:
    """The function for a known order of the ends, or the one that asks at run time, for which both are compiled."""
    if order is not None:
        return first if order == 1 else second

    @jit
    def fill(f: Any, out: Any, axis: Any, spacing: Any, edge_order: Any) -> None:
        if edge_order == 1:
            first(f, out, axis, spacing, edge_order)
        else:
            second(f, out, axis, spacing, edge_order)

    return fill


@cache
def _coordinates(kind: Any, array: Any, order: int | None) -> tuple[Any, Any]:
    """The same for coordinates: those with equal steps are a number of their dtype, as in NumPy."""
    dtype = _dtype(array)
    given = _dtype(kind)
    if given is None or (given.kind not in "iu" and given not in (np.float32, np.float64)):
        raise TypingError(f"gradient: coordinates have dtype {kind.dtype}; give float32, float64 or integers")
    own = np.dtype(given if given.kind == "f" else np.float64).type
    field = FIELDS[dtype]
    work = DOUBLE[field] if own is np.float64 else field
    even = _uniform(array, order, work, own)
    functions = ((nonuniform,), (nonuniform, with_edges))
    inside, edges = (_kernel(f, dtype, np.result_type(field, own).type, own) for f in functions)
    inner_of = _inner_of(array)
    two = own(2)

    @jit
    def read(x: Any, size: Any) -> Any:
        if x.size != size:
            raise ValueError("when 1d, distances must match the length of the corresponding dimension")
        if x.size < 2:
            raise IndexError("index 0 is out of bounds for axis 0 with size 0")
        return np.ascontiguousarray(x.astype(own))

    @jit
    def one_sided(p: Any, q: Any) -> Any:
        return -(two * p + q) / (p * (p + q)), (p + q) / (p * q), -p / (q * (p + q))

    @jit
    def first(f: Any, out: Any, axis: Any, x: Any, edge_order: Any) -> None:
        if is_even(flat(x, True)):
            even(f, out, axis, x[1] - x[0], edge_order)
        elif f.size:
            inside(flat(f, True), flat(out, False), f.shape[axis], inner_of(f, axis), 0, f.size, 0, flat(x, True))

    @jit
    def second(f: Any, out: Any, axis: Any, x: Any, edge_order: Any) -> None:
        if is_even(flat(x, True)):
            even(f, out, axis, x[1] - x[0], edge_order)
        elif f.size:
            a, b, c = one_sided(x[1] - x[0], x[2] - x[1])
            d, e, g = one_sided(x[-1] - x[-2], x[-2] - x[-3])
            ends = flat(np.array((a, b, c, -g, -e, -d)), True), (flat(x, True),)
            edges(flat(f, True), flat(out, False), f.shape[axis], inner_of(f, axis), 0, f.size, 0, *ends)

    is_even = evenness(np.dtype(own))
    return read, _by_order(order, first, second)


def _inner_of(array: Any) -> Any:
    """A function that returns how many elements lie between neighbours along an axis."""
    ndim, is_fortran = array.ndim, array.layout == "F" and array.ndim > 1

    @jit
    def inner_of(f: Any, axis: Any) -> Any:
        inner = 1
        for i in range(ndim):
            if (i < axis) if is_fortran else (i > axis):
                inner *= f.shape[i]
        return inner

    return inner_of


def _kernel(functions: tuple[Any, ...], dtype: Any, work: Any, real: Any) -> Kernel:
    """That of `gradient`, from the same cache: its signature must be the same, read-only arrays and all."""
    divide = division(FIELDS[dtype]) if issubclass(FIELDS[dtype], np.complexfloating) else truediv
    return compiled(Recipe(functions, dtype, work, real, divide), False)
