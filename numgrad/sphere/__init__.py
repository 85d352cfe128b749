"""Derivatives on the sphere, of samples on grids of latitudes and longitudes."""

from numgrad.sphere._fields import Gradient, advection, divergence, gradient, laplacian, vorticity

__all__ = ["Gradient", "advection", "divergence", "gradient", "laplacian", "vorticity"]
