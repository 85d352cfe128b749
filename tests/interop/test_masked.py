"""Masked arrays: the mask is a gap, and what a gap makes NaN is masked."""

import subprocess
import sys

import numpy as np
import pytest
from helpers import same_bits

import numgrad as ng

pytestmark = pytest.mark.tier(0)

RNG = np.random.default_rng(0)
X = np.cumsum(RNG.random(12) + 0.2)
MASK = np.arange(12) == 5
OPTIONS = [
    {"nan": "propagate"},
    {"nan": "one-sided"},
    {"nan": "propagate", "n": 2, "accuracy": 4},
    {"nan": "propagate", "x": X, "n": 2},
    {"nan": "one-sided", "window": 5, "degree": 2},
    {"nan": "propagate", "boundary": "periodic"},
]


def masked(dtype="f8", shape=(12,), share=0.2):
    data = (RNG.standard_normal(shape) * 10).astype(dtype)
    mask = MASK if shape == (12,) else RNG.random(shape) < share
    plain = data.astype("f8") if data.dtype.kind == "i" else data.copy()
    plain[mask] = np.nan
    return np.ma.array(data, mask=mask, fill_value=-99), plain


def assert_masked(got, expected, mask=None):
    assert type(got) is np.ma.MaskedArray
    assert got.dtype == expected.dtype
    assert got.fill_value == -99
    assert same_bits(got.data, expected)
    assert np.array_equal(np.ma.getmaskarray(got), np.isnan(expected) if mask is None else mask)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_derivatives_are_those_of_gaps(options):
    for dtype in "f8", "f4", "i4", "c16":
        f, plain = masked(dtype)
        before = f.copy()
        assert_masked(ng.derivative(f, **options), ng.derivative(plain, **options))
        assert (f.mask == before.mask).all()
        assert (f.data == before.data).all()
        own = {name: one for name, one in options.items() if name != "nan"}
        assert_masked(ng.derivative(f, **own), ng.derivative(plain, **own, nan="one-sided"))


def test_the_true_derivative_is_found_beside_gaps():
    f = np.ma.array(X**2, mask=MASK)
    for options in {"nan": "one-sided"}, {"nan": "propagate"}:
        got = ng.derivative(f, X, **options)
        assert got.count() == (11 if options["nan"] == "one-sided" else 9)
        assert np.ma.allclose(got, 2 * X)
    assert got.mask.tolist() == [i in (4, 5, 6) for i in range(12)]  # on uneven grids the point itself has a weight


def test_what_is_nan_without_a_gap_is_not_masked():
    f = np.ma.array([0, 1, np.nan, 3, 4, 5, 9, 1.0], mask=[0] * 6 + [1, 0])
    got = ng.derivative(f, boundary="nan", nan="propagate")
    assert np.isnan(got.data[[0, 1, 3, 5, 7]]).all()
    assert got.mask.tolist() == [False] * 5 + [True, False, False]
    both = ng.derivative(np.ma.array([0, 1, np.nan, 3, 4.0, 8], mask=[0, 0, 0, 0, 1, 0]), nan="propagate")
    assert both.mask[3]  # a NaN on one side, a gap on the other
    infinite = ng.derivative(np.ma.array([0, np.inf, 2, np.inf, 4.0, 5, 6], mask=[0] * 6 + [1]), nan="propagate")
    assert np.isnan(infinite.data[2])
    assert infinite.mask.tolist() == [False] * 5 + [True, True]


def test_fields():
    for shape in (7, 9), (5, 6):
        f, plain = masked(shape=shape)
        other = RNG.standard_normal(shape)
        for function in ng.laplacian, ng.hessian:
            assert_masked(function(f, 0.5, accuracy=2), function(plain, 0.5, accuracy=2))
        for function in ng.divergence, ng.curl, ng.jacobian:
            assert_masked(function([other, f]), function([other, plain]))
            stacked = np.ma.array(np.stack([f.data, f.data]), mask=np.stack([f.mask, f.mask]), fill_value=-99)
            assert_masked(function(stacked), function(np.stack([plain, plain])))


def test_masks_of_any_kind():
    whole = np.ma.array(np.arange(5.0) ** 2)
    assert whole.mask is np.ma.nomask
    got = ng.derivative(whole)
    assert type(got) is np.ma.MaskedArray
    assert not np.ma.getmaskarray(got).any()
    assert ng.derivative(np.ma.array(np.arange(5.0), mask=True)).mask.all()
    hard = np.ma.array(np.arange(5.0), mask=[0, 0, 1, 0, 0], hard_mask=True)
    view = hard[:]
    ng.derivative(view)
    assert hard.mask.tolist() == [False, False, True, False, False]


def test_errors_of_samples():
    f, plain = masked()
    sigma = np.ma.array(np.full(12, 0.1), mask=MASK)
    got = ng.derivative(f, sigma=sigma)
    expected = ng.derivative(plain, sigma=np.where(MASK, np.nan, 0.1), nan="one-sided")
    assert_masked(got.value, expected.value)
    assert same_bits(got.error.data, expected.error)
    assert (got.error.mask == got.value.mask).all()


def test_out():
    f, plain = masked("f4")
    out = np.ma.array(np.ones(12, "f4"), mask=True, fill_value=7)
    shared = out[:]
    assert ng.derivative(f, n=2, out=out) is out
    assert same_bits(out.data, ng.derivative(plain, n=2, nan="one-sided"))
    assert (out.mask == np.isnan(out.data)).all()
    assert shared.mask.all()
    assert ng.derivative(f, n=2, out=f) is f
    value, error = np.ma.empty(12, "f4"), np.ma.empty(12, "f4")
    pair = ng.derivative(masked("f4")[0], sigma=0.1, out=(value, error))
    assert pair.value is value
    assert pair.error is error
    with pytest.raises(TypeError, match="the result is a MaskedArray; give `out` that type"):
        ng.derivative(f, out=np.empty(12, "f4"))
    with pytest.raises(ValueError, match="`out` is no pair"):
        ng.derivative(f, sigma=0.1, out=value)


def test_smooth_and_turning_points():
    x = np.arange(60.0)
    y = np.ma.array(np.sin(x / 6), mask=x % 7 == 0)
    plain = y.filled(np.nan)
    found, expected = ng.smooth(y, x), ng.smooth(plain, x)
    assert same_bits(found.value, expected.value)
    assert type(found.residuals) is np.ma.MaskedArray
    assert (found.residuals.mask == y.mask).all()
    assert repr(ng.turning_points(y, x)) == repr(ng.turning_points(plain, x))


def test_gradient_is_numpys():
    f, _ = masked()
    for given in (f,), (f, X), (f.reshape(3, 4),), (f.astype("i8"), 2):
        expected, got = np.gradient(*given), ng.gradient(*given)
        assert repr(got) == repr(expected)


BAD = {
    "masked coordinates": (lambda f: ng.derivative(f, np.ma.array(X, mask=MASK)), "`x` has masked elements; leave out"),
    "of plain samples": (lambda f: ng.derivative(X, np.ma.array(X, mask=MASK)), "`x` has masked elements; leave out"),
    "of fields": (lambda f: ng.laplacian(X, np.ma.array(X, mask=MASK)), "`spacing` has masked elements"),
    "of turning points": (lambda f: ng.turning_points(X, np.ma.array(X, mask=MASK)), "`x` has masked elements"),
    "of smooth": (lambda f: ng.smooth(X, np.ma.array(X, mask=MASK)), "`x` has masked elements"),
    "weights": (lambda f: ng.smooth(X, X, weights=np.ma.array(X, mask=MASK)), "`weights` has masked elements"),
    "points": (lambda f: ng.weights(np.ma.array(X, mask=MASK), 0, 1), "`points` has masked elements"),
    "places": (lambda f: ng.functions.derivative(np.sin, np.ma.array(X, mask=MASK)), "`x` has masked elements"),
    "a list": (lambda f: ng.derivative([f, f]), r"is a list of masked arrays; give one of all, numpy.ma.stack\(f\)"),
    "structured": (lambda f: ng.derivative(np.ma.array([(1, 2.0)], dtype="i4,f8")), "`f` has dtype"),
    "bool": (lambda f: ng.derivative(f > 0), "`f` has dtype bool"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_refusals(name):
    call, message = BAD[name]
    with pytest.raises(TypeError, match=message):
        call(masked()[0])


def test_nothing_is_imported_without_need():
    code = "import sys, numpy as np, numgrad as ng; ng.derivative(np.arange(9.0), n=2); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy.ma", "numgrad.interop.masked", "numgrad.interop.units", "pint", "astropy"} & {*loaded}
