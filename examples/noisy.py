"""
Velocity and acceleration of a track with noise and gaps
========================================================

A vehicle drives some curves; a receiver has its position to half a metre a few times a second, at uneven times,
and loses it twice. What were its velocity and acceleration, and how sure are they?
"""

import matplotlib.pyplot as plt
import numpy as np

import numgrad as ng
from numgrad.plotting import SmoothDisplay

plt.style.use("tableau-colorblind10")

NOISE = 0.5


def position(t: np.ndarray) -> np.ndarray:
    """The way along the road, in metres."""
    return 8 * t + 25 * np.sin(t / 9) + 6 * np.sin(t / 3.1 + 1)


def velocity(t: np.ndarray) -> np.ndarray:
    return 8 + 25 / 9 * np.cos(t / 9) + 6 / 3.1 * np.cos(t / 3.1 + 1)


def acceleration(t: np.ndarray) -> np.ndarray:
    return -25 / 81 * np.sin(t / 9) - 6 / 3.1**2 * np.sin(t / 3.1 + 1)


rng = np.random.default_rng(7)
t = np.cumsum(rng.uniform(0.1, 0.4, 500))
t = t[((t < 40) | (t > 44)) & ((t < 85) | (t > 90))]
s = position(t) + NOISE * rng.standard_normal(t.size)

# %%
# ``smooth`` finds the noise itself, and gives any derivative with a band.

found = ng.smooth(s, t)
print(found)
print(f"noise: {found.noise:.3f} m, where it is {NOISE}")
for n, name, truth in ((1, "velocity", velocity), (2, "acceleration", acceleration)):
    low, high = found.band(n)
    error = found.derivative(n) - truth(t)
    by_quotients = ng.derivative(s, t, n=n) - truth(t)
    print(
        f"{name}: off by {np.sqrt(np.mean(error**2)):.3f}, by difference quotients "
        f"{np.sqrt(np.mean(by_quotients**2)):.3f}; the band covers {np.mean((low < truth(t)) & (truth(t) < high)):.0%}"
    )
print("standard error of the velocity in a gap and beside:", found.error_at([42.0, 60.0], 1).round(3))

# %%

grid = np.linspace(t[0], t[-1], 1000)
figure, ax = plt.subplots(figsize=(10, 4.2), layout="constrained")
low, high = found.band_at(grid, 1)
ax.plot(t, np.gradient(s, t), color="0.7", lw=0.8, label="np.gradient")
ax.fill_between(grid, low, high, color="C0", alpha=0.4, lw=0, label="numgrad.smooth, 95 % band")
ax.plot(grid, found(grid, 1), color="C0", lw=1.5, label="numgrad.smooth")
ax.plot(grid, velocity(grid), color="k", lw=1, ls="--", label="truth")
ax.set(xlabel="time, s", ylabel="velocity, m/s", ylim=(-2, 20), title="the derivative of noisy positions")
ax.legend(loc="lower center", ncols=4)
plt.show()

# %%
# Where positions are missing, the bands grow:

figure, axes = plt.subplots(3, 1, figsize=(10, 9), sharex=True, layout="constrained")
SmoothDisplay.from_result(found, axes, n=(0, 1, 2))
axes[0].set(ylabel="position, m")
for ax, truth, name in zip(axes[1:], (velocity, acceleration), ("velocity, m/s", "acceleration, m/s²"), strict=True):
    ax.plot(grid, truth(grid), color="k", lw=1, ls="--", label="truth")
    ax.set_ylabel(name)
    ax.legend(loc="upper right")
axes[-1].set_xlabel("time, s")
plt.show()

# %%
# Some positions are wrong altogether
# -----------------------------------

lost = s.copy()
lost[::40] += rng.choice([-60, 60], lost[::40].size)
robust = ng.smooth(lost, t, robust=True)
off = np.sqrt(np.mean((robust.derivative() - velocity(t)) ** 2))
print(f"with {lost[::40].size} positions off by 60 m, robust=True: noise {robust.noise:.3f} m, velocity by {off:.3f}")
