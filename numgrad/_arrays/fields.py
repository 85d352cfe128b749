"""Fields on grids: divergence, curl, laplacian, jacobian and hessian, all terms of a result in one sweep.

As of `derivative`, results of masked arrays are masked where a gap made them NaN, and those of quantities have units.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Unpack, overload

import numpy as np

from numgrad._arrays.containers import home_of, home_of_components, takes_containers
from numgrad._arrays.known import slot_of
from numgrad._arrays.terms import (
    Field,
    compute,
    known_of,
    read_curl,
    read_divergence,
    read_hessian,
    read_jacobian,
    read_laplacian,
)

if TYPE_CHECKING:
    from numgrad._arrays.signatures import FieldOptions, Foreign, Numbers


@overload
def laplacian(f: "Foreign", *spacing: Any, out: Any = None, **options: "Unpack[FieldOptions]") -> Any: ...
@overload
def laplacian(
    f: "Numbers", *spacing: Any, out: np.ndarray | None = None, **options: "Unpack[FieldOptions]"
) -> np.ndarray: ...
@takes_containers(home_of)
def laplacian(
    f: Any, *spacing: Any, axis: Any = None, accuracy: int = 2, boundary: Any = "one-sided", period: Any = None,
    out: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Return the sum of the second derivatives of samples on a grid.

    Parameters
    ----------
    f : array_like
        Samples of a function: float32, float64, complex64, complex128, or integers, which become float64.
    *spacing : float or array_like, optional
        As in `gradient`: nothing (1.0), one number for all axes, or for each axis a number or its coordinates.
    axis : None, int or tuple of int, optional
        The axes of space, in the order of the spacings; the others hold separate fields. All by default.
    accuracy : int, default 2
        Order of accuracy, even: the error falls as the distance of neighbours to this power, at every point.
    boundary : {"one-sided", "periodic", "nan"} or a sequence of these, default "one-sided"
        What the ends do, as in `derivative`: of all axes, or of each.
    period : float or sequence of float, optional
        Of periodic axes with coordinates, as in `derivative`: one number, or one for each axis, None for the others.
    out : ndarray, optional
        Where to write: f's shape, the dtype of the result. It may share memory with `f`.

    Returns
    -------
    ndarray
        Of f's shape, dtype (float64 for integers) and memory layout; `out` itself, if given. Of masked arrays masked
        where a gap made it NaN; of quantities in the unit of `f` over that of the spacings squared.

    Raises
    ------
    TypeError, ValueError, numpy.exceptions.AxisError
        As `derivative` does; and if the spacings are neither none, one, nor as many as axes. Of quantities, if spacings
        have units that do not fit each other.

    See Also
    --------
    derivative : the terms of the sum, ``n=2``.

    Notes
    -----
    Each term is a stencil of its own for the second derivative: ``(f[i-1] - 2 f[i] + f[i+1]) / h**2`` for accuracy 2
    [1]_. Twice a first derivative would reach twice as far, with four times the error.

    References
    ----------
    .. [1] B. Fornberg, "Generation of finite difference formulas on arbitrarily spaced grids", Mathematics of
       Computation 51 (1988), 699-706.

    Examples
    --------
    >>> import numpy as np
    >>> import numgrad as ng
    >>> x, y = np.meshgrid(np.arange(4.0), np.arange(4.0), indexing="ij")
    >>> ng.laplacian(x**2 + 3 * y**2)
    array([[8., 8., 8., 8.],
           [8., 8., 8., 8.],
           [8., 8., 8., 8.],
           [8., 8., 8., 8.]])
    """
    return _field(laplacian, f, spacing, axis, accuracy, boundary, period, out)


@overload
def divergence(
    v: "Foreign | Sequence[Foreign]", *spacing: Any, out: Any = None, **options: "Unpack[FieldOptions]"
) -> Any: ...
@overload
def divergence(
    v: "Numbers", *spacing: Any, out: np.ndarray | None = None, **options: "Unpack[FieldOptions]"
) -> np.ndarray: ...
@takes_containers(home_of_components)
def divergence(
    v: Any, *spacing: Any, axis: Any = None, accuracy: int = 2, boundary: Any = "one-sided", period: Any = None,
    out: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Return the divergence of a vector field on a grid: the sum of the derivatives of v[i] along the i-th axis.

    Parameters
    ----------
    v : array_like of shape (k, ...) or sequence of array_like
        The components of the field, one for each axis of space, all of the same shape.
    *spacing : float or array_like, optional
        As in `gradient`: nothing (1.0), one number for all axes, or for each axis a number or its coordinates.
    axis : None, int or tuple of int, optional
        The k axes of `v` that are space, in the order of components and spacings; the others hold separate fields.
        All but the first by default, which holds the components.
    accuracy : int, default 2
        Order of accuracy, even, as in `laplacian`.
    boundary : {"one-sided", "periodic", "nan"} or a sequence of these, default "one-sided"
        What the ends of all axes, or of each, do.
    period : float or sequence of float, optional
        Of periodic axes with coordinates, as in `laplacian`.
    out : ndarray, optional
        Where to write: the shape of a component, the dtype of the result. It may share memory with `v`.

    Returns
    -------
    ndarray
        Of the shape, dtype (float64 for integers) and memory layout of a component; `out` itself, if given.

    Raises
    ------
    TypeError, ValueError, numpy.exceptions.AxisError
        As `laplacian` does; and if there are not as many components as axes, or their shapes differ.

    See Also
    --------
    curl, jacobian

    Examples
    --------
    >>> import numpy as np
    >>> import numgrad as ng
    >>> x, y = np.meshgrid(np.arange(4.0), np.arange(3.0), indexing="ij")
    >>> ng.divergence([x**2, -2 * x * y])
    array([[0., 0., 0.],
           [0., 0., 0.],
           [0., 0., 0.],
           [0., 0., 0.]])
    """
    return _field(divergence, v, spacing, axis, accuracy, boundary, period, out)


@overload
def curl(
    v: "Foreign | Sequence[Foreign]", *spacing: Any, out: Any = None, **options: "Unpack[FieldOptions]"
) -> Any: ...
@overload
def curl(
    v: "Numbers", *spacing: Any, out: np.ndarray | None = None, **options: "Unpack[FieldOptions]"
) -> np.ndarray: ...
@takes_containers(home_of_components)
def curl(
    v: Any, *spacing: Any, axis: Any = None, accuracy: int = 2, boundary: Any = "one-sided", period: Any = None,
    out: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Return the curl of a vector field on a grid of two or three dimensions.

    Parameters
    ----------
    v : array_like of shape (2, ...) or (3, ...), or sequence of array_like
        The components of the field along the axes of space x, y, and z, all of the same shape.
    *spacing : float or array_like, optional
        As in `gradient`: nothing (1.0), one number for all axes, or for each axis a number or its coordinates.
    axis : None or tuple of int, optional
        The axes of `v` that are x, y, and z; the others hold separate fields. All but the first by default.
    accuracy : int, default 2
        Order of accuracy, even, as in `laplacian`.
    boundary : {"one-sided", "periodic", "nan"} or a sequence of these, default "one-sided"
        What the ends of all axes, or of each, do.
    period : float or sequence of float, optional
        Of periodic axes with coordinates, as in `laplacian`.
    out : ndarray, optional
        Where to write: shape and dtype of the result. It may share memory with `v`.

    Returns
    -------
    ndarray
        In two dimensions ``dv[1]/dx - dv[0]/dy``, of the shape of a component. In three of the shape of `v`:
        ``dv[2]/dy - dv[1]/dz``, ``dv[0]/dz - dv[2]/dx``, ``dv[1]/dx - dv[0]/dy``. Dtype (float64 for integers) and
        memory layout of a component are kept; `out` itself, if given.

    Raises
    ------
    TypeError, ValueError, numpy.exceptions.AxisError
        As `divergence` does; and if there are not two or three axes.

    See Also
    --------
    divergence, jacobian

    Notes
    -----
    Differences along different axes commute, so on periodic grids the curl of a gradient of the same accuracy, and the
    divergence of a curl, vanish up to rounding.

    Examples
    --------
    >>> import numpy as np
    >>> import numgrad as ng
    >>> x, y = np.meshgrid(np.arange(4.0), np.arange(3.0), indexing="ij")
    >>> ng.curl([-y, x])
    array([[2., 2., 2.],
           [2., 2., 2.],
           [2., 2., 2.],
           [2., 2., 2.]])
    """
    return _field(curl, v, spacing, axis, accuracy, boundary, period, out)


@overload
def jacobian(
    v: "Foreign | Sequence[Foreign]", *spacing: Any, out: Any = None, **options: "Unpack[FieldOptions]"
) -> Any: ...
@overload
def jacobian(
    v: "Numbers", *spacing: Any, out: np.ndarray | None = None, **options: "Unpack[FieldOptions]"
) -> np.ndarray: ...
@takes_containers(home_of_components)
def jacobian(
    v: Any, *spacing: Any, axis: Any = None, accuracy: int = 2, boundary: Any = "one-sided", period: Any = None,
    out: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Return the first derivatives of all components of a field along all axes of a grid.

    Parameters
    ----------
    v : array_like of shape (m, ...) or sequence of array_like
        The components of the field, any number of them, all of the same shape.
    *spacing : float or array_like, optional
        As in `gradient`: nothing (1.0), one number for all axes, or for each axis a number or its coordinates.
    axis : None, int or tuple of int, optional
        The k axes of `v` that are space; the others hold separate fields. All but the first by default.
    accuracy : int, default 2
        Order of accuracy, even, as in `laplacian`.
    boundary : {"one-sided", "periodic", "nan"} or a sequence of these, default "one-sided"
        What the ends of all axes, or of each, do.
    period : float or sequence of float, optional
        Of periodic axes with coordinates, as in `laplacian`.
    out : ndarray, optional
        Where to write: shape and dtype of the result. It may share memory with `v`.

    Returns
    -------
    ndarray of shape (m, k, ...)
        At ``[i, j]`` the derivative of v[i] along the j-th axis; dtype (float64 for integers) and memory layout of a
        component are kept. `out` itself, if given.

    Raises
    ------
    TypeError, ValueError, numpy.exceptions.AxisError
        As `laplacian` does; and if the shapes of components differ.

    See Also
    --------
    hessian : of one function, the second derivatives.

    Examples
    --------
    >>> import numpy as np
    >>> import numgrad as ng
    >>> x, y = np.meshgrid(np.arange(4.0), np.arange(3.0), indexing="ij")
    >>> ng.jacobian([3 * x, x - y])[:, :, 0, 0]
    array([[ 3.,  0.],
           [ 1., -1.]])
    """
    return _field(jacobian, v, spacing, axis, accuracy, boundary, period, out)


@overload
def hessian(f: "Foreign", *spacing: Any, out: Any = None, **options: "Unpack[FieldOptions]") -> Any: ...
@overload
def hessian(
    f: "Numbers", *spacing: Any, out: np.ndarray | None = None, **options: "Unpack[FieldOptions]"
) -> np.ndarray: ...
@takes_containers(home_of)
def hessian(
    f: Any, *spacing: Any, axis: Any = None, accuracy: int = 2, boundary: Any = "one-sided", period: Any = None,
    out: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Return the second derivatives of samples on a grid, the mixed ones among them.

    Parameters
    ----------
    f : array_like
        Samples of a function: float32, float64, complex64, complex128, or integers, which become float64.
    *spacing : float or array_like, optional
        As in `gradient`: nothing (1.0), one number for all axes, or for each axis a number or its coordinates.
    axis : None, int or tuple of int, optional
        The k axes of space; the others hold separate fields. All by default.
    accuracy : int, default 2
        Order of accuracy, even, as in `laplacian`.
    boundary : {"one-sided", "periodic", "nan"} or a sequence of these, default "one-sided"
        What the ends of all axes, or of each, do.
    period : float or sequence of float, optional
        Of periodic axes with coordinates, as in `laplacian`.
    out : ndarray, optional
        Where to write: shape and dtype of the result. It may share memory with `f`.

    Returns
    -------
    ndarray of shape ``(k, k, *f.shape)``
        At ``[i, j]`` the derivative along the i-th and the j-th axis, the same as at ``[j, i]``; dtype (float64 for
        integers) and memory layout of `f` are kept. `out` itself, if given.

    Raises
    ------
    TypeError, ValueError, numpy.exceptions.AxisError
        As `laplacian` does.

    See Also
    --------
    laplacian : the sum of the diagonal.

    Notes
    -----
    On the diagonal are stencils for the second derivative, beside it one for the first along the one axis of one along
    the other. Those come about in the result itself: no memory is needed beyond it.

    Examples
    --------
    >>> import numpy as np
    >>> import numgrad as ng
    >>> x, y = np.meshgrid(np.arange(4.0), np.arange(4.0), indexing="ij")
    >>> ng.hessian(x**2 * y)[:, :, 1, 2]
    array([[4., 2.],
           [2., 0.]])
    """
    return _field(hessian, f, spacing, axis, accuracy, boundary, period, out)


def _field(
    function: Any, f: Any, spacing: tuple[Any, ...], axis: Any, accuracy: Any, boundary: Any, period: Any, out: Any
) -> np.ndarray:
    """Return a field, by what is known of such calls or else by reading all arguments."""
    axes = (axis, *map(type, axis)) if type(axis) is tuple else axis
    kind = slot_of(function, f, spacing, axes, accuracy, boundary, period, type(f))
    if kind is not None and kind.known is not None and (found := kind.known.values(f, spacing, out)) is not None:
        return found  # type: ignore[no-any-return]
    field = READERS[function](f, *spacing, axis=axis, accuracy=accuracy, boundary=boundary, period=period)
    if kind is not None and kind.known is None:
        kind.known = known_of(field, f, spacing)
    return compute(field, out)


READERS: dict[Any, Callable[..., Field]] = {
    laplacian: read_laplacian,
    divergence: read_divergence,
    curl: read_curl,
    jacobian: read_jacobian,
    hessian: read_hessian,
}
