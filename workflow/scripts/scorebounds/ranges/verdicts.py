"""What the range of a pair of scores means, in a word."""

# Below this, a guaranteed score says next to nothing; guarantees this much apart are one-sided.
WEAK = 0.25
APART = 0.4
INDEPENDENT, COUPLED, ONE_SIDED, UNKNOWN = "independent", "coupled", "one-sided", "not known"


def verdict(low_b: float, low_a: float) -> str:
    """Say how a pair of scores hangs together, from what a high score of each leaves to the other.

    Parameters
    ----------
    low_b : float
        The smallest b that was attained where a is at least the guide (0.9).
    low_a : float
        The smallest a that was attained where b is.

    Returns
    -------
    str
        `independent` if both are below 0.25, `one-sided` if they are 0.4 or more apart, else
        `coupled`; `not known` where a score of at least the guide was not attained.
    """
    if low_a != low_a or low_b != low_b:
        return UNKNOWN
    if max(low_a, low_b) < WEAK:
        return INDEPENDENT
    return ONE_SIDED if abs(low_a - low_b) >= APART else COUPLED
