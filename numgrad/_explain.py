"""The plan of a gradient, in words."""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from numgrad._dispatch import prepare
from numgrad._spacing import NotFast


@dataclass(frozen=True)
class AxisExplanation:
    """What computes the gradient along one axis.

    Attributes
    ----------
    axis : int or None
        The axis of `f`; None if NumPy has not come so far as to name one.
    kernel : str
        "uniform" or "nonuniform", with "+ edges" for second-order edges; or "numpy.gradient".
    dtype : str
        The dtype of the quotient, before it is stored.
    view : tuple of int
        The array as the kernel sees it: (outer, n, inner), n along the axis, inner contiguous.
    spacing : str
        The number, or the dtype of the coordinates.
    reason : str
        Why NumPy computes it; empty where a kernel does.
    """

    axis: int | None
    kernel: str
    dtype: str = ""
    view: tuple[int, ...] = ()
    spacing: str = ""
    reason: str = ""

    def __str__(self) -> str:
        if self.reason:
            return f"{self.kernel}, because {self.reason}"
        return f"axis {self.axis}: {self.kernel}, in {self.dtype}, as {self.view}, spacing {self.spacing}"


class Explanation(tuple[AxisExplanation, ...]):
    """One AxisExplanation for each axis, or a single one for numpy.gradient; prints a line each."""

    def __repr__(self) -> str:
        return "\n".join(map(str, self))


def explain(f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1, out: Any = None) -> Explanation:
    """Say which kernel `gradient` would use for each axis, or why it would call numpy.gradient.

    Takes the arguments of `gradient` and computes nothing. `out` never changes the choice.

    Returns
    -------
    Explanation
        A tuple of AxisExplanation, in the order of the axes asked for.

    Examples
    --------
    >>> import numpy as np
    >>> import numgrad as ng
    >>> ng.explain(np.zeros((4, 5), np.float32), 0.1, [0, 1, 3, 4, 7])
    axis 0: uniform, in float32, as (1, 4, 5), spacing 0.1
    axis 1: nonuniform, in float64, as (4, 5, 1), spacing coordinates (float64)
    >>> ng.explain(np.zeros(3, np.float16))
    numpy.gradient, because f has dtype float16
    """
    plan, like, _, _, spacings = prepare(f, varargs, axis, edge_order)
    if type(plan) is not NotFast and any(type(x) is np.ndarray and (np.diff(x) == 0).any() for x in spacings):
        plan = NotFast("coordinates repeat")
    if type(plan) is NotFast:
        return Explanation([AxisExplanation(None, "numpy.gradient", reason=plan.reason)])
    if not varargs:
        spacings = (1.0,)
    if len(spacings) == 1:
        spacings *= len(plan.axes)
    rows = []
    for (number, n, inner, passes), given in zip(plan.axes, spacings, strict=True):
        spacing = repr(given)
        if type(given) is np.ndarray:
            even = passes[0].name == "uniform"
            spacing = f"coordinates ({given.dtype})" + (f", evenly {given[1] - given[0]} apart" if even else "")
        kernel = " + ".join(p.name for p in passes)
        rows.append(
            AxisExplanation(
                number, kernel, passes[0].work.__name__, (prod(like.shape) // (n * inner), n, inner), spacing
            )
        )
    return Explanation(rows)
