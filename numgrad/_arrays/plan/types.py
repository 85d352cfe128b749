"""A plan, which has the kernel and the constants of each axis; and a request, a call that has been read."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np

from numgrad._compile.jit import Kernel

Order = tuple[int, ...] | None
"""The axes as they lie in memory, outermost first. None: C order."""


# Elements of f swept for all axes before the next piece: f stays in the second-level cache meanwhile.
PIECE = 1 << 16


Made = tuple[Any, ...]
"""The last arguments of a kernel; of one that is around another, its own and a tuple of those of the other."""


@dataclass(frozen=True, eq=False)
class Scheme:
    """A kernel as data.

    `function` is the kernel, and `words` are what `explain` calls it. `coefficients` makes the last of its arguments
    from a `Case`, what was made for the kernel `inside`, if this one is put around another, and a spacing. `cost` is
    the work for a result, that of `uniform` being 1, by `inner` and the number of taps. `prepare` makes what
    `coefficients` finds `ready` in the case, for it depends on nothing else.
    """

    function: Kernel
    words: str
    coefficients: Callable[["Case", Made, Any], Made]
    cost: Callable[[int, int], int] = lambda inner, taps: 1
    prepare: Callable[["Case"], Any] | None = None


class Recipe(NamedTuple):
    """A composition: schemes from the innermost on, and the types and the division that are bound in their kernels."""

    schemes: tuple[Scheme, ...]
    dtype: "np.dtype[Any]"
    work: Any
    real: Any
    divide: Any
    # Of a stencil: how many samples it takes, of what order the derivative is, whether it is added to what is there.
    taps: int = 0
    order: int = 0
    adds: bool = False
    scaled: bool = False  # distances, in units of the width of the stencil
    degree: int | None = None  # of polynomials that fit windows, if the kernel finds their weights itself
    squared: bool = False  # weights that the kernel finds itself

    @property
    def words(self) -> str:
        return " + ".join([scheme.words for scheme in self.schemes])


class Case(NamedTuple):
    """One axis of a call, as far as coefficients depend on it; all but the first three are for stencils."""

    recipe: Recipe
    n: int
    inner: int
    formula: Any = None
    period: float = 0.0
    factor: float = 1.0
    key: Any = None  # of coordinates
    squared: bool = False  # weights, as for a variance
    ready: Any = None


class Lines(NamedTuple):
    """Coordinates of lines of any lengths, which begin at `cuts`; the last of these is where the last one ends."""

    x: np.ndarray
    cuts: np.ndarray


class Term(NamedTuple):
    """`factor` times the n-th derivative of the `source`-th array along the `place`-th axis, of a sum: the `target`."""

    source: int
    place: int
    n: int
    target: int
    factor: float = 1.0


class AxisPlan(NamedTuple):
    """How one axis is done: `n` and `inner` as in `kernels`, the kernel, and its last arguments.

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


KernelCall = tuple[Kernel, tuple[Any, ...], Any, int]


class Plan:
    """How to compute a gradient: the dtype of a result, and a plan for each axis.

    A small array in C order needs no more than `calls`, one for each axis, each with four entries: the compiled kernel;
    its arguments from the third on, after `f` and `out`; the function that makes the last ones from a spacing, or None;
    and the place of that spacing.
    """

    __slots__ = ("axes", "calls", "dtype")

    def __init__(self, dtype: "np.dtype[Any]", axes: tuple[AxisPlan, ...]) -> None:
        self.dtype, self.axes = dtype, axes
        self.calls: tuple[KernelCall, ...] = ()


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
