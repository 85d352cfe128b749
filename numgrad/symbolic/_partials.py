"""Partial derivatives of real formulas, and what in them has no kernel."""

from functools import cache
from itertools import combinations_with_replacement
from typing import Any

from numgrad.symbolic._emit import is_emitted
from numgrad.symbolic._library import sympy

Memo = dict[Any, Any]


def outputs(expr: Any, symbols: tuple[Any, ...], order: int, names: dict[Any, Any]) -> list[Any]:
    """Return `expr`, its first partials, and the second ones of the upper triangle, row by row; checked.

    Messages have the symbols that `names` has for those of `expr`.
    """
    place = "the formula"
    _check(expr, place, names)
    inner = _replace(expr, _stand_ins(), {})
    first = [_partial(inner, s) for s in symbols] if order else []
    pairs = combinations_with_replacement(range(len(symbols)), 2) if order == 2 else ()
    places = [place, *(f"the partial with respect to {s.name}" for s in (symbols if order else ()))]
    found = [expr, *(_replace(f, _originals(), {}) for f in first)]
    for i, j in pairs:
        found.append(_replace(_partial(first[i], symbols[j]), _originals(), {}))
        places.append(f"the partial with respect to {symbols[i].name} and {symbols[j].name}")
    for component, where in zip(found, places, strict=True):
        _check(component, where, names)
    return found


def _partial(expr: Any, symbol: Any) -> Any:
    """The derivative where there is one: the jumps of sign and Heaviside have none, and count as 0."""
    library = sympy()
    derived = expr.diff(symbol)
    return _replace(derived, {**_stand_ins(), library.DiracDelta: lambda *_: library.Integer(0)}, {})


def _replace(expr: Any, table: dict[Any, Any], memo: Memo) -> Any:
    """`expr` with each function that is a key of `table` replaced."""
    if not expr.args:
        return expr
    if expr not in memo:
        arguments = [_replace(a, table, memo) for a in expr.args]
        maker = table.get(expr.func, expr.func)
        same = maker is expr.func and all(a is b for a, b in zip(arguments, expr.args, strict=True))
        memo[expr] = expr if same else maker(*arguments)
    return memo[expr]


@cache
def _stand_ins() -> dict[Any, Any]:
    """Functions of the same names that take arguments for real and have a derivative almost everywhere.

    SymPy's own have derivatives of re and im for an argument that it cannot prove real, such as log(x), or none.
    """
    library = sympy()
    zero, one = library.Integer(0), library.Integer(1)

    def slope_of_mod(args: Any, i: int) -> Any:
        return one if i == 1 else -stand_ins[library.floor](args[0] / args[1])

    def stand_in(name: str, slope: Any) -> Any:
        # `eval` of the base class leaves the function as it is.
        return type(name, (library.Function,), {"fdiff": lambda self, i=1: slope(self.args, i)})

    stand_ins: dict[Any, Any] = {
        library.Abs: stand_in("Abs", lambda args, i: stand_ins[library.sign](*args)),
        library.Mod: stand_in("Mod", slope_of_mod),
        library.frac: stand_in("frac", lambda args, i: one),
    }
    for flat in (library.sign, library.floor, library.ceiling, library.Heaviside):
        stand_ins[flat] = stand_in(flat.__name__, lambda args, i: zero)
    return stand_ins


@cache
def _originals() -> dict[Any, Any]:
    return {stand_in: original for original, stand_in in _stand_ins().items()}


def _check(expr: Any, place: str, names: dict[Any, Any]) -> None:
    library = sympy()
    shown = str(expr.xreplace(names))[:80]
    if expr.has(library.nan, library.oo, -library.oo, library.zoo):
        raise ValueError(f"{place} is not finite: {shown}")
    if expr.has(library.I):
        raise ValueError(f"{place} is complex: {shown}; compile its real and imaginary part, `expr.as_real_imag()`")
    missing = sorted(set(_missing(expr)))
    if missing:
        raise NotImplementedError(
            f"{place} has {', '.join(missing)}, for which there is no compiled code; "
            "`numgrad.functions` takes derivatives of any callable, of one with scipy.special, say"
        )


def _missing(expr: Any) -> list[str]:
    library = sympy()
    if isinstance(expr, library.core.function.AppliedUndef):
        return [f"{expr.func}, an undefined function"]
    if expr.is_number and expr.is_comparable:
        return []  # SymPy evaluates it
    if not is_emitted(expr):
        return [type(expr).__name__]
    return [name for argument in expr.args for name in _missing(argument)]
