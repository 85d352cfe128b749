"""From a call, and the index of a point, to the lines that the arithmetic of the point is on."""

from dataclasses import replace
from typing import Any

import numpy as np

from numgrad._arrays import derivative, errors, gradient, terms, turning_points
from numgrad._arrays.containers import as_array
from numgrad._arrays.plan.coefficients import warns
from numgrad._arrays.plan.dispatch import prepare
from numgrad._arrays.plan.options import Coordinates, StencilFormula
from numgrad._arrays.plan.spacing import NotFast, read
from numgrad._arrays.point import Line, around, by_numpy, explained
from numgrad._arrays.written import (
    PointExplanation,
    PointExplanations,
    SumExplanation,
    TurnExplanation,
    index_of,
    number,
)

Index = tuple[int, ...]


def of_gradient(
    at: Any, f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1, out: Any = None, hint: str = "edge_order=2"
) -> PointExplanations:
    f = as_array(f)
    request = prepare(f, varargs, axis, edge_order)
    plan, spacings = request.plan, request.spacings
    if type(plan) is not NotFast and any(type(x) is np.ndarray and warns(x) for x in spacings):
        plan = NotFast("coordinates repeat")
    if type(plan) is NotFast:
        return _of_numpy(at, plan.reason, f, varargs, axis, edge_order)
    index, (_, keys) = index_of(at, request.f.shape, "f"), read(varargs)
    formula, said = StencilFormula(1, 2, "one-sided", int(edge_order)), []
    for done in plan.axes:
        spacing = spacings[done.place] if spacings else 1.0
        key = keys[done.place] if keys else (float, 1.0, "exactly")
        steps = None if isinstance(key[0], type) else key[1]
        line = Line(_line(request.f, index, done.axis), done.axis, spacing, formula, 0.0, key, steps, hint)
        said.append(_explained(line, index))
    return PointExplanations(said)


def _of_numpy(at: Any, reason: str, f: Any, varargs: Any, axis: Any, edge_order: Any) -> PointExplanations:
    """Of what NumPy computes, by its own results."""
    results = gradient.gradient(f, *varargs, axis=axis, edge_order=edge_order)
    f = np.asanyarray(f)
    index = index_of(at, f.shape, "f")
    axes = range(f.ndim) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, f.ndim)
    given = terms.spacing_of_each(varargs, len(axes))
    results = results if isinstance(results, (tuple, list)) else [results]
    said = []
    for a, spacing, result in zip(axes, given, results, strict=True):
        of, name = _namers(index, a, f.ndim)
        line = _line(f, index, a)
        line = line if line.ndim == 1 else np.asarray(line).ravel()  # of a matrix
        said.append(by_numpy(line, a, index[a], spacing, edge_order, result[index], name(1), of, reason))
    return PointExplanations(said)


def of_derivative(at: Any, *varargs: Any, sigma: Any = None, out: Any = None, **options: Any) -> PointExplanations:
    call = derivative.read_call(*varargs, **options)
    f, axis = call.f, call.axis
    index = index_of(at, f.shape, "f")
    if call.is_gradient:
        said: Any
        (said,) = of_gradient(at, f, call.x, axis=axis, edge_order=call.formula.edges, hint="edge_accuracy=2")
    else:
        spacing = call.spacing
        if isinstance(spacing, Coordinates) and spacing.x.size != f.shape[axis]:  # of each line, in f's memory order
            order = call.order or tuple(range(f.ndim))
            x = spacing.x.reshape([f.shape[a] for a in order]).transpose(np.argsort(order))
            spacing = spacing._replace(x=np.ascontiguousarray(_line(x, index, axis)), inner=1)
        line = Line(_line(f, index, axis), axis, spacing, call.formula, call.period)
        said = _explained(line, index)
    if sigma is not None:
        spread = _line(errors.read_sigma(sigma, f), index, axis)
        said = said.with_errors([float(spread[p]) for p in said.places])
    return PointExplanations([said])


def of_field(at: Any, read: Any, name: str, *varargs: Any, out: Any = None, **options: Any) -> PointExplanations:
    field = read(*varargs, **options)
    shape, count = field.components[0].shape, len(field.axes)
    index, leading = (
        index_of(at, shape, "f" if len(field.components) == 1 else "a component"),
        field.shape[: -len(shape)],
    )
    is_vector = name not in ("laplacian", "hessian")
    blocks: dict[int, list[tuple[Any, Line, str]]] = {}
    for t in field.terms:
        line = _of_term(field, t, field.components[t.source], index)
        blocks.setdefault(t.target, []).append((t, line, f"v[{t.source}]" if is_vector else "f"))
    mixed = {t.target: t for t in field.mixed}
    said: list[Any] = []
    for target, block in enumerate(np.ndindex(leading)):
        where = f"{name}{list(block) if block else ''} at {list(index)}"
        if name == "hessian" and block[0] != block[1]:
            said.append(_mixed(field, mixed[min(block) * count + max(block)], blocks, index, where))
            continue
        value, parts, signs = None, [], []
        for t, line, source in blocks[target]:
            i = index[line.axis]
            value = line.value(i, t.factor, value)
            signs.append(t.factor < 0)
            parts.append(_explained(line, index, source))
        said.append(SumExplanation(where, tuple(parts), tuple(signs), value))
    return PointExplanations(said)


def of_turning_points(at: Any, y: Any, x: Any = None, **options: Any) -> PointExplanations:
    call = turning_points.read_call(y, x, **options)
    index, n = index_of(at, call.shape, "y"), call.shape[call.axis]
    found = turning_points.turning_points(y, x, **options)
    i, others = index[call.axis], tuple([one for a, one in enumerate(index) if a != call.axis])
    row = int(np.ravel_multi_index(others, [s for a, s in enumerate(call.shape) if a != call.axis])) if others else 0
    samples = call.lines.reshape(-1, n)[row]
    own = call.spacing if isinstance(call.spacing, float) or call.spacing.ndim == 1 else call.spacing[row]
    spacing = own if isinstance(own, float) else np.asarray(own)
    of, name = _namers(index, call.axis, len(call.shape))
    mine = [
        k for k, (first, last) in enumerate(zip(found.first, found.last, strict=True))
        if tuple(found.line[k]) == others and (i - first) % n <= (last - first) % n
    ]  # fmt: skip
    if not mine:
        near = [j % n if call.periodic else j for j in (i - 1, i, i + 1) if call.periodic or 0 <= j < n]
        said = ", ".join([f"{of(j)} = {number(samples[j])}" for j in near])
        more = " by min_change" if call.min_change else ""
        none = TurnExplanation("", of(i), None, samples[i], None, None, (), f"samples do not turn here{more}: {said}")
        return PointExplanations([none])
    k = mine[0]
    first, last, kind = int(found.first[k]), int(found.last[k]), str(found.kind[k])
    position, value = found.position[k], found.value[k]
    if first != last or (not call.periodic and i in (0, n - 1)) or np.isnan(samples[[(i - 1) % n, (i + 1) % n]]).any():
        what = f"a plateau from {of(first)} to {of(last)}, whose middle it is" if first != last else "an end"
        why = f"{what}: position {number(position)}, value {number(value)}"
        return PointExplanations([TurnExplanation(kind, of(i), None, samples[i], position, value, (), why)])
    near = [i - 1, i, i + 1]
    x3 = spacing if isinstance(spacing, float) else around(spacing, near, call.period)
    three, parts = samples.astype(np.float64)[[j % n for j in near]], []
    for order in (1, 2):
        one = derivative.read_call(three, x3, n=order, edge_accuracy=3 - order)
        line = Line(three, call.axis, one.spacing, one.formula)
        part = explained(line, 1, name(order), lambda j: of(near[j] % n))
        parts.append(replace(part, reason="by the parabola through three points"))
    place = i * spacing if isinstance(spacing, float) else spacing[i]
    if np.ndim(call.origin):  # integers beyond 2**53
        place = int(call.origin.reshape(-1)[row if call.origin.size > 1 else 0]) + int(place)
    why = f"the parabola through {of((i - 1) % n)}, {of(i)} and {of((i + 1) % n)} turns there"
    return PointExplanations([TurnExplanation(kind, of(i), place, samples[i], position, value, tuple(parts), why)])


def _of_term(field: terms.Field, t: Any, f: np.ndarray, index: Index) -> Line:
    axis = field.axes[t.place]
    formula = field.formulas[t.place]._replace(n=t.n)
    return Line(_line(f, index, axis), axis, field.spacings[t.place], formula, field.periods[t.place])


def _mixed(field: terms.Field, t: Any, blocks: Any, index: Index, where: str) -> SumExplanation:
    """Of the derivative along one axis of that along another."""
    count = len(field.axes)
    i, j = divmod(t.target, count)
    first = next(one for one, _, _ in blocks[j * count] if one.place == j)
    f, a, b = field.components[0], field.axes[i], field.axes[j]
    line = _of_term(field, t, f, index)
    slopes = np.zeros(line.f.size, np.result_type(f, np.float32) if f.dtype.kind in "fc" else np.float64)
    weights = line.weights(index[a], np.zeros(line.f.size, bool))
    for distance in weights:
        place = (index[a] + distance) % line.f.size
        there = (*index[:a], place, *index[a + 1 :])
        slopes[place] = _of_term(field, first, f, there).value(there[b])
    said = _explained(line._replace(f=slopes), index, "g")
    return SumExplanation(f"{where}, of g = df/dx{b}", (said,), (False,), said.value)


def _line(f: np.ndarray, index: Index, axis: int) -> np.ndarray:
    where: Any = (*index[:axis], slice(None), *index[axis + 1 :])
    return f[where]  # type: ignore[no-any-return]


def _explained(line: Line, index: Index, source: str = "f") -> PointExplanation:
    ndim = len(index)
    of, name = _namers(index, line.axis, ndim, source)
    return explained(line, index[line.axis], name(line.formula.n), of)


def _namers(index: Index, axis: int, ndim: int, source: str = "f") -> Any:
    """Return what names the samples of a line, and its n-th derivative at the point."""

    def of(place: int) -> str:
        return f"{source}[{', '.join(map(str, (*index[:axis], place, *index[axis + 1 :])))}]"

    def name(n: int) -> str:
        if ndim == 1 and source == "f":
            return {0: "f", 1: "f'", 2: "f''", 3: "f'''"}.get(n, f"f^({n})") + f"(x[{index[0]}])"
        power = f"^{n}" if n > 1 else ""
        return f"d{n if n > 1 else ''}{source}/dx{axis}{power}" if n else f"smoothed {of(index[axis])}"

    return of, name
