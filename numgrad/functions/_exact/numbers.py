"""Numbers that carry derivatives, as types of Numba's."""

import operator
from typing import Any, ClassVar

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel.models import PrimitiveModel, StructModel
from numba.core.datamodel.registry import register_default
from numba.core.imputils import lower_cast

PLAIN = (types.Float, types.Integer, types.Boolean, types.Complex)


FLAGS = ("contract",)


class Number(types.Type):
    """A number with derivatives. `base` is the type of its value."""

    base: Any
    # Of how many variables it has derivatives, and their type.
    n: int
    partials: Any
    # What generates the result of functions that have a rule of their own for these numbers.
    special: ClassVar[dict[Any, Any]] = {}

    @property
    def kept(self) -> "Number":
        """The type of a variable that such a number is kept in."""
        return self

    def joined(self, chain: Any, context: Any, builder: Any, number: Any) -> Any:
        """Generate what is kept of a sum, of which the first term is a variable that nothing else will ask for."""
        return context.cast(builder, number, self, self.kept)

    def with_base(self, base: Any) -> "Number":
        """Return the type of numbers of the same kind, with values of another type."""
        raise NotImplementedError

    def with_scalar(self, scalar: Any) -> "Number":
        """Return the type of numbers of the same kind, whose values, in the end, are of another type."""
        return self.with_base(self.base.with_scalar(scalar) if isinstance(self.base, Number) else scalar)

    def of_sum(self, kinds: tuple[Any, ...], base: Any) -> "Number":
        """Return the type of what an operation on numbers of these types makes, whose value is of type `base`."""
        raise NotImplementedError

    def sum(self, chain: Any, context: Any, builder: Any, value: Any, terms: list[Any]) -> Any:
        """Generate a number with this value, whose derivatives are the sum of those of the terms, times their weights.

        A term is the type of a number, the number and its weight: a value, or a Python float.
        """
        raise NotImplementedError


class Partials(types.Type):
    """The first derivatives of a number with respect to n variables."""

    def __init__(self, n: int, base: Any) -> None:
        self.n, self.base = n, base
        super().__init__(f"Partials({n}, {base})")


class Dual(Number):
    """A value and its derivatives with respect to n variables, of the same type."""

    def __init__(self, n: int, base: Any = types.float64) -> None:
        self.n, self.base = n, base
        self.partials = Partials(n, base)
        super().__init__(f"Dual({n}, {base})")

    def with_base(self, base: Any) -> "Dual":
        return Dual(self.n, base)

    def of_sum(self, kinds: tuple[Any, ...], base: Any) -> "Dual":
        return self.with_base(base)

    def sum(self, chain: Any, context: Any, builder: Any, value: Any, terms: list[Any]) -> Any:
        result, total = chain.result, None
        for kind, number, weight in terms:
            _, own = parts(context, builder, kind, number)
            own = convert(context, builder, own, kind.partials, result.partials)
            total = _accumulate(chain, context, builder, total, own, weight)
        return dual(context, builder, result, value, zeros(context, result) if total is None else total)

    def unify(self, context: Any, other: Any) -> Any:
        """Return the type of a variable that is this or another."""
        if isinstance(other, PLAIN):
            base = context.unify_pairs(self.base, types.unliteral(other))
        elif isinstance(other, Dual) and other.n == self.n and level(other) == level(self):
            base = context.unify_pairs(self.base, other.base)
        elif isinstance(other, Number) and level(other) < level(self):
            base = context.unify_pairs(self.base, other)
        else:
            return None
        return None if base is None else self.with_base(base)

    def can_convert_from(self, context: Any, other: Any) -> Any:
        """Whether numbers of another type can become this."""
        is_lower = isinstance(other, Number) and level(other) < level(self)
        return context.can_convert(other, self.base) if is_lower or isinstance(other, PLAIN) else None

    def can_convert_to(self, context: Any, other: Any) -> Any:
        """Whether this can become another type."""
        if isinstance(other, Dual) and other.n == self.n and level(other) == level(self):
            return context.can_convert(self.base, other.base)
        return None


def carries(kind: Any) -> bool:
    """Whether values of this type carry derivatives, or hold what does."""
    if isinstance(kind, Number):
        return True
    if isinstance(kind, types.Array):
        return carries(kind.dtype)
    if isinstance(kind, (types.List, types.ListType, types.UniTuple)):
        return carries(kind.dtype)
    if isinstance(kind, types.BaseTuple):
        return any(map(carries, getattr(kind, "types", ())))
    if isinstance(kind, (types.Optional,)):
        return carries(kind.type)
    return False


def scalar_of(kind: Any) -> Any:
    """Return the type of the value of a number that carries derivatives, of any order; of another number, its own."""
    return scalar_of(kind.base) if isinstance(kind, Number) else kind


def level(kind: Any) -> int:
    """Return how often derivatives are taken of numbers of this type: those of derivatives carry more."""
    return 1 + level(kind.base) if isinstance(kind, Number) else 0


def _is_vector(base: Any) -> bool:
    return isinstance(base, types.Float)


class PartialsModel(PrimitiveModel):
    """In memory an array; in registers a vector of floats."""

    def __init__(self, manager: Any, kind: Any) -> None:
        inner = manager.lookup(kind.base)
        self.n, self.is_vector = kind.n, _is_vector(kind.base)
        self.data = ir.ArrayType(inner.get_data_type(), kind.n)
        self.inner = inner
        value = inner.get_value_type()
        super().__init__(manager, kind, ir.VectorType(value, kind.n) if self.is_vector else ir.ArrayType(value, kind.n))

    def get_data_type(self) -> Any:
        return self.data

    get_argument_type = get_return_type = get_data_type

    def as_data(self, builder: Any, value: Any) -> Any:
        out = ir.Constant(self.data, ir.Undefined)
        for i in range(self.n):
            element = (
                builder.extract_element(value, ir.Constant(ir.IntType(32), i))
                if self.is_vector
                else self.inner.as_data(builder, builder.extract_value(value, i))
            )
            out = builder.insert_value(out, element, i)
        return out

    def from_data(self, builder: Any, value: Any) -> Any:
        out = ir.Constant(self.get_value_type(), ir.Undefined)
        for i in range(self.n):
            element = builder.extract_value(value, i)
            if self.is_vector:
                out = builder.insert_element(out, element, ir.Constant(ir.IntType(32), i))
            else:
                out = builder.insert_value(out, self.inner.from_data(builder, element), i)
        return out

    as_argument = as_return = as_data
    from_argument = from_return = from_data

    def load_from_data_pointer(self, builder: Any, pointer: Any, align: Any = None) -> Any:
        if not self.is_vector:
            return self.from_data(builder, builder.load(pointer, align=align))
        return builder.load(builder.bitcast(pointer, self.get_value_type().as_pointer()), align=8)


class DualModel(StructModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, [("value", kind.base), ("partials", kind.partials)])


register_default(Partials)(PartialsModel)
register_default(Dual)(DualModel)


def parts(context: Any, builder: Any, kind: Any, number: Any) -> tuple[Any, list[Any] | Any]:
    """Return the value of a dual number and its partials."""
    made = cgutils.create_struct_proxy(kind)(context, builder, value=number)
    return made.value, made.partials


def dual(context: Any, builder: Any, kind: Any, value: Any, partials: Any) -> Any:
    made = cgutils.create_struct_proxy(kind)(context, builder)
    made.value, made.partials = value, partials
    return made._getvalue()


def zeros(context: Any, kind: Any) -> Any:
    """Partials of zero."""
    return (
        context.get_constant_null(kind.partials)
        if _is_vector(kind.base)
        else ir.Constant(context.get_value_type(kind.partials), None)
    )


def splat(builder: Any, number: Any, n: int) -> Any:
    """A vector of n times the same number."""
    kind = ir.VectorType(number.type, n)
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), number, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(
        first, ir.Constant(kind, ir.Undefined), ir.Constant(ir.VectorType(ir.IntType(32), n), [0] * n)
    )


def convert(context: Any, builder: Any, partials: Any, old: Any, new: Any) -> Any:
    """Partials of one type as those of another."""
    if old == new:
        return partials
    if _is_vector(old.base) and _is_vector(new.base):
        kind = context.get_value_type(new)
        wider = new.base.bitwidth > old.base.bitwidth
        return builder.fpext(partials, kind) if wider else builder.fptrunc(partials, kind)
    out = ir.Constant(context.get_value_type(new), ir.Undefined)
    for i in range(old.n):
        element = extract(builder, partials, old, i)
        out = insert(builder, out, new, i, context.cast(builder, element, old.base, new.base))
    return out


def extract(builder: Any, partials: Any, kind: Any, i: int) -> Any:
    if _is_vector(kind.base):
        return builder.extract_element(partials, ir.Constant(ir.IntType(32), i))
    return builder.extract_value(partials, i)


def insert(builder: Any, partials: Any, kind: Any, i: int, element: Any) -> Any:
    if _is_vector(kind.base):
        return builder.insert_element(partials, element, ir.Constant(ir.IntType(32), i))
    return builder.insert_value(partials, element, i)


@lower_cast(Number, Dual)
@lower_cast(types.Float, Dual)
@lower_cast(types.Integer, Dual)
@lower_cast(types.Boolean, Dual)
@lower_cast(types.Complex, Dual)
def _from_plain(context: Any, builder: Any, old: Any, new: Any, number: Any) -> Any:
    return dual(context, builder, new, context.cast(builder, number, old, new.base), zeros(context, new))


@lower_cast(Dual, Dual)
def _from_dual(context: Any, builder: Any, old: Any, new: Any, number: Any) -> Any:
    if level(old) < level(new):
        return _from_plain(context, builder, old, new, number)
    value, partials = parts(context, builder, old, number)
    value = context.cast(builder, value, old.base, new.base)
    return dual(context, builder, new, value, convert(context, builder, partials, old.partials, new.partials))


def _accumulate(chain: Any, context: Any, builder: Any, total: Any, own: Any, weight: Any) -> Any:
    """Add partials, times a weight, to a total, which is None before the first."""
    kind = chain.result.partials
    if isinstance(kind.base, types.Float):
        if isinstance(weight, float) and weight == -1.0:
            return builder.fneg(own) if total is None else builder.fsub(total, own, flags=FLAGS)
        if isinstance(weight, float) and weight != 1.0:
            weight = context.get_constant(kind.base, weight)
        term = own if weight == 1.0 else builder.fmul(own, splat(builder, weight, kind.n), flags=FLAGS)
        return term if total is None else builder.fadd(total, term, flags=FLAGS)
    if isinstance(weight, float):
        weight = context.cast(builder, context.get_constant(types.float64, weight), types.float64, kind.base)
    pair = kind.base, kind.base
    multiply, add = (chain.resolved(context.typing_context, f, pair) for f in (operator.mul, operator.add))
    made = ir.Constant(context.get_value_type(kind), ir.Undefined)
    for i in range(kind.n):
        term = chain.call(context, builder, multiply, [extract(builder, own, kind, i), weight], pair)
        if total is not None:
            term = chain.call(context, builder, add, [extract(builder, total, kind, i), term], pair)
        made = insert(builder, made, kind, i, term)
    return made


def value_of(context: Any, builder: Any, kind: Any, number: Any) -> Any:
    """Return the value of a number that carries derivatives."""
    return cgutils.create_struct_proxy(kind)(context, builder, value=number).value
