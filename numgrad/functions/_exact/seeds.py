"""What puts variables into numbers that carry derivatives, and takes derivatives out again."""

from functools import cache
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from numgrad.functions._exact import bounds, jets, numbers, tape
from numgrad.functions._exact.numbers import Dual, Number


def _number(context: Any, builder: Any, kind: Any, number: float) -> Any:
    return context.cast(builder, context.get_constant(types.float64, number), types.float64, kind)


def _unit(context: Any, builder: Any, kind: Any, value: Any, index: Any) -> Any:
    """A dual number whose derivative with respect to the variable of this index is 1; of another index, none is."""
    one, zero = (_number(context, builder, kind.base, number) for number in (1.0, 0.0))
    if not isinstance(kind.base, types.Float):
        assert kind.n == 1
        is_first = builder.icmp_unsigned("==", index, ir.Constant(index.type, 0))
        partials = ir.Constant(context.get_value_type(kind.partials), ir.Undefined)
        partials = numbers.insert(builder, partials, kind.partials, 0, builder.select(is_first, one, zero))
        return numbers.dual(context, builder, kind, value, partials)
    has = builder.icmp_unsigned("<", index, ir.Constant(index.type, kind.n))
    position = builder.select(has, index, ir.Constant(index.type, 0))
    partials = builder.insert_element(numbers.zeros(context, kind), builder.select(has, one, zero), position)
    return numbers.dual(context, builder, kind, value, partials)


@cache
def seed_of(kind: Any) -> Any:
    """Return a function that makes a number the variable that is derived with respect to."""

    def made(context: Any, builder: Any, kind: Any, plain: Any, value: Any) -> Any:
        if isinstance(kind, Dual):
            value = context.cast(builder, value, plain, kind.base)
            return _unit(context, builder, kind, value, ir.Constant(ir.IntType(64), 0))
        if not isinstance(kind, jets.Jet):
            return context.cast(builder, value, plain, kind)
        last = _number(context, builder, kind.scalar, 1.0 if kind.order == 1 else 0.0)
        return jets.jet(context, builder, kind, made(context, builder, kind.base, plain, value), last)

    @intrinsic
    def seed(context: Any, x: Any) -> Any:
        return kind(x), lambda context, builder, signature, arguments: made(context, builder, kind, x, arguments[0])

    return seed


@cache
def unit_of(kind: Any) -> Any:
    """Return a function that makes a number, and an index, the variable of this index."""

    @intrinsic
    def unit(context: Any, x: Any, index: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            value, index = arguments
            return _unit(context, builder, kind, context.cast(builder, value, x, kind.base), index)

        return kind(x, types.int64), generate

    return unit


@cache
def row_unit_of(kind: Any) -> Any:
    """Return a function that makes a number, an index, and whether it is the variable of the row, a variable."""

    @intrinsic
    def row_unit(context: Any, x: Any, index: Any, is_row: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            value, index, is_row = arguments
            inner = kind.base
            one, zero = (_number(context, builder, inner.base, number) for number in (1.0, 0.0))
            own = builder.select(is_row, one, zero)
            own = numbers.dual(context, builder, inner, own, numbers.zeros(context, inner))
            partials = ir.Constant(context.get_value_type(kind.partials), ir.Undefined)
            partials = numbers.insert(builder, partials, kind.partials, 0, own)
            value = context.cast(builder, value, x, inner.base)
            return numbers.dual(context, builder, kind, _unit(context, builder, inner, value, index), partials)

        return kind(x, types.int64, types.boolean), generate

    return row_unit


@cache
def variable_of(kind: Any) -> Any:
    """Return a function that makes a number, a place, and the address of a tape, a variable."""

    @intrinsic
    def variable(context: Any, x: Any, place: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return tape.variable(context, builder, kind, *arguments)

        return kind(x, types.int64, types.uintp), generate

    return variable


@intrinsic
def value(context: Any, y: Any) -> Any:
    """Return the value of a number that carries derivatives, of any order; of another number, itself."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, (number,) = y, arguments
        while isinstance(kind, Number):
            kind, number = kind.base, numbers.value_of(context, builder, kind, number)
        return number

    return numbers.scalar_of(y)(y), generate


def _partial(context: Any, builder: Any, kind: Any, number: Any, index: Any) -> Any:
    """The derivative of a dual number with respect to the variable of an index that only run time knows."""
    _, partials = numbers.parts(context, builder, kind, number)
    if isinstance(kind.base, types.Float):
        return builder.extract_element(partials, index)
    kept = cgutils.alloca_once_value(builder, partials)
    return builder.load(builder.gep(kept, [ir.Constant(ir.IntType(64), 0), index]))


@intrinsic
def partial(context: Any, y: Any, index: Any) -> Any:
    """Return the derivative of a number with respect to the variable of an index: the last coefficient of a jet."""
    base = getattr(y, "scalar", y.base) if isinstance(y, Number) else types.unliteral(y)
    base = base if isinstance(base, (types.Float, types.Complex)) else types.float64

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number, index = arguments
        if not isinstance(y, Number):
            return ir.Constant(context.get_value_type(base), None)
        if isinstance(y, jets.Jet):
            return cgutils.create_struct_proxy(y)(context, builder, value=number).last
        return _partial(context, builder, y, number, index)

    return base(y, types.int64), generate


@intrinsic
def error(context: Any, y: Any, index: Any) -> Any:
    """Return the bound of the error of the first derivative, or of the last coefficient; of another number, zero."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        zero = context.get_constant(types.float64, 0.0)
        if not isinstance(y, Number):
            return zero
        own = cgutils.create_struct_proxy(y)(context, builder, value=arguments[0])
        if isinstance(y, jets.Jet):
            kind, found = y.scalar, own.last
        else:
            kind, found = y.base, numbers.extract(builder, own.partials, y.partials, 0)
        if isinstance(kind, Dual):
            found = cgutils.create_struct_proxy(kind)(context, builder, value=found).partials
            kind, found = kind.base, numbers.extract(builder, found, kind.partials, 0)
        if not isinstance(kind, bounds.Bound):
            return zero
        found = cgutils.create_struct_proxy(kind)(context, builder, value=found).error
        return context.cast(builder, found, kind.base, types.float64)

    return types.float64(y, types.int64), generate


@intrinsic
def second(context: Any, y: Any, index: Any) -> Any:
    """Return the second derivative of a number with respect to the variable of its row and that of an index."""
    base = y.base.base if isinstance(y, Number) else types.float64

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number, index = arguments
        if not isinstance(y, Number):
            return ir.Constant(context.get_value_type(base), None)
        own = cgutils.create_struct_proxy(y)(context, builder, value=number)
        row = numbers.extract(builder, own.partials, y.partials, 0)
        return _partial(context, builder, y.base, row, index)

    return base(y, types.int64), generate


@intrinsic
def place(context: Any, y: Any) -> Any:
    """Return the place of a number among the adjoints, recorded if it is an expression; zero for a constant."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if not isinstance(y, Number):
            return ir.Constant(ir.IntType(64), 0)
        kept = context.cast(builder, arguments[0], y, y.kept)
        return cgutils.create_struct_proxy(y.kept)(context, builder, value=kept).place

    return types.int64(y), generate
