"""Arguments, read: one wording for each kind of them, TypeError for a wrong type and ValueError for a wrong value."""

import operator
from collections.abc import Collection
from math import inf
from numbers import Real
from typing import Any

import numpy as np


def integer(name: str, value: Any, least: int, most: int | None = None, wanted: str = "") -> int:
    """Return an integer from `least` to `most`, which is `wanted` in words."""
    wanted = wanted or "an integer " + (f"of at least {least}" if most is None else f"from {least} to {most}")
    message = f"`{name}` is {value!r}; give {wanted}"
    try:
        found = operator.index(None if isinstance(value, (bool, np.bool_)) else value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(message) from None
    if found < least or (most is not None and found > most):
        raise ValueError(message)
    return found


def number(
    name: str, value: Any, wanted: str = "a number", *, least: float = -inf, above: float = -inf, below: float = inf
) -> float:
    """Return a finite number of at least `least`, above `above` and below `below`, which is `wanted` in words."""
    message = f"`{name}` is {value!r}; give {wanted}"
    if not isinstance(value, Real) or isinstance(value, (bool, np.bool_)):
        raise TypeError(message)
    try:
        found = float(value)
    except OverflowError:
        found = inf
    if not (least <= found < below and above < found):
        raise ValueError(message)
    return found


def numbers(name: str, value: Any) -> np.ndarray:
    """Return an array of real numbers, as float64."""
    message = f"`{name}` is {value!r}; give numbers"
    try:
        found = np.asarray(value)
    except ValueError:  # lists of different lengths
        raise ValueError(message) from None
    are_objects = found.dtype.kind == "O"
    if not (all(hasattr(one, "__float__") for one in found.flat) if are_objects else found.dtype.kind in "iuf"):
        raise TypeError(message)
    return found.astype(float)


def not_negative(name: str, value: Any, below: float = inf) -> float:
    """Return a number of at least 0."""
    end = "" if below == inf else f", below {below:g}"
    return number(name, value, f"a number of at least 0{end}", least=0.0, below=below)


def flag(name: str, value: Any) -> bool:
    """Return a bool."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"`{name}` is {value!r}; give True or False")
    return bool(value)


def choice(name: str, value: Any, choices: Collection[str], other: str = "") -> str:
    """Return one of some strings; `other` says what else may be given."""
    message = f"`{name}` is {value!r}; give {other}one of {', '.join(map(repr, choices))}"
    if not isinstance(value, str):
        raise TypeError(message)
    if value not in choices:
        raise ValueError(message)
    return value


def unit_of(given: Any) -> Any:
    """Return the unit of a quantity, of astropy, pint and others: of what has a unit and converts itself to another."""
    kind = type(given)
    if kind is np.ndarray or not (hasattr(kind, "to") or hasattr(kind, "rescale")):
        return None
    return getattr(given, "unit", getattr(given, "units", None))


def refuse_units(given: Any, name: str) -> None:
    """Raise TypeError if this is a quantity, or a list of some."""
    kind = type(given)
    if kind is list or kind is tuple:
        one_of_each = {type(one): one for one in given}
        nested = list in one_of_each or tuple in one_of_each
        for one in given if nested else one_of_each.values():
            refuse_units(one, name)
    elif (unit := unit_of(given)) is not None:
        numbers = "magnitude" if hasattr(kind, "magnitude") else "value"
        raise TypeError(
            f"`{name}` is in units of {str(unit) or 'one'!r}, a {kind.__name__}, and the result would lose them; give "
            f"its numbers, by `.{numbers}`, and multiply the result by its own unit: that of an n-th derivative of f "
            "by x is the unit of f over that of x to the power n"
        )
