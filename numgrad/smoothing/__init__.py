"""Smoothing."""
