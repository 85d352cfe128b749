"""Times as numbers and back, as xarray counts them."""

from datetime import timedelta
from typing import Any

import numpy as np


def as_numbers(times: np.ndarray, unit: str, first: Any) -> np.ndarray:
    """Return by how many units times are behind the first of them."""
    try:
        one: Any = np.timedelta64(1, unit)  # type: ignore[call-overload]  # its stubs know units by their literals
        return np.asarray((times - first) / one)
    except (TypeError, ValueError) as error:
        raise not_in(unit, times.dtype, error) from error


def not_in(unit: Any, dtype: Any, error: Exception) -> TypeError:
    return TypeError(f"`datetime_unit` is {unit!r}, times of dtype {dtype} are not in that: {error}")


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
