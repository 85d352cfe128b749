"""Division of a complex number, as NumPy does it."""

from typing import Any

import numpy as np

from numgrad._compile.language import Scalar

UNIT: Any = np.float64(1)


def smith(z: Scalar, d: Scalar) -> complex:
    """Smith's quotient z / d for |imag(d)| <= |real(d)|: multiply by the reciprocal of the real denominator.

    NumPy's order of operations, so that its roundings (and its NaNs for infinite z) are kept. numpy/_core/src/umath,
    complex true_divide.
    """
    ratio = d.imag / d.real
    scale = UNIT / (d.real + d.imag * ratio)
    return complex((z.real + z.imag * ratio) * scale, (z.imag - z.real * ratio) * scale)


def scaled(z: Scalar, scale: Scalar) -> complex:
    """Return smith(z, d) for a real d, given 1 / d."""
    ratio = np.copysign(UNIT - UNIT, scale)
    return complex((z.real + z.imag * ratio) * scale, (z.imag - z.real * ratio) * scale)
