"""Calls for arrays that live in dask or xarray: they go to the function of the same name in `numgrad.interop`."""

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any, TypeVar

HOMES = ("dask", "xarray")

Function = TypeVar("Function", bound=Callable[..., Any])


def home_of(*given: Any) -> Any:
    """Return the module of `interop` for the first of these that is, or begins with, an object of dask or xarray."""
    for one in given:
        first = one[0] if type(one) in (list, tuple) and one else one
        package = type(first).__module__.partition(".")[0]
        if package in HOMES:
            return import_module(f"numgrad.interop.{package}")
    return None


def takes_containers(function: Function) -> Function:
    """Let a function take dask arrays and objects of xarray, too."""

    @wraps(function)
    def call(first: Any, *others: Any, **options: Any) -> Any:
        home = home_of(first)
        chosen = function if home is None else getattr(home, function.__name__)
        return chosen(first, *others, **options)

    return call  # type: ignore[return-value]
