"""Latitudes and longitudes, read: in radians, around the globe and over the poles where the grid closes."""

from typing import Any, NamedTuple

import numpy as np

from numgrad._arrays.plan.options import Coordinates, read_spacing
from numgrad._arrays.plan.spacing import exact
from numgrad._checks import unit_of

# Of a step: what is nearer to a pole is at it, and a circle that is open or overlaps by less is closed. Coordinates in
# float32 are off by less.
SLACK = 1e-3
# The rows across a pole are used if they are at most so many steps away: those of an even grid are one, Gauss's 1.55.
FAR = 2.5


class Grid(NamedTuple):
    """A grid of latitudes and longitudes, in radians.

    `poles` are the signs of the poles that the first and the last row are at, 0 of rows at none. `across` are those of
    the poles beyond these rows that have others on the other side, half the longitudes away. Of even coordinates there
    are steps; of latitudes if they go on evenly there.
    """

    latitude: np.ndarray
    step: float | None
    longitude: float | Coordinates
    closes: bool
    poles: tuple[int, int]
    across: tuple[int, int]


def read_grid(latitude: Any, longitude: Any, shape: tuple[int, ...], axes: tuple[int, int]) -> Grid:
    """Return the grid of these degrees, for samples of this shape that have latitudes and longitudes along `axes`."""
    degrees, slack = _read_degrees(latitude, "latitude", shape, axes, 0)
    y = degrees.x
    if y.size and (beyond := abs(y) - 90).max() > SLACK * degrees.shortest:
        raise ValueError(f"`latitude` has {y[beyond.argmax()]:g}; give degrees from -90 to 90")
    step = _even_step(y, slack)
    y = np.radians(y if step is None else y[0] + step * np.arange(y.size))
    x, closes, is_antipodal = _read_longitude(longitude, shape, axes)
    poles, across = [0, 0], [0, 0]
    for end, inner in ((0, 1), (-1, -2)) if y.size > 1 else ():
        pole = 1 if y[end] > y[inner] else -1
        gap, width = np.pi - 2 * pole * y[end], abs(y[end] - y[inner])
        if gap < 2 * SLACK * width:
            y[end], poles[end] = pole * np.pi / 2, pole
        if is_antipodal and gap < FAR * width:
            across[end] = pole
            is_even = poles[end] != 0 or abs(gap - width) < SLACK * width
            step = step if is_even else None
    return Grid(y, None if step is None else np.radians(step), x, closes, (poles[0], poles[1]), (across[0], across[1]))


def _read_degrees(
    given: Any, name: str, shape: tuple[int, ...], axes: tuple[int, int], place: int
) -> tuple[Coordinates, float]:
    """Return the coordinates of an axis, those of each line if they are the same, and by how much they are rounded."""
    axis, size = axes[place], shape[axes[place]]
    if given is None:
        raise TypeError(f"`{name}` is missing; give the degrees of all {size} points of axis {axis}")
    if unit_of(given) is not None:
        raise TypeError(
            f"`{name}` is in units of {str(unit_of(given))!r}, a {type(given).__name__}; give numbers, degrees"
        )
    x, slack, lines = exact(given), 0.0, tuple([shape[a] for a in sorted(axes)])
    if x.dtype.kind in "iuf":  # or else refused below
        if x.shape not in ((size,), lines, shape):
            raise ValueError(
                f"`{name}` has shape {x.shape}; give the degrees of all {size} points of axis {axis}, or those of each "
                f"line, of shape {lines}"
            )
        if x.ndim > 1:
            x = _of_lines(np.moveaxis(x, axis if x.shape == shape else sorted(axes).index(axis), 0), name, axis)
        with np.errstate(all="ignore"):  # what is not finite is refused below, too
            slack, x = rounding(x), x.astype(np.float64)
            x = _unwrapped(x) if name == "longitude" else x
    read: Any = read_spacing(x, name, shape, axis, None, lines=False)
    return read, slack


def rounding(x: np.ndarray) -> float:
    """Return by how much coordinates may be off for their dtype; float64 that are all float32 were rounded as these."""
    most: float = abs(x.astype(np.float64)).max(initial=0.0)
    kind: Any = np.float64
    if x.dtype.kind == "f":
        kind = np.float16 if x.dtype == np.float16 else np.float32 if (x == x.astype(np.float32)).all() else np.float64
    return 2 * float(np.spacing(kind(most)))


def _of_lines(x: np.ndarray, name: str, axis: int) -> np.ndarray:
    """Return the coordinates, along the first axis, that all lines have."""
    lines: np.ndarray = x.reshape(len(x), -1).astype(np.float64) if x.size else np.zeros((len(x), 1))
    off = abs(lines - lines[:, :1]).max(1)
    if off.size and not off.max() <= rounding(x):
        raise ValueError(
            f"`{name}` differs across axis {axis}, at {off.argmax()} by {off.max():g} degrees: the lines of such a "
            "curvilinear grid are no meridians and parallels. Interpolate to latitudes and longitudes first"
        )
    return lines[:, 0]


def _unwrapped(x: np.ndarray) -> np.ndarray:
    """Return longitudes that go on where they jump back by a turn, as from 359 to 0 or from 180 to -179."""
    steps = np.diff(x)
    if not steps.size or (steps > 0).all() or (steps < 0).all():
        return x
    turns = np.cumsum(np.where(abs(steps) > 180, -np.sign(steps), 0))
    return np.concatenate([x[:1], x[1:] + 360 * turns])


def _even_step(x: np.ndarray, slack: float) -> float | None:
    """Return the step of coordinates that are even but for their rounding."""
    if x.size < 2:
        return None
    step = (x[-1] - x[0]) / (x.size - 1)
    return float(step) if (abs(x - (x[0] + step * np.arange(x.size))) <= slack).all() else None


def _read_longitude(
    given: Any, shape: tuple[int, ...], axes: tuple[int, int]
) -> tuple[float | Coordinates, bool, bool]:
    """Return longitudes in radians, whether they go around, and whether each has one half a turn away."""
    degrees, slack = _read_degrees(given, "longitude", shape, axes, 1)
    x, size = degrees.x, degrees.x.size
    gap, longest = 360 - degrees.span(size), degrees.longest
    if size > 1 and gap < SLACK * longest:
        first, last = x[0], x[-1]
        what = "which are one meridian" if abs(gap) < SLACK * longest else "more than a turn"
        raise ValueError(f"`longitude` goes from {first:g} to {last:g}, {what}; leave away the columns that repeat")
    closes = size > 1 and gap < (1 + SLACK) * longest
    step = _even_step(x, slack)
    if step is not None:
        is_even_around = closes and abs(gap - abs(step)) < SLACK * abs(step)
        if is_even_around or not closes:
            whole = np.copysign(360 / size, step) if is_even_around else step
            return float(np.radians(whole)), closes, closes and size % 2 == 0
    half = size // 2
    is_antipodal = closes and size % 2 == 0 and bool((abs(abs(x[half:] - x[:half]) - 180) < SLACK * longest).all())
    return _in_radians(degrees), closes, is_antipodal


def _in_radians(degrees: Coordinates) -> Coordinates:
    turn = np.radians(1.0)
    return degrees._replace(
        x=np.radians(degrees.x), shortest=degrees.shortest * turn, longest=degrees.longest * turn, origin=0
    )
