"""Derivatives of jitted functions as jitted functions, to be called from other ones."""

from math import factorial
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core.errors import NumbaError, TypingError
from numba.core.registry import cpu_target
from numba.extending import intrinsic, overload

from numgrad._compile import pipeline
from numgrad._compile.jit import keep
from numgrad._system.interrupts import uninterrupted
from numgrad.functions._exact import derivatives, elements, loops, seeds
from numgrad.functions._exact.numbers import Dual, scalar_of
from numgrad.functions._exact.operations import operations, rebound, type_of
from numgrad.functions._exact.tape import Variable


def by_tape(x: Any, *args: Any) -> Any:
    """Return the value of a function of a vector, and its gradient, by a tape."""
    n = x.size
    out, words, point = np.empty(n, FLOAT), np.zeros(8, np.int64), empty(n)
    weights_needed, records_needed = max(recall(0), 4 * n + 32), max(recall(1), n + 16)
    while True:
        weights, places = np.empty(weights_needed), np.empty(weights_needed, np.uint32)
        ends, adjoints = np.empty(records_needed, np.int64), np.empty(records_needed + n + 1)
        words[0], words[1], words[2] = weights.ctypes.data, places.ctypes.data, ends.ctypes.data
        words[3], words[4], words[5], words[6], words[7] = 0, 0, weights.size, ends.size, n + 1
        for i in range(n):
            point[i] = unit(FLOAT(x[i]), i + 1, words.ctypes.data)
        y = fun(point, *args)
        if words[3] <= words[5] and words[4] <= words[6]:
            break
        weights_needed, records_needed = max(2 * words[3], words[5]), max(2 * words[4], words[6])
        remember(weights_needed, records_needed)
    sweep(place(y), n, words, weights, places, ends, adjoints)
    for i in range(n):
        out[i] = adjoints[i + 1]
    return value(y), out


def by_either(x: Any, *args: Any) -> Any:
    """Return the same in the mode that suits the number of variables."""
    return few(x, *args) if x.size <= FEW else many(x, *args)


def by_duals(x: Any, *args: Any) -> Any:
    """Return the same in forward mode, some variables at a time."""
    n = x.size
    out, found = np.empty(n, RETURNED), zero
    for first in range(0, n, WIDTH):
        point = empty(n)
        for i in range(n):
            point[i] = unit(FLOAT(x[i]), i - first)
        y = fun(point, *args)
        found = value(y)
        for j in range(min(WIDTH, n - first)):
            out[first + j] = partial(y, j)
    return found, out


def twice(x: Any, *args: Any) -> Any:
    """Return the second partial derivatives of a function of a vector."""
    n = x.size
    out = np.empty((n, n), FLOAT)
    for row in range(n):
        for first in range(0, row + 1, WIDTH):
            point = empty(n)
            for i in range(n):
                point[i] = unit(FLOAT(x[i]), i - first, i == row)
            y = fun(point, *args)
            for j in range(min(WIDTH, row + 1 - first)):
                out[row, first + j] = second(y, j)
                out[first + j, row] = out[row, first + j]
    return out


def second_of_two(x: Any, *args: Any) -> Any:
    """Return the gradient alone."""
    return both(x, *args)[1]


def of_number(x: Any, *args: Any) -> Any:
    """Return the derivative of a function of a number."""
    return partial(fun(seed(FLOAT(x)), *args), 0) * FACTOR


# Bound anew for each function and type of number.
fun: Any = abs
both: Any = abs
few: Any = abs
many: Any = abs
FEW = derivatives.FEW
empty: Any = np.empty
unit: Any = abs
seed: Any = abs
value: Any = seeds.value
partial: Any = seeds.partial
second: Any = seeds.second
place: Any = seeds.place
sweep: Any = njit(nogil=True, error_model="numpy")(loops.sweep)
FLOAT: Any = np.float64
RETURNED: Any = np.float64
WIDTH, FACTOR, zero = 1, 1.0, 0.0


def _memory() -> tuple[Any, Any]:
    """Return functions that recall, and remember, how much room a tape needed: each specialisation has its own."""
    name = "room_of_the_tape"

    def words(context: Any, builder: Any) -> Any:
        kind = ir.ArrayType(ir.IntType(64), 2)
        found = builder.module.globals.get(name)
        if found is None:
            found = ir.GlobalVariable(builder.module, kind, name)
            found.linkage, found.initializer = "internal", ir.Constant(kind, None)
        return found

    def word(builder: Any, of: Any, i: Any) -> Any:
        return builder.gep(of, [ir.Constant(ir.IntType(64), 0), i])

    @intrinsic
    def recall(context: Any, i: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.load(word(builder, words(context, builder), arguments[0]))

        return types.int64(types.int64), generate

    @intrinsic
    def remember(context: Any, a: Any, b: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            for i, number in enumerate(arguments):
                builder.store(number, word(builder, words(context, builder), ir.Constant(ir.IntType(64), i)))
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), generate

    return recall, remember


recall, remember = _memory()


def _unpacked(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the types of further arguments, which Numba hands over as one tuple."""
    return args[0] if len(args) == 1 and isinstance(args[0], tuple) else args


def _vector(x: Any, name: str) -> Any:
    """Return the type of the numbers of a vector."""
    if not (isinstance(x, types.Array) and x.ndim == 1 and isinstance(x.dtype, (types.Float, types.Integer))):
        raise TypingError(f"{name}: `x` is {x}; give a vector of floats")
    return x.dtype if isinstance(x.dtype, types.Float) else types.float64


def _returned(number: Any, fun: Any, x: Any, args: Any) -> Any:
    """Return the type of the value of a derived function; raise if it has no derivative."""
    context = cpu_target.typing_context
    try:
        made = context.resolve_function_type(type_of(context, operations(number).of(fun)), (x, *args), {})
    except NumbaError as error:
        raise TypingError(derivatives.reason_of(error, fun)) from error
    kind = scalar_of(types.unliteral(made.return_type))
    if not isinstance(kind, (types.Float, types.Integer, types.Complex, types.Boolean)):
        raise TypingError(f"`{fun.__name__}` returns {kind}; give a function that returns a number")
    return kind


def value_and_gradient(fun: Any) -> Any:
    """Return the implementation, for types of arguments, of the value and the gradient of a function."""

    def implementation(x: Any, *args: Any) -> Any:
        args = _unpacked(args)
        base = _vector(x, "value_and_gradient")
        number: Any = Dual(derivatives.WIDTH, base)
        returned = _returned(number, fun, types.Array(number, 1, "C"), args)
        scalar = np.dtype(str(base)).type
        few = rebound(
            by_duals, fun=operations(number).of(fun), empty=elements.empty_of(number), unit=seeds.unit_of(number),
            WIDTH=derivatives.WIDTH, FLOAT=scalar, RETURNED=scalar, zero=0.0,
        )  # fmt: skip
        if isinstance(returned, types.Complex):
            dtype = np.dtype(str(returned)).type
            return rebound(few, RETURNED=dtype, zero=dtype(0))
        number = Variable(base)
        try:
            _returned(number, fun, types.Array(number, 1, "C"), args)
        except TypingError:  # complex numbers on the way
            return few
        many = rebound(
            by_tape, fun=operations(number).of(fun), unit=seeds.variable_of(number), empty=elements.empty_of(number),
            FLOAT=scalar,
        )  # fmt: skip
        jit = njit(nogil=True, error_model="numpy", pipeline_class=pipeline.Part)
        return rebound(by_either, few=jit(few), many=jit(many))

    return implementation


def gradient_of(fun: Any) -> Any:
    """Return the implementation of the gradient of a function of a vector."""
    both = jitted(value_and_gradient(fun), "value_and_gradient")

    def implementation(x: Any, *args: Any) -> Any:
        return rebound(second_of_two, both=both)

    return implementation


def hessian_of(fun: Any) -> Any:
    """Return the implementation of the second derivatives of a function of a vector."""

    def implementation(x: Any, *args: Any) -> Any:
        base = _vector(x, "hessian_of")
        number = Dual(1, Dual(derivatives.WIDTH, base))
        args = _unpacked(args)
        _returned(number, fun, types.Array(number, 1, "C"), args)
        return rebound(
            twice, fun=operations(number).of(fun), unit=seeds.row_unit_of(number), empty=elements.empty_of(number),
            FLOAT=np.dtype(str(base)).type, WIDTH=derivatives.WIDTH,
        )  # fmt: skip

    return implementation


def derivative_of(fun: Any, n: int) -> Any:
    """Return the implementation of the n-th derivative of a function of a number."""

    def implementation(x: Any, *args: Any) -> Any:
        if not isinstance(types.unliteral(x), (types.Float, types.Integer)):
            raise TypingError(f"derivative_of: `x` is {x}; give a number")
        base = x if isinstance(x, types.Float) else types.float64
        number = derivatives.of_order(n, base)
        args = _unpacked(args)
        _returned(number, fun, number, args)
        return rebound(
            of_number, fun=operations(number).of(fun), seed=seeds.seed_of(number), FLOAT=np.dtype(str(base)).type,
            FACTOR=float(factorial(n)),
        )  # fmt: skip

    return implementation


def jitted(implementation: Any, name: str, doc: str = "") -> Any:
    """Return the function that Numba compiles from an implementation for each types of arguments."""

    def stub(x: Any, *args: Any) -> Any:
        raise NotImplementedError

    options: Any = {"error_model": "numpy", "nogil": True, "pipeline_class": pipeline.Part}
    overload(stub, strict=False, jit_options=options)(implementation)

    def call(x: Any, *args: Any) -> Any:
        return stub(x, *args)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = doc
    return njit(nogil=True)(call)


def kept(call: Any, fun: Any, *what: Any) -> Any:
    """Let a jitted function that is made of another one be kept on disk as that is."""
    compile = call.compile

    def kept_compile(signature: Any) -> Any:
        kept_as = None if call.overloads else derivatives.kept_as(fun, call.__name__, *map(str, what))
        if kept_as is not None:  # not before: a rule may have come
            call.py_func.__qualname__ = f"{call.__name__}_{kept_as[0]}"
            keep(call, kept_as[1])
        return compile(signature)

    call.compile = uninterrupted(kept_compile)
    return call
