"""The rules of differentiation for sums, extremes, and their like."""

import math
from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any

import numpy as np
from numba import types

from numgrad.functions._exact import products
from numgrad.functions._exact.elements import empty_of, is_array, loop, written
from numgrad.functions._exact.linear import value, values, values_of
from numgrad.functions._exact.operations import METHODS, RULES, Rule

_ = products  # whose rules are among these

# Bound anew in each loop.
empty: Any = np.empty
zero, one = 0.0, 1.0


# Sums and the like


def total(a: Any) -> Any:
    s = zero
    for x in a.flat:
        s += x
    return s


def total_of_line(a: Any) -> Any:
    s = zero
    for i in range(a.size):
        s += a[i]
    return s


def total_of_sequence(a: Any) -> Any:
    s = zero
    for x in a:
        s += x
    return s


@cache
def totals(ndim: int) -> FunctionType:
    """Return the loop that sums along an axis of an array of so many axes."""
    lines = ["def totals(a, axis):", f"    axis = axis % {ndim}"]
    for axis in range(ndim):
        others = [t for t in range(ndim) if t != axis]
        lines.append(f"    {'if' if axis == 0 else 'elif'} axis == {axis}:")
        lines.append(f"        out = empty(({''.join(f'a.shape[{t}], ' for t in others)}))")
        lines += [f"        {'    ' * k}for i{t} in range(a.shape[{t}]):" for k, t in enumerate(others)]
        inside = "        " + "    " * len(others)
        lines += [f"{inside}s = zero", f"{inside}for i{axis} in range(a.shape[{axis}]):"]
        lines.append(f"{inside}    s += a[{', '.join(f'i{t}' for t in range(ndim))}]")
        lines.append(f"{inside}out[{', '.join(f'i{t}' for t in others)}] = s")
    return written([*lines, "    return out"])


def mean(a: Any) -> Any:
    return np.sum(a) / a.size


def variance(a: Any) -> Any:
    m, s = np.sum(a) / a.size, zero
    for x in a.flat:
        s += (x - m) * (x - m)
    return s / a.size


def deviation(a: Any) -> Any:
    return math.sqrt(np.var(a))


def largest(a: Any) -> Any:
    found = a.flat[0]
    for x in a.flat:
        if x > found or x != x:
            found = x
    return found


def smallest(a: Any) -> Any:
    found = a.flat[0]
    for x in a.flat:
        if x < found or x != x:
            found = x
    return found


def product(a: Any) -> Any:
    p = one
    for x in a.flat:
        p = p * x
    return p


def running_total(a: Any) -> Any:
    out, s = empty(a.size), zero
    for i, x in enumerate(a.flat):
        s += x
        out[i] = s
    return out


def running_product(a: Any) -> Any:
    out, p = empty(a.size), one
    for i, x in enumerate(a.flat):
        p = p * x
        out[i] = p
    return out


def differences(a: Any) -> Any:
    out = empty(max(a.size - 1, 0))
    for i in range(a.size - 1):
        out[i] = a[i + 1] - a[i]
    return out


def trace(a: Any) -> Any:
    s = zero
    for i in range(min(a.shape[0], a.shape[1])):
        s += a[i, i]
    return s


def norm(a: Any) -> Any:
    s = zero
    for x in a.flat:
        s += x * x
    return math.sqrt(s)


def in_order(a: Any) -> Any:
    order, out = np.argsort(values_of(a)), empty(a.size)
    for i in range(a.size):
        out[i] = a[order[i]]
    return out


def fold(function: Callable[..., Any], axes: Any = None, line: Any = None, sequence: Any = None) -> Rule:
    """Return the rule of a function of one array, by a loop; by other loops along an axis, of a line or a sequence."""

    def found(number: Any, a: Any, axis: Any = None) -> Any:
        if not is_array(a):
            return None if sequence is None else loop(sequence, number)
        made = empty_of(a.dtype)
        if axis is None or isinstance(axis, types.NoneType):
            return loop(line if line is not None and a.ndim == 1 else function, number, empty=made)
        return None if a.ndim == 1 or axes is None else loop(axes(a.ndim), number, empty=made)

    return found


for names, methods, found in (
    (("sum",), ("sum",), fold(total, totals, total_of_line)),
    (("mean",), ("mean",), fold(mean)),
    (("var",), ("var",), fold(variance)),
    (("std",), ("std",), fold(deviation)),
    (("max", "amax"), ("max",), fold(largest)),
    (("min", "amin"), ("min",), fold(smallest)),
    (("prod",), ("prod",), fold(product)),
    (("cumsum",), ("cumsum",), fold(running_total)),
    (("cumprod",), ("cumprod",), fold(running_product)),
    (("diff",), (), fold(differences)),
    (("trace",), (), fold(trace)),
    (("sort",), (), fold(in_order)),
):
    RULES.update({getattr(np, name): found for name in names})
    METHODS.update(dict.fromkeys(methods, found))
RULES[sum] = fold(total_of_sequence, sequence=total_of_sequence)
RULES[np.linalg.norm] = fold(norm)


# Extremes of more than two numbers


def larger_of_three(a: Any, b: Any, c: Any) -> Any:
    return max(max(a, b), c)


def smaller_of_three(a: Any, b: Any, c: Any) -> Any:
    return min(min(a, b), c)


def largest_of_sequence(a: Any) -> Any:
    found = a[0]
    for x in a:
        if x > found:
            found = x
    return found


def smallest_of_sequence(a: Any) -> Any:
    found = a[0]
    for x in a:
        if x < found:
            found = x
    return found


def _extremes(of_two: Rule, of_three: Any, of_sequence: Any) -> Rule:
    def found(number: Any, *kinds: Any) -> Any:
        if len(kinds) == 1:
            return loop(of_sequence, number)
        return loop(of_three, number) if len(kinds) == 3 else of_two(number, *kinds)

    return found


RULES[max] = _extremes(RULES[max], larger_of_three, largest_of_sequence)
RULES[min] = _extremes(RULES[min], smaller_of_three, smallest_of_sequence)


def divided(a: Any, b: Any) -> Any:
    return a // b, a % b


def middle(a: Any) -> Any:
    ordered = np.sort(a.flatten())
    n = ordered.size
    if ordered[n - 1] != ordered[n - 1]:
        return ordered[n - 1]  # a NaN
    return ordered[n // 2] if n % 2 == 1 else (ordered[n // 2 - 1] + ordered[n // 2]) / 2


RULES[divmod] = lambda number, *kinds: loop(divided, number)
RULES[np.median] = fold(middle)


# Places: by the values alone.


def place_of_largest(a: Any) -> Any:
    return np.argmax(values_of(a))


def place_of_smallest(a: Any) -> Any:
    return np.argmin(values_of(a))


def order(a: Any) -> Any:
    return np.argsort(values_of(a))


for name, place in (("argmax", place_of_largest), ("argmin", place_of_smallest), ("argsort", order)):
    RULES[getattr(np, name)] = METHODS[name] = fold(place)


def _among(function: Any) -> Rule:
    """Return the rule of a function that tells where numbers are among others."""

    def found(number: Any, *kinds: Any) -> Any:
        given = [f"a{i}" for i in range(len(kinds))]
        plain = [f"values_of({a})" if is_array(kind) else f"value({a})" for a, kind in zip(given, kinds, strict=True)]
        code = _placed(", ".join(given), ", ".join(plain))
        return loop(code, number, locate=function, values_of=values, value=value)

    return found


@cache
def _placed(given: str, plain: str) -> FunctionType:
    return written([f"def place({given}):", f"    return locate({plain})"])


RULES[np.searchsorted], RULES[np.digitize] = _among(np.searchsorted), _among(np.digitize)
