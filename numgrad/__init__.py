"""Gradients of arrays, of functions, and gradient descent, in compiled kernels."""

import sys
from typing import TYPE_CHECKING, Any

from numgrad._arrays.containers import homes
from numgrad._system import original  # noqa: F401  # first: NumPy's own gradient is bound now
from numgrad._system.forks import importing

if TYPE_CHECKING:
    from numgrad import functions as functions
    from numgrad import pandas as pandas
    from numgrad import plotting as plotting
    from numgrad import polars as polars
    from numgrad import sklearn as sklearn
    from numgrad import sphere as sphere
    from numgrad import symbolic as symbolic
    from numgrad import xarray as xarray
    from numgrad._arrays.derivative import derivative
    from numgrad._arrays.errors import WithError
    from numgrad._arrays.explain import explain
    from numgrad._arrays.fields import curl, divergence, hessian, jacobian, laplacian
    from numgrad._arrays.gradient import gradient
    from numgrad._arrays.stencil import Stencil, weights
    from numgrad._arrays.turning_points import TurningPoints, turning_points
    from numgrad._system.threads import get_num_threads, set_num_threads
    from numgrad._warm_up import warm_up
    from numgrad.regression import CompressedRows, Descent, StepSize, gradient_descent, step_size
    from numgrad.smoothing import CompressedSamples, Smooth, smooth

__all__ = [
    "CompressedRows",
    "CompressedSamples",
    "Descent",
    "Smooth",
    "Stencil",
    "StepSize",
    "TurningPoints",
    "WithError",
    "curl",
    "derivative",
    "divergence",
    "explain",
    "get_num_threads",
    "gradient",
    "gradient_descent",
    "hessian",
    "jacobian",
    "laplacian",
    "set_num_threads",
    "smooth",
    "step_size",
    "turning_points",
    "warm_up",
    "weights",
]
__version__ = "0.14.0"

# Objects of these packages have functions of their own in place of those for arrays.
homes |= {package: f"numgrad.interop.{package}" for package in ("dask", "xarray")}
homes |= dict.fromkeys(("pandas", "polars", "pyarrow", "modin"), "numgrad.interop.dataframes")
homes |= dict.fromkeys(("pint", "astropy"), "numgrad.interop.units")
homes |= dict.fromkeys(("numpy.ma", "numpy.ma.core"), "numgrad.interop.masked")

# Imported on first use: `import numgrad` takes a millisecond beside NumPy, also in each process that imports Numba,
# where `interop.numba.overload` is called.
_LAZY = {
    "gradient": "_arrays.gradient",
    "explain": "_arrays.explain",
    "get_num_threads": "_system.threads",
    "set_num_threads": "_system.threads",
    "derivative": "_arrays.derivative",
    **dict.fromkeys(("curl", "divergence", "hessian", "jacobian", "laplacian"), "_arrays.fields"),
    "WithError": "_arrays.errors",
    "Stencil": "_arrays.stencil",
    "weights": "_arrays.stencil",
    "TurningPoints": "_arrays.turning_points",
    "turning_points": "_arrays.turning_points",
    **dict.fromkeys(("CompressedRows", "Descent", "StepSize", "gradient_descent", "step_size"), "regression"),
    **dict.fromkeys(("CompressedSamples", "Smooth", "smooth"), "smoothing"),
    "warm_up": "_warm_up",
}


# Each a subject of its own, with further packages in some: `numgrad.functions.derivative`.
_MODULES = ("functions", "pandas", "plotting", "polars", "sklearn", "sphere", "symbolic", "xarray")


if not TYPE_CHECKING:  # for a checker a name that is not above is a mistake

    def __getattr__(name: str) -> Any:
        if name not in _LAZY and name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        with importing:
            if name in _MODULES:
                return import_module(f"{__name__}.{name}")
            value = globals()[name] = getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
        if (overloads := sys.modules.get(f"{__name__}.interop.numba.overload")) is not None:
            overloads.register(value)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
