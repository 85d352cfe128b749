"""numgrad.smooth: against the process that it is the mean of, against the truth, and what it says of itself."""

import warnings
from math import factorial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import numgrad as ng

RNG = np.random.default_rng(20)
X = np.sort(RNG.random(400)) * 10
NOISE = RNG.standard_normal(400)
SINE = np.sin(X) + 0.1 * NOISE


def quiet(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ng.smooth(*args, **options)


def process(x, y, smoothing, m, weight=None):
    """The mean, the variance of the noise, and the matrix that leaves the residuals, of an integrated Wiener process.

    Its m-th derivative is white noise, and polynomials of degree below m are free (Wahba 1978); dense, by its kernel.
    """
    x = x - x.min()
    nodes, weights = np.polynomial.legendre.leggauss(m + 2)
    low = np.minimum.outer(x, x)
    u = low[..., None] * (nodes + 1) / 2
    parts = ((x[:, None, None] - u) * (x[None, :, None] - u)) ** (m - 1)
    kernel = (parts * weights).sum(-1) * low / 2 / factorial(m - 1) ** 2
    noise = np.eye(x.size) if weight is None else np.diag(1 / weight)
    inverse = np.linalg.inv(kernel / smoothing + noise)
    powers = np.linalg.qr(np.vander(x, m, increasing=True))[0]
    part = inverse @ powers
    gram = powers.T @ part
    left = inverse - part @ np.linalg.solve(gram, part.T)
    free = x.size - m
    square = y @ left @ y
    # Minus twice the logarithm of the restricted likelihood, but for constants.
    value = free * np.log(square) - np.linalg.slogdet(inverse)[1] + np.linalg.slogdet(gram)[1]
    return y - noise @ left @ y, square / free, left, value


def errors_of(x, y, smoothing, m, weight=None):
    """The standard errors of the process, and of what it would change with a smoothing that is known but roughly."""

    def at(logarithm):
        return process(x, y, smoothing * np.exp(logarithm), m, weight)

    (_, variance, left, value), noise = at(0), 1 if weight is None else 1 / weight
    bend = (at(0.5)[3] + at(-0.5)[3] - 2 * value) / 2 / 0.5**2
    weights = ng.Stencil.central(1, accuracy=6)
    change = sum(float(w) * at(0.1 * k)[0] for k, w in zip(weights.offsets, weights.weights, strict=True)) / 0.1
    drift = change / np.sqrt(bend + 1 / 9)
    return np.sqrt(variance * (noise - np.diag(left) * noise**2) + drift**2)


# What a fit would change with its smoothing is less smooth than the fit: knots tell by 0.2 % of it at m = 5.
@pytest.mark.parametrize(("m", "exact"), [(3, 3e-3), (4, 1e-4), (5, 1e-5)])
def test_it_is_the_mean_of_a_process_at_the_highest_likelihood(m, exact):
    x, y = X[:60] / X[59], np.sin(12 * X[:60] / X[59]) + 0.1 * NOISE[:60]
    found = ng.smooth(y, x, order=m)
    mean, variance, left, value = process(x, y, found.smoothing, m)
    assert_allclose(found.value, mean, atol=exact * found.noise)
    assert_allclose(found.noise, variance**0.5, rtol=exact)
    assert_allclose(found.error(), errors_of(x, y, found.smoothing, m), rtol=max(exact, 5e-4))
    assert_allclose(found.freedom, 60 - np.trace(left), rtol=exact)
    assert value < min(process(x, y, found.smoothing * factor, m)[3] for factor in (0.5, 2.0))


def test_weights_are_those_of_the_process_and_of_repeated_samples():
    x, y, weight = X[:50], SINE[:50], RNG.integers(1, 4, 50).astype(float)
    found = ng.smooth(y, x, weights=weight, order=4)
    assert_allclose(found.value, process(x, y, found.smoothing, 4, weight)[0], atol=1e-5)
    assert_allclose(found.error(), errors_of(x, y, found.smoothing, 4, weight), rtol=1e-4)
    assert_allclose(ng.smooth(y, x, weights=weight * 1e9, order=4).value, found.value, rtol=1e-9)
    known = ng.smooth(y, x, sigma=0.1 / np.sqrt(weight), order=4)
    again = ng.smooth(np.repeat(y, 2), np.repeat(x, 2), sigma=np.repeat(0.1 * np.sqrt(2 / weight), 2), order=4)
    assert_allclose(again.value[::2], known.value, atol=1e-3)
    assert_allclose(again.error(1)[::2], known.error(1), rtol=0.02)


def test_the_error_of_a_derivative_is_that_of_its_samples():
    """Of many draws of noise and signal, standardised errors have the variance 1."""
    x, scores = np.linspace(0, 1, 80), []
    for _ in range(60):
        white = RNG.standard_normal(2000)
        grid = np.linspace(0, 1, 2000)
        bend = np.cumsum(white) * np.sqrt(1 / 2000) * 300  # the second derivative
        slope = np.cumsum(bend) / 2000
        signal = np.cumsum(slope) / 2000
        found = quiet(np.interp(x, grid, signal) + 0.02 * RNG.standard_normal(80), x, order=3)
        scores.append((found.derivative() - np.interp(x, grid, slope)) / found.error(1))
    assert 0.75 < np.mean(np.square(scores)) < 1.4


SIGNALS = {
    "sine": (lambda t: np.sin(2 * np.pi * t), lambda t: 2 * np.pi * np.cos(2 * np.pi * t)),
    "chirp": (lambda t: np.sin(6 * t**2), lambda t: 12 * t * np.cos(6 * t**2)),
    "decay": (lambda t: np.exp(-3 * t), lambda t: -3 * np.exp(-3 * t)),
    "logistic": (lambda t: 1 / (1 + np.exp(-20 * (t - 1))), lambda t: 5 / np.cosh(10 * (t - 1)) ** 2),
}
# The relative error of the derivative of 500 even samples with a noise of 0.01, a third above what is found.
ERRORS = {"sine": 0.014, "chirp": 0.02, "decay": 0.03, "logistic": 0.07}


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("even", [True, False])
def test_derivatives_are_accurate_bands_cover_and_noise_is_found(name, even):
    f, slope = SIGNALS[name]
    errors, covered, noise = [], [], []
    rng = np.random.default_rng(5)
    for _ in range(12):
        x = np.linspace(0, 2, 500) if even else np.sort(rng.random(500)) * 2
        found = ng.smooth(f(x) + 0.01 * rng.standard_normal(500), x)
        error = found.derivative() - slope(x)
        low, high = found.band()
        covered.append(np.mean((low < slope(x)) & (slope(x) < high)))
        errors.append(np.sqrt(np.mean(error**2) / np.mean(slope(x) ** 2)))
        noise.append(found.noise)
        assert found.concerns == ()
    assert np.median(errors) < ERRORS[name]
    assert np.mean(covered) > 0.88
    assert_allclose(np.mean(noise), 0.01, rtol=0.03)


def test_errors_fall_with_more_samples():
    errors = []
    for size in (1000, 10_000, 100_000):
        squares = []
        for _ in range(4):
            x = np.sort(RNG.random(size)) * 10
            found = ng.smooth(np.sin(x) + 0.1 * RNG.standard_normal(size), x)
            squares.append(np.mean((found.derivative() - np.cos(x)) ** 2))
        errors.append(np.sqrt(np.mean(squares)))
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.006


@pytest.mark.parametrize("offset", [0.0, 1e6, 1e9])
@pytest.mark.parametrize("noise", [0.0, 1e-8, 1e-3])
def test_small_noise_on_large_samples(offset, noise):
    found = quiet(offset + np.sin(X) + noise * NOISE, X)
    rounding = 3e-16 * max(1.0, offset)
    assert noise * 0.9 < found.noise < 1.1 * noise + 10 * rounding + 1e-11
    assert_allclose(found.derivative(), np.cos(X), atol=100 * noise + 3e4 * rounding + 1e-7)


def test_numbers_without_noise():
    for y, n, expected in ((np.ones(50), 1, 0.0), (np.zeros(9), 1, 0.0), (np.arange(40), 1, 1.0)):
        assert_allclose(ng.smooth(y).derivative(n), expected, atol=1e-12)
    assert_allclose(ng.smooth(np.arange(12) ** 2).derivative(2), 2.0, atol=1e-9)


def test_units_of_coordinates_and_samples_do_not_matter():
    found = ng.smooth(SINE, X)
    assert_allclose(ng.smooth(SINE, X * 2.0**-30).derivative() * 2.0**-30, found.derivative(), atol=1e-9)
    assert_allclose(ng.smooth(SINE * 1e200, X).derivative() / 1e200, found.derivative(), atol=1e-9)
    assert_allclose(ng.smooth(SINE * 1e-200, X).error(1) * 1e200, found.error(1), rtol=1e-6)
    late = X.round(6) + 2.0**30  # seconds since 1970
    assert_allclose(ng.smooth(SINE, late).derivative(), ng.smooth(SINE, late - 2.0**30).derivative(), atol=1e-7)
    nanoseconds = 1_700_000_000_000_000_000 + (X * 1e9).astype(np.int64)
    exact = ng.smooth(SINE, nanoseconds)
    assert_allclose(exact.derivative() * 1e9, found.derivative(), atol=1e-6)
    assert_allclose(exact(nanoseconds[:5], 1), exact.derivative()[:5], rtol=1e-9)


def test_any_order_of_samples_repeated_and_missing_ones():
    found, mixed = ng.smooth(SINE, X), RNG.permutation(400)
    again = ng.smooth(SINE[mixed], X[mixed])
    assert_allclose(again.derivative(), found.derivative()[mixed], rtol=1e-8, atol=1e-10)
    assert_allclose(ng.smooth(SINE[::-1], X[::-1]).value[::-1], found.value, rtol=1e-8)
    assert_allclose(ng.smooth(SINE, -X).derivative(), -found.derivative(), atol=2e-3)
    holes = np.where(np.arange(400) % 7 == 3, np.nan, SINE)
    with_holes, without = ng.smooth(holes, X), ng.smooth(SINE[~np.isnan(holes)], X[~np.isnan(holes)])
    assert_allclose(with_holes.value[~np.isnan(holes)], without.value, rtol=1e-9)
    assert np.isfinite(with_holes.derivative()).all()
    assert_array_equal(np.isnan(with_holes.residuals), np.isnan(holes))
    weights = np.where(np.isnan(holes), 0.0, 1.0)
    assert_allclose(ng.smooth(SINE, X, weights=weights).value, with_holes.value, rtol=1e-9)
    coarse = np.round(X, 1)
    assert_allclose(ng.smooth(SINE, coarse).derivative(), np.cos(coarse), atol=0.3)


def test_even_samples_are_those_with_coordinates():
    y = np.sin(np.arange(300) / 20) + 0.1 * NOISE[:300]
    by_number, by_places = ng.smooth(y, 0.05), ng.smooth(y, np.arange(300) * 0.05)
    assert_allclose(by_number.derivative(), by_places.derivative(), rtol=1e-9, atol=1e-12)
    assert_allclose(ng.smooth(y, -0.05).derivative(), -by_number.derivative(), atol=5e-3)
    assert_allclose(ng.smooth(y).derivative() * 20, by_number.derivative(), atol=1e-7)


def test_few_samples():
    for count in range(4, 12):
        y = np.linspace(0, 1, count) ** 2 + 0.01 * NOISE[:count]
        found = quiet(y, np.linspace(0, 1, count))
        assert np.isfinite(found.derivative()).all()
        assert (found.error(1) > 0).all()


def test_dtypes_and_containers():
    pd = pytest.importorskip("pandas")
    found = ng.smooth(SINE, X)
    assert_allclose(ng.smooth(SINE.astype(np.float32), X).derivative(), found.derivative(), atol=1e-4)
    assert ng.smooth(SINE.astype(np.float32), X).value.dtype == np.float64
    assert_array_equal(ng.smooth(list(SINE), list(X)).value, found.value)
    assert_array_equal(ng.smooth(pd.Series(SINE), pd.Series(X)).value, found.value)
    whole = (100 * SINE).astype(int)
    assert_array_equal(ng.smooth(whole, X).value, ng.smooth(whole.astype(float), X).value)


def test_lines_of_an_array():
    y = np.stack([SINE, 2 * SINE[::-1] + 1, np.cos(X) + 0.1 * NOISE])
    found, one = ng.smooth(y, X), ng.smooth(y[1], X)
    assert_array_equal(found.value[1], one.value)
    assert_array_equal(found.error(1)[1], one.error(1))
    assert found.noise.shape == (3,)
    assert found.noise[1] == one.noise
    assert_array_equal(ng.smooth(y.T, X, axis=0).derivative().T, found.derivative())
    assert found([1.0, 2.0], 1).shape == (3, 2)
    assert_array_equal(found(2.0), found([1.0, 2.0])[:, 1])
    assert_array_equal(found.band(1)[0][1], one.band(1)[0])
    deep = ng.smooth(np.stack([y, y + 1]).transpose(0, 2, 1), X, axis=1)
    assert deep.noise.shape == (2, 3)
    assert_allclose(deep.derivative()[1].T, found.derivative(), atol=1e-7)
    own = np.stack([X, X + 1, 2 * X])
    assert_allclose(ng.smooth(y, own).derivative()[2] * 2, found.derivative()[2], atol=1e-7)


def test_shared_smoothing():
    y = np.stack([SINE, np.cos(X) + 0.1 * RNG.standard_normal(400)])
    found = ng.smooth(y, X, share=True)
    assert found.smoothing[0] == found.smoothing[1]
    assert found.noise[0] != found.noise[1]
    assert (abs(found.derivative() - [np.cos(X), -np.sin(X)]) < 5 * found.error(1)).all()
    spline = found.to_bspline()
    assert_allclose(spline(X).T, found.value, rtol=1e-9)


def test_periodic():
    t = np.sort(RNG.random(300)) * 2 * np.pi
    found = ng.smooth(np.sin(t) + 0.05 * NOISE[:300], t, period=2 * np.pi)
    assert_allclose(found.derivative(), np.cos(t), atol=5 * found.error(1).max())
    assert found.error(1).max() < 1.3 * found.error(1).min() + 0.01
    for n in range(3):
        assert_allclose(found(t + 2 * np.pi, n), found(t, n), atol=1e-9)
        assert_allclose(found(t - 2 * np.pi, n), found.derivative(n), atol=1e-9)
    points = found.turning_points()
    assert_allclose(points.position, [np.pi / 2, 3 * np.pi / 2], atol=0.1)
    assert_allclose(found.to_bspline()(t), found.value, atol=1e-9)


def test_outliers():
    covered = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        clean = np.sin(X) + 0.1 * rng.standard_normal(400)
        y = clean.copy()
        y[::17] += 30 * rng.standard_normal(y[::17].size)
        found = ng.smooth(y, X, robust=True)
        assert_allclose(found.noise, ng.smooth(clean, X).noise, rtol=0.08)
        assert np.sqrt(np.mean((found.derivative() - np.cos(X)) ** 2)) < 0.09
        low, high = found.band()
        covered.append(np.mean((low < np.cos(X)) & (np.cos(X) < high)))
        assert_allclose(ng.smooth(clean, X, robust=True).noise, ng.smooth(clean, X).noise, rtol=0.05)
        assert quiet(y, X).noise > 1
    assert np.mean(covered) > 0.88


def test_known_errors():
    found = ng.smooth(SINE, X, sigma=0.1)
    assert_allclose(found.noise, 1.0, rtol=0.1)
    assert_allclose(found.error(1), ng.smooth(SINE, X).error(1), rtol=0.2)
    with pytest.warns(UserWarning, match="times as large as `sigma` says"):
        ng.smooth(SINE, X, sigma=0.03)


def correlated(size, factor, seed):
    rng = np.random.default_rng(seed)
    out = np.zeros(size)
    for i in range(1, size):
        out[i] = factor * out[i - 1] + rng.standard_normal()
    return out * np.sqrt(1 - factor**2)


@pytest.mark.parametrize("factor", [0.5, 0.8, 0.95])
def test_correlated_noise_is_told(factor):
    x = np.linspace(0, 10, 1000)
    with pytest.warns(UserWarning, match="residuals are correlated"):
        found = ng.smooth(np.sin(x) + 0.1 * correlated(1000, factor, 3), x)
    assert "correlated" in found.concerns[0]
    assert repr(found).endswith("see .concerns")


def test_a_random_walk_is_told():
    with pytest.warns(UserWarning, match="correlated"):
        ng.smooth(np.cumsum(NOISE))


def test_jumps_and_kinks_are_told():
    x = np.linspace(0, 2, 1000)
    noise = 0.01 * np.random.default_rng(0).standard_normal(1000)
    with pytest.warns(UserWarning, match=r"samples seem to jump near (0\.99|1)"):
        ng.smooth(np.where(x < 1, 0.0, 1.0) + noise, x)
    with pytest.warns(UserWarning, match=r"derivative seems to jump near (0\.9|1)"):
        ng.smooth(abs(x - 1) * 3 + 0.1 * noise, x)


def test_white_noise_is_not_suspected():
    """Of 60 smooth signals with white noise hardly one is."""
    x, told = np.linspace(0, 2, 300), 0
    for seed in range(15):
        noise = np.random.default_rng(seed).standard_normal(300)
        told += sum(bool(quiet(f(x) + 0.03 * noise, x).concerns) for f, _ in SIGNALS.values())
    assert told <= 1


def test_kinks():
    x, rng = np.linspace(0, 2, 800), np.random.default_rng(4)
    y = abs(x - 0.7) + np.sin(3 * x) + 0.002 * rng.standard_normal(800)
    slope = np.sign(x - 0.7) + 3 * np.cos(3 * x)
    given = ng.smooth(y, x, kinks=[0.7])
    assert_allclose(given.derivative(), slope, atol=0.05)
    assert np.sqrt(np.mean((given.derivative() - slope) ** 2)) < 0.01
    low, high = given.band()
    assert np.mean((low < slope) & (slope < high)) > 0.9
    assert given.kinks == pytest.approx((0.7,))
    assert given(0.7 - 1e-12) == pytest.approx(given(0.7), abs=1e-9)
    assert given(0.7, 1) - given(0.7 - 1e-9, 1) == pytest.approx(2.0, abs=0.1)
    found = ng.smooth(y, x, kinks="auto")
    assert found.kinks == pytest.approx((0.7,), abs=2e-3)
    none = ng.smooth(np.sin(3 * x) + 0.01 * rng.standard_normal(800), x, kinks="auto")
    assert none.kinks == ()
    with pytest.raises(ValueError, match="kinks"):
        given.to_bspline()


def test_kinks_are_found_where_one_alone_makes_little_difference():
    x, rng = np.sort(np.random.default_rng(0).random(500)) * 2, np.random.default_rng(1)
    found = quiet(abs((1.5 * x) % 1 - 0.5) + 0.01 * rng.standard_normal(500), x, order=3, kinks="auto")
    assert found.kinks == pytest.approx([1 / 3, 2 / 3, 1, 4 / 3, 5 / 3], abs=0.01)
    assert ng.smooth(found.value + 0.01 * rng.standard_normal(500), x, order=3, kinks=found.kinks).freedom < 30


def test_kinks_are_the_least_squares_of_the_pieces():
    """Where nothing is smooth but for the kinks: straight lines, joined."""
    x, knots = np.linspace(0, 3, 400), [1.03, 1.9]
    y = np.interp(x, [0, *knots, 3], [0.0, 1.0, -1.0, 2.0]) + 0.1 * NOISE
    found = ng.smooth(y, x, kinks=knots, order=2)
    columns = [np.ones(400), x, *(np.maximum(x - knot, 0) for knot in knots)]
    straight = np.column_stack(columns)
    by_hand = straight @ np.linalg.lstsq(straight, y, rcond=None)[0]
    assert_allclose(found.value, by_hand, atol=0.05)
    assert found.freedom > 4


def test_turning_points():
    found = ng.smooth(SINE, X)
    points = found.turning_points()
    assert_allclose(points.position, [np.pi / 2, 3 * np.pi / 2, 5 * np.pi / 2], atol=0.15)
    assert (abs(points.position - [np.pi / 2, 3 * np.pi / 2, 5 * np.pi / 2]) < 4 * points.error).all()
    assert list(points.kind) == ["maximum", "minimum", "maximum"]
    assert_allclose(points.value, [1, -1, 1], atol=0.1)
    assert_allclose(found(points.position, 1), 0, atol=1e-9)
    assert repr(points).splitlines()[0].split() == ["position", "error", "value", "kind"]
    assert repr(ng.smooth(0.1 * NOISE).turning_points()) == "no significant turning points"
    lines = ng.smooth(np.stack([SINE, -SINE]), X).turning_points()
    assert_array_equal(lines.line[:, 0], [0, 0, 0, 1, 1, 1])


def test_call_spline_and_words():
    found = ng.smooth(SINE, X)
    for n in range(found.order):
        assert_allclose(found(X, n), found.derivative(n), rtol=1e-9)
        assert_allclose(found.error_at(X, n), found.error(n), rtol=1e-9)
    step = 1e-5
    inside = X[50:-50]
    assert_allclose((found(inside + step) - found(inside - step)) / (2 * step), found(inside, 1), rtol=1e-6, atol=1e-8)
    assert np.isnan(found([X[0] - 1, X[-1] + 1])).all()
    assert np.isfinite(found([X[0], X[-1]])).all()
    spline = found.to_bspline()
    assert_allclose(spline(X, 2), found.derivative(2), rtol=1e-8, atol=1e-9)
    assert len(repr(found).splitlines()) == 2
    assert "white" in found.summary()
    assert_allclose(found.residuals, SINE - found.value)
    with pytest.raises(AttributeError):
        found.noise = 1.0
    with pytest.raises(ValueError, match=r"`n` is 8; order=\d has derivatives up to"):
        found.derivative(8)
    with pytest.raises(ValueError, match="level"):
        found.band(1, 1.0)


def test_knots_and_order_are_taken():
    for order in (2, 3, 6, 8):
        found = ng.smooth(SINE, X, order=order)
        assert found.order == order
        if order < 7:
            assert_allclose(found.derivative(), np.cos(X), atol=0.7)
    assert ng.smooth(SINE, X, knots=24).knots <= 24
    assert_allclose(ng.smooth(SINE, X, knots=24).derivative(), np.cos(X), atol=0.2)


def test_any_number_of_threads_has_the_same_bits():
    x = np.sort(RNG.random(300_000)) * 10
    y = np.sin(x) + 0.1 * RNG.standard_normal(x.size)
    results = []
    try:
        for count in (1, 2, 3):
            ng.set_num_threads(count)
            results += [ng.smooth(y, x), ng.smooth(y[::-1], x[::-1])]
    finally:
        ng.set_num_threads(None)
    for found in results[2:]:
        same = results[0] if found.value[0] == results[0].value[0] else results[1]
        assert_array_equal(found.derivative(), same.derivative())


ERRONEOUS = {
    "too few": ((SINE[:3], X[:3]), {}, "3 distinct coordinates"),
    "too few distinct": ((SINE, np.round(X / 5)), {"order": 4}, "distinct coordinates; order=4 needs at least 5"),
    "too few distinct, mixed": ((SINE, np.round(X / 5)[::-1]), {"order": 4}, "needs at least 5"),
    "no samples": ((np.empty(0),), {}, "give samples"),
    "all missing": ((np.full(9, np.nan),), {}, "no samples"),
    "infinite": ((np.append(SINE[1:], np.inf), X), {}, "infinite samples"),
    "nan places": ((SINE, np.append(X[1:], np.nan)), {}, "not finite"),
    "zero distance": ((SINE, 0.0), {}, "`x` is 0.0"),
    "shape of places": ((SINE, X[1:]), {}, r"`x` has shape \(399,\)"),
    "sigma zero": ((SINE, X), {"sigma": 0.0}, "`sigma` has 0.0"),
    "sigma negative": ((SINE, X), {"sigma": np.where(X > 5, -1.0, 1.0)}, "`sigma` has -1.0"),
    "sigma nan": ((SINE, X), {"sigma": np.nan}, "`sigma` has nan"),
    "weights negative": ((SINE, X), {"weights": np.full(400, -1.0)}, "`weights` has -1.0"),
    "weights zero": ((SINE, X), {"weights": np.zeros(400)}, "all zero"),
    "both": ((SINE, X), {"weights": X, "sigma": X}, "give one of them"),
    "shape of sigma": ((SINE, X), {"sigma": X[1:]}, "`sigma` has shape"),
    "period short": ((SINE, X), {"period": 5.0}, "`period` is 5.0"),
    "period negative": ((SINE, X), {"period": -5.0}, "`period` is -5.0"),
    "order low": ((SINE, X), {"order": 1}, "`order` is 1"),
    "order high": ((SINE, X), {"order": 9}, "`order` is 9"),
    "knots": ((SINE, X), {"knots": 0}, "`knots` is 0"),
    "kinks outside": ((SINE, X), {"kinks": [11.0]}, "between those of the first and the last"),
    "kinks word": ((SINE, X), {"kinks": "some"}, "'auto'"),
    "kinks periodic": ((SINE, X), {"kinks": "auto", "period": 20.0}, "both given"),
    "kinks shared": ((SINE, X), {"kinks": "auto", "share": True}, "share"),
}


@pytest.mark.parametrize("case", ERRONEOUS)
def test_errors(case):
    args, options, words = ERRONEOUS[case]
    with pytest.raises(ValueError, match=words):
        ng.smooth(*args, **options)


def test_types_that_are_not_taken():
    for args, options in (
        ((SINE.astype(complex), X), {}),
        ((SINE, X.astype("datetime64[s]")), {}),
        ((SINE, X), {"sigma": "small"}),
        ((SINE, X), {"robust": 1}),
        ((SINE, X), {"share": "yes"}),
        ((SINE, X), {"order": 3.0}),
        ((SINE, np.ma.masked_array(X, X > 1)), {}),
    ):
        with pytest.raises(TypeError):
            ng.smooth(*args, **options)
    with pytest.raises(np.exceptions.AxisError):
        ng.smooth(SINE, X, axis=1)


@pytest.mark.tier(0)
def test_without_compiled_kernels():
    with_plain = ng.smooth(SINE[:40], X[:40])
    assert_allclose(with_plain.derivative(), np.cos(X[:40]), atol=1.0)


def test_long_gaps_are_told():
    x = np.concatenate([X[:200] / 10, 30 + X[:200] / 10])
    with pytest.warns(UserWarning, match=r"no samples from 0\.\d+ to (29|30).*smooth both sides on their own"):
        found = ng.smooth(np.sin(x) + 0.1 * NOISE, x)
    assert np.isfinite(found.error(1)).all()
    assert ng.smooth(SINE[(X < 3) | (X > 5)], X[(X < 3) | (X > 5)]).concerns == ()


def test_kinks_need_samples_between_them():
    with pytest.raises(ValueError, match="`kinks` leave samples at 0 distinct coordinates"):
        ng.smooth(SINE, X, kinks=[5.0, 5.0 + 1e-9])
    assert quiet(SINE[:12], X[:12], kinks="auto").kinks == ()


def test_coordinates_of_missing_samples_may_be_anywhere():
    x = np.sort(RNG.random(200_000)) * 10
    y = np.sin(x) + 0.1 * RNG.standard_normal(x.size)
    there = np.arange(x.size) % 1000 != 0  # the first of each piece of work is missing
    expected = ng.smooth(y[there], x[there])(X, 1)
    astray, holes = np.where(there, x, 9.99), np.where(there, y, np.nan)
    assert_allclose(ng.smooth(holes, astray)(X, 1), expected, atol=1e-4)
    assert_allclose(ng.smooth(y, astray, weights=there.astype(float))(X, 1), expected, atol=1e-4)


@pytest.mark.parametrize("period", [3, 4, 5, 8])
def test_an_oscillation_taken_for_noise_is_told(period):
    """A few samples of each: the likelihood takes it for noise, unless that is known."""
    wave = np.sin(2 * np.pi * np.arange(400) / period)
    with pytest.warns(UserWarning, match="correlated"):
        assert ng.smooth(wave + 0.01 * NOISE).noise > 0.5
    if period > 4:
        assert np.std(quiet(wave + 0.01 * NOISE, sigma=0.01).value - wave) < 0.02


def test_warnings_name_the_line_of_the_caller():
    """Whatever the samples are, and by whichever of the functions and methods."""
    y, x = np.sin(2 * np.pi * np.arange(400) / 3) + 0.01 * NOISE, np.arange(400.0)
    pandas, polars, xarray, dask = map(pytest.importorskip, ("pandas", "polars", "xarray", "dask.array"))
    for library in "pandas", "polars", "xarray":
        pytest.importorskip(f"numgrad.{library}")
    series, frame = pandas.Series(y, x), pandas.DataFrame({"y": y}, x)
    array, table = xarray.DataArray(y, {"x": x}), polars.DataFrame({"y": y, "x": x})
    for call in (
        lambda: ng.smooth(y), lambda: ng.smooth(list(y), x), lambda: ng.smooth(np.ma.array(y), x),
        lambda: ng.smooth(y[:, None], axis=0), lambda: ng.smooth(dask.from_array(y, 100)),
        lambda: ng.smooth(series), lambda: ng.smooth(frame), lambda: ng.smooth(table["y"]),
        lambda: ng.smooth(table, "x"), lambda: series.numgrad.smooth(), lambda: frame.numgrad.smooth("y"),
        lambda: table.numgrad.smooth("y", x="x"), lambda: table["y"].numgrad.smooth(), lambda: ng.smooth(array, "x"),
        lambda: ng.smooth(array.chunk(100)),
    ):  # fmt: skip
        with pytest.warns(UserWarning, match="correlated") as caught:
            call()
        (said,) = caught
        assert (said.filename, said.lineno) == (__file__, call.__code__.co_firstlineno)


def test_corners_as_python():
    """What is missing, out of order or refused, and knots far from each other; with NUMBA_DISABLE_JIT, too."""
    y, x, weight, order = SINE[:60].copy(), X[:60].copy(), np.ones(60), np.random.default_rng(1).permutation(60)
    y[3], weight[5] = np.nan, 0
    found, sorted_ = quiet(y[order], x[order], weights=weight[order]), quiet(y, x, weights=weight)
    assert_allclose(found.value, sorted_.value[order], rtol=1e-8)
    assert np.isnan([*found([np.nan, x[9]])[:1], *found.error_at([np.nan, x[9]])[:1]]).all()
    endless = np.where(weight > 0, weight, np.inf)
    for wrong in ((np.append(y, np.inf), np.append(x, 11)), (y, np.append(x[1:], np.inf)), (y, x, endless)):
        with pytest.raises(ValueError, match=r"give|finite"):
            ng.smooth(*wrong[:2], **({"weights": wrong[2]} if wrong[2:] else {}))
    x = np.concatenate([X[:100] * 1e-9, 1 + X[:100] * 1e-9])
    with pytest.raises(ValueError, match="split the samples at the longest gap"):
        quiet(np.sin(1e9 * x) + 0.1 * NOISE[:200], x, order=5)
    x = np.linspace(0, 10, 800)
    wave = np.sin(40 * x)
    assert_allclose(quiet(wave + 0.01 * np.repeat(NOISE, 2), x, order=3).value, wave, atol=0.1)
