"""The code of np.gradient inside `@njit`, for arguments of given types: its checks, then the kernels of `gradient`."""

from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.np.numpy_support import as_dtype

from numgrad._arrays.gradient import MESSAGES
from numgrad._arrays.kernels.edges import one_sided
from numgrad._arrays.kernels.nonuniform import is_evenly_spaced
from numgrad._arrays.plan.compose import compiled
from numgrad._arrays.plan.dtypes import (
    ARGUMENT,
    FIELDS,
    REAL,
    divides_twice,
    work_of_coordinates,
    work_of_number,
)
from numgrad._compile.jit import Kernel, specialise
from numgrad.interop.numba.shared import MANY, ask_to_fill, key_of, recipe_of
from numgrad.interop.numba.source import Source, block, dtype_of, is_none, is_sequence, known, plain

# Numbers that Python's own become when Numba takes them over: NumPy lets those take the dtype of the array.
WEAK = (types.float64, types.intp)


def implementation(f: Any, varargs: tuple[Any, ...], axis: Any, edge_order: Any, out: Any) -> Any:
    """Return a function with these arguments by name, which Numba compiles; raise TypingError if there is none."""
    # By name, for Numba miscompiles `*varargs` beside keywords (#8904).
    arguments = "".join(f", s{i}" for i in range(len(varargs)))
    source = Source("gradient")
    source.refuse_out(out)
    array = source.samples(f)
    axes = _axes(source, axis, array.ndim)
    count = len(axes)
    if not isinstance(plain(edge_order), types.Integer):
        raise source.error(f"`edge_order` is {edge_order}; give 1 or 2")
    if len(varargs) not in (0, 1, count) or (len(varargs) == 1 < count and not _is_scalar(plain(varargs[0]))):
        # NumPy's rule; one array of coordinates is for one axis.
        source.add("raise TypeError(COUNT)", **MESSAGES)
    else:
        _gradient(source, array, axes, varargs, edge_order)
    return source.function(f"f{arguments}, axis=None, edge_order=1, out=None", (f, varargs, axis, edge_order))


def _gradient(source: Source, array: Any, axes: Any, varargs: tuple[Any, ...], edge_order: Any) -> None:
    """Add the checks in NumPy's order, and what fills the results."""
    which = range(len(axes))
    source.add(**MESSAGES)
    for i, (given, kind) in enumerate(axes):
        source.axis(i, given, kind, array.ndim)
    for i in which:
        source.add(*(f"if a{i} == a{j}: raise ValueError(REPEATED)" for j in range(i)))
    groups: dict[Any, list[int]] = {}
    for i in which:
        place = i if len(varargs) == len(axes) else 0
        spacing = read(source, i, f"s{place}", varargs[place]) if varargs else _number(source, i, "1.0", types.float64)
        groups.setdefault(spacing, []).append(i)
    order = known(edge_order)
    if order is None or order > 2:
        source.add("if edge_order > 2: raise ValueError(ORDER)")
    # As in NumPy: any `edge_order` but 1 takes the formula of order 2 at the ends, which needs 3 points.
    source.add("least = 2 if edge_order == 1 else max(edge_order + 1, 3)")
    source.add(*(f"if length{i} < least: raise ValueError(SHORT)" for i in which))
    source.add(*(f"o{i} = {source.like()}" for i in which))
    for tag, (spacing, places) in enumerate(groups.items()):
        # Axes whose spacings are of one kind share their lines.
        variables = ("o", "length", "inner", "h")
        source.add(*(f"{v}_{tag} = ({''.join(f'{v}{i}, ' for i in places)})" for v in variables))
        values = f"{', '.join(variables)} = {', '.join(f'{v}_{tag}[i]' for v in variables)}"
        lines = spacing.fill(source, tag, dtype_of(array), order)
        source.add(f"for i in range({len(places)} if f.size else 0):", block(values, *lines))
    results = ", ".join(f"o{i}" for i in which)
    source.add(f"return {results}" if len(axes) == 1 else f"return ({results})")


def _axes(source: Source, axis: Any, ndim: int) -> list[tuple[str, Any]]:
    """Return the text of each axis in the source, and its type: the number of axes must be known from the types."""
    if is_none(axis):
        return [(str(i), i) for i in range(ndim)]
    kinds: Any = getattr(axis, "types", ()) if isinstance(axis, types.BaseTuple) else (None,)
    if all(isinstance(plain(kind), types.Integer) for kind in kinds):
        return [(f"axis[{i}]", kind) for i, kind in enumerate(kinds)]
    if isinstance(plain(axis), types.Integer):
        return [("axis", axis)]
    remedy = "give None, an integer or a tuple of integers"
    if isinstance(axis, types.Optional):
        remedy = "it may be None or not at run time, and the result one array or many; branch on it, a call in each"
    elif isinstance(axis, (types.List, types.ListType, types.Array)):
        remedy = "the number of results is a matter of types; give a tuple"
    raise source.error(f"`axis` is {axis}; {remedy}")


def _is_scalar(kind: Any) -> bool:
    return isinstance(kind, types.Number) or (isinstance(kind, types.Array) and kind.ndim == 0)


class NumberSpacing(NamedTuple):
    """A spacing of one number: the precision of the work, and the type of twice the number."""

    work: Any
    double: Any

    def fill(self, source: Source, tag: Any, dtype: Any, order: int | None, h: str = "h") -> list[str]:
        """Return the lines that fill `o`, of which the names end in `tag`."""
        real = REAL[self.work]
        numbers = {f"{name}_{tag}": self.double(v) for name, v in zip("tabc", (2.0, -1.5, 2.0, -0.5), strict=True)}
        source.add(**numbers, **{f"real_{tag}": real, f"argument_{tag}": ARGUMENT[self.work]})
        a, b, c = (f"real_{tag}({name}_{tag} / {h})" for name in "abc")
        divisors = f"argument_{tag}(real_{tag}(t_{tag} * {h})), argument_{tag}(real_{tag}({h}))"
        kernels = _kernels("number", dtype, self.work, real)
        weights = (a, b, c, f"-{c}", f"-{b}", f"-{a}")
        made = f"divisors = {divisors}"
        return [made, *_by_order(source, tag, order, kernels, "divisors[0], divisors[1]", weights)]


class CoordinateSpacing(NamedTuple):
    """CoordinateSpacing in this precision. If their steps are equal they are a spacing of one number, as in NumPy."""

    own: Any

    def fill(self, source: Source, tag: Any, dtype: Any, order: int | None) -> list[str]:
        """Return the lines that fill `o` by the coordinates `h`."""
        field = FIELDS[dtype]
        even = NumberSpacing(work_of_number(field, self.own), self.own)
        source.add(
            **{
                f"is_even_{tag}": specialise(is_evenly_spaced, np.dtype(self.own)),
                f"one_sided_{tag}": specialise(one_sided, self.own, inline=True),
            }
        )
        steps = "p, q, r, s = h[1] - h[0], h[2] - h[1], h[-1] - h[-2], h[-2] - h[-3]"
        low, high = f"a, b, c = one_sided_{tag}(p, q)", f"d, e, g = one_sided_{tag}(r, s)"
        kernels = _kernels("coordinates", dtype, work_of_coordinates(field, self.own), self.own)
        weights = ("a", "b", "c", "-g", "-e", "-d")
        uneven_lines = _by_order(source, tag, order, kernels, "h", weights, steps, low, high)
        even_lines = even.fill(source, f"{tag}_even", dtype, order, "step")
        return [
            f"if is_even_{tag}(h):",
            block("step = h[1] - h[0]", *even_lines),
            "else:",
            block(*uneven_lines),
        ]


class Kernels(NamedTuple):
    """The kernels for both orders of the ends, the type of weights there, and by what keys `fill_at` knows them."""

    real: Any
    inside: Kernel
    edges: Kernel
    keys: tuple[str, str] | None  # None: complex numbers, which have no divisors to hand over


def _kernels(spacing: str, dtype: Any, work: Any, real: Any) -> Kernels:
    """Return the kernels of `gradient`, from the same cache: so signatures must be the same, read-only arrays too."""
    keys = [key_of(spacing, order, dtype, work, real) for order in (1, 2)]
    inside, edges = (compiled(recipe_of(key), False) for key in keys)
    return Kernels(real, inside, edges, None if issubclass(work, np.complexfloating) else (keys[0], keys[1]))


def _unless_shared(source: Source, kernels: Kernels, order: int, constants: str, call: str) -> str:
    """The line that calls a kernel, if the array is not so large that it can be shared among threads."""
    if kernels.keys is None:
        return call
    source.add(ask_to_fill=ask_to_fill, MANY=MANY)
    x, divisors = ("h.ctypes.data", ("0.0", "0.0")) if constants == "h" else ("zero", constants.split(", "))
    floats = ", ".join(f"np.float64({number})" for number in divisors)
    w = "w.ctypes.data" if order == 2 else "zero"
    numbers = ", ".join(
        f"np.int64({number})" for number in ("f.ctypes.data", "o.ctypes.data", "f.size", "length", "inner", x, w)
    )
    return f"if f.size < MANY or not ask_to_fill({kernels.keys[order - 1]!r}, ({numbers}), ({floats})): {call}"


def _by_order(
    source: Source, tag: Any, order: int | None, kernels: Kernels, constants: str, weights: tuple[str, ...],
    *before: str,
) -> list[str]:  # fmt: skip
    """Lines that call the kernel for a known order of the ends, or that for one of run time: both are compiled then."""
    memory = "flat(f, True), flat(o, False), length, inner, zero, f.size, zero"
    real, inside, edges, _ = kernels
    first = [_unless_shared(source, kernels, 1, constants, f"inside_{tag}({memory}, {constants})")]
    second = [*before, f"w = np.empty(6, weight_{tag})", *(f"w[{i}] = {weight}" for i, weight in enumerate(weights))]
    call = f"edges_{tag}({memory}, flat(w, True), ({constants},))"
    second.append(_unless_shared(source, kernels, 2, constants, call))
    if order != 1:
        source.add(**{f"edges_{tag}": edges, f"weight_{tag}": real})
    if order in (1, None):
        source.add(**{f"inside_{tag}": inside})
    if order is None:
        return ["if edge_order == 1:", block(*first), "else:", block(*second)]
    return first if order == 1 else second


def read(source: Source, i: int, name: str, given: Any) -> NumberSpacing | CoordinateSpacing:
    """Make h{i} the spacing of an axis, and return its kind."""
    kind = plain(given)
    if isinstance(kind, types.Optional):
        raise source.error(f"a spacing is {given}; branch on None, a call in each")
    if isinstance(kind, (types.Integer, types.Float)):
        return _number(source, i, name, kind)
    if isinstance(kind, types.Array) and kind.ndim == 0:
        return _number(source, i, f"{name}[()]", kind.dtype, is_weak=False)
    if isinstance(kind, types.Array) and kind.ndim > 1:
        # It always raises; but the code that follows must have types.
        source.add(f"if length{i} >= 0: raise ValueError(DIMENSIONS)")
        return _number(source, i, "1.0", types.float64)
    if not (is_sequence(kind) or isinstance(kind, types.Array)):
        raise source.error(f"a spacing is {given}; give a real number or an array of coordinates, one of each axis")
    dtype = dtype_of(kind)
    if dtype is None or (dtype.kind not in "iu" and dtype not in (np.float32, np.float64)):
        raise source.error(f"coordinates have dtype {kind.dtype}; give float32, float64 or integers")
    own = np.dtype(dtype if dtype.kind == "f" else np.float64).type
    source.add(f"if len({name}) != length{i}: raise ValueError(MISMATCH)", f"if length{i} < 2: raise IndexError(ONE)")
    source.coordinates(f"h{i}", name, given, own)
    return CoordinateSpacing(own)


def _number(source: Source, i: int, value: str, kind: Any, is_weak: bool | None = None) -> NumberSpacing:
    field = source.names["field"]
    own = as_dtype(kind).type
    is_weak = kind in WEAK if is_weak is None else is_weak
    double = type(2.0 * own(1))  # what NumPy gets for twice the number; Numba would widen a float32
    if divides_twice(field, own):
        raise source.error(
            f"a spacing is {kind} for complex64, which NumPy divides in two precisions; give np.float32(h)"
        )
    source.add(f"h{i} = double{i}({value})", **{f"double{i}": double})
    return NumberSpacing(work_of_number(field, float if is_weak else own), double)
