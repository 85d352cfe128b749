"""How many standard errors a band has to each side."""

from functools import lru_cache
from statistics import NormalDist

from numgrad._checks import number


@lru_cache(64)
def quantile(level: float, free: int) -> float:
    """Return the two-sided quantile of Student's t, to a percent for three degrees of freedom and better for more.

    By Cornish and Fisher's expansion (R. A. Fisher and E. A. Cornish, Technometrics 2, 1960).
    """
    z = NormalDist().inv_cdf(0.5 + level / 2)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return float(z + sum(term / free**k for k, term in enumerate(terms, 1)))


def read_level(level: object) -> float:
    return number("level", level, "a probability above 0 and below 1, such as 0.95", above=0.0, below=1.0)
