"""What a plan is: the kernel and the constants of each axis, and a call that has been read."""

from math import prod
from typing import Any, NamedTuple

import numpy as np

from numgrad._arrays.plan.compose import Recipe
from numgrad._compile.jit import Kernel

Order = tuple[int, ...] | None
"""The axes as they lie in memory, outermost first. None: C order."""


# Elements of f swept for all axes before the next piece: f stays in the second-level cache meanwhile.
PIECE = 1 << 16


class AxisPlan(NamedTuple):
    """How one axis is done: `n` and `inner` as in `_kernels`, the kernel, and its last arguments.

    `constants` is a tuple, or the function that makes it from the `place`-th spacing. The kernel reads the `source`-th
    of the arrays given and writes the `target`-th of the results.
    """

    axis: int
    place: int
    n: int
    inner: int
    recipe: Recipe
    constants: Any
    source: int = 0
    target: int = 0


Call = tuple[Kernel, tuple[Any, ...], Any, int]


class Plan:
    """How to compute a gradient: the dtype of a result, and a plan for each axis.

    `calls`, for a small array in C order, is what there is left to do: for each axis the compiled kernel, what follows
    `f` and `out` in its arguments, and the function that makes the rest of them from the spacing, or None, and which
    of the spacings that is.
    """

    __slots__ = ("axes", "calls", "dtype")

    def __init__(self, dtype: "np.dtype[Any]", axes: tuple[AxisPlan, ...]) -> None:
        self.dtype, self.axes = dtype, axes
        self.calls: tuple[Call, ...] = ()


class Request(NamedTuple):
    """A call, read: the plan (or NotFast), what results are like, f and the order of its axes in memory, spacings.

    `others` are the arrays after f that the axes of the plan read.
    """

    plan: Any
    like: Any
    f: Any
    order: Order
    spacings: tuple[Any, ...]
    others: tuple[Any, ...] = ()


def memory_order(f: np.ndarray) -> Order:
    """The axes from the outermost to the innermost, as NumPy lays out a result for this array."""
    # Of the corners alone, since this asks for no memory: strides decide, not lengths.
    strides = np.empty_like(f[(slice(2),) * f.ndim]).strides
    order = tuple(sorted(range(f.ndim), key=lambda axis: -strides[axis]))
    return None if order == tuple(range(f.ndim)) else order


def is_compact(array: np.ndarray, order: Order) -> bool:
    flags = (array if order is None else array.transpose(order)).flags
    return flags.c_contiguous and flags.aligned


def inner_of(shape: tuple[int, ...], order: Order, axis: int) -> int:
    """How many elements separate neighbours along an axis of a compact array."""
    places = order or tuple(range(len(shape)))
    return prod(shape[i] for i in places[places.index(axis) + 1 :])
