"""Operations on numbers that carry derivatives, in place of those that a function names.

A function is derived by compiling it once more. In its code, as Numba reads it, each operator, and each function that
has a rule, gives way to an `Operation`. Where no argument carries derivatives it does what it stands for, so values
keep their bits; where one does, it does what the rule says. Numba's own tables know nothing of it: code of other
programs is typed and compiled as before.
"""

import operator
from collections.abc import Callable
from functools import cache
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
from numba import njit, types
from numba.core import compiler, ir
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.datamodel.models import OpaqueModel
from numba.core.datamodel.registry import register_default
from numba.core.dispatcher import Dispatcher
from numba.core.errors import UnsupportedError
from numba.core.ir_utils import build_definitions
from numba.core.untyped_passes import InlineClosureLikes

from numgrad._compile import pipeline
from numgrad.functions._exact.accumulators import JOINED, KEPT, PASSED, Accumulators
from numgrad.functions._exact.numbers import carries

# What an operation does with arguments that carry derivatives: a function of the type of number, and of the types of
# the arguments, that returns something that Numba can call, or None where the original will do.
Rule = Callable[..., Any]
RULES: dict[Any, Rule] = {}
# The same, also for arguments that carry none: what makes arrays makes those of numbers that carry derivatives.
MAKERS: dict[Any, Rule] = {}
# The same for methods and attributes, by their names.
METHODS: dict[str, Rule] = {}
ATTRIBUTES: dict[str, Rule] = {}

# What finds a rule for a function of which these know nothing.
WRITTEN: list[Callable[[Any], Rule | None]] = []

# What has no name in a function: the families of powers by their exponents, and of arrays by their rows and columns in
# the source. Each returns a function, and its rule.
FAMILIES: dict[str, Callable[..., tuple[Any, Rule]]] = {}

# Functions that jump, and are flat in between.
FLAT: set[Any] = set()

# Why a function is not derived, where Numba would go wrong.
CIRCLE = "functions that call each other in a circle"

# Options of jitted functions that decide on their values.
OPTIONS = ("fastmath", "error_model", "boundscheck")


class OperationType(types.Callable, types.Dummy):
    """The type of an operation: each is one of its own."""

    def __init__(self, operation: "Operation") -> None:
        self.operation = operation
        super().__init__(f"operation({operation.name}, {operation.number})")

    @property
    def key(self) -> Any:
        """What tells types apart: functions of one name are many."""
        return self.operation

    def get_call_type(self, context: Any, args: Any, kws: Any) -> Any:
        """Return the signature of the call of what does the work."""
        # One compilation does for all integers in the source.
        args = tuple(map(_unliteral, args))
        kws = {name: _unliteral(kind) for name, kind in dict(kws).items()}
        target = self.operation.target(context, args, kws)
        signature = context.resolve_function_type(target, args, kws)
        if signature is not None:
            self.operation.targets[signature.args] = target
        return signature

    def get_call_signatures(self) -> Any:
        """Return none: they depend on the arguments."""
        return (), True

    def get_impl_key(self, signature: Any) -> Any:
        """Return by what Numba finds the code of what does the work."""
        return self.operation.targets[signature.args].get_impl_key(signature)


def _unliteral(kind: Any) -> Any:
    return types.unliteral(kind) if isinstance(kind, types.IntegerLiteral) else kind


register_default(OperationType)(OpaqueModel)


class Operation:
    """What code that is derived calls in place of a function, an operator, a method or an attribute."""

    def __init__(self, original: Any, rule: Rule, number: Any, name: str, fate: str, is_maker: bool) -> None:
        self.original, self.rule, self.number, self.name = original, rule, number, name
        self.fate, self.is_maker = fate, is_maker
        self.has_derived = False  # whether it has been asked for numbers that carry derivatives
        self.places: set[tuple[str, int]] = set()  # files and lines that it stands in
        self.targets: dict[Any, Any] = {}
        self._numba_type_ = OperationType(self)

    def target(self, context: Any, args: tuple[Any, ...], kws: dict[str, Any]) -> Any:
        """Return the type of the function that does the work for arguments of these types."""
        if self.is_maker or any(map(carries, (*args, *kws.values()))):
            self.has_derived = True
            found = self.rule(self.number, *args, **kws)
            found = getattr(found, self.fate, found)
            if found is not None:
                return type_of(context, found)
        return type_of(context, self.original)


def key_of(function: Any) -> Any:
    """Return what a function is known by: itself, or its identity, as that of ctypes, if it has no hash."""
    try:
        hash(function)
    except TypeError:
        return "identity", id(function)
    return function


def type_of(context: Any, function: Any) -> Any:
    """Return the type of a function; of one that Numba has learnt of since it last looked, too."""
    try:
        return context.resolve_value_type(function)
    except ValueError:
        context.refresh()
        return context.resolve_value_type(function)


class Operations:
    """The operations of functions that are derived with one type of number."""

    def __init__(self, number: Any) -> None:
        self.number = number
        self._made: dict[Any, Any] = {}

    def of(self, original: Any, fate: str = PASSED) -> Any:
        """Return what takes the place of a function: an operation if it has a rule, a derived one if it is jitted."""
        if isinstance(original, Dispatcher) and getattr(original, "is_final", False):
            return original
        key = key_of(original)
        rule = MAKERS.get(key) or RULES.get(key)
        if rule is None and key is original and self._may_be_written(original):
            rule = next(filter(None, (find(original) for find in WRITTEN)), None)
        if rule is not None:
            name = getattr(original, "__name__", repr(original))
            return self._operation(key, getattr(rule, "original", original), rule, name, fate)
        if not isinstance(original, Dispatcher):
            return original
        return self.once(original, lambda: self.derived(original))

    @staticmethod
    def _may_be_written(original: Any) -> bool:
        if not callable(original) or isinstance(original, (type, Dispatcher, types.Type)):
            return False
        return getattr(original, "__module__", None) != "builtins"  # which Numba knows by their names

    def flat(self) -> list[str]:
        """Return what has lost derivatives, in words: steps, whose derivative is 0 though they jump."""
        made = [m for m in self._made.values() if isinstance(m, Operation) and m.has_derived and m.original in FLAT]
        return sorted({f"{m.name} in line {line} of {path}" for m in made for path, line in m.places})

    def family(self, name: str, *numbers: int, fate: str = PASSED) -> Operation:
        """Return what takes the place of one of a family that has no names: a power, a table."""
        key = name, *numbers
        if (key, fate) not in self._made:
            self._operation(key, *FAMILIES[name](*numbers), name, fate)
        return self._made[key, fate]  # type: ignore[no-any-return]

    def method(self, name: str, fate: str = PASSED) -> Operation:
        """Return what takes the place of a method of this name."""
        return self._operation(("method", name), _calling(name), METHODS[name], f".{name}()", fate)

    def attribute(self, name: str, fate: str = PASSED) -> Operation:
        """Return what takes the place of an attribute of this name."""
        return self._operation(("attribute", name), _reading(name), ATTRIBUTES[name], f".{name}", fate)

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return what has been made for a key, or make it. A new rule makes all of that forgotten."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def derived(self, function: Any, **options: Any) -> Any:
        """Return a function, jitted or plain, jitted for numbers that carry derivatives."""
        plain = getattr(function, "py_func", function)
        given = {k: v for k, v in getattr(function, "targetoptions", {}).items() if k in OPTIONS}
        clone = rebound(plain)
        clone.operations, clone.original = self, function  # type: ignore[attr-defined]
        # Nobody calls it from Python, which could not hold what it returns.
        own = {"pipeline_class": Deriving, "nogil": True, "no_cfunc_wrapper": True, "no_cpython_wrapper": True}
        jit: Any = njit
        return final(jit(**own, **given, **options)(clone))

    def _operation(self, of: Any, original: Any, rule: Rule, name: str, fate: str) -> Operation:
        key = of, fate
        if key not in self._made:
            is_maker = of in MAKERS or getattr(rule, "is_maker", False)
            self._made[key] = Operation(original, rule, self.number, name, fate, is_maker)
        made: Operation = self._made[key]
        return made


def rebound(function: Any, **names: Any) -> FunctionType:
    """Return a copy of a function, with global names bound anew."""
    own = function.__globals__ | names if names else function.__globals__
    made = FunctionType(function.__code__, own, function.__name__, function.__defaults__, function.__closure__)
    made.__kwdefaults__ = function.__kwdefaults__
    made.__qualname__, made.__module__ = function.__qualname__, function.__module__
    return made


def final(function: Any) -> Any:
    """Mark a jitted function that is not derived again where it is called."""
    function.is_final = True
    return function


@cache
def operations(number: Any) -> Operations:
    """Return the operations of functions that are derived with a type of number."""
    return Operations(number)


@cache
def _calling(name: str) -> Any:
    names: dict[str, Any] = {}
    exec(f"def call(of, *arguments): return of.{name}(*arguments)", names)
    return njit(names["call"])


@cache
def _reading(name: str) -> Any:
    names: dict[str, Any] = {}
    exec(f"def read(of): return of.{name}", names)
    return njit(names["read"])


def is_in_a_circle(function: Any) -> bool:
    """Whether a jitted function calls another one that calls it.

    Numba compiles the one for what it believes the other returns before it has seen all of it: where one `return` has a
    number and another one a number that carries derivatives, it is mistaken, and runs into what is no code.
    """
    return any(other is not function and function in _reached(other) for other in _called(function))


def _reached(function: Any) -> set[Any]:
    """Return all jitted functions that one calls, and that these call."""
    found: set[Any] = set()
    left = [function]
    while left:
        new = [other for other in _called(left.pop()) if other not in found]
        found.update(new)
        left += new
    return found


def _called(function: Any) -> list[Any]:
    """Return the jitted functions that a function names."""
    plain = getattr(function, "py_func", function)
    captured = [cell.cell_contents for cell in plain.__closure__ or ()]
    named = [plain.__globals__.get(name) for name in plain.__code__.co_names]
    return [value for value in (*captured, *named) if isinstance(value, Dispatcher)]


class Deriving(pipeline.Within, compiler.Compiler):
    """The compiler of functions that are derived."""

    def define_pipelines(self) -> Any:
        """Return Numba's own pipeline, and what puts operations into the code that it reads."""
        (found,) = super().define_pipelines()
        found.add_pass_after(Derive, InlineClosureLikes)
        found.finalize()
        return [found]


@register_pass(mutates_CFG=False, analysis_only=False)
class Derive(FunctionPass):
    """Puts operations in the place of what they stand for, in the code of a function."""

    _name = "derive"

    def __init__(self) -> None:
        super().__init__()

    def run_pass(self, state: Any) -> bool:
        """Change the code."""
        function = state.func_id.func
        if is_in_a_circle(function.original):
            raise UnsupportedError(CIRCLE, state.func_ir.loc)
        Code(state.func_ir, function.operations).derive()
        return True


class Code:
    """The code of a function, as Numba reads it, that is derived."""

    def __init__(self, code: Any, made: Operations) -> None:
        self.code, self.made = code, made

    def derive(self) -> None:
        """Put operations in the place of what they stand for."""
        fates = dict.fromkeys(self._kept(), KEPT) | dict.fromkeys(Accumulators(self.code, self._known).found(), JOINED)
        for block in self.code.blocks.values():
            body: list[Any] = []
            for statement in block.body:
                if isinstance(statement, ir.Assign):
                    found = self._operation(statement.value, fates.get(statement.target.name, PASSED))
                    if isinstance(found, tuple):
                        operation, arguments, kws = found
                        operation.places.add((statement.loc.filename, statement.loc.line))
                        name = block.scope.redefine("$operation", statement.loc)
                        body.append(ir.Assign(ir.Global(operation.name, operation, statement.loc), name, statement.loc))
                        statement.value = ir.Expr.call(name, list(arguments), kws, statement.loc)
                    elif found is not None:
                        statement.value = ir.Global(getattr(found, "name", "derived"), found, statement.loc)
                body.append(statement)
            block.body = body
        self._tidy()
        self.code._definitions = build_definitions(self.code.blocks)

    def _tidy(self) -> None:
        """Leave out methods, and rows of arrays, that nobody asks for any more: some could not be typed."""
        used = {
            variable.name
            for block in self.code.blocks.values()
            for statement in block.body
            for variable in statement.list_vars()
            if not (isinstance(statement, ir.Assign) and variable is statement.target)
        }
        for block in self.code.blocks.values():
            block.body = [s for s in block.body if not (self._is_idle(s) and s.target.name not in used)]

    @staticmethod
    def _is_idle(statement: Any) -> bool:
        """Whether a statement does nothing but to name what is read or built."""
        value = getattr(statement, "value", None)
        if not (isinstance(statement, ir.Assign) and isinstance(value, ir.Expr)):
            return False
        return value.op in ("getattr", "build_list", "build_tuple")

    def _operation(self, value: Any, fate: str) -> Any:
        """Return what takes the place of what is assigned: an operation and its arguments, a function, or None."""
        if isinstance(value, (ir.Global, ir.FreeVar)):
            return self._replaced(value.value, fate)
        if not isinstance(value, ir.Expr):
            return None
        exponent = self._constant(value.rhs) if value.op == "binop" and value.fn is operator.pow else None
        if value.op == "binop" and value.fn is operator.mul and value.lhs.name == value.rhs.name:
            exponent = 2  # the same bits, and one weight
        if type(exponent) is int:
            return self.made.family("power", exponent, fate=fate), (value.lhs,), ()
        if value.op == "binop" and value.fn in RULES:
            return self.made.of(value.fn, fate), (value.lhs, value.rhs), ()
        if value.op == "inplace_binop" and value.fn in RULES:
            return self.made.of(value.fn, fate), (value.lhs, value.rhs), ()
        if value.op == "unary" and value.fn in RULES:
            return self.made.of(value.fn, fate), (value.value,), ()
        if value.op == "call":
            function = self._known(value.func)
            rows = self._rows(value) if function is np.array else None
            if rows is not None:
                return self.made.family("table", len(rows), len(rows[0])), [x for row in rows for x in row], ()
            found = self.made.of(function, fate)
            if isinstance(found, Operation):
                return found, value.args, value.kws
            method = self._method(value)
            if method is not None:
                return self.made.method(method.attr, fate), (method.value, *value.args), value.kws
        if value.op == "getattr":
            owner = self._known(value.value)
            if isinstance(owner, ModuleType):
                return self._replaced(getattr(owner, value.attr, None), fate)
            if value.attr in ATTRIBUTES:
                return self.made.attribute(value.attr, fate), (value.value,), ()
        return None

    def _replaced(self, original: Any, fate: str) -> Any:
        """Return what takes the place of a function; None if nothing does. A type may be a dtype, unless called."""
        found = original if isinstance(original, type) else self.made.of(original, fate)
        return None if found is original else found

    def _method(self, call: Any) -> Any:
        """Return how a method that has a rule is read, if that is what is called."""
        found = self._definition(call.func)
        is_method = isinstance(found, ir.Expr) and found.op == "getattr" and found.attr in METHODS
        return found if is_method and not isinstance(self._known(found.value), ModuleType) else None

    def _kept(self) -> set[str]:
        """Return the names of results that do not all go straight into an operation."""
        names = {name for name in self.code._definitions if not name.startswith("$")}
        for block in self.code.blocks.values():
            for statement in block.body:
                if not isinstance(statement, ir.Assign):
                    names |= {variable.name for variable in statement.list_vars()}
                elif self._operation(statement.value, PASSED) is None and not isinstance(
                    statement.value, (ir.Global, ir.FreeVar, ir.Const, ir.Arg)
                ):
                    names |= {variable.name for variable in ir.Assign.list_vars(statement)} - {statement.target.name}
        return names

    def _definition(self, variable: Any) -> Any:
        """Return what is assigned to a variable, if that is done once."""
        found = self.code._definitions.get(variable.name, ())
        return found[0] if len(found) == 1 else None

    def _rows(self, call: Any) -> Any:
        """Return the rows of an array that is made of rows in the source; None if this is another call."""
        outer: Any = self._definition(call.args[0]) if len(call.args) == 1 and not call.kws else None
        if not self._is_sequence(outer):
            return None
        rows: list[Any] = [self._definition(item) for item in outer.items]
        if not rows or not all(map(self._is_sequence, rows)) or len({len(row.items) for row in rows}) != 1:
            return None
        return [row.items for row in rows]

    @staticmethod
    def _is_sequence(found: Any) -> bool:
        return isinstance(found, ir.Expr) and found.op in ("build_list", "build_tuple") and len(found.items) > 0

    def _constant(self, variable: Any) -> Any:
        """Return the number that a variable always is; None if it is not known."""
        found = self._definition(variable)
        if isinstance(found, ir.Var):
            return self._constant(found)
        return found.value if isinstance(found, (ir.Const, ir.Global, ir.FreeVar)) else None

    def _known(self, variable: Any) -> Any:
        """Return what a variable is, if it is a name from outside of the function; else None."""
        found = self._definition(variable)
        if isinstance(found, (ir.Global, ir.FreeVar)):
            return found.value
        if isinstance(found, ir.Var):
            return self._known(found)
        if isinstance(found, ir.Expr) and found.op == "getattr":
            owner = self._known(found.value)
            return getattr(owner, found.attr, None) if isinstance(owner, ModuleType) else None
        return None
