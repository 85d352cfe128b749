"""The plan of a gradient, in words; `at` has the arithmetic of one point."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NoReturn, overload

import numpy as np

from numgrad._arrays import at as points
from numgrad._arrays import derivative, errors, fields, gradient, terms, turning_points
from numgrad._arrays.containers import as_array, home_of_components
from numgrad._arrays.known import Limits, Slot, rising_or_falling, slot_of
from numgrad._arrays.plan.coefficients import warns
from numgrad._arrays.plan.dispatch import prepare
from numgrad._arrays.plan.schemes import UNIFORM
from numgrad._arrays.plan.spacing import NotFast
from numgrad._arrays.plan.types import AxisPlan, Plan, Request, is_compact
from numgrad._arrays.run.arrange import account_and_work, arrange, is_flat
from numgrad._arrays.run.flat import is_streaming, thread_count
from numgrad._arrays.written import PointExplanations
from numgrad._compile.tiers import COMPILED, Account
from numgrad._system.out import check
from numgrad._system.tables import Table, text, together

# Of so few samples the explanations are kept: no kernel shares them among threads.
FEW = 256


@dataclass(frozen=True)
class AxisExplanation:
    """The kernel that computes a derivative along one axis, and how.

    Attributes
    ----------
    axis : int or None
        The axis of `f`; None if NumPy has not come so far as to name one.
    kernel : str
        "uniform" or "nonuniform", with "+ edges" for second-order edges and "+ short lines" where an axis is so short
        that all of its lines are done in one loop; "by rows" for arrays whose elements do not lie side by side.
        "stencil" for other derivatives, with how many samples it takes and the order n; "smoothing stencil" if it fits
        a polynomial to a window; "with coordinates" or "with coordinates of each line", "+ gaps" if a NaN ends an
        interval; "for the error" if its weights are squared, which is how `derivative` takes a `sigma`; "on a copy" of
        an array whose elements do not lie side by side. "turning points"; "numgrad on each chunk" of a dask array; or
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
        Why NumPy computes it, or dask; empty where a kernel does.
    tier : int
        Whether the kernel runs compiled, 1; or 0, where to have it compiled would take longer than it saves: NumPy
        does the work of `gradient`, Python that of the others, with the same bits.
    tier_reason : str
        Why in this tier; empty where no kernel computes it.
    """

    axis: int | None
    kernel: str
    dtype: str = ""
    view: tuple[int, ...] = ()
    spacing: str = ""
    threads: int = 1
    stores: str = "plain"
    reason: str = ""
    tier: int = 0
    tier_reason: str = ""

    def __str__(self) -> str:
        if self.reason:
            return f"{self.kernel}, because {self.reason}"
        threads = f"{self.threads} thread" + "s" * (self.threads > 1)
        return (
            f"axis {self.axis}: {self.kernel}, in {self.dtype}, as {self.view}, spacing {self.spacing}, "
            f"{threads}, {self.stores} stores"
        )

    def _repr_html_(self) -> str:
        return Explanation([self])._repr_html_()


class Explanation(tuple[AxisExplanation, ...]):
    """One AxisExplanation for each axis, or a single one for numpy.gradient; prints a line each, and the tier."""

    # What coordinates must be like for other calls of the kind to have this explanation, but for the tier, which is
    # found anew each time.
    _limits: tuple[Limits | None, ...] | None = None
    _find: Callable[[], tuple[int, str]] | None = None
    _tier: tuple[int, str] | None = None

    def _now(self, kind: Slot) -> "Explanation":
        """Return the explanation of a call of the same kind, by the tier that is chosen now."""
        assert self._find is not None
        tier = self._find()
        if tier != self._tier:
            known = Explanation([replace(axis, tier=tier[0], tier_reason=tier[1]) for axis in self])
            known._limits, known._find, known._tier = self._limits, self._find, tier
            kind.explanation = known
        return kind.explanation  # type: ignore[no-any-return]

    def __reduce__(self) -> tuple[Any, ...]:
        return Explanation, (tuple(self),)

    def __repr__(self) -> str:
        tiers = {f"tier {axis.tier}, because {axis.tier_reason}": None for axis in self if axis.tier_reason}
        return "\n".join([*map(str, self), *tiers])

    def _repr_html_(self) -> str:
        names = ["axis", "kernel", "dtype", "view", "spacing", "threads", "stores"]
        rows = [axis for axis in self if not axis.reason]
        shown = Table(names, lambda i: [str(getattr(rows[i], name)) for name in names], len(rows))
        words = [str(axis) for axis in self if axis.reason]
        words += dict.fromkeys([f"tier {axis.tier}, because {axis.tier_reason}" for axis in self if axis.tier_reason])
        return together(*[shown.html("Kernels")] * bool(rows), *map(text, words))


@overload
def explain(f: Callable[..., Any], *varargs: Any, at: Any = None, **options: Any) -> Any: ...
@overload
def explain(f: Any, *varargs: Any, at: None = None, **options: Any) -> Explanation: ...
@overload
def explain(f: Any, *varargs: Any, at: int | tuple[int, ...], **options: Any) -> PointExplanations: ...
def explain(f: Any, *varargs: Any, at: Any = None, **options: Any) -> Any:
    """Say which kernel `gradient` would use for each axis, or why it would call numpy.gradient; or another function.

    Takes the arguments of `gradient`; or one of `derivative`, `laplacian`, `divergence`, `curl`, `jacobian`, `hessian`
    and `turning_points`, or of those of numgrad.sphere, and then its arguments; or one of `derivative`, `gradient`,
    `jacobian` and `hessian` of numgrad.functions, and then its arguments. Raises the errors of that call, and computes
    nothing.

    With ``at``, the index of a point, or a tuple with one for each axis, it computes that point, and prints the
    arithmetic instead: the samples that the formula takes there, what they weigh, the value, the order, and why: inside
    or at an end, beside a gap, by uneven distances. Numbers are shown by the digits that they and the result have in
    common. In `curl` and other fields of vectors, ``at`` is an index of a component; of functions, one of the points,
    and what is printed are the difference quotients. On the sphere each derivative by an angle, in radians, is printed
    with the factors that make it one by distance.

    Returns
    -------
    Explanation
        A tuple of AxisExplanation, in the order of the axes asked for; of a field in the order of its terms. Printed it
        is a line for each of them, and one for the tier: 1, compiled, or 0, where that does not pay yet. Of a function
        in numgrad.functions a FunctionExplanation: whether the derivative is exact, by which mode, or why not.
        With ``at``, a tuple of one for each result, with `value`, `weights`, `samples`, `order` and `reason`.

    Raises
    ------
    IndexError, TypeError
        If ``at`` is no index of a point; or samples are those of dask, or quantities: give numbers; or a data frame,
        of which one column is explained: give that, or its name, ``columns="height"``.

    Examples
    --------
    >>> import numpy as np
    >>> import numgrad as ng
    >>> ng.explain(np.zeros((4, 5), np.float32), 0.1, [0, 1, 3, 4, 7])  # doctest: +ELLIPSIS
    axis 0: uniform, in float32, as (1, 4, 5), spacing 0.1, 1 thread, plain stores
    axis 1: nonuniform, in float64, as (4, 5, 1), spacing coordinates (float64), 1 thread, plain stores
    tier ..., because ...
    >>> ng.explain(np.zeros(3, np.float16))
    numpy.gradient, because f has dtype float16
    >>> ng.explain(ng.laplacian, np.zeros((9, 9)), accuracy=4)  # doctest: +ELLIPSIS
    axis 0: stencil of 5 samples for n=2, in float64, as (1, 9, 9), spacing 1.0, 1 thread, plain stores
    axis 1: stencil of 5 samples for n=2, in float64, as (9, 9, 1), spacing 1.0, 1 thread, plain stores
    tier ..., because ...
    >>> ng.explain(ng.functions.derivative, np.sin, 0.5)
    quotients, because `fun` is <ufunc 'sin'>, which Numba has not jitted; decorate it with @numba.njit
    >>> ng.explain([1, 2, 4, 7, 11, 16], at=2)
    f'(x[2]) = (f[3] - f[1]) / (2 h) = (7 - 2) / 2 = 2.5
      order 2, inside: samples to either side
    >>> ng.explain([1, 2, 4, 7, 11, 16], at=0)
    f'(x[0]) = (f[1] - f[0]) / h = 2 - 1 = 1
      order 1, at an end: no samples before f[0], where the formula inside has 1; edge_order=2 makes it order 2
    >>> ng.explain([5, 7, 4, 8], [0, 1, 5, 7], at=1)
    f'(x[1]) = -0.8 f[0] + 0.75 f[1] + 0.05 f[2] = -0.8 * 5 + 0.75 * 7 + 0.05 * 4 = 1.45
      order 2, inside: samples to either side; distances of neighbours are 1, 4
    >>> ng.explain(ng.derivative, [0, 1, 4, np.nan, 16, 25, 36], nan="one-sided", at=4)
    f'(x[4]) = (-3 f[4] + 4 f[5] - f[6]) / (2 h) = (-3 * 16 + 4 * 25 - 36) / 2 = 8
      order 2, beside a gap: f[3] is NaN, and no sample beyond it is taken
    >>> f, latitude, longitude = np.arange(12).reshape(3, 4), [-60, 0, 60], [0, 90, 180, 270]
    >>> ng.explain(ng.sphere.gradient, f, latitude, longitude, radius=2, at=(1, 1))[0]
    gradient.east at [1, 1], latitude 0: df/dx = 0.31830988618379
      df/dx = df/dlon / (R cos(lat)) = 0.63661977236758 / (2 * 1) = 0.31830988618379
        df/dlon = (f[1, 2] - f[1, 0]) / (2 h) = (6 - 4) / (2 * 1.5707963267948966) = 0.63661977236758
          order 2, inside: samples to either side
    """
    if not callable(f):
        f, varargs = gradient.gradient, (f, *varargs)
    kind = None
    if at is None and varargs and type(varargs[0]) is np.ndarray and varargs[0].size <= FEW:
        if not options or tuple not in map(type, options.values()):  # of which one may be equal to another, and no key
            kind = slot_of(f, varargs[0], varargs[1:], "explain", *options, *options.values())
        if kind is not None and (known := kind.explanation) is not None and _are_within(varargs[1:], known._limits):
            return known._now(kind)
    if hasattr(f, "explained"):  # one of numgrad.functions or numgrad.sphere
        return f.explained(*varargs, **options, **({} if at is None else {"at": at}))
    explained = next((way for function, way in EXPLAINED.items() if function is f), None)
    if explained is None:
        raise TypeError(f"`explain` does not know {f!r}; give it an array, or a function of numgrad on arrays")
    home: Any = home_of_components(varargs[0]) if varargs else None
    if hasattr(home, "in_arrays"):
        varargs, options = home.in_arrays(f, *varargs, **options)
        home = home_of_components(varargs[0]) if f is not gradient.gradient else None
    if at is not None:
        return _at_point(at, f, home, *varargs, **options)
    if home is not None and home.__name__.endswith("dask") and hasattr(home, f.__name__):
        f(*varargs, **options)  # which is lazy, and has its errors
        return in_chunks()
    explanation = explained(*varargs, **options)
    if kind is not None and explanation._limits is not None:
        kind.explanation = explanation
    return explanation


def _are_within(spacings: tuple[Any, ...], limits: tuple[Limits | None, ...]) -> bool:
    for x, own in zip(spacings, limits, strict=False):  # noqa: SIM110  # all() takes as long again
        if own is not None and own.read(x) is None:
            return False
    return True


def in_chunks() -> Explanation:
    """Return how a call with dask arrays is done."""
    reason = "it is a dask array; `explain` one of them, like f.blocks[0].compute(), for its kernels"
    return Explanation([AxisExplanation(None, "numgrad on each chunk", reason=reason)])


def refuse_at(given: Any) -> NoReturn:
    kind = type(given).__name__
    raise TypeError(f"`at` is given with a {kind}; give its numbers, as an array, and those of its coordinates")


def _at_point(at: Any, function: Any, home: Any, *varargs: Any, **options: Any) -> Any:
    """Return the arithmetic of one point."""
    if home is not None:
        refuse_at(varargs[0])
    if function is gradient.gradient:
        return points.of_gradient(at, *varargs, **options)
    if function is derivative.derivative:
        return points.of_derivative(at, *varargs, **options)
    if function in fields.READERS:
        return points.of_field(at, fields.READERS[function], function.__name__, *varargs, **options)
    return points.of_turning_points(at, *varargs, **options)


def _of_gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1, out: Any = None) -> Explanation:
    request = prepare(as_array(f), varargs, axis, edge_order)
    plan, spacings = request.plan, request.spacings
    if type(plan) is not NotFast and any(type(x) is np.ndarray and warns(x) for x in spacings):
        plan = NotFast("coordinates repeat")
    if type(plan) is NotFast:
        return Explanation([AxisExplanation(None, "numpy.gradient", reason=plan.reason)])
    results, inputs = arrange(request, out)
    by_rows = not is_flat(request, results, inputs)
    nbytes = 0 if by_rows else sum(r.nbytes for r in results)
    names = [done.recipe.words for done in plan.axes]
    if by_rows:
        names = [name.removesuffix(" + short lines") + " by rows" for name in names]
    tier = partial(gradient.tier, request, f, varargs, out)
    found = tier()
    explanation = Explanation([_row(request, *done, nbytes, found) for done in zip(plan.axes, names, strict=True)])
    if request.f.size <= FEW:
        explanation._limits, explanation._find, explanation._tier = _limits_of_gradient(request), tier, found
    return explanation


def _limits_of_gradient(request: Request) -> tuple[Limits | None, ...] | None:
    """Return what other coordinates must be like to have the same kernels: each of them uneven, if these are."""
    limits: list[Limits | None] = []
    for place, x in enumerate(request.spacings):
        limits.append(None)
        if type(x) is np.ndarray:
            (axis,) = (a for a in request.plan.axes if a.place == place)
            limits[-1] = None if axis.recipe.schemes[0] is UNIFORM else rising_or_falling(x)
            if limits[-1] is None:
                return None
    return tuple(limits)


def _of_derivative(*varargs: Any, sigma: Any = None, out: Any = None, **options: Any) -> Explanation:
    call = derivative.read_call(*varargs, **options)
    if sigma is not None:
        errors.read_sigma(sigma, call.f)
        if out is not None:
            errors.check_pair(out, call.f)
        squares = call._replace(f=np.empty_like(call.f, np.float64, subok=False)).request(squared=True)
        rows = of_stencils(squares, [call.formula.n], call.f.size * 8)
        value = _of_derivative(*varargs, **options)
        return Explanation([*value, *[replace(row, kernel=f"{row.kernel}, for the error") for row in rows]])
    if call.is_gradient:
        return _of_gradient(call.f, call.x, axis=call.axis, edge_order=call.formula.edges, out=out)
    request = call.request()
    if out is not None:
        check(out, call.f.shape, request.plan.dtype, np.ndarray)
    explanation = of_stencils(request, [call.formula.n], call.f.size * request.plan.dtype.itemsize)
    if call.f.size <= FEW:
        explanation._limits = derivative.limits_in(call, varargs[1] if len(varargs) > 1 else 1.0)
    return explanation


def _of_field(read: Any, *varargs: Any, out: Any = None, **options: Any) -> Explanation:
    field = read(*varargs, **options)
    rows: list[AxisExplanation] = []
    for sweep in field.sweeps:
        request = field.request(sweep)
        if out is not None:
            check(out, field.shape, request.plan.dtype, np.ndarray)
        nbytes = len(sweep.targets) * request.f.size * request.plan.dtype.itemsize
        found = of_stencils(request, [t.n for t in sweep.terms], nbytes)
        rows += found
    explanation = Explanation(rows)
    if len(field.sweeps) == 1 and request.f.size <= FEW:
        explanation._find, explanation._tier = found._find, found._tier
        explanation._limits = terms.limits_in(field, varargs[1:])
    return explanation


def of_stencils(request: Request, orders: list[int], nbytes: int) -> Explanation:
    copy = "" if is_compact(request.f, request.order) else " on a copy"
    tier = partial(_tier_of, request.plan, *account_and_work(request, nbytes))
    rows, found = [], tier()
    for done, n in zip(request.plan.axes, orders, strict=True):
        name = done.recipe.words.replace("stencil", f"stencil of {done.recipe.taps} samples for n={n}", 1)
        rows.append(_row(request, done, name + copy, nbytes, found))
    explanation = Explanation(rows)
    explanation._find, explanation._tier = tier, found
    return explanation


def _tier_of(plan: Plan, account: Account, work: float) -> tuple[int, str]:
    return (1, COMPILED) if plan.calls else account.choose(work)


def _of_turning_points(*varargs: Any, **options: Any) -> Explanation:
    call = turning_points.read_call(*varargs, **options)
    words = repr(call.spacing) if isinstance(call.spacing, float) else "coordinates (float64)"
    threads = turning_points.thread_count(call.lines.size)
    n = call.shape[call.axis]
    view = call.lines.size // max(n, 1), n, 1
    tier = turning_points.tier(call)
    found, why = tier()
    row = AxisExplanation(
        call.axis, "turning points", call.lines.dtype.name, view, words, threads, tier=found, tier_reason=why
    )
    explanation = Explanation([row])
    if isinstance(call.spacing, float):
        explanation._limits, explanation._find, explanation._tier = (), tier, (found, why)
    return explanation


def _row(request: Request, done: AxisPlan, kernel: str, nbytes: int, tier: tuple[int, str]) -> AxisExplanation:
    given = request.spacings[done.place] if request.spacings else 1.0
    if type(given) is not np.ndarray:
        spacing = repr(given)
    else:
        even = done.recipe.schemes[0] is UNIFORM
        spacing = f"coordinates ({given.dtype})" + (f", evenly {given[1] - given[0]} apart" if even else "")
    size = request.f.size
    return AxisExplanation(
        done.axis,
        kernel,
        done.recipe.work.__name__,
        (size // max(done.n * done.inner, 1), done.n, done.inner),
        spacing,
        thread_count(request.plan, size),
        "streaming" if nbytes and is_streaming(nbytes) else "plain",
        tier=tier[0],
        tier_reason=tier[1],
    )


EXPLAINED: dict[Any, Callable[..., Explanation]] = {
    gradient.gradient: _of_gradient,
    derivative.derivative: _of_derivative,
    turning_points.turning_points: _of_turning_points,
    **{function: partial(_of_field, read) for function, read in fields.READERS.items()},
}
