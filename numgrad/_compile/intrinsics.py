"""Instructions that Python has no words for.

Memory on the stack, or asked for early, or written by several threads; for x86-64, stores that go past the cache;
calls of compiled functions at an address, where Numba's own would compile what they call anew into each caller; `min`
and `max` of two numbers, for each pair of whose types Numba's own compile a function.
"""

import operator
import sys
from collections.abc import Callable
from platform import machine
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils, imputils
from numba.extending import intrinsic

from numgrad._compile.stand_ins import ROOM, TILE

_LINE = ir.VectorType(ir.IntType(64), 8)


@intrinsic
def workspace(typing: Any, x: Any) -> Any:
    """Return an array of 3 * TILE elements of the dtype of x, on the stack.

    One from the heap is counted with locked instructions, for which streaming stores must wait: coordinates would take
    1.8 times as long, whether or not they need the workspace.
    """
    return _on_the_stack(x, 3 * int(TILE))


@intrinsic
def room(typing: Any, x: Any) -> Any:
    """Return an array of ROOM elements of the dtype of x, on the stack."""
    return _on_the_stack(x, ROOM)


def _on_the_stack(x: Any, count: int) -> Any:
    array = types.Array(x.dtype, 1, "C")

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        element = context.get_value_type(array.dtype)
        size, item = (context.get_constant(types.intp, n) for n in (count, context.get_abi_sizeof(element)))
        made = context.make_array(array)(context, builder)
        data = cgutils.alloca_once(builder, element, size=size)
        context.populate_array(made, data=data, shape=[size], strides=[item], itemsize=item, meminfo=None)
        return made._getvalue()

    return array(x), generate


@intrinsic
def put_line(typing: Any, out: Any, k: Any, buffer: Any, j: Any) -> Any:
    """out[k:] = buffer[j:], 64 bytes, `out` and `buffer` aligned to as many there, without reading out[k:] first.

    One vector store: LLVM does not vectorise loops of non-temporal scalar stores.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def pointer(i: int) -> Any:
            array = context.make_array(signature.args[i])(context, builder, arguments[i])
            return builder.bitcast(builder.gep(array.data, [arguments[i + 1]]), _LINE.as_pointer())

        line = builder.load(pointer(2), align=64)
        store = builder.store(line, pointer(0), align=64)
        store.set_metadata("nontemporal", builder.module.add_metadata([ir.IntType(32)(1)]))
        return context.get_dummy_value()

    return types.void(out, k, buffer, j), generate


# Bytes from which on NumPy asks for large pages, in which there is a five hundredth of the faults; the size of others.
LARGE, PAGE, MADV_HUGEPAGE = 1 << 22, 4096, 14


@intrinsic
def in_large_pages(typing: Any, array: Any) -> Any:
    """Return the array, just made, having asked Linux for large pages if NumPy would have. Numba does not."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        if sys.platform == "linux":
            given = context.make_array(array)(context, builder, values[0])
            size, number = context.get_value_type(types.intp), ir.IntType(32)
            nbytes, address = builder.mul(given.nitems, given.itemsize), builder.ptrtoint(given.data, size)
            with cgutils.if_unlikely(builder, builder.icmp_unsigned(">=", nbytes, size(LARGE))):
                skip = builder.sub(size(PAGE), builder.urem(address, size(PAGE)))
                kind = ir.FunctionType(number, [size, size, number])
                advise = cgutils.get_or_insert_function(builder.module, kind, "madvise")
                rest = builder.sub(nbytes, skip)
                builder.call(advise, [builder.add(address, skip), rest, number(MADV_HUGEPAGE)])
        return imputils.impl_ret_borrowed(context, builder, array, values[0])

    return array(array), generate


@intrinsic
def fence(typing: Any) -> Any:
    """Let all threads see the lines put: the processor may delay such stores past later ones."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.sse.sfence"), [])
        return context.get_dummy_value()

    return types.void(), generate


def _place(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """The address of element k of a contiguous array, of the first two arguments."""
    return builder.gep(context.make_array(signature.args[0])(context, builder, arguments[0]).data, [arguments[1]])


@intrinsic
def prefetch(typing: Any, x: Any, k: Any) -> Any:
    """Ask for the line of the cache with element k of a contiguous array, which may lie beyond its end."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.bitcast(_place(context, builder, signature, arguments), cgutils.voidptr_t)
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, number, number, number])
        asked = builder.module.declare_intrinsic("llvm.prefetch", [cgutils.voidptr_t], kind)
        builder.call(asked, [pointer, number(0), number(3), number(1)])  # to be read, into all caches; data
        return context.get_dummy_value()

    return types.void(x, k), generate


@intrinsic
def now(typing: Any, x: Any, k: Any) -> Any:
    """Return element k of a contiguous array of int64, and see what other threads wrote before they swapped it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_place(context, builder, signature, arguments), "seq_cst", 8)

    return types.int64(x, k), generate


@intrinsic
def swap(typing: Any, x: Any, k: Any, old: Any, new: Any) -> Any:
    """Make element k of a contiguous array of int64 the new one, at once, if it is the old one; return whether."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, signature, arguments)
        found = builder.cmpxchg(place, *arguments[2:], "seq_cst", "seq_cst")
        return builder.zext(builder.extract_value(found, 1), context.get_value_type(types.boolean))

    return types.boolean(x, k, types.int64, types.int64), generate


# Turns of some 20 ns, until others may have the processor.
PATIENT = 2000


@intrinsic
def rest(typing: Any, turns: Any) -> Any:
    """Wait a moment for another thread; from PATIENT turns on let others have the processor: it may be one of them."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if machine().lower() in ("x86_64", "amd64"):
            kind = ir.FunctionType(ir.VoidType(), [])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.sse2.pause"), [])
        if sys.platform != "win32":
            patient = context.get_constant(types.int64, PATIENT)
            with cgutils.if_unlikely(builder, builder.icmp_signed(">", arguments[0], patient)):
                kind = ir.FunctionType(ir.IntType(32), [])
                builder.call(cgutils.get_or_insert_function(builder.module, kind, "sched_yield"), [])
        return context.get_dummy_value()

    return types.void(types.int64), generate


@intrinsic
def call(typing: Any, function: Any, arguments: Any) -> Any:
    """Call the compiled function at an address, which returns nothing, with a tuple of arguments of just its types.

    An error that it raises is raised here.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kinds = tuple(signature.args[1].types)
        kind = context.call_conv.get_function_type(types.none, kinds)
        pointer = builder.inttoptr(values[0], kind.as_pointer())
        unpacked = cgutils.unpack_tuple(builder, values[1], len(kinds))
        status, _ = context.call_conv.call_function(builder, pointer, types.none, kinds, unpacked)
        with cgutils.if_unlikely(builder, status.is_error):
            context.call_conv.return_status_propagate(builder, status)
        return context.get_dummy_value()

    return types.void(types.int64, arguments), generate


@intrinsic
def address_of(typing: Any, value: Any) -> Any:
    """Return the address of a copy of the value on the stack, good until the function that asks returns."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        slot = cgutils.alloca_once_value(builder, values[0])
        return builder.ptrtoint(slot, context.get_value_type(types.int64))

    return types.int64(value), generate


def reader(kind: Any) -> Any:
    """A function that returns the value of this type at an address."""

    @intrinsic
    def value_at(typing: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            pointer = builder.inttoptr(values[0], context.get_value_type(kind).as_pointer())
            return imputils.impl_ret_borrowed(context, builder, kind, builder.load(pointer))

        return kind(types.int64), generate

    return value_at


@intrinsic(prefer_literal=True)
def flat(typing: Any, array: Any, readonly: Any) -> Any:
    """The elements of a contiguous array in the order of memory, as a view that may be written or not."""
    kind = types.Array(array.dtype, 1, "C", readonly=readonly.literal_value)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        given = context.make_array(array)(context, builder, values[0])
        made = context.make_array(kind)(context, builder)
        context.populate_array(
            made,
            data=given.data,
            shape=[given.nitems],
            strides=[given.itemsize],
            itemsize=given.itemsize,
            meminfo=given.meminfo,
            parent=given.parent,
        )
        return imputils.impl_ret_borrowed(context, builder, kind, made._getvalue())

    return kind(array, readonly), generate


@intrinsic
def bits_of(typing: Any, array: Any) -> Any:
    """The numbers of 64 bits as whole numbers; for NumPy's `view` Numba compiles three functions."""
    kind = array.copy(dtype=types.int64)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        given = context.make_array(array)(context, builder, values[0])
        made = context.make_array(kind)(context, builder)
        names = "shape", "strides", "itemsize", "meminfo", "parent"
        fields = {name: getattr(given, name) for name in names}
        context.populate_array(made, data=builder.bitcast(given.data, made.data.type), **fields)
        return imputils.impl_ret_borrowed(context, builder, kind, made._getvalue())

    return kind(array), generate


@intrinsic
def frozen(typing: Any, array: Any) -> Any:
    """The array, of the type of those that are not written."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return imputils.impl_ret_borrowed(context, builder, signature.return_type, values[0])

    return array.copy(readonly=True)(array), generate


@intrinsic
def opaque(typing: Any, number: Any) -> Any:
    """The integer, of which LLVM does not know that it is constant."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind = ir.FunctionType(values[0].type, [values[0].type])
        return builder.asm(kind, "", "=r,0", values, False)

    return types.int64(types.int64), generate


def _first_or(compare: Callable[[Any, Any], bool]) -> Any:
    """The first of two numbers, or the second one if that compares so with it: Python's `min` and `max`."""

    @intrinsic
    def chosen(typing: Any, a: Any, b: Any) -> Any:
        kind = typing.unify_types(a, b)

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            first, second = (context.cast(builder, v, k, kind) for v, k in zip(values, signature.args, strict=True))
            is_second = context.get_function(compare, types.boolean(kind, kind))(builder, (second, first))
            return builder.select(is_second, second, first)

        return kind(a, b), generate

    return chosen


BUILTINS = {"min": _first_or(operator.lt), "max": _first_or(operator.gt)}
