"""What formulas consist of, and how parts are put together without asking SymPy more than that is worth.

SymPy sorts the operands of sums and products, and finds the signs of arguments, by going to the bottom of each, again
and again. So what is deep is left as it stands, and all of a long string.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from functools import cmp_to_key, lru_cache, reduce
from operator import add, mul
from typing import Any

from numgrad.symbolic._library import sympy
from numgrad.symbolic._work import spend, watched

DEEPEST_ASKED = 12  # parts in one another
REMEMBERED = 20_000  # parts of formulas
_deepest = ContextVar("_deepest", default=DEEPEST_ASKED)


@lru_cache(REMEMBERED)
def depth(expr: Any) -> int:
    """How many parts stand in one another."""
    return 1 + max((depth(a) for a in expr.args if a.args), default=0)


def is_number(expr: Any) -> bool:
    # Before any look-up: SymPy takes long for the hash of a decimal.
    return _is_number(expr) if expr.args else bool(expr.is_number)


@lru_cache(REMEMBERED)
def _is_number(expr: Any) -> bool:
    library = sympy()
    if isinstance(expr, (library.Add, library.Mul, library.Pow, library.Function)):
        return all(map(is_number, expr.args))
    return bool(expr.is_number)


@lru_cache(REMEMBERED)
def symbols_of(expr: Any) -> frozenset[Any]:
    if expr.is_Symbol:
        return frozenset([expr])
    return frozenset().union(*(symbols_of(a) for a in expr.args if not a.is_Number))


@contextmanager
def nothing_asked() -> Iterator[None]:
    """All parts stand as they are made."""
    before = _deepest.set(0)
    try:
        yield
    finally:
        _deepest.reset(before)


def is_asked() -> bool:
    return _deepest.get() > 0


def made(kind: Any, *parts: Any) -> Any:
    """A sum, a product, a power or a function of these, as SymPy writes it, unless they are deep."""
    deepest = _deepest.get()
    return kind(*parts) if deepest and all(depth(p) <= deepest for p in parts) else kept(kind, *parts)


def kept(kind: Any, *parts: Any) -> Any:
    """The same as it stands; but what is a number is made one, and of what is equal in sums and products one part."""
    library = sympy()
    if all(map(is_number, parts)) or (kind is library.Pow and parts[1] in (library.S.Zero, library.S.One)):
        return _number(kind, parts)
    if kind is not library.Add and kind is not library.Mul:
        with watched() if kind is not library.Pow else nullcontext():
            return kind(*parts, evaluate=False)
    flat = [q for p in parts for q in (p.args if p.func is kind else (p,))]
    spend(10 * (len(flat) + 1))
    numbers = [p for p in flat if is_number(p)]
    number = kept(kind, *numbers) if len(numbers) > 1 else numbers[0] if numbers else kind.identity
    if kind is library.Mul and number == 0:
        return library.S.Zero
    counts: dict[Any, list[Any]] = {}
    for part in flat:
        if not is_number(part):
            one, count = _counted(kind, part)
            counts.setdefault(one, []).append((count, part))
    found = [_together(kind, one, same) for one, same in counts.items()]
    found = [p for p in found if p is not kind.identity]
    if len(found) > 1 and all(depth(p) <= DEEPEST_ASKED for p in found):
        found.sort(key=cmp_to_key(library.Basic.compare))
    return kind(*([] if number is kind.identity else [number]), *found, evaluate=False)


def _number(kind: Any, parts: tuple[Any, ...]) -> Any:
    """Numbers made one: the usual ones by their own arithmetic, which takes a tenth of what SymPy's rules take."""
    library = sympy()
    if kind is library.Add and all(p.is_Number for p in parts):
        return reduce(add, parts, kind.identity)
    if kind is library.Mul:
        pairs = [p.as_coeff_Mul() for p in parts]
        factor = reduce(mul, (f for f, _ in pairs), kind.identity)
        rests = [r for _, r in pairs if r is not kind.identity]
        if not rests:
            return factor
        if len(rests) == 1 and factor != 0:
            return rests[0] if factor is kind.identity else kind(factor, *kind.make_args(rests[0]), evaluate=False)
    with watched():
        return kind(*parts)


def _counted(kind: Any, part: Any) -> tuple[Any, Any]:
    """What is summed and how often; or multiplied."""
    library = sympy()
    if kind is library.Mul:
        return part.args if part.is_Pow else (part, library.S.One)
    if part.is_Mul and part.args[0].is_Number:
        return library.Mul(*part.args[1:], evaluate=False), part.args[0]
    return part, library.S.One


def _together(kind: Any, one: Any, same: list[Any]) -> Any:
    library = sympy()
    if len(same) == 1:
        return same[0][1]
    count = kept(library.Add, *(c for c, _ in same))
    return kept(library.Pow, one, count) if kind is library.Mul else kept(library.Mul, count, one)


def met(*exprs: Any) -> set[Any]:
    """All that these consist of, each part once."""
    found: set[Any] = set()
    left = list(exprs)
    while left:
        part = left.pop()
        if part not in found:
            spend(3)
            found.add(part)
            left += part.args
    return found


def upward(expr: Any, is_done: Callable[[Any], bool]) -> Iterator[Any]:
    """What `expr` consists of but for numbers, each part after its own, for depths that recursion would not reach."""
    left = [expr]
    while left:
        part = left[-1]
        if is_done(part):
            left.pop()
        elif below := [a for a in part.args if not a.is_Number and not is_done(a)]:
            left += below
        else:
            spend(3 * (len(part.args) + 1))
            yield left.pop()
