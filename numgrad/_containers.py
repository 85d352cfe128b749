"""What is given in the place of an array: objects of dask and xarray, which have their own functions, and quantities.

Calls for dask and xarray go to the function of the same name in `numgrad.interop`. Quantities are refused, but by
`gradient`: their unit would be lost without a word.
"""

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any, TypeVar

import numpy as np

HOMES = ("dask", "xarray")
OF_DERIVATIVES = "that of an n-th derivative of f by x is the unit of f over that of x to the power n"

Function = TypeVar("Function", bound=Callable[..., Any])


def home_of(given: Any) -> Any:
    """Return the module of `interop` for a dask array or an object of xarray; None for all else."""
    for base in type(given).__mro__:
        package = base.__module__.partition(".")[0]
        if package in HOMES:
            home = import_module(f"numgrad.interop.{package}")
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
            home = find(first)
            chosen = function if home is None else getattr(home, function.__name__, function)
            return chosen(first, *others, **options)

        return call  # type: ignore[return-value]

    return decorate


def as_array(given: Any) -> Any:
    """Return what np.gradient makes of an argument first: an array, unless it is a number or has a way of its own."""
    kind = type(given)
    if kind is np.ndarray or not hasattr(kind, "__array__") or hasattr(kind, "__array_function__"):
        return given
    return given if isinstance(given, np.generic) else np.asanyarray(given)


def unit_of(given: Any) -> Any:
    """Return the unit of a quantity, of astropy, pint and others: of what has a unit and converts itself to another."""
    kind = type(given)
    if kind is np.ndarray or not (hasattr(kind, "to") or hasattr(kind, "rescale")):
        return None
    return getattr(given, "unit", getattr(given, "units", None))


def refuse_units(given: Any, name: str, rule: str = OF_DERIVATIVES) -> None:
    """Raise TypeError if this is a quantity, or a list of some; `rule` says what unit the result has."""
    kind = type(given)
    if kind is list or kind is tuple:
        one_of_each = {type(one): one for one in given}
        nested = list in one_of_each or tuple in one_of_each
        for one in given if nested else one_of_each.values():
            refuse_units(one, name, rule)
    elif (unit := unit_of(given)) is not None:
        numbers = "magnitude" if hasattr(kind, "magnitude") else "value"
        raise TypeError(
            f"`{name}` is in units of {str(unit) or 'one'!r}, a {kind.__name__}, and the result would lose them; give "
            f"its numbers, by `.{numbers}`, and multiply the result by its own unit: {rule}"
        )
