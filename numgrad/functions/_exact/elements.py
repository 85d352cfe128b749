"""The loops that do an operation with each element of arrays, and what all loops over arrays need.

The loops are derived themselves: what they do with an element is an operation.
"""

import operator
from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.extending import intrinsic
from numba.np.arrayobj import _empty_nd_impl

from numgrad.functions._exact.numbers import Number
from numgrad.functions._exact.operations import RULES, operations, rebound, type_of
from numgrad.functions._exact.rules import ELEMENTWISE, is_scalar

# Bound anew in each loop: what makes an array for the result, and what is done with each element.
empty: Any = np.empty
operation: Any = operator.add
zero = 0.0


def loop(function: Callable[..., Any], number: Any, **names: Any) -> Any:
    """Return a function of this package, derived, with global names bound anew."""
    made = operations(number)
    key = function, *names.items()
    return made.once(key, lambda: made.derived(rebound(function, **names), error_model="numpy"))


@cache
def empty_of(number: Any) -> Any:
    """Return a function, for compiled code, that makes an array of such numbers."""

    @intrinsic
    def empty(context: Any, shape: Any) -> Any:
        shape = types.unliteral(shape)
        each = (shape,) if isinstance(shape, types.Integer) else tuple(shape)
        kind = types.Array(number, len(each), "C")

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            (given,) = arguments
            sizes = [given] if isinstance(shape, types.Integer) else cgutils.unpack_tuple(builder, given, len(each))
            sizes = [context.cast(builder, s, k, types.intp) for s, k in zip(sizes, each, strict=True)]
            return _empty_nd_impl(context, builder, kind, sizes)._getvalue()

        return kind(shape), generate

    return empty


def element(kind: Any) -> Any:
    """Return the type of the elements of an array, or of a number."""
    return kind.dtype if isinstance(kind, types.Array) else types.unliteral(kind)


def is_array(kind: Any) -> bool:
    return isinstance(kind, types.Array)


def number_in(*kinds: Any) -> Any:
    """Return the type of the numbers in these that carry derivatives."""
    return next((element(kind) for kind in kinds if isinstance(element(kind), Number)), None)


@cache
def result_of(function: Any, number: Any, *kinds: Any) -> Any:
    """Return a function that makes an array of what an operation on numbers of these types makes."""
    context = cpu_target.typing_context
    signature = context.resolve_function_type(type_of(context, operations(number).of(function)), kinds, {})
    made = signature.return_type
    return empty_of(made.kept if isinstance(made, Number) else made)


# Element by element


@cache
def elementwise_loop(ndims: tuple[int, ...], is_in_place: bool) -> FunctionType:
    """Return the loop that does `operation` with the elements of arrays of so many axes; of none, with a number.

    Shapes are broadcast as NumPy's are: along an axis of length 1 an array stays where it is.
    """
    given, ndim = [f"a{k}" for k in range(len(ndims))], max(ndims)
    lines = [f"def loop({', '.join(given)}):", *(f"    n{t} = 1" for t in range(ndim))]
    for k, own in enumerate(ndims):
        for axis in range(own):
            length, n = f"a{k}.shape[{axis}]", f"n{axis + ndim - own}"
            lines += [f"    if {length} != 1:", f"        if {n} != 1 and {n} != {length}:", f"            {MISMATCH}"]
            lines += [f"        {n} = {length}"]
    elements = []
    for k, own in enumerate(ndims):
        places = [f"i{axis + ndim - own} * s{k}_{axis}" for axis in range(own)]
        lines += [f"    s{k}_{axis} = 0 if a{k}.shape[{axis}] == 1 else 1" for axis in range(own)]
        elements.append(f"a{k}[{', '.join(places)}]" if own else f"a{k}")
    if is_in_place:
        lines += [f"    if n{t} != a0.shape[{t}]: {MISMATCH}" for t in range(ndim)]
    lines.append("    out = a0" if is_in_place else f"    out = empty(({''.join(f'n{t}, ' for t in range(ndim))}))")
    lines += [f"    {'    ' * t}for i{t} in range(n{t}):" for t in range(ndim)]
    index = ", ".join(f"i{t}" for t in range(ndim))
    lines += [f"    {'    ' * ndim}out[{index}] = operation({', '.join(elements)})", "    return out"]
    return written(lines)


MISMATCH = "raise ValueError('operands could not be broadcast together')"


def written(lines: list[str]) -> FunctionType:
    """Return the function that these lines define, with the names of this file."""
    names = dict(globals())
    exec(chr(10).join(lines), names)
    made = names[lines[0].split("(")[0].removeprefix("def ")]
    assert isinstance(made, FunctionType)
    return made


IN_PLACE = {
    operator.iadd: operator.add,
    operator.isub: operator.sub,
    operator.imul: operator.mul,
    operator.itruediv: operator.truediv,
    operator.ipow: operator.pow,
    operator.ifloordiv: operator.floordiv,
    operator.imod: operator.mod,
}


def elementwise(function: Any, number: Any, *kinds: Any) -> Any:
    """Return a loop that does an operation with each element, or with elements of several arrays."""
    if not any(map(is_array, kinds)) or not all(is_array(kind) or is_scalar(kind) for kind in kinds):
        return None
    number, ndims = number or number_in(*kinds), tuple(kind.ndim if is_array(kind) else 0 for kind in kinds)
    if function in IN_PLACE and is_array(kinds[0]):
        return loop(elementwise_loop(ndims, True), number, operation=IN_PLACE[function])
    made = result_of(function, number, *map(element, kinds))
    return loop(elementwise_loop(ndims, False), number, operation=function, empty=made)


ELEMENTWISE.append(elementwise)


def choice(condition: Any, a: Any, b: Any) -> Any:
    return a if condition else b


def _where(number: Any, condition: Any, a: Any, b: Any) -> Any:
    own = loop(choice, number)
    return elementwise(own, number, condition, a, b) if any(map(is_array, (condition, a, b))) else own


def clipped(x: Any, low: Any, high: Any) -> Any:
    return min(max(x, low), high)


def _clip(number: Any, *kinds: Any) -> Any:
    own = loop(clipped, number)
    return elementwise(own, number, *kinds) if any(map(is_array, kinds)) else own


RULES[np.where], RULES[np.clip] = _where, _clip
