"""The common part of the two engines of a descent: the rule of the iteration, the record, the state of a run."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np

from numgrad.regression._check import Floats
from numgrad.regression._kernels.iteration import (
    CONVERGED,
    END,
    FIXED,
    GOES_ON,
    GROWN,
    ITERATION,
    LARGEST,
    LATEST_COST,
    LEAST_COST,
    LEAST_EXCESS,
    RECORDS,
    Log,
)


@dataclass(frozen=True)
class Rule:
    """v = momentum v + g, theta -= rate (a g + b v), and what ends the run."""

    kind: int
    rate: float
    momentum: float = 0.0
    is_nesterov: bool = False
    safe: float = 0.0
    is_beyond: bool = False  # the rate is at or above the limit, as far as that is known
    tol: float = 0.0
    is_watched: bool = False  # growth of the cost means divergence
    given: float | None = None  # the rate, before it is scaled

    @property
    def numbers(self) -> tuple[float, ...]:
        """The first of `Pace.numbers`, which both engines have."""
        a, b = (1.0, self.momentum) if self.is_nesterov else (0.0, 1.0) if self.momentum else (1.0, 0.0)
        return self.rate, self.momentum, a, b, self.safe

    def limit(self, L: float) -> float:
        """Return the limit of a fixed rate, from the largest eigenvalue."""
        if self.kind != FIXED or not L:
            return np.inf
        return 2 * (1 + self.momentum) / L / (1 + 2 * self.momentum if self.is_nesterov else 1)

    @property
    def keeps_best(self) -> bool:
        """Whether an iterate before the last may be the best one."""
        return self.is_watched or self.momentum > 0 or self.kind != FIXED

    def contraction(self, eigenvalues: Floats) -> float:
        """Return the factor by which an iteration shrinks the slowest error, in the long run; nan if rates vary.

        The error along an eigenvector follows e' = t e - d e'' of the last two, whose largest root counts.
        """
        if self.kind != FIXED:
            return np.nan
        step = 1 - self.rate * eigenvalues
        trace = step * (1 + self.momentum) if self.is_nesterov else step + self.momentum
        product = self.momentum * (step if self.is_nesterov else np.ones_like(step))
        root = np.sqrt(np.maximum(trace**2 - 4 * product, 0))
        real, pair = (abs(trace) + root) / 2, np.sqrt(np.maximum(product, 0))
        return float(np.where(trace**2 < 4 * product, pair, real).max(initial=0.0))

    def unwatched(self) -> "Rule":
        """Return the same rule for a replay, which nothing ends early."""
        return replace(self, is_watched=False, tol=0.0)


class Record:
    """The iterations `at` which costs are kept, room for these costs, and whether theta is kept as well."""

    def __init__(self, at: np.ndarray, has_path: bool) -> None:
        self.at = at
        self.costs: Floats = np.empty((2, len(at)))
        self.has_path = has_path

    def kept(self, done: int, records: int) -> np.ndarray:
        """Return the iterations recorded when `done` are done; the last one always is."""
        at = self.at[:records]
        if len(self.at) > records and done and (not records or at[-1] != done - 1):
            at = np.append(at, done - 1)
        return at

    def path(self, size: int) -> Floats:
        """Return room for the thetas, each of this size."""
        return np.empty((len(self.at), size) if self.has_path else (0, size))


class Engine(ABC):
    """A descent that can be run on, iteration by iteration; theta has a row for each target."""

    def __init__(self, start: Floats, rule: Rule, record: Record, eps: float = 2.0**-52) -> None:
        self.record = record
        best = start.flatten() if rule.keeps_best else np.empty(0)
        # Where growth is no divergence, only costs that are not finite end the run.
        marks = np.array([LARGEST / 2, eps if rule.is_watched else np.inf, rule.tol, 0.0, np.nan, np.inf])
        self.log = Log(record.at, record.costs, record.path(start.size), best, np.zeros(3, np.int64), marks)
        self.rates = np.empty(0)  # one for each iteration, if a later replay will need them

    @property
    def done(self) -> int:
        """The iterations done."""
        return int(self.log.position[ITERATION])

    @property
    def goes_on(self) -> bool:
        """Whether no iteration has been the last one yet."""
        return bool(self.log.position[END] == GOES_ON)

    @abstractmethod
    def run(self, end: int) -> None:
        """Iterate until `end` iterations are done, one is the last, or others have waited long enough."""

    @property
    @abstractmethod
    def work(self) -> int:
        """Elements that an iteration goes over."""

    @abstractmethod
    def settle(self) -> float:
        """Return the excess cost of the iterate reached; the cost where the least one is not known."""

    @property
    def kept(self) -> np.ndarray:
        """The iterations that there is a record of."""
        return self.record.kept(self.done, int(self.log.position[RECORDS]))

    @abstractmethod
    def theta(self) -> Floats:
        """Return the iterate reached."""

    @abstractmethod
    def best(self) -> Floats:
        """Return the iterate of the least excess cost."""

    @abstractmethod
    def path(self) -> Floats:
        """Return the iterates of the record."""

    @abstractmethod
    def velocity(self) -> Floats:
        """Return the sum of gradients that momentum keeps, a row for each target."""

    @property
    @abstractmethod
    def rate(self) -> float:
        """The latest rate."""

    @property
    def latest(self) -> float:
        """The cost of the iteration done last."""
        return float(self.log.marks[LATEST_COST])

    @property
    def least_cost(self) -> float:
        """The least cost yet."""
        return float(self.log.marks[LEAST_COST])

    @property
    def least_excess(self) -> float:
        """The least excess cost yet: that of the best iterate."""
        return float(self.log.marks[LEAST_EXCESS])

    @property
    def is_diverged(self) -> bool:
        return bool(self.log.position[END] == GROWN)

    @property
    def is_converged(self) -> bool:
        return bool(self.log.position[END] == CONVERGED)
