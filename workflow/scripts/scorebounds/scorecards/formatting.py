"""Numbers as score cards write them, with the digits that their uncertainty supports."""

from collections.abc import Mapping
from typing import Any

import numpy as np

# The largest p by which scores differ from chance, or from each other.
SIGNIFICANT = 0.05
# Half-width of an interval from which on the third decimal of a score means nothing.
COARSE = 0.005


def number(value: float, digits: int = 3) -> str:
    """Write a score with some decimals, or with three digits where it is large.

    A score that is not 1 is not rounded to 1.

    Examples
    --------
    >>> number(0.6953, 2), number(-0.0001), number(0.9994, 2), number(1.0, 2)
    ('0.70', '0.000', '0.999', '1.00')
    """
    if np.isnan(value):
        return ""
    if abs(value) >= 100:
        return f"{value:.3g}".replace("-", "−")
    text = f"{value:.{digits}f}"
    if digits < 3 and float(text) == 1 and abs(value - 1) > 1e-9:
        text = f"{value:.3f}"
    return _signed(text)


def below_zero(value: float, digits: int = 3) -> str:
    """Write a negative number with as many decimals as it takes to differ from zero.

    Examples
    --------
    >>> below_zero(-0.42, 2), below_zero(-0.003, 2), below_zero(-0.00004)
    ('−0.42', '−0.003', '−4e-05')
    """
    texts = [number(value, digits), number(value)]
    return next((text for text in texts if text.strip("0.")), f"{value:.0e}".replace("-", "−", 1))


def between(low: float, high: float, digits: int = 3) -> str:
    """Write an interval; empty where it is not known."""
    return "" if np.isnan(low + high) else f"{number(low, digits)} to {number(high, digits)}"


def percent(share: float) -> str:
    """Write a share in percent."""
    return _signed(f"{share:.0%}")


def probability(p: float) -> str:
    """Write a p with two digits, or with the digits that show on which side of 0.05 it lies.

    Examples
    --------
    >>> probability(0.0312), probability(0.0504), probability(0.05)
    ('0.031', '0.0504', '0.05')
    """
    texts = [f"{p:.{digits}g}" for digits in (2, 3, 4)]
    is_small = p <= SIGNIFICANT
    return next((text for text in texts if (float(text) <= SIGNIFICANT) == is_small), f"{p:.6g}")


def decimals(row: Mapping[Any, Any]) -> int:
    """Return how many decimals a score is written with.

    As many as its interval supports, or the spread of its chance, but enough to tell it from the
    mean of its chance.
    """
    low, high = row["score_low"], row["score_high"]
    if np.isnan(low + high):
        low, high = row["null_low"], row["null_high"]
    if round(row["score"], 2) == round(row["null_mean"], 2):
        return 3
    return 2 if (high - low) / 2 >= COARSE else 3


def _signed(text: str) -> str:
    """Write a minus sign, but none before zero."""
    is_zero = not text.strip("-0.%")
    return text.lstrip("-") if is_zero else text.replace("-", "−")
