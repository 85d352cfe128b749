"""The rules of differentiation for products of vectors and matrices.

Values are those of BLAS, to the bit; derivatives are sums, in loops. By a tape, what a product with constants makes is
one record, of all the weights: a row of the matrix.
"""

import operator
from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, njit, types  # type: ignore[attr-defined]
from numba.core import cgutils
from numba.extending import intrinsic

from numgrad.functions._exact import tape
from numgrad.functions._exact.elements import is_array, loop, result_of
from numgrad.functions._exact.jets import Jet
from numgrad.functions._exact.linear import values, values_of, with_value, with_values
from numgrad.functions._exact.numbers import carries, level
from numgrad.functions._exact.operations import METHODS, RULES, final, operations
from numgrad.functions._exact.tape import Variable

# Bound anew in each loop.
empty: Any = np.empty
product: Any = np.dot
left: Any = np.copy
right: Any = np.copy
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


def with_values_of_blas(a: Any, b: Any) -> Any:
    return with_values(product(a, b), np.dot(left(a), right(b)))


def with_value_of_blas(a: Any, b: Any) -> Any:
    return with_value(product(a, b), np.dot(left(a), right(b)))  # type: ignore[call-arg]


jit: Any = njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)  # type: ignore[call-overload]
same: Any = final(jit(lambda a: a))


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
def _memory(context: Any, address: Any) -> Any:
    """Return an address as a pointer."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())

    return types.voidptr(types.uint64), generate


memory: Any = _memory


WORDS, COUNT, RECORDS, ROOM, ROOM_OF_RECORDS = 8, tape.COUNT, tape.RECORDS, tape.ROOM, tape.ROOM_OF_RECORDS
WEIGHTS, PLACES, ENDS, FIRST = tape.WEIGHTS, tape.PLACES, tape.ENDS, tape.FIRST


def _places_of(x: Any) -> Any:
    """Return the places of the variables of a vector, and the address of the tape."""
    places, address = np.empty(x.size, np.uint32), np.uint64(0)
    for i in range(x.size):
        place, own = parts(x[i])  # type: ignore[call-arg, var-annotated]
        places[i] = place
        address |= own  # which is zero for constants
    return places, address


def _weighed(value: Any, weights: Any, places: Any, address: Any, like: Any) -> Any:
    """Return a variable with a value, and a record of what it weighs of others."""
    if address == 0:
        return variable_like(like, value, np.uint64(0), address)  # type: ignore[call-arg]
    words, n = carray(memory(address), WORDS, np.uint64), np.uint64(weights.size)
    start, record = words[COUNT], words[RECORDS]
    end = words[COUNT] = start + n
    words[RECORDS] = record + np.uint64(1)
    if end <= words[ROOM] and record < words[ROOM_OF_RECORDS]:
        own_weights = carray(memory(words[WEIGHTS] + np.uint64(8) * start), weights.size, np.float64)
        own_places = carray(memory(words[PLACES] + np.uint64(4) * start), weights.size, np.uint32)
        for i in range(weights.size):
            own_weights[i] = weights[i]
        for i in range(weights.size):
            own_places[i] = places[i]
        carray(memory(words[ENDS] + np.uint64(8) * record), 1, np.uint64)[0] = end
    return variable_like(like, value, words[FIRST] + record, address)  # type: ignore[call-arg]


places_of: Any = final(jit(_places_of))
weighed: Any = final(jit(_weighed))


def of_vectors(a: Any, b: Any) -> Any:
    x, y = left(a), right(b)
    places, address = places_of(a)
    others, other = places_of(b)
    return weighed(np.dot(x, y), np.concatenate((y, x)), np.concatenate((places, others)), address | other, empty(1)[0])


def of_vector_and_constants(a: Any, b: Any) -> Any:
    places, address = places_of(a)
    return weighed(np.dot(values_of(a), b), b, places, address, empty(1)[0])


def of_constants_and_vector(a: Any, b: Any) -> Any:
    places, address = places_of(b)
    return weighed(np.dot(a, values_of(b)), a, places, address, empty(1)[0])


def of_matrix_and_vector(a: Any, b: Any) -> Any:
    places, address = places_of(b)
    v, out = np.dot(a, values_of(b)), empty(a.shape[0])
    for i in range(v.size):
        out[i] = weighed(v[i], a[i], places, address, out[i])
    return out


def of_vector_and_matrix(a: Any, b: Any) -> Any:
    places, address = places_of(a)
    v, out = np.dot(values_of(a), b), empty(b.shape[1])
    for i in range(v.size):
        out[i] = weighed(v[i], b[:, i], places, address, out[i])
    return out


# The loops by the numbers of axes; by a tape, also by which of both has derivatives.
PRODUCTS = {(1, 1): inner_product, (2, 1): matrix_vector, (1, 2): vector_matrix, (2, 2): matrix_matrix}
BY_TAPE = {
    (1, 1, True, True): of_vectors,
    (1, 1, True, False): of_vector_and_constants,
    (1, 1, False, True): of_constants_and_vector,
    (2, 1, False, True): of_matrix_and_vector,
    (1, 2, True, False): of_vector_and_matrix,
}


def _dot(number: Any, a: Any, b: Any) -> Any:
    if not (is_array(a) and is_array(b)):
        return operations(number).of(operator.mul)
    made = result_of(operator.mul, number, a.dtype, b.dtype)
    by_tape = BY_TAPE.get((a.ndim, b.ndim, carries(a), carries(b)))
    if by_tape is not None and isinstance(number, Variable):
        return loop(by_tape, number, empty=made, left=values, right=values)
    product = loop(PRODUCTS[a.ndim, b.ndim], number, empty=made)
    if isinstance(number, Jet):  # whose series go on to where values end
        return product
    highest = max(level(a.dtype), level(b.dtype))
    left, right = (values if level(kind.dtype) == highest else same for kind in (a, b))
    valued = with_value_of_blas if a.ndim == b.ndim == 1 else with_values_of_blas
    return loop(valued, number, product=product, left=left, right=right)


def _outer(number: Any, a: Any, b: Any) -> Any:
    return loop(outer_product, number, empty=result_of(operator.mul, number, a.dtype, b.dtype))


RULES[np.dot] = RULES[operator.matmul] = METHODS["dot"] = _dot
RULES[np.outer] = _outer
