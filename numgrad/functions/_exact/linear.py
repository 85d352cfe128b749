"""The rules of differentiation for linear algebra, and what is done with the values of arrays."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba.core import cgutils
from numba.extending import intrinsic

from numgrad.functions._exact.elements import elementwise_loop, empty_of, loop
from numgrad.functions._exact.numbers import Number
from numgrad.functions._exact.operations import MAKERS, RULES, Rule
from numgrad.functions._exact.rules import is_scalar

zero = 0.0


# Linear algebra: values by LAPACK; derivatives by a step of Newton's method from there.


@intrinsic
def value(context: Any, x: Any) -> Any:
    """Return the value of a number that carries derivatives; of another number, itself."""
    if not isinstance(x, Number):
        return x(x), lambda context, builder, signature, arguments: arguments[0]

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return cgutils.create_struct_proxy(x)(context, builder, value=arguments[0]).value

    return x.base(x), generate


@intrinsic
def with_value(context: Any, x: Any, v: Any) -> Any:
    """Return a number with another value, and the same derivatives."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        made = cgutils.create_struct_proxy(x)(context, builder, value=arguments[0])
        made.value = context.cast(builder, arguments[1], v, x.base)
        return made._getvalue()

    return x(x, v), generate


def values(a: Any) -> Any:
    """Stand in for the values of the numbers of an array."""
    raise NotImplementedError


values_of: Any = values


def _values(number: Any, a: Any) -> Any:
    base = a.dtype.base if isinstance(a.dtype, Number) else a.dtype
    return loop(elementwise_loop((a.ndim,), False), number, operation=value, empty=empty_of(base))


RULES[values] = MAKERS[values] = _values


def solution(a: Any, b: Any) -> Any:
    plain = values_of(a)
    x = np.linalg.solve(plain, values_of(b))
    step = np.dot(np.linalg.inv(plain), b - np.dot(a, x))
    return with_values(step, x)


def inverse(a: Any) -> Any:
    x = np.linalg.inv(values_of(a))
    return with_values(-np.dot(np.dot(x, a), x), x)


def determinant(a: Any) -> Any:
    plain = values_of(a)
    d = np.linalg.det(plain)
    return with_value(d * np.trace(np.dot(np.linalg.inv(plain), a)), d)  # type: ignore[call-arg]


def triangle(a: Any) -> Any:
    lower = np.linalg.cholesky(values_of(a))
    inner = np.linalg.inv(lower)
    step = np.dot(np.dot(inner, a), inner.T.copy())
    n = a.shape[0]
    for i in range(n):
        step[i, i] = step[i, i] * 0.5
        for j in range(i + 1, n):
            step[i, j] = zero * step[i, j]
    return with_values(np.dot(lower, step), lower)


def with_values(a: Any, v: Any) -> Any:
    """Stand in for what gives the numbers of an array other values."""
    raise NotImplementedError


def _with_values(number: Any, a: Any, v: Any) -> Any:
    return loop(elementwise_loop((a.ndim, v.ndim), True), number, operation=with_value)


RULES[with_values] = _with_values


def _linear(function: Callable[..., Any]) -> Rule:
    return lambda number, *kinds: loop(function, number)


RULES[np.linalg.solve] = _linear(solution)
RULES[np.linalg.inv] = _linear(inverse)
RULES[np.linalg.det] = _linear(determinant)
RULES[np.linalg.cholesky] = _linear(triangle)


def interpolated(x: Any, places: Any, heights: Any) -> Any:
    if x <= places[0]:
        return heights[0] + zero * x
    n = len(places)
    if x >= places[n - 1]:
        return heights[n - 1] + zero * x
    i = 0
    while x > places[i + 1]:
        i += 1
    return heights[i] + (x - places[i]) * ((heights[i + 1] - heights[i]) / (places[i + 1] - places[i]))


def _interp(number: Any, x: Any, places: Any, heights: Any) -> Any:
    return loop(interpolated, number) if is_scalar(x) else None


RULES[np.interp] = _interp
