"""The plan of a gradient, in words."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from numgrad import _gradient, _sweep
from numgrad._dispatch import prepare
from numgrad._kernels.uniform import uniform
from numgrad._spacing import NotFast


@dataclass(frozen=True)
class AxisExplanation:
    """What computes the gradient along one axis.

    Attributes
    ----------
    axis : int or None
        The axis of `f`; None if NumPy has not come so far as to name one.
    kernel : str
        "uniform" or "nonuniform", with "+ edges" for second-order edges and "+ short lines" where an axis is so short
        that all of its lines are done in one loop; "by rows" for arrays whose elements do not lie side by side; or
        "numpy.gradient".
    dtype : str
        The dtype of the quotient, before it is stored.
    view : tuple of int
        The array as the kernel sees it: (outer, n, inner), n along the axis, inner contiguous.
    spacing : str
        The number, or the dtype of the coordinates.
    threads : int
        How many threads share the work, that of the caller among them.
    stores : str
        "streaming" for results written past the cache, else "plain".
    reason : str
        Why NumPy computes it; empty where a kernel does.
    """

    axis: int | None
    kernel: str
    dtype: str = ""
    view: tuple[int, ...] = ()
    spacing: str = ""
    threads: int = 1
    stores: str = "plain"
    reason: str = ""

    def __str__(self) -> str:
        if self.reason:
            return f"{self.kernel}, because {self.reason}"
        threads = f"{self.threads} thread" + "s" * (self.threads > 1)
        return (
            f"axis {self.axis}: {self.kernel}, in {self.dtype}, as {self.view}, spacing {self.spacing}, "
            f"{threads}, {self.stores} stores"
        )


class Explanation(tuple[AxisExplanation, ...]):
    """One AxisExplanation for each axis, or a single one for numpy.gradient; prints a line each."""

    def __repr__(self) -> str:
        return "\n".join(map(str, self))


def explain(f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1, out: Any = None) -> Explanation:
    """Say which kernel `gradient` would use for each axis, or why it would call numpy.gradient.

    Takes the arguments of `gradient`, raises its errors for `out`, and computes nothing.

    Returns
    -------
    Explanation
        A tuple of AxisExplanation, in the order of the axes asked for.

    Examples
    --------
    >>> import numpy as np
    >>> import numgrad as ng
    >>> ng.explain(np.zeros((4, 5), np.float32), 0.1, [0, 1, 3, 4, 7])
    axis 0: uniform, in float32, as (1, 4, 5), spacing 0.1, 1 thread, plain stores
    axis 1: nonuniform, in float64, as (4, 5, 1), spacing coordinates (float64), 1 thread, plain stores
    >>> ng.explain(np.zeros(3, np.float16))
    numpy.gradient, because f has dtype float16
    """
    request = prepare(f, varargs, axis, edge_order)
    plan, spacings = request.plan, request.spacings
    if type(plan) is not NotFast and any(type(x) is np.ndarray and (np.diff(x) == 0).any() for x in spacings):
        plan = NotFast("coordinates repeat")
    if type(plan) is NotFast:
        return Explanation([AxisExplanation(None, "numpy.gradient", reason=plan.reason)])
    results, inputs = _gradient.arrange(request, out)
    is_flat = _gradient.is_flat(request, results, inputs)
    size = request.f.size
    threads = _sweep.thread_count(plan, size)
    is_streaming = is_flat and _sweep.is_streaming(sum(r.nbytes for r in results))
    rows = []
    for done in plan.axes:
        given = spacings[done.place] if spacings else 1.0
        spacing = repr(given)
        if type(given) is np.ndarray:
            even = done.recipe.functions[0] is uniform
            spacing = f"coordinates ({given.dtype})" + (f", evenly {given[1] - given[0]} apart" if even else "")
        rows.append(
            AxisExplanation(
                done.axis,
                done.recipe.name if is_flat else done.recipe.name.removesuffix(" + short lines") + " by rows",
                done.recipe.work.__name__,
                (size // (done.n * done.inner), done.n, done.inner),
                spacing,
                threads,
                "streaming" if is_streaming else "plain",
            )
        )
    return Explanation(rows)
