"""Derivatives of noisy samples, with standard errors and the noise found."""

from numgrad.smoothing._result import Smooth
from numgrad.smoothing._smooth import smooth

__all__ = ["Smooth", "smooth"]
