"""Straight code on numbers, made instructions at once.

Numba would find the type of each operation anew, which takes several times as long as all that LLVM does.
"""

import ast
import math
import operator
from typing import Any

_PLAIN = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv", ast.BitAnd: "and_", ast.BitOr: "or_"}
_CALLED = {ast.Pow: operator.pow, ast.Mod: operator.mod}
_INTRINSIC = {"abs": "llvm.fabs", "sqrt": "llvm.sqrt", "floor": "llvm.floor", "ceil": "llvm.ceil"}
_COMPARED = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


def lowered(function: ast.FunctionDef) -> Any:
    """An intrinsic that does what a function of one tuple does: names for its items, assignments, a tuple returned."""
    from numba import types
    from numba.extending import intrinsic

    unpacked, *assignments, last = function.body
    assert isinstance(unpacked, ast.Assign)
    assert isinstance(last, ast.Return)
    assert isinstance(last.value, ast.Tuple)
    names = [name.id for name in unpacked.targets[0].elts]  # type: ignore[attr-defined]
    returned = [name.id for name in last.value.elts]  # type: ignore[attr-defined]

    @intrinsic
    def body(typing: Any, given: Any) -> Any:
        are_tests = {n: kind == types.boolean for n, kind in zip(names, given.types, strict=True)}
        for line in assignments:
            are_tests[line.targets[0].id] = _is_test(line.value, are_tests)  # type: ignore[attr-defined]
        result = types.Tuple([types.boolean if are_tests[n] else types.float64 for n in returned])

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            from numba.core import cgutils

            values = dict(zip(names, cgutils.unpack_tuple(builder, arguments[0], len(names)), strict=True))
            values = {n: builder.trunc(v, _bit()) if are_tests[n] else v for n, v in values.items()}
            writer = _Writer(context, builder, values)
            for line in assignments:
                values[line.targets[0].id] = writer.write(line.value)  # type: ignore[attr-defined]
            pairs = zip(returned, result.types, strict=True)
            made = [context.cast(builder, values[n], kind, kind) for n, kind in pairs]
            return context.make_tuple(builder, result, made)

        return result(given), generate

    return body


def _bit() -> Any:
    from llvmlite import ir

    return ir.IntType(1)


def _is_test(node: Any, known: dict[str, bool]) -> bool:
    match node:
        case ast.Compare() | ast.UnaryOp(op=ast.Not()) | ast.BinOp(op=ast.BitAnd() | ast.BitOr()):
            return True
        case ast.IfExp(body=chosen):
            return _is_test(chosen, known)
        case ast.Name(id=name):
            return known.get(name, False)
    return isinstance(node, ast.Constant) and isinstance(node.value, bool)


class _Writer:
    """Writes expressions as instructions; both sides of a choice, for nothing here can raise."""

    def __init__(self, context: Any, builder: Any, values: dict[str, Any]) -> None:
        from llvmlite import ir

        self._context, self._builder, self._values, self._ir = context, builder, values, ir
        self._found: dict[Any, Any] = {}

    def write(self, node: Any) -> Any:
        ir, builder = self._ir, self._builder
        match node:
            case ast.Constant(value=bool(value)):
                return ir.Constant(ir.IntType(1), int(value))
            case ast.Constant(value=float(value)):
                return ir.Constant(ir.DoubleType(), value)
            case ast.Name(id="nan"):
                return ir.Constant(ir.DoubleType(), math.nan)
            case ast.Name(id=name):
                return self._values[name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return builder.fneg(self.write(operand))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return builder.not_(self.write(operand))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _PLAIN:
                return getattr(builder, _PLAIN[type(op)])(self.write(left), self.write(right))
            case ast.BinOp(left=left, op=op, right=right):
                return self._call(_CALLED[type(op)], [self.write(left), self.write(right)])
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self._compared(_COMPARED[type(op)], self.write(left), self.write(right))
            case ast.IfExp(test=test, body=one, orelse=other):
                return builder.select(self.write(test), self.write(one), self.write(other))
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=arguments):
                values = [self.write(a) for a in arguments]
                if name not in _INTRINSIC:
                    return self._call(getattr(math, name), values)
                return builder.call(builder.module.declare_intrinsic(_INTRINSIC[name], [ir.DoubleType()]), values)
        raise NotImplementedError(ast.dump(node))

    def _compared(self, sign: str, left: Any, right: Any) -> Any:
        if left.type == self._ir.IntType(1):
            return self._builder.icmp_unsigned(sign, left, right)
        ordered = self._builder.fcmp_unordered if sign == "!=" else self._builder.fcmp_ordered
        return ordered(sign, left, right)

    def _call(self, function: Any, values: list[Any]) -> Any:
        from numba import types

        if function not in self._found:
            typing = self._context.typing_context
            kind = typing.resolve_value_type(function)
            signature = kind.get_call_type(typing, (types.float64,) * len(values), {})
            self._found[function] = self._context.get_function(kind, signature)
        return self._found[function](self._builder, values)
