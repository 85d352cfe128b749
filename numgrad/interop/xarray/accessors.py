"""The accessors `da.numgrad` and `ds.numgrad`: derivatives by coordinates, by name."""

from collections.abc import Hashable, Sequence
from typing import Any

import xarray as xr

from numgrad._arrays import fields
from numgrad.interop.options import listed
from numgrad.interop.xarray.functions import turning_points
from numgrad.interop.xarray.places import named, place_of
from numgrad.interop.xarray.results import components, gradients, nth, scalar, vector
from numgrad.interop.xarray.sphere import Sphere, SphereOfDataset


class Accessor:
    """The methods of DataArrays and Datasets, once ``numgrad.interop.xarray`` is imported; errors are `laplacian`'s."""

    def __init__(self, obj: Any) -> None:
        self._obj = obj

    def derivative(
        self, coord: Hashable, *, dim: Hashable | None = None, datetime_unit: str | None = None, **options: Any
    ) -> Any:
        """Return the n-th derivative by a coordinate.

        Parameters
        ----------
        coord : hashable
            The name of a coordinate or dimension.
        dim : hashable, optional
            The dimension to go along, for a coordinate of several, as the latitude of a curved grid is.
        datetime_unit : {"W", "D", "h", "m", "s", "ms", "us", "ns", ...}, optional
            Unit of time: by default that of a datetime64, seconds of cftime.
        **options
            `n`, `accuracy`, `boundary`, `edge_accuracy`, `period`, `nan`, `window`, `degree` and `sigma`, as in
            `numgrad.derivative`; the period of times is in `datetime_unit`, and `sigma` may be a DataArray.

        Returns
        -------
        DataArray or Dataset, or WithError of two
            With the same coordinates. Variables of a Dataset without the dimension are kept as they are.

        Examples
        --------
        >>> import numpy as np
        >>> t = np.array(["2024-01-01", "2024-01-02", "2024-01-04", "2024-01-05"], dtype="datetime64[s]")
        >>> f = xr.DataArray([0, 1, 9, 16.0], {"time": t})
        >>> f.numgrad.derivative("time", n=2, datetime_unit="D").values
        array([2., 2., 2., 2.])
        """
        return nth(self._obj, place_of(self._obj, coord, datetime_unit, dim), options)

    def differentiate(self, coord: Hashable, edge_order: int = 1, datetime_unit: str | None = None) -> Any:
        """Differentiate as xarray's method of this name does, bit for bit, with its arguments; attributes are kept.

        >>> f = xr.DataArray([0, 1, 9, 16.0], {"x": [0, 1, 3, 4.0]})
        >>> f.numgrad.differentiate("x", edge_order=2).values
        array([0., 2., 6., 8.])
        """
        return gradients(self._obj, [place_of(self._obj, coord, datetime_unit)], edge_order)[0]

    def gradient(self, coords: Any = None, *, edge_order: int = 1, datetime_unit: str | None = None) -> Any:
        """Return the first derivatives by coordinates, each as `differentiate` does.

        Parameters
        ----------
        coords : hashable or list of hashable, optional
            Names of coordinates of one dimension, or of dimensions. All dimensions by default.
        edge_order : {1, 2}, default 1
            Order of accuracy at the ends.
        datetime_unit : str, optional
            Unit of time, as in `derivative`.

        Returns
        -------
        DataArray, Dataset, or tuple of these
            One for a name, else a tuple of one for each, in this order.

        Examples
        --------
        >>> f = xr.DataArray([[0, 1, 4.0], [2, 3, 6.0]], {"x": [0, 1.0, 3.0]}, ("y", "x"))
        >>> dx, dy = f.numgrad.gradient(["x", "y"])
        >>> dy.values
        array([[2., 2., 2.],
               [2., 2., 2.]])
        """
        results = gradients(self._obj, named(self._obj, coords, datetime_unit), edge_order)
        return results if coords is None or isinstance(coords, (list, tuple)) else results[0]

    def laplacian(self, coords: Any = None, *, datetime_unit: str | None = None, **options: Any) -> Any:
        """Return the sum of the second derivatives by coordinates.

        Parameters
        ----------
        coords : hashable or list of hashable, optional
            Names of coordinates of one dimension, or of dimensions. All dimensions by default.
        datetime_unit : str, optional
            Unit of time, as in `derivative`.
        **options
            `accuracy`, `boundary` and `period`, as in `numgrad.laplacian`.

        Returns
        -------
        DataArray or Dataset
            With the same coordinates. Variables of a Dataset with none of the dimensions are kept as they are; those
            with some are a ValueError.

        Examples
        --------
        >>> x = xr.DataArray([0, 1, 3, 4.0], dims="x")
        >>> (x**2).assign_coords(x=x).numgrad.laplacian("x").values
        array([2., 2., 2., 2.])
        """
        return scalar(fields.laplacian, self._obj, named(self._obj, coords, datetime_unit), options)

    def hessian(self, coords: Any = None, *, datetime_unit: str | None = None, **options: Any) -> Any:
        """Return the second derivatives by coordinates, the mixed ones among them; arguments as in `laplacian`.

        They are along two dimensions more, in front: "derivative_1" and "derivative_2", labelled by these names.

        >>> import numpy as np
        >>> f = xr.DataArray(np.outer(np.arange(4.0), np.arange(4.0)), dims=("y", "x"))
        >>> f.numgrad.hessian(["y", "x"]).isel(y=1, x=1).values
        array([[0., 1.],
               [1., 0.]])
        """
        return scalar(fields.hessian, self._obj, named(self._obj, coords, datetime_unit), options)


@xr.register_dataarray_accessor("numgrad")
class DataArrayAccessor(Accessor):
    """``da.numgrad``: derivatives by the coordinates of a DataArray."""

    @property
    def sphere(self) -> Sphere:
        """Derivatives on the sphere, by latitude and longitude."""
        return Sphere(self._obj)

    def turning_points(
        self, coord: Hashable, *, dim: Hashable | None = None, datetime_unit: str | None = None, **options: Any
    ) -> Any:
        """Return the minima and maxima along a coordinate, located between the samples.

        `coord`, `dim` and `datetime_unit` are those of `derivative`, `options` those of `numgrad.turning_points`. By a
        coordinate of times positions are times, and slopes are per `datetime_unit`. Lazy samples are computed.

        >>> import numpy as np
        >>> t = np.array(["2024-01-01", "2024-01-02", "2024-01-04", "2024-01-05"], dtype="datetime64[s]")
        >>> f = xr.DataArray([4, 1, 1, 4.0], {"time": t})
        >>> f.numgrad.turning_points("time").position.astype("datetime64[h]")
        array(['2024-01-03T00'], dtype='datetime64[h]')
        """
        return turning_points(self._obj, coord, dim=dim, datetime_unit=datetime_unit, **options)


@xr.register_dataset_accessor("numgrad")
class DatasetAccessor(Accessor):
    """``ds.numgrad``: derivatives by the coordinates of a Dataset, of all data variables that have their dimensions."""

    @property
    def sphere(self) -> SphereOfDataset:
        """Derivatives on the sphere, by latitude and longitude."""
        return SphereOfDataset(self._obj)

    def divergence(
        self, variables: Sequence[Hashable], coords: Any = None, *, datetime_unit: str | None = None, **options: Any
    ) -> Any:
        """Return the divergence of a vector field: the sum of the derivatives of variables, each by its coordinate.

        Parameters
        ----------
        variables : list of hashable
            Names of the components, which have the same dimensions.
        coords : list of hashable, optional
            As many names of coordinates or dimensions. The dimensions of the first component by default.
        datetime_unit, **options
            As in `laplacian`.

        Returns
        -------
        DataArray
            Dimensions and coordinates are those of the first component, attributes those of none.

        Examples
        --------
        >>> import numpy as np
        >>> y, x = np.mgrid[:3, :4].astype(float)
        >>> ds = xr.Dataset({"u": (("y", "x"), x**2), "v": (("y", "x"), -2 * x * y)})
        >>> ds.numgrad.divergence(["u", "v"], ["x", "y"]).values[0]
        array([0., 0., 0., 0.])
        """
        return self._vector(fields.divergence, variables, coords, datetime_unit, options)

    def curl(
        self, variables: Sequence[Hashable], coords: Any = None, *, datetime_unit: str | None = None, **options: Any
    ) -> Any:
        """Return the curl of a vector field of two or three components; arguments as in `divergence`.

        It is like a component; in three dimensions behind one more, "component", labelled by the names of coordinates.

        >>> import numpy as np
        >>> y, x = np.mgrid[:3, :4].astype(float)
        >>> ds = xr.Dataset({"u": (("y", "x"), -y), "v": (("y", "x"), x)})
        >>> ds.numgrad.curl(["u", "v"], ["x", "y"]).values[0]
        array([2., 2., 2., 2.])
        """
        return self._vector(fields.curl, variables, coords, datetime_unit, options)

    def _vector(self, function: Any, variables: Any, coords: Any, unit: str | None, options: Any) -> Any:
        for name in variables:
            if name not in self._obj.data_vars:
                raise ValueError(f"`variables` has {name!r}; the Dataset has {listed(self._obj.data_vars)}")
        given = components([self._obj[name] for name in variables])
        return vector(function, given, named(given[0], coords, unit), options)
