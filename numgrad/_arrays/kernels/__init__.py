"""The compiled loops, as plain Python functions: arrays and scalars in, `out` written.

Nothing here imports Numba. `_compile.jit.specialise` compiles one copy of a kernel for one set of dtypes, binding anew
FIELD, DIVISOR, REAL, UNIT and `divide`, as far as the file has them, for that copy.

Each kernel has its row in `plan/schemes.py`, which says when it is used.

The kernels of flat arrays share one view of an axis: `inner` elements separate neighbours along the axis, `n` is its
length, and a block of `n * inner` elements holds complete lines. They compute the results `start` to `stop`, whatever
these are, so a caller may cut the work where it likes, and put the first one at `out[start - shift]`. Some extend
another one, which is bound as `inside`: ends of second order, short lines, stores past the cache. `strided` is for
arrays that are not flat. Indices are unsigned: Numba must honour Python's negative indices for signed ones, which costs
a gather in every load.
"""
