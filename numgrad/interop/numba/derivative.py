"""The code of numgrad.derivative inside `@njit`, for arguments of given types and options that are constants."""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import types

from numgrad._arrays.derivative import read_call
from numgrad._arrays.gradient import MESSAGES
from numgrad._arrays.kernels.coordinates import fill_rows, fill_table, first_turn
from numgrad._arrays.plan.coefficients import end_places, end_samples, reach_of, unit_weights, weighing
from numgrad._arrays.plan.compose import compiled
from numgrad._arrays.plan.dispatch import axis_plan
from numgrad._arrays.plan.dtypes import FIELDS, REAL
from numgrad._arrays.plan.fornberg import EXACT
from numgrad._arrays.plan.options import BOUNDARIES, EXPONENTS, Key, StencilFormula, Wanted, exponents
from numgrad._arrays.plan.schemes import GAPS
from numgrad._arrays.plan.spacing import EXACT_INTEGERS
from numgrad._compile.intrinsics import frozen, opaque
from numgrad._compile.jit import specialise
from numgrad.interop.numba import gradient as numba_gradient
from numgrad.interop.numba.source import Source, block, dtype_of, is_none, is_sequence, known, plain

# The options, each with a value for an example.
OPTIONS = {"n": 2, "accuracy": 4, "boundary": "periodic", "edge_accuracy": 2, "nan": "one-sided"}
ARGUMENTS = (
    "f, x=None, n=1, accuracy=None, axis=-1, boundary='one-sided', edge_accuracy=None, period=None, nan='propagate', "
    "window=None, degree=None, sigma=None, out=None"
)


class ArgumentError(ValueError):
    """The error that `derivative` raises outside of `@njit` for such arguments: it is called to get the message."""

    def __init__(self, shape: Any, dtype: str, order: Any, x: Any, axis: int, period: Any, *options: Any) -> None:
        super().__init__(
            f"`f` has shape {shape}: inside @njit an axis must have n + accuracy points also where `edge_accuracy` is "
            "less; or `x` has distances at the very limits of what weights may be; choose another unit"
        )
        given = dict(zip(OPTIONS, options, strict=True))
        try:
            read_call(np.empty(shape, dtype, order), x, axis=axis, period=period, **given).request()
        except ValueError as error:
            self.args = error.args

    def __reduce__(self) -> Any:
        return ValueError, self.args


class Case(NamedTuple):
    """A call, as far as its types and constants tell; `x` is the type of a number or of an array of coordinates."""

    source: Source
    array: Any
    x: Any
    formula: StencilFormula
    has_period: bool
    refusal: str

    @property
    def dtype(self) -> "np.dtype[Any]":
        return dtype_of(self.array)  # type: ignore[no-any-return]

    @property
    def needed(self) -> int:
        """How many points an axis must have: rows of weights are for one that has points inside, if one-sided."""
        return max(self.formula.points_needed, self.formula.most_points * (self.formula.boundary == "one-sided"))

    @property
    def factor(self) -> float:
        return float(math.factorial(self.formula.n))


def implementation(f: Any, x: Any, axis: Any, period: Any, out: Any, outside: dict[str, Any], **options: Any) -> Any:
    """Return a function with these arguments by name, which Numba compiles; raise TypingError if there is none.

    `outside` are arguments that are for calls from outside of compiled code.
    """
    source = Source("derivative")
    source.refuse_out(out)
    for name, given in outside.items():
        if not is_none(given):
            raise source.error(f"`{name}` is given; inside @njit leave it away, or call derivative outside of it")
    array = source.samples(f)
    kind = _spacing(source, x)
    if not isinstance(plain(axis), types.Integer):
        raise source.error(f"`axis` is {axis}; give an integer")
    has_period = not is_none(period)
    if has_period and not isinstance(plain(period), (types.Integer, types.Float)):
        raise source.error(f"`period` is {period}; give a number, or leave it away")
    values = {name: _constant(source, name, given) for name, given in options.items()}
    try:
        formula = read_call(np.empty(2 * EXACT), **values).formula
    except (TypeError, ValueError) as error:
        # It always raises; but code after a call must have types, so there is a result.
        source.add("if f.size >= 0: raise Error(MESSAGE)", Error=type(error), MESSAGE=str(error))
        source.add(f"return {source.like()}")
        return source.function(ARGUMENTS, (f, x, axis, period, *options.values()))
    source.axis(0, "axis", axis, array.ndim)
    stand_in = dtype_of(array).str, "F" if source.is_fortran else "C"
    given = f"f.shape, {stand_in[0]!r}, {stand_in[1]!r}, x, a0, period, {', '.join(map(repr, values.values()))}"
    refusal = f": raise ArgumentError({given})"
    case = Case(source, array, kind, formula, has_period, refusal)
    real = REAL[FIELDS[case.dtype]]
    source.add(
        **MESSAGES,
        ArgumentError=ArgumentError,
        log2=math.log2,
        real=real,
        opaque=opaque,
        frozen=frozen,
    )
    lines = _with_coordinates(case) if isinstance(kind, types.Array) and kind.ndim else _with_number(case)
    source.add(f"o0 = {source.like()}", "if f.size:", block(*lines), "return o0")
    return source.function(ARGUMENTS, (f, x, axis, period, *options.values()))


def _spacing(source: Source, x: Any) -> Any:
    """Return the type of the spacing, which is a number or an array: of a list, one is made."""
    if is_none(x):
        source.add("x = 1.0")
        return types.float64
    kind = plain(x)
    if is_sequence(kind):
        kind = types.Array(plain(kind.dtype), 1, "C")
        source.copy("coordinates", "x", x, dtype_of(kind).type)
        source.add("x = coordinates")
    dtype = dtype_of(kind) if isinstance(kind, types.Array) else None
    is_real = dtype is not None and (dtype.kind in "iu" or dtype in (np.float32, np.float64))
    if not (is_real or isinstance(kind, (types.Integer, types.Float))):
        raise source.error(f"`x` is {x}; give a real number, or coordinates of float32, float64 or integers")
    return kind


def _constant(source: Source, name: str, given: Any) -> Any:
    value = None if is_none(given) else known(given)
    if value is None and not is_none(given):
        raise source.error(f"`{name}` is {given}; inside @njit it must be a constant, as in {name}={OPTIONS[name]!r}")
    return value


def _with_number(case: Case) -> list[str]:
    """Lines that fill o0 for a number as spacing, after the checks."""
    source, formula = case.source, case.formula
    least, most = exponents(case.dtype)
    source.add("distance = np.float64(x[()])" if isinstance(case.x, types.Array) else "distance = np.float64(x)")
    limits = f"{least!r} < {-formula.n} * log2(abs(distance)) < {most!r}"
    limits = "0 < abs(distance) < np.inf" if case.formula.is_gradient else limits
    wrong = f"length0 < {case.needed} or not ({limits})" + " or f.size >= 0" * case.has_period
    source.add(f"if {wrong}{case.refusal}")
    if case.formula.is_gradient:
        return _as_gradient(case, numba_gradient.read(source, 0, "x", case.x))
    size = case.needed
    recipe = axis_plan(case.dtype, (size,), None, Wanted(0, 1.0, formula, 0.0)).recipe
    (offsets, weights), found, samples, low = unit_weights(formula, size)
    source.add(kernel=compiled(recipe, False), WEIGHTS=found)
    lines = [
        # LLVM makes a square of a power of 2; that of the C library, and of Python, may differ from it.
        f"power = distance ** np.float64(opaque({formula.n}))",
        f"taps = ({''.join(f'{o} * inner0, ' for o in offsets)})",
        f"weights = ({''.join(f'real({w!r} / power), ' for w in weights)})",
        *_ends(case, "WEIGHTS[r, j] / power", samples, low, size),
    ]
    constants = "taps, weights, (frozen(rows), frozen(samples), low)"
    if GAPS in recipe.schemes:
        lines += ["points = np.arange(np.float64(length0))"]
        numbers = _numbers(case, is_even=True), "np.float64(length0)", f"{case.factor} / power", "length0 < 0"
        constants = f"flat(points, True), ({', '.join(numbers)}), ({constants})"
    return [*lines, _call("kernel", constants)]


def _with_coordinates(case: Case) -> list[str]:
    """Lines that fill o0 for coordinates: those of each line, or of one for all lines."""
    source, formula, needed = case.source, case.formula, case.needed
    is_own = case.x.ndim == case.array.ndim
    dtype = dtype_of(case.x)
    is_wide = dtype in (np.int64, np.uint64)
    read, given = ("whole", dtype) if is_wide else ("points", np.dtype(np.float64))
    if is_own and case.x.ndim > 1:
        source.add("fits, size, hop = x.shape == f.shape, length0, inner0", given=given.type)
        if not (case.x.layout == case.array.layout and dtype == given):
            source.add(f"lines = {source.like('given')}", "if fits: lines[:] = x")
        else:
            source.add("lines = x")
        source.add(f"{read} = flat(lines, True)")
    else:
        source.add(f"fits, size, hop = {case.x.ndim} == 1 and len(x) == length0, length0, np.int64(1)")
        source.coordinates(read, "x", case.x, given.type)
    spacing: Any = "x", case.x
    if is_wide:
        spacing = "points", types.Array(types.float64, 1, "C", readonly=True)
        _from_first(source)
    source.add("steps = np.empty(2)", "steps[0] = steps[1] = 1.0", "span = 0.0")
    source.add(first_turn=specialise(first_turn))
    least, most = exponents(case.dtype)
    wrong = [
        f"not fits or length0 < {needed}",
        "(points.size and length0 > 1 and first_turn(points, steps, size, hop) >= 0)",
    ]
    if not case.formula.is_gradient or is_own:
        wrong.append(f"not ({least!r} < {-formula.n} * log2(steps[1]) and {-formula.n} * log2(steps[0]) < {most!r})")
    repeats = "0.0"
    if case.has_period and formula.boundary == "periodic":
        repeats = "np.float64(period)"
        source.add("for i in range(0, points.size if fits else 0, max(1, size * hop)):")
        source.add("    for j in range(i, i + hop): span = max(span, abs(points[j + (size - 1) * hop] - points[j]))")
        wrong.append("not (span < period < np.inf)")
    elif case.has_period or formula.boundary == "periodic":
        wrong.append("f.size >= 0")
    source.add(f"if {' or '.join(wrong)}{case.refusal}", f"repeats = {repeats}")
    if case.formula.is_gradient and not (is_own and case.x.ndim > 1):
        return _as_gradient(case, numba_gradient.read(source, 0, *spacing))
    lines = _with_weights(case, is_own)
    if case.formula.is_gradient:
        # Lines of their own that are one line, after all.
        spacing = numba_gradient.CoordinateSpacing(np.float32 if case.x.dtype == types.float32 else np.float64)
        source.coordinates("h0", "points", types.Array(types.float64, 1, "C"), spacing.own)
        lines = ["if points.size == length0:", block(*_as_gradient(case, spacing)), "else:", block(*lines)]
    return lines


def _from_first(source: Source) -> None:
    """Make `points` of integers, `whole`, as `spacing.from_first` does."""
    limits = f"< -{EXACT_INTEGERS}", f"> {EXACT_INTEGERS}"
    beyond = " or ".join(f"{end} {limit}" for end in ("first", "last") for limit in limits)
    source.add(
        "distances = np.empty(whole.size)",
        "for i in range(whole.size if fits else 0):",
        "    at = i - i // hop % size * hop",
        "    here, first, last = whole[i], whole[at], whole[at + (size - 1) * hop]",
        f"    if not ({beyond}): distances[i] = here",
        "    elif here >= first: distances[i] = np.float64(np.uint64(here) - np.uint64(first))",
        "    else: distances[i] = -np.float64(np.uint64(first) - np.uint64(here))",
        "points = flat(distances, True)",
    )


def _with_weights(case: Case, is_own: bool) -> list[str]:
    """Lines that find the weights for coordinates, and fill o0 by them."""
    source, formula = case.source, case.formula
    low, _ = reach_of(formula, is_even=False)
    wanted = [Wanted(0, Key(is_own, is_extreme), formula, 0.0) for is_extreme in (False, True)]
    recipes = [axis_plan(case.dtype, (99,), None, one).recipe for one in wanted]
    source.add(kernel=compiled(recipes[0], False), scaled_kernel=compiled(recipes[1], False))
    # As outside of @njit: the same comparison of the same numbers.
    count = formula.most_points
    extreme = f"max(abs(log2(steps[0])), abs(log2(steps[1] * {count}))) * {count} > {EXPONENTS}"
    lines = [f"is_extreme = {extreme}"]
    if is_own:
        ends = f"np.int64({BOUNDARIES[formula.boundary]}), np.int64({formula.n + formula.edges}), repeats"
        constants = f"points, {case.factor}, np.int64({low}), ({ends})"
    else:
        lines += _table(case)
        constants = "frozen(table), low, (frozen(rows), frozen(samples), low)"
    if GAPS in recipes[0].schemes:
        flag = "length0 >= 0" if is_own else "length0 < 0"
        constants = f"points, ({_numbers(case, is_even=False)}, repeats, {case.factor}, {flag}), ({constants})"
    if recipes[0] == recipes[1]:
        return [*lines, _call("kernel", constants)]
    return [
        *lines,
        f"if is_extreme: {_call('scaled_kernel', constants)}",
        f"else: {_call('kernel', constants)}",
    ]


def _table(case: Case) -> list[str]:
    """Lines that find the weights of all points of the same lines."""
    source, formula = case.source, case.formula
    low, high = reach_of(formula, is_even=False)
    count, size = low + high + 1, case.needed
    places, low_rows = end_places(formula, size, is_even=False)
    samples = end_samples(formula, places, low_rows, size)
    for prefix, scaled in (("", False), ("scaled_", True)):
        source.add(**{f"{prefix}fill_table": weighing(fill_table, count, formula.n, scaled).compiled})
        source.add(**{f"{prefix}fill_rows": weighing(fill_rows, 0, formula.n, scaled).compiled})
    source.add(PLACES=places)
    table = f"fill_table(points, table, low, low, length0 - {high}, {case.factor})"
    lines = [
        f"low, table = np.int64({low}), np.empty(({count}, length0))",
        f"if is_extreme: scaled_{table}",
        f"else: {table}",
    ]
    ends = "np.nan"
    if formula.boundary != "nan":
        ends = "found[r, j]"
        rows = f"fill_rows(points, found, frozen(places), frozen(firsts), repeats, {case.factor})"
        lines += [
            f"found = np.empty({samples.shape})",
            f"places, firsts = np.empty({places.size}, np.int64), np.empty({places.size}, np.int64)",
            f"for r in range({places.size}):",
            f"    move = length0 - {size} if r >= {low_rows} else 0",
            "    places[r], firsts[r] = PLACES[r] + move, SAMPLES[r, 0] + move",
            f"if is_extreme: scaled_{rows}",
            f"else: {rows}",
        ]
    lines += _ends(case, ends, samples, low_rows, size)
    if REAL[FIELDS[case.dtype]] is np.float32:
        lines += ["wide = table", "table = np.empty(wide.shape, real)", "table[:] = wide"]
    return lines


def _ends(case: Case, weight: str, samples: np.ndarray, low: int, size: int) -> list[str]:
    """Lines that make rows of weights at the ends, and their samples, given those of an axis of `size` points."""
    case.source.add(SAMPLES=samples)
    return [
        f"low, rows, samples = np.int64({low}), np.empty({samples.shape}, real), np.empty({samples.shape}, np.int64)",
        f"for r in range({samples.shape[0]}):",
        f"    move = length0 - {size} if r >= {low} else 0",
        f"    for j in range({samples.shape[1]}):",
        f"        rows[r, j], samples[r, j] = {weight}, (SAMPLES[r, j] + move) % length0",
    ]


def _numbers(case: Case, is_even: bool) -> str:
    """Return the first of the `numbers` that the kernel `gapped` gets."""
    formula = case.formula
    numbers = *reach_of(formula, is_even), formula.n + formula.edges, formula.interval_needed
    return ", ".join(f"np.int64({number})" for number in (*numbers, BOUNDARIES[formula.boundary]))


def _as_gradient(case: Case, spacing: Any) -> list[str]:
    lines = spacing.fill(case.source, "gradient", case.dtype, case.formula.edges)
    return ["o, length, inner, h = o0, length0, inner0, h0", *lines]


def _call(kernel: str, constants: str) -> str:
    return f"{kernel}(flat(f, True), flat(o0, False), length0, inner0, zero, f.size, zero, {constants})"
