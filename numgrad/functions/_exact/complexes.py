"""The rules of differentiation for complex numbers: what is linear in their parts does the same with derivatives."""

import cmath
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic

from numgrad.functions._exact.elements import elementwise, is_array, loop
from numgrad.functions._exact.numbers import Dual, Number, extract, insert, parts
from numgrad.functions._exact.operations import ATTRIBUTES, METHODS, RULES, Rule
from numgrad.functions._exact.rules import define, rule

Part = Callable[[Any, Any, Any, Any], Any]


def _mapped(base: Callable[[Any], Any], of_complex: Part, of_real: Part) -> Any:
    """Return what Numba compiles for a function that is linear in the parts of a complex number."""

    @intrinsic
    def call(context: Any, z: Any) -> Any:
        if not isinstance(z, Dual) or isinstance(z.base, Number):
            raise TypingError("complex numbers that carry derivatives are to be had in forward mode, of first order")
        is_complex = isinstance(z.base, types.Complex)
        result = Dual(z.n, base(z.base) if is_complex else z.base)
        part = of_complex if is_complex else of_real

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            value, own = parts(context, builder, z, arguments[0])
            made = cgutils.create_struct_proxy(result)(context, builder)
            made.value = part(context, builder, z.base, value)
            total = context.get_constant_undef(result.partials)
            for i in range(z.n):
                element = part(context, builder, z.base, extract(builder, own, z.partials, i))
                total = insert(builder, total, result.partials, i, element)
            made.partials = total
            return made._getvalue()

        return result(z), generate

    return call


def _struct(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    return context.make_complex(builder, kind, value=value)


def _conjugate(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    made = _struct(context, builder, kind, value)
    made.imag = builder.fneg(made.imag)
    return made._getvalue()


REAL = _mapped(
    lambda base: base.underlying_float,
    lambda context, builder, kind, value: _struct(context, builder, kind, value).real,
    lambda context, builder, kind, value: value,
)
IMAG = _mapped(
    lambda base: base.underlying_float,
    lambda context, builder, kind, value: _struct(context, builder, kind, value).imag,
    lambda context, builder, kind, value: context.get_constant(kind, 0.0),
)
CONJUGATE = _mapped(lambda base: base, _conjugate, lambda context, builder, kind, value: value)


def modulus(z: Any) -> Any:
    return math.hypot(z.real, z.imag)


def angle(z: Any) -> Any:
    return math.atan2(z.imag, z.real)


def _linear(function: Any, own: Any) -> Rule:
    """Return the rule of a part of a complex number, or of each of an array."""

    def found(number: Any, z: Any) -> Any:
        return elementwise(function, number, z) if is_array(z) else own

    return found


for function, own in ((np.real, REAL), (np.imag, IMAG), (np.conj, CONJUGATE)):
    RULES[function] = _linear(function, own)
ATTRIBUTES["real"], ATTRIBUTES["imag"] = RULES[np.real], RULES[np.imag]
METHODS["conjugate"] = METHODS["conj"] = RULES[np.conjugate] = RULES[np.conj]


def _besides(of_reals: Rule, of_complex: Rule) -> Rule:
    """Return a rule that has another one for complex numbers beside it."""

    def found(number: Any, z: Any) -> Any:
        is_complex = isinstance(z, Number) and isinstance(z.base, types.Complex)
        return (of_complex if is_complex else of_reals)(number, z)

    return found


for absolute in (abs, np.abs):
    RULES[absolute] = _besides(RULES[absolute], lambda number, z: loop(modulus, number))
for name, formula in {
    "tanh": lambda y, x: (1.0 - y) * (1.0 + y),
    "arcsinh": lambda y, x: 1.0 / np.sqrt(1.0 + x * x),
}.items():
    RULES[getattr(np, name)] = _besides(RULES[getattr(np, name)], rule(getattr(np, name), formula))
RULES[np.angle] = RULES[cmath.phase] = lambda number, z: loop(angle, number)
for name, formula in {
    "exp": lambda y, x: y,
    "log": lambda y, x: 1.0 / x,
    "sqrt": lambda y, x: 0.5 / y,
    "sin": lambda y, x: cmath.cos(x),
    "cos": lambda y, x: -cmath.sin(x),
    "sinh": lambda y, x: cmath.cosh(x),
    "cosh": lambda y, x: cmath.sinh(x),
    "tan": lambda y, x: 1.0 + y * y,
    "tanh": lambda y, x: (1.0 - y) * (1.0 + y),
}.items():
    define((getattr(cmath, name),), formula)


def of_parts(real: Any, imag: Any) -> Any:
    return real + imag * 1j


def of_number(z: Any) -> Any:
    return z + 0j


RULES[complex] = lambda number, *kinds: loop(of_parts if len(kinds) == 2 else of_number, number)
