"""Taylor's series of a function of one variable, up to a power: for derivatives of higher order.

A jet of order n is the jet of order n - 1 and one coefficient more. From y = g(u) follows y' = g'(u) u', so that

    n y_n = sum over j from 1 to n of j u_j d_(n - j),

where d is the jet of g'(u), of order n - 1: the rule of g, done with jets (Griewank and Walther, Evaluating
Derivatives, 2008, section 13.2).
"""

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel.models import StructModel
from numba.core.datamodel.registry import register_default
from numba.core.imputils import lower_cast

from numgrad.functions._exact.numbers import PLAIN, Number


class Jet(Number):
    """The coefficients of Taylor's series up to a power."""

    def __init__(self, order: int, scalar: Any = types.float64) -> None:
        self.order, self.scalar = order, scalar
        self.base = Jet(order - 1, scalar) if order > 1 else scalar
        super().__init__(f"Jet({order}, {scalar})")

    def with_base(self, base: Any) -> "Jet":
        """Return the type of jets of this order, with values of another type."""
        return Jet(self.order, base.scalar if isinstance(base, Jet) else base)

    def with_scalar(self, scalar: Any) -> "Jet":
        """Return the type of jets of this order, of coefficients of another type."""
        inner = self.scalar
        return Jet(self.order, inner.with_scalar(scalar) if isinstance(inner, Number) else scalar)

    def of_sum(self, kinds: tuple[Any, ...], base: Any) -> "Jet":
        """Return the type of what an operation makes, whose value is of type `base`."""
        return self.with_base(base)

    def sum(self, chain: Any, context: Any, builder: Any, value: Any, terms: list[Any]) -> Any:
        """Generate the next coefficient by the weights, which are jets themselves."""
        result = chain.result
        calculus = Calculus(chain, context, builder)
        total = None
        for kind, number, weight in terms:
            u = calculus.coefficients(kind, number)
            d = [weight] if isinstance(weight, float) else calculus.coefficients(chain.base, weight)
            for j in range(1, self.order + 1):
                if self.order - j < len(d):
                    factor = d[self.order - j]
                    if isinstance(factor, float):
                        factor = calculus.number(factor)
                    share = calculus.scaled(j / self.order, u[j])
                    total = calculus.sum(total, calculus.product(share, factor))
        return jet(context, builder, result, value, calculus.zero() if total is None else total)

    def unify(self, context: Any, other: Any) -> Any:
        """Return the type of a variable that is this or another."""
        if isinstance(other, PLAIN):
            scalar = context.unify_pairs(self.scalar, types.unliteral(other))
        elif isinstance(other, Jet):
            scalar = context.unify_pairs(self.scalar, other.scalar)
        else:
            return None
        return None if scalar is None else Jet(max(self.order, getattr(other, "order", 0)), scalar)

    def can_convert_from(self, context: Any, other: Any) -> Any:
        """Whether numbers of another type can become this."""
        return context.can_convert(other, self.scalar) if isinstance(other, PLAIN) else None

    def can_convert_to(self, context: Any, other: Any) -> Any:
        """Whether this can become another type."""
        fits = isinstance(other, Jet) and other.order >= self.order
        return context.can_convert(self.scalar, other.scalar) if fits else None


class JetModel(StructModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, [("value", kind.base), ("last", kind.scalar)])


register_default(Jet)(JetModel)


def jet(context: Any, builder: Any, kind: Any, value: Any, last: Any) -> Any:
    """Return a jet of one coefficient more than `value`."""
    made = cgutils.create_struct_proxy(kind)(context, builder)
    made.value, made.last = value, last
    return made._getvalue()


class Calculus:
    """Arithmetic with coefficients."""

    def __init__(self, chain: Any, context: Any, builder: Any) -> None:
        self.context, self.builder, self.scalar = context, builder, chain.result.scalar
        self.resolved = chain.resolved

    def coefficients(self, kind: Any, number: Any) -> list[Any]:
        """Return the coefficients of a jet, or of a plain number."""
        if not isinstance(kind, Jet):
            return [self.context.cast(self.builder, number, kind, self.scalar)]
        own = cgutils.create_struct_proxy(kind)(self.context, self.builder, value=number)
        last = self.context.cast(self.builder, own.last, kind.scalar, self.scalar)
        return [*self.coefficients(kind.base, own.value), last]

    def _call(self, function: Any, a: Any, b: Any) -> Any:
        pair = self.scalar, self.scalar
        kind, signature = self.resolved(self.context.typing_context, function, pair)
        return self.context.get_function(kind, signature)(self.builder, [a, b])

    def number(self, number: float) -> Any:
        made = self.context.get_constant(types.float64, number)
        return self.context.cast(self.builder, made, types.float64, self.scalar)

    def zero(self) -> Any:
        return ir.Constant(self.context.get_value_type(self.scalar), None)

    def scaled(self, factor: float, a: Any) -> Any:
        if factor == 1.0:
            return a
        return self.product(self.number(factor), a)

    def sum(self, a: Any, b: Any) -> Any:
        return b if a is None else self._call(operator.add, a, b)

    def product(self, a: Any, b: Any) -> Any:
        return self._call(operator.mul, a, b)


def _quotient(chain: Any, context: Any, builder: Any, values: list[Any], numbers: list[Any]) -> Any:
    """Generate a / b: y_n = (a_n - sum over j from 1 to n of b_j y_(n - j)) / b_0."""
    result = chain.result
    calculus = Calculus(chain, context, builder)
    value = chain.generate_value(context, builder, values)
    a, b = (calculus.coefficients(kind, number) for kind, number in zip(chain.kinds, numbers, strict=True))
    y = calculus.coefficients(chain.base, value)
    n = result.order
    total = a[n] if len(a) > n else None
    for j in range(1, n + 1):
        if j < len(b):
            term = calculus.product(calculus.scaled(-1.0, b[j]), y[n - j])
            total = calculus.sum(total, term)
    last = calculus.zero() if total is None else calculus._call(operator.truediv, total, b[0])
    return jet(context, builder, result, value, last)


Jet.special = dict.fromkeys((operator.truediv, operator.itruediv), _quotient)


@lower_cast(types.Float, Jet)
@lower_cast(types.Integer, Jet)
@lower_cast(types.Boolean, Jet)
@lower_cast(types.Complex, Jet)
def _from_plain(context: Any, builder: Any, old: Any, new: Any, number: Any) -> Any:
    zero = ir.Constant(context.get_value_type(new.scalar), None)
    return jet(context, builder, new, context.cast(builder, number, old, new.base), zero)


@lower_cast(Jet, Jet)
def _from_jet(context: Any, builder: Any, old: Any, new: Any, number: Any) -> Any:
    if old.order < new.order:
        return _from_plain(context, builder, old, new, number)
    own = cgutils.create_struct_proxy(old)(context, builder, value=number)
    value = context.cast(builder, own.value, old.base, new.base)
    return jet(context, builder, new, value, context.cast(builder, own.last, old.scalar, new.scalar))
