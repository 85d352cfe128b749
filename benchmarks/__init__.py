"""What numgrad takes beside NumPy and others: cases for pytest-benchmark, and the report of them."""

import os

# Compiled kernels are what is timed, from the first call on; `scripts` measures how a call comes to them.
os.environ.setdefault("NUMGRAD_TIER", "1")
