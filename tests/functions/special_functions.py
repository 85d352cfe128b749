"""Special functions of SciPy in jitted functions, with rules of their derivatives, as users would give them.

Numba calls them by their addresses and cannot look into them. The derivatives are recurrences of the Digital Library of
Mathematical Functions (https://dlmf.nist.gov): 9.2.1, 10.6.2, 8.19.13, 19.4.1 with 19.25.1, 4.13.4.
"""

import ctypes
import math

import numpy as np
from numba import njit
from numba.extending import get_cython_function_address

from numgrad.functions import rule
from numgrad.functions._exact.rules import polygamma


def of_scipy(name, *arguments):
    """Return a function of SciPy's as Numba can call it. It takes one argument more, which it does not look at."""
    address = get_cython_function_address("scipy.special.cython_special", name)
    return ctypes.CFUNCTYPE(ctypes.c_double, *arguments, ctypes.c_int)(address)


REAL, WHOLE, PLACE = ctypes.c_double, ctypes.c_long, ctypes.c_void_p
psi, jv, yv = of_scipy("__pyx_fuse_1psi", REAL), *(of_scipy(f"__pyx_fuse_1{name}", REAL, REAL) for name in ("jv", "yv"))
expn, ellipk = of_scipy("__pyx_fuse_1expn", WHOLE, REAL), of_scipy("ellipk", REAL)
elliprd = of_scipy("__pyx_fuse_1elliprd", REAL, REAL, REAL)
airy = of_scipy("__pyx_fuse_1airy", REAL, PLACE, PLACE, PLACE, PLACE)


@njit
def digamma(x):
    return psi(x, 0)


@njit
def besselj(n, x):
    return jv(n, x, 0)


@njit
def bessely(n, x):
    return yv(n, x, 0)


@njit
def airyai(x):
    out = np.empty(4)
    place = out.ctypes.data
    airy(x, place, place + 8, place + 16, place + 24, 0)
    return out[0]


@njit
def airyai_prime(x):
    out = np.empty(4)
    place = out.ctypes.data
    airy(x, place, place + 8, place + 16, place + 24, 0)
    return out[1]


@njit
def expint(n, x):
    return expn(n, x, 0)


@njit
def elliptic_k(m):
    return ellipk(m, 0)


@njit
def elliptic_k_prime(m):
    return elliprd(0.0, 1.0, 1.0 - m, 0) / 6.0


@njit
def lambert_w(x):
    """The solution of w exp(w) = x, by Halley's iteration."""
    w = math.log1p(x)
    for _ in range(20):
        e = math.exp(w)
        excess = w * e - x
        step = excess / (e * (w + 1.0) - (w + 2.0) * excess / (2.0 * w + 2.0))
        w -= step
        if abs(step) <= 1e-16 * abs(w):
            break
    return w


rule(digamma, njit(lambda x: polygamma(1, x)))
rule(besselj, njit(lambda n, x: (0.0, besselj(n - 1.0, x) - n / x * besselj(n, x))))
rule(bessely, njit(lambda n, x: (0.0, bessely(n - 1.0, x) - n / x * bessely(n, x))))
rule(airyai, njit(lambda x: airyai_prime(x)))
rule(airyai_prime, njit(lambda x: x * airyai(x)))
rule(expint, njit(lambda n, x: (0, -expint(n - 1, x))))
rule(elliptic_k, njit(lambda m: elliptic_k_prime(m)))
rule(elliptic_k_prime, njit(lambda m: (elliptic_k(m) / 4.0 - (1.0 - 2.0 * m) * elliptic_k_prime(m)) / (m * (1.0 - m))))
rule(lambert_w, njit(lambda x: 1.0 / (x + math.exp(lambert_w(x)))))

NAMES = {name: getattr(math, name) for name in ("sin", "cos", "tan", "exp", "log", "sqrt", "tanh", "atan", "asinh")}
NAMES |= {"erf": math.erf, "gamma": math.gamma, "loggamma": math.lgamma, "digamma": digamma, "besselj": besselj}
NAMES |= {"bessely": bessely, "airyai": airyai, "expint": expint, "elliptic_k": elliptic_k, "LambertW": lambert_w}
