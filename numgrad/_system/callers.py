"""Warnings that name the line of the user's code, through however many functions of numgrad it has called them."""

import os
import sys
import warnings

PACKAGE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")


def warn_caller(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the nearest line that is not in this package."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
