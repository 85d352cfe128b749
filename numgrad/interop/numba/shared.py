"""Large arrays inside `@njit`: shared among threads and written past the cache, as they are outside.

Compiled code asks `fill_at` by way of Python, which only a thread may do that holds the GIL: so does who calls a jitted
function from Python, but not a thread of `prange` nor a caller with `nogil=True`, which are parallel as it is.
"""

import ctypes
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from numgrad._arrays.plan.dtypes import ARGUMENT, FIELDS, division
from numgrad._arrays.plan.schemes import schemes
from numgrad._arrays.plan.types import AxisPlan, Plan, Recipe
from numgrad._arrays.run.flat import account_of_recipes, fill, is_streaming, thread_count

# Elements from which on Python is asked; and seconds for each that threads and stores past the cache save, about.
MANY, SAVED = 1 << 20, 1e-9


def key_of(spacing: str, edge_order: int, dtype: "np.dtype[Any]", work: Any, real: Any) -> str:
    """Return words for a recipe of `gradient`, from which any process can make it."""
    return " ".join((spacing, str(edge_order), dtype.str, np.dtype(work).str, np.dtype(real).str))


def recipe_of(key: str) -> Recipe:
    spacing, order, *dtypes = key.split()
    dtype, work, real = map(np.dtype, dtypes)
    chosen = schemes("gradient", spacing, edge_order=int(order))
    return Recipe(chosen, dtype, work.type, real.type, division(FIELDS[dtype]))


def fill_at(
    key: str, f: int, out: int, size: int, n: int, inner: int, x: int, w: int, width: float, step: float
) -> bool:
    """Do what the kernel of a recipe does, for the arrays at these addresses; return whether this has been done.

    `x` is the address of n coordinates, or 0 for a spacing of one number, of which `width` and `step` are the divisors;
    `w` that of six weights at the ends, or 0.
    """
    recipe = recipe_of(key)
    field = FIELDS[recipe.dtype]
    argument = ARGUMENT[recipe.work]
    constants: Any = (_array(x, n, recipe.real),) if x else (argument(width), argument(step))
    if w:
        constants = _array(w, 6, recipe.real), constants
    plan = Plan(np.dtype(field), (AxisPlan(0, 0, n, inner, recipe, constants),))
    result = _array(out, size, field)
    streaming = is_streaming(result.nbytes)
    if thread_count(plan, size) == 1 and not streaming:
        return False
    account = account_of_recipes(frozenset((recipe,)), streaming, SAVED)
    if not account.choose(size)[0]:
        account.spent += size * SAVED
        return False
    fill([_array(f, size, recipe.dtype)], [result], plan, ())
    return True


def _array(address: int, size: int, dtype: Any) -> np.ndarray:
    kind = np.dtype(dtype)
    return np.frombuffer((ctypes.c_char * (size * kind.itemsize)).from_address(address), kind)


_VOID, _INT, _LONG, _DOUBLE = ir.IntType(8).as_pointer(), ir.IntType(32), ir.IntType(64), ir.DoubleType()


@intrinsic(prefer_literal=True)
def ask_to_fill(typing: Any, key: Any, numbers: Any, divisors: Any) -> Any:
    """Call `fill_at` with a constant key, seven integers and two floats, if this thread holds the GIL."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        module = builder.module

        def python(name: str, kind: Any, *arguments: Any, more: Any = ()) -> Any:
            made = ir.FunctionType(kind, [a.type for a in arguments], var_arg=bool(more))
            return builder.call(cgutils.get_or_insert_function(module, made, name), [*arguments, *more])

        def text(value: str) -> Any:
            return context.insert_const_string(module, value)

        done = cgutils.alloca_once_value(builder, cgutils.false_bit)
        holds = python("PyGILState_Check", _INT)
        with cgutils.if_unlikely(builder, cgutils.is_not_null(builder, holds)):
            home = python("PyImport_ImportModule", _VOID, text(__name__))
            with cgutils.if_unlikely(builder, cgutils.is_null(builder, home)):
                context.call_conv.return_exc(builder)
            given = [text(key.literal_value), *cgutils.unpack_tuple(builder, values[1], 7)]
            given += cgutils.unpack_tuple(builder, values[2], 2)
            names = text("fill_at"), text("sLLLLLLLdd")
            answer = python("PyObject_CallMethod", _VOID, home, *names, more=given)
            python("Py_DecRef", ir.VoidType(), home)
            with cgutils.if_unlikely(builder, cgutils.is_null(builder, answer)):
                context.call_conv.return_exc(builder)
            is_true = python("PyObject_IsTrue", _INT, answer)
            python("Py_DecRef", ir.VoidType(), answer)
            builder.store(cgutils.is_not_null(builder, is_true), done)
        return builder.load(done)

    if not isinstance(key, types.StringLiteral):
        return None
    integers, floats = types.UniTuple(types.int64, 7), types.UniTuple(types.float64, 2)
    return types.boolean(key, integers, floats), generate
