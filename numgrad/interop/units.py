"""The functions of numgrad for quantities of pint and astropy: of their numbers, and then of their units.

`gradient` is NumPy's, as for all that kernels do not take. Other functions refuse quantities, in words.
"""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from numgrad._arrays import derivative as _derivative
from numgrad._arrays import fields
from numgrad._arrays.errors import WithError
from numgrad._checks import refuse_masked, unit_of
from numgrad._system import original
from numgrad._system.out import store


def __getattr__(name: str) -> Any:
    if name != "KINDS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    known = (sys.modules.get(module) for module in ("pint", "astropy.units"))
    return tuple([module.Quantity for module in known if module is not None])


def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1, out: Any = None) -> Any:
    """Return what np.gradient gives for a quantity, which asks its library."""
    results = original.gradient(f, *varargs, axis=axis, edge_order=edge_order)
    return results if out is None else store(results, out)


def derivative(
    f: Any, x: Any = None, *, n: Any = 1, period: Any = None, sigma: Any = None, out: Any = None, **options: Any
) -> Any:
    """Return the n-th derivative of a quantity, as `numgrad.derivative` does, in the unit of f over that of x^n.

    `period` is in units if `x` is, and `sigma`, like `f`. `out` is not taken.
    """
    _refuse(out)
    x_unit, f_unit = unit_of(x), _unit_of_changes(f) if n else unit_of(f)
    found = _derivative.derivative(
        _numbers(f, unit_of(f), "f"),
        None if x is None else _numbers(x, x_unit, "x"),
        n=n,
        period=None if period is None else _numbers(period, x_unit, "period"),
        sigma=None if sigma is None else _numbers(sigma, _unit_of_changes(f), "sigma"),
        **options,
    )
    unit = _per(f_unit, [x_unit] * int(n))
    if sigma is None:
        return _in_units(f, found, unit)
    error = _per(_unit_of_changes(f), [x_unit] * int(n))
    return WithError(_in_units(f, found.value, unit), _in_units(f, found.error, error))


def _of_fields(function: Callable[..., Any], order: int) -> Callable[..., Any]:
    @wraps(function)
    def call(v: Any, *spacing: Any, period: Any = None, out: Any = None, **options: Any) -> Any:
        _refuse(out)
        is_list = isinstance(v, (list, tuple))
        like = next(one for one in v if unit_of(one) is not None) if is_list else v
        name = "v" if order == 1 else "f"
        unit, x_unit = unit_of(like), unit_of(spacing[0]) if spacing else None
        numbers = [_numbers(one, unit, name) for one in v] if is_list else _numbers(v, unit, name)
        distances = [_numbers(one, x_unit, "spacing") for one in spacing]
        if isinstance(period, (list, tuple)):
            period = [None if one is None else _numbers(one, x_unit, "period") for one in period]
        elif period is not None:
            period = _numbers(period, x_unit, "period")
        found = function(numbers, *distances, period=period, **options)
        return _in_units(like, found, _per(_unit_of_changes(like), [x_unit] * order))

    return call


laplacian, hessian = (_of_fields(function, 2) for function in (fields.laplacian, fields.hessian))
divergence, curl, jacobian = (_of_fields(function, 1) for function in (fields.divergence, fields.curl, fields.jacobian))


def _refuse(out: Any) -> None:
    if out is not None:
        raise TypeError("`out` is not taken for quantities; leave it away, or give their numbers, and an array")


def _numbers(given: Any, unit: Any, name: str) -> Any:
    """Return the numbers of a quantity in a unit, or what is given if it is to have none."""
    refuse_masked(given, name, f"give {name}.filled(numpy.nan), whose gaps stay gaps")
    own = unit_of(given)
    if own is None and unit is None:
        return given
    try:
        if own is not None and unit is not None:
            return given.m_as(unit) if hasattr(given, "m_as") else given.to_value(unit)
    except Exception as error:  # each library has its own
        raise TypeError(
            f"`{name}` is in units of {str(own) or 'one'!r}, and {str(unit) or 'one'!r} is needed here: {error}"
        ) from None
    has = "no unit" if own is None else f"the unit {str(own)!r}"
    needs = f"one like {str(unit)!r}" if own is None else "none"
    raise TypeError(
        f"`{name}` has {has}, and {needs} is needed here, as others have: of coordinates all have units, or none; "
        "components and `sigma` are in units like those of samples"
    )


def _unit_of_changes(f: Any) -> Any:
    """Return the unit of differences: of degrees on a scale with a zero of its own, those without."""
    unit = unit_of(f)
    if hasattr(f, "m_as"):
        one = type(f)(1.0, unit)
        return unit_of(one - one)
    return unit


def _per(unit: Any, others: list[Any]) -> Any:
    """Return a unit over others."""
    try:
        for other in others:
            if other is not None:
                unit = unit / other
    except Exception as error:  # of logarithmic units
        raise TypeError(f"{str(unit)!r} over {str(others[0])!r} is no unit: {error}; give the numbers alone") from None
    return unit


def _in_units(like: Any, numbers: np.ndarray, unit: Any) -> Any:
    """Return numbers as a quantity like another one."""
    if hasattr(like, "m_as"):
        return type(like)(numbers, unit)
    return sys.modules["astropy.units"].Quantity(numbers, unit, copy=False)
