"""How near derivatives of noisy samples come to the truth, beside filters that know it; their bands, and the noise."""

import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

import numgrad as ng
from benchmarks.measure import side_by_side, table, unit

SIZE, RANGE, REPEATS = 500, 2.0, 3
NOISES = (0.01, 0.05, 0.2)
# Windows and degrees of the filter that knows the truth.
WINDOWS = (*range(7, 60, 6), *range(61, 400, 30))
DEGREES = (2, 3, 4)


class Signal(NamedTuple):
    """A function, its derivatives, whether it is smooth, and the highest frequency that matters, as one might guess."""

    name: str
    f: Callable[[np.ndarray], np.ndarray]
    derivatives: tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]
    is_smooth: bool = True
    band: float = 2.0


def smooth_one(name: str, f: Callable[[np.ndarray], np.ndarray], band: float = 2.0) -> Signal:
    """A smooth signal, whose derivatives are differences of the eighth order, exact to nine digits."""
    weights = {n: ng.Stencil.central(n, accuracy=8) for n in (1, 2)}

    def derivative(n: int) -> Callable[[np.ndarray], np.ndarray]:
        step = 5e-3
        taps = dict(zip(weights[n].offsets, weights[n].weights, strict=True))
        return lambda t: sum(float(w) * f(t + k * step) for k, w in taps.items()) / step**n  # type: ignore[return-value]

    return Signal(name, f, (derivative(1), derivative(2)), True, band)


def walk() -> Signal:
    """A velocity that is a random walk, and where it leads to."""
    rng = np.random.default_rng(11)
    grid = np.linspace(0, RANGE, 20_001)
    speed = np.cumsum(rng.standard_normal(grid.size)) * math.sqrt(grid[1]) * 2
    place = np.concatenate([[0.0], np.cumsum((speed[1:] + speed[:-1]) / 2 * grid[1])])
    return Signal(
        "random walk",
        lambda t: np.interp(t, grid, place),
        (lambda t: np.interp(t, grid, speed), lambda t: t * np.nan),
        False,
    )


def sawtooth(t: np.ndarray) -> np.ndarray:
    return abs((1.5 * t) % 1 - 0.5)


SIGNALS = (
    smooth_one("sine", lambda t: np.sin(2 * np.pi * t), 1.0),
    smooth_one("chirp", lambda t: np.sin(6 * t**2), 4.0),
    smooth_one("logistic", lambda t: 1 / (1 + np.exp(-20 * (t - 1))), 4.0),
    smooth_one("peaks", lambda t: np.exp(-50 * (t - 0.6) ** 2) + 0.5 * np.exp(-200 * (t - 1.4) ** 2), 4.0),
    Signal("triangle", sawtooth, (lambda t: np.where((1.5 * t) % 1 < 0.5, -1.5, 1.5), lambda t: 0 * t), False, 4.0),
    Signal("steps", lambda t: np.floor(2 * t) / 2, (lambda t: 0 * t, lambda t: 0 * t), False, 4.0),
    smooth_one("track", lambda t: 2 * t + 0.5 * np.sin(3 * t) + 0.2 * np.cos(7 * t + 1) + 0.1 * np.sin(11 * t), 2.0),
    smooth_one("accelerometer", lambda t: np.exp(-3 * (t - 0.5) ** 2) * np.sin(40 * t), 8.0),
    smooth_one("decay", lambda t: np.exp(-3 * t), 1.0),
    smooth_one("sunspots", lambda t: (1 + 0.4 * np.sin(2.3 * t)) * (1 + np.sin(9 * t + 0.4 * np.sin(9 * t))) / 2, 3.0),
    smooth_one("flat", lambda t: 0 * t + 1, 1.0),
    walk(),
)


def local_polynomials(x: np.ndarray, y: np.ndarray, window: int, degree: int, n: int) -> np.ndarray:
    """Savitzky and Golay's filter, to the edges, on any grid."""
    first = np.clip(np.arange(x.size) - window // 2, 0, x.size - window)
    distance = sliding_window_view(x, window)[first] - x[:, None]
    reach = abs(distance).max(1, keepdims=True)
    powers = np.stack([(distance / reach) ** k for k in range(degree + 1)], 1)
    right = powers @ sliding_window_view(y, window)[first][:, :, None]
    found = np.linalg.solve(powers @ powers.transpose(0, 2, 1), right)
    result: np.ndarray = math.factorial(n) * found[:, n, 0] / reach[:, 0] ** n
    return result


def spline(x: np.ndarray, y: np.ndarray, n: int) -> Any:
    from scipy.interpolate import make_smoothing_spline

    return make_smoothing_spline(x, y).derivative(n)(x)


def pynumdiff(signal: Signal, x: np.ndarray, y: np.ndarray) -> Any:
    """What PyNumDiff finds for its version of the filter, by its own measure and a guess at the frequencies."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pynumdiff import savgoldiff
        from pynumdiff.optimize import optimize

        step = x[1] - x[0]
        options, _ = optimize(savgoldiff, y, step, bandlimit=signal.band, parallel=False)
        return savgoldiff(y, step, **options)[1]


def samples(signal: Signal, noise: float, even: bool, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = np.linspace(0, RANGE, SIZE) if even else np.sort(rng.random(SIZE)) * RANGE
    return x, signal.f(x) + noise * rng.standard_normal(SIZE)


class Row(NamedTuple):
    """What was found for a signal: errors of methods, relative to the truth, and numgrad's band and noise."""

    signal: Signal
    noise: float
    even: bool
    n: int
    ours: float
    oracle: float
    others: dict[str, float]
    coverage: float
    ratio: float


def rows(signals: tuple[Signal, ...] = SIGNALS, repeats: int = REPEATS, peers: bool = True) -> Iterator[Row]:
    for signal in signals:
        for noise in NOISES:
            for even in (True, False):
                found: dict[int, list[Any]] = {1: [], 2: []}
                for seed in range(repeats):
                    x, y = samples(signal, noise, even, seed)
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        smooth = ng.smooth(y, x)
                    for n in (1, 2):
                        found[n].append(one_row(signal, x, y, even, smooth, n, noise, peers and seed == 0))
                for n in (1, 2):
                    if math.isfinite(found[n][0][0]):
                        names = found[n][0][2]
                        numbers = np.median([[r[0], r[1], r[3], r[4]] for r in found[n]], axis=0)
                        yield Row(signal, noise, even, n, *numbers[:2], names, *numbers[2:])


def one_row(
    signal: Signal, x: np.ndarray, y: np.ndarray, even: bool, smooth: Any, n: int, noise: float, peers: bool
) -> tuple[float, float, dict[str, float], float, float]:  # fmt: skip
    truth = signal.derivatives[n - 1](x)
    size = math.sqrt(np.mean(truth**2))
    size = size if size > 1e-6 else 1.0  # of what is flat, but for the rounding of differences, errors are absolute

    def error(found: Any) -> float:
        return math.sqrt(np.mean((found - truth) ** 2)) / size

    oracle = min(error(local_polynomials(x, y, w, d, n)) for w in WINDOWS for d in DEGREES)
    plain = np.gradient(y, x) if n == 1 else np.gradient(np.gradient(y, x), x)
    others = {"np.gradient": error(plain)}
    if peers:
        try:
            others["make_smoothing_spline"] = error(spline(x, y, n))
            if even and n == 1 and noise == NOISES[1]:  # it takes half a minute
                others["PyNumDiff"] = error(pynumdiff(signal, x, y))
        except ImportError:
            pass
    low, high = smooth.band(n)
    return (
        error(smooth.derivative(n)),
        oracle,
        others,
        float(np.mean((low < truth) & (truth < high))),
        smooth.noise / noise,
    )


def report(signals: tuple[Signal, ...] = SIGNALS, repeats: int = REPEATS, peers: bool = True) -> list[str]:
    """Return the table, and what it comes to."""
    found = list(rows(signals, repeats, peers))
    names = ("np.gradient", "make_smoothing_spline", "PyNumDiff")
    lines = [
        f"| {r.signal.name} | {r.noise} | {'even' if r.even else 'uneven'} | {r.n} | {r.ours:.3g} | {r.oracle:.3g} | "
        + " | ".join(f"{r.others[name]:.3g}" if name in r.others else "" for name in names)
        + f" | {r.coverage:.2f} | {r.ratio:.3f} |"
        for r in found
    ]
    text = [
        f"{SIZE} samples; errors are root mean squares over that of the truth, medians of {repeats} (of the last two "
        "columns of others one); the oracle is Savitzky and Golay's filter with window and degree chosen knowing the "
        "truth; the band is the part of samples that the 95 % band covers.",
        "",
    ]
    for n in (1, 2):
        smooth = [r for r in found if r.n == n and r.signal.is_smooth and r.signal.name != "flat"]
        if smooth:
            ratios = sorted(r.ours / r.oracle for r in smooth)
            text += [
                f"- n={n}, smooth signals: {np.median(ratios):.2f} times the error of the oracle in the median, "
                f"{ratios[-1]:.2f} at worst; bands cover {min(r.coverage for r in smooth):.2f} to "
                f"{max(r.coverage for r in smooth):.2f}, {np.median([r.coverage for r in smooth]):.2f} in the median; "
                f"noise is off by {max(abs(r.ratio - 1) for r in smooth):.1%} at most."
            ]
    beaten = [(name, r) for r in found for name, e in r.others.items() if e < r.ours]
    text += [f"- {len(beaten)} of {sum(len(r.others) for r in found)} results of others are nearer to the truth.", ""]
    head = f"| signal | noise | grid | n | smooth | oracle | {' | '.join(names)} | band | noise found |"
    return [*text, *table(head, lines), "", *times(peers)]


def times(peers: bool = True, sizes: tuple[int, ...] = (1000, 10_000, 100_000, 1_000_000)) -> list[str]:
    """Return how long it takes, and how the error falls."""
    lines = []
    for size in sizes:
        rng = np.random.default_rng(0)
        x = np.sort(rng.random(size)) * 10
        y = np.sin(x) + 0.1 * rng.standard_normal(size)
        calls: dict[str, Callable[[], Any]] = {"smooth": lambda x=x, y=y: ng.smooth(y, x)}
        if size <= 1000 and peers:
            try:
                from scipy.interpolate import make_smoothing_spline

                calls["make_smoothing_spline"] = lambda x=x, y=y: make_smoothing_spline(x, y)
                from csaps import csaps

                calls["csaps"] = lambda x=x, y=y: csaps(x, y, x)
            except ImportError:
                pass
        took = side_by_side(calls, 0.5)
        error = np.sqrt(np.mean((ng.smooth(y, x).derivative() - np.cos(x)) ** 2))
        cells = [unit(took[name]) if name in took else "" for name in ("smooth", "make_smoothing_spline", "csaps")]
        lines.append(f"| {size:,d} | {' | '.join(cells)} | {error:.3g} |")
    return table("| uneven samples of a sine, noise 0.1 | smooth | make_smoothing_spline | csaps | error |", lines)


if __name__ == "__main__":
    print("\n".join(report()))
