"""The four operations of an iteration of a descent, with their numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from numgrad._arrays.written import digits_of, equations, joined, number, weighted
from numgrad._checks import integer
from numgrad._system import tables
from numgrad.regression import _check
from numgrad.regression._check import Data, Floats
from numgrad.regression._engine import Engine, Record, Rule
from numgrad.regression._entries import Entries
from numgrad.regression._fused import Fused, FusedEntries
from numgrad.regression._kernels.iteration import BACKTRACKING, FIXED
from numgrad.regression._modes import Modes
from numgrad.regression._problem import Problem
from numgrad.regression._quadratic import shifted

# Rows and parameters that are shown; of more, the first ones and the last.
SHOWN = 5
# Numbers of X that are gone over at a time.
AT_A_TIME = 2**18
GIVE = "give them: run.explain(iteration, X, y)"


@dataclass(frozen=True, eq=False, repr=False)
class IterationExplanation:
    """The four operations of an iteration, with their numbers; prints them.

    All is in the coordinates of the descent: of standardised features, if it has standardised them.

    Attributes
    ----------
    iteration : int
        Which one.
    theta : ndarray of float64, shape (n,)
        The parameters that it starts from, of one target.
    cost : float
        The cost there, over all targets.
    gradient : ndarray of float64, shape (n,)
        The gradient there, with the penalty.
    learning_rate : float
        The rate of this iteration.
    velocity : ndarray of float64, shape (n,), or None
        What is subtracted, before it is multiplied by the rate, with momentum.
    theta_next : ndarray of float64, shape (n,)
        The parameters that it ends with, as the run has them.
    rows : ndarray of int
        The rows that are shown: the first and the last.
    hypothesis, loss : ndarray of float64
        Of these rows.
    """

    iteration: int
    theta: Floats
    cost: float
    gradient: Floats
    learning_rate: float
    velocity: Floats | None
    theta_next: Floats
    rows: np.ndarray
    hypothesis: Floats
    loss: Floats
    lines: tuple[str, ...]

    def __repr__(self) -> str:
        return "\n".join(self.lines)

    def _repr_html_(self) -> str:
        parameters = {"theta": self.theta, "gradient": self.gradient}
        parameters |= {} if self.velocity is None else {"velocity": self.velocity}
        parameters |= {"theta, next": self.theta_next}

        def parameter(j: int) -> list[str]:
            return [str(j), *[f"{column[j]:.6g}" for column in parameters.values()]]

        def sample(i: int) -> list[str]:
            return [str(self.rows[i]), f"{self.hypothesis[i]:.6g}", f"{self.loss[i]:.6g}"]

        rows = [("cost", f"{self.cost:.6g}"), ("learning rate", f"{self.learning_rate:.6g}")]
        parts = [tables.figures(f"Iteration {self.iteration}", rows)]
        parts += [tables.Table(["row", "hypothesis", "loss"], sample, len(self.rows)).html()] * bool(len(self.rows))
        parts += [tables.Table(["parameter", *parameters], parameter, len(self.theta)).html()]
        return tables.together(*parts, tables.folded("The arithmetic", tables.code(self.lines)))


@dataclass(frozen=True, eq=False)
class State:
    """An iteration of a run: where it starts and ends, at which rate, and its velocity before, a row for a target."""

    theta: Floats
    after: Floats
    rate: float
    velocity: Floats
    cost: float


def explained(problem: Problem, rule: Rule, start: Floats, method: str, n_iter: int, iteration: Any, target: Any,
    data: Any,
) -> IterationExplanation:  # fmt: skip
    """Return the operations of an iteration, for which the run is done again up to it."""
    if not n_iter:
        raise ValueError("there is no iteration to explain: none was done")
    k = integer("iteration", iteration, -n_iter, n_iter - 1) % n_iter
    count = problem.n_targets
    chosen = integer("target", target, -count, count - 1) % count
    rows = _rows(problem, data)
    if rows is not None and data[0] is not None and (rows.y.shape[1] != count or rows.x.shape[1] != _features(problem)):
        raise ValueError(f"`X` and `y` have shapes {rows.x.shape} and {rows.y.shape}, which are not those of the run")
    state = _state(problem, rule, start, method, n_iter, k, rows)
    is_narrow = method == "fused" and rows is not None and rows.dtype == np.float32
    return _Writer(problem, rule, state, rows, k, n_iter, chosen, np.float32 if is_narrow else np.float64).explanation()


def _features(problem: Problem) -> int:
    return len(problem.names) - int(problem.model.fit_intercept)


def _rows(problem: Problem, data: tuple[Any, ...]) -> Data | None:
    if data[0] is not None:
        found = _check.data(*data)
        if isinstance(found.x, Entries):
            raise TypeError("`X` is sparse, whose rows are not shown; give X.toarray(), if that fits in memory")
        return found
    return None if problem.source is None else problem.source.rows(problem.data)


def _state(problem: Problem, rule: Rule, start: Floats, method: str, n_iter: int, k: int, rows: Data | None) -> State:
    """Run as the run did, up to the end of iteration k."""
    record, scale = Record(np.array([k]), True), problem.scale
    engine: Engine
    held, problem.data = problem.data, rows if problem.data is None else problem.data
    if method == "modes":
        engine = Modes(problem.compress(), start, rule, record, scale, n_iter)
    elif problem.data is None:
        raise RuntimeError(f"`explain` needs the rows of this run, which are not kept; {GIVE}")
    else:
        kind = Fused if problem.entries is None else FusedEntries
        engine = kind(problem.inner, start, rule, record, scale.curvature(problem.model.l2), n_iter)
    try:
        velocity = np.zeros_like(start)
        if k and rule.momentum:
            while engine.done < k and engine.goes_on:
                engine.run(k)
            velocity = engine.velocity()
        while engine.done < k + 1 and engine.goes_on:
            engine.run(k + 1)
        cost = float(scale.cost(engine.latest))
        theta = engine.path()[-1]
        if rule.kind == BACKTRACKING:
            engine.settle()
        rate = engine.rate
        after = engine.theta()
    finally:
        problem.__dict__.pop("inner", None)
        problem.data = held
    return State(scale.theta(theta), scale.theta(after), rate, shifted(velocity, scale.y + scale.x), cost)


class _Writer:
    """Goes over the rows once, and writes what it finds."""

    def __init__(
        self, problem: Problem, rule: Rule, state: State, rows: Data | None, k: int, n_iter: int, target: int, real: Any
    ) -> None:
        self.real = real  # what the run has computed in
        self.problem, self.rule, self.state, self.rows = problem, rule, state, rows
        self.k, self.n_iter, self.target = k, n_iter, target
        self.theta, self.after = state.theta[target], state.after[target]
        self.rate = problem.scale.rate(state.rate) if rule.given is None else rule.given
        self.penalty = np.full(self.theta.size, problem.model.l2)
        if problem.model.fit_intercept:
            self.penalty[0] = 0.0
        self.shown_rows = np.zeros(0, np.int64)
        self.shown_theta = _some(self.theta.size)
        self.x: Any = np.zeros((0, 0))
        self.h: Any = np.zeros(0)
        self.y: Any = np.zeros(0)
        self.w: Any = np.zeros(0)
        self.has_weights = rows is not None and bool((rows.weight * rows.unit != 1).any())
        self.sums: Floats | None = None
        self.squares, self.total = 0.0, 1.0
        if rows is not None:
            self._go_over(rows)

    def _go_over(self, rows: Data) -> None:
        m, t = len(rows.x), self.state.theta
        self.shown_rows = _some(m)
        self.sums = sums = np.zeros_like(t)
        self.total = rows.total * rows.unit
        step, kept = max(1, AT_A_TIME // t.shape[1]), []
        for a in range(0, m, step):
            z, w = self._features(rows.x[a : a + step]), rows.weight[a : a + step] * rows.unit
            h = z @ t.T
            y = rows.y[a : a + step].astype(np.float64)
            loss = h - y
            sums += (w[:, None] * loss).T @ z
            self.squares += float((w[:, None] * loss**2).sum())
            mine = [i - a for i in self.shown_rows if a <= i < a + step]
            kept += [(z[i], h[i, self.target], y[i, self.target], w[i]) for i in mine]
        self.x, self.h, self.y, self.w = (np.array(column) for column in zip(*kept, strict=True))

    def _features(self, x: np.ndarray) -> Floats:
        """Return rows in the coordinates of the descent."""
        coordinates = self.problem.coordinates
        z = x.astype(np.float64)
        if not coordinates.is_plain:
            z = (z - coordinates.shift) * coordinates.factor
        return np.column_stack([np.ones(len(z)), z]) if coordinates.intercept else z

    @property
    def gradient(self) -> Floats:
        if self.sums is not None:
            return np.asarray(self.sums[self.target] / self.total + self.penalty * self.theta)
        known = self.problem.compress()
        z = self.theta if known.basis is None else self.theta @ known.basis
        g = (known.a @ z - known.b[:, self.target]) @ known.a
        if known.basis is None:
            return np.asarray(g)
        return np.asarray(known.basis @ g + known.l2 * (self.theta - known.basis @ z))

    def explanation(self) -> IterationExplanation:
        gradient, momentum, velocity = self.gradient, self.rule.momentum, None
        if momentum:
            v = momentum * self.state.velocity[self.target] + gradient
            velocity = gradient + momentum * v if self.rule.is_nesterov else v
        lines = [*self._head(), *self._hypothesis(), *self._loss(), *self._gradient(gradient)]
        lines += self._velocity(gradient) if momentum else []
        lines += self._update(gradient if velocity is None else velocity)
        return IterationExplanation(
            self.k, self.theta, self.state.cost, gradient, self.rate, velocity, self.after, self.shown_rows, self.h,
            self.h - self.y, tuple(lines),
        )  # fmt: skip

    def _head(self) -> Iterator[str]:
        which = f", target {self.target} of {self.problem.n_targets}" if self.problem.n_targets > 1 else ""
        yield f"iteration {self.k} of {self.n_iter}{which}"
        names = self.problem.names
        if self.rows is not None and self.rows.names is not None:
            yield f"  theta is of {', '.join([names[j] for j in self.shown_theta[:-1]])}" + (
                f"{', ...' if len(names) > len(self.shown_theta) else ''} and " * (len(names) > 1) + names[-1]
            )
        if self.problem.model.standardize:
            what = "mean 0 and standard deviation 1" if self.problem.model.fit_intercept else "mean square 1"
            yield f"  X is that of features of {what}, and theta and g are those of these"
        if self.real is np.float32:
            yield "  the run has computed in float32, this in float64: where terms cancel, digits of J and theta differ"
        if self.problem.model.fit_intercept:
            yield "  theta[0] is the intercept, as if X began with a column of ones"
        if self.rows is None:
            yield "  h and l are of the rows, which are not kept; " + GIVE

    def _hypothesis(self) -> Iterator[str]:
        if self.rows is None:
            return
        yield "hypothesis h = X theta"
        places = _some(self.theta.size)
        for i, x, h in zip(self.shown_rows, self.x, self.h, strict=True):
            terms = [_product(x[j], self.theta[j]) for j in places]
            products = list(zip(x, self.theta, strict=True))
            yield from _line(f"h[{i}]", [_sum(terms, places, self.theta.size), digits_of(h, products)])
            yield from self._more(i, self.shown_rows)

    def _more(self, i: Any, places: np.ndarray) -> Iterator[str]:
        """Stand for what is left out after the i-th."""
        if len(places) > 1 and i == places[-2] and places[-1] > i + 1:
            yield "  ..."

    def _loss(self) -> Iterator[str]:
        if self.rows is None:
            yield f"cost J = {number(self.state.cost)}"
            return
        has_weights, l2 = self.has_weights, self.problem.model.l2
        yield "loss l = h - y" + (", with weights w" if has_weights else "")
        for i, h, y, w in zip(self.shown_rows, self.h, self.y, self.w, strict=True):
            terms = [weighted(1, number(h), ""), weighted(-1, number(y), "")]
            note = f"  (w[{i}] = {number(w)})" if has_weights else ""
            yield from _line(f"l[{i}]", [joined(terms), digits_of(h - y, [(1, h), (-1, y)]) + note])
            yield from self._more(i, self.shown_rows)
        name, m = ("sum(w l^2)", "sum(w)") if has_weights else ("sum(l^2)", "m")
        over = number(self.total)
        text, numbers = f"{name} / (2 {m})", f"{number(self.squares)} / (2 * {over})"
        parts = [(1 / (2 * self.total), self.squares)]
        if l2:
            size = float((self.penalty * self.state.theta**2).sum()) / l2
            text, numbers = f"{text} + l2 sum(theta^2) / 2", f"{numbers} + {number(l2)} * {number(size)} / 2"
            parts.append((l2 / 2, size))
        yield from _line(f"cost J = {text}", [numbers, digits_of(self.real(self.state.cost), parts)])

    def _gradient(self, gradient: Floats) -> Iterator[str]:
        l2 = self.problem.model.l2
        what = "X' (w l) / sum(w)" if self.has_weights else "X' l / m"
        yield f"gradient g = {what}" + (" + l2 theta" if l2 else "")
        for j in self.shown_theta:
            if self.sums is None or self.rows is None:
                yield f"  g[{j}] = {number(gradient[j])}"
            else:
                s = self.sums[self.target, j]
                if len(self.shown_rows) == len(self.rows.x):
                    factors = self.w * (self.h - self.y) if self.has_weights else self.h - self.y
                    top = joined([_product(x, f) for x, f in zip(self.x[:, j], factors, strict=True)])
                    chain = [f"({top}) / {number(self.total)}"]
                else:
                    chain = [f"{number(s)} / {number(self.total)}"]
                parts = [(1 / self.total, s)]
                if self.penalty[j]:
                    chain[0] += f" + {number(l2)} * {_bracketed(self.theta[j])}"
                    parts.append((self.penalty[j], self.theta[j]))
                yield from _line(f"g[{j}]", [*chain, digits_of(gradient[j], parts)])
            yield from self._more(j, self.shown_theta)

    def _velocity(self, gradient: Floats) -> Iterator[str]:
        momentum, before = self.rule.momentum, self.state.velocity[self.target]
        yield f"velocity v = momentum v + g, momentum = {number(momentum)}"
        for j in self.shown_theta:
            terms = [(momentum, before[j]), (1, gradient[j])]
            text = f"{number(momentum)} * {_bracketed(before[j])} + {_bracketed(gradient[j])}"
            yield from _line(f"v[{j}]", [text, digits_of(momentum * before[j] + gradient[j], terms)])
            yield from self._more(j, self.shown_theta)

    def _update(self, step: Floats) -> Iterator[str]:
        what = "g"
        if self.rule.momentum:
            what = "(g + momentum v)" if self.rule.is_nesterov else "v"
        kind = "" if self.rule.kind == FIXED else ", found for this iteration"
        yield f"update theta = theta - learning_rate {what}, learning_rate = {number(self.rate)}{kind}"
        for j in self.shown_theta:
            text = joined([weighted(1, number(self.theta[j]), ""), weighted(-self.rate, number(step[j]), " * ")])
            terms = [(1, self.theta[j]), (-self.rate, step[j])]
            yield from _line(f"theta[{j}]", [text, digits_of(self.real(self.after[j]), terms)])
            yield from self._more(j, self.shown_theta)


def _some(size: int) -> np.ndarray:
    """Return the places that are shown: all, or the first ones and the last."""
    return np.arange(size) if size <= SHOWN else np.array([*range(SHOWN - 2), size - 1])


def _sum(terms: list[tuple[bool, str]], places: np.ndarray, size: int) -> str:
    if len(places) == size:
        return joined(terms)
    return f"{joined(terms[:-1])} + ... {'-' if terms[-1][0] else '+'} {terms[-1][1]}"


def _bracketed(value: Any) -> str:
    text = number(value)
    return f"({text})" if text.startswith("-") else text


def _product(x: Any, value: Any) -> tuple[bool, str]:
    """Return whether a term is subtracted, and the term."""
    return x < 0, f"{number(abs(x))} * {_bracketed(value)}"


def _line(name: str, chain: list[str]) -> list[str]:
    return equations(f"  {name}", chain, len(name) + 2)
