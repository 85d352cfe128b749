"""Objects of other libraries, given in the place of an array: they have functions of their own.

Calls for them go to the function of the same name in their module of `homes`.
"""

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any, TypeVar

import numpy as np

# The module that has the functions for the objects of a package; `numgrad` says which.
homes: dict[str, str] = {}

Function = TypeVar("Function", bound=Callable[..., Any])


def home_of(given: Any) -> Any:
    """Return the module of `interop` for an object of a library that has one; None for all else."""
    for base in type(given).__mro__:
        package = base.__module__.partition(".")[0]
        where = homes.get(package) or homes.get(base.__module__)
        if where is not None:
            home = import_module(where)
            return home if isinstance(given, home.KINDS) else None
    return None


def home_of_components(v: Any) -> Any:
    """Return that of a vector field, or of the first of its components that has one."""
    if type(v) not in (list, tuple):
        return home_of(v)
    return next((home for home in map(home_of, v) if home is not None), None)


def takes_containers(find: Callable[[Any], Any]) -> Callable[[Function], Function]:
    """Let a function take what `find` finds a home for, if that has a function of the same name."""

    def decorate(function: Function) -> Function:
        @wraps(function)
        def call(first: Any, *others: Any, **options: Any) -> Any:
            if type(first) is not np.ndarray and (home := find(first)) is not None:
                return getattr(home, function.__name__, function)(first, *others, **options)
            return function(first, *others, **options)

        return call  # type: ignore[return-value]

    return decorate


def as_array(given: Any) -> Any:
    """Return what np.gradient makes of an argument first: an array, unless it is a number or has a way of its own."""
    kind = type(given)
    if kind is np.ndarray or not hasattr(kind, "__array__") or hasattr(kind, "__array_function__"):
        return given
    return given if isinstance(given, np.generic) else np.asanyarray(given)
