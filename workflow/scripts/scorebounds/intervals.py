"""Confidence intervals from few values: Student's t."""

from scipy.special import stdtrit  # the quantile of scipy.stats.t, at a tenth of the import time

CONFIDENCE = 0.95


def half_width(standard_error: float, n_free: int) -> float:
    """Return half the width of the 95 % confidence interval around a mean.

    Parameters
    ----------
    standard_error : float
        Of the mean.
    n_free : int
        Degrees of freedom, at least 1.
    """
    return float(stdtrit(n_free, (1 + CONFIDENCE) / 2)) * standard_error
