"""CompressedSamples: what smooth gives, of samples that stream by."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import numgrad as ng

RNG = np.random.default_rng(2)
X = RNG.random(20_000) * 10
Y = 5 + np.sin(X) + 0.1 * RNG.standard_normal(X.size)


def read(parts, **options):
    kept = ng.CompressedSamples(0, 10, **options)
    for part in parts:
        kept.update(Y[part], X[part])
    return kept


def test_chunks_are_as_all_at_once():
    at_once = read([slice(None)])
    chunks = read([slice(low, low + 999) for low in range(0, 20_000, 999)])
    assert chunks.n_samples == at_once.n_samples == 20_000
    grid = np.linspace(0, 10, 99)
    one, other = at_once.solve(), chunks.solve()
    for n in range(3):
        assert_allclose(other(grid, n), one(grid, n), atol=10.0 ** (n - 6))  # the search ends near the optimum
    assert_allclose(other.error_at(grid, 1), one.error_at(grid, 1), rtol=1e-3)
    assert one.concerns == ()


def test_it_is_what_smooth_finds():
    found, whole = read([slice(None)]).solve(), ng.smooth(Y, X)
    grid = np.linspace(0.1, 9.9, 99)
    assert_allclose(found(grid, 1), whole(grid, 1), atol=0.2 * whole.error_at(grid, 1).max())
    assert_allclose(found.noise, whole.noise, rtol=1e-3)
    low, high = found.band_at(grid, 1)
    assert np.mean((low < np.cos(grid)) & (np.cos(grid) < high)) > 0.8
    assert len(found.turning_points()) == 3
    assert_allclose(found.to_bspline()(grid), found(grid), rtol=1e-9)
    assert repr(found).startswith("SmoothFunction: 20000 samples, noise 0.1")
    assert "white" in found.summary()


def test_merging():
    parts = [read([slice(low, low + 5000)]) for low in range(0, 20_000, 5000)]
    whole = ng.CompressedSamples(0, 10)
    for part in parts:
        whole.merge(part)
    assert parts[0].n_samples == 5000
    grid = np.linspace(0, 10, 50)
    assert_allclose(whole.solve()(grid, 1), read([slice(None)]).solve()(grid, 1), atol=1e-5)
    assert whole.merge(ng.CompressedSamples(0, 10)).n_samples == 20_000
    with pytest.raises(ValueError, match="same range"):
        whole.merge(ng.CompressedSamples(0, 11))
    with pytest.raises(TypeError, match="CompressedSamples"):
        whole.merge(3)


def test_dask():
    da = pytest.importorskip("dask.array")
    y, x = da.from_array(Y, chunks=3000), da.from_array(X, chunks=1700)
    found = ng.CompressedSamples.from_dask(y, x, 0, 10, knots=256)
    assert found.n_samples == 20_000
    later = ng.CompressedSamples.from_dask(y, x, 0, 10, knots=256, weights=da.ones_like(y), compute=False)
    grid = np.linspace(0, 10, 50)
    assert_array_equal(later.compute(scheduler="sync").solve()(grid), found.solve()(grid))
    assert_allclose(found.solve()(grid, 1), read([slice(None)], knots=256).solve()(grid, 1), atol=1e-5)
    with pytest.raises(TypeError, match="dask array"):
        ng.CompressedSamples.from_dask(Y, x, 0, 10)


def test_weights_missing_and_periodic_samples():
    t = X * 2 * np.pi / 10
    y = np.sin(t) + 0.1 * RNG.standard_normal(t.size)
    y[::9] = np.nan
    kept = ng.CompressedSamples(0, period=2 * np.pi).update(y, t)
    grid = np.linspace(0, 2 * np.pi, 50)
    assert kept.n_samples == np.count_nonzero(~np.isnan(y))
    assert_allclose(kept.solve()(grid, 1), np.cos(grid), atol=0.1)
    weights = np.where(np.isnan(y), 0.0, 1.0)
    again = ng.CompressedSamples(0, period=2 * np.pi).update(np.nan_to_num(y, nan=99.0), t + 2 * np.pi, weights=weights)
    assert_allclose(again.solve()(grid, 1), kept.solve()(grid, 1), atol=1e-6)
    one = ng.CompressedSamples(0, 1)
    for place in np.linspace(0, 1, 30):
        one.update([place**2], [place])
    assert_allclose(one.solve()(0.5, 1), 1.0, atol=1e-3)


def test_correlated_noise_is_told():
    x = np.linspace(0, 10, 20_000)
    noise = np.convolve(RNG.standard_normal(20_020), np.ones(10) / 10, "same")[:20_000]
    with pytest.warns(UserWarning, match="times as large as those of white noise") as caught:
        found = ng.CompressedSamples(0, 10).update(np.sin(x) + noise, x).solve()
    assert found.concerns
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for seed in range(10):
            rng = np.random.default_rng(seed)
            ng.CompressedSamples(0, 10).update(np.sin(x) + 0.1 * rng.standard_normal(x.size), x).solve()


def test_errors():
    kept = ng.CompressedSamples(0, 10)
    for call, words in (
        (lambda: kept.update(Y, X + 1), "beyond the range"),
        (lambda: kept.update(Y, X[1:]), "one coordinate for each"),
        (lambda: kept.update(Y, np.where(X > 5, np.nan, X)), "not finite"),
        (lambda: kept.update(np.where(X > 5, np.inf, Y), X), "infinite"),
        (lambda: kept.update(Y, X, weights=-1.0), "`weights`"),
        (lambda: kept.solve(), "samples in 0 spans"),
        (lambda: ng.CompressedSamples(0, -1), "`high` is -1"),
        (lambda: ng.CompressedSamples(0), "give one of them"),
        (lambda: ng.CompressedSamples(0, 1, knots=3), "`knots` is 3"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
    assert kept.n_samples == 0
    assert repr(kept) == "CompressedSamples: 0 samples from 0 to 10, in 1,024 spans"
