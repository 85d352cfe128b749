"""Lets Numba compile calls of numgrad inside `@njit`: it finds `init` by the entry point `numba_extensions`.

Every process that compiles anything with Numba runs `init`, so it only registers; the rest comes with the first call
that is typed.
"""

import sys
from functools import cache
from typing import Any

import numpy as np
from numba.extending import overload

from numgrad._compile.jit import keep

# The flags of the functions that Numba compiles here: with the flags of the caller they would have other bits.
OPTIONS: Any = {"error_model": "numpy", "fastmath": False}


@cache
def init() -> None:
    """Let Numba compile np.gradient, unless it has its own by now, and what has been imported of numgrad."""
    if not numba_has(np.gradient):
        _overload(np.gradient, _gradient)
    for name in OVERLOADS:
        module = sys.modules.get(f"numgrad._arrays.{name}")
        if hasattr(module, name):
            _overload(getattr(module, name), OVERLOADS[name])


def register(function: Any) -> None:
    """Let Numba compile a function that numgrad has just imported, be it for code that is being compiled."""
    if function.__name__ in OVERLOADS:
        from numba.core.registry import cpu_target

        _overload(function, OVERLOADS[function.__name__])
        cpu_target.typing_context.refresh()


@cache  # once for each function
def _overload(function: Any, implementation: Any) -> None:
    from numba.core.typing import templates

    overload(function, strict=False, prefer_literal=True, jit_options=OPTIONS)(implementation)
    made = (t for t in templates.builtin_registry.functions if getattr(t, "_overload_func", None) is implementation)
    (template,) = (t for t in made if t.key is function)
    template._get_jit_decorator = _kept(template._get_jit_decorator)


def _kept(decorator: Any) -> Any:
    """Keep in the cache what Numba jits by the decorator that it gets so: `jit_options` have no such option."""
    return lambda template: lambda **options: lambda function: keep(decorator(template)(**options)(function))


def numba_has(function: Any) -> bool:
    """Whether Numba knows this function without numgrad."""
    from numba.core.typing import templates
    from numba.np import arraymath, arrayobj, npyimpl  # noqa: F401  # with what they register

    return any(known is function for known, _ in templates.builtin_registry.globals)


def _gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1, out: Any = None) -> Any:
    """Return the function that Numba compiles for arguments of these types."""
    from numgrad.interop.numba import gradient as numba_gradient

    return numba_gradient.implementation(f, varargs, axis, edge_order, out)


def _derivative(
    f: Any, x: Any = None, *, n: Any = 1, accuracy: Any = None, axis: Any = -1, boundary: Any = "one-sided",
    edge_accuracy: Any = None, period: Any = None, nan: Any = "propagate", window: Any = None, degree: Any = None,
    sigma: Any = None, out: Any = None,
) -> Any:  # fmt: skip
    from numgrad.interop.numba import derivative as numba_derivative

    return numba_derivative.implementation(
        f, x, axis, period, out, {"window": window, "degree": degree, "sigma": sigma},
        n=n, accuracy=accuracy, boundary=boundary, edge_accuracy=edge_accuracy, nan=nan,
    )  # fmt: skip


OVERLOADS = {"gradient": _gradient, "derivative": _derivative}
