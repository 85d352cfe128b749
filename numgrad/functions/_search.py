"""Chooses a kind of quotient for each task, and puts together what the searches found."""

from typing import NamedTuple

import numpy as np

from numgrad.functions._calls import JittedCaller, PlainCaller, Tasks
from numgrad.functions._kernels.thresholds import FINEST_UNITS
from numgrad.functions._quotients import Kind, Quotient, kind_of

# A central quotient with less room than this, on the scale of its point, may be worse than a one-sided one.
NARROW = 0.1


class Found(NamedTuple):
    """Of each lane and task: the derivative, its error, its step, whether it converged; of each task: evaluations."""

    value: np.ndarray
    error: np.ndarray
    step: np.ndarray
    converged: np.ndarray
    calls: np.ndarray

    @classmethod
    def nothing(cls, lanes: int, total: int) -> "Found":
        shape = lanes, total
        return cls(
            np.full(shape, np.nan),
            np.full(shape, np.inf),
            np.full(shape, np.nan),
            np.zeros(shape, bool),
            np.zeros(total, np.int64),
        )

    @classmethod
    def empty(cls, lanes: int, total: int) -> "Found":
        numbers = (np.empty((lanes, total)) for _ in range(3))
        value, error, step = numbers
        return cls(value, error, step, np.empty((lanes, total), bool), np.empty(total, np.int64))

    def put(self, other: "Found", tasks: np.ndarray) -> None:
        """Take the values of `other` for these tasks where their error is smaller; count all evaluations."""
        is_better = other.error < self.error[:, tasks]
        for mine, new in zip(self[:4], other[:4], strict=True):
            mine[:, tasks] = np.where(is_better, new, mine[:, tasks])
        self.calls[tasks] += other.calls


class Search:
    """The derivatives of a function at all its points, with respect to any variables."""

    def __init__(
        self, caller: PlainCaller | JittedCaller, accuracy: int, step: np.ndarray | None, room: np.ndarray | None
    ) -> None:
        """`step` has the shape of the points, `room` one axis more: how far there is to smaller, to larger numbers."""
        self.caller, self.accuracy, self.step, self.room = caller, accuracy, step, room
        points, dtype = caller.model.points, caller.values.dtype
        self.digits = 52 if points.dtype == np.float64 else 23
        is_double = points.dtype == np.float64 and dtype in (np.float64, np.complex128)
        self.epsilon = 2.0**-52 if is_double else 2.0**-23
        self.lanes = caller.values.lanes.shape[0]
        # There is no derivative where there is no value: of each number of the function, at each point.
        self.has_value = np.isfinite(caller.values.lanes) & np.isfinite(points).all(axis=0)

    def find(self, tasks: Tasks, quotients: list[Quotient]) -> Found:
        """Find derivatives by the first of the quotients; where it lacks room, or saw no finite numbers, by the next.

        Raises
        ------
        ValueError
            If there is no room for any of them.
        """
        total = tasks.point.size
        missing = ~self.has_value[:, tasks.point]
        is_open, found = ~missing.all(axis=0), None
        has_run = ~is_open
        for quotient in quotients:
            kind = kind_of(quotient, self.accuracy, self.step is not None)
            reach = self._reach(tasks, quotient)
            fits = is_open
            if reach is not None:
                fits = fits & np.all(reach >= self._least(tasks) * kind.width, axis=0)
            if found is None and fits.all():
                found = self._run(kind, tasks, reach)
                if reach is None and (found.error < np.inf).all():  # most calls end here
                    return found
            elif fits.any():
                found = Found.nothing(self.lanes, total) if found is None else found
                some = np.flatnonzero(fits)
                found.put(self._run(kind, tasks.part(some), None if reach is None else reach[:, some]), some)
            has_run |= fits
            if found is not None:
                is_open = ~np.all(missing | (found.error < np.inf), axis=0)
                if reach is not None and self.step is None:
                    is_open |= np.any(reach < NARROW, axis=0) & ~missing.all(axis=0)
            if not is_open.any():
                break
        if not has_run.all():
            point = tasks.point[np.argmin(has_run)]
            raise ValueError(
                f"`bounds` leave no room for samples on either side of `x` = "
                f"{self.caller.model.points[:, point].tolist()} (point {point}); give wider bounds"
                + ("" if self.step is None else ", or a smaller `step`")
            )
        found = Found.nothing(self.lanes, total) if found is None else found
        found.value[~(found.error < np.inf)] = np.nan
        return found

    def _reach(self, tasks: Tasks, quotient: Quotient) -> np.ndarray | None:
        """How far the samples may lie from the points, one row for each variable that is moved."""
        if self.room is None:
            return None
        sides = zip(tasks.variables, quotient.sides, strict=True)
        rooms = [self.room[:, v, tasks.point][[0, 1] if s == 0 else [max(s, 0)]].min(axis=0) for v, s in sides]
        return np.stack(rooms)

    def _least(self, tasks: Tasks) -> np.ndarray:
        """The finest step that can be used, one row for each variable."""
        if self.step is not None:
            return np.asarray(self.step[tasks.first, tasks.point])
        points = np.stack([self.caller.model.points[v, tasks.point] for v in tasks.variables])
        return np.asarray(2.0**FINEST_UNITS * np.spacing(abs(points)), float)

    def _run(self, kind: Kind, tasks: Tasks, reach: np.ndarray | None) -> Found:
        points, total = self.caller.model.points, tasks.point.size
        is_whole = points.shape[0] == 1 and total == points.shape[1] and tasks.second is None
        first = np.asarray(points[0] if is_whole else points[tasks.first, tasks.point], float)
        problem = (
            first,
            first if tasks.second is None else np.asarray(points[tasks.second, tasks.point], float),
            np.empty((0, 0)) if reach is None else np.ascontiguousarray(reach),
            np.empty(0) if self.step is None else self.step[tasks.first, tasks.point],
            self.caller.values.lanes,
            tasks.point,
        )
        found = Found.empty(self.lanes, total)
        self.caller.search(kind, tasks, problem, (self.digits, self.epsilon, self.lanes), found)
        return found
