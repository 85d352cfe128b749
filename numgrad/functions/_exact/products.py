"""The rules of differentiation for products of vectors and matrices.

By a tape, what a row of constants makes of a vector is one record, of all the weights, and its numbers are copied.
"""

import operator
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from numgrad.functions._exact import tape
from numgrad.functions._exact.elements import empty_of, is_array, loop, result_of
from numgrad.functions._exact.linear import value
from numgrad.functions._exact.numbers import carries, scalar_of
from numgrad.functions._exact.operations import METHODS, RULES, final, operations, rebound
from numgrad.functions._exact.tape import Variable

# Bound anew in each loop.
empty: Any = np.empty
plain: Any = np.empty
product: Any = np.dot
zero = 0.0


def inner_product(a: Any, b: Any) -> Any:
    if a.size != b.size:
        raise ValueError("incompatible sizes of arrays")
    s = zero
    for i in range(a.size):
        s += a[i] * b[i]
    return s


def matrix_vector(a: Any, b: Any) -> Any:
    if a.shape[1] != b.size:
        raise ValueError("incompatible sizes of arrays")
    out = empty(a.shape[0])
    for i in range(a.shape[0]):
        s = zero
        for j in range(b.size):
            s += a[i, j] * b[j]
        out[i] = s
    return out


def vector_matrix(a: Any, b: Any) -> Any:
    if a.size != b.shape[0]:
        raise ValueError("incompatible sizes of arrays")
    out = empty(b.shape[1])
    for j in range(b.shape[1]):
        s = zero
        for i in range(a.size):
            s += a[i] * b[i, j]
        out[j] = s
    return out


def matrix_matrix(a: Any, b: Any) -> Any:
    if a.shape[1] != b.shape[0]:
        raise ValueError("incompatible sizes of arrays")
    out = empty((a.shape[0], b.shape[1]))
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            s = zero
            for k in range(a.shape[1]):
                s += a[i, k] * b[k, j]
            out[i, j] = s
    return out


def outer_product(a: Any, b: Any) -> Any:
    out = empty((a.size, b.size))
    for i in range(a.size):
        for j in range(b.size):
            out[i, j] = a[i] * b[j]
    return out


# By a tape


@intrinsic
def parts(context: Any, x: Any) -> Any:
    """Return the place of a variable, and the address of the tape."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        own = cgutils.create_struct_proxy(x)(context, builder, value=arguments[0])
        return context.make_tuple(builder, signature.return_type, [own.place, own.tape])

    return types.UniTuple(types.uint64, 2)(x), generate


@intrinsic
def variable_like(context: Any, x: Any, value: Any, place: Any, address: Any) -> Any:
    """Return a variable of the type of x."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return tape.variable(context, builder, x, *arguments[1:])

    return x(x, x.base, types.uint64, types.uint64), generate


@intrinsic
def opened(context: Any, address: Any, n: Any) -> Any:
    """Begin a record; return the addresses of its weights and their places, zero without room, and its own place."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.function.attributes.add("noinline")  # or LLVM would compile it once more for each caller
        words, n = tape.Tape(builder, arguments[0]), arguments[1]
        count, record = words.word(tape.COUNT), words.word(tape.RECORDS)
        has_room = words.count(count, n, record)
        builder.store(builder.add(record, ir.Constant(tape.WORD, 1)), words.at(tape.RECORDS))
        zero = ir.Constant(tape.WORD, 0)
        found = [
            builder.select(has_room, builder.ptrtoint(words.array(which, kind, count), tape.WORD), zero)
            for which, kind in ((tape.WEIGHTS, ir.DoubleType()), (tape.PLACES, tape.HALF))
        ]
        place = builder.add(words.word(tape.FIRST), record)
        return context.make_tuple(builder, signature.return_type, [*found, place])

    return types.UniTuple(types.uint64, 3)(types.uint64, types.uint64), generate


@intrinsic
def put(context: Any, address: Any, i: Any, number: Any) -> Any:
    """Write a number in the i-th place of what lies at an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        start, i, number = arguments
        builder.store(number, builder.gep(builder.inttoptr(start, number.type.as_pointer()), [i]))
        return context.get_dummy_value()

    return types.void(types.uint64, types.intp, number), generate


def constants_by_vector(a: Any, b: Any) -> Any:
    """Return the product of a matrix of constants and a vector of variables: a record for each row."""
    n, address = b.size, np.uint64(0)
    if a.shape[1] != n:
        raise ValueError("incompatible sizes of arrays")
    values, places = plain(n), np.empty(n, np.uint32)
    for j in range(n):
        values[j] = value(b[j])  # type: ignore[call-arg]
        place, own = parts(b[j])
        places[j] = place
        address |= own  # which is zero for constants
    out = empty(a.shape[0])
    for i in range(out.size):
        s, to, at, own = zero, np.uint64(0), np.uint64(0), np.uint64(0)
        if address != 0:
            to, at, own = opened(address, np.uint64(n))  # type: ignore[call-arg]
        for j in range(n):
            s += a[i, j] * values[j]
        if to != 0:
            for j in range(n):
                put(to, j, np.float64(a[i, j]))  # type: ignore[call-arg]
            for j in range(n):
                put(at, j, places[j])  # type: ignore[call-arg]
        out[i] = variable_like(out[i], s, own, address)  # type: ignore[call-arg]
    return out


def vector_by_constants(a: Any, b: Any) -> Any:
    return product(b.T, a)


def _by_tape(number: Any, made: Any, a: Any, b: Any) -> Any:
    """Return what is done by a tape in a way of its own, for a vector and a matrix of constants; else None."""
    if not isinstance(number, Variable) or {a.ndim, b.ndim} != {1, 2}:
        return None
    vector, matrix = (a, b) if a.ndim == 1 else (b, a)
    if carries(matrix):
        return None
    names = {"empty": made, "plain": empty_of(vector.dtype.base)}
    key = constants_by_vector, *names.items()
    rows = operations(number).once(key, lambda: final(jit(rebound(constants_by_vector, **names))))
    return rows if vector is b else loop(vector_by_constants, number, product=rows)


PRODUCTS = {(1, 1): inner_product, (2, 1): matrix_vector, (1, 2): vector_matrix, (2, 2): matrix_matrix}
jit: Any = njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)  # type: ignore[call-overload]


def _dot(number: Any, a: Any, b: Any) -> Any:
    if not (is_array(a) and is_array(b)):
        return operations(number).of(operator.mul)
    made = result_of(operator.mul, number, a.dtype, b.dtype)
    return _by_tape(number, made, a, b) or loop(PRODUCTS[a.ndim, b.ndim], number, empty=made)


def _outer(number: Any, a: Any, b: Any) -> Any:
    return loop(outer_product, number, empty=result_of(operator.mul, number, a.dtype, b.dtype))


def _vdot(number: Any, a: Any, b: Any) -> Any:
    return None if types.complex128 in map(scalar_of, (a.dtype, b.dtype)) else _dot(number, a, b)


RULES[np.dot] = RULES[operator.matmul] = METHODS["dot"] = _dot
RULES[np.vdot] = _vdot
RULES[np.outer] = _outer
