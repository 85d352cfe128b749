"""How functions are called: one point at a time, many at once, or compiled, with no Python in between."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from time import perf_counter
from typing import Any

import numpy as np

from numgrad import _jit, _threads
from numgrad._kernels import samples, search
from numgrad.functions._quotients import Kind, central, kernels

# Tasks of a plain function that are searched for at once: their samples stay in the cache.
CHUNK = 4096
# Seconds of work that are worth handing to other threads.
WORTHWHILE = 500e-6

Arrays = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Model:
    """A function and the points it is differentiated at.

    `points` has one row for each variable (one, for a function of a scalar), one column for each point.
    """

    fun: Callable[..., Any]
    points: np.ndarray
    is_vector: bool
    args: tuple[Any, ...]
    shape: tuple[int, ...]  # of the points, as the caller gave them


@dataclass(frozen=True)
class Tasks:
    """Derivatives to find: of the function at `point`, with respect to the variable `first` (and `second`)."""

    point: np.ndarray
    first: np.ndarray
    second: np.ndarray | None = None

    def part(self, chosen: np.ndarray) -> "Tasks":
        return Tasks(self.point[chosen], self.first[chosen], None if self.second is None else self.second[chosen])


@dataclass(frozen=True)
class Values:
    """Values of the function: the real numbers that they consist of are its lanes, one row each."""

    shape: tuple[int, ...]
    dtype: np.dtype
    lanes: np.ndarray

    @classmethod
    def read(cls, values: Any, points: int) -> "Values":
        """Of an array of shape (..., points)."""
        values = np.asarray(values)
        if values.dtype.kind in "biu":
            values = values.astype(float)
        if values.dtype not in ("f4", "f8", "c8", "c16"):
            kind = f"an object of type {values.flat[0]!r}" if values.dtype == object and values.size else values.dtype
            raise ValueError(f"`fun` returned {kind}; it must return real or complex numbers of at most 64 bits each")
        flat = values.reshape(-1, points)
        if values.dtype.kind == "c":
            flat = np.concatenate([flat.real, flat.imag])
        return cls(values.shape[:-1], values.dtype, np.asarray(flat, float))


class PlainCaller:
    """Calls a Python function, for one point after the other or, `is_vectorized`, for many at once."""

    def __init__(self, model: Model, is_vectorized: bool) -> None:
        self.model, self.is_vectorized = model, is_vectorized
        self.has_indices = model.is_vector or (is_vectorized and any(np.ndim(a) for a in model.args))
        point = np.arange(model.points.shape[1])
        self.values = self._call(model.points if model.is_vector else model.points[0], point)

    def _call(self, columns: np.ndarray, point: np.ndarray) -> Values:
        """At the columns, which belong to the points of these indices."""
        model = self.model
        with np.errstate(all="ignore"):  # outside its domain a function may well be nan
            if self.is_vectorized:
                given = (
                    a if np.ndim(a) == 0 else np.broadcast_to(a, model.shape).reshape(-1)[point] for a in model.args
                )
                values = np.asarray(model.fun(columns, *given))
            else:
                found = [model.fun(x, *model.args) for x in (columns.T.copy() if model.is_vector else columns)]
        if not self.is_vectorized:
            try:
                values = np.asarray(found)
            except ValueError:
                raise ValueError("`fun` returned values of different shapes; it must return one shape") from None
            values = np.moveaxis(values, 0, -1) if values.ndim > 1 else values
        elif values.shape[-1:] != point.shape:
            raise ValueError(
                f"`fun` returned shape {values.shape} for an array of shape {columns.shape}; with vectorized=True the "
                f"last axis must be that of the {point.size} points. Leave vectorized=True away if it takes one point"
            )
        return Values.read(values, point.size)

    def search(self, kind: Kind, tasks: Tasks, problem: Arrays, numbers: tuple[Any, ...], found: Arrays) -> None:
        model = self.model

        def sample(
            nodes: Any, nodes2: Any, which: Any, values: Any, count: int, start: int, context: Any, args: Any
        ) -> None:
            task = which[:count] + start
            point = tasks.point[task] if self.has_indices else np.empty(count)
            if model.is_vector:
                columns, every = model.points[:, point], np.arange(count)
                if tasks.second is not None:
                    columns[tasks.second[task], every] = nodes2[:count]
                columns[tasks.first[task], every] = nodes[:count]
            else:
                columns = nodes[:count].astype(model.points.dtype)
            lanes = self._call(columns, point).lanes
            if lanes.shape[0] != numbers[2]:
                raise ValueError("`fun` returned values of different shapes; it must return one shape for all points")
            values[: lanes.size] = lanes.reshape(-1)

        functions, total = (*kernels(), sample), tasks.point.size
        scratch = kind.scratch(numbers[2], min(CHUNK, total), self.has_indices)
        for start in range(0, total, CHUNK):
            stop = min(start + CHUNK, total)
            search.run(functions, scratch, problem, found, numbers, kind.arrays, None, None, start, stop)


class JittedCaller:
    """Calls a function that Numba has compiled, from kernels that are compiled for it, once."""

    def __init__(self, model: Model) -> None:
        self.model = model
        x = model.points[:, 0].copy() if model.is_vector else model.points[0, 0]
        # What it returns is learnt from one call; what it takes, Numba will say.
        like = Values.read(np.asarray(model.fun(x, *model.args))[..., None], 1)
        self.numbers, self.is_array = like.lanes.shape[0], like.shape != ()
        self.is_complex = like.dtype.kind == "c"
        count = model.points.shape[1]
        lanes = np.empty((self.numbers, count))
        context = self._context(Tasks(np.arange(count), np.zeros(count, np.int64)))
        nodes, which = np.asarray(model.points[0], float), np.arange(count)
        self.sample = self._compiled()
        centers, self.whole = _frame(_jit.type_of(model.args))
        began = perf_counter()
        centers(self.sample, nodes, which, lanes.reshape(-1), context, model.args)
        self.seconds = (perf_counter() - began) / count
        self.values = Values(like.shape, like.dtype, lanes)

    def _context(self, tasks: Tasks) -> Arrays:
        points = np.ascontiguousarray(self.model.points.T, float)
        return points, tasks.point, tasks.first, np.empty(0, np.int64) if tasks.second is None else tasks.second

    def _compiled(self) -> int:
        """The address of what samples the function, compiled once; kept by the function, so that both go together."""
        model, fun = self.model, self.model.fun
        kept = fun.__dict__.setdefault("_numgrad_kernels", {})
        args = _jit.type_of(model.args)
        key = model.is_vector, model.points.dtype.char, self.numbers, self.is_array, self.is_complex, args
        if key not in kept:
            keep = {
                (False, False): samples.keep_real,
                (False, True): samples.keep_complex,
                (True, False): samples.keep_array,
                (True, True): samples.keep_complex_array,
            }[self.is_array, self.is_complex]
            sample = _jit.fresh(
                samples.sample_vector if model.is_vector else samples.sample_scalar,
                allocates=True,
                FLOAT=model.points.dtype.type,
                NUMBERS=self.numbers // 2 if self.is_complex else self.numbers,
                fun=fun,
                keep=keep,
                value_at=_jit.intrinsics().reader(args),
            )
            row, ints = np.empty(0), np.empty(0, np.int64)
            context = np.empty((0, 0)), ints, ints, ints
            kept[key] = _jit.address(sample, row, row, ints, row, 0, 0, context, 0), sample
        return kept[key][0]  # type: ignore[no-any-return]

    def search(self, kind: Kind, tasks: Tasks, problem: Arrays, numbers: tuple[Any, ...], found: Arrays) -> None:
        total = tasks.point.size
        threads = 1
        if self.seconds * total * kind.levels * kind.samples > WORTHWHILE:
            threads = _threads.get_num_threads()
        piece = max(1, min(8 * search.BLOCK, -(-total // (2 * threads)))) if threads > 1 else total
        context, found = self._context(tasks), tuple(found)
        functions = (*_addresses(), self.sample)

        def work(pieces: Any) -> None:
            scratch = kind.scratch(numbers[2], min(search.BLOCK, total), self.model.is_vector)
            for start in pieces:
                stop = min(start + piece, total)
                self.whole(
                    functions, scratch, problem, found, numbers, kind.arrays, context, self.model.args, start, stop
                )

        _threads.share(work, range(0, total, piece), threads)


@cache
def _frame(args: Any) -> tuple[Any, Any]:
    """`centers` and `search` for further arguments of this type, for all functions: they call these by address."""
    inner = _jit.intrinsics()
    names: dict[str, Any] = {"call": inner.call, "address_of": inner.address_of}
    if not len(args):
        return (
            _jit.specialise(samples.centers, "no_arguments", **names),
            _jit.specialise(samples.search, "no_arguments", run=search.run, **names),
        )
    return (
        _jit.fresh(samples.centers, allocates=True, **names),
        _jit.fresh(samples.search, allocates=True, run=search.run, **names),
    )


@cache
def _addresses() -> tuple[int, ...]:
    """Where the kernels are; their arguments are of the same types for all functions."""
    total, kind = 1, Kind(central(1), 2, is_fixed=False)
    scratch, facts, number = kind.scratch(1, total, True), kind.arrays, 0
    row, ints = np.empty((1, total)), np.empty(total, np.int64)
    problem = row[0], row[0], row, row[0], row, ints
    results = row, row, row, np.empty((1, total), bool), ints
    numbers = (52, 0.5, 1)
    arguments = (
        (scratch, problem, numbers, number, number, facts),
        (scratch, 0.5, number, number, facts),
        (scratch, 0.5, number, number, facts),
        (scratch, results, number, number, number, facts),
    )
    return tuple(_jit.address(k, *given) for k, given in zip(kernels(), arguments, strict=True))


def caller_of(model: Model, is_vectorized: bool) -> PlainCaller | JittedCaller:
    if _jit.is_jitted(model.fun) and not is_vectorized:
        return JittedCaller(model)
    return PlainCaller(model, is_vectorized)
