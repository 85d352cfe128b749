"""
The cycle of the sun, and the seasons of CO2
============================================

Turning points in 309 years of sunspot numbers, and in the CO2 of Mauna Loa, gaps and all. The data are those that
statsmodels ships: yearly sunspot numbers, 1700 to 2008, and weekly CO2, 1958 to 2001.
"""

import matplotlib.pyplot as plt
import numpy as np
from statsmodels.datasets import co2, sunspots

import numgrad as ng

plt.style.use("tableau-colorblind10")


def draw(x: np.ndarray, y: np.ndarray, points: ng.TurningPoints, **words: str) -> plt.Axes:
    _, ax = plt.subplots(figsize=(10, 4), layout="constrained")
    ax.plot(x, y, lw=1, color="0.5")
    for kind, colour, mark in (("maximum", "C1", "^"), ("minimum", "C0", "v")):
        which = points.kind == kind
        ax.scatter(points.position[which], points.value[which], 30, colour, marker=mark, label=kind, zorder=3)
    ax.set(**words)
    ax.legend(loc="upper left")
    return ax


# %%
# Sunspots
# --------
# ``min_change`` tells cycles from the ups and downs within them.

sun = sunspots.load_pandas().data
year, number = sun["YEAR"].to_numpy(), sun["SUNACTIVITY"].to_numpy()
every = ng.turning_points(number, year)
cycles = ng.turning_points(number, year, min_change=25)
top, bottom = cycles.kind == "maximum", cycles.kind == "minimum"
print(f"sunspots: {len(every)} turning points, {len(cycles)} with a change of 25 or more; the last of these:")
print("\n".join(repr(cycles).splitlines()[:1] + repr(cycles).splitlines()[-4:]))
lengths = np.diff(cycles.position[bottom])
print(f"from minimum to minimum: {lengths.mean():.1f} years, {lengths.min():.1f} to {lengths.max():.1f}")
rise = np.mean([p - cycles.position[bottom & (cycles.position < p)][-1] for p in cycles.position[top][1:]])
print(f"from minimum to maximum: {rise:.1f} years")

draw(year, number, cycles, title="sunspot numbers, changes of 25 or more", xlabel="year", ylabel="number")
plt.show()

# %%
# Which of them are significant? Counts have errors that grow as their roots; those of the root are the same for all.

found = ng.smooth(np.sqrt(number), year)
sure = found.turning_points()
tops = sure.kind == "maximum"
print(f"smoothed: {found.noise:.2f} is the noise of the root of a number, {len(sure)} turning points are significant")
length, error = np.diff(sure.position[tops]).mean(), np.median(sure.error)
print(f"from maximum to maximum: {length:.1f} years, each known to {error:.1f}")

# %%
# CO2
# ---
# Weeks without data are NaN. Each interval between them is looked at alone; gaps of two weeks lose no season, so
# they are filled.

air = co2.load_pandas().data["co2"]
week = (air.index.year + (air.index.day_of_year - 0.5) / 365.25).to_numpy()
filled = air.interpolate(limit=2, limit_area="inside").to_numpy()
seasons = ng.turning_points(filled, week, min_change=2.5)
high, low = seasons.kind == "maximum", seasons.kind == "minimum"
print(f"CO2: {np.isnan(air).sum()} weeks missing, {high.sum()} maxima and {low.sum()} minima of seasons")
for name, which in (("maxima", high), ("minima", low)):
    month = np.median(seasons.position[which] % 1) * 12
    print(f"{name}: in month {month + 1:.1f} of the year, as the median has it")

ax = draw(week, air, seasons, title="CO2 at Mauna Loa, changes of 2.5 ppm or more", xlabel="year", ylabel="CO2, ppm")
ax.set(xlim=(1958, 1980), ylim=(310, 344), xticks=range(1958, 1981, 2))
plt.show()
