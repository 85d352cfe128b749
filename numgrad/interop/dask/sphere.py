"""Fields on the sphere, in chunks along latitudes; all longitudes of a row are in one."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import dask.array as da
import numpy as np

from numgrad.interop.dask.coordinates import check_chunks
from numgrad.interop.dask.cuts import Cut
from numgrad.interop.dask.fields import refuse, result_dtype
from numgrad.interop.dask.tasks import along_several
from numgrad.sphere._fields import Gradient
from numgrad.sphere._read import read
from numgrad.sphere._rows import Operator
from numgrad.sphere._run import Field, fill


def on_sphere(
    operator: Operator, given: dict[str, Any], latitude: Any, longitude: Any, *, out: Any, **options: Any
) -> Any:
    """Return what `numgrad.sphere` makes of dask arrays, lazily, bit for bit; coordinates are computed."""
    refuse(out)
    for name, f in given.items():
        check_chunks(f, f"`{name}`")
    arrays = {name: f if isinstance(f, da.Array) else da.asarray(f) for name, f in given.items()}
    dtype = np.result_type(*[result_dtype(f) for f in arrays.values()])
    # What is wrong is said now, by reading arrays of these shapes without memory behind them.
    empty = {name: np.broadcast_to(np.zeros((), dtype), f.shape) for name, f in arrays.items()}
    field = read(operator, empty, latitude=latitude, longitude=longitude, **options)
    used = [arrays[name].astype(dtype) for name in operator.used]
    rows, (north, east) = field.rows, field.axes
    depth, count = max(rows.low, rows.high), operator.results
    least = max(2 * depth + 1, rows.ends[1].shape[1])
    cuts = {north: Cut(depth, least), east: Cut(0, 0)}
    task = partial(_of_chunk, field=field._replace(sources=(), factors=()))
    places = (np.arange(rows.size), (north,))
    found = along_several("sphere", task, used, cuts, [places], dtype, (count,) if count > 1 else ())
    return found if count == 1 else Gradient(*found)


def _of_chunk(arrays: Sequence[np.ndarray], places: np.ndarray, *, field: Field) -> np.ndarray:
    east, north, *factors = arrays
    start = field.rows.first + int(places[0])
    part = field._replace(start=start, sources=(east, north), factors=tuple(factors))
    count = field.operator.results
    result = np.empty((count, *east.shape), east.dtype)
    fill(part, list(result))
    return result if count > 1 else result[0]
