"""Fields on the sphere by latitude and longitude: gradient, divergence, vorticity, laplacian and advection."""

from functools import partial
from inspect import signature
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack, overload

import numpy as np

from numgrad._arrays.containers import home_of
from numgrad._system.out import targets
from numgrad._system.tables import each
from numgrad.sphere._read import read
from numgrad.sphere._rows import ADVECTION, DIVERGENCE, EARTH_RADIUS, GRADIENT, LAPLACIAN, VORTICITY, Operator
from numgrad.sphere._run import fill

if TYPE_CHECKING:
    from numgrad._arrays.signatures import Foreign, Numbers, SphereOptions


class Gradient(NamedTuple):
    """The components of a gradient on the sphere.

    Attributes
    ----------
    east, north : ndarray
        Derivatives to the east and to the north, per metre; or what else the samples are held in.
    """

    east: Any
    north: Any

    def _repr_html_(self) -> str:
        return each("Gradient", **self._asdict())


def gradient(
    f: Any, latitude: Any = None, longitude: Any = None, *, radius: float = EARTH_RADIUS, accuracy: int = 2,
    axis: tuple[int, int] = (-2, -1), out: Any = None,
) -> Gradient:  # fmt: skip
    """Return the gradient of samples on a grid of latitudes and longitudes, its components to the east and the north.

    Parameters
    ----------
    f : array_like
        Samples of a function: float32, float64, complex64, complex128, or integers, which become float64.
    latitude : array_like
        Degrees north of the rows: rising or falling, even or not. Those of each line, two-dimensional as from
        `numpy.meshgrid`, are taken where the lines agree; a curvilinear grid is refused. Objects of xarray have their
        own, which are found by CF's attributes or by the usual names; they may also be given by name.
    longitude : array_like
        Degrees east of the columns, likewise. They may jump by 360, as from 359 to 0.
    radius : float, optional
        Of the sphere, in metres: by default the mean radius of the Earth, 6371008.7714 [1]_.
    accuracy : int, default 2
        Order of accuracy, even, as in `numgrad.derivative`.
    axis : tuple of int, default (-2, -1)
        The axis of latitudes and the axis of longitudes. The others hold separate fields.
    out : tuple of two ndarray, or ndarray of shape (2, ...), optional
        Where to write: f's shape, the dtype of the result. It may share memory with `f`.

    Returns
    -------
    Gradient
        A named tuple of two arrays, `east` and `north`: of f's shape, dtype (float64 for integers) and memory layout,
        in units of `f` per metre. `out` itself, if given: as a tuple of the two.

    Raises
    ------
    TypeError, ValueError, numpy.exceptions.AxisError
        As `numgrad.derivative` does. And if latitudes are beyond 90 degrees, coordinates are missing or differ along
        the lines that have the same ones on a sphere, or longitudes go around more than once or have one meridian
        twice.

    See Also
    --------
    numgrad.gradient, numgrad.jacobian : on flat grids.

    Notes
    -----
    ``df / (R cos(phi) dlambda)`` and ``df / (R dphi)`` at latitude phi and longitude lambda [2]_, with differences by
    longitude and latitude of the order asked for, as in `numgrad.derivative`. Coordinates that are even but for the
    rounding of their dtype, float32 say, count as even. The Earth is flattened: its degrees differ by up to 0.6 % from
    those of the sphere.

    Longitude is periodic where it closes: if the step from the last to the first is no longer than the longest one.
    Then each meridian goes on over the pole as the one half a turn away, if there is one, and if its rows are near: at
    most 2.5 steps from the last row. There formulas take these rows, where vectors point the other way, and are
    symmetric up to the pole. All other ends are one-sided, of the same order.

    In a row at a pole, where east has no direction but for that of the meridian, results are the limits along each
    meridian; and NaN if there are no rows across.

    The error falls as the distance of neighbours to the power `accuracy` at each place but the poles. Next to a pole
    meridians lie so close together that it falls by one power less for `divergence`, `vorticity` and `laplacian`.

    References
    ----------
    .. [1] H. Moritz, "Geodetic Reference System 1980", Journal of Geodesy 74 (2000), 128-133.
    .. [2] J. R. Holton and G. J. Hakim, "An Introduction to Dynamic Meteorology", 5th ed., Academic Press 2013.

    Examples
    --------
    >>> import numpy as np
    >>> import numgrad as ng
    >>> latitude, longitude = np.arange(-90, 91, 30), np.arange(0, 360, 45)
    >>> height = np.repeat(np.radians(latitude), 8).reshape(7, 8)
    >>> east, north = ng.sphere.gradient(height[1:-1], latitude[1:-1], longitude, radius=2.0)
    >>> north[1:-1, 0].round(9)
    array([0.5, 0.5, 0.5])
    """
    options = {"radius": radius, "accuracy": accuracy, "axis": axis, "out": out}
    found: Gradient = compute(GRADIENT, {"f": f}, latitude, longitude, **options)
    return found


@overload
def divergence(
    u: "Foreign", v: "Foreign", latitude: Any = None, longitude: Any = None, **options: "Unpack[SphereOptions]"
) -> Any: ...
@overload
def divergence(
    u: "Numbers", v: "Numbers", latitude: Any = None, longitude: Any = None, **options: "Unpack[SphereOptions]"
) -> np.ndarray: ...
def divergence(
    u: Any, v: Any, latitude: Any = None, longitude: Any = None, *, radius: float = EARTH_RADIUS, accuracy: int = 2,
    axis: tuple[int, int] = (-2, -1), out: np.ndarray | None = None,
) -> Any:  # fmt: skip
    """Return the divergence of a vector field on a grid of latitudes and longitudes.

    Parameters
    ----------
    u : array_like
        The component to the east.
    v : array_like
        The component to the north, of the same shape.
    latitude : array_like
        Degrees north of the rows, as in `gradient`.
    longitude : array_like
        Degrees east of the columns, as in `gradient`.
    radius : float, optional
        Of the sphere, in metres; the Earth's by default.
    accuracy : int, default 2
        Order of accuracy, even.
    axis : tuple of int, default (-2, -1)
        The axis of latitudes and the axis of longitudes.
    out : ndarray, optional
        Where to write: the shape of `u`, the dtype of the result. It may share memory with `u` and `v`.

    Returns
    -------
    ndarray
        Of u's shape, dtype (float64 for integers) and memory layout, in units of `u` per metre; `out` itself, if given.

    Raises
    ------
    TypeError, ValueError, numpy.exceptions.AxisError
        As `gradient` does; and if the shapes of `u` and `v` differ.

    See Also
    --------
    gradient : for the ends of a grid and the poles.

    Notes
    -----
    ``(du/dlambda / cos(phi) + dv/dphi - v tan(phi)) / R``, with latitude phi and longitude lambda, is the same as
    ``(du/dlambda + d(v cos(phi))/dphi) / (R cos(phi))``, but tan(phi) has no error, and that of dv/dphi is not divided
    by cos(phi).

    Examples
    --------
    >>> import numpy as np
    >>> import numgrad as ng
    >>> latitude, longitude = np.arange(-90, 91, 30), np.arange(0, 360, 45)
    >>> u = np.cos(np.radians(latitude))[:, None] + 0 * longitude
    >>> abs(ng.sphere.divergence(u, 0 * u, latitude, longitude)).max() < 1e-20
    np.True_
    """
    return compute(
        DIVERGENCE, {"u": u, "v": v}, latitude, longitude, radius=radius, accuracy=accuracy, axis=axis, out=out
    )


@overload
def vorticity(
    u: "Foreign", v: "Foreign", latitude: Any = None, longitude: Any = None, **options: "Unpack[SphereOptions]"
) -> Any: ...
@overload
def vorticity(
    u: "Numbers", v: "Numbers", latitude: Any = None, longitude: Any = None, **options: "Unpack[SphereOptions]"
) -> np.ndarray: ...
def vorticity(
    u: Any, v: Any, latitude: Any = None, longitude: Any = None, *, radius: float = EARTH_RADIUS, accuracy: int = 2,
    axis: tuple[int, int] = (-2, -1), out: np.ndarray | None = None,
) -> Any:  # fmt: skip
    """Return the vorticity of a vector field on a grid of latitudes and longitudes: the curl about the vertical.

    Parameters
    ----------
    u : array_like
        The component to the east.
    v : array_like
        The component to the north, of the same shape.
    latitude : array_like
        Degrees north of the rows, as in `gradient`.
    longitude : array_like
        Degrees east of the columns, as in `gradient`.
    radius : float, optional
        Of the sphere, in metres; the Earth's by default.
    accuracy : int, default 2
        Order of accuracy, even.
    axis : tuple of int, default (-2, -1)
        The axis of latitudes and the axis of longitudes.
    out : ndarray, optional
        Where to write: the shape of `u`, the dtype of the result. It may share memory with `u` and `v`.

    Returns
    -------
    ndarray
        Of u's shape, dtype (float64 for integers) and memory layout, in units of `u` per metre; `out` itself, if given.

    Raises
    ------
    TypeError, ValueError, numpy.exceptions.AxisError
        As `divergence` does.

    See Also
    --------
    gradient : for the ends of a grid and the poles.

    Notes
    -----
    ``(dv/dlambda / cos(phi) - du/dphi + u tan(phi)) / R``, with latitude phi and longitude lambda; see `divergence`. It
    is that relative to the sphere; planetary vorticity is ``2 omega sin(phi)``.

    Examples
    --------
    A sphere that turns as a whole, once in a unit of time over 2 pi, has vorticity ``2 sin(phi)``:

    >>> import numpy as np
    >>> import numgrad as ng
    >>> latitude, longitude = np.arange(-90, 91, 30), np.arange(0, 360, 45)
    >>> u = np.cos(np.radians(latitude))[:, None] + 0 * longitude
    >>> ng.sphere.vorticity(u, 0 * u, latitude, longitude, radius=1.0, accuracy=4)[:, 0].round(2)
    array([-2.  , -1.73, -1.  ,  0.  ,  1.  ,  1.73,  2.  ])
    """
    return compute(
        VORTICITY, {"u": u, "v": v}, latitude, longitude, radius=radius, accuracy=accuracy, axis=axis, out=out
    )


@overload
def laplacian(f: "Foreign", latitude: Any = None, longitude: Any = None, **options: "Unpack[SphereOptions]") -> Any: ...
@overload
def laplacian(
    f: "Numbers", latitude: Any = None, longitude: Any = None, **options: "Unpack[SphereOptions]"
) -> np.ndarray: ...
def laplacian(
    f: Any, latitude: Any = None, longitude: Any = None, *, radius: float = EARTH_RADIUS, accuracy: int = 2,
    axis: tuple[int, int] = (-2, -1), out: np.ndarray | None = None,
) -> Any:  # fmt: skip
    """Return the laplacian of samples on a grid of latitudes and longitudes: the divergence of the gradient.

    Parameters
    ----------
    f : array_like
        Samples of a function, as in `gradient`.
    latitude : array_like
        Degrees north of the rows, as in `gradient`.
    longitude : array_like
        Degrees east of the columns, as in `gradient`.
    radius : float, optional
        Of the sphere, in metres; the Earth's by default.
    accuracy : int, default 2
        Order of accuracy, even.
    axis : tuple of int, default (-2, -1)
        The axis of latitudes and the axis of longitudes.
    out : ndarray, optional
        Where to write: f's shape, the dtype of the result. It may share memory with `f`.

    Returns
    -------
    ndarray
        Of f's shape, dtype (float64 for integers) and memory layout, in units of `f` per square metre; `out` itself,
        if given.

    Raises
    ------
    TypeError, ValueError, numpy.exceptions.AxisError
        As `gradient` does.

    See Also
    --------
    gradient : for the ends of a grid and the poles.

    Notes
    -----
    ``(d2f/dlambda2 / cos(phi)**2 + d2f/dphi2 - tan(phi) df/dphi) / R**2``, with latitude phi and longitude lambda, and
    stencils of their own for second derivatives, as in `numgrad.laplacian`.

    Examples
    --------
    Spherical harmonics of degree 1 are multiplied by ``-1 (1 + 1) / R**2``:

    >>> import numpy as np
    >>> import numgrad as ng
    >>> latitude, longitude = np.arange(-90, 91, 30), np.arange(0, 360, 45)
    >>> f = np.sin(np.radians(latitude))[:, None] + 0 * longitude
    >>> ng.sphere.laplacian(f, latitude, longitude, radius=1.0, accuracy=4)[:, 0].round(2) + 0.0
    array([ 2.  ,  1.73,  1.  ,  0.  , -1.  , -1.73, -2.  ])
    """
    return compute(LAPLACIAN, {"f": f}, latitude, longitude, radius=radius, accuracy=accuracy, axis=axis, out=out)


@overload
def advection(
    f: "Foreign",
    u: "Foreign",
    v: "Foreign",
    latitude: Any = None,
    longitude: Any = None,
    **options: "Unpack[SphereOptions]",
) -> Any: ...
@overload
def advection(
    f: "Numbers",
    u: "Numbers",
    v: "Numbers",
    latitude: Any = None,
    longitude: Any = None,
    **options: "Unpack[SphereOptions]",
) -> np.ndarray: ...
def advection(
    f: Any, u: Any, v: Any, latitude: Any = None, longitude: Any = None, *, radius: float = EARTH_RADIUS,
    accuracy: int = 2, axis: tuple[int, int] = (-2, -1), out: np.ndarray | None = None,
) -> Any:  # fmt: skip
    """Return by how much a flow changes a function at each place, in a unit of time: minus velocity times gradient.

    Parameters
    ----------
    f : array_like
        Samples of the function that is carried along.
    u : array_like
        The velocity to the east, of f's shape.
    v : array_like
        The velocity to the north, of f's shape.
    latitude : array_like
        Degrees north of the rows, as in `gradient`.
    longitude : array_like
        Degrees east of the columns, as in `gradient`.
    radius : float, optional
        Of the sphere, in metres; the Earth's by default.
    accuracy : int, default 2
        Order of accuracy, even.
    axis : tuple of int, default (-2, -1)
        The axis of latitudes and the axis of longitudes.
    out : ndarray, optional
        Where to write: f's shape, the dtype of the result. It may share memory with `f`, `u` and `v`.

    Returns
    -------
    ndarray
        Of f's shape, dtype (float64 for integers) and memory layout, in units of `f` times those of `u` per metre;
        `out` itself, if given.

    Raises
    ------
    TypeError, ValueError, numpy.exceptions.AxisError
        As `gradient` does; and if the shapes of `f`, `u` and `v` differ.

    See Also
    --------
    gradient : for the ends of a grid and the poles.

    Notes
    -----
    ``-(u df/dlambda / cos(phi) + v df/dphi) / R``, with latitude phi and longitude lambda: positive where the flow
    comes from larger values. No gradient is kept.

    Examples
    --------
    >>> import numpy as np
    >>> import numgrad as ng
    >>> latitude, longitude = np.arange(-30, 31, 15), np.arange(0, 360, 45)
    >>> f = np.radians(latitude)[:, None] + 0 * longitude
    >>> ng.sphere.advection(f, 0 * f, 0 * f + 3, latitude, longitude, radius=2.0)[:, 0].round(9)
    array([-1.5, -1.5, -1.5, -1.5, -1.5])
    """
    given = {"f": f, "u": u, "v": v}
    return compute(ADVECTION, given, latitude, longitude, radius=radius, accuracy=accuracy, axis=axis, out=out)


def compute(
    operator: Operator, given: dict[str, Any], latitude: Any, longitude: Any, *, out: Any, **options: Any
) -> Any:
    """Return the field of samples that are `given` by name: of arrays, or of objects that have a home."""
    home = next((home for home in map(home_of, given.values()) if hasattr(home, "on_sphere")), None)
    if home is not None:
        return home.on_sphere(operator, given, latitude, longitude, out=out, **options)
    field = read(operator, given, latitude=latitude, longitude=longitude, **options)
    f, count = field.sources[0], operator.results
    results = (
        [np.empty_like(f) for _ in range(count)] if out is None else targets(out, count, f.shape, f.dtype, np.ndarray)
    )
    fill(field, results, () if out is None else (*field.sources, *field.factors))
    return Gradient(*results) if count > 1 else results[0] if out is None else out


def _explained(function: Any, operator: Operator, *given: Any, at: Any = None, **options: Any) -> Any:
    """Return how a call of one of these functions is done; or the arithmetic `at` a point."""
    from numgrad.sphere._explained import explained

    call = signature(function).bind(*given, **options)
    call.apply_defaults()
    out = call.arguments.pop("out")
    names = [name for name in call.arguments if name in operator.used]
    samples = {name: call.arguments.pop(name) for name in names}
    return explained(function, operator, samples, at, out, call.arguments)


_operators: dict[Any, Operator] = {
    gradient: GRADIENT, divergence: DIVERGENCE, vorticity: VORTICITY, laplacian: LAPLACIAN, advection: ADVECTION,
}  # fmt: skip
for _function, _operator in _operators.items():
    _function.explained = partial(_explained, _function, _operator)
