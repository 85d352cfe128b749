"""Kernels as the plain Python functions that they are, with the values of compiled code, to the last bit."""

from collections.abc import Callable
from functools import cached_property
from types import FunctionType
from typing import Any

import numpy as np


class Bound:
    """A kernel and what the global names of its file are bound to; also in the functions that it calls."""

    def __init__(self, function: Callable[..., Any], names: dict[str, Any]) -> None:
        self.function, self.names = function, names

    @cached_property
    def plain(self) -> Callable[..., Any]:
        """The kernel as a plain function, to be called as the compiled one is called. Does not import Numba."""
        inner = _rebound(self.function, self.names, {})
        suited = _viewed if getattr(self.function, "is_light", False) else _strong

        def run(*arguments: Any) -> Any:
            with np.errstate(all="ignore"):  # as compiled code does
                return inner(*map(suited, arguments))

        return run

    @property
    def instructions(self) -> int:
        """The length of Python's code, of the functions that it calls, too: about how long it takes to compile."""
        done: dict[Any, Any] = {}
        _rebound(self.function, self.names, done)
        return sum(len(f.__code__.co_code) // 2 for f in done)


def _rebound(function: Any, names: dict[str, Any], done: dict[Any, Any]) -> Any:
    """Return a copy of a function, with `names` bound, also in the functions of numgrad that it calls."""
    if function not in done:
        own = function.__globals__
        bound = {name: _bound(names.get(name, own.get(name)), names, done) for name in function.__code__.co_names}
        done[function] = FunctionType(
            function.__code__, {**own, **{k: v for k, v in bound.items() if v is not None}}, function.__name__
        )
    return done[function]


def _bound(value: Any, names: dict[str, Any], done: dict[Any, Any]) -> Any:
    """Return what a name means in a plain kernel. Unsigned places become Python's integers: they are faster."""
    if isinstance(value, Bound):
        return _rebound(value.function, value.names, done)
    if isinstance(value, FunctionType) and value.__module__.partition(".")[0] == "numgrad":
        return _rebound(value, names, done)
    if value is np.uintp:
        return int
    return int(value) if isinstance(value, np.uintp) else _strong(value)


def _strong(value: Any) -> Any:
    """Return Python's floats and complex numbers, also those in tuples, as NumPy's.

    Numba takes them for 64 bits each; NumPy would give them the precision of the number beside them.
    """
    if type(value) is float:
        return np.float64(value)
    if type(value) is complex:
        return np.complex128(value)
    return tuple([_strong(v) for v in value]) if type(value) is tuple else value


def _viewed(value: Any) -> Any:
    """Return arrays, also those in named tuples, as memoryviews, whose elements are Python's numbers."""
    if isinstance(value, np.ndarray):
        return value.data
    return type(value)._make(map(_viewed, value)) if hasattr(value, "_make") else value
