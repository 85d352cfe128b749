"""What the code of a function is made of, in words that are the same in each process: by them it is known again."""

import enum
import sys
from types import CodeType, ModuleType
from typing import Any

import numpy as np
from numba.core.dispatcher import Dispatcher

from numgrad.functions._exact.operations import OPTIONS, RULES, key_of

# Modules whose functions are known by their names.
KNOWN = ("builtins", "math", "cmath", "numpy", "numba", "operator", "_operator")


class Unknown(Exception):  # noqa: N818  # nobody sees it
    """Something that cannot be said in words, such as an address."""


def words(function: Any) -> str | None:
    """Return what a function says, and all that it calls and names; None if another process could not tell it."""
    try:
        return repr(_Reader().value(function))
    except (Unknown, ValueError):  # of a cell that nothing has been put into
        return None


def is_kept(function: Any) -> bool:
    """Whether what Numba compiles of a function is kept on disk: `cache=True`."""
    return isinstance(function, Dispatcher) and function.stats.cache_path is not None


class _Reader:
    """Reads functions, and what they call."""

    def __init__(self) -> None:
        self.open: list[Any] = []  # that are being read

    def value(self, value: Any) -> Any:
        """Return what says a value, of which `repr` is a text."""
        if value is None or value is Ellipsis or isinstance(value, (bool, int, float, complex, str, bytes)):
            return type(value).__name__, repr(value)
        if isinstance(value, (np.ndarray, np.generic)):
            if value.dtype.hasobject:
                raise Unknown
            order = getattr(value, "strides", ())
            return "array", str(value.dtype), value.shape, order, np.asarray(value).tobytes()
        if isinstance(value, (tuple, list)):
            return type(value).__qualname__, getattr(value, "_fields", ()), [self.value(item) for item in value]
        if isinstance(value, frozenset):
            return "frozenset", sorted(repr(self.value(item)) for item in value)
        if isinstance(value, enum.Enum):
            return type(value).__qualname__, value.name, self.value(value.value)
        if isinstance(value, CodeType):
            return self._code(value)
        return self._function(value) if isinstance(value, Dispatcher) else self._name(value)

    @staticmethod
    def _name(value: Any) -> Any:
        """Return the name of what is known by it: what libraries have, and named tuples, by their fields.

        Not that of a plain function: what Numba puts in its place may be any.
        """
        if isinstance(value, ModuleType):
            return "module", value.__name__
        if isinstance(value, np.dtype):
            return "dtype", str(value)
        if isinstance(value, type) and issubclass(value, tuple) and hasattr(value, "_fields"):
            return "named tuple", value.__qualname__, value._fields
        name = getattr(value, "__name__", "")
        home = "numpy" if isinstance(value, np.ufunc) else str(getattr(value, "__module__", None))
        is_there = getattr(sys.modules.get(home), name, None) is value
        if not (is_there and home.partition(".")[0] in KNOWN):
            raise Unknown
        return home, name

    def _function(self, value: Any) -> Any:
        """Return what a function is made of, unless it calls itself."""
        if value in self.open:
            raise Unknown  # what Numba keeps of such functions ends processes that load it (numba 0.68)
        self.open.append(value)
        said = self._read(value)
        self.open.pop()
        return said

    def _read(self, value: Any) -> Any:
        rule = getattr(RULES.get(key_of(value)), "derivative", None)
        plain, options = value.py_func, value.targetoptions
        return (
            [(name, self._option(options[name])) for name in OPTIONS if name in options],
            self.value(rule),
            self._code(plain.__code__),
            [self.value(given) for given in plain.__defaults__ or ()],
            [(name, self.value(given)) for name, given in sorted((plain.__kwdefaults__ or {}).items())],
            [self.value(cell.cell_contents) for cell in plain.__closure__ or ()],
            self._names(plain.__code__, plain.__globals__),
        )

    @staticmethod
    def _option(value: Any) -> str:
        return repr(sorted(value)) if isinstance(value, (set, frozenset)) else str(value)

    def _code(self, code: CodeType) -> Any:
        constants = [self.value(constant) for constant in code.co_consts]
        return code.co_name, code.co_code, code.co_names, code.co_varnames, code.co_freevars, constants

    def _names(self, code: CodeType, of: dict[str, Any]) -> list[Any]:
        """Return what the names in a function stand for; of a module, those of its names that the function has, too."""
        found = [(name, self.value(of[name])) for name in code.co_names if name in of]
        modules = [of[name] for name in code.co_names if isinstance(of.get(name), ModuleType)]
        for module in modules:
            if module.__name__.partition(".")[0] not in KNOWN:
                found += self._names(code, {k: v for k, v in vars(module).items() if v is not module})
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                found += self._names(constant, of)
        return found
