"""Sixty ways to write a function of a vector, as people write them for Numba: what exact derivatives must take.

Each takes a vector of six positive numbers and returns a number.
"""

import math
from collections import namedtuple

import numpy as np
from numba import njit, prange
from numba.typed import List

WEIGHTS = np.array([0.5, -1.0, 2.0, 0.25, 1.5, -0.75])
MATRIX = np.diag([4.0, 5, 6, 5, 4, 7]) + np.diag(np.ones(5), 1) + np.diag(np.ones(5), -1)
Point = namedtuple("Point", "east north")


@njit
def square(a):
    return a * a


@njit("float64(float64)")
def eager(a):
    return math.sin(a) * a


@njit(fastmath=True, inline="always")
def inlined(a):
    return a * a + 1.0


@njit
def tower(a, depth):
    return a if depth == 0 else math.sin(tower(a, depth - 1)) + a


def arithmetic(x):
    return (x[0] + x[1] * x[2] - x[3] / x[4]) ** 2 - -x[5]


def remainders(x):
    return x[0] % 0.3 + x[1] // 0.3 * x[2] + x[3] % x[4]


def powers(x):
    return x[0] ** 3 + x[1] ** -2 + x[2] ** 0.5 + x[3] ** x[4] + 2 ** x[5] + pow(x[0], 2)


def power_at_run_time(x):
    s = 0.0
    for i in range(4):
        s += x[i] ** i
    return s


def absolute_values(x):
    return abs(x[0] - x[1]) + math.fabs(x[2] - 5.0) + np.abs(x[3])


def extremes(x):
    return max(x[0], x[1]) * min(x[2], x[3]) + max(x[4], 0.7, x[5])


def extremes_of_arrays(x):
    return np.max(x) * np.min(x) + x.max() + x[:3].min()


def comparisons(x):
    s = 0.0
    for i in range(x.size):
        if x[i] > 0.5:
            s += x[i] ** 2
        elif x[i] <= 0.3 and x[i] != 0.2:
            s -= x[i]
        else:
            s += 1
    return s


def functions_of_math(x):
    a = math.exp(x[0]) + math.log(x[1]) + math.sqrt(x[2]) + math.sin(x[3]) + math.cos(x[4]) + math.tan(x[5])
    b = math.asin(x[0] / 9) + math.acos(x[1] / 9) + math.atan(x[2]) + math.sinh(x[3]) + math.cosh(x[4])
    return a + b + math.tanh(x[5]) + math.asinh(x[0]) + math.acosh(1 + x[1]) + math.atanh(x[2] / 9)


def more_functions_of_math(x):
    a = math.expm1(x[0]) + math.log1p(x[1]) + math.log2(x[2]) + math.log10(x[3]) + math.hypot(x[4], x[5])
    return a + math.atan2(x[0], x[1]) + math.copysign(x[2], -1.0) + math.degrees(x[3]) + math.radians(x[4])


def special_functions(x):
    return math.erf(x[0]) + math.erfc(x[1]) + math.gamma(1 + x[2]) + math.lgamma(1 + x[3])


def functions_of_numpy(x):
    a = np.exp(x[0]) + np.log(x[1]) + np.sqrt(x[2]) + np.sin(x[3]) + np.cos(x[4]) + np.tan(x[5])
    b = np.arcsin(x[0] / 9) + np.arccos(x[1] / 9) + np.arctan(x[2]) + np.sinh(x[3]) + np.cosh(x[4])
    return a + b + np.tanh(x[5]) + np.arctan2(x[0], x[1]) + np.hypot(x[2], x[3]) + np.square(x[4]) + np.cbrt(x[5])


def functions_of_arrays(x):
    return (np.exp(-x) + np.log1p(x) * np.sqrt(x) - np.sin(x) ** 2 + np.tanh(x) / np.cosh(x)).sum()


def accumulator_of_int(x):
    s = 0
    for i in range(x.size):
        s += x[i] * i
    return s


def accumulator_of_float(x):
    product = 1.0
    for v in x:
        product *= v + 1
    return product


def while_loop(x):
    y, steps = x[0], 0
    while y < 50.0 and steps < 20:
        y = y * (1 + x[1]) + 0.1
        steps += 1
    return y


def early_return(x):
    for i in range(x.size):
        if x[i] > 0.6:
            return x[i] * x[0]
    return 0.0


def loop_with_break(x):
    s = 0.0
    for i in range(x.size):
        if i == 2:
            continue
        if i == 5:
            break
        s += x[i] * x[i]
    return s


def recursion(x):
    return tower(x[0], 4) * x[1]


def tuples(x):
    a, b = x[0] * x[1], (x[2], x[3] + 1)
    c = (a, b[0], b[1])
    return c[0] * c[1] + c[2] + len(c)


def named_tuples(x):
    p = Point(x[0] * 2, x[1])
    return p.east * p.north + Point(east=1.0, north=2.0).north * x[2]


def lists(x):
    a = [x[0], x[1] * 2]
    a.append(x[2] ** 2)
    return a[0] * a[1] + a[2] + sum([v for v in a])


def comprehension(x):
    return sum([v * v for v in x]) + max([v for v in x])


def typed_lists(x):
    a = List()
    a.append(x[0])
    a.append(x[1] * x[2])
    return a[0] * a[1]


def slices(x):
    return ((x[1:] - x[:-1]) ** 2).sum() + (x[::2] * x[1::2]).sum() + x[-1]


def views(x):
    y = x.copy()
    half = y[:3]
    half[:] = half * 2.0
    return y.sum() + half[0] * y[0]


def array_expressions(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def reductions(x):
    return np.sum(x * x) + np.mean(x) + x.mean() + np.prod(x) + x.prod() + x.sum()


def reductions_along_axes(x):
    y = x.reshape(2, 3)
    return (y.sum(axis=0) ** 2).sum() + np.sum(y * y, axis=1)[1]


def products(x):
    return np.dot(x, WEIGHTS) + x @ x + np.dot(MATRIX, x)[2] + (x @ MATRIX)[3] + (MATRIX @ x)[1]


def products_of_matrices(x):
    a = x.reshape(2, 3)
    return (a @ a.T)[0, 1] + np.dot(a, a.T).sum() + np.outer(x, x)[1, 2]


def running_sums(x):
    return np.cumsum(x)[4] * x.cumsum()[2] + np.diff(x)[1] ** 2 + np.cumprod(x)[3]


def choices(x):
    return np.where(x > 0.5, x * x, -x).sum() + np.where(x[0] > x[1], x[2], x[3])


def zeros_and_ones(x):
    a, b, c = np.zeros(6), np.empty(6), np.ones((2, 3))
    for i in range(6):
        a[i] = x[i] ** 2
        b[i] = x[i] + 1
        c[i % 2, i % 3] *= x[i]
    return (a * b).sum() + c.sum()


def like(x):
    a, b, c, d = np.zeros_like(x), np.empty_like(x), np.ones_like(x), np.full_like(x, 2.0)
    for i in range(6):
        a[i] += x[i]
        b[i] = x[5 - i]
    return (a * b * c * d).sum()


def full(x):
    a = np.full(3, 1.5)
    a[1] = x[0]
    return (a * a).sum() + np.full((2, 2), x[1]).sum()


def array_of_numbers(x):
    a = np.array([x[0], 1.0, x[1] * x[2]])
    b = np.array([0.0, 0.0])
    b[0] = x[3]
    c = np.array([[x[4], x[5]], [1.0, 2.0]])
    return a.sum() * b[0] + c[0, 1] * c[1, 1] + a[2]


def with_dtypes(x):
    a, counts = np.zeros(3, dtype=np.float64), np.zeros(3, np.int64)
    b = np.zeros(2, dtype=x.dtype)
    for i in range(3):
        counts[i] += i
        a[i] = x[i] * counts[i]
    b[1] = x[3]
    return a.sum() + b[1] ** 2


def copies_and_shapes(x):
    y = np.concatenate((x[:3].copy(), x[3:] * 2.0)).reshape(3, 2)
    return y.T[1, 2] * y.ravel()[0] + y.flatten()[3] ** 2 + np.reshape(x, (2, 3))[1, 1]


def stacks(x):
    return np.vstack((x, x * x))[1, 2] + np.hstack((x[:2], x[2:4]))[3] + np.stack((x, x))[0, 1] + np.append(x, 1.0)[5]


def constants_from_outside(x):
    return (WEIGHTS * x).sum() + WEIGHTS[1] * x[0]


def closure():
    scale, offsets = 3.0, np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])

    def with_closure(x):
        return scale * (x * offsets).sum()

    return with_closure


def inner_functions(x):
    def twice(a):
        return 2.0 * a

    double = lambda a: a + a  # noqa: E731
    return twice(x[0]) * double(x[1])


def solve(x):
    a = MATRIX.copy()
    a[0, 0] = 4.0 + x[0]
    return np.linalg.solve(a, x)[2] + np.linalg.solve(MATRIX, x).sum()


def decompositions(x):
    a = MATRIX.copy() + np.outer(x, x)
    return np.linalg.inv(a)[1, 2] * np.linalg.det(a) + np.linalg.cholesky(a)[3, 1]


def norm(x):
    return np.linalg.norm(x) + np.linalg.norm(x[:2] - x[2:4])


def other_functions(x):
    return square(x[0]) + square(square(x[1])) * x[2]


def eager_function(x):
    return eager(x[0]) * x[1]


def inlined_function(x):
    return inlined(x[0]) * x[1]


def complex_numbers(x):
    z = x[0] + 1j * x[1]
    w = z * z / (z + 2.0)
    return w.real + w.imag**2 + abs(z * z)


def complex_functions(x):
    z = np.exp(1j * x[0]) * x[1]
    return (z * z.conjugate()).real + np.abs(z - 1.0)


def parallel_loop(x):
    s = 0.0
    for i in prange(x.size):
        s += x[i] ** 2
    return s


def two_dimensions(x):
    a = np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            a[i, j] = x[i] * x[3 + j]
    return a[0, 1] * a[2, 2] + np.trace(a) + a[1].sum() + a[:, 2].max()


def three_dimensions(x):
    a = np.empty((2, 3, 2))
    for i in range(2):
        for j in range(3):
            for k in range(2):
                a[i, j, k] = x[j] * (i + 1) + x[k + 3]
    return (a[1] * a[0]).sum() + a[0, :, 1].sum() + a.sum()


def rounding(x):
    return int(x[0] * 11) * x[1] + math.floor(x[2] * 7) * x[3] + round(x[4]) + np.ceil(x[5]) * x[0]


def enumerated(x):
    s = 0.0
    for i, v in enumerate(x):
        s += i * v
    for a, b in zip(x, WEIGHTS):  # noqa: B905
        s += a * b
    for i in range(x.shape[0] - 1, -1, -1):
        s += x[i] ** 2
    return s


def differential_equation(x):
    a, b, prey, hunters = x[0], x[1], 1.0, 0.5
    for _ in range(20):
        prey, hunters = prey + 0.1 * (a * prey - prey * hunters), hunters + 0.1 * (prey * hunters - b * hunters)
    return prey * hunters


def particles(x):
    energy = 0.0
    for i in range(3):
        for j in range(i + 1, 3):
            r = 0.0
            for d in range(2):
                r += (x[2 * i + d] - x[2 * j + d]) ** 2
            r = 1.0 / (r + 0.5) ** 3
            energy += r * r - r
    return energy


def boolean_masks(x):
    return x[x > 0.5].sum() + x[np.array([0, 2, 4])].sum()


def sorting(x):
    y = np.sort(x)
    return y[0] * y[-1] + y[2] ** 2


def interpolation(x):
    return np.interp(x[0], np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 2.0]))


def what_numba_has_in_python(x):
    between = (np.linspace(x[0], x[1] + 3, 5) ** 2).sum() + np.kron(x[:2], x[2:4])[3] * np.ptp(x)
    return between + np.cross(x[:3], x[3:]).sum() + np.triu(x.reshape(2, 3))[0, 2] * (np.convolve(x, x[:2]) ** 2).sum()


def order_and_kinds(x):
    median, place = np.median(x) * x[0], np.searchsorted(np.array([0.0, 0.5, 1.0]), x[0])
    return median + x[place] ** 2 + divmod(7 * x[2], 2.0)[1] + x.astype(np.float64).sum() * np.vdot(x[:3], x[3:])


IDIOMS = [
    arithmetic, remainders, powers, power_at_run_time, absolute_values, extremes, extremes_of_arrays, comparisons,
    functions_of_math, more_functions_of_math, special_functions, functions_of_numpy, functions_of_arrays,
    accumulator_of_int, accumulator_of_float, while_loop, early_return, loop_with_break, recursion, tuples,
    named_tuples, lists, comprehension, typed_lists, slices, views, array_expressions, reductions,
    reductions_along_axes, products, products_of_matrices, running_sums, choices, zeros_and_ones, like, full,
    array_of_numbers, with_dtypes, copies_and_shapes, stacks, constants_from_outside, closure(), inner_functions, solve,
    decompositions, norm, other_functions, eager_function, inlined_function, complex_numbers,
    complex_functions, parallel_loop, two_dimensions, three_dimensions, rounding, enumerated,
    differential_equation, particles, boolean_masks, sorting, interpolation, what_numba_has_in_python, order_and_kinds,
]  # fmt: skip
