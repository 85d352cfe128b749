"""The eleven data sets for linear regression of NIST's reference datasets, https://itl.nist.gov/div898/strd.

Works of the government of the United States, in the public domain. The certified coefficients are the least-squares
solutions of the numbers below, which are computed here in rational numbers: NIST's own have 15 digits of them.
"""

from fractions import Fraction
from math import log10

import numpy as np

from benchmarks.measure import table
from numgrad.regression import CompressedRows, gradient_descent

# x and y.
NORRIS = """
0.2 0.1  337.4 338.8  118.2 118.1  884.6 888.0  10.1 9.2  226.5 228.1  666.3 668.5  996.3 998.5
448.6 449.1  777.0 778.9  558.2 559.2  0.4 0.3  0.6 0.1  775.5 778.1  666.9 668.8  338.0 339.3
447.5 448.9  11.6 10.8  556.0 557.7  228.1 228.3  995.8 998.0  887.6 888.8  120.2 119.6  0.3 0.3
0.3 0.6  556.8 557.6  339.1 339.3  887.2 888.0  999.0 998.5  779.0 778.9  11.1 10.2  118.3 117.6
229.2 228.9  669.1 668.4  448.9 449.2  0.5 0.2
"""
# y at 150000, 300000 and so on to 3000000, twice.
PONTIUS = """
0.11019 0.21956 0.32949 0.43899 0.54803 0.65694 0.76562 0.87487 0.98292 1.09146
1.20001 1.30822 1.41599 1.52399 1.63194 1.73947 1.84646 1.95392 2.06128 2.16844
0.11052 0.22018 0.32939 0.43886 0.54798 0.65739 0.76596 0.87474 0.983 1.0915
1.20004 1.30818 1.41613 1.52408 1.63159 1.73965 1.84696 1.95445 2.06177 2.16829
"""
# x and y.
FILIP = """
-6.860120914 0.8116  -4.324130045 0.9072  -4.358625055 0.9052  -4.358426747 0.9039  -6.955852379 0.8053
-6.661145254 0.8377  -6.355462942 0.8667  -6.118102026 0.8809  -7.115148017 0.7975  -6.815308569 0.8162
-6.519993057 0.8515  -6.204119983 0.8766  -5.853871964 0.8885  -6.109523091 0.8859  -5.79832982 0.8959
-5.482672118 0.8913  -5.171791386 0.8959  -4.851705903 0.8971  -4.517126416 0.9021  -4.143573228 0.909
-3.709075441 0.9139  -3.499489089 0.9199  -6.300769497 0.8692  -5.953504836 0.8872  -5.642065153 0.89
-5.031376979 0.891  -4.680685696 0.8977  -4.329846955 0.9035  -3.928486195 0.9078  -8.56735134 0.7675
-8.363211311 0.7705  -8.107682739 0.7713  -7.823908741 0.7736  -7.522878745 0.7775  -7.218819279 0.7841
-6.920818754 0.7971  -6.628932138 0.8329  -6.323946875 0.8641  -5.991399828 0.8804  -8.781464495 0.7668
-8.663140179 0.7633  -8.473531488 0.7678  -8.247337057 0.7697  -7.971428747 0.77  -7.676129393 0.7749
-7.352812702 0.7796  -7.072065318 0.7897  -6.774174009 0.8131  -6.478861916 0.8498  -6.159517513 0.8741
-6.835647144 0.8061  -6.53165267 0.846  -6.224098421 0.8751  -5.910094889 0.8856  -5.598599459 0.8919
-5.290645224 0.8934  -4.974284616 0.894  -4.64454848 0.8957  -4.290560426 0.9047  -3.885055584 0.9129
-3.408378962 0.9209  -3.13200249 0.9219  -8.726767166 0.7739  -8.66695597 0.7681  -8.511026475 0.7665
-8.165388579 0.7703  -7.886056648 0.7702  -7.588043762 0.7761  -7.283412422 0.7809  -6.995678626 0.7961
-6.691862621 0.8253  -6.392544977 0.8602  -6.067374056 0.8809  -6.684029655 0.8301  -6.378719832 0.8664
-6.065855188 0.8834  -5.752272167 0.8898  -5.132414673 0.8964  -4.811352704 0.8963  -4.098269308 0.9074
-3.66174277 0.9119  -3.2644011 0.9228
"""
# Six features and y.
LONGLEY = """
83 234289 2356 1590 107608 1947 60323
88.5 259426 2325 1456 108632 1948 61122
88.2 258054 3682 1616 109773 1949 60171
89.5 284599 3351 1650 110929 1950 61187
96.2 328975 2099 3099 112075 1951 63221
98.1 346999 1932 3594 113270 1952 63639
99 365385 1870 3547 115094 1953 64989
100 363112 3578 3350 116219 1954 63761
101.2 397469 2904 3048 117388 1955 66019
104.6 419180 2822 2857 118734 1956 67857
108.4 442769 2936 2798 120445 1957 68169
110.8 444546 4681 2637 121950 1958 66513
112.6 482704 3813 2552 123366 1959 68655
114.2 502601 3931 2514 125368 1960 69564
115.7 518173 4806 2572 127852 1961 69331
116.9 554894 4007 2827 130081 1962 70551
"""
# What is added to the polynomial in Wampler 3, and 100 and 10000 times of it in 4 and 5.
WAMPLER = [759, -2048, 2048, -2048, 2523, -2048, 2048, -2048, 1838, -2048]

Rows = list[list[Fraction]]


def numbers(text: str, columns: int) -> Rows:
    found = [Fraction(word) for word in text.split()]
    return [found[low : low + columns] for low in range(0, len(found), columns)]


def powers(points: Rows, degree: int) -> Rows:
    return [[x**k for k in range(degree + 1)] + [y] for x, y in points]


def wampler(factor: int, base: int = 1) -> Rows:
    errors = [*WAMPLER, 2048, *WAMPLER[::-1]]
    b = Fraction(1, base)
    points = ((Fraction(x), e) for x, e in enumerate(errors))
    return powers([[x, sum((b * x) ** k for k in range(6)) + factor * e] for x, e in points], 5)


def pontius() -> Rows:
    y = numbers(PONTIUS, 1)
    return powers([[Fraction(150_000 * (1 + i % 20)), *v] for i, v in enumerate(y)], 2)


# The rows of each: the columns of the model, with that of ones where it has an intercept, then y.
SETS = {
    "Norris": powers(numbers(NORRIS, 2), 1),
    "Pontius": pontius(),
    "NoInt1": [[Fraction(x), Fraction(x + 70)] for x in range(60, 71)],
    "NoInt2": [[Fraction(x), Fraction(y)] for x, y in ((4, 3), (5, 4), (6, 4))],
    "Filip": powers(numbers(FILIP, 2), 10),
    "Longley": [[Fraction(1), *row] for row in numbers(LONGLEY, 7)],
    "Wampler1": wampler(0),
    "Wampler2": wampler(0, 10),
    "Wampler3": wampler(1),
    "Wampler4": wampler(100),
    "Wampler5": wampler(10_000),
}
# Certified coefficients as NIST prints them, by which the numbers above are checked. Those of Wampler 3 to 5 are 1.
CERTIFIED = {
    "Norris": [-0.262323073774029, 1.00211681802045],
    "Pontius": [0.673565789473684e-03, 0.732059160401003e-06, -0.316081871345029e-14],
    "NoInt1": [2.07438016528926],
    "NoInt2": [0.727272727272727],
    "Filip": [
        *(-1467.48961422980, -2772.17959193342, -2316.37108160893, -1127.97394098372, -354.478233703349),
        *(-75.1242017393757, -10.8753180355343, -1.06221498588947, -0.0670191154593408, -0.00246781078275479),
        -0.402962525080404e-04,
    ],
    "Longley": [
        *(-3482258.63459582, 15.0618722713733, -0.0358191792925910, -2.02022980381683, -1.03322686717359),
        *(-0.0511041056535807, 1829.15146461355),
    ],
    "Wampler1": [1.0] * 6,
    "Wampler2": [0.1**k for k in range(6)],
}


def solve(rows: Rows) -> list[Fraction]:
    """Return the least-squares solution of rows that end in y, by the normal equations, in rational numbers."""
    n = len(rows[0]) - 1
    normal = [[sum((r[i] * r[j] for r in rows), Fraction()) for j in range(n + 1)] for i in range(n)]
    for i in range(n):
        normal[i] = [v / normal[i][i] for v in normal[i]]
        for k in range(n):
            if k != i:
                factor = normal[k][i]
                normal[k] = [a - factor * b for a, b in zip(normal[k], normal[i], strict=True)]
    return [row[n] for row in normal]


def arrays(rows: Rows) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return X without a column of ones, y, and whether there was one."""
    table = np.array([[float(v) for v in row] for row in rows])
    has_ones = bool((table[:, 0] == 1).all())
    return table[:, int(has_ones) : -1], table[:, -1], has_ones


def digits(theta: np.ndarray, exact: list[Fraction]) -> float:
    """Return the correct digits of the worst coefficient, at most 15: NIST's log relative error."""
    worst = max(abs((Fraction(float(t)) - e) / e) for t, e in zip(theta, exact, strict=True))
    return min(15.0, -log10(worst)) if worst else 15.0


def by_scipy(x: np.ndarray, y: np.ndarray, has_ones: bool, pivoting: bool) -> np.ndarray:
    """Solve by the Householder QR of LAPACK."""
    from scipy.linalg import qr, solve_triangular

    a = np.column_stack([np.ones(len(x)), x]) if has_ones else x
    q, r, *order = qr(a, mode="economic", pivoting=pivoting)
    theta = solve_triangular(r, q.T @ y)
    return theta[np.argsort(order[0])] if pivoting else theta


def report() -> list[str]:
    """Return the table of correct digits."""
    lines = []
    for name, rows in SETS.items():
        exact = solve(rows)
        x, y, has_ones = arrays(rows)
        run = gradient_descent(
            x, y, fit_intercept=has_ones, standardize=True, learning_rate="bb", n_iter=5000, record=False, tol=1e-15
        )
        found = (
            CompressedRows().update(x, y).solve(fit_intercept=has_ones),
            by_scipy(x, y, has_ones, True),
            by_scipy(x, y, has_ones, False),
            run.theta,
        )
        lines.append(
            f"| {name} | {len(y)} x {len(exact)} | " + " | ".join(f"{digits(f, exact):.1f}" for f in found) + " |"
        )
    text = (
        "Correct digits of the worst coefficient, at most 15, of the certified data sets of NIST. Where powers of x or "
        "decimals are rounded to doubles, fewer can be had: 7.7 for Filip, 13.2 to 14 for Norris, Pontius and Wampler2."
    )
    head = "| data | rows x columns | CompressedRows.solve | scipy's QR, pivoting | scipy's QR | descent, standardised, 'bb' |"  # noqa: E501
    return [text, "", *table(head, lines)]
