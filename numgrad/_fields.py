"""Fields on grids: divergence, curl, laplacian, jacobian and hessian, all terms of a result in one sweep."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from numgrad import _gradient, _mapped, _out
from numgrad._containers import home_of, home_of_components, refuse_units, takes_containers
from numgrad._dispatch import Order, Plan, Request, memory_order
from numgrad._formulas import (
    Coordinates,
    Formula,
    axis_plan,
    check_length,
    key_and_values,
    read_formula,
    read_period,
    read_samples,
    read_spacing,
)
from numgrad._recipe import FIELDS


class Term(NamedTuple):
    """`factor` times the n-th derivative of the `source`-th array along the `place`-th axis, of a sum: the `target`."""

    source: int
    place: int
    n: int
    target: int
    factor: float = 1.0


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
        Of f's shape, dtype (float64 for integers) and memory layout; `out` itself, if given.

    Raises
    ------
    TypeError, ValueError, numpy.exceptions.AxisError
        As `derivative` does, for quantities too; and if the spacings are neither none, one, nor as many as axes.

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
    return _run(read_laplacian(f, *spacing, axis=axis, accuracy=accuracy, boundary=boundary, period=period), out)


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
    return _run(read_divergence(v, *spacing, axis=axis, accuracy=accuracy, boundary=boundary, period=period), out)


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
    return _run(read_curl(v, *spacing, axis=axis, accuracy=accuracy, boundary=boundary, period=period), out)


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
    return _run(read_jacobian(v, *spacing, axis=axis, accuracy=accuracy, boundary=boundary, period=period), out)


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
    ndarray of shape (k, k, *f.shape)
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
    return _run(read_hessian(f, *spacing, axis=axis, accuracy=accuracy, boundary=boundary, period=period), out)


class Field(NamedTuple):
    """A call, read: components and their axes of space, what each axis has, the terms, and the shape of the result."""

    components: tuple[np.ndarray, ...]
    order: Order
    axes: tuple[int, ...]
    spacings: tuple[float | Coordinates, ...]
    formulas: tuple[Formula, ...]
    periods: tuple[float, ...]
    terms: tuple[Term, ...]
    mixed: tuple[Term, ...]
    shape: tuple[int, ...]

    def with_own_coordinates(self, out: np.ndarray) -> "Field":
        """Copy coordinates that may share memory with `out`."""
        spacings = [
            s._replace(x=s.x.copy()) if isinstance(s, Coordinates) and _mapped.may_share(s.x, out) else s
            for s in self.spacings
        ]
        return self._replace(spacings=tuple(spacings))

    @property
    def sweeps(self) -> list[tuple[tuple[Term, ...], tuple[np.ndarray, ...]]]:
        """The terms that are done together, and arrays like what they are done from."""
        mixed = [(self.mixed, self.components * (len(self.axes) - 1))] if self.mixed else []
        return [(self.terms, self.components), *mixed]

    def request(self, terms: Sequence[Term], sources: Sequence[np.ndarray]) -> Request:
        f = sources[0]
        split = [
            key_and_values(spacing, name, formula.n, formula.most_points, f.dtype)
            for spacing, name, formula in zip(self.spacings, _names(len(self.axes)), self.formulas, strict=True)
        ]
        keys, given = zip(*split, strict=True)
        plan = plan_of(f.dtype, f.shape, self.order, self.axes, keys, self.formulas, self.periods, tuple(terms))
        return Request(plan, f, f, self.order, given, tuple(sources[1:]))


def read_laplacian(f: Any, *spacing: Any, axis: Any = None, **options: Any) -> Field:
    f = read_samples(f, "f")
    axes = _axes(axis, f.ndim)
    terms = [Term(0, place, 2, 0) for place in range(len(axes))]
    return _read((f,), axes, spacing, terms, (), **options)


def read_divergence(v: Any, *spacing: Any, axis: Any = None, **options: Any) -> Field:
    components, axes = _vector(v, axis)
    if len(components) != len(axes):
        raise ValueError(f"`v` has {len(components)} components, a divergence along {len(axes)} axes needs as many")
    return _read(components, axes, spacing, [Term(i, i, 1, 0) for i in range(len(axes))], (), **options)


def read_curl(v: Any, *spacing: Any, axis: Any = None, **options: Any) -> Field:
    components, axes = _vector(v, axis)
    if len(axes) not in (2, 3):
        raise ValueError(f"`v` has {len(axes)} axes of space; a curl is of 2 or 3, `axis` names them")
    if len(components) != len(axes):
        raise ValueError(f"`v` has {len(components)} components, a curl along {len(axes)} axes needs as many")
    if len(axes) == 2:
        return _read(components, axes, spacing, [Term(1, 0, 1, 0), Term(0, 1, 1, 0, -1.0)], (), **options)
    terms = []
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        terms += [Term(k, j, 1, i), Term(j, k, 1, i, -1.0)]
    return _read(components, axes, spacing, terms, (3,), **options)


def read_jacobian(v: Any, *spacing: Any, axis: Any = None, **options: Any) -> Field:
    components, axes = _vector(v, axis)
    count = len(axes)
    terms = [Term(i, j, 1, i * count + j) for i in range(len(components)) for j in range(count)]
    return _read(components, axes, spacing, terms, (len(components), count), **options)


def read_hessian(f: Any, *spacing: Any, axis: Any = None, **options: Any) -> Field:
    """Read the arguments of `hessian`: at [j, 0] are first derivatives along j, and from these come the mixed ones."""
    f = read_samples(f, "f")
    axes = _axes(axis, f.ndim)
    count = len(axes)
    terms = [Term(0, i, 2, i * count + i) for i in range(count)]
    terms += [Term(0, j, 1, j * count) for j in range(1, count)]
    mixed = [Term(j - 1, i, 1, i * count + j) for j in range(1, count) for i in range(j)]
    return _read((f,), axes, spacing, terms, (count, count), mixed, **options)


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    if axis is None:
        axis = range(ndim)
    axes = np.lib.array_utils.normalize_axis_tuple(axis, ndim, "axis")
    if not axes:
        raise ValueError("`axis` is empty and `f` has no dimensions, or there are no axes; give at least one")
    return axes


def _vector(v: Any, axis: Any) -> tuple[tuple[np.ndarray, ...], tuple[int, ...]]:
    """Return the components and their axes of space; the given ones count that of the components, which is 0."""
    if not isinstance(v, (np.ndarray, list, tuple)):
        refuse_units(v, "v")
        v = list(v) if isinstance(v, Iterator) else np.asarray(v)
    if len(v) == 0 if isinstance(v, (list, tuple)) else v.ndim == 0 or len(v) == 0:
        raise ValueError("`v` has no components; give them along its first axis")
    components = tuple([read_samples(c, "v") for c in v])
    dtype = np.result_type(*components)
    shape = components[0].shape
    for i, c in enumerate(components):
        if c.shape != shape:
            raise ValueError(f"`v` has components of shapes {shape} and {c.shape}, the {i}-th; give the same for all")
    components = tuple([c.astype(dtype, copy=False) for c in components])
    if axis is None:
        return components, _axes(None, len(shape))
    axes = _axes(axis, len(shape) + 1)
    if 0 in axes:
        raise ValueError(f"`axis` is {axis}, but axis 0 of `v` holds the components; name axes after it")
    return components, tuple([a - 1 for a in axes])


def _read(
    components: tuple[np.ndarray, ...], axes: tuple[int, ...], spacing: tuple[Any, ...], terms: Sequence[Term],
    leading: tuple[int, ...], mixed: Sequence[Term] = (), *, accuracy: Any = 2, boundary: Any = "one-sided",
    period: Any = None,
) -> Field:  # fmt: skip
    f, count = components[0], len(axes)
    order = None if f.flags.c_contiguous else memory_order(f)
    if len(spacing) not in (0, 1, count):
        raise ValueError(f"there are {len(spacing)} spacings for {count} axes; give one for each, one number, or none")
    if len(spacing) == 1 and count > 1 and np.ndim(spacing[0]):
        raise ValueError(f"coordinates are given for one of {count} axes; give a spacing for each")
    given = spacing_of_each(spacing, count)
    boundaries, periods = _each(boundary, count, "boundary"), _each(period, count, "period")
    is_each = hasattr(period, "__len__") and not isinstance(period, str)
    formulas, spacings, lengths = [], [], []
    for place, a in enumerate(axes):
        formulas.append(read_formula(max(t.n for t in terms), accuracy, boundaries[place]))
        spacings.append(read_spacing(given[place], _names(count)[place], f.shape, a, order, lines=False))
        is_needed = boundaries[place] == "periodic" and isinstance(spacings[-1], Coordinates)
        own = periods[place] if is_needed or is_each else None
        check_length(formulas[-1], a, f.shape[a])
        lengths.append(read_period(own, spacings[-1], formulas[-1], f.shape[a]))
    if period is not None and not is_each and not any(lengths):
        raise ValueError(f"`period` is {period}; leave it away but for boundary='periodic' with coordinates")
    return Field(
        components, order, axes, tuple(spacings), tuple(formulas), tuple(lengths), tuple(terms), tuple(mixed),
        (*leading, *f.shape),
    )  # fmt: skip


def spacing_of_each(spacing: tuple[Any, ...], count: int) -> tuple[Any, ...]:
    """Return a spacing for each axis of none, of one for all, or of one for each."""
    return spacing * count if len(spacing) == 1 else spacing or (1.0,) * count


def _names(count: int) -> list[str]:
    """How messages call the spacings."""
    return [f"spacing {place}" for place in range(count)] if count > 1 else ["spacing"]


def _each(given: Any, count: int, name: str) -> list[Any]:
    """Return what is given for each axis: one for all, or a sequence."""
    if isinstance(given, str) or not hasattr(given, "__len__"):
        return [given] * count
    if len(given) != count:
        raise ValueError(f"`{name}` has {len(given)} entries for {count} axes; give one for each, or one for all")
    return list(given)


@lru_cache(256)
def plan_of(
    dtype: "np.dtype[Any]", shape: tuple[int, ...], order: Order, axes: tuple[int, ...], spacings: tuple[Any, ...],
    formulas: tuple[Formula, ...], periods: tuple[float, ...], terms: tuple[Term, ...],
) -> Plan:  # fmt: skip
    plans: list[Any] = []
    for t in terms:
        formula = formulas[t.place]._replace(n=t.n)
        adds = bool(plans) and plans[-1].target == t.target
        plans.append(
            axis_plan(
                dtype, shape, order, axes[t.place], spacings[t.place], t.place, formula, periods[t.place],
                source=t.source, target=t.target, adds=adds, factor=t.factor,
            )
        )  # fmt: skip
    return Plan(np.dtype(FIELDS[dtype]), tuple(plans))


def _run(field: Field, out: Any) -> np.ndarray:
    f = field.components[0]
    leading = field.shape[: len(field.shape) - f.ndim]
    dtype = np.dtype(FIELDS[f.dtype])
    result, inputs = out, (*field.components, *[s.x for s in field.spacings if isinstance(s, Coordinates)])
    if out is None:
        result, inputs = _blocks(leading, f, field.order, dtype), ()
    else:
        _out.check(out, field.shape, dtype, np.ndarray)
        if field.mixed:  # the second sweep reads coordinates that the first must not have written
            field = field.with_own_coordinates(out)
    blocks = [result[i] for i in np.ndindex(leading)]
    if not f.size:
        return result  # type: ignore[no-any-return]
    _fill(field, field.terms, field.components, blocks, inputs)
    if field.mixed:
        count = len(field.axes)
        _fill(field, field.mixed, [blocks[j * count] for j in range(1, count)], blocks, ())
        for t in field.mixed:
            i, j = divmod(t.target, count)
            _mapped.copy(blocks[t.target], blocks[j * count + i])
    return result  # type: ignore[no-any-return]


def _fill(
    field: Field,
    terms: Sequence[Term],
    sources: Sequence[np.ndarray],
    blocks: list[np.ndarray],
    inputs: tuple[Any, ...],
) -> None:
    """Fill those of the blocks that are targets."""
    used = sorted({t.target for t in terms})
    numbered = [t._replace(target=used.index(t.target)) for t in terms]
    _gradient.fill_flat(field.request(numbered, sources), [blocks[i] for i in used], inputs)


def _blocks(leading: tuple[int, ...], f: np.ndarray, order: Order, dtype: Any) -> np.ndarray:
    """Return an array of arrays like f, each in f's memory order."""
    if order is None:
        return np.empty((*leading, *f.shape), dtype)
    made = np.empty((*leading, *[f.shape[a] for a in order]), dtype)
    return made.transpose(*range(len(leading)), *[len(leading) + int(a) for a in np.argsort(order)])


READERS: dict[Any, Callable[..., Field]] = {
    laplacian: read_laplacian,
    divergence: read_divergence,
    curl: read_curl,
    jacobian: read_jacobian,
    hessian: read_hessian,
}
