"""The functions of numgrad for masked arrays: what is masked is a gap, as NaN is, and what a gap makes NaN is masked.

`gradient` is NumPy's, as for all that kernels do not take.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial, wraps
from typing import Any

import numpy as np

from numgrad._arrays import derivative as _derivative
from numgrad._arrays import fields
from numgrad._arrays import turning_points as _turning_points
from numgrad._arrays.errors import WithError
from numgrad._arrays.plan.dtypes import FIELDS
from numgrad._arrays.plan.options import read_samples
from numgrad._checks import refuse_units
from numgrad._system import original
from numgrad._system.out import check, store
from numgrad.smoothing import _smooth
from numgrad.smoothing._result import Smooth

KINDS = np.ma.MaskedArray


def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1, out: Any = None) -> Any:
    """Return what np.gradient gives for a masked array.

    >>> gradient(np.ma.array([0, 1, 4, 9.0], mask=[1, 0, 0, 0]))
    masked_array(data=[--, --, 4.0, 5.0],
                 mask=[ True,  True, False, False],
           fill_value=1e+20)
    """
    results = original.gradient(f, *varargs, axis=axis, edge_order=edge_order)
    return results if out is None else store(results, out)


def derivative(
    f: Any, x: Any = None, *, nan: str | None = None, sigma: Any = None, out: Any = None, **options: Any
) -> Any:
    """Return the n-th derivative of a masked array, as `numgrad.derivative` does of one with NaN in its gaps.

    A gap ends an interval, which has one-sided ends of its own, unless ``nan="propagate"`` is given: then all is masked
    whose formula has a weight on it. Without, the gap itself is, and intervals too short. `sigma` may be masked where
    `f` is; `out` is a masked array, or two of them with `sigma`.

    >>> f = np.ma.array([0, 1, 4, -9, 16.0, 25, 36], mask=[0, 0, 0, 1, 0, 0, 0])
    >>> print(derivative(f))
    [0.0 2.0 4.0 -- 8.0 10.0 12.0]
    >>> print(derivative(f, nan="propagate"))
    [0.0 2.0 -- 6.0 -- 10.0 12.0]
    """
    if isinstance(sigma, KINDS):
        sigma = _filled(sigma, "sigma")
    call: Any = partial(_derivative.derivative, x=x, nan="one-sided" if nan is None else nan, **options)
    if sigma is None:
        return _put(_masked(call(_filled(f, "f")), (f,), call), out)
    found = call(_filled(f, "f"), sigma=sigma)
    value = _masked(found.value, (f,), call)
    error = np.ma.array(found.error, mask=value.mask, fill_value=np.real(f.fill_value))
    targets = (None, None) if out is None else out
    if not isinstance(targets, (tuple, list)) or len(targets) != 2:
        raise ValueError("`out` is no pair; with `sigma` give two masked arrays: for the derivative, and for its error")
    return WithError(_put(value, targets[0]), _put(error, targets[1]))


def smooth(y: Any, x: Any = None, **options: Any) -> Smooth:
    """Return a smooth function through the samples that are not masked, as `numgrad.smooth` does; residuals are masked.

    >>> x = np.arange(12.0)
    >>> found = smooth(np.ma.masked_equal(np.where(x == 4, -99, x**2), -99), x)
    >>> print(found.value[4].round(6), found.residuals[4])
    16.0 --
    """
    options = {name: _filled(one, name) if isinstance(one, KINDS) else one for name, one in options.items()}
    found = _smooth.smooth(_filled(y, "y"), x, **options)
    return replace(found, residuals=np.ma.array(found.residuals, mask=np.ma.getmaskarray(y)))


def turning_points(y: Any, x: Any = None, **options: Any) -> Any:
    """Return the minima and maxima of the intervals between gaps, as `numgrad.turning_points` does.

    >>> turning_points(np.ma.masked_equal([0, 3, 1, -99, 5, 8, 2.0], -99))
    index  position  value     kind  gradient
        1       1.1  3.025  maximum       0.5
        5   4.83333  8.125  maximum      -1.5
    """
    return _turning_points.turning_points(_filled(y, "y"), x, **options)


def _of_fields(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(v: Any, *spacing: Any, out: Any = None, **options: Any) -> Any:
        given = tuple(v) if isinstance(v, (list, tuple)) else (v,)

        def found(*some: np.ndarray) -> Any:
            return function(list(some) if isinstance(v, (list, tuple)) else some[0], *spacing, **options)

        return _put(_masked(found(*[_filled(one, "v") for one in given]), given, found), out)

    return call


laplacian = _of_fields(fields.laplacian)
divergence = _of_fields(fields.divergence)
curl = _of_fields(fields.curl)
jacobian = _of_fields(fields.jacobian)
hessian = _of_fields(fields.hessian)


def in_arrays(function: Any, f: Any, *others: Any, **options: Any) -> Any:
    """Return the arguments of a function with NaN for what is masked, and its options, for `explain`."""
    if function.__name__ == "gradient":
        return (f, *others), options
    if function.__name__ == "derivative":
        options = {"nan": "one-sided"} | options
    given = [_filled(one, "v") for one in f] if isinstance(f, (list, tuple)) else _filled(f, "f")
    return (given, *others), options


def _filled(given: Any, name: str) -> np.ndarray:
    """Return samples with NaN for what is masked."""
    refuse_units(given, name)
    data = read_samples(np.ma.getdata(given), name)
    if not isinstance(given, KINDS):
        return data
    result: np.ndarray = data.astype(FIELDS[data.dtype])
    result[np.ma.getmaskarray(given)] = np.nan
    return result


def _masked(result: np.ndarray, given: tuple[Any, ...], call: Callable[..., Any]) -> np.ma.MaskedArray:
    """Mask what gaps have made NaN; what would be NaN without them, stays."""
    mask = np.isnan(result)
    if mask.any():
        data, masks = [np.ma.getdata(one) for one in given], [np.ma.getmaskarray(one) for one in given]
        without = [np.where(m, 0, d) for d, m in zip(data, masks, strict=True)]
        is_left = np.isnan(call(*without))
        if is_left.any():  # of these, what meets a gap, too
            nothing = [np.zeros(m.shape) for m in masks]
            gaps = [np.where(m, np.nan, 0.0) for m in masks]
            mask &= ~is_left | (np.isnan(call(*gaps)) & ~np.isnan(call(*nothing)))
    first = next(one for one in given if isinstance(one, KINDS))
    found = np.ma.array(result, mask=mask)
    found.fill_value = first.fill_value
    return found


def _put(found: np.ma.MaskedArray, out: Any) -> np.ma.MaskedArray:
    if out is None:
        return found
    check(out, found.shape, found.dtype, np.ma.MaskedArray)
    out.unshare_mask()
    np.copyto(out.data, found.data)
    out.mask = found.mask
    return out  # type: ignore[no-any-return]
