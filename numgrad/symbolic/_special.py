"""Functions that SymPy does not have, each for a formula that has a value where it is 0/0, 0*inf or inf - inf."""

from functools import cache
from math import factorial
from types import SimpleNamespace
from typing import Any

from numgrad.symbolic._library import sympy
from numgrad.symbolic._tree import is_number, kept, made, upward

_NEAR = 1.5  # below, the series of the derivatives of sinc; above, their formulas have lost half a digit at most
_TERMS = range(1, 13)


@cache
def special() -> Any:
    """The classes of these functions: none of them is ever simplified."""
    return SimpleNamespace(**{name: type(name, (sympy().Function,), {}) for name in (*TEMPLATES, "PowerLog")})


@cache
def _plain() -> dict[Any, Any]:
    library, functions = sympy(), special()
    sin, cos = library.sin, library.cos
    return {
        functions.Sinc1: lambda x: cos(x) / x - sin(x) / x**2,
        functions.Sinc2: lambda x: -sin(x) / x - 2 * cos(x) / x**2 + 2 * sin(x) / x**3,
        functions.Softplus: lambda x: library.log(1 + library.exp(x)),
        functions.Logistic: lambda x: 1 / (1 + library.exp(-x)),
        functions.Log1p: lambda x: library.log(1 + x),
        functions.Expm1: lambda x: library.exp(x) - 1,
        functions.Versine: lambda x: 1 - cos(x),
        functions.OneMinusSquare: lambda x: (1 - x) * (1 + x),
        functions.PowerLog: lambda b, e, k: b**e * library.log(b) ** k,
    }


def replaced(expr: Any, names: dict[Any, Any]) -> Any:
    """`expr` in functions of SymPy, with other symbols."""
    return _rebuilt(expr, lambda e: _plain()[e.func](*e.args) if e.func in _plain() else e, dict(names))


def prepared(expr: Any, memo: dict[Any, Any] | None = None) -> Any:
    """`expr` with the functions that are special; `memo` has the parts that have been seen."""
    return _rebuilt(expr, _specialised, {} if memo is None else memo)


def _rebuilt(expr: Any, change: Any, memo: dict[Any, Any]) -> Any:
    """`expr` with each part changed, from within; each once, however often it stands there."""
    for part in upward(expr, memo.__contains__):
        arguments = [a if a.is_Number else memo[a] for a in part.args]
        is_same = all(a is b for a, b in zip(arguments, part.args, strict=True))
        memo[part] = change(part if is_same else _again(part)(part.func, *arguments))
    return memo[expr]


def _again(expr: Any) -> Any:
    """How to make one of this kind: a function of what it has been simplified for stays as it is."""
    library = sympy()
    if isinstance(expr, library.Function) and not expr.is_Piecewise:
        return kept
    return made if expr.is_Add or expr.is_Mul or expr.is_Pow else lambda kind, *arguments: kind(*arguments)


def _specialised(expr: Any) -> Any:
    library, functions = sympy(), special()
    if expr.func is library.log and expr.args[0].is_Add and not is_number(expr):
        one, other = expr.args[0].as_coeff_Add()
        if one == 1:
            return functions.Softplus(*other.args) if other.func is library.exp else functions.Log1p(other)
    if expr.is_Add:
        return _without_ones(expr)
    if not expr.is_Mul:
        return expr
    # b**e*log(b)**k, which is 0 at 0.
    for factor in expr.args:
        log, k = factor.as_base_exp() if factor.is_Pow else (factor, library.S.One)
        if log.func is not library.log or k not in (1, 2) or is_number(log):
            continue
        for power in expr.args:
            base, exponent = power.args if power.is_Pow else (power, library.S.One)
            if base == log.args[0] and not (is_number(exponent) and exponent.is_negative):
                rest = [f for f in expr.args if f is not factor and f is not power]
                return made(library.Mul, *rest, functions.PowerLog(base, exponent, k))
    return expr


def _without_ones(expr: Any) -> Any:
    """A sum with exp(x) - 1, 1 - exp(x) or 1 - cos(x) in one piece."""
    library, functions = sympy(), special()
    one, _ = expr.as_coeff_Add()
    if one not in (1, -1):
        return expr
    for term in expr.args:
        opposite = made(library.Mul, -one, term)
        if opposite.func is library.exp:
            whole = functions.Expm1(*opposite.args)
        elif opposite.func is library.cos:
            whole = made(library.Mul, library.S.NegativeOne, functions.Versine(*opposite.args))
        else:
            continue
        if not is_number(opposite):
            return made(library.Add, *(t for t in expr.args if t != one and t != term), made(library.Mul, -one, whole))
    return expr


def _series(derivative: int) -> str:
    """The code of the series of a derivative of sinc, divided by its first power, in x**2."""
    code = "0.0"
    for k in reversed(_TERMS):
        c = (-1) ** k * 2 * k / factorial(2 * k + 1) * (1 if derivative == 1 else 2 * k - 1)
        code = f"({c!r} + {{0}} * {{0}} * {code})"
    return code


# Code for the argument {0}, of which NaN goes in and out.
TEMPLATES = {
    "Sinc1": f"{{0}} * {_series(1)} if abs({{0}}) < {_NEAR} else (math.cos({{0}}) - math.sin({{0}}) / {{0}}) / {{0}}",
    "Sinc2": f"{_series(2)} if abs({{0}}) < {_NEAR} else "
    "(2.0 * (math.sin({0}) / {0} - math.cos({0})) / {0} - math.sin({0})) / {0}",
    "Softplus": "({0} if {0} > 0.0 else 0.0) + math.log1p(math.exp(-abs({0})))",
    "Logistic": "1.0 / (1.0 + math.exp(-{0}))",
    "Log1p": "math.log1p({0})",
    "Expm1": "math.expm1({0})",
    "OneMinusSquare": "(1.0 - {0}) * (1.0 + {0})",
    "Versine": "2.0 * math.sin(0.5 * {0}) * math.sin(0.5 * {0})",
}
