"""Times as numbers and back, as xarray counts them."""

from collections.abc import Hashable
from datetime import timedelta
from typing import Any

import numpy as np


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
        why = f"`datetime_unit` is {unit!r}, times of dtype {variable.dtype} are not in that: {error}"
        raise TypeError(why) from error


def as_times(position: np.ndarray, times: np.ndarray, unit: str | None, first: Any = None) -> np.ndarray:
    """Return the times of positions in this unit, counted from `first`, or from where xarray counts the `times`."""
    one: Any = np.timedelta64  # its stubs know units by their literals only
    if times.dtype.kind == "O":
        steps = position * (one(1, unit) / one(1, "us"))
        made = [timedelta(microseconds=float(step)) for step in steps]
        return np.array([times.min() + step for step in made], dtype=object)
    finest = np.datetime_data(times.dtype)[0]
    first = np.nanmin(times) if first is None else first
    low, high = (abs(int(x.astype(np.int64))) for x in (np.nanmin(times), np.nanmax(times)))
    for finer in ("ns", "us", "ms", "s"):
        per = int(one(1, finest) / one(1, finer)) if finer != finest else 1
        if per > 0 and 2 * max(low, high) * per < 2**63:
            break
    steps = np.rint(position * (one(1, unit) / one(1, finer))).astype(f"m8[{finer}]")
    moved: np.ndarray = first.astype(f"{times.dtype.kind}8[{finer}]") + steps
    return moved


def samples(variable: Any, unit: str | None) -> Any:
    return as_numbers(variable, unit).data if is_time(variable) else variable.data
