"""Linear regression by gradient descent."""

from numgrad.regression._descent import gradient_descent
from numgrad.regression._result import Descent, End
from numgrad.regression._rows import CompressedRows
from numgrad.regression._step_size import StepSize, step_size

__all__ = ["CompressedRows", "Descent", "End", "StepSize", "gradient_descent", "step_size"]
