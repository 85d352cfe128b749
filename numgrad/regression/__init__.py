"""Linear regression by gradient descent."""

from numgrad.regression._descent import Descent, gradient_descent

__all__ = ["Descent", "gradient_descent"]
