"""The samples that a derivative has a weight on at one point, as its kernel has them: it is given impulses."""

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from numgrad._arrays.plan.coefficients import reach_of
from numgrad._arrays.plan.compose import drafted
from numgrad._arrays.plan.dispatch import axis_plan, plan_for
from numgrad._arrays.plan.dtypes import FIELDS
from numgrad._arrays.plan.fornberg import fornberg
from numgrad._arrays.plan.gram import at_point
from numgrad._arrays.plan.options import Coordinates, StencilFormula, Wanted, key_and_values
from numgrad._arrays.plan.spacing import ready
from numgrad._arrays.plan.types import AxisPlan, Recipe, Term
from numgrad._arrays.written import PointExplanation, fractions_of, number
from numgrad._system import original

INSIDE = "inside: samples to either side"


class Way(NamedTuple):
    """How the kernel does a line: its recipe, and its last arguments."""

    recipe: Recipe
    made: tuple[Any, ...]

    def at(self, f: np.ndarray, i: int, before: Any = 0) -> Any:
        """Return what the kernel makes of the i-th sample of a line, where `before` was."""
        out = np.full(1, before, FIELDS[self.recipe.dtype])
        drafted(self.recipe, False).plain(f, out, f.size, 1, i, i + 1, i, *self.made)
        return out[0]


class Line(NamedTuple):
    """One line of samples, and how it is derived along itself."""

    f: np.ndarray
    axis: int
    spacing: float | Coordinates | np.ndarray
    formula: StencilFormula
    period: float = 0.0
    key: Any = None  # of `gradient`
    steps: Any = None  # the distance of neighbours of coordinates that are even
    hint: str = "edge_order=2"

    @property
    def is_even(self) -> bool:
        return self.h is not None

    @property
    def h(self) -> Any:
        """The distance of neighbours, if there is one."""
        if self.steps is not None:
            return self.steps
        return None if isinstance(self.spacing, (Coordinates, np.ndarray)) else self.spacing

    @property
    def x(self) -> np.ndarray:
        return self.spacing.x if isinstance(self.spacing, Coordinates) else self.spacing  # type: ignore[return-value]

    def way(self, a: int, b: int, is_own: bool, factor: float = 1.0, adds: bool = False) -> Way:
        """Return how a part of the line is done, from a to b; `is_own` if weights are found for each point anew."""
        n, x = b - a, self.spacing
        if self.key is not None:
            key = self.key if isinstance(self.key[0], type) else (*self.key[:2], n)
            part = ready(x[a:b]) if isinstance(x, np.ndarray) else x
            plan: Any = plan_for(self.f.dtype, (n,), None, 0, self.formula.edges, key)
            return _way(plan.axes[0], part)
        formula, dtype = self.formula, self.f.dtype
        assert not isinstance(x, np.ndarray)
        part = x._replace(x=x.x[a:b], are_own=is_own) if isinstance(x, Coordinates) else x
        key, given = key_and_values(part, "x", formula.n, formula.most_points, dtype)
        wanted = Wanted(0, key, formula, self.period)
        return _way(axis_plan(dtype, (n,), None, wanted, Term(0, 0, formula.n, 0, factor), adds), given)

    def part(self, i: int) -> tuple[int, int]:
        """Return a part of the line that has all that the i-th point depends on."""
        if self.formula.boundary == "periodic":
            return 0, self.f.size
        far = 3 * self.reach
        return max(0, i - far), min(self.f.size, i + far + 1)

    @property
    def reach(self) -> int:
        """How far away samples of the point may be."""
        return self.formula.most_points + 1

    def value(self, i: int, factor: float = 1.0, before: Any = None) -> Any:
        """Return the derivative at the i-th point, as the call has it; `before` is what it is added to."""
        a, b = self.part(i)
        is_own = isinstance(self.spacing, Coordinates) and self.spacing.are_own
        way = self.way(a, b, is_own, factor, before is not None)
        return way.at(np.ascontiguousarray(self.f[a:b]), i - a, 0 if before is None else before)

    def weights(self, i: int, missing: Any) -> dict[int, float]:
        """Return what samples weigh, by how far they are from the i-th; `missing` says which samples are gaps."""
        a, b = self.part(i)
        way, n = self.way(a, b, False), self.f.size
        base = np.where(missing[a:b], np.nan, 0).astype(FIELDS[self.f.dtype])
        found: dict[int, float] = {}
        seen: set[int] = set()
        for distance in sorted(range(-self.reach, self.reach + 1), key=abs):
            place = (i + distance) % n if self.formula.boundary == "periodic" else i + distance
            if not a <= place < b or place in seen or missing[place]:
                continue
            seen.add(place)
            base[place - a] = 1
            weight = float(way.at(base, i - a).real)
            base[place - a] = 0
            if weight != 0 and not np.isnan(weight):
                found[distance] = weight
        return dict(sorted(found.items()))


def _way(plan: AxisPlan, spacing: Any) -> Way:
    return Way(plan.recipe, plan.constants if type(plan.constants) is tuple else plan.constants(spacing))


def explained(line: Line, i: int, name: str, of: Callable[[int], str]) -> PointExplanation:
    """Return the arithmetic of a derivative at the i-th sample of a line; `of` names its samples."""
    missing = _nan_of(line.f) if line.formula.gaps else np.zeros(line.f.size, bool)
    return written(line, i, name, of, line.weights(i, missing), line.value(i))


def written(
    line: Line, i: int, name: str, of: Callable[[int], str], weights: dict[int, float], value: Any, where: str = ""
) -> PointExplanation:
    """Return the arithmetic of a derivative whose weights are known; `where` says why, if that is known."""
    size, nan = line.f.size, _nan_of(line.f)
    places = [(i + d) % size for d in weights]
    return PointExplanation(
        name,
        tuple([of(p) for p in places]),
        tuple(weights.values()),
        tuple([line.f[p] for p in places]),
        value,
        _order(line, i, weights) if weights else None,
        _reason(line, i, weights, nan, of, where),
        _scale(line, weights),
        places=tuple(places),
    )


def _nan_of(f: np.ndarray) -> np.ndarray:
    return np.isnan(f) if f.dtype.kind in "fc" else np.zeros(f.size, bool)


def by_numpy(
    f: Any, axis: int, i: int, spacing: Any, edges: int, value: Any, name: str, of: Callable[[int], str], reason: str
) -> PointExplanation:
    """Return the arithmetic of what numpy.gradient has at the i-th sample of a line."""
    x = np.asarray(spacing)
    numbers = x.astype(np.int64) if x.dtype.kind in "mM" else x
    weights, size = {}, len(f)
    for distance in range(-3, 4):
        if 0 <= i + distance < size:
            impulse = np.zeros(size)
            impulse[i + distance] = 1
            with np.errstate(all="ignore"):
                weight = float(original.gradient(impulse, numbers if x.ndim else numbers[()], edge_order=edges)[i])
            if weight and np.isfinite(weight):
                weights[distance] = weight
    steps = np.diff(numbers) if x.ndim else numbers.reshape(1)
    is_even = len(steps) > 0 and bool((steps == steps[0]).all())
    line = Line(
        np.zeros(size), axis, numbers if x.ndim else float(numbers), StencilFormula(1, 2, "one-sided", edges),
        steps=steps[0] if is_even else None,
    )  # fmt: skip
    places, scale = tuple([i + d for d in weights]), _scale(line, weights)
    if scale is not None:  # the step as it was given, with its unit
        scale = (*scale[:3], x[1] - x[0] if x.ndim else x[()])
    said = _reason(line, i, weights, np.zeros(size, bool), of) if weights else "all weights are infinite or zero"
    return PointExplanation(
        name, tuple(map(of, places)), tuple(weights.values()), tuple([f[p] for p in places]), value,
        _order(line, i, weights) if weights else None, f"{said}; by numpy.gradient, because {reason}", scale,
        places=places,
    )  # fmt: skip


def _scale(line: Line, weights: dict[int, float]) -> Any:
    """Return the weights of an even grid as integers, with what divides them; None if they are none."""
    h, n = line.h, line.formula.n
    if h is None or not weights:
        return None
    found = _fractions(line.formula, tuple(weights), n)
    if found is None:
        return None
    unit = float(h) ** n
    tolerance = 1e-13 if line.f.dtype.itemsize // (1 + (line.f.dtype.kind == "c")) > 4 else 1e-5
    largest = max(map(abs, weights.values()))
    if any(
        abs(float(w) - v * unit) > tolerance * largest * abs(unit) for w, v in zip(found, weights.values(), strict=True)
    ):
        return None
    integers, divisor = fractions_of(found)
    return (integers, divisor, n, h) if divisor < 10**12 else None


@lru_cache(8)
def _fractions(formula: StencilFormula, offsets: tuple[int, ...], n: int) -> tuple[Fraction, ...] | None:
    """Return the weights for a distance of 1, exactly."""
    if not formula.window:
        return tuple(fornberg([Fraction(o) for o in offsets], n)) if len(offsets) > n else None
    half = formula.window // 2
    for at in sorted(range(-half, half + 1), key=lambda t: abs(-half - t - offsets[0])):
        integers, divisor = at_point(formula.window, formula.degree, n, at)
        found = {o - half - at: Fraction(w, divisor) for o, w in enumerate(integers) if w}
        if tuple(found) == offsets:
            return tuple(found.values())
    return None


def _order(line: Line, i: int, weights: dict[int, float]) -> int:
    formula = line.formula
    exact = _scale(line, weights)
    if exact is not None:  # as of a `Stencil`: symmetry may satisfy more conditions than there are points
        integers, _, n, _ = exact
        known = formula.degree + 1 if formula.window else len(weights)
        k = max(known, n + 1)
        while sum([w * o**k for o, w in zip(weights, integers, strict=True)]) == 0 and k < n + 2 * len(weights) + 2:
            k += 1
        return int(k - n)
    if formula.window:
        return formula.degree + 1 - formula.n
    if formula.is_gradient:
        return 2 if 0 < i < line.f.size - 1 else formula.edges
    return formula.interval_needed - formula.n if _is_one_sided(line, i, weights) else formula.accuracy


def _is_one_sided(line: Line, i: int, weights: dict[int, float]) -> bool:
    """Whether there are fewer samples to a side than the formula inside takes."""
    low, high = reach_of(line.formula, line.is_even)
    if line.formula.is_gradient:
        low = high = 1
    if line.formula.boundary == "periodic" and not line.formula.gaps:
        return False
    is_at_end = (i < low or i >= line.f.size - high) and line.formula.boundary != "periodic"
    return is_at_end or (
        line.formula.gaps and (min(weights) > -low or max(weights) < high) and _has_gap(line, i, low, high)
    )


def _has_gap(line: Line, i: int, low: int, high: int) -> bool:
    if line.f.dtype.kind not in "fc":
        return False
    near = np.arange(i - low, i + high + 1)
    wraps = line.formula.boundary == "periodic"
    near = near % line.f.size if wraps else near[(near >= 0) & (near < line.f.size)]
    return bool(np.isnan(line.f[near]).any())


def at_end(place: str, before: int, after: int, low: int, high: int) -> str:
    """Say that there are fewer samples to one side of a place than to have a symmetric formula."""
    side, there, needs = ("before", before, low) if before <= after else ("behind", after, high)
    samples = f"{there or 'no'} sample{'s' * (there != 1)}"
    return f"at an end: {samples} {side} {place}, where the formula inside has {needs}"


def _reason(
    line: Line, i: int, weights: dict[int, float], nan: np.ndarray, of: Callable[[int], str], where: str = ""
) -> str:
    """Say why the point has these samples."""
    formula, size = line.formula, line.f.size
    low, high = (1, 1) if formula.is_gradient else reach_of(formula, line.is_even)
    before, after = i, size - 1 - i
    gap = _nearest_gap(line, i, nan, max(low, high, formula.most_points)) if formula.gaps else None
    said = []
    if not weights:
        return _why_not(line, i, nan, of, gap)
    if where:
        said.append(where)
    elif gap is not None and _is_one_sided(line, i, weights):
        said.append(f"beside a gap: {of(gap)} is NaN, and no sample beyond it is taken")
    elif formula.boundary == "periodic" and (before < low or after < high):
        said.append("around the end of a period: beyond the last sample comes the first")
    elif formula.boundary != "periodic" and _is_one_sided(line, i, weights):
        said.append(at_end(of(i), before, after, low, high))
        if formula.is_gradient and formula.edges == 1:
            said.append(f"{line.hint} makes it order 2")
    else:
        said.append(INSIDE)
    if formula.window:
        what = f"a polynomial of degree {formula.degree} that fits {formula.window} samples by least squares"
        said.append(f"{what}, {'derived' if formula.n else 'evaluated'} at {of(i)}")
    if not line.is_even and len(weights) > 1:
        said.append(_distances(line, i, weights))
    elif line.steps is not None and isinstance(line.spacing, np.ndarray):
        said.append(f"coordinates are even, h = {number(line.h)}")
    if seen := [p for d in weights if nan[p := (i + d) % size]]:
        said.append(f"{of(seen[0])} is NaN, and so is the result")
    return "; ".join(said)


def _why_not(line: Line, i: int, nan: np.ndarray, of: Callable[[int], str], gap: int | None) -> str:
    formula = line.formula
    if formula.gaps and nan[i]:
        return f"a gap: {of(i)} is NaN, and so is the result"
    if formula.gaps and gap is not None:
        return f"beside a gap: between {of(gap)}, which is NaN, and the next gap or end are fewer than the " + (
            f"{formula.interval_needed} samples that the formula needs"
        )
    if formula.boundary == "nan":
        low, high = reach_of(formula, line.is_even)
        needs = f"{low} samples before {of(i)} and {high} behind it"
        return f"at an end, which boundary='nan' leaves empty: the formula needs {needs}"
    return "all weights are zero"


def around(x: np.ndarray, near: list[int], period: float) -> np.ndarray:
    """Return the coordinates of points, some of which may be beyond the ends of a period."""
    turns = np.array([j // x.size for j in near])
    return np.asarray(x[[j % x.size for j in near]] + np.copysign(period, x[-1] - x[0]) * turns)


def _nearest_gap(line: Line, i: int, nan: np.ndarray, far: int) -> int | None:
    wraps = line.formula.boundary == "periodic"
    for distance in range(far + 1):
        for p in (i - distance, i + distance):
            place = p % line.f.size if wraps else p
            if 0 <= place < line.f.size and nan[place]:
                return place
    return None


def _distances(line: Line, i: int, weights: dict[int, float]) -> str:
    """Say how far neighbours are from each other."""
    near = list(range(i + min(0, *weights), i + max(0, *weights) + 1))
    steps = [number(d) for d in np.diff(around(line.x, near, line.period))]
    if len({*steps}) == 1:
        return f"weights are found from coordinates, neighbours being {steps[0]} apart"
    if len(steps) > 4:
        steps = [*steps[:2], "...", steps[-1]]
    return f"distances of neighbours are {', '.join(steps)}"
