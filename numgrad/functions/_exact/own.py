"""Rules of a user's own, for functions of numbers and vectors."""

from functools import cache
from types import FunctionType
from typing import Any

import numpy as np
from numba import njit
from numba.core.dispatcher import Dispatcher

from numgrad.functions._exact import derivatives
from numgrad.functions._exact.elements import element, is_array, loop
from numgrad.functions._exact.linear import value, values, with_value
from numgrad.functions._exact.numbers import Number, carries, level
from numgrad.functions._exact.operations import RULES, final, key_of, operations
from numgrad.functions._exact.rules import SHIFTS, is_scalar, scalar

# How well a user's function knows its value is not known; the least accurate of SciPy's that were tried is off as if
# its argument were off by ten units.
SHIFT = 16.0


def register(fun: Any, derivative: Any) -> None:
    """Give a function a rule; forget what has been derived without it."""
    of_numbers = cache(lambda count: _of_numbers(fun, derivative, count))

    def found(number: Any, *kinds: Any) -> Any:
        if all(map(is_scalar, kinds)):
            return of_numbers(len(kinds))
        which = tuple((is_array(kind), carries(kind)) for kind in kinds)
        highest = max((element(kind) for kind in kinds), key=level)
        slope = derivative
        if isinstance(highest.base, Number):
            slope = operations(highest.base).of(derivative)
        elif key_of(slope) not in RULES:
            slope = final(njit(derivative.py_func))
        names = {"fun": fun, "slope": slope, "value": value, "with_value": with_value}
        return loop(_weighed(which), highest, **names)

    found.derivative = derivative  # type: ignore[attr-defined]
    if not isinstance(fun, Dispatcher):
        found.original = final(_called(fun, "*args"))  # type: ignore[attr-defined]
    RULES[key_of(fun)] = found
    operations.cache_clear()
    derivatives.forget()


def _of_numbers(fun: Any, derivative: Any, count: int) -> Any:
    """Return what Numba compiles for a function of numbers."""
    names = ", ".join(f"x{i}" for i in range(count))
    slopes = []
    for i in range(count):
        scope = {"slope": derivative}
        exec(f"def formula(y, {names}): return slope({names}){f'[{i}]' if count > 1 else ''}", scope)
        slopes.append(scope["formula"])
    return scalar(_called(fun, names), *slopes)


def _called(fun: Any, names: str) -> Any:
    """Return a jitted function that calls one: what Numba does not compile itself it calls in a way of its own."""
    scope = {"fun": fun}
    exec(f"def call({names}): return fun({names})", scope)
    called = fun if isinstance(fun, Dispatcher) else njit(scope["call"])
    SHIFTS[called] = SHIFT
    return called


@cache
def _weighed(which: tuple[tuple[bool, bool], ...]) -> FunctionType:
    """Return the function that sums up derivatives: of arguments that are vectors or not, and carry them or not."""
    given = [f"x{i}" for i in range(len(which))]
    lines = [f"def weighed({', '.join(given)}):"]
    for i, (is_vector, has) in enumerate(which):
        taken = f"values_of(x{i})" if is_vector else f"value(x{i})"
        lines.append(f"    v{i} = {taken if has else f'x{i}'}")
    plain_names = ", ".join(f"v{i}" for i in range(len(which)))
    lines += [f"    y, d = fun({plain_names}), slope({plain_names})", "    s = 0.0"]
    for i, (is_vector, has) in enumerate(which):
        slope = f"d[{i}]" if len(which) > 1 else "d"
        if has and is_vector:
            lines += [f"    if {slope}.size != x{i}.size: raise ValueError('a rule returned a vector of another size')"]
            lines += [f"    for i in range(x{i}.size):", f"        s = s + {slope}[i] * x{i}[i]"]
        elif has:
            lines.append(f"    s = s + {slope} * x{i}")
    lines.append("    return with_value(s, y)")
    names = {"values_of": values, "np": np}
    exec("\n".join(lines), names)
    made = names["weighed"]
    assert isinstance(made, FunctionType)
    return made
