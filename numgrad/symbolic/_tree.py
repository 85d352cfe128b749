"""What formulas consist of, and how parts are put together without asking SymPy more than that is worth.

SymPy sorts the operands of sums and products, and finds the signs of arguments, by going to the bottom of each, again
and again. So what is deep is left as it stands.
"""

from functools import lru_cache
from typing import Any

from numgrad.symbolic._library import sympy

DEEPEST_ASKED = 12  # parts in one another
REMEMBERED = 20_000  # parts of formulas


@lru_cache(REMEMBERED)
def depth(expr: Any) -> int:
    """How many parts stand in one another."""
    return 1 + max(map(depth, expr.args), default=0)


@lru_cache(REMEMBERED)
def is_number(expr: Any) -> bool:
    library = sympy()
    if isinstance(expr, (library.Add, library.Mul, library.Pow, library.Function)):
        return all(map(is_number, expr.args))
    return bool(expr.is_number)


def made(kind: Any, *parts: Any) -> Any:
    """A sum, a product, a power or a function of these, as SymPy writes it, unless they are deep."""
    return kind(*parts) if all(depth(p) <= DEEPEST_ASKED for p in parts) else kept(kind, *parts)


def kept(kind: Any, *parts: Any) -> Any:
    """The same as it stands, but for numbers."""
    library = sympy()
    if all(map(is_number, parts)):
        return kind(*parts)
    if kind in (library.Add, library.Mul):
        number = kind(*filter(is_number, parts))
        if number is library.S.Zero and kind is library.Mul:
            return number
        others = [p for p in parts if not is_number(p)]
        parts = (*others,) if number is kind.identity else (number, *others)
    elif kind is library.Pow and parts[1] in (0, 1):
        return kind(*parts)
    return kind(*parts, evaluate=False)


def met(*exprs: Any) -> set[Any]:
    """All that these consist of, each part once."""
    found: set[Any] = set()
    left = list(exprs)
    while left:
        part = left.pop()
        if part not in found:
            found.add(part)
            left += part.args
    return found
