"""The arithmetic of a field on the sphere at a point: derivatives by angles, and what makes them those by distance."""

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from numgrad._arrays.containers import home_of
from numgrad._arrays.explain import Explanation, in_chunks, of_stencils, refuse_at
from numgrad._arrays.plan.dtypes import REAL
from numgrad._arrays.point import INSIDE, Line, at_end, written
from numgrad._arrays.written import (
    PointExplanation,
    PointExplanations,
    SumExplanation,
    digits_of,
    equations,
    exact,
    index_of,
    is_plain,
    number,
)
from numgrad._system import tables
from numgrad._system.out import targets
from numgrad.sphere._read import read
from numgrad.sphere._rows import Operator, Rows, rows_of
from numgrad.sphere._run import Field, fill, request_of


@dataclass(frozen=True, eq=False, repr=False)
class MetricExplanation:
    """A derivative by an angle, or a sample, times what it has on a sphere of this radius; prints it.

    Attributes
    ----------
    name : str
        What it is.
    words : tuple of two str
        The factors, and what divides them, by their names.
    factors : tuple of number
        The values of the former, but for the derivative; -1 for a minus.
    divisors : tuple of tuple
        Those of the latter, each with the power it has.
    value : number
        The product.
    part : PointExplanation or None
        The derivative, which is the last factor; None if that is a sample.
    """

    name: str
    words: tuple[str, str]
    factors: tuple[Any, ...]
    divisors: tuple[tuple[Any, int], ...]
    value: Any
    part: PointExplanation | None

    def __repr__(self) -> str:
        part = repr(self.part).splitlines() if self.part else []
        return "\n".join([*self._product(), *[f"  {line}" for line in part]])

    def _repr_html_(self) -> str:
        return tables.together(tables.code(self._product()), tables.all_of([self.part] if self.part else []))

    def _product(self) -> list[str]:
        sign = "-" if self.words[0].startswith("-") else ""
        texts = [*map(number, self.factors[len(sign) :])]
        if self.part is not None:
            texts.append(self.part.shown())
        texts = [f"({text})" if text.startswith("-") else text for text in texts]
        below = [number(d) if power == 1 else f"{number(d)}**{power}" for d, power in self.divisors]
        divisor = " * ".join(below)
        numbers = f"{sign}{' * '.join(texts)} / {divisor if len(below) == 1 else f'({divisor})'}"
        words = " / ".join(self.words)
        chain = [] if words == self.name else [words]
        return equations(self.name, [*chain, numbers, self.shown()], len(self.name))

    def shown(self) -> str:
        """Return the value, by the digits that it and the arithmetic as written have in common."""
        last, *weights = [self.part.value, *self.factors] if self.part is not None else self.factors
        if not all(map(is_plain, [self.value, *weights, last])) or any(map(np.iscomplexobj, weights)):
            return number(self.value)
        if self.part is not None:
            text = self.part.shown()
            last = complex(text) if "j" in text else float(text)
        weight, below = Fraction(1), Fraction(1)
        for one in weights:
            weight *= exact(one)
        for divisor, power in self.divisors:
            below *= exact(divisor) ** power
        return "0" if last == 0 else digits_of(self.value, [(weight, last)], below)


def explained(
    function: Any, operator: Operator, given: dict[str, Any], at: Any, out: Any, options: dict[str, Any]
) -> Any:
    """Return how a field of samples that are `given` by name is done, or its arithmetic at a point."""
    home = _home_of(given)
    if hasattr(home, "sphere_in_arrays"):
        places = [options.pop(name) for name in ("latitude", "longitude", "axis")]
        given, found = home.sphere_in_arrays(given, *places)
        options, home = options | found, _home_of(given)
    if home is not None:  # dask
        if at is not None:
            refuse_at(next(one for one in given.values() if home_of(one) is home))
        function(**given, **options, out=out)  # which is lazy, and has its errors
        return in_chunks()
    field = read(operator, given, **options)
    f, count = field.sources[0], operator.results
    if out is not None:
        targets(out, count, f.shape, f.dtype, np.ndarray)
    if at is not None:
        return at_point(field, at, function.__name__, list(given), float(options["radius"]))
    request, _ = request_of(field)
    rows = of_stencils(request._replace(spacings=()), [operator.order] * 2, count * f.nbytes)
    spacings = field.grid.longitude, field.grid.step
    words = [f"{_degrees(x)} degrees" if isinstance(x, float) else "coordinates (float64)" for x in spacings]
    return Explanation([replace(row, spacing=text) for row, text in zip(rows, words, strict=True)])


def _home_of(given: dict[str, Any]) -> Any:
    return next((home for home in map(home_of, given.values()) if hasattr(home, "on_sphere")), None)


@dataclass(frozen=True, eq=False)
class Point:
    """A point of a grid: the field of its latitudes and longitudes alone, and its index among all axes."""

    field: Field
    index: tuple[int, ...]
    axes: tuple[int, int]
    radius: float

    @property
    def row(self) -> int:
        return self.index[self.axes[0]]

    @property
    def column(self) -> int:
        return self.index[self.axes[1]]

    @property
    def pole(self) -> int:
        """The sign of the pole that the point is at, which other rows lie across; else 0."""
        last = self.field.rows.size - 1
        at = [self.field.grid.poles[end] for end, row in enumerate((0, last)) if self.row == row]
        return next(filter(None, at), 0)

    @property
    def place(self) -> int:
        """The row among all, those beyond the poles included."""
        return self.field.rows.first + self.row

    def name(self, source: str, row: int, column: int) -> str:
        index = list(self.index)
        index[self.axes[0]], index[self.axes[1]] = row, column
        return f"{source}[{', '.join(map(str, index))}]"

    def on_grid(self, place: int) -> tuple[int, bool]:
        """Return the row of the grid that a place is, and whether it is on the other side of a pole."""
        rows, poles = self.field.rows, self.field.grid.poles
        row = place - rows.first
        if row < 0:
            return abs(poles[0]) - 1 - row, True
        if row >= rows.size:
            return 2 * rows.size - 1 - abs(poles[1]) - row, True
        return row, False

    def samples(self, f: np.ndarray, place: int) -> np.ndarray:
        """Return a row, as the meridians of the point's own have it."""
        row, is_beyond = self.on_grid(place)
        line: np.ndarray = f[row]
        return self.field.operator.sign * np.roll(line, line.size // 2) if is_beyond else line

    def value(self) -> list[Any]:
        """Return the results of the call."""
        rows = self.field.rows
        depth = max(rows.low, rows.high)
        far = max(2 * depth + 1, rows.ends[1].shape[1]) + depth
        first, last = max(0, self.row - far), min(rows.size, self.row + far + 1)
        part = [f[first:last] for f in (*self.field.sources, *self.field.factors)]
        field = self.field._replace(
            start=rows.first + first, sources=(part[0], part[1]), factors=tuple(part[2:])
        )  # fmt: skip
        results = [np.empty_like(part[0]) for _ in range(field.operator.results)]
        fill(field, results)
        return [result[self.row - first, self.column] for result in results]


def point_of(field: Field, at: Any, name: str, radius: float) -> Point:
    """Return a point of a field by its index."""
    index = index_of(at, field.sources[0].shape, f"`{name}`")
    north, east = field.axes
    where: Any = tuple([slice(None) if axis in field.axes else i for axis, i in enumerate(index)])

    def plane(f: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(f[where] if north < east else f[where].T)

    sources, factors = ([plane(f) for f in arrays] for arrays in (field.sources, field.factors))
    flat = field._replace(axes=(0, 1), sources=(sources[0], sources[1]), factors=tuple(factors))
    return Point(flat, index, field.axes, radius)


def at_point(field: Field, at: Any, what: str, names: list[str], radius: float) -> PointExplanations:
    """Return the arithmetic of a field at a point; `names` are those of the samples."""
    point, operator = point_of(field, at, names[0], radius), field.operator
    grid = point.field.grid
    where = f"at {list(point.index)}, latitude {_degrees(grid.latitude[point.row])}"
    values = point.value()
    results = [f"{what}.{part}" for part in ("east", "north")] if operator.results > 1 else [what]
    across = grid.across[0 if point.row == 0 else 1]
    if point.pole and not across:
        why = "at the pole, where east and north have no direction but that of a meridian; and no rows lie across"
        said = [
            PointExplanation(f"{name} {where}", (), (), (), nan, None, why)
            for name, nan in zip(results, values, strict=True)
        ]
        return PointExplanations(said)
    terms = [(operator.east < 0, _east(point)), *_north(point)]
    blocks = [terms] if operator.results == 1 else [[term] for term in terms]
    return PointExplanations(
        [
            SumExplanation(f"{name} {where}", tuple([t for _, t in block]), tuple([s for s, _ in block]), value)
            for name, block, value in zip(results, blocks, values, strict=True)
        ]
    )  # fmt: skip


def _degrees(latitude: float) -> str:
    return number(round(float(np.degrees(latitude)), 6))


def _d(n: int, source: str, by: str) -> str:
    """Return the name of a derivative."""
    power = str(n) if n > 1 else ""
    return f"d{power}{source}/d{by}{power and '^' + power}"


def _with_factor(point: Point, place: int, name: str, words: str) -> tuple[str, str, tuple[Any, ...]]:
    """Return the name and the words of a derivative times the velocity that carries, if that is a part of it."""
    if not point.field.factors:
        return name, words, ()
    what = point.field.operator.used[2 + place]
    return f"{what} {name}", f"{what} {words}", (point.field.factors[place][point.row, point.column],)


def _term(name: str, words: tuple[str, str], factors: Any, divisors: Any, part: Any, dtype: Any) -> MetricExplanation:
    with np.errstate(all="ignore"):
        value = np.prod([*factors, *([] if part is None else [part.value])])
        for divisor, power in divisors:
            value = value / divisor**power
        return MetricExplanation(name, words, tuple(factors), tuple(divisors), dtype.type(value), part)


def _east(point: Point) -> MetricExplanation:
    """Return the term of the derivative by longitude."""
    field, n, dtype = point.field, point.field.operator.order, point.field.sources[0].dtype
    source, row, column, pole = field.operator.used[0], point.row, point.column, point.pole
    f, what = (_bent(point), "g") if pole else (field.sources[0][row], source)
    period = 2 * np.pi if field.grid.closes and not isinstance(field.grid.longitude, float) else 0.0
    line = Line(f, 1, field.grid.longitude, field.by_longitude, period)
    weights = line.weights(column, np.zeros(f.size, bool))
    goes_around = any(not 0 <= column + d < f.size for d in weights)
    where = "around the globe: beyond the last meridian comes the first" if goes_around else ""
    of = partial(point.name, what, row)
    part = written(line, column, _d(n, what, "lon"), of, weights, line.value(column), where)
    name, words, factors = _with_factor(point, 0, _d(n, source, "x"), part.name)
    power = f"^{n}" if n > 1 else ""
    if not pole:
        cos = float(np.cos(field.grid.latitude[row]))
        return _term(name, (words, f"(R cos(lat)){power}"), factors, [(point.radius, n), (cos, n)], part, dtype)
    zeros = f"{_d(n, source, 'lon')} and cos(lat)"
    why = f"at the pole {zeros} are 0: their quotient has a limit, by g = {_d(n, source, 'lat')}"
    part = replace(part, reason=f"{part.reason}; {why}")
    if n == 2:
        return _term(name, (words, "(2 R^2)"), factors, [(2, 1), (point.radius, 2)], part, dtype)
    if pole > 0:
        words, factors = f"-{words}", (-1, *factors)
    return _term(name, (words, "R"), factors, [(point.radius, 1)], part, dtype)


def _bent(point: Point) -> np.ndarray:
    """Return the derivative by latitude, at a pole, along each meridian."""
    rows, f = point.field.rows, point.field.sources[0]
    weights = rows.bend[:, point.place].astype(REAL[f.dtype.type])
    lines = [(w, point.samples(f, point.place - rows.low + k)) for k, w in enumerate(weights) if w]
    return np.asarray(sum([w * line for w, line in lines]), f.dtype)


def _north(point: Point) -> list[tuple[bool, MetricExplanation]]:
    """Return the terms of derivatives by latitude, and whether they are subtracted."""
    operator, n, dtype = point.field.operator, point.field.operator.order, point.field.sources[1].dtype
    source, is_negative = operator.used[1], operator.north < 0
    part = _by_latitude(point, n)
    power, is_twice = f"^{n}" if n > 1 else "", bool(point.pole) and operator.turns
    name, words, factors = _with_factor(point, 1, _d(n, source, "y"), part.name)
    if is_twice:
        again = f"the limit of the term with tan(lat) is {_d(n, source, 'y')} once more"
        name, words, factors = f"2 {name}", f"2 {words}", (2,)
        part = replace(part, reason=f"{part.reason}; at the pole {again}")
    terms = [(is_negative, _term(name, (words, f"R{power}"), factors, [(point.radius, n)], part, dtype))]
    if operator.turns and not point.pole:
        terms.append((not is_negative, _of_turning(point, n)))
    return terms


def _of_turning(point: Point, n: int) -> MetricExplanation:
    """Return the term of a derivative of one order less, which is there as east and north, or circles, turn."""
    f, source = point.field.sources[1], point.field.operator.used[1]
    tan = float(np.tan(point.field.grid.latitude[point.row]))
    if n == 1:
        words, factors = f"{source} tan(lat)", (f[point.row, point.column], tan)
        return _term(f"{words} / R", (words, "R"), factors, [(point.radius, 1)], None, f.dtype)
    part = _by_latitude(point, 1)
    name, words = f"tan(lat) {_d(1, source, 'y')} / R", f"tan(lat) {part.name}"
    return _term(name, (words, "R^2"), (tan,), [(point.radius, 2)], part, f.dtype)


def _by_latitude(point: Point, n: int) -> PointExplanation:
    """Return the n-th derivative by latitude at the point, on the rows that the formula of the field takes."""
    field, f, source = point.field, point.field.sources[1], point.field.operator.used[1]
    rows = rows_of(field.grid, Operator(n, 1.0, 1.0, False, 1, ()), field.rows.formula, 1.0)
    found, samples = _weights(rows, point.place)
    real = REAL[f.dtype.type]
    weights = {int(p) - point.place: float(real(w)) for w, p in zip(found, samples, strict=True) if w}
    column = np.array([point.samples(f, p)[point.column] for p in range(rows.table.shape[1])])
    value = f.dtype.type(sum([real(w) * column[point.place + d] for d, w in weights.items()]))

    def of(place: int) -> str:
        row, is_beyond = point.on_grid(place)
        half = f.shape[1] // 2
        name = point.name(source, row, (point.column + half) % f.shape[1] if is_beyond else point.column)
        return f"-{name}" if is_beyond and field.operator.sign < 0 else name

    before, after = point.place, rows.table.shape[1] - 1 - point.place
    where = INSIDE
    if before < rows.low or after < rows.high:
        where = at_end(of(point.place), before, after, rows.low, rows.high)
    elif any(point.on_grid(int(p))[1] for p in samples):
        turned = ", where east and north point the other way" if field.operator.sign < 0 else ""
        where = f"across the pole: beyond the last row the meridian half a turn away goes on{turned}"
    y = rows.latitude if field.grid.step is None else field.grid.step
    line = Line(column, 0, y, field.rows.formula._replace(n=n))
    part = written(line, point.place, _d(n, source, "lat"), of, weights, value, where)
    return part if part.scale is not None else replace(part, order=len(samples) - n)


def _weights(rows: Rows, place: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights of a row, and the places of the rows that have them."""
    from_end = place - (rows.table.shape[1] - rows.high)
    if place < rows.low or from_end >= 0:
        which = place if place < rows.low else rows.low + from_end
        return rows.ends[0][which], rows.ends[1][which]
    return rows.table[:, place], place - rows.low + np.arange(rows.table.shape[0])
