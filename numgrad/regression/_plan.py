"""From the options and the data of a descent to its engine and the rule of its iteration."""

from math import sqrt
from typing import Any, NamedTuple

import numpy as np

from numgrad._checks import choice, not_negative, number
from numgrad._system.threads import usable_cpus
from numgrad.regression._check import Floats
from numgrad.regression._engine import Rule
from numgrad.regression._fused import PARALLEL
from numgrad.regression._kernels.iteration import BACKTRACKING, BARZILAI_BORWEIN, FIXED
from numgrad.regression._problem import Problem
from numgrad.regression._rows import FEW, PIECE

# The "optimal" rate is at most this part of the limit.
BELOW = 1 - 1e-9
RATES = ("auto", "optimal", "bb", "backtracking")
ADAPTIVE = {"bb": BARZILAI_BORWEIN, "backtracking": BACKTRACKING}
# Costs in ns, on one thread of the machine of benchmarks/NOTES.md. Of a pass, and of an iteration in modes; in them of
# a byte of X, for each target, or once from memory by one thread and by all; of a stored entry; of an eigenvalue.
PASS, STEP, BYTE, FETCHED, FETCHED_BY_ALL, ENTRY, EIGENVALUE = 34, 34, 0.033, 0.063, 0.034, 1.7, 0.7
# Of the start of modes, and that of few data, 0.4 ms as well, but without Numba, which nobody should wait for there;
# for each element of R by the lesser of rows and columns: for each row, at all, and for each of that lesser. Of the
# Gram matrix for each row.
START, START_OF_FEW, ROW, ELEMENT, SQUARE, GRAM = 4.3e5, 1.7e4, 0.17, 100, 1, 0.05
# Bytes that the caches hold.
CACHED = 2**25


class Wish(NamedTuple):
    """The options of the steps, read: how far each goes, and how small a gradient ends them."""

    learning_rate: float | str
    momentum: float
    is_nesterov: bool
    tol: float

    @property
    def needs_mu(self) -> bool:
        """Whether the least eigenvalue must be known, for which data are compressed."""
        return self.learning_rate == "optimal" or self.is_nesterov


class Plan(NamedTuple):
    """A descent before it begins."""

    problem: Problem
    start: Floats  # a row for each target, in the coordinates of the descent, divided by its scale
    rule: Rule
    method: str
    n_iter: int

    @property
    def is_beyond(self) -> bool:
        """Whether the rate is known to be at or above the limit."""
        return self.rule.is_beyond and self.problem.largest[1]


def read_wish(learning_rate: Any, momentum: Any, tol: Any) -> Wish:
    """Look at the options of the steps, without the data."""
    if isinstance(learning_rate, str):
        choice("learning_rate", learning_rate, RATES, "a positive number, or ")
    else:
        remedy = "a positive number, below 2/L to converge, or one of " + ", ".join(map(repr, RATES))
        learning_rate = number("learning_rate", learning_rate, remedy, above=0.0)
    is_nesterov = isinstance(momentum, str) and momentum == "nesterov"
    m = 0.0
    if momentum is not None and not is_nesterov:
        if isinstance(momentum, str):
            raise ValueError(
                f"`momentum` is {momentum!r}; give None, a number of at least 0 and below 1, or 'nesterov'"
            )
        m = not_negative("momentum", momentum, below=1.0)
    if learning_rate in ADAPTIVE and (m or is_nesterov):
        raise ValueError(
            f"`momentum` is {momentum!r} with learning_rate={learning_rate!r}, which finds its own steps; "
            f"give a fixed rate, 'auto' or 'optimal'"
        )
    return Wish(learning_rate, m, is_nesterov, not_negative("tol", tol))


def plan(problem: Problem, theta: Floats, method: str, n_iter: int, wish: Wish) -> Plan:
    """Choose the engine and the rule of a descent from `theta`, and look at the data as far as these need it."""
    rows = theta.reshape(len(theta), -1).T
    if method == "auto":
        is_decomposed = wish.needs_mu or (problem.model.standardize and problem.entries is None)
        method = "modes" if is_decomposed else _cheaper(problem, n_iter, len(rows), isinstance(wish.learning_rate, str))
    if method == "modes" or wish.needs_mu:
        problem.compress()
    start = problem.prepare(rows)
    return Plan(problem, start, _rule(problem, wish), method, n_iter)


def _cheaper(problem: Problem, n_iter: int, p: int, needs_L: bool) -> str:
    """Return the engine that takes less time, by what both take on so many threads as there are."""
    if problem.data is None:
        return "modes"
    x, threads = problem.data.x, usable_cpus()  # not those that are set, on which no result depends
    m, n = x.shape
    size = n + p + 1
    least = min(m, size)
    sharing = min(threads, -(-m * size // PIECE))
    if problem.entries is not None:
        if problem.refusal:
            return "fused"
        each, sharing = problem.entries.count * p * ENTRY, 1
    else:
        item = np.dtype(problem.data.dtype).itemsize
        each = p * item * BYTE / (threads if m * n * p >= PARALLEL else 1)
        if m * n * x.itemsize > CACHED:
            each = max(each, x.itemsize * max(FETCHED / threads, FETCHED_BY_ALL))
        each *= m * (n + 1)
    fused = n_iter * (each + p * PASS) + needs_L * size * least * GRAM * m / sharing
    start = START_OF_FEW if m * size <= FEW else START
    decomposition = size * least * (ROW * m / sharing + SQUARE * least + ELEMENT)
    modes = start + decomposition + n_iter * (size * p * EIGENVALUE + STEP)
    return "modes" if modes < fused else "fused"


def _rule(problem: Problem, wish: Wish) -> Rule:
    """Return the rule that fulfils a wish on these data."""
    rate, tol = wish.learning_rate, wish.tol
    given = None if isinstance(rate, str) else rate
    inner = 1.0 if given is None else problem.scale.enter_rate(given)
    if given is not None and inner and not wish.is_nesterov:
        rule = Rule(FIXED, inner, wish.momentum, tol=tol, given=given)
        # The limit is a number over L; so the rate is below it where L is below the same number over the rate.
        if problem.is_surely_below(rule.limit(inner)):
            return rule
    L, is_exact = problem.largest
    if not L:  # nothing moves
        return Rule(FIXED, inner, wish.momentum, wish.is_nesterov, inner, tol=tol)
    safe = 1 / L
    if isinstance(rate, str) and rate in ADAPTIVE:
        kind = ADAPTIVE[rate]
        return Rule(kind, safe * (1.5 if kind == BACKTRACKING else 1), safe=safe, tol=tol)
    if rate == "optimal":
        inner = _optimal(wish, L, problem.slowest)
    elif rate == "auto":
        inner = safe
    m = _nesterov(wish, inner, L, problem.slowest) if wish.is_nesterov else wish.momentum
    limit = Rule(FIXED, inner, m, wish.is_nesterov).limit(L)
    if rate == "optimal":  # 2/(L + mu) is 2/L to rounding, if mu is small enough
        inner = min(inner, BELOW * limit)
    # The cost of a run with momentum swings; without, growth means divergence, if L may be larger than estimated.
    is_watched = inner >= limit or not (is_exact or m)
    return Rule(FIXED, inner, m, wish.is_nesterov, safe, inner >= limit, tol, is_watched, given)


def _optimal(wish: Wish, L: float, mu: float) -> float:
    """Return the fixed rate with the fastest convergence at worst."""
    return 4 / (3 * L + mu) if wish.is_nesterov else 2 * (1 + wish.momentum) / (L + mu)


def _nesterov(wish: Wish, rate: float, L: float, mu: float) -> float:
    """Return the momentum that suits a rate."""
    if wish.learning_rate == "optimal":
        root = sqrt(3 * L / mu + 1)
        return (root - 2) / (root + 2)
    q = min(1.0, sqrt(rate * mu))
    return (1 - q) / (1 + q)
