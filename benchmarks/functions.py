"""The functions that derivatives of functions are tried on: formulas, so that the exact derivatives are known."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Function:
    group: str
    formula: str  # in x; or x0, x1, ... for a function of a vector
    low: float
    high: float

    @property
    def points(self) -> np.ndarray:
        """Points with no pattern that a step could profit from."""
        return self.low + (self.high - self.low) * np.modf(np.arange(1, 22) * 0.6180339887498949)[0]

    @property
    def fun(self) -> Callable[[Any], Any]:
        return _fun(self.formula)

    def exact(self, points: np.ndarray, n: int = 1) -> np.ndarray:
        """The n-th derivative at these very doubles, by SymPy, with 40 digits, rounded to the nearest double."""
        import sympy

        x = sympy.Symbol("x", real=True)
        derivative = sympy.diff(_expression(self.formula), x, n)
        return np.array([float(sympy.N(derivative.subs(x, sympy.Rational(float(p))), 40)) for p in points])


@cache
def _expression(formula: str) -> Any:
    import sympy

    # Rationals are kept as they are written; a decimal is the double nearest to it, as in the function itself.
    names = {name: sympy.Symbol(name, real=True) for name in ("x", "x0", "x1", "x2", "x3", "x4")}
    expression = sympy.sympify(formula, locals=names)
    return expression.replace(lambda e: e.is_Float, lambda e: sympy.Rational(float(e)))


@cache
def _fun(formula: str) -> Callable[[Any], Any]:
    """The formula as it is written, in NumPy and SciPy."""
    from scipy import special

    names = {name: getattr(np, name) for name in ("sin", "cos", "tan", "exp", "log", "sqrt", "tanh")}
    names |= {"atan": np.arctan, "asinh": np.arcsinh}
    names |= {name: getattr(special, name) for name in ("erf", "gamma", "loggamma", "digamma")}
    names |= {"besselj": special.jv, "bessely": special.yv, "airyai": lambda x: special.airy(x)[0]}
    names |= {"elliptic_k": special.ellipk, "expint": special.expn, "LambertW": lambda x: special.lambertw(x).real}
    return eval(f"lambda x: {formula}", names)  # type: ignore[no-any-return]  # the table below, and nothing else


TABLE = [
    Function("polynomial", "3*x - 7", -5, 5),
    Function("polynomial", "x**2", -3, 3),
    Function("polynomial", "x**3 - 2*x + 1", -2, 2),
    Function("polynomial", "((x - 2)*x + 3)*x - 5", 0, 4),
    Function("polynomial", "x**10", 0.2, 2),
    Function("polynomial", "(x - 1)**7", 0, 3),
    Function("polynomial", "x/(1 + x**2)", -4, 4),
    Function("polynomial", "1/(1 + 25*x**2)", -1, 1),
    Function("trigonometric", "sin(x)", 0.1, 10),
    Function("trigonometric", "cos(x)", -3, 3),
    Function("trigonometric", "tan(x)", -1.4, 1.4),
    Function("trigonometric", "atan(x)", -5, 5),
    Function("trigonometric", "x*sin(x)*cos(2*x)", -3, 3),
    Function("trigonometric", "sin(x)**3", 0.3, 1.4),
    Function("exponential", "exp(x)", -5, 5),
    Function("exponential", "exp(-x**2)", -3, 3),
    Function("exponential", "exp(-x**2)*sin(3*x)", -2, 2),
    Function("exponential", "1/(1 + exp(-x))", -10, 10),
    Function("exponential", "tanh(x)", -3, 3),
    Function("exponential", "log(x)", 0.05, 20),
    Function("exponential", "x*log(x)", 0.05, 3),
    Function("exponential", "x**1.5", 0.05, 20),
    Function("exponential", "exp(sin(x))", 0, 6),
    Function("exponential", "asinh(x)", -10, 10),
    Function("near-singular", "1/x", 1e-3, 1e-2),
    Function("near-singular", "1/(x - 1)", 1.001, 1.01),
    Function("near-singular", "sqrt(x)", 1e-6, 1e-4),
    Function("near-singular", "log(x)", 1e-8, 1e-6),
    Function("near-singular", "1/(x**2 + 0.0001)", -0.05, 0.05),
    Function("near-singular", "atan(1000*x)", -0.003, 0.003),
    Function("near-singular", "tan(x)", 1.55, 1.57),
    Function("oscillating", "sin(1000*x)", 0, 1),
    Function("oscillating", "sin(100*x**2)", 0, 2),
    Function("oscillating", "cos(50*x)*exp(-x)", 0, 3),
    Function("oscillating", "sin(1/x)", 0.01, 0.1),
    Function("oscillating", "sin(1000000*x)", 0, 1),
    Function("tiny scale", "sin(1000000000*x)", 1e-9, 5e-9),
    Function("tiny scale", "1e-20*exp(x)", -2, 2),
    Function("tiny scale", "exp(-(1000000*x)**2)", -2e-6, 2e-6),
    Function("tiny scale", "x**2", 1e-12, 1e-10),
    Function("huge scale", "log(x)", 1e8, 1e12),
    Function("huge scale", "sin(x/10000000000)", 1e9, 1e11),
    Function("huge scale", "1e20*cos(x)", -3, 3),
    Function("huge scale", "x**3", 1e50, 1e51),
    Function("huge scale", "sqrt(x)", 1e100, 1e102),
    Function("special", "erf(x)", -2, 2),
    Function("special", "gamma(x)", 0.5, 6),
    Function("special", "loggamma(x)", 0.5, 20),
    Function("special", "digamma(x)", 0.5, 5),
    Function("special", "besselj(0, x)", 0.2, 20),
    Function("special", "bessely(1, x)", 0.5, 10),
    Function("special", "airyai(x)", -8, 3),
    Function("special", "expint(2, x)", 0.2, 4),
    Function("special", "elliptic_k(x)", -1, 0.9),
    Function("special", "LambertW(x)", 0.1, 5),
]
