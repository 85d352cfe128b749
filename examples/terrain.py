"""
Slope and aspect of real terrain, in degrees
============================================

A digital elevation model of the Jacksboro fault, Tennessee, as matplotlib ships it.
"""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib import cbook

import numgrad as ng

METRES_PER_DEGREE = 111_200.0  # of latitude
COMPASS = ["N", "NE", "E", "SE", "S", "SW", "W", "NW"]

# %%
# The heights are whole metres, and the first row is the northernmost: so the distance of rows, to the north, is
# negative.

with cbook.get_sample_data("jacksboro_fault_dem.npz") as model:
    elevation = model["elevation"]
    latitude = (model["ymin"] + model["ymax"]) / 2
    north = -float(model["dy"]) * METRES_PER_DEGREE
    east = float(model["dx"]) * METRES_PER_DEGREE * np.cos(np.radians(latitude))
print(f"{elevation.shape[0]} x {elevation.shape[1]} heights, {abs(north):.0f} m x {east:.0f} m apart")
print(f"elevation: {elevation.min()} to {elevation.max()} m")

# %%
# The slope is the angle of the gradient, the aspect the compass direction that a slope faces: down the gradient,
# clockwise from north.

to_north, to_east = ng.gradient(elevation, north, east)
slope = np.degrees(np.arctan(np.hypot(to_north, to_east)))
aspect = np.degrees(np.arctan2(-to_east, -to_north)) % 360

print(f"slope: median {np.median(slope):.1f}, steepest {slope.max():.1f} degrees")
steep = slope > 5
sectors = np.bincount(((aspect[steep] + 22.5) // 45).astype(int) % 8, minlength=8) / steep.sum()
print("slopes over 5 degrees face", ", ".join(f"{c} {s:.0%}" for c, s in zip(COMPASS, sectors, strict=True)))

# %%

figure, axes = plt.subplots(1, 3, figsize=(11, 3.9), layout="constrained")
facing = np.ma.masked_where(slope < 1, aspect)
pictures = [("elevation, m", elevation, "cividis"), ("slope, degrees", slope, "magma")]
for ax, (title, field, colours) in zip(axes, [*pictures, ("aspect, degrees", facing, "twilight")], strict=True):
    image = ax.imshow(field, cmap=mpl.colormaps[colours], aspect=abs(north) / east)
    figure.colorbar(image, ax=ax, shrink=0.8)
    ax.set(title=title, xticks=[], yticks=[])
plt.show()
