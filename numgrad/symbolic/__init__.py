"""The exact partial derivatives of a formula, compiled."""

from numgrad.symbolic._compile import compile
from numgrad.symbolic._formula import Formula

__all__ = ["Formula", "compile"]
