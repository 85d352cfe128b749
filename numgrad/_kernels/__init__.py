"""The compiled loops, as plain Python functions: arrays and scalars in, `out` written.

Nothing here imports Numba. `numgrad._jit.specialise` compiles one copy of a kernel for one set of dtypes, binding anew
FIELD, DIVISOR, REAL, UNIT and `divide`, as far as the file has them, for that copy.

The array kernels share one view of an axis. The array is flat; `inner` elements separate neighbours along the axis,
`n` is its length, and a block of `n * inner` elements holds complete lines. They fill `out[start:stop]` for any
`start` and `stop`, so a caller may cut the work where it likes. Indices are unsigned: Numba must honour Python's
negative indices for signed ones, which costs a gather in every load.
"""
