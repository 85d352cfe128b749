"""Exact derivatives of jitted functions, at many points: which numbers carry them, and the compiled loops."""

import linecache
import re
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from math import factorial
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numba import typeof, types
from numba.core.errors import NumbaError
from numba.core.registry import cpu_target

from numgrad._compile import jit
from numgrad._system.threads import get_num_threads, share
from numgrad.functions._exact import complexes, contents, elements, loops, makers, seeds, sums, written
from numgrad.functions._exact.bounds import Bound
from numgrad.functions._exact.jets import Jet
from numgrad.functions._exact.numbers import Dual
from numgrad.functions._exact.operations import CIRCLE, Operations, operations, type_of
from numgrad.functions._exact.tape import Variable

# Variables that a call in forward mode is derived with respect to, at most: two registers of AVX. Functions of more
# variables than the second take reverse mode, if their value is a number: sums of products take four times as long by a
# tape, and three times in three calls.
WIDTH, FEW = 8, 24
# Points whose time is measured; and seconds of work that are worth handing to other threads.
POINTS, WORTHWHILE = 256, 500e-6

_ = complexes, makers, sums, written  # whose rules are among the others


class NoRule(TypeError):  # noqa: N818  # what it says
    """A function does something that has no rule of differentiation."""


class Kind(NamedTuple):
    """What a loop is compiled for: a function, the dtypes of points and values, and the shape of values."""

    fun: Callable[..., Any]
    dtype: np.dtype
    returned: np.dtype
    shape: tuple[int, ...]


class Found(NamedTuple):
    """The derivatives of a function; their errors, when asked for; and how often it was called."""

    derivatives: np.ndarray  # of shape (points, numbers, variables ...)
    error: Callable[[], np.ndarray]
    calls: int  # of the function, at each point


def _names(number: Any, kind: Kind, names: dict[str, Any]) -> dict[str, Any]:
    """Return what is bound in a loop for a function and a type of number."""
    own = {"FLOAT": kind.dtype.type, "SHAPE": kind.shape, "fun": operations(number).of(kind.fun)}
    return {**own, "value": seeds.value, "partial": seeds.partial, **names}


def _loop(kernel: Any, number: Any, kind: Kind, **names: Any) -> Any:
    """Return a loop for a function and a type of number. It is kept on disk if the function is."""
    said = map(str, (kernel.__name__, number, kind.dtype, kind.returned, kind.shape))
    return jit.fresh(kernel, allocates=True, kept_as=kept_as(kind.fun, *said), **_names(number, kind, names))


def _part(kernel: Any, number: Any, kind: Kind, **names: Any) -> Any:
    """Return what a loop calls."""
    return jit.Draft(kernel, (), _names(number, kind, names), frozenset(), inline=True)


def kept_as(fun: Any, *what: str) -> tuple[str, str] | None:
    """Return what is made of a function is kept as, on disk: a name, and a stamp; None if it is not to be kept."""
    if not contents.is_kept(fun):
        return None
    said = contents.words(fun)
    if said is None:
        return None
    plain, code = fun.py_func, fun.py_func.__code__
    one_of_many = said if plain.__closure__ else ""  # functions that another one makes have one name
    name = jit.digest(code.co_filename, plain.__qualname__, str(code.co_firstlineno), one_of_many, *what)
    return name, jit.digest(said, _sources())


@cache
def _sources() -> str:
    """All of the code that derives functions."""
    return "".join(source.read_text() for source in sorted(Path(__file__).parent.glob("*.py")))


def _keep(kind: Kind, number: Any, **names: Any) -> Any:
    return _part(loops.keep_array if kind.shape else loops.keep_number, number, kind, **names)


def _base(kind: Kind, is_bound: bool) -> Any:
    base = typeof(kind.dtype.type(0))
    return Bound(base) if is_bound else base


def of_order(n: int, base: Any) -> Any:
    """Return the type of number that derives a function of a number n times."""
    return Dual(1, base) if n == 1 else Jet(n, base)


@lru_cache(maxsize=64)
def of_numbers(kind: Kind, n: int, is_bound: bool = False) -> Any:
    """Return the loop that derives a function of a number n times, or that finds the bounds of their errors."""
    number = of_order(n, _base(kind, is_bound))
    partial = seeds.error if is_bound else seeds.partial
    keep = _keep(kind, number, FACTOR=float(factorial(n)), partial=partial)
    return _loop(loops.of_numbers, number, kind, seed=seeds.seed_of(number), keep=keep)


@lru_cache(maxsize=64)
def forward(kind: Kind, width: int, is_bound: bool = False) -> Any:
    """Return the loop that derives a function of a vector, with respect to `width` variables at a time."""
    number = Dual(width, _base(kind, is_bound))
    names = {"unit": seeds.unit_of(number), "empty": elements.empty_of(number), "WIDTH": width}
    keep = _keep(kind, number, FACTOR=1.0, partial=seeds.error if is_bound else seeds.partial)
    return _loop(loops.forward, number, kind, keep=keep, **names)


@lru_cache(maxsize=64)
def twice_forward(kind: Kind, width: int, is_bound: bool = False) -> Any:
    """Return the loop that derives a function of a vector twice."""
    number = Dual(1, Dual(width, _base(kind, is_bound)))
    kept = loops.keep_row_of_array if kind.shape else loops.keep_row_of_number
    keep = _part(kept, number, kind, second=seeds.error if is_bound else seeds.second)
    names = {"row_unit": seeds.row_unit_of(number), "empty": elements.empty_of(number), "WIDTH": width}
    return _loop(loops.twice_forward, number, kind, keep_row=keep, **names)


@lru_cache(maxsize=64)
def reverse(kind: Kind) -> Any:
    """Return the loop that derives a function of a vector by a tape."""
    number = Variable(_base(kind, False))
    names = {"unit": seeds.variable_of(number), "empty": elements.empty_of(number), "place": seeds.place}
    return _loop(loops.reverse, number, kind, **names)


def forget() -> None:
    """Forget all loops: a rule has come that they do not know."""
    for made in (of_numbers, forward, twice_forward, reverse):
        made.cache_clear()


class Way(NamedTuple):
    """How a derivative is found, before it is: the mode, and what loses derivatives on the way."""

    mode: str
    flat: list[str]


def way(kind: Kind, count: int | None, args: tuple[Any, ...], order: int) -> Way:
    """Return how a function of a number (None), or of so many variables, is derived.

    Raises
    ------
    NoRule
        If something in it has no rule.
    """
    base = _base(kind, False)
    if count is None:
        number = of_order(order, base)
        return Way(_mode(number), _flat(number, number, kind, args))
    width = min(WIDTH, count)
    numbers: list[Any] = [Dual(width, base) if order == 1 else Dual(1, Dual(width, base))]
    if order == 1 and _is_for_a_tape(kind, count):
        numbers.insert(0, Variable(base))
    because = ""
    for number in numbers:
        try:
            return Way(_mode(number) + because, _flat(number, types.Array(number, 1, "C"), kind, args))
        except NoRule:
            if number is numbers[-1]:
                raise
            because = ", for something in it, as complex numbers, has none in reverse mode"
    raise AssertionError


def _flat(number: Any, x: Any, kind: Kind, args: tuple[Any, ...]) -> list[str]:
    made = Operations(number)
    context = cpu_target.typing_context
    try:
        function = type_of(context, made.of(kind.fun))
        context.resolve_function_type(function, (x, *map(typeof, args)), {})
    except NumbaError as error:
        raise NoRule(reason_of(error, kind.fun)) from error
    return made.flat()


def _mode(number: Any) -> str:
    if isinstance(number, Variable):
        return "reverse mode"
    if isinstance(number, Jet):
        return f"Taylor's series up to the power {number.order}"
    if isinstance(number.base, Dual):
        return f"forward mode, twice, a row and {number.base.n} variables at a time"
    return "forward mode" if number.n == 1 else f"forward mode, {number.n} variables at a time"


def _is_for_a_tape(kind: Kind, count: int) -> bool:
    return not kind.shape and count > FEW and kind.returned.kind == "f"


def found(kind: Kind, points: np.ndarray, args: tuple[Any, ...], order: int, is_vector: bool) -> Found:
    """Derive a function of a number, or of a vector, at points of shape (points, variables).

    Raises
    ------
    NoRule
        If something in it has no rule.
    """
    if not is_vector:
        return derivative(kind, points, args, order)
    return partials(kind, points, args) if order == 1 else second_partials(kind, points, args)


def derivative(kind: Kind, points: np.ndarray, args: tuple[Any, ...], n: int) -> Found:
    """Derive a function of a number n times, at points of shape (points, 1)."""
    return _found(of_numbers, kind, points, args, (1,), 1, n)


def partials(kind: Kind, points: np.ndarray, args: tuple[Any, ...]) -> Found:
    """Derive a function of a vector, at points of shape (points, variables)."""
    count = points.shape[1]
    width = min(WIDTH, count)
    if _is_for_a_tape(kind, count):
        try:
            return _found(_reversed, kind, points, args, (count,), 1)
        except NoRule:
            pass  # complex numbers are to be had in forward mode
    return _found(forward, kind, points, args, (count,), -(-count // width), width)


def second_partials(kind: Kind, points: np.ndarray, args: tuple[Any, ...]) -> Found:
    """Derive a function of a vector twice, at points of shape (points, variables)."""
    count = points.shape[1]
    width = min(WIDTH, count)
    calls = sum(-(-(row + 1) // width) for row in range(count))
    return _found(twice_forward, kind, points, args, (count, count), calls, width)


def _reversed(kind: Kind) -> Any:
    """Return what runs `reverse`, with a tape."""
    kernel = reverse(kind)

    def run(points: Any, out: Any, start: int, stop: int, args: Any) -> None:
        run_reverse(kernel, points, out, start, stop, args)

    return run


def _found(
    make: Any, kind: Kind, points: np.ndarray, args: Any, shape: tuple[int, ...], calls: int, *which: int
) -> Found:
    count, numbers = points.shape[0], int(np.prod(kind.shape))
    derivatives = np.empty((count, numbers, *shape), kind.returned)
    try:
        run(make(kind, *which), points, derivatives, args)
    except NumbaError as error:
        raise NoRule(reason_of(error, kind.fun)) from error

    def bounds() -> np.ndarray:
        """Find the bounds of the errors of the derivatives, one variable at a time; inf where a rule has no rule."""
        found = np.empty(derivatives.shape)
        loop: Any = forward if make is _reversed else make
        one = which[0] if make is of_numbers else 1
        try:
            run(loop(kind, one, True), points, found, args)
        except NumbaError:
            found.fill(np.inf)
        return found

    return Found(derivatives, bounds, calls)


def reason_of(error: NumbaError, fun: Any) -> str:
    """Return what a function does that has no rule, where, and what to do."""
    text = str(error)
    name = getattr(fun, "__name__", "fun")
    what = "it does something that cannot be derived"
    missing = re.search(r"No implementation of function Function\((?:<[\w ]*?(?:function|ufunc) )?'?([\w.]+)", text)
    attribute = re.search(r"Unknown attribute '(\w+)'", text)
    if missing:
        what = f"there is no rule for `{missing[1]}` of such numbers"
    elif attribute:
        what = f"there is no rule for `.{attribute[1]}`"
    elif CIRCLE in text:
        what = f"there is no rule for {CIRCLE}"
    elif "ExternalFunctionPointer" in text:
        what = "it calls a function of which only the address is known"
    where = ""
    for path, line in re.findall(r"During: typing of [^\n]*? at (.+?) \((\d+)\)", text):
        if "/numgrad/functions/_exact/" not in path.replace("\\", "/") and "/numba/" not in path:
            source = linecache.getline(path, int(line)).strip()
            where = f", in line {line} of {path}" + (f": {source}" if source else "")
            break
    return (
        f"`{name}` has no exact derivative: {what}{where}. Write that part by other functions, give it a rule by "
        f"`numgrad.functions.rule`, or use method='quotients'"
    )


class Tape:
    """Memory for the records of a function."""

    def __init__(self, n: int) -> None:
        self.words = np.zeros(8, np.int64)
        self.make(64 * n + 4096, 32 * n + 2048, n)

    def make(self, weights: int, records: int, n: int) -> None:
        """Make room for so many weights and records."""
        self.weights, self.places = np.empty(weights), np.empty(weights, np.uint32)
        self.ends, self.adjoints = np.empty(records, np.int64), np.empty(records + n + 1)

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        return self.words, self.weights, self.places, self.ends, self.adjoints


_tapes: list[Tape] = []


def run_reverse(kernel: Any, points: np.ndarray, out: np.ndarray, start: int, stop: int, args: Any) -> None:
    """Derive by a tape, which is taken from those that lie ready and given back; a full one is made larger."""
    n = points.shape[1]
    tape = _tapes.pop() if _tapes else Tape(n)
    if tape.adjoints.size < tape.ends.size + n + 1:
        tape.make(tape.weights.size, tape.ends.size, n)
    while start < stop:
        start = kernel(points, out, start, stop, *tape.arrays, args)
        if start < stop:
            tape.make(2 * int(tape.words[3]), 2 * int(tape.words[4]), n)
    _tapes.append(tape)


def run(kernel: Any, points: np.ndarray, out: np.ndarray, args: Any) -> None:
    """Run a loop over all points, on all threads if that pays: some points say how long the others take."""
    count = points.shape[0]
    first = min(POINTS, count)
    began = perf_counter()
    kernel(points, out, 0, first, args)
    seconds = (perf_counter() - began) * (count - first) / first
    threads = get_num_threads() if seconds > WORTHWHILE else 1
    piece = max(1, -(-(count - first) // (4 * threads))) if threads > 1 else max(count - first, 1)

    def work(pieces: Iterator[int]) -> None:
        for start in pieces:
            kernel(points, out, start, min(start + piece, count), args)

    share(work, range(first, count, piece), threads)
