"""The accessors ``da.numgrad`` and ``ds.numgrad`` of xarray (extra `xarray`)."""

from numgrad.interop.xarray import DataArrayAccessor, DatasetAccessor

__all__ = ["DataArrayAccessor", "DatasetAccessor"]
