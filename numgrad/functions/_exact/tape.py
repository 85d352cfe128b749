"""Reverse mode: numbers that write on a tape how they came about.

A variable is a value and its place among the adjoints. An expression is a value and what it weighs of which variables:
it carries these along until it is kept in a variable, which is one record of the tape, however long the formula (Hogan,
ACM Trans. Math. Softw. 40 (2014), has the idea). What is added to a variable that nobody else sees joins its record, if
that is the last one (see `accumulators`).
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel.models import PrimitiveModel, StructModel
from numba.core.datamodel.registry import register_default
from numba.core.imputils import lower_cast
from numba.core.typeconv.castgraph import Conversion

from numgrad.functions._exact.numbers import FLAGS, PLAIN, Number

WORD, HALF = ir.IntType(64), ir.IntType(32)
# An expression of more variables than this is recorded before it is gone on with.
MOST = 12

# What the tape is, as words of memory: the addresses of weights, of places, of the ends of records; how many weights
# and records there are, and how many there is room for; and the place of the first record among the adjoints.
WEIGHTS, PLACES, ENDS, COUNT, RECORDS, ROOM, ROOM_OF_RECORDS, FIRST = range(8)


class Row(types.Type):
    """Some numbers, or places, of an expression."""

    def __init__(self, n: int, base: Any) -> None:
        self.n, self.base = n, base
        super().__init__(f"Row({n}, {base})")


class Variable(Number):
    """A value, its place among the adjoints, and the address of the tape; zeros for a constant."""

    n = 1

    def __init__(self, base: Any = types.float64) -> None:
        self.base = base
        super().__init__(f"Variable({base})")

    def with_base(self, base: Any) -> "Variable":
        return Variable(base)

    def of_sum(self, kinds: tuple[Any, ...], base: Any) -> Number:
        return Expression(sum(shares(kinds)), base)

    def sum(self, chain: Any, context: Any, builder: Any, value: Any, terms: list[Any]) -> Any:
        return _sum(chain, context, builder, value, terms)

    def unify(self, context: Any, other: Any) -> Any:
        if isinstance(other, (*PLAIN, Variable, Expression)):
            base = context.unify_pairs(self.base, getattr(other, "base", types.unliteral(other)))
            return None if base is None else Variable(base)
        return None

    def can_convert_from(self, context: Any, other: Any) -> Any:
        if isinstance(other, PLAIN):
            return context.can_convert(other, self.base)
        if isinstance(other, (Expression, Variable)) and other.base == self.base:
            return Conversion.promote
        return None


class Expression(Number):
    """A value, and what it weighs of n variables, and their places."""

    def __init__(self, n: int, base: Any = types.float64) -> None:
        self.n, self.base = n, base
        self.weights, self.places = Row(n, base), Row(n, types.int32)
        super().__init__(f"Expression({n}, {base})")

    @property
    def kept(self) -> Variable:
        """The type of a variable that it is kept in."""
        return Variable(self.base)

    def joined(self, chain: Any, context: Any, builder: Any, number: Any) -> Any:
        if not isinstance(chain.kinds[0], Variable):
            return super().joined(chain, context, builder, number)
        own = cgutils.create_struct_proxy(self)(context, builder, value=number)
        weights, places, tape = _parts(context, builder, self, number)
        place = _joined(context, builder, weights, places, tape, self.base)
        return variable(context, builder, self.kept, own.value, builder.zext(place, WORD), own.tape)

    with_base = Variable.with_base
    of_sum = Variable.of_sum
    sum = Variable.sum

    def unify(self, context: Any, other: Any) -> Any:
        return Variable(self.base).unify(context, other)


class RowModel(PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, ir.ArrayType(manager.lookup(kind.base).get_value_type(), kind.n))


class VariableModel(StructModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, [("value", kind.base), ("place", types.int64), ("tape", types.uintp)])


class ExpressionModel(StructModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        members = [("value", kind.base), ("weights", kind.weights), ("places", kind.places), ("tape", types.uintp)]
        super().__init__(manager, kind, members)


register_default(Row)(RowModel)
register_default(Variable)(VariableModel)
register_default(Expression)(ExpressionModel)


def shares(kinds: Any) -> list[int]:
    """Return how many variables each of these brings into an expression: one if it has to be recorded before."""
    counts = [kind.n for kind in kinds if isinstance(kind, Number)]
    while sum(counts) > MOST:
        counts[counts.index(max(counts))] = 1
    return counts


def _sum(chain: Any, context: Any, builder: Any, value: Any, terms: list[Any]) -> Any:
    result, weights, places, tape = chain.result, [], [], None
    for (kind, number, factor), count in zip(terms, shares(chain.kinds), strict=True):
        own_weights, own_places, own_tape = _parts(context, builder, kind, number)
        if count == 1 and kind.n > 1:
            own_places = [_record(context, builder, own_weights, own_places, own_tape, kind.base)]
            own_weights = [None]
        if isinstance(factor, float):
            factor = None if factor == 1.0 else context.get_constant(result.base, factor)
        for weight in own_weights:
            if weight is not None:
                weight = context.cast(builder, weight, kind.base, result.base)
            weights.append(_product(context, builder, result.base, weight, factor))
        places += own_places
        tape = own_tape if tape is None else _either(builder, tape, own_tape)
    while len(weights) < result.n:  # of an argument whose derivative is always zero
        weights.append(context.get_constant(result.base, 0.0))
        places.append(ir.Constant(HALF, 0))
    made = cgutils.create_struct_proxy(result)(context, builder)
    made.value, made.tape = value, ir.Constant(WORD, 0) if tape is None else tape
    made.weights, made.places = _packed(builder, weights), _packed(builder, places)
    return made._getvalue()


def _product(context: Any, builder: Any, base: Any, weight: Any, factor: Any) -> Any:
    """The product of two numbers, where None is 1."""
    if weight is None or factor is None:
        either = factor if weight is None else weight
        return context.get_constant(base, 1.0) if either is None else either
    return builder.fmul(weight, factor, flags=FLAGS)


def _either(builder: Any, a: Any, b: Any) -> Any:
    """The address of the tape, of two, of which one may be zero."""
    return builder.select(builder.icmp_unsigned("==", a, ir.Constant(WORD, 0)), b, a)


def _packed(builder: Any, values: list[Any]) -> Any:
    packed = ir.Constant(ir.ArrayType(values[0].type, len(values)), ir.Undefined)
    for i, value in enumerate(values):
        packed = builder.insert_value(packed, value, i)
    return packed


def _parts(context: Any, builder: Any, kind: Any, number: Any) -> Any:
    """Weights, where None is 1; places; and the tape."""
    own = cgutils.create_struct_proxy(kind)(context, builder, value=number)
    if isinstance(kind, Variable):
        return [None], [builder.trunc(own.place, HALF)], own.tape
    weights = [builder.extract_value(own.weights, i) for i in range(kind.n)]
    return weights, [builder.extract_value(own.places, i) for i in range(kind.n)], own.tape


class Tape:
    """The words of a tape, as values of compiled code."""

    def __init__(self, builder: Any, address: Any) -> None:
        self.builder = builder
        self.words = builder.inttoptr(address, WORD.as_pointer())

    def at(self, i: int) -> Any:
        return self.builder.gep(self.words, [ir.Constant(WORD, i)])

    def word(self, i: int) -> Any:
        return self.builder.load(self.at(i))

    def array(self, i: int, kind: Any, start: Any) -> Any:
        """Return the address of an element of one of the arrays."""
        return self.builder.gep(self.builder.inttoptr(self.word(i), kind.as_pointer()), [start])

    def count(self, count: Any, n: Any, record: Any) -> Any:
        """Count n weights more, with which a record ends; write where, and return whether there is room for them."""
        builder = self.builder
        end = builder.add(count, n)
        has_room = builder.and_(
            builder.icmp_unsigned("<=", end, self.word(ROOM)),
            builder.icmp_unsigned("<", record, self.word(ROOM_OF_RECORDS)),
        )
        with builder.if_then(has_room, likely=True):
            builder.store(end, self.array(ENDS, WORD, record))
        builder.store(end, self.at(COUNT))
        return has_room

    def put(self, context: Any, weights: list[Any], places: list[Any], base: Any, record: Any) -> None:
        """Write what ends with a record, if there is room for it; count it in any case."""
        builder, count = self.builder, self.word(COUNT)
        has_room = self.count(count, ir.Constant(WORD, len(weights)), record)
        with builder.if_then(has_room, likely=True):
            to, at = self.array(WEIGHTS, ir.DoubleType(), count), self.array(PLACES, HALF, count)
            for i, (weight, place) in enumerate(zip(weights, places, strict=True)):
                weight = context.cast(builder, weight, base, types.float64)
                builder.store(weight, builder.gep(to, [ir.Constant(WORD, i)]))
                builder.store(place, builder.gep(at, [ir.Constant(WORD, i)]))


def _record(context: Any, builder: Any, weights: list[Any], places: list[Any], tape: Any, base: Any) -> Any:
    """Write a record; return its place among the adjoints, as a half word; of a constant, zero."""
    is_constant = builder.icmp_unsigned("==", tape, ir.Constant(WORD, 0))
    with builder.if_else(is_constant) as (then, otherwise):
        with then:
            constant = builder.block
        with otherwise:
            words = Tape(builder, tape)
            records = words.word(RECORDS)
            words.put(context, weights, places, base, records)
            builder.store(builder.add(records, ir.Constant(WORD, 1)), words.at(RECORDS))
            place = builder.trunc(builder.add(words.word(FIRST), records), HALF)
            recorded = builder.block
    found = builder.phi(HALF)
    found.add_incoming(ir.Constant(HALF, 0), constant)
    found.add_incoming(place, recorded)
    return found


def _joined(context: Any, builder: Any, weights: list[Any], places: list[Any], tape: Any, base: Any) -> Any:
    """Write what is added to a variable; where that is the last record, and is not added itself, as more of it.

    Return the place of the sum.
    """
    own, *others = places
    kept = cgutils.alloca_once_value(builder, ir.Constant(HALF, 0))
    with builder.if_then(builder.icmp_unsigned("!=", tape, ir.Constant(WORD, 0))):
        words = Tape(builder, tape)
        records = words.word(RECORDS)
        last = builder.sub(records, ir.Constant(WORD, 1))
        goes_on = builder.and_(
            builder.icmp_unsigned("!=", records, ir.Constant(WORD, 0)),
            builder.icmp_unsigned("==", own, builder.trunc(builder.add(words.word(FIRST), last), HALF)),
        )
        for other in others:
            goes_on = builder.and_(goes_on, builder.icmp_unsigned("!=", own, other))
        with builder.if_else(goes_on, likely=True) as (then, otherwise):
            with then:
                words.put(context, weights[1:], others, base, last)
                builder.store(own, kept)
            with otherwise:
                builder.store(_record(context, builder, weights, places, tape, base), kept)
    return builder.load(kept)


def variable(context: Any, builder: Any, kind: Any, value: Any, place: Any, tape: Any) -> Any:
    made = cgutils.create_struct_proxy(kind)(context, builder)
    made.value, made.place, made.tape = value, place, tape
    return made._getvalue()


@lower_cast(types.Float, Variable)
@lower_cast(types.Integer, Variable)
@lower_cast(types.Boolean, Variable)
def _from_plain(context: Any, builder: Any, old: Any, new: Any, number: Any) -> Any:
    zero = ir.Constant(WORD, 0)
    return variable(context, builder, new, context.cast(builder, number, old, new.base), zero, zero)


@lower_cast(Expression, Variable)
def _from_expression(context: Any, builder: Any, old: Any, new: Any, number: Any) -> Any:
    own = cgutils.create_struct_proxy(old)(context, builder, value=number)
    weights, places, tape = _parts(context, builder, old, number)
    place = builder.zext(_record(context, builder, weights, places, tape, old.base), WORD)
    return variable(context, builder, new, own.value, place, tape)
