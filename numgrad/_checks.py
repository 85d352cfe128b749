"""Arguments, read: one wording for each kind of them, TypeError for a wrong type and ValueError for a wrong value."""

import operator
import sys
from collections.abc import Collection
from functools import partial
from math import inf
from numbers import Real
from typing import Any

import numpy as np

# What the types of quantities have; and packages whose objects have them, too, but are no quantities.
CONVERTS = ("to", "rescale", "__array_function__", "__array_ufunc__")
LABELLED = frozenset({"numpy", "pandas", "xarray", "dask", "polars", "pyarrow", "modin"})
OF_DERIVATIVES = "that of an n-th derivative of f by x is the unit of f over that of x to the power n"


def integer(name: str, value: Any, least: int, most: int | None = None, wanted: str = "") -> int:
    """Return an integer from `least` to `most`, which is `wanted` in words."""
    kind: type[Exception] = ValueError
    try:
        found = operator.index(None if isinstance(value, (bool, np.bool_)) else value)  # type: ignore[arg-type]
        if found >= least and (most is None or found <= most):
            return found
    except TypeError:
        kind = TypeError
    wanted = wanted or "an integer " + (f"of at least {least}" if most is None else f"from {least} to {most}")
    raise kind(_refusal(name, value, wanted))


def number(
    name: str, value: Any, wanted: str = "a number", *, least: float = -inf, above: float = -inf, below: float = inf
) -> float:
    """Return a finite number of at least `least`, above `above` and below `below`, which is `wanted` in words."""
    if not isinstance(value, Real) or isinstance(value, (bool, np.bool_)):
        refuse_units(value, name)
        raise TypeError(_refusal(name, value, wanted))
    try:
        found = float(value)
    except OverflowError:
        found = inf
    if not (least <= found < below and above < found):
        raise ValueError(_refusal(name, value, wanted))
    return found


def numbers(name: str, value: Any) -> np.ndarray:
    """Return an array of real numbers, as float64."""
    try:
        found = np.asarray(value)
    except ValueError:  # lists of different lengths
        raise ValueError(_refusal(name, value, "numbers")) from None
    are_objects = found.dtype.kind == "O"
    if not (all(hasattr(one, "__float__") for one in found.flat) if are_objects else found.dtype.kind in "iuf"):
        raise TypeError(_refusal(name, value, "numbers"))
    return found.astype(float)


def not_negative(name: str, value: Any, below: float = inf) -> float:
    """Return a number of at least 0."""
    end = "" if below == inf else f", below {below:g}"
    return number(name, value, f"a number of at least 0{end}", least=0.0, below=below)


def flag(name: str, value: Any) -> bool:
    """Return a bool."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(_refusal(name, value, "True or False"))
    return bool(value)


def choice(name: str, value: Any, choices: Collection[str], other: str = "") -> str:
    """Return one of some strings; `other` says what else may be given."""
    if not isinstance(value, str) or value not in choices:
        kind = ValueError if isinstance(value, str) else TypeError
        raise kind(_refusal(name, value, f"{other}one of {', '.join(map(repr, choices))}"))
    return value


def _refusal(name: str, value: Any, wanted: str) -> str:
    return f"`{name}` is {value!r}; give {wanted}"


def is_masked(given: Any) -> bool:
    """Whether this is a masked array; without the import of numpy.ma, which takes longer than a small call."""
    return "numpy.ma" in sys.modules and isinstance(given, sys.modules["numpy.ma"].MaskedArray)


def refuse_masked(given: Any, name: str, remedy: str = "leave out what belongs to them, or fill them") -> None:
    """Raise TypeError if some of this is masked, or a list has masked arrays: their masks would be lost."""
    if type(given) in (list, tuple) and "numpy.ma" in sys.modules:
        if any(is_masked(one) for one in given):
            raise TypeError(
                f"`{name}` is a {type(given).__name__} of masked arrays; give one of all, numpy.ma.stack({name})"
            )
    elif (is_masked(given) or hasattr(type(given), "unmasked")) and np.any(given.mask):  # the latter of astropy
        raise TypeError(f"`{name}` has masked elements; {remedy}")


def unit_of(given: Any) -> Any:
    """Return the unit of a quantity, of astropy, pint and others.

    That is what has a unit, and converts itself to another one or has ways of its own with NumPy's functions.
    """
    kind = type(given)
    if kind is np.ndarray or not any(map(partial(hasattr, kind), CONVERTS)):
        return None
    unit = getattr(given, "unit", getattr(given, "units", None))
    if kind.__module__.partition(".")[0] in LABELLED and not hasattr(kind, "to"):
        return None  # units among other names, and of times
    return unit


def refuse_units(given: Any, name: str, rule: str = OF_DERIVATIVES) -> None:
    """Raise TypeError if this is a quantity, or a list of some; `rule` says what unit the result has."""
    kind = type(given)
    if kind is list or kind is tuple:
        one_of_each = {type(one): one for one in given}
        nested = list in one_of_each or tuple in one_of_each
        for one in given if nested else one_of_each.values():
            refuse_units(one, name, rule)
    elif (unit := unit_of(given)) is not None:
        numbers = next((one for one in ("magnitude", "value") if hasattr(kind, one)), "view(numpy.ndarray)")
        units = "unit" if hasattr(given, "unit") else "units"
        example = f", derivative(f.{numbers}, x.{numbers}) * (f.{units} / x.{units})" if rule == OF_DERIVATIVES else ""
        raise TypeError(
            f"`{name}` is in units of {str(unit) or 'one'!r}, a {kind.__name__}, and the result would lose them; give "
            f"its numbers, by `.{numbers}`, and multiply the result by its own unit: {rule}{example}"
        )
