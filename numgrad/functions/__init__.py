"""Derivatives of functions by difference quotients, with an estimate of their error."""

from numgrad.functions._derivatives import derivative, gradient, hessian, jacobian
from numgrad.functions._result import Derivative

__all__ = ["Derivative", "derivative", "gradient", "hessian", "jacobian"]
