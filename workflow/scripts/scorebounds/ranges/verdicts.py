"""What the range of a pair of scores means, in one word."""

import math

# A guaranteed score below WEAK is uninformative; guarantees at least APART apart are one-sided.
WEAK = 0.25
APART = 0.4
INDEPENDENT, COUPLED, ONE_SIDED, UNKNOWN = "independent", "coupled", "one-sided", "not known"


def verdict(low_b: float, low_a: float) -> str:
    """Say how two scores are coupled, from what a high score of each guarantees for the other.

    Parameters
    ----------
    low_b : float
        The smallest b that was attained where a is at least the reference level (0.9).
    low_a : float
        The smallest a that was attained where b is.

    Returns
    -------
    str
        `independent` if both are below 0.25, `one-sided` if they are 0.4 or more apart, else
        `coupled`; `not known` where a score of at least the reference level was not
        attained.
    """
    if math.isnan(low_a) or math.isnan(low_b):
        return UNKNOWN
    if max(low_a, low_b) < WEAK:
        return INDEPENDENT
    return ONE_SIDED if abs(low_a - low_b) >= APART else COUPLED
