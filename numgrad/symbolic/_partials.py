"""Partial derivatives of real formulas, and what in them has no kernel.

SymPy's own `diff` has 0/0 where a derivative has a value, takes re and im apart for an argument that it cannot prove
real, and derives a part anew for each place where it stands. So the rules are here.
"""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import combinations_with_replacement
from typing import Any

from numgrad.symbolic._emit import is_emitted
from numgrad.symbolic._library import sympy
from numgrad.symbolic._special import special
from numgrad.symbolic._tree import is_number, kept, made, met, symbols_of, upward

Rule = Callable[..., Sequence[Any]]  # of the arguments of a function, to its derivative with respect to each


def outputs(expr: Any, symbols: tuple[Any, ...], order: int, names: dict[Any, Any]) -> list[Any]:
    """Return `expr`, its first partials, and the second ones of the upper triangle, row by row; checked.

    Messages have the symbols that `names` has for those of `expr`.
    """
    place = "the formula"
    _check(expr, place, names)
    slopes = Slopes()
    first = [slopes(expr, s) for s in symbols] if order else []
    pairs = list(combinations_with_replacement(range(len(symbols)), 2)) if order == 2 else []
    places = [place, *(f"the partial with respect to {s.name}" for s in (symbols if order else ()))]
    places += [f"the partial with respect to {symbols[i].name} and {symbols[j].name}" for i, j in pairs]
    found = [expr, *first]
    for component, where in zip(found[1:], places[1:], strict=False):
        _check(component, where, names)
    found += [slopes(first[i], symbols[j]) for i, j in pairs]
    for component, where in zip(found[1 + len(first) :], places[1 + len(first) :], strict=True):
        _check(component, where, names)
    return found


class Slopes:
    """Derivatives, almost everywhere, of formulas and of their parts, each found once."""

    def __init__(self) -> None:
        self._found: dict[Any, dict[Any, Any]] = {}  # for each symbol, of each part

    def __call__(self, expr: Any, symbol: Any) -> Any:
        library = sympy()
        if expr.is_Number:
            return library.S.Zero
        found = self._found.setdefault(symbol, {})
        for part in upward(expr, found.__contains__):
            if symbol not in symbols_of(part) or not isinstance(part, library.Expr):
                found[part] = library.S.Zero
            else:
                found[part] = library.S.One if part.is_Symbol else self._slope(part, symbol)
        return found[expr]

    def _slope(self, expr: Any, symbol: Any) -> Any:
        library = sympy()
        if expr.is_Add:
            return made(library.Add, *(d for a in expr.args if (d := self(a, symbol))))
        if expr.is_Mul:
            return made(library.Add, *self._products(expr.args, symbol))
        if expr.is_Piecewise:
            return expr.func(*((self(value, symbol), condition) for value, condition in expr.args))
        arguments = expr.args
        if expr.is_Pow:
            arguments = _merged(*expr.args)
            slopes: Sequence[Any] = _slopes_of_power(*arguments)
        else:
            rule = _rules().get(expr.func)
            slopes = rule(*arguments) if rule else [expr.fdiff(i + 1) for i in range(len(arguments))]
        inner = [self(a, symbol) for a in arguments]
        return made(library.Add, *(made(library.Mul, d, s) for d, s in zip(inner, slopes, strict=True) if d and s))

    def _products(self, factors: tuple[Any, ...], symbol: Any) -> list[Any]:
        slopes = [self(f, symbol) for f in factors]
        return [made(sympy().Mul, *factors[:i], d, *factors[i + 1 :]) for i, d in enumerate(slopes) if d]


def _merged(base: Any, exponent: Any) -> tuple[Any, Any]:
    """Base and exponent of a power of powers: where sqrt(x**3) is a number, it is x**(3/2), which has a slope at 0."""
    while base.is_Pow and base.exp.is_Rational and is_number(exponent):
        exponent *= base.exp
        base = made(sympy().Abs, base.base) if base.exp.is_even else base.base
    return base, exponent


def _slopes_of_power(base: Any, exponent: Any) -> tuple[Any, Any]:
    """One power, b**(e - 1), where SymPy has b**e/b, which is 0/0 at 0."""
    library = sympy()
    if is_number(base):
        return library.S.Zero, made(library.Mul, library.log(base), made(library.Pow, base, exponent))
    to_base = made(library.Mul, exponent, made(library.Pow, base, made(library.Add, exponent, library.S.NegativeOne)))
    return to_base, library.S.Zero if is_number(exponent) else special().PowerLog(base, exponent, library.S.One)


@cache
def _rules() -> dict[Any, Rule]:
    """The derivatives that are not asked of SymPy, which would ask again what it knows of the argument."""
    library = sympy()
    found: dict[Any, Rule] = {function: _alone(slope) for function, slope in _elementary().items()}
    found |= {function: _alone(slope) for function, slope in _of_special().items()}
    found |= {library.Max: _foremost(library.Max), library.Min: _foremost(library.Min)}
    found |= {library.Mod: _slopes_of_mod, special().PowerLog: _slopes_of_power_log}
    flat = library.sign, library.floor, library.ceiling, library.Heaviside
    return found | dict.fromkeys(flat, lambda *arguments: [library.S.Zero] * len(arguments))


def _alone(slope: Callable[[Any], Any]) -> Rule:
    return lambda x: [slope(x)]


def _elementary() -> dict[Any, Callable[[Any], Any]]:
    library = sympy()
    return {
        library.sin: lambda x: kept(library.cos, x),
        library.cos: lambda x: _minus(kept(library.sin, x)),
        library.sinh: lambda x: kept(library.cosh, x),
        library.cosh: lambda x: kept(library.sinh, x),
        # Not 1 - tanh(x)**2, which has no digit left from 19 on; nor by cosh, whose third power overflows too soon.
        library.tanh: lambda x: _power(kept(library.sech, x), 2),
        library.coth: lambda x: _minus(_power(kept(library.csch, x), 2)),
        library.exp: lambda x: kept(library.exp, x),
        library.log: lambda x: _power(x, -1),
        library.Abs: lambda x: kept(library.sign, x),
        library.frac: lambda x: library.S.One,
        library.asin: lambda x: _root(x),
        library.acos: lambda x: _minus(_root(x)),
        library.atan: lambda x: _power(_one_plus_square(x), -1),
        library.asec: lambda x: _times(_root(x, 1), _power(_size(x), -1)),
        library.acsc: lambda x: _minus(_root(x, 1), _power(_size(x), -1)),
        library.asinh: lambda x: _power(_one_plus_square(x), -_half()),
        library.atanh: lambda x: _power(special().OneMinusSquare(x), -1),
        library.acoth: lambda x: _power(special().OneMinusSquare(x), -1),
        library.asech: lambda x: _minus(_root(x), _power(x, -1)),
        library.acsch: lambda x: _minus(_power(_size(x), -1), _power(_one_plus_square(x), -_half())),
        library.erf: lambda x: _bell(x),
        library.erfc: lambda x: _minus(_bell(x)),
        library.sinc: lambda x: special().Sinc1(x),
    }


def _of_special() -> dict[Any, Callable[[Any], Any]]:
    functions = special()
    return {
        functions.Sinc1: lambda x: functions.Sinc2(x),
        functions.Softplus: lambda x: functions.Logistic(x),
        functions.Logistic: lambda x: _times(functions.Logistic(x), functions.Logistic(_minus(x))),
        functions.Log1p: lambda x: _power(_plus(sympy().S.One, x), -1),
        functions.Expm1: lambda x: kept(sympy().exp, x),
        functions.OneMinusSquare: lambda x: _times(sympy().Integer(-2), x),
        functions.Versine: lambda x: kept(sympy().sin, x),
    }


def _plus(*parts: Any) -> Any:
    return made(sympy().Add, *parts)


def _times(*parts: Any) -> Any:
    return made(sympy().Mul, *parts)


def _minus(*parts: Any) -> Any:
    return _times(sympy().S.NegativeOne, *parts)


def _power(base: Any, exponent: Any) -> Any:
    return made(sympy().Pow, base, sympy().sympify(exponent))


def _half() -> Any:
    return sympy().S.Half


def _size(x: Any) -> Any:
    return made(sympy().Abs, x)


def _one_plus_square(x: Any) -> Any:
    return _plus(sympy().S.One, _power(x, 2))


def _root(x: Any, sign: int = -1) -> Any:
    """1/sqrt(1 - x**2), or with x**2 - 1, without the cancellation at 1."""
    if sign < 0:
        return _power(special().OneMinusSquare(x), -_half())
    return _times(*(_power(_plus(_size(x), sympy().Integer(one)), -_half()) for one in (-1, 1)))


def _bell(x: Any) -> Any:
    library = sympy()
    return _times(2 / library.sqrt(library.pi), kept(library.exp, _minus(_power(x, 2))))


def _slopes_of_mod(a: Any, b: Any) -> tuple[Any, Any]:
    return sympy().S.One, _minus(kept(sympy().floor, _times(a, _power(b, -1))))


def _slopes_of_power_log(base: Any, exponent: Any, k: Any) -> tuple[Any, Any, Any]:
    functions, less = special(), _plus(exponent, sympy().S.NegativeOne)
    lower = _power(base, less) if k == 1 else functions.PowerLog(base, less, k - 1)
    to_base = _plus(_times(exponent, functions.PowerLog(base, less, k)), _times(k, lower))
    return to_base, functions.PowerLog(base, exponent, k + 1), sympy().S.Zero


def _foremost(kind: Any) -> Rule:
    """Of Max and Min, the step to each argument from the others."""
    library = sympy()

    def rule(*given: Any) -> list[Any]:
        rests = [kept(kind, *given[:i], *given[i + 1 :]) for i in range(len(given))]
        pairs = [(g, _minus(r)) if kind is library.Max else (_minus(g), r) for g, r in zip(given, rests, strict=True)]
        return [kept(library.Heaviside, _plus(*pair)) for pair in pairs]

    return rule


def _check(expr: Any, place: str, names: dict[Any, Any]) -> None:
    library = sympy()

    def shown() -> str:  # takes long
        return str(expr.xreplace(names))[:80]

    parts = met(expr)
    if parts & {library.nan, library.oo, -library.oo, library.zoo}:
        raise ValueError(f"{place} is not finite: {shown()}")
    if library.I in parts:
        raise ValueError(f"{place} is complex: {shown()}; compile its real and imaginary part, `expr.as_real_imag()`")
    missing = sorted(_missing(expr))
    if missing:
        raise NotImplementedError(
            f"{place} has {', '.join(missing)}, for which there is no compiled code; "
            "`numgrad.functions` takes derivatives of any callable, of one with scipy.special, say"
        )


def _missing(expr: Any) -> set[str]:
    """The names of what has no code in `expr`."""
    library = sympy()
    found: dict[Any, set[str]] = {}  # of each part
    for part in upward(expr, found.__contains__):
        if isinstance(part, library.core.function.AppliedUndef):
            names = {f"{part.func}, an undefined function"}
        elif is_emitted(part):
            names = set().union(*(found[a] for a in part.args if not a.is_Number))
        else:
            names = {type(part).__name__}
        if names and is_number(part) and part.is_comparable:
            names = set()  # SymPy evaluates it
        found[part] = names
    return found[expr]
