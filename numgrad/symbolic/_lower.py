"""Straight code on numbers, made instructions at once.

Numba would find the type of each operation anew, which takes several times as long as all that LLVM does.
"""

import ast
import math
import operator
from typing import Any

# Lines of one function. LLVM's time for a block grows faster than the block: one of 3500 lines takes it 10 s.
PIECE = 250

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
            if len(assignments) > PIECE:
                _in_pieces(context, builder, assignments, values, are_tests)
            else:
                _write(context, builder, assignments, values)
            pairs = zip(returned, result.types, strict=True)
            made = [context.cast(builder, values[n], kind, kind) for n, kind in pairs]
            return context.make_tuple(builder, result, made)

        return result(given), generate

    return body


def _write(context: Any, builder: Any, lines: list[Any], values: dict[str, Any]) -> None:
    writer = _Writer(context, builder, values)
    for line in lines:
        values[line.targets[0].id] = writer.write(line.value)


def _in_pieces(
    context: Any, builder: Any, lines: list[Any], values: dict[str, Any], are_tests: dict[str, bool]
) -> None:
    """Functions of PIECE lines each, which hand each other the values in memory."""
    from llvmlite import ir

    double, index = ir.DoubleType(), ir.IntType(32)
    slots = {name: k for k, name in enumerate([*values, *(line.targets[0].id for line in lines)])}

    def place(builder: Any, memory: Any, name: str) -> Any:
        return builder.gep(memory, [ir.Constant(index, slots[name])])

    def load(builder: Any, memory: Any, name: str) -> Any:
        value = builder.load(place(builder, memory, name))
        return builder.fcmp_ordered("!=", value, ir.Constant(double, 0.0)) if are_tests[name] else value

    def store(builder: Any, memory: Any, name: str, value: Any) -> None:
        kept = builder.uitofp(value, double) if are_tests[name] else value
        builder.store(kept, place(builder, memory, name))

    with builder.goto_entry_block():
        memory = builder.alloca(double, size=len(slots))
    for name, value in values.items():
        store(builder, memory, name, value)
    for start in range(0, len(lines), PIECE):
        piece = lines[start : start + PIECE]
        kind = ir.FunctionType(ir.VoidType(), [double.as_pointer()])
        name = builder.module.get_unique_name(f"{builder.function.name}.piece")
        function = ir.Function(builder.module, kind, name)
        function.linkage = "internal"
        function.attributes.add("noinline")
        inner = ir.IRBuilder(function.append_basic_block())
        made = [line.targets[0].id for line in piece]
        read = {n.id for line in piece for n in ast.walk(line.value) if isinstance(n, ast.Name) and n.id in slots}
        found = {name: load(inner, function.args[0], name) for name in sorted(read.difference(made))}
        _write(context, inner, piece, found)
        for name in made:
            store(inner, function.args[0], name, found[name])
        inner.ret_void()
        builder.call(function, [memory])
    values.update((name, load(builder, memory, name)) for name in slots)


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
