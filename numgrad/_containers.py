"""Calls for arrays that live in dask or xarray: they go to the function of the same name in `numgrad.interop`."""

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any, TypeVar

HOMES = ("dask", "xarray")

Function = TypeVar("Function", bound=Callable[..., Any])


def home_of(given: Any) -> Any:
    """Return the module of `interop` for what is, or begins with, an object of dask or xarray; None for all else."""
    first = given[0] if type(given) in (list, tuple) and given else given
    package = type(first).__module__.partition(".")[0]
    return import_module(f"numgrad.interop.{package}") if package in HOMES else None


def takes_containers(function: Function) -> Function:
    """Let a function take dask arrays and objects of xarray, too."""

    @wraps(function)
    def call(first: Any, *others: Any, **options: Any) -> Any:
        home = home_of(first)
        chosen = function if home is None else getattr(home, function.__name__)
        return chosen(first, *others, **options)

    return call  # type: ignore[return-value]
