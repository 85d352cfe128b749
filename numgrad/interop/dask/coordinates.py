"""Coordinates of an axis in chunks, lazy or not: all that depends on all of them is found before they are cut."""

from typing import Any, NamedTuple

import dask.array as da
import numpy as np

from numgrad._arrays.errors import spread_sigma
from numgrad._arrays.gradient import MESSAGES
from numgrad._arrays.plan import spacing as _spacing
from numgrad._arrays.plan.options import key_and_values, read_period, read_spacing
from numgrad.interop.dask.cuts import rows


class Steps(NamedTuple):
    """Coordinates of an axis whose steps are decided for all of it: 0-d dask arrays, equal or not, and the first."""

    x: Any
    are_equal: Any
    first: Any


def steps_of(f: Any, axis: int, x: Any) -> Any:
    """Return the spacing of an axis: a number, or coordinates with their step, if all of them have the same."""
    check_known(f, axis, "`f`")
    check_chunks(x, f"the coordinates of axis {axis}")
    if np.ndim(x) == 0:
        return x
    if np.ndim(x) > 1:
        raise ValueError(MESSAGES["DIMENSIONS"])
    if np.shape(x) != (f.shape[axis],):
        raise ValueError(MESSAGES["MISMATCH"])
    if isinstance(x, da.Array):
        x = x.astype(np.float64) if x.dtype.kind in "iu" else x
        steps = x[1:] - x[:-1]
        return Steps(x, (steps == steps[0]).all(), steps[0])
    x = np.asarray(x)
    if x.dtype.kind in "iu":
        x = x.astype(np.float64)  # NumPy's rule
    step = _step_of(x)
    return Steps(x, False, 0.0) if step is None else step


def _step_of(x: np.ndarray) -> Any:
    """Return the step of coordinates whose steps are all equal, else None, as `gradient` finds it."""
    (spacing,), ((_, *rest),) = _spacing.read((x,))
    if type(spacing) is not _spacing.NotFast:
        return rest[0]
    steps = np.diff(x)
    return steps[0] if (steps == steps[0]).all() else None


def kept_uneven(x: np.ndarray, low: bool, high: bool) -> np.ndarray:
    """Return coordinates of a chunk whose steps are not all equal, for those of the whole axis are not.

    `gradient` would take the formula for equal steps otherwise. The step that is changed is at an end with a neighbour,
    where the result is thrown away.
    """
    step = _step_of(x) if low or high else None
    if step is None:
        return x
    x = x.copy()
    if low:
        x[0] = x[1] - 2 * step if step else x[1] - 1
    else:
        x[-1] = x[-2] + 2 * step if step else x[-2] + 1
    return x


def check_spacing(x: Any, f: Any, axis: int, formula: Any, period: Any) -> Any:
    """Return the spacing as it is read, and refuse a wrong one before anything is computed.

    Lazy coordinates are not known yet: others of their shape stand in for them.
    """
    is_lazy = isinstance(x, da.Array)
    check_chunks(x, "`x`")
    if is_lazy:
        # Coordinates of each line have the shape of f; one line is enough to read them.
        x = stand_in(f.shape[axis : axis + 1] if x.shape == f.shape else x.shape)
    spacing = read_spacing(x, "x", f.shape, axis, None, lines=True)
    read_period(period, spacing, formula, f.shape[axis])
    if not is_lazy:
        key_and_values(spacing, "x", formula.n, formula.most_points, f.dtype)
    return spacing


def from_first(x: Any, axis: int) -> Any:
    """Return coordinates, integers as distances from the first of the axis: a chunk alone would not know that one."""
    if np.ndim(x) == 0:
        return x
    place = axis if np.ndim(x) > 1 else 0
    if not isinstance(x, da.Array):
        x = _spacing.exact(x)
        return _spacing.relative(x, place)[0] if x.dtype.kind in "iuO" else x
    if x.dtype.kind not in "iu" or not x.shape[place]:
        return x
    ends = [x[rows(place, part)] for part in (slice(1), slice(-1, None))]
    # As broad as the blocks of x that they belong to.
    return da.map_blocks(_values_from_first, x, *ends, dtype=np.float64, chunks=x.chunks)


def _values_from_first(*given: np.ndarray) -> np.ndarray:
    return _spacing.from_first(*given)[0]


def span(x: Any, spacing: Any) -> tuple[Any, ...]:
    """Return the shortest and the longest step of the whole axis: they decide how the weights are computed."""
    if isinstance(spacing, float):
        return ()
    if not isinstance(x, da.Array):
        return spacing.shortest, spacing.longest
    if x.ndim > 1:
        return ()  # as large as the samples: all of them would have to be read before the first result
    steps = abs(da.diff(x.astype(np.float64)))
    return steps.min(), steps.max()


def sigma_of(given: Any, f: Any) -> Any:
    """Return standard deviations as a dask array of f's shape; what is wrong with those in memory is said now."""
    if not isinstance(given, da.Array):
        return da.from_array(spread_sigma(given, f.shape), f.chunks)
    check_chunks(given, "`sigma`")
    spread_sigma(np.zeros((1,) * given.ndim, given.dtype), (1,) * max(f.ndim, given.ndim))  # the dtype
    try:
        return da.broadcast_to(given, f.shape)
    except ValueError:
        spread_sigma(np.broadcast_to(0.0, given.shape), f.shape)
        raise


def check_chunks(x: Any, name: str) -> None:
    for a in range(x.ndim if isinstance(x, da.Array) else 0):
        check_known(x, a, name)


def check_known(given: Any, axis: int, name: str) -> None:
    for i, size in enumerate(given.chunks[axis]):
        if size != size:
            raise ValueError(
                f"{name} has chunks of unknown size along axis {axis}, chunk {i} the first of them; call its "
                "compute_chunk_sizes() before"
            )


def stand_in(shape: tuple[int, ...]) -> Any:
    """Return coordinates that rise, of so small a span that no period is shorter; of no axis, a number."""
    return np.broadcast_to(np.arange(shape[-1]) * 1e-300, shape) if shape else 1.0
