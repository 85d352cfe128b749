"""The cycle of the sun in 309 years of sunspot numbers, and the seasons in the CO2 of Mauna Loa, gaps and all.

python examples/turning_points.py [--save FOLDER]

The data are those that statsmodels ships: yearly sunspot numbers, 1700 to 2008, and weekly CO2, 1958 to 2001.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from statsmodels.datasets import co2, sunspots

import numgrad as ng


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="save the figure here")
    folder = parser.parse_args().save

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

    # Counts have errors that grow as their roots; there, those of the root are the same for all.
    found = ng.smooth(np.sqrt(number), year)
    sure = found.turning_points()
    tops = sure.kind == "maximum"
    print(
        f"smoothed: {found.noise:.2f} is the noise of the root of a number, {len(sure)} turning points are significant"
    )
    length, error = np.diff(sure.position[tops]).mean(), np.median(sure.error)
    print(f"from maximum to maximum: {length:.1f} years, each known to {error:.1f}")

    air = co2.load_pandas().data["co2"]
    week = air.index.year + (air.index.day_of_year - 0.5) / 365.25
    parts = air.to_numpy()
    # Weeks without data are NaN. Each interval between them is looked at alone; those of 2 weeks only lose no season.
    filled = air.interpolate(limit=2, limit_area="inside").to_numpy()
    seasons = ng.turning_points(filled, week.to_numpy(), min_change=2.5)
    high, low = seasons.kind == "maximum", seasons.kind == "minimum"
    print(f"CO2: {np.isnan(parts).sum()} weeks missing, {high.sum()} maxima and {low.sum()} minima of seasons")
    for name, which in (("maxima", high), ("minima", low)):
        month = np.median(seasons.position[which] % 1) * 12
        print(f"{name}: in month {month + 1:.1f} of the year, as the median has it")

    if folder is not None:
        figure, (above, below) = plt.subplots(2, 1, figsize=(11, 7), layout="constrained")
        above.plot(year, number, lw=1, color="0.5")
        below.plot(week, parts, lw=1, color="0.5")
        for ax, points, size in ((above, cycles, 30), (below, seasons, 20)):
            for kind, colour, mark in (("maximum", "tab:red", "^"), ("minimum", "tab:blue", "v")):
                which = points.kind == kind
                ax.scatter(points.position[which], points.value[which], size, colour, marker=mark, label=kind, zorder=3)
        above.set(title="Sunspot numbers, changes of 25 or more", xlabel="year", ylabel="number")
        below.set(
            title="CO2 at Mauna Loa, changes of 2.5 ppm or more",
            xlabel="year",
            ylabel="ppm",
            xlim=(1958, 1980),
            ylim=(310, 344),
        )
        below.set_xticks(range(1958, 1981, 2))
        above.legend(loc="upper left")
        file = folder / "turning_points.png"
        figure.savefig(file, dpi=120)
        print(f"figure: {file}")


if __name__ == "__main__":
    main()
