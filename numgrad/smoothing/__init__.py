"""Derivatives of noisy samples, with standard errors and the noise found."""

from numgrad.smoothing._function import SmoothFunction
from numgrad.smoothing._result import Smooth
from numgrad.smoothing._samples import CompressedSamples
from numgrad.smoothing._smooth import smooth

__all__ = ["CompressedSamples", "Smooth", "SmoothFunction", "smooth"]
