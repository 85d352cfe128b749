"""NumPy's own gradient, which stays at hand when `np.gradient` is replaced, by this package's or by whatever calls it.

`numgrad` imports this first, so that it is bound before anyone who has imported numgrad can replace it. Who has done so
earlier has not replaced it where NumPy defines it.
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

gradient: Callable[..., Any] = getattr(sys.modules.get("numpy.lib._function_base_impl"), "gradient", np.gradient)
