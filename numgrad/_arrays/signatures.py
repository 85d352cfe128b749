"""Types of arguments, for the overloads by which editors and type checkers know what comes back.

Objects of other libraries have results of their own kind; arrays, and lists of numbers, have arrays. How many
derivatives `gradient` returns is known from `axis`, or from the dimensions of `f` where its type has them.
"""

from collections.abc import Sequence
from typing import Any, Literal, Never, Protocol, SupportsIndex, TypedDict, TypeVar

import numpy as np


class SupportsArray(Protocol):
    """What np.asarray makes an array of."""

    def __array__(self) -> Any: ...


class HasChunks(Protocol):
    """Arrays of dask, and objects of xarray."""

    @property
    def chunks(self) -> Any: ...


class HasMagnitude(Protocol):
    """Quantities of pint."""

    @property
    def magnitude(self) -> Any: ...


class HasRows(Protocol):
    """Series and data frames of pandas."""

    @property
    def iloc(self) -> Any: ...


class HasArrow(Protocol):
    """Those of polars."""

    def to_arrow(self) -> Any: ...


class HasSchema(Protocol):
    """Tables of pyarrow, whose columns have chunks."""

    @property
    def schema(self) -> Any: ...


Number = complex | np.number
# Arrays are of this one type in all overloads that take them. If there were several, a plain np.ndarray, of which
# neither shape nor dtype is known, would fit more than one overload, and mypy would say nothing of the result.
Numbers = np.ndarray | Sequence[Any] | SupportsArray
Foreign = HasChunks | HasMagnitude
Same = TypeVar("Same", bound=Foreign | HasRows | HasArrow | HasSchema)
Out = TypeVar("Out", bound=np.ndarray | tuple[np.ndarray, ...])

# First an array whose shape is not known, as it would fit those with one, two and three dimensions, too.
AnyShape = np.ndarray[tuple[Never, Never, Never, Never], Any]
Line = np.ndarray[tuple[int], Any] | Sequence[Number]
Plane = np.ndarray[tuple[int, int], Any] | Sequence[Sequence[Number]]
Space = np.ndarray[tuple[int, int, int], Any] | Sequence[Sequence[Sequence[Number]]]

Axis = SupportsIndex
Axes = Axis | Sequence[Axis] | None
Arrays = tuple[np.ndarray, ...]
Pair = tuple[np.ndarray, np.ndarray]
Triple = tuple[np.ndarray, np.ndarray, np.ndarray]

Boundary = Literal["one-sided", "periodic", "nan"]


class DerivativeOptions(TypedDict, total=False):
    """Those of `derivative` that do not change what comes back."""

    n: int
    accuracy: int | None
    axis: int
    boundary: Boundary
    edge_accuracy: int | None
    period: float | None
    nan: Literal["propagate", "one-sided"] | None
    window: int | None
    degree: int | None


class FieldOptions(TypedDict, total=False):
    """Those of the fields."""

    axis: Axes
    accuracy: int
    boundary: Boundary | Sequence[Boundary]
    period: float | Sequence[float | None] | None


class SphereOptions(TypedDict, total=False):
    """Those of the fields on the sphere."""

    radius: float
    accuracy: int
    axis: tuple[int, int]
    out: np.ndarray | None
