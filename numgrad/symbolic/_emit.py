"""SymPy expressions as lines of Python that Numba compiles, one operation each; none of them can raise."""

from collections.abc import Iterable
from fractions import Fraction
from functools import cache, lru_cache, reduce
from math import copysign, isfinite
from typing import Any, NamedTuple

from numgrad.symbolic._library import sympy
from numgrad.symbolic._special import TEMPLATES as SPECIAL
from numgrad.symbolic._special import special
from numgrad.symbolic._tree import REMEMBERED, depth, is_number, kept, upward
from numgrad.symbolic._work import spend, watched

DEEPEST_AT_ONCE = 20  # parts in one another
LONGEST_CHAIN = 64  # Largest power that is a chain of multiplications: `pow` takes about as long, and rounds once

# By the class' name in SymPy. NaN goes in and out as in NumPy.
_TEMPLATES = {
    **{f: f"math.{f}({{}})" for f in ("sin", "cos", "tan", "acos", "asin", "atan", "sinh", "cosh", "tanh")},
    **{f: f"math.{f}({{}})" for f in ("exp", "log", "asinh", "acosh", "atanh", "erf", "erfc", "gamma")},
    "cot": "1.0 / math.tan({})",
    "sec": "1.0 / math.cos({})",
    "csc": "1.0 / math.sin({})",
    "coth": "1.0 / math.tanh({})",
    "sech": "1.0 / math.cosh({})",
    "csch": "1.0 / math.sinh({})",
    "acot": "math.atan(1.0 / {})",
    # Near 1, 1/x would have lost what these are made of.
    "acoth": "math.copysign(0.5 * math.log1p(2.0 / (abs({0}) - 1.0)), {0})",
    "asec": "math.atan2(math.sqrt(abs({0}) - 1.0) * math.sqrt(abs({0}) + 1.0), math.copysign(1.0, {0}))",
    "acsc": "math.atan2(math.copysign(1.0, {0}), math.sqrt(abs({0}) - 1.0) * math.sqrt(abs({0}) + 1.0))",
    "asech": "math.asinh(math.sqrt((1.0 - {0}) * (1.0 + {0})) / abs({0})) if {0} >= 0.0 else nan",
    "acsch": "math.asinh(1.0 / {})",
    "atan2": "math.atan2({}, {})",
    "loggamma": "nan if {0} < 0.0 else math.lgamma({0})",  # complex below 0
    "sinc": "1.0 if {0} == 0.0 else math.sin({0}) / {0}",
    "floor": "np.floor({})",  # `math.floor` makes an integer, of NaN too
    "ceiling": "np.ceil({})",
    "frac": "{0} - np.floor({0})",
    "Abs": "abs({})",
    "sign": "1.0 if {0} > 0.0 else (-1.0 if {0} < 0.0 else {0})",
    "Heaviside": "1.0 if {0} > 0.0 else (0.0 if {0} < 0.0 else ({1} if {0} == 0.0 else {0}))",
    "Mod": "{} % {}",
    "Equality": "{} == {}",
    "Unequality": "{} != {}",
    "StrictLessThan": "{} < {}",
    "LessThan": "{} <= {}",
    "StrictGreaterThan": "{} > {}",
    "GreaterThan": "{} >= {}",
    "Not": "not {}",
    "ITE": "{1} if {0} else {2}",
}
_FOLDS = {
    "And": "{} & {}",
    "Or": "{} | {}",
    "Xor": "{} != {}",
    "Max": "{0} if ({0} >= {1}) | ({0} != {0}) else {1}",
    "Min": "{0} if ({0} <= {1}) | ({0} != {0}) else {1}",
}
# What keeps a loop from packed instructions.
_CALLS = ("math.", "**", "%")


@cache
def _classes() -> tuple[dict[Any, str], dict[Any, str]]:
    library = sympy()
    templates = {getattr(library, n): t for n, t in _TEMPLATES.items()}
    templates |= {getattr(special(), n): t for n, t in SPECIAL.items()}
    return templates, {getattr(library, n): t for n, t in _FOLDS.items()}


def is_emitted(expr: Any) -> bool:
    """Whether there is code for the function at the top of `expr`."""
    library = sympy()
    boolean, pair = library.logic.boolalg.BooleanAtom, library.functions.elementary.piecewise.ExprCondPair
    built_in = library.Symbol, library.Number, library.Add, library.Mul, library.Pow, library.Piecewise, boolean, pair
    return isinstance(expr, (*built_in, special().PowerLog)) or any(expr.func in templates for templates in _classes())


class Value(NamedTuple):
    """A number in the generated code, and whether it is the same along the row."""

    text: str
    is_constant: bool


class Emitter:
    """The lines that compute what `emit` has been asked for, each operation once.

    The order of the operations in an expression does not depend on what is constant along the row: the bits must not.
    """

    def __init__(self, variables: dict[Any, Value], definitions: dict[Any, Any]) -> None:
        self.before: list[str] = []  # the loop
        self.inside: list[str] = []
        self.makes_calls = False
        self._definitions = definitions
        self._values: dict[Any, Value] = dict(variables)
        self._known: dict[str, Value] = {}
        self._met: set[Any] = set()
        self.loaded: set[Any] = set()

    def emit(self, expr: Any) -> Value:
        while expr in self._definitions:
            expr = self._definitions[expr]
        if expr not in self._values:
            if depth(expr) > DEEPEST_AT_ONCE:
                for part in upward(expr, self._met.__contains__):
                    self._met.add(part)
                    if part.is_Function and not is_number(part) and part is not expr:
                        self.emit(part)
            spend(10 * (len(expr.args) + 1))
            self._values[expr] = self._emit(expr)
        elif expr.is_Symbol:
            self.loaded.add(expr)
        return self._values[expr]

    def _emit(self, expr: Any) -> Value:
        library = sympy()
        if isinstance(expr, library.logic.boolalg.BooleanAtom):
            return Value(str(bool(expr)), True)
        if is_number(expr):
            return literal(number(expr))
        if expr.is_Add:
            return self._sum(expr)
        if expr.is_Mul:
            size, is_negative = self._product(expr)
            return self._do("-{}", size) if is_negative else size
        if expr.is_Pow:
            return self._power(expr)
        if expr.is_Piecewise:
            return self._pieces(expr)
        if expr.func is special().PowerLog:
            return self._power_log(*expr.args)
        templates, folds = _classes()
        arguments = [self.emit(a) for a in expr.args]
        if expr.func in folds:
            return reduce(lambda a, b: self._do(folds[expr.func], a, b), arguments)
        return self._do(templates[expr.func], *arguments)

    def _do(self, template: str, *operands: Value) -> Value:
        code = template.format(*(f"({v.text})" if v.text.startswith("-") else v.text for v in operands))
        if code not in self._known:
            is_constant = all(v.is_constant for v in operands)
            name = f"t{len(self._known)}"
            (self.before if is_constant else self.inside).append(f"{name} = {code}")
            # One call along the row does not hinder the loop.
            self.makes_calls |= not is_constant and any(c in code for c in _CALLS)
            self._known[code] = Value(name, is_constant)
        return self._known[code]

    def _sum(self, expr: Any) -> Value:
        numbers, terms = _parted(expr.args)
        positive: list[Value] = []
        negative: list[Value] = []
        for term in terms:
            size, is_negative = self._product(term) if term.is_Mul else (self.emit(term), False)
            (negative if is_negative else positive).append(size)
        offset = number(kept(expr.func, *numbers))
        if offset:
            (negative if offset < 0 and positive else positive).append(literal(abs(offset) if positive else offset))
        total = positive.pop(0) if positive else self._do("-{}", negative.pop(0))
        total = reduce(lambda a, b: self._do("{} + {}", a, b), positive, total)
        return reduce(lambda a, b: self._do("{} - {}", a, b), negative, total)

    def _product(self, expr: Any) -> tuple[Value, bool]:
        """The size of a product and whether it is to be negated, which a sum does at no cost."""
        numbers, factors = _parted(expr.args)
        coefficient = number(kept(expr.func, *numbers))
        above = [] if abs(coefficient) == 1 else [literal(abs(coefficient))]
        below = []
        for factor in factors:
            exponent = _exponent(factor)
            if exponent is not None and exponent < 0:
                below.append(self._raise(self.emit(factor.base), -exponent))
            else:
                above.append(self.emit(factor))
        top = self._times(above) if above else literal(1.0)
        return (self._do("{} / {}", top, self._times(below)) if below else top), copysign(1.0, coefficient) < 0

    def _times(self, factors: list[Value]) -> Value:
        return reduce(lambda a, b: self._do("{} * {}", a, b), factors)

    def _power(self, expr: Any) -> Value:
        exponent = _exponent(expr)
        if exponent is None:
            return self._do("{} ** {}", self.emit(expr.base), self.emit(expr.exp))
        power = self._raise(self.emit(expr.base), abs(exponent))
        return self._do("{} / {}", literal(1.0), power) if exponent < 0 else power

    def _power_log(self, base: Any, exponent: Any, k: Any) -> Value:
        """b**e*log(b)**k, whose limit at 0 is 0 for a positive e."""
        library = sympy()
        powers = (base, exponent), (kept(library.log, base), k)
        factors = (self.emit(kept(library.Pow, *power)) for power in powers)
        return self._do("0.0 if ({} == 0.0) & ({} > 0.0) else {} * {}", self.emit(base), self.emit(exponent), *factors)

    def _raise(self, base: Value, exponent: Fraction) -> Value:
        """A power of a positive exponent, of which 2 is a multiple, from multiplications and a root."""
        factors = []
        if exponent.denominator == 2:
            factors.append(self._do("sqrt({})", base))
        square, whole = base, int(exponent)
        while whole:
            if whole % 2:
                factors.append(square)
            whole //= 2
            if whole:
                square = self._do("{0} * {0}", square)
        return self._times(factors)

    def _pieces(self, expr: Any) -> Value:
        value = Value("nan", True)
        for result, condition in reversed(expr.args):
            kept, test = self.emit(result), self.emit(condition)
            value = kept if test.text == "True" else self._do("{} if {} else {}", kept, test, value)
        return value


def literal(value: float) -> Value:
    return Value(repr(value), True)


def number(expr: Any) -> float:
    """The float64 nearest to a number, rounded once."""
    exact = _exact(expr)
    try:
        nearest = exact.p / exact.q
    except OverflowError:
        nearest = float("inf")
    if not isfinite(nearest):
        raise ValueError(f"the formula has the number {str(expr)[:80]}, too large for a float64")
    return float(nearest)


def _exact(expr: Any) -> Any:
    """A number as a rational one, to 40 digits."""
    if expr.is_Rational or expr.is_Float:
        return sympy().Rational(expr)
    factor, rest = expr.as_coeff_Mul(rational=True) if expr.is_Mul else (sympy().S.One, expr)
    return factor * _evaluated(rest)  # such as 2/sqrt(pi), met beside many a factor


@lru_cache(REMEMBERED)
def _evaluated(expr: Any) -> Any:
    library = sympy()
    with watched():
        value = expr.evalf(40)
    if not value.is_Rational and not value.is_Float:
        if value.is_real is False or value.has(library.I):
            raise ValueError(f"the formula is complex: it has {str(expr)[:80]}; compile its real and imaginary part")
        raise ValueError(f"the formula has {str(expr)[:80]}, a number that SymPy does not evaluate")
    return library.Rational(value)


def _parted(arguments: Iterable[Any]) -> tuple[list[Any], list[Any]]:
    arguments = list(arguments)
    return [a for a in arguments if is_number(a)], [a for a in arguments if not is_number(a)]


def _exponent(expr: Any) -> Fraction | None:
    """The exponent of a power that needs no `pow`, of a variable."""
    if not expr.is_Pow or not (expr.exp.is_Rational or expr.exp.is_Float):
        return None
    exact = sympy().Rational(expr.exp)
    exponent = Fraction(int(exact.p), int(exact.q))
    return exponent if exponent.denominator <= 2 and 0 < abs(exponent) <= LONGEST_CHAIN else None
