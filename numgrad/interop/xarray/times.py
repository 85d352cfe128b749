"""Times of DataArrays as numbers, as xarray counts them."""

from collections.abc import Hashable
from typing import Any

from numgrad.interop.times import not_in


def is_time(variable: Any) -> bool:
    """Whether this has datetimes, of NumPy or cftime, which xarray takes as numbers."""
    if variable.dtype.kind != "O" or not variable.size:
        return variable.dtype.kind in "mM"
    first = variable[(0,) * variable.ndim].values.item()
    return type(first).__module__.partition(".")[0] == "cftime"


def first_of_lines(variable: Any, dim: Hashable) -> Any:
    """Return where lines of times begin, as a Variable; None of a coordinate of one dimension, and of cftime.

    Numbers count from there, and so keep their digits however far apart the lines are. Other times count from where
    xarray says.
    """
    is_of_lines = variable.ndim > 1 and variable.dtype.kind in "mM"
    return variable.isel({dim: slice(1)}) if is_of_lines else None


def as_numbers(variable: Any, unit: str | None, first: Any = None) -> Any:
    # xarray's own, so that every bit is the same; it says nothing of this in public.
    try:
        return variable._to_numeric(None if first is None else first.data, datetime_unit=unit)
    except (TypeError, ValueError, KeyError) as error:
        raise not_in(unit, variable.dtype, error) from error


def samples(variable: Any, unit: str | None) -> Any:
    return as_numbers(variable, unit).data if is_time(variable) else variable.data
