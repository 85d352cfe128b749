"""Arguments, read: one wording and one type of error for each kind of them."""

import operator
from typing import Any

import numpy as np


def whole(given: Any, name: str, least: int) -> int:
    try:
        number = operator.index(given if not isinstance(given, bool) else None)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"`{name}` is {given!r}, give an integer of at least {least}") from None
    if number < least:
        raise ValueError(f"`{name}` is {number}, give at least {least}")
    return number


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
