"""Whole scripts: an import and one call, cold and warm, beside the same with NumPy or a peer; and loops of calls.

CPU seconds of the process and its children: these do not depend on what else runs.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from typing import NamedTuple

from benchmarks.measure import ROOT, table, unit

NUMPY = "import numpy as np\n"
SAMPLES = NUMPY + "x = np.cumsum(np.random.default_rng(0).random({n}) + 0.1)\nf = np.sin(x)\n"
DATA = NUMPY + "X = np.random.default_rng(0).normal(size=(100, 2))\ny = X @ [1.0, 2.0]\n"
CLASSIC = NUMPY + (
    "rng = np.random.default_rng(0)\nX = np.column_stack([np.ones(97), rng.uniform(5, 22, 97)])\n"
    "y = X @ [-4.0, 1.2] + rng.normal(size=97)\n"
)
LOOP = "theta = np.zeros(2)\nfor _ in range(100_000):\n    theta -= 0.005 * (X.T @ (X @ theta - y)) / len(y)\n"


class Script(NamedTuple):
    """What is run with numgrad, and beside what: at most `times` as long as `peer`, or `more` seconds more."""

    name: str
    data: str
    call: str
    peer: str
    times: float = 1.0
    more: float = 0.0


def _gradient(name: str, n: int, arguments: str = "f") -> Script:
    return Script(
        f"gradient, {name}", SAMPLES.format(n=n), f"ng.gradient({arguments})", f"np.gradient({arguments})", 1.1
    )


def _small(name: str, call: str, n: int = 1000) -> Script:
    return Script(name, SAMPLES.format(n=n), call, "", more=0.08)


def _function(name: str, peer: str, call: str) -> Script:
    peer = f"import numdifftools as nd\nnd.{peer}"
    return Script(f"functions.{name}", NUMPY, f"from numgrad.functions import {name}\n{call}", peer, 1.3)


SCRIPTS = [
    _gradient("10 points", 10),
    _gradient("1e5 points", 10**5),
    _gradient("1e5 points, coordinates", 10**5, "f, x"),
    _gradient("1e5 points, coordinates, edge_order=2", 10**5, "f, x, edge_order=2"),
    _gradient("300 x 300", 90_000, "f.reshape(300, 300), 0.1, 0.2"),
    _small("derivative, accuracy=4", "ng.derivative(f, 0.1, accuracy=4)"),
    _small("derivative, n=2, coordinates", "ng.derivative(f, x, n=2)"),
    _small("derivative, n=2, accuracy=4, coordinates", "ng.derivative(f, x, n=2, accuracy=4)"),
    _small("derivative, coordinates, gaps", "f[9] = np.nan\nng.derivative(f, x, n=2, nan='one-sided')"),
    _small("derivative, coordinates of each line", "ng.derivative(f.reshape(10, 100), x.reshape(10, 100), n=2)"),
    _small("laplacian", "ng.laplacian(f.reshape(30, 30))", 900),
    _small("hessian, accuracy=4", "ng.hessian(f.reshape(30, 30), accuracy=4)", 900),
    _small("turning_points", "ng.turning_points(f, x)"),
    _small("weights", "ng.weights(range(5), 2, 2)"),
    _function("derivative", "Derivative(np.sin)(1.0)", "derivative(np.sin, 1.0)"),
    _function("gradient", "Gradient(lambda x: x @ x)([1.0, 2.0, 3.0])", "gradient(lambda x: x @ x, [1.0, 2.0, 3.0])"),
    _function("jacobian", "Jacobian(lambda x: x * x)([1.0, 2.0, 3.0])", "jacobian(lambda x: x * x, [1.0, 2.0, 3.0])"),
    _function("hessian", "Hessian(lambda x: x @ x)([1.0, 2.0, 3.0])", "hessian(lambda x: x @ x, [1.0, 2.0, 3.0])"),
    Script("step_size, 100 x 2", DATA, "ng.step_size(X)", "", more=0.1),
    Script("gradient_descent, 100 x 2", DATA, "ng.gradient_descent(X, y, n_iter=1000)", "", more=0.1),
    Script(
        "first classic, 100,000 iterations",
        CLASSIC,
        "ng.gradient_descent(X, y, learning_rate=0.005, n_iter=100_000)",
        LOOP,
    ),
    Script(
        "gradient, 1e7 points, beside kernels from the start",
        SAMPLES.format(n=10**7),
        "ng.gradient(f)",
        "import os\nos.environ['NUMGRAD_TIER'] = '1'\nimport numgrad as ng\nng.gradient(f)",
    ),
]
# What compiles, in seconds of its first call, cold; the import of Numba, which it needs, is in them.
COMPILED = {
    "gradient": "ng.gradient(f)",
    "gradient, coordinates": "ng.gradient(f, x)",
    "gradient, coordinates, edge_order=2": "ng.gradient(f, x, edge_order=2)",
    "derivative, accuracy=4": "ng.derivative(f, 0.1, accuracy=4)",
    "derivative, n=2, coordinates": "ng.derivative(f, x, n=2)",
    "derivative, n=2, gaps": "ng.derivative(f, 0.1, n=2, nan='one-sided')",
    "derivative, n=2, coordinates, gaps": "ng.derivative(f, x, n=2, nan='one-sided')",
    "laplacian": "ng.laplacian(f.reshape(30, 30))",
    "hessian": "ng.hessian(f.reshape(30, 30))",
    "turning_points": "ng.turning_points(f, x)",
    "functions.derivative": "from numgrad import functions\nfunctions.derivative(np.sin, 1.0)",
    "functions.derivative, jitted": (
        "from numgrad import functions\nimport numba\nfunctions.derivative(numba.njit(lambda x: x * np.sin(x)), 1.0)"
    ),
    "gradient_descent": "ng.gradient_descent(x[:, None], f, n_iter=100)",
    "gradient_descent, fused": "ng.gradient_descent(x[:, None], f, n_iter=100, method='fused')",
}
MOST = 1.5
# Loops of so many calls on so many points, each of which takes seconds at most.
GRID = [(10**k, 10**n) for n in (0, 2, 4, 6) for k in range(7) if k + n <= 8]
CALLS = "f = np.random.default_rng(0).random(max(2, {n}))\nfor _ in range({k}):\n    {call}\n"


def seconds(code: str, cache: str = "", tier: str = "") -> float:
    """Return the CPU seconds of a process that runs this."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": cache, "NUMGRAD_TIER": tier}
    for name in ("NUMBA_CACHE_DIR", "NUMGRAD_TIER"):
        if not environment[name]:
            del environment[name]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, env=environment, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def scripts_report(turns: int, scripts: list[Script] = SCRIPTS) -> list[str]:
    """Return a table of scripts, in which numgrad and its peers took turns."""
    rows = []
    for script in scripts:
        code = f"{script.data}import numgrad as ng\n{script.call}\n"
        peer, cold, warm = [], [], []
        for _ in range(turns):
            with tempfile.TemporaryDirectory() as folder:
                peer.append(seconds(script.data + script.peer))
                cold.append(seconds(code, folder))
                warm.append(seconds(code, folder))
        theirs, *ours = map(statistics.median, (peer, cold, warm))
        most = script.times * theirs + script.more
        rows.append(
            f"| {script.name} | {unit(theirs)} | {unit(ours[0])} | {unit(ours[1])} | {max(ours) / theirs:.2f} | "
            f"{unit(most)} | {'short' if max(ours) > most else ''} |"
        )
        print(rows[-1], flush=True)
    return table("| script | without numgrad | cold | warm | ratio | at most | |", rows)


def compiled_report(turns: int, calls: dict[str, str] = COMPILED) -> list[str]:
    """Return a table of the CPU seconds of scripts that compile, from the import of numgrad on."""
    rows = []
    for name, call in calls.items():
        found = []
        for _ in range(turns):
            with tempfile.TemporaryDirectory() as folder:
                data = SAMPLES.format(n=900)
                without = seconds(data)
                found.append(seconds(f"{data}import numgrad as ng\n{call}\n", folder, "1") - without)
        took = statistics.median(found)
        rows.append(f"| {name} | {unit(took)} | {unit(MOST)} | {'short' if took > MOST else ''} |")
        print(rows[-1], flush=True)
    return table("| compiled, cold | measured | at most | |", rows)


def loops_report(turns: int, grid: list[tuple[int, int]] = GRID) -> list[str]:
    """Return a table of loops of `gradient`, beside the better of NumPy alone and compiled kernels from the start."""
    rows = []
    for k, n in grid:
        numpy, compiled, ours = [], [], []
        for _ in range(turns):
            with tempfile.TemporaryDirectory() as folder:
                numpy.append(seconds(NUMPY + CALLS.format(n=n, k=k, call="np.gradient(f)")))
                code = NUMPY + "import numgrad as ng\n" + CALLS.format(n=n, k=k, call="ng.gradient(f)")
                ours.append(seconds(code, folder))
            with tempfile.TemporaryDirectory() as folder:
                compiled.append(seconds(code, folder, "1"))
        alone, started, took = map(statistics.median, (numpy, compiled, ours))
        ratio = took / min(alone, started)
        rows.append(
            f"| {k:,d} | {n:,d} | {unit(alone)} | {unit(started)} | {unit(took)} | {ratio:.2f} | "
            f"{'short' if ratio > 2.1 else ''} |"
        )
        print(rows[-1], flush=True)
    return table("| calls | points | NumPy alone | compiled from the start | numgrad | of the better | |", rows)


def report(turns: int) -> list[str]:
    return [*scripts_report(turns), "", *compiled_report(3), "", *loops_report(max(1, turns // 4))]
