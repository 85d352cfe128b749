"""A program of somebody else's, before and after exact derivatives of another function.

Run with the folder of a module `cached`, which has a cached function. Prints what the program returns, how often the
compiler and its cache are at work, and which entries of Numba's tables have changed.
"""

import importlib
import json
import re
import sys
from collections import Counter

import numpy as np
from numba import float64, njit
from numba.core import event
from numba.core.registry import cpu_target
from numba.core.typing.context import BaseContext
from numba.experimental import jitclass

import numgrad.functions

counted = Counter()


class Passes(event.Listener):
    """Counts what the compiler does."""

    def on_start(self, event):
        counted[re.sub("0x[0-9a-f]+", "", str(event.data.get("name", "compilation")))] += 1  # addresses

    def on_end(self, event):
        pass


def counting(name):
    original = getattr(BaseContext, name)

    def method(self, *args, **kws):
        counted[name] += 1
        return original(self, *args, **kws)

    setattr(BaseContext, name, method)


def program():
    """Return what functions, compiled anew, return; and how often the cache was hit and missed."""

    @jitclass([("rate", float64), ("values", float64[:])])
    class Model:
        def __init__(self, rate, values):
            self.rate = rate
            self.values = values

        def total(self):
            return self.rate * self.values.sum()

    @njit
    def some(x, model):
        y = np.exp(x) * x - x[0] / (1.0 + x**2)
        z = np.zeros_like(x)
        for i in range(x.size):
            z[i] += abs(x[i]) + max(x[i], 0.5)
        return y.sum() + z.mean() + np.dot(x, y) + model.total() + abs(x[0] + 1j * x[1])

    x = np.linspace(0.1, 0.9, 5)
    sys.modules.pop("cached", None)
    module = importlib.import_module("cached")
    values = [some(x, Model(0.5, x)), module.cached(x)]
    stats = module.cached.stats
    return [float(v).hex() for v in values], [sum(stats.cache_hits.values()), sum(stats.cache_misses.values())]


def tables():
    """How many entries each of Numba's tables has of each key; of casts, those that are not of numgrad's types."""
    typing, target = cpu_target.typing_context, cpu_target.target_context
    found = {("type", key): len(getattr(kind, "templates", (0,))) for key, kind in list(typing._globals.items())}
    for name in ("_functions", "_attributes"):
        for key, templates in list(getattr(typing, name).items()):
            found[name, key] = len(templates) if hasattr(templates, "__len__") else 1
    for name in ("_defns", "_getattrs", "_setattrs"):
        for key, overloads in list(getattr(target, name).items()):
            found[name, key] = len(overloads.versions)
    others = [args for args, _ in target._casts.versions if not any("numgrad" in str(kind) for kind in args)]
    found["_casts", None] = len(others)
    return found


def watched():
    """Return what the program returns, and what is done for it."""
    counted.clear()
    with event.install_listener("numba:run_pass", Passes()), event.install_listener("numba:compile", Passes()):
        return [*program(), dict(counted)]


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    for name in ("resolve_function_type", "resolve_getattr"):
        counting(name)
    program()  # which fills the cache, and compiles what is compiled once
    before, known = watched(), tables()
    fun = njit(lambda x: (x * x).sum() + np.dot(x, x) + abs(x[0]) + np.zeros(3)[0])
    for n in (3, 30):
        assert numgrad.functions.gradient(fun, np.ones(n), method="exact").method == "exact"
    changed = [f"{name} of {key}" for (name, key), count in tables().items() if known.get((name, key), count) != count]
    print(json.dumps({"before": before, "after": watched(), "changed": changed}))
