"""Numbers with a bound of how far rounding may have moved them, of first order: a running analysis of errors.

Wilkinson's (Rounding Errors in Algebraic Processes, 1963): from y = g(a, b) follows an error of at most

    |dg/da| error(a) + |dg/db| error(b) + u |y|.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel.models import StructModel
from numba.core.datamodel.registry import register_default
from numba.core.imputils import lower_cast

from numgrad.functions._exact.numbers import PLAIN, Number

# What a function of the library rounds by, at most, in units of the last place.
UNITS = 2.0


class Bound(Number):
    """A float and a bound of its error."""

    def __init__(self, base: Any = types.float64) -> None:
        self.base = base
        super().__init__(f"Bound({base})")

    def with_base(self, base: Any) -> "Bound":
        """Return the type of such numbers with values of another type."""
        return Bound(base)

    def of_sum(self, kinds: tuple[Any, ...], base: Any) -> "Bound":
        """Return the type of what an operation makes, whose value is of type `base`."""
        return Bound(base)

    def sum(self, chain: Any, context: Any, builder: Any, value: Any, terms: list[Any]) -> Any:
        """Generate the bound of what a function makes."""
        base = chain.result.base

        def size(number: Any) -> Any:
            kind = ir.FunctionType(number.type, [number.type])
            name = f"llvm.fabs.{'f64' if base == types.float64 else 'f32'}"
            return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [number])

        unit = context.get_constant(base, UNITS * 2.0 ** (-53 if base == types.float64 else -24))
        total = builder.fmul(size(value), unit)
        for kind, number, weight in terms:
            own = cgutils.create_struct_proxy(kind)(context, builder, value=number)
            error = context.cast(builder, own.error, kind.base, base)
            if isinstance(weight, float):
                weight = context.get_constant(base, weight)
            if chain.shift:
                own_size = size(context.cast(builder, own.value, kind.base, base))
                shift = builder.fmul(unit, context.get_constant(base, chain.shift))
                error = builder.fadd(error, builder.fmul(own_size, shift))
            total = builder.fadd(total, builder.fmul(size(weight), error))
        return bound(context, builder, chain.result, value, total)

    def unify(self, context: Any, other: Any) -> Any:
        """Return the type of a variable that is this or another."""
        if isinstance(other, (*PLAIN, Bound)):
            base = context.unify_pairs(self.base, getattr(other, "base", types.unliteral(other)))
            return None if base is None else Bound(base)
        return None

    def can_convert_from(self, context: Any, other: Any) -> Any:
        """Whether numbers of another type can become this."""
        return context.can_convert(other, self.base) if isinstance(other, PLAIN) else None

    def can_convert_to(self, context: Any, other: Any) -> Any:
        """Whether this can become another type."""
        return context.can_convert(self.base, other.base) if isinstance(other, Bound) else None


class BoundModel(StructModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, [("value", kind.base), ("error", kind.base)])


register_default(Bound)(BoundModel)


def bound(context: Any, builder: Any, kind: Any, value: Any, error: Any) -> Any:
    """Return a number with a bound of its error."""
    made = cgutils.create_struct_proxy(kind)(context, builder)
    made.value, made.error = value, error
    return made._getvalue()


@lower_cast(types.Float, Bound)
@lower_cast(types.Integer, Bound)
@lower_cast(types.Boolean, Bound)
def _from_plain(context: Any, builder: Any, old: Any, new: Any, number: Any) -> Any:
    zero = context.get_constant(new.base, 0.0)
    return bound(context, builder, new, context.cast(builder, number, old, new.base), zero)


@lower_cast(Bound, Bound)
def _from_bound(context: Any, builder: Any, old: Any, new: Any, number: Any) -> Any:
    own = cgutils.create_struct_proxy(old)(context, builder, value=number)
    value, error = (context.cast(builder, part, old.base, new.base) for part in (own.value, own.error))
    return bound(context, builder, new, value, error)
