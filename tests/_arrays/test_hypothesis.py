"""gradient against np.gradient on arrays, spacings and options that hypothesis makes up."""

import numpy as np
from helpers import FAST, LAYOUTS, assert_same, same_bits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import numgrad as ng
from numgrad._arrays.plan.dispatch import prepare
from numgrad._arrays.plan.spacing import NotFast

EXAMPLES = 600

_numbers = st.one_of(
    st.floats(-1e6, 1e6),
    st.integers(-1000, 1000),
    st.sampled_from([np.float16, np.float32, np.float64, np.int8, np.int32, np.uint8, np.uint64]).flatmap(
        lambda t: st.integers(1, 100).map(lambda v: t(v))
    ),
    st.floats(0.001, 10).map(np.float64),
    st.floats(2**-10, 10, width=32).map(np.float32),
)


@st.composite
def _coordinates(draw, n, dtypes):
    dtype = draw(st.sampled_from(dtypes))
    steps = draw(hnp.arrays(dtype, n, elements={"min_value": 1, "max_value": 50}))
    x = np.cumsum(steps, dtype=dtype) if draw(st.booleans()) else np.arange(n, dtype=dtype) * steps[0]
    if draw(st.booleans()):
        x = x[::-1]
    return draw(st.sampled_from([np.asarray, list]))(x)


@st.composite
def calls(draw, dtypes=FAST, weak=False):
    """Arguments of `gradient`. `weak`: spacings are Python floats or coordinates of float64, for fewer kernels."""
    dtype = draw(st.sampled_from(dtypes))
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=9))
    f = draw(hnp.arrays(dtype, shape))
    f = LAYOUTS[draw(st.sampled_from(sorted(LAYOUTS)))](f)
    axes = draw(st.lists(st.integers(0, f.ndim - 1), min_size=1, unique=True))
    axis = draw(st.sampled_from([None, tuple(axes), axes[0], axes[0] - f.ndim]))
    wanted = range(f.ndim) if axis is None else axes if isinstance(axis, tuple) else axes[:1]
    numbers = st.floats(0.1, 1e3) if weak else _numbers
    kinds = ["f8"] if weak else ["f4", "f8", "i4", "u2"]
    spacing = st.tuples(*(st.one_of(numbers, _coordinates(f.shape[a], kinds)) for a in wanted))
    varargs = draw(st.one_of(st.just(()), st.tuples(numbers), spacing))
    return f, varargs, {"axis": axis, "edge_order": draw(st.sampled_from([1, 2]))}


def outcome(function, call):
    f, varargs, options = call
    try:
        with np.errstate(all="ignore"):
            return function(f, *varargs, **options)
    except (ValueError, IndexError, TypeError, ZeroDivisionError) as error:
        return type(error), str(error)


paths = {"kernels": 0, "numpy": 0}


@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
@given(calls())
def test_every_call_agrees(call):
    f, varargs, options = call
    before = f.copy()
    expected, got = outcome(np.gradient, call), outcome(ng.gradient, call)
    if isinstance(expected, tuple) and expected and isinstance(expected[0], type):
        assert got == expected
        return
    assert_same(expected, got)
    assert same_bits(before, f)
    with np.errstate(all="ignore"):
        chosen = prepare(f, varargs, **options).plan
    paths["numpy" if type(chosen) is NotFast else "kernels"] += 1


def test_most_of_them_took_the_kernels():
    assert paths["kernels"] > 10 * paths["numpy"] or sum(paths.values()) < 100
