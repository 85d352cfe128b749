"""Finds what a function adds up where nobody else sees it.

``s += e`` is one record of the tape for each e, unless the last record is that of s, and nothing but s will ask for it:
then e joins it, and the sum of a thousand products is one record (see `tape`). Whether anything else has got hold of s
is found out here, in the code: by following, along each way through it, which variables may share what they are.
"""

import operator
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numba.core import ir
from numba.core.analysis import compute_cfg_from_blocks

# What becomes of a result (see `tape`): it goes straight into the next operation; it is kept in a variable; or it is
# kept in the variable that it is added to, which nobody else sees.
PASSED, KEPT, JOINED = "", "kept", "joined"

# Addition in all its forms. What is subtracted joins with its sign.
SUMS = {operator.add, operator.iadd, operator.sub, operator.isub}


class Accumulators:
    """The sums in the code of a function. `known` returns what a variable is, if it is a name from outside."""

    def __init__(self, code: Any, known: Callable[[Any], Any]) -> None:
        self.code, self.known = code, known
        statements = [s for block in code.blocks.values() for s in block.body if not isinstance(s, ir.Del)]
        self.uses = Counter(v.name for s in statements for v in s.list_vars())

    def found(self) -> set[str]:
        """Return the names of the results of those additions that may join the record of what they add to."""
        graph, first = compute_cfg_from_blocks(self.code.blocks), min(self.code.blocks)
        entered: dict[int, set[str]] = {first: set()}
        waiting = [first]
        while waiting:
            label = waiting.pop()
            shared = self._after(label, entered[label], set())
            for following, _ in graph.successors(label):
                if following not in entered or not shared <= entered[following]:
                    entered[following] = entered.get(following, set()) | shared
                    waiting.append(following)
        joined: set[str] = set()
        for label, shared in entered.items():
            self._after(label, shared, joined)
        return joined

    def _after(self, label: int, shared: Iterable[str], joined: set[str]) -> set[str]:
        """Return the variables that may be shared after a block; add to `joined` what may join."""
        shared = set(shared)
        body = [s for s in self.code.blocks[label].body if not isinstance(s, ir.Del)]
        for statement, before in zip(body, [None, *body], strict=False):
            if not isinstance(statement, ir.Assign):
                if not isinstance(statement, (ir.Return, ir.Branch, ir.Jump)):
                    shared |= set(map(_name, statement.list_vars()))
                continue
            target, result = _name(statement.target), statement.target.name
            value: Any = statement.value
            if isinstance(before, ir.Assign) and self._is_only(value, before.target):
                value, result = before.value, value.name  # s = $1, which has just been computed for it
            is_sum = isinstance(value, ir.Expr) and value.op in ("binop", "inplace_binop") and value.fn in SUMS
            if is_sum and _name(value.lhs) == target and not target.startswith("$"):
                if target not in shared:
                    joined.add(result)
                shared.discard(target)
            elif self._is_new(value):
                shared.discard(target)
            else:
                shared |= {target, *(_name(v) for v in statement.list_vars())}
        return shared

    def _is_only(self, value: Any, variable: Any) -> bool:
        """Whether this is the variable, which nothing else asks for."""
        return isinstance(value, ir.Var) and value.name == variable.name and self.uses[value.name] == 2

    def _is_new(self, value: Any) -> bool:
        """Whether a result is another number than those it is made of."""
        if isinstance(value, (ir.Const, ir.Global, ir.FreeVar)):
            return True
        if not isinstance(value, ir.Expr):
            return False
        if value.op == "call":
            function = self.known(value.func)
            return isinstance(function, np.ufunc) or getattr(function, "__module__", "") == "math"
        return value.op in ("binop", "inplace_binop", "unary", "cast")  # the last is what a function returns


def _name(variable: Any) -> str:
    """Return the name that a variable has in the source."""
    return variable.unversioned_name  # type: ignore[no-any-return]
