"""What the range of a pair of scores means, in a word."""

# Lowest score of the other measure that counts as a guarantee.
GUARANTEE = 0.5
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
        `coupled` if both are at least 0.5, `independent` if neither is, else `one-sided`; `not
        known` where a score of at least the guide was not attained.
    """
    if low_a != low_a or low_b != low_b:
        return UNKNOWN
    guaranteed = int(low_b >= GUARANTEE) + int(low_a >= GUARANTEE)
    return (INDEPENDENT, ONE_SIDED, COUPLED)[guaranteed]
