"""Functions that Numba has written in Python, as it has most of NumPy's: derived as if they were a user's own."""

from collections.abc import Callable
from functools import cache
from typing import Any

from numba import types
from numba.core.errors import NumbaError, TypingError
from numba.core.registry import cpu_target

from numgrad.functions._exact.numbers import carries, scalar_of
from numgrad.functions._exact.operations import ATTRIBUTES, WRITTEN, Rule, operations, type_of


@cache
def _rule(function: Any) -> Rule | None:
    """Return the rule of a function that Numba has in Python; None of another."""
    context = cpu_target.typing_context
    context.refresh()
    known = context._lookup_global(function)
    choices = [getattr(t, "_overload_func", None) for t in getattr(known, "templates", ())]
    makers = [choice for choice in choices if choice is not None]
    return (lambda number, *kinds, **named: _derived(function, makers, number, kinds, named)) if makers else None


def _derived(
    function: Any, makers: list[Callable[..., Any]], number: Any, kinds: tuple[Any, ...], named: dict[str, Any]
) -> Any:
    """Return the function, derived; None if it takes numbers that carry derivatives as they are, or cannot be had."""
    key = function, kinds, *named.items()
    return operations(number).once(key, lambda: _found(function, makers, number, kinds, named))


def _found(
    function: Any, makers: list[Callable[..., Any]], number: Any, kinds: tuple[Any, ...], named: dict[str, Any]
) -> Any:
    context, made = cpu_target.typing_context, operations(number)
    if _is_typed(context, type_of(context, function), kinds, named):
        return None
    plain, plainly = tuple(map(_plain, kinds)), {name: _plain(kind) for name, kind in named.items()}
    for maker in makers:
        try:
            code = maker(*plain, **plainly)
        except (NumbaError, TypeError):
            continue
        if isinstance(code, tuple):  # with a signature
            code = code[1]
        if code is not None:
            found = made.derived(code)
            if _is_typed(context, type_of(context, found), kinds, named):
                return found
    return None


def _is_typed(context: Any, kind: Any, kinds: tuple[Any, ...], named: dict[str, Any]) -> bool:
    """Whether Numba can compile a call of a function for arguments of these types."""
    try:
        return context.resolve_function_type(kind, kinds, named) is not None
    except NumbaError:
        return False


def _plain(kind: Any) -> Any:
    """Return the type of the same without derivatives."""
    if not carries(kind):
        return kind
    if isinstance(kind, types.Array):
        return kind.copy(dtype=_plain(kind.dtype))
    if isinstance(kind, (types.List, types.ListType)):
        return type(kind)(_plain(kind.dtype))
    if isinstance(kind, types.BaseTuple):
        return types.BaseTuple.from_types([_plain(one) for one in getattr(kind, "types", ())])
    return scalar_of(kind)


def _refuse(number: Any, kind: Any) -> Any:
    raise TypingError("there is no rule for memory that is handed to other code by its address")


ATTRIBUTES["ctypes"] = ATTRIBUTES["data"] = _refuse
WRITTEN.append(_rule)
