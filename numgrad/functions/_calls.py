"""How functions are called: one point at a time, many at once, or compiled, with no Python in between."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from numgrad._checks import refuse_units
from numgrad._compile import jit
from numgrad._compile.plain import Bound
from numgrad._compile.tiers import Account
from numgrad._system.threads import get_num_threads, share
from numgrad.functions._kernels import calls as samples
from numgrad.functions._kernels import search
from numgrad.functions._kernels.layout import BLOCK
from numgrad.functions._quotients import Kind, central, drafts

# Tasks times numbers of a plain function that are searched for at once: their samples stay in the cache, and take no
# more memory than the result.
CHUNK = 4096
# Seconds of work that are worth handing to other threads.
WORTHWHILE = 500e-6

# Seconds for the search of the derivative of one number by plain kernels.
SEARCH = 0.5e-3
# The number of calls of a function from Python that take as long.
CENTERS = 1e-3
# Seconds to compile the calls of a jitted function.
SAMPLING = 1.0
# Seconds that a call of compiled code takes besides its work.
CALL = 30e-6

_NUMBERS = {np.dtype(kind) for kind in ("f4", "f8", "c8", "c16")}

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

    @property
    def variables(self) -> list[np.ndarray]:
        return [self.first] if self.second is None else [self.first, self.second]

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
        """Read an array of shape (..., points)."""
        values = np.asarray(values)
        if values.dtype.kind in "biu":
            values = values.astype(float)
        if values.dtype == object and all(hasattr(value, "__float__") for value in values.flat):
            values = values.astype(float)  # fractions, decimals, numbers of mpmath and SymPy
        if values.dtype not in _NUMBERS:
            kind = f"an object of type {values.flat[0]!r}" if values.dtype == object and values.size else values.dtype
            raise ValueError(f"`fun` returned {kind}; it must return real or complex numbers of at most 64 bits each")
        flat = values.reshape(-1, points)
        if values.dtype.kind == "c":
            flat = np.concatenate([flat.real, flat.imag])
        # A copy, in order: kernels are compiled for such arrays only.
        return cls(values.shape[:-1], values.dtype, np.array(flat, float, order="C"))


def _own(value: Any) -> Any:
    """A copy of an array: a function may return the same one each time."""
    return value.copy() if isinstance(value, np.ndarray) else value


@cache
def _account() -> Account:
    return Account(drafts(), SEARCH)


@lru_cache(maxsize=64)
def _account_of(*kind: Any) -> Account:
    return Account(drafts(), SEARCH, besides=SAMPLING)


class PlainCaller:
    """Calls a Python function, for one point after the other or, `is_vectorized`, for many at once."""

    def __init__(self, model: Model, is_vectorized: bool) -> None:
        self.model, self.is_vectorized = model, is_vectorized
        self.has_indices = model.is_vector or (is_vectorized and any(np.ndim(a) for a in model.args))
        point = np.arange(model.points.shape[1])
        self.shape: tuple[int, ...] | None = None
        self.fun = model.fun
        self.values = self._call((model.points if model.is_vector else model.points[0]).copy(), point)
        self.shape = self.values.shape
        if not is_vectorized:
            self.fun = self._within_domain

    def _within_domain(self, x: Any, *args: Any) -> Any:
        """Return NaN where the function raises an error as those of Python's `math` outside of their domain."""
        try:
            return self.model.fun(x, *args)
        except (ValueError, ArithmeticError):
            return np.full(self.values.shape, np.nan, self.values.dtype)[()]

    def _call(self, columns: np.ndarray, point: np.ndarray) -> Values:
        """Call the function at the columns, which belong to the points of these indices."""
        model = self.model
        with np.errstate(all="ignore"):  # outside its domain a function may well be nan
            if self.is_vectorized:
                given = (
                    a if np.ndim(a) == 0 else np.broadcast_to(a, model.shape).reshape(-1)[point] for a in model.args
                )
                found = self.fun(columns, *given)
            else:
                found = [_own(self.fun(x, *model.args)) for x in (columns.T.copy() if model.is_vector else columns)]
        if self.shape is None:  # the first call; what follows is of its kind
            refuse_units(found, "fun(x)")
        if self.is_vectorized:
            values = np.asarray(found)
        else:
            try:
                values = np.asarray(found)
            except ValueError:
                shapes = sorted({np.shape(value) for value in found})
                raise ValueError(
                    f"`fun` returned the shapes {shapes}; it must return one shape for all points"
                ) from None
            values = np.moveaxis(values, 0, -1) if values.ndim > 1 else values
        if self.is_vectorized and values.shape[-1:] != point.shape:
            raise ValueError(
                f"`fun` returned shape {values.shape} for an array of shape {columns.shape}; with vectorized=True the "
                f"last axis must be that of the {point.size} points. Leave vectorized=True away if it takes one point"
            )
        if self.shape is not None and values.shape[:-1] != self.shape:
            raise ValueError(
                f"`fun` returned the shapes {self.shape} and {values.shape[:-1]}; it must return one for all points"
            )
        return Values.read(values, point.size)

    def search(self, kind: Kind, tasks: Tasks, problem: Arrays, numbers: tuple[Any, ...], found: Arrays) -> None:
        model = self.model

        def sample(*given: Any) -> None:
            """Do in Python what the kernel of this name does, with its arguments."""
            nodes, nodes2, which, values, count, start, _, _ = given
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
                raise ValueError("`fun` returned both real and complex numbers; it must return one kind for all points")
            values[: lanes.size] = lanes.reshape(-1)

        chunk = min(max(BLOCK, CHUNK // max(numbers[2], 1)), tasks.point.size)
        scratch = kind.scratch(numbers[2], chunk, self.has_indices)
        given = scratch, problem, tuple(found), numbers, kind.arrays, None, None
        timed = Timed(sample)
        _account().run(
            tasks.point.size * numbers[2],
            lambda: _search([d.plain for d in drafts()], timed, given, range(0, tasks.point.size, chunk)),
            lambda: _search([d.compiled for d in drafts()], sample, given, range(0, tasks.point.size, chunk)),
            timed.clock,
        )


def _search(kernels: list[Any], sample: Any, given: tuple[Any, ...], starts: range) -> None:
    """Search piece by piece, which Python sees to."""
    for start in starts:
        arguments = (*kernels, sample), *given, start, min(start + starts.step, starts.stop)
        search.run(*arguments)


class Timed:
    """A function, and a clock that stands still while it runs."""

    def __init__(self, function: Callable[..., None]) -> None:
        self.function, self.seconds = function, 0.0

    def __call__(self, *arguments: Any) -> None:
        began = perf_counter()
        self.function(*arguments)
        self.seconds += perf_counter() - began

    def clock(self) -> float:
        return perf_counter() - self.seconds


def first_values(model: Model) -> Values:
    """Return what a jitted function returns at the first point; if it does not take that, Numba says so."""
    x = model.points[:, 0].copy() if model.is_vector else model.points[0, 0]
    value = model.fun(x, *model.args)
    if isinstance(value, (tuple, list)):
        raise ValueError(f"`fun` returned a {type(value).__name__}; a jitted function must return a number or an array")
    return Values.read(np.asarray(value, jit.dtype_returned(model.fun, x, *model.args))[..., None], 1)


class JittedCaller:
    """Calls a function that Numba has compiled: from kernels that are compiled for it, once, or from Python."""

    def __init__(self, model: Model) -> None:
        self.model = model
        like = first_values(model)
        count = model.points.shape[1]
        self.values = Values(like.shape, like.dtype, np.empty((like.lanes.shape[0], count)))
        args = jit.type_of(model.args) if model.args else None
        self._kind = model.fun, model.is_vector, model.points.dtype, like.shape, like.dtype.kind == "c", args
        self._account = _account_of(*self._kind)
        context = self._context(Tasks(np.arange(count), np.zeros(count, np.int64)))
        nodes, which = np.array(model.points[0], float), np.arange(count)
        row = nodes, nodes, which, self.values.lanes.reshape(-1), count, 0, context, model.args
        began = perf_counter()
        self._account.run(
            count * like.lanes.shape[0] * CENTERS,
            lambda: _plainly(*self._kind)(*row),
            lambda: self._with_args(0, (_sampling(*self._kind), nodes, which, row[3], context)),
        )
        self.seconds = max(perf_counter() - began - CALL, 0.0) / count

    def _context(self, tasks: Tasks) -> Arrays:
        points = np.ascontiguousarray(self.model.points.T, float)
        return points, tasks.point, tasks.first, np.empty(0, np.int64) if tasks.second is None else tasks.second

    def _with_args(self, which: int, before: tuple[Any, ...], after: tuple[Any, ...] = ()) -> None:
        """Call `centers` (0) or `search` (1), with the address of the further arguments of the function."""
        if self.model.args:
            _hold(jit.type_of(self.model.args))(_frame_addresses()[which], before, self.model.args, after)
        else:
            _frame()[which](*before, 0, *after)

    def search(self, kind: Kind, tasks: Tasks, problem: Arrays, numbers: tuple[Any, ...], found: Arrays) -> None:
        timed = Timed(_plainly(*self._kind))
        self._account.run(
            tasks.point.size * numbers[2],
            lambda: self._search_plainly(timed, kind, tasks, problem, numbers, found),
            lambda: self._search_compiled(kind, tasks, problem, numbers, found),
            timed.clock,
        )

    def _search_plainly(
        self, sample: Any, kind: Kind, tasks: Tasks, problem: Arrays, numbers: tuple[Any, ...], found: Arrays
    ) -> None:
        total = tasks.point.size
        chunk = min(BLOCK, total)
        scratch = kind.scratch(numbers[2], chunk, self.model.is_vector)
        given = scratch, problem, tuple(found), numbers, kind.arrays, self._context(tasks), self.model.args
        _search([d.plain for d in drafts()], sample, given, range(0, total, chunk))

    def _search_compiled(
        self, kind: Kind, tasks: Tasks, problem: Arrays, numbers: tuple[Any, ...], found: Arrays
    ) -> None:
        total = tasks.point.size
        threads = 1
        if self.seconds * total * kind.levels * kind.samples > WORTHWHILE:
            threads = get_num_threads()
        piece = max(1, min(64 * BLOCK, -(-total // (2 * threads)))) if threads > 1 else total
        context, found = self._context(tasks), tuple(found)
        functions = (*_addresses(), _sampling(*self._kind))

        def work(pieces: Any) -> None:
            scratch = kind.scratch(numbers[2], min(BLOCK, total), self.model.is_vector)
            for start in pieces:
                stop = min(start + piece, total)
                self._with_args(1, (functions, scratch, problem, found, numbers, kind.arrays, context), (start, stop))

        share(work, range(0, total, piece), threads)


def _calling(fun: Any, is_vector: bool, dtype: np.dtype, shape: tuple[int, ...], is_complex: bool) -> Any:
    """Return the kernel that calls a function, and the names that are bound in it."""
    keep = {
        (False, False): samples.keep_real,
        (False, True): samples.keep_complex,
        (True, False): samples.keep_array,
        (True, True): samples.keep_complex_array,
    }[shape != (), is_complex]
    each = samples.each_vector if is_vector else samples.each_scalar
    return each, {"FLOAT": dtype.type, "SHAPE": shape, "fun": fun, "keep": keep}


@lru_cache(maxsize=64)
def _plainly(*kind: Any) -> Any:
    """Return the plain function that calls a function from Python."""
    return Bound(*_calling(*kind[:-1])).plain


@lru_cache(maxsize=64)
def _sampling(*kind: Any) -> "Address":
    """Compile the kernel that calls a function, once."""
    each, names = _calling(*kind[:-1])
    args = kind[-1]
    value_at = samples.value_at if args is None else jit.intrinsics().reader(args)
    # References are counted inside only: where the function raises, no count is left behind outside.
    inside = jit.fresh(each, allocates=True, **names)
    sample = jit.fresh(samples.sample, each=inside, value_at=value_at)
    row, ints = np.empty(0), np.empty(0, np.int64)
    return Address(sample, row, row, ints, row, 0, 0, (np.empty((0, 0)), ints, ints, ints), 0)


class Address(int):
    """The address of compiled code, which stays there as long as this is kept."""

    kernel: Any

    def __new__(cls, kernel: Any, *arguments: Any) -> "Address":
        address = super().__new__(cls, jit.address(kernel, *arguments))
        address.kernel = kernel
        return address


@cache
def _frame() -> tuple[Any, Any]:
    """`centers` and `search`, for all functions: they call these by address."""
    call = jit.intrinsics().call
    return jit.specialise(samples.centers, call=call), jit.specialise(samples.search, call=call)


@cache
def _hold(args: Any) -> Any:
    inner = jit.intrinsics()
    return jit.fresh(samples.hold, call=inner.call, address_of=inner.address_of)


class _Like(NamedTuple):
    """Arguments of the types that all kernels are compiled for."""

    scratch: Arrays
    problem: Arrays
    results: Arrays
    numbers: tuple[int, float, int]
    facts: tuple[Any, ...]
    context: Arrays


@cache
def _like() -> _Like:
    kind, row, ints = Kind(central(1), 2, is_fixed=False), np.empty((1, 1)), np.empty(1, np.int64)
    return _Like(
        kind.scratch(1, 1, True),
        (row[0], row[0], row, row[0], row, ints),
        (row, row, row, np.empty((1, 1), bool), ints),
        (52, 0.5, 1),
        kind.arrays,
        (row, ints, ints, ints),
    )


@cache
def _addresses() -> tuple[int, ...]:
    like = _like()
    arguments = (
        (like.scratch, like.problem, like.numbers, 0, 0, like.facts),
        (like.scratch, 0.5, 0, 0, 0, like.facts),
        (like.scratch, like.results, 0, 0, 0, like.facts),
    )
    return tuple(jit.address(k.compiled, *given) for k, given in zip(drafts(), arguments, strict=True))


@cache
def _frame_addresses() -> tuple[int, int]:
    like, row = _like(), np.empty(1)
    functions = (0,) * 4
    centers, whole = _frame()
    given = like.scratch, like.problem, like.results, like.numbers, like.facts, like.context
    return (
        jit.address(centers, 0, row, np.empty(1, np.int64), row, like.context, 0),
        jit.address(whole, functions, *given, 0, BLOCK, BLOCK),
    )


def compile_frame() -> None:
    """Compile or load what all jitted functions have in common."""
    _addresses()
    _frame_addresses()


def caller_of(model: Model, is_vectorized: bool) -> PlainCaller | JittedCaller:
    if jit.is_jitted(model.fun) and not is_vectorized:
        return JittedCaller(model)
    return PlainCaller(model, is_vectorized)
