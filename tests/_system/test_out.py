"""gradient(..., out=)."""

import numpy as np
import pytest
from helpers import LAYOUTS, same_bits, uneven, values

import numgrad as ng


def empty(shape, count, dtype="f8"):
    return tuple(np.full(shape, np.nan, dtype) for _ in range(count))


@pytest.mark.parametrize("dtype", ["f4", "f8", "c16", "i2"])
def test_one_axis(dtype):
    f = values(dtype, (4, 5))
    expected = np.gradient(f, 0.1, axis=1)
    out = np.empty((4, 5), expected.dtype)
    assert ng.gradient(f, 0.1, axis=1, out=out) is out
    assert same_bits(out, expected)
    for wrapped in ((np.empty_like(out),), [np.empty_like(out)], np.empty((1, 4, 5), out.dtype)):
        assert ng.gradient(f, 0.1, axis=1, out=wrapped) is wrapped
        assert same_bits(wrapped[0], expected)


@pytest.mark.parametrize("axis", [None, (2, 0)])
def test_several_axes(axis):
    f = values("f8", (4, 5, 6))
    expected = np.gradient(f, axis=axis)
    for out in (
        empty(f.shape, len(expected)),
        list(empty(f.shape, len(expected))),
        np.empty((len(expected), *f.shape)),
    ):
        assert ng.gradient(f, axis=axis, out=out) is out
        for a, b in zip(expected, out, strict=True):
            assert same_bits(a, b)


@pytest.mark.parametrize("source", LAYOUTS)
@pytest.mark.parametrize("target", ["C", "F", "middle axis last", "sliced", "reversed", "unaligned"])
def test_layouts(source, target):
    f = LAYOUTS[source](values("f8", (4, 5, 6)))
    out = tuple(LAYOUTS[target](o) for o in empty(f.shape, 3))
    ng.gradient(f, out=out)
    for a, b in zip(np.gradient(f), out, strict=True):
        assert same_bits(a, b)


def test_results_last():
    """A stacked result with the axes last: views that interleave, and do not overlap."""
    f = values("f8", (4, 5))
    stacked = np.empty((4, 5, 2))
    ng.gradient(f, out=(stacked[..., 0], stacked[..., 1]))
    assert same_bits(stacked, np.stack(np.gradient(f), axis=-1))


def test_overlap_with_f():
    for n in (5, 1000):
        f = values("f8", (n,))
        expected = np.gradient(f)
        assert ng.gradient(f, out=f) is f
        assert same_bits(f, expected)
        buffer = values("f8", (n + 1,))
        expected = np.gradient(buffer[:-1])
        ng.gradient(buffer[:-1], out=buffer[1:])
        assert same_bits(buffer[1:], expected)


def test_overlap_of_one_axis_result_with_f():
    for axis in (None, None, (0, 1)):  # from the second call on the kernels are known
        f = values("f8", (7, 8))
        expected = np.gradient(f)
        other = np.empty_like(f)
        ng.gradient(f, axis=axis, out=(f, other))
        assert same_bits(f, expected[0])
        assert same_bits(other, expected[1])


def test_a_tuple_of_what_equals_an_axis_is_none():
    f, out = values("f8", (7, 8)), np.empty((1, 7, 8))
    for axis in ((1,), (1,), (np.int8(1),), (-1,)):
        assert same_bits(ng.gradient(f, axis=axis, out=out)[0], np.gradient(f, axis=1))
        assert same_bits(ng.gradient(f, axis=axis), np.gradient(f, axis=1))
    with pytest.raises(TypeError):
        ng.gradient(f, axis=(1.0,), out=out)


def test_overlap_with_coordinates():
    f, x = values("f8", (9,)), uneven(9)
    for edge_order in (1, 2):
        x = uneven(9)
        expected = np.gradient(f, x, edge_order=edge_order)
        ng.gradient(f, x, edge_order=edge_order, out=x)
        assert same_bits(x, expected)


def test_overlap_of_integers():
    buffer = np.arange(12, dtype="i8") ** 2
    expected = np.gradient(buffer)
    ng.gradient(buffer, out=buffer.view("f8"))
    assert same_bits(buffer.view("f8"), expected)


def test_the_fallback_writes_out_too():
    f = np.arange(6, dtype="f2") ** 2
    out = np.empty(6, "f2")
    assert ng.gradient(f, out=out) is out
    assert same_bits(out, np.gradient(f))
    ng.gradient(f, out=f)
    assert same_bits(f, out)
    masked = np.ma.masked_array([1.0, 4, 9, 16, 25], mask=[0, 0, 1, 0, 0])
    result = np.ma.empty(5)
    assert ng.gradient(masked, out=result) is result
    assert np.array_equal(result.mask, np.gradient(masked).mask)
    nothing = ()
    assert ng.gradient(np.zeros(3), axis=(), out=nothing) is nothing


def test_memmap(tmp_path):
    out = np.memmap(tmp_path / "out", "f8", "w+", shape=(5,))
    f = np.arange(5.0) ** 2
    assert ng.gradient(f, out=out) is out
    assert np.array_equal(np.fromfile(tmp_path / "out"), np.gradient(f))


def test_out_for_a_memmap(tmp_path):
    f = np.memmap(tmp_path / "f", "f8", "w+", shape=(6,))
    f[:] = np.arange(6) ** 2
    out = np.empty(6)
    assert ng.gradient(f, out=out) is out
    assert same_bits(out, np.gradient(np.asarray(f)))


def shared():
    a = np.empty((4, 5))
    return (a, a)


def half_shared():
    a = np.empty((5, 5))
    return (a[:4], a[1:])


BAD = {
    "shape": (lambda: np.empty((4, 4)), 0, ValueError, r"`out` has shape \(4, 4\), the result has \(4, 5\)"),
    "dtype": (lambda: np.empty((4, 5), "f4"), 0, TypeError, "`out` has dtype float32, the result has float64"),
    "byte order": (lambda: np.empty((4, 5), ">f8"), 0, TypeError, "`out` has dtype >f8"),
    "read-only": (lambda: np.broadcast_to(0.0, (4, 5)), 0, ValueError, "`out` is read-only"),
    "list of numbers": (lambda: [1.0], 0, TypeError, "`out` has a float"),
    "string": (lambda: "abc", 0, TypeError, "`out` has a str"),
    "masked": (lambda: np.ma.empty((4, 5)), 0, TypeError, "`out` has a MaskedArray, the result is a ndarray"),
    "too few": (lambda: (np.empty((4, 5)),), None, ValueError, "`out` has 1 arrays, one for each of 2 axes"),
    "too many": (lambda: empty((4, 5), 3), None, ValueError, "`out` has 3 arrays"),
    "not stacked": (lambda: np.empty((4, 5)), None, ValueError, r"one of shape \(2, 4, 5\)"),
    "stacked wrong": (lambda: np.empty((4, 5, 2)), None, ValueError, r"one of shape \(2, 4, 5\)"),
    "no sequence": (lambda: 3, None, ValueError, "`out` is a int; give a tuple of 2 arrays"),
    "twice the same": (shared, None, ValueError, "share memory"),
    "in part the same": (half_shared, None, ValueError, "share memory"),
    "second is bad": (lambda: (np.full((4, 5), 7.0), np.empty((4, 4))), None, ValueError, "shape"),
}


@pytest.mark.parametrize("fast", [True, False], ids=["kernels", "numpy"])
@pytest.mark.parametrize("name", BAD)
def test_bad(name, fast):
    make, axis, kind, message = BAD[name]
    f = values("f8", (4, 5))
    out = make()
    before = [np.copy(o) for o in out] if isinstance(out, tuple) else []
    # Python's True as a spacing is one of the things that NumPy gets.
    with pytest.raises(kind, match=message):
        ng.gradient(f, *(() if fast else (True,)), axis=axis, out=out)
    for a, b in zip(before, out if before else (), strict=True):
        assert np.array_equal(a, b, equal_nan=True), "something was written"


def test_errors_of_numpy_come_first():
    with pytest.raises(np.exceptions.AxisError):
        ng.gradient(np.zeros(3), axis=5, out="nonsense")


def test_masks_are_not_lost():
    masked = np.ma.masked_array([1.0, 4, 9], mask=[0, 1, 0])
    with pytest.raises(TypeError, match="the result is a MaskedArray"):
        ng.gradient(masked, out=np.empty(3))


def test_duck_results_are_refused():
    class Duck:
        def __array_function__(self, func, types, args, kwargs):
            return self

    with pytest.raises(TypeError, match="`out` cannot take the result, a Duck"):
        ng.gradient(Duck(), out=np.empty(3))
