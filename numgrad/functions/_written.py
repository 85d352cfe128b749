"""The quotients that a derivative of a function was extrapolated from, written down."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import factorial
from typing import Any

import numpy as np

from numgrad._arrays.written import digits_of, number, table, table_of, times
from numgrad._system import tables
from numgrad.functions._calls import PlainCaller, Values
from numgrad.functions._problem import Problem
from numgrad.functions._quotients import Kind, Quotient, central, kind_of, limit, one_sided
from numgrad.functions._result import Derivative


@dataclass(frozen=True, eq=False, repr=False)
class QuotientExplanation:
    """How a derivative of a function at a point is made of difference quotients; prints it.

    Attributes
    ----------
    name : str
        Which derivative, and where.
    value, error : number
        As the call gives them.
    steps, quotients, weights : tuple
        The steps, the quotients by them, and what these weigh; empty if it is exact, or no quotient was found.
    order : int or None
        The error falls as the step to this power.
    reason : str
        Why these quotients, or none.
    """

    name: str
    value: Any
    error: Any
    steps: tuple[float, ...]
    quotients: tuple[Any, ...]
    weights: tuple[Fraction, ...]
    order: int | None
    reason: str
    formula: str = ""

    def __repr__(self) -> str:
        if not self.steps:
            return f"{self.name} = {number(self.value)}\n  {self._why()}"
        first, cells, last = self._sum()
        return "\n".join([first, f"  {self.formula}", *table(cells), f"  {last}", f"  {self._why()}"])

    def _repr_html_(self) -> str:
        if not self.steps:
            return tables.together(tables.code([f"{self.name} = {number(self.value)}"]), tables.text(self._why()))
        first, cells, last = self._sum()
        parts = [tables.code([first, f"  {self.formula}"]), table_of(cells).html(), tables.text(last)]
        return tables.together(*parts, tables.text(self._why()))

    def _why(self) -> str:
        order = f"order {self.order}, " if self.steps else ""
        return f"{order}error at most {self.error:.1e}: {self.reason}"

    def _sum(self) -> tuple[str, list[list[str]], str]:
        cells = [["step", "D(step)", "weight", "product"]]
        weights = [str(w) if len(str(w)) < 20 else number(float(w)) for w in self.weights]
        terms = list(zip(map(Fraction, weights), self.quotients, strict=True))
        for h, text, (w, d) in zip(self.steps, weights, terms, strict=True):
            cells.append([number(h), number(d), text, times(w, d)])
        shown = digits_of(self.value, terms)
        return f"{self.name} = sum of weight * D(step) = {shown}", cells, f"sum = {shown}"


class QuotientExplanations(tuple[QuotientExplanation, ...]):
    """One for each derivative at a point; prints all of them."""

    def __repr__(self) -> str:
        return "\n".join(map(repr, self))

    def _repr_html_(self) -> str:
        return tables.all_of(self)


def explained(problem: Problem, found: Derivative, point: int, kind: str) -> QuotientExplanations:
    """Return how the derivatives at a point were found, in the order of the result."""
    model, lanes = problem.model, np.asarray(found.value)
    count = 1 if not model.is_vector else model.points.shape[0]
    is_hessian = kind == "hessian"
    tail = (count, count) if is_hessian else (count,) if model.is_vector else ()
    shape = (-1, *tail, model.points.shape[1])
    values = lanes.reshape(shape)[..., point]
    steps, errors = (np.broadcast_to(a, lanes.shape).reshape(shape)[..., point] for a in (found.step, found.error))
    caller = PlainCaller(model, problem.is_vectorized) if found.method != "exact" else None
    said = []
    for index in np.ndindex(values.shape):
        lane, variables = index[0], index[1:]
        what = _name(model, point, lane, variables, problem.order, len(values))
        if caller is None:
            reason = "by rules of differentiation, without a quotient"
            said.append(QuotientExplanation(what, values[index], errors[index], (), (), (), None, reason))
        elif len({*variables}) > 1:
            said.append(
                QuotientExplanation(
                    what, values[index], errors[index], (), (), (), None,
                    "by quotients (f(x+h, y+k) - f(x+h, y-k) - f(x-h, y+k) + f(x-h, y-k)) / (4 h k)",
                )
            )  # fmt: skip
        else:
            made = _Sampled(problem, caller, point, lane, variables[0] if variables else 0)
            said.append(made.explanation(what, values[index], errors[index], float(steps[index])))
    return QuotientExplanations(said)


def _name(model: Any, point: int, lane: int, variables: tuple[int, ...], order: int, lanes: int) -> str:
    value = f"fun[{lane}]" if lanes > 1 else "fun"
    x = [number(one) for one in model.points[:, point]]
    if not model.is_vector:
        ticks = "'" * order if order < 4 else f"^({order})"
        return f"{value}{ticks}({x[0]})"
    by = "".join([f"dx{v}" for v in variables]) if len({*variables}) > 1 else f"dx{variables[0]}" + "^2" * (order == 2)
    return f"d{'2' * (order == 2)}{value}/{by} at [{', '.join(x)}]"


class _Sampled:
    """A function along one variable."""

    def __init__(self, problem: Problem, caller: PlainCaller, point: int, lane: int, variable: int) -> None:
        self.problem, self.caller, self.point, self.lane, self.variable = problem, caller, point, lane, variable

    def at(self, places: list[float]) -> np.ndarray:
        model = self.problem.model
        which = np.full(len(places), self.point)
        columns = model.points[:, which].copy()
        columns[self.variable] = places
        found: Values = self.caller._call(columns if model.is_vector else columns[0], which)
        flat = found.lanes
        if found.dtype.kind == "c":
            half = len(flat) // 2
            flat = flat[:half] + 1j * flat[half:]
        return np.asarray(flat[self.lane])

    def candidates(self, step: float, size: Any) -> Iterator[tuple[Kind, int, tuple[Any, ...], tuple[Fraction, ...]]]:
        """Yield kinds of quotients with their numbers of steps, quotients and weights."""
        n, problem = self.problem.order, self.problem
        x = float(problem.model.points[self.variable, self.point])
        room = None if problem.room is None else problem.room[:, self.variable, self.point]
        for quotient in (central(n), one_sided(n, 1), one_sided(n, -1)):
            kind = kind_of(quotient, problem.accuracy, problem.step is not None)
            count = kind.levels + 1
            steps = [step * float(kind.ratio**j) for j in range(count)]
            if room is not None:
                steps = [h for h in steps if all(h <= room[1 if o > 0 else 0] for o in quotient.offsets)]
            low = sum(p < 0 for p in quotient.powers)
            found = self.quotients(quotient, x, steps)
            wanted = [*range(kind.levels, low, -1), count]  # as many as make the order first
            for levels in [one for one in wanted if one <= len(steps)]:
                yield (
                    kind,
                    levels,
                    found[:levels],
                    limit(quotient.powers, tuple([kind.ratio**j for j in range(levels)])),
                )

    def quotients(self, quotient: Quotient, x: float, steps: list[float]) -> tuple[Any, ...]:
        """Return D(h) for these steps."""
        if not steps:
            return ()
        here = self.at([x])[0]
        samples = self.at([x + h * o for h in steps for o in quotient.offsets]).reshape(len(steps), -1)
        n = quotient.n
        found = []
        for h, row in zip(steps, samples, strict=True):
            part = sum([p * s for p, s in zip(quotient.part, row, strict=True)]) + quotient.center * here
            found.append(part * factorial(n) / h**n)
        return tuple(found)

    def explanation(self, name: str, value: Any, error: Any, step: float) -> QuotientExplanation:
        nothing = QuotientExplanation(name, value, error, (), (), (), None, "no step gave a number")
        if not (np.isfinite(value) and np.isfinite(step)):
            return nothing
        best, nearest = nothing, np.inf
        for kind, levels, found, weights in self.candidates(step, value):
            off = abs(sum([float(w) * d for w, d in zip(weights, found, strict=True)]) - value)
            if off < nearest:
                q, nearest = kind.quotient, off
                steps = tuple([step * float(kind.ratio**j) for j in range(levels)])
                order = q.powers[levels - 1] if levels <= len(q.powers) else None
                times_what = f"each {number(float(kind.ratio))} times the one before"
                why = f"extrapolated to a step of 0 from {levels} steps, {times_what}"
                best = QuotientExplanation(name, value, error, steps, found, weights, order, why, _formula(q))
        if nearest > max(float(error), 1e-9 * abs(value)):
            return QuotientExplanation(name, value, error, (), (), (), None, "by quotients of several steps together")
        return best


def _formula(quotient: Quotient) -> str:
    n, power = quotient.n, "" if quotient.n == 1 else f"^{quotient.n}"
    h = f"h{power}"
    if len(quotient.offsets) == 1:
        side, (part,) = ("h", "-h")[quotient.offsets[0] < 0], quotient.part
        text = f"{factorial(n)} " * (factorial(n) > 1) + f"(fun(x {'+' if side == 'h' else '-'} h) - fun(x))"
        return f"D(h) = {'-' if part < 0 else ''}{text} / {h}"
    center = "" if not quotient.center else " - 2 fun(x)"
    sign = "+" if n % 2 == 0 else "-"
    times = Fraction(factorial(n), 2)
    factor = "" if times.numerator == 1 else f"{times.numerator} "
    below = h if times.denominator == 1 else f"(2 {h})"
    return f"D(h) = {factor}(fun(x + h) {sign} fun(x - h){center}) / {below}"
