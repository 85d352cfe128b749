"""Derivatives of functions: exact ones of jitted functions, quotients of others, each with an estimate of its error."""

from numgrad.functions._derivatives import derivative, gradient, hessian, jacobian
from numgrad.functions._jitted import derivative_of, gradient_of, hessian_of, rule, value_and_gradient
from numgrad.functions._result import Derivative

__all__ = [
    "Derivative",
    "derivative",
    "derivative_of",
    "gradient",
    "gradient_of",
    "hessian",
    "hessian_of",
    "jacobian",
    "rule",
    "value_and_gradient",
]
