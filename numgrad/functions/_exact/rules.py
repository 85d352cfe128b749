"""The rules of differentiation for functions of numbers: values by the function itself, derivatives by formulas."""

import math
import operator
from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from numgrad.functions._exact.accumulators import JOINED, KEPT, PASSED
from numgrad.functions._exact.numbers import PLAIN, Number, level, value_of
from numgrad.functions._exact.operations import FAMILIES, FLAT, RULES, Rule, key_of, operations, type_of

# As if the arguments were off by so many units, functions are off that round more than once, beside the units of
# their values: near a zero these say little.
SHIFTS: dict[Any, float] = {}

# What takes numbers only, and what takes arrays, too: element by element, by the rules that `elements` puts here.
ELEMENTWISE: list[Callable[..., Any]] = []


class Argument(int):
    """Says that a derivative is the argument of this number."""


# A derivative is a formula, which is a function of the value y and of the arguments; an argument; or a number.
Derivative = Callable[..., Any] | Argument | float
SECOND, FIRST = Argument(1), Argument(0)


def is_scalar(kind: Any) -> bool:
    """Whether this is the type of a number."""
    return isinstance(types.unliteral(kind), (*PLAIN, Number))


def for_values(function: Any, bases: tuple[Any, ...]) -> Any:
    """Return what does for values what a function does: derived, where values carry derivatives in turn."""
    number = next((b for b in bases if isinstance(b, Number)), None)
    if type(function) is FunctionType and function not in RULES:  # a formula
        return operations(number).once(function, lambda: operations(number).derived(function, error_model="numpy"))
    return function if number is None else operations(number).of(function)


class Chain:
    """The chain rule: a value, and what the derivatives of the arguments are multiplied by."""

    def __init__(
        self, context: Any, function: Any, derivatives: tuple[Derivative, ...], kinds: tuple[Any, ...]
    ) -> None:
        highest = max(map(level, kinds))
        self.kinds, self.is_constant = kinds, [level(kind) < highest for kind in kinds]
        self.bases = tuple(
            types.unliteral(kind) if constant else kind.base
            for kind, constant in zip(kinds, self.is_constant, strict=True)
        )
        self.value = self.resolved(context, function, self.bases)
        self.base = types.unliteral(self.value[1].return_type)
        self.result = self.base
        self.factors: list[Any] = []
        self.special = None
        self.shift = SHIFTS.get(key_of(function), 0.0)
        if not isinstance(self.base, (types.Float, types.Complex, Number)):
            return  # a number that has no derivatives, such as what a comparison says
        number = kinds[self.is_constant.index(False)]
        self.result = number.of_sum(kinds, self.base)
        self.special = self.result.special.get(key_of(function))
        if self.special is not None:
            return
        for is_constant, derivative in zip(self.is_constant, derivatives, strict=True):
            if not is_constant and callable(derivative):
                derivative = self.resolved(context, derivative, (self.base, *self.bases))
            self.factors.append(None if is_constant else derivative)

    @staticmethod
    def resolved(context: Any, function: Any, kinds: tuple[Any, ...]) -> Any:
        """Return a function for values of these types, and its signature."""
        kind = type_of(context, for_values(function, kinds))
        signature = context.resolve_function_type(kind, kinds, {})
        if signature is None:
            raise TypeError(f"{function} does not take {kinds}")
        return kind, signature

    def call(self, context: Any, builder: Any, resolved: Any, arguments: list[Any], kinds: Any) -> Any:
        """Generate the call of a function that is `resolved`."""
        kind, signature = resolved
        given = [context.cast(builder, a, k, w) for a, k, w in zip(arguments, kinds, signature.args, strict=True)]
        return context.get_function(kind, signature)(builder, given)

    def generate(self, context: Any, builder: Any, arguments: Any) -> Any:
        """Generate the value, and its derivatives."""
        values = [
            context.cast(builder, argument, kind, base) if constant else value_of(context, builder, kind, argument)
            for kind, argument, base, constant in zip(self.kinds, arguments, self.bases, self.is_constant, strict=True)
        ]
        if self.special is not None:
            return self.special(self, context, builder, values, arguments)
        value = self.generate_value(context, builder, values)
        if not self.factors:
            return value
        terms = []
        for kind, argument, factor in zip(self.kinds, arguments, self.factors, strict=True):
            if factor is not None:
                terms.append((kind, argument, self._weight(context, builder, factor, value, values)))
        return self.result.sum(self, context, builder, value, terms)

    def generate_value(self, context: Any, builder: Any, values: list[Any]) -> Any:
        """Generate the value."""
        value = self.call(context, builder, self.value, values, self.bases)
        return context.cast(builder, value, self.value[1].return_type, self.base)

    def _weight(self, context: Any, builder: Any, factor: Any, value: Any, values: list[Any]) -> Any:
        """Generate the derivative with respect to an argument, or return it, if it is a Python float."""
        if isinstance(factor, Argument):
            return context.cast(builder, values[factor], self.bases[factor], self.base)
        if isinstance(factor, float):
            return factor
        weight = self.call(context, builder, factor, [value, *values], (self.base, *self.bases))
        return context.cast(builder, weight, factor[1].return_type, self.base)


def scalar(function: Any, *derivatives: Derivative) -> Any:
    """Return what Numba compiles for a function of numbers, of which at least one carries derivatives.

    Its `kept` does the same for a result that is kept in a variable, its `joined` for one that is kept in the variable
    that it is added to.
    """
    made = _scalar(function, derivatives, PASSED)
    made.kept, made.joined = (_scalar(function, derivatives, fate) for fate in (KEPT, JOINED))
    return made


def _scalar(function: Any, derivatives: tuple[Derivative, ...], fate: str) -> Any:
    def made(context: Any, *kinds: Any) -> Any:
        kinds = tuple(map(types.unliteral, kinds))
        chain = Chain(context, function, derivatives, kinds)
        result = chain.result.kept if fate and isinstance(chain.result, Number) else chain.result

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            number = chain.generate(context, builder, arguments)
            if fate == JOINED and isinstance(chain.result, Number):
                return chain.result.joined(chain, context, builder, number)
            return context.cast(builder, number, chain.result, result)

        return result(*kinds), generate

    names = ", ".join(f"x{i}" for i in range(len(derivatives)))
    scope: dict[str, Any] = {"made": made}
    exec(f"def call(context, {names}): return made(context, {names})", scope)
    return intrinsic(scope["call"])


def rule(function: Any, *derivatives: Derivative, by: Any = None) -> Rule:
    """Return the rule of a function of numbers. `by` is what computes the value, if not the function itself."""
    own = scalar(by or function, *derivatives)

    def found(number: Any, *kinds: Any) -> Any:
        if len(kinds) == len(derivatives) and all(map(is_scalar, kinds)):
            return own
        return next(filter(None, (each(function, number, *kinds) for each in ELEMENTWISE)), None)

    return found


def define(functions: tuple[Any, ...], *derivatives: Derivative, by: Any = None) -> None:
    """Give functions the same rule."""
    for function in functions:
        RULES[function] = rule(function, *derivatives, by=by)


# Powers: Numba compiles those with an exponent in the source in another way.


@cache
def power_of(exponent: int) -> Any:
    """Return the function that raises to a power in the source."""
    names: dict[str, Any] = {}
    exec(f"def power(x): return x ** {exponent}", names)
    power: Any = njit(error_model="numpy")(names["power"])
    SHIFTS[power] = 1.0  # as abs(exponent) roundings of the value
    return power


@cache
def power_rule(exponent: int) -> Rule:
    """Return the rule of a power in the source."""
    names: dict[str, Any] = {}
    slope = {0: "0.0 * x", 1: "1.0", 2: "2.0 * x"}.get(exponent, f"{exponent} * x ** {exponent - 1}")
    exec(f"def slope(y, x): return {slope}", names)
    return rule(power_of(exponent), names["slope"])


FAMILIES["power"] = lambda exponent: (power_of(exponent), power_rule(exponent))


def _power_by_base(y: Any, x: Any, p: Any) -> Any:
    return p * x ** (p - 1) if p != 0 else 0.0 * x


def _power_by_exponent(y: Any, x: Any, p: Any) -> Any:
    return y * math.log(x) if x > 0 else (0.0 * y if x == 0 else math.nan * y)


SLOPE_OF_ERF = 2.0 / math.sqrt(math.pi)
LOG_2, LOG_10, DEGREE = math.log(2.0), math.log(10.0), math.pi / 180.0


@njit
def _larger(a: Any, b: Any) -> Any:
    return max(a, b)


@njit
def _smaller(a: Any, b: Any) -> Any:
    return min(a, b)


@njit
def _share(x: Any) -> Any:
    """Return 1/(1 + exp(-x)), to all digits where it is small, and never by what is too large."""
    if x >= 0:
        return 1.0 / (1.0 + math.exp(-x))
    small = math.exp(x)
    return small / (1.0 + small)


@njit
def _rest(x: Any) -> Any:
    """Return 1 - x**2, to all digits, as is its derivative."""
    return 1.0 - x * x if abs(x) < 0.5 else (1.0 - x) * (1.0 + x)


@njit
def _slope_of_tanh(y: Any, x: Any) -> Any:
    """Return 1 - y**2, to all digits also where y is almost 1."""
    if abs(y) < 0.5:
        return 1.0 - y * y
    small = math.exp(-2.0 * x if x > 0 else 2.0 * x)
    return 4.0 * small / ((1.0 + small) * (1.0 + small))


LARGER = lambda y, a, b: 1.0 if a >= b else 0.0, lambda y, a, b: 0.0 if a >= b else 1.0
SMALLER = lambda y, a, b: 1.0 if a <= b else 0.0, lambda y, a, b: 0.0 if a <= b else 1.0

define((operator.add, operator.iadd, np.add), 1.0, 1.0)
define((operator.sub, operator.isub, np.subtract), 1.0, -1.0)
define((operator.mul, operator.imul, np.multiply), SECOND, FIRST)
define((operator.truediv, operator.itruediv, np.divide), lambda y, a, b: 1.0 / b, lambda y, a, b: -y / b)
define((operator.neg, np.negative), -1.0)
define((operator.pos, np.positive), 1.0)
define((operator.pow, math.pow, np.power), _power_by_base, _power_by_exponent)
define((operator.ipow,), _power_by_base, _power_by_exponent, by=operator.pow)
define((operator.floordiv, operator.ifloordiv, np.floor_divide), 0.0, 0.0)
define((operator.mod, operator.imod, np.mod), 1.0, lambda y, a, b: -np.rint((a - y) / b))
define((math.fmod, np.fmod), 1.0, lambda y, a, b: -np.rint((a - y) / b))
define((max,), *LARGER, by=_larger)
define((min,), *SMALLER, by=_smaller)
define((np.maximum, np.fmax), *LARGER)
define((np.minimum, np.fmin), *SMALLER)
define((abs, math.fabs, np.abs, np.fabs), lambda y, x: math.copysign(1.0, x))
define((math.copysign, np.copysign), lambda y, a, b: math.copysign(1.0, a) * math.copysign(1.0, b), 0.0)
define((math.hypot, np.hypot), lambda y, a, b: a / y, lambda y, a, b: b / y)
define(
    (math.atan2, np.arctan2),
    lambda y, a, b: b / math.hypot(a, b) / math.hypot(a, b),
    lambda y, a, b: -a / math.hypot(a, b) / math.hypot(a, b),
)
define((np.square,), lambda y, x: 2.0 * x)
define((np.reciprocal,), lambda y, x: -y * y)
define((np.cbrt,), lambda y, x: 1.0 / (3.0 * y * y))
define((np.exp2,), lambda y, x: y * LOG_2)
define((math.erf,), lambda y, x: SLOPE_OF_ERF * math.exp(-x * x))
define((math.erfc,), lambda y, x: -SLOPE_OF_ERF * math.exp(-x * x))
define((math.degrees, np.degrees, np.rad2deg), lambda y, x: 1.0 / DEGREE)
define((math.radians, np.radians, np.deg2rad), DEGREE)
define((np.logaddexp,), lambda y, a, b: _share(a - b), lambda y, a, b: _share(b - a))
for name, formula in {
    "sqrt": lambda y, x: 0.5 / y,
    "exp": lambda y, x: y,
    "expm1": lambda y, x: np.exp(x),
    "log": lambda y, x: 1.0 / x,
    "log1p": lambda y, x: 1.0 / (1.0 + x),
    "log2": lambda y, x: 1.0 / (x * LOG_2),
    "log10": lambda y, x: 1.0 / (x * LOG_10),
    "sin": lambda y, x: np.cos(x),
    "cos": lambda y, x: -np.sin(x),
    "tan": lambda y, x: 1.0 + y * y,
    "sinh": lambda y, x: np.cosh(x),
    "cosh": lambda y, x: np.sinh(x),
    "tanh": lambda y, x: _slope_of_tanh(y, x),
}.items():
    define((getattr(math, name), getattr(np, name)), formula)
for name, formula in {
    "sin": lambda y, x: 1.0 / np.sqrt(_rest(x)),
    "cos": lambda y, x: -1.0 / np.sqrt(_rest(x)),
    "tan": lambda y, x: 1.0 / (1.0 + x * x),
    "sinh": lambda y, x: 1.0 / math.hypot(1.0, x),
    "cosh": lambda y, x: 1.0 / np.sqrt((x - 1.0) * (x + 1.0)),
    "tanh": lambda y, x: 1.0 / _rest(x),
}.items():
    define((getattr(math, f"a{name}"), getattr(np, f"arc{name}")), formula)
for name in ("lt", "le", "gt", "ge", "eq", "ne"):
    define((getattr(operator, name),), 0.0, 0.0)
for functions in (
    (math.floor, np.floor),
    (math.ceil, np.ceil),
    (math.trunc, np.trunc),
    (np.sign,),
    (np.rint,),
    (round,),
    (int,),
    (bool,),
    (math.isnan, np.isnan),
    (math.isinf, np.isinf),
    (math.isfinite, np.isfinite),
    (np.signbit,),
):
    define(functions, 0.0)
FLAT.update((math.floor, np.floor, math.ceil, np.ceil, math.trunc, np.trunc, np.sign, np.rint, round, int))
FLAT.update((operator.floordiv, operator.ifloordiv, np.floor_divide))
define((float, np.float64), 1.0)


# The gamma function, by the digamma function and its derivatives.

# Numbers of Bernoulli: the second, the fourth, ...
BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)


@njit(error_model="numpy")
def _rising(m: Any, x: Any) -> Any:
    """Return the m-th derivative of the digamma function: by recurrence up to where the asymptotic series holds.

    DLMF 5.15.5 and 5.15.8, https://dlmf.nist.gov/5.15; 5.5.2 and 5.11.2 for m = 0.
    """
    factorial = 1.0
    for i in range(2, m + 1):
        factorial *= i
    total = 0.0
    while x < 12 + m:
        total += factorial / x ** (m + 1)
        x += 1.0
    total += factorial / (m * x**m) if m else -math.log(x)
    total += factorial / (2.0 * x ** (m + 1))
    for k in range(len(BERNOULLI)):
        n = 2 * (k + 1)
        term = BERNOULLI[k] / x ** (n + m)
        if m == 0:
            term /= n
        for i in range(1, m):
            term *= n + i
        total += term
    return -total if m % 2 == 0 else total


@njit(error_model="numpy")
def polygamma(m: Any, x: Any) -> Any:
    """Return the m-th derivative of the digamma function.

    Far to the left by reflection, at x and at its fraction, where the cotangents are the same: DLMF 5.15.6, 5.5.4.
    """
    if x <= 0 and x == math.floor(x):
        return math.nan
    if x > -20:
        return _rising(m, x)
    fraction = x - math.floor(x)
    far = _rising(m, 1.0 - x) - _rising(m, 1.0 - fraction)
    return _rising(m, fraction) + (far if m % 2 == 0 else -far)


define((polygamma,), 0.0, lambda y, m, x: polygamma(m + 1, x))
SHIFTS.update(dict.fromkeys((polygamma, math.gamma, math.lgamma), 4.0))
define((math.gamma,), lambda y, x: y * polygamma(0, x))
define((math.lgamma,), lambda y, x: polygamma(0, x))
define((pow,), _power_by_base, _power_by_exponent)
