"""Extremes of √(λℓ) − βℓ + γℓ² over 0 ≤ ℓ ≤ u, in closed form: the terms of a Lagrangian."""

import math

import numpy as np


def between(values: np.ndarray, least: np.ndarray | float, most: np.ndarray | float) -> np.ndarray:
    """Return `np.clip(values, least, most)`, in less time for small arrays."""
    return np.asarray(np.minimum(np.maximum(values, least), most))


def term(root: np.ndarray, beta: np.ndarray, gamma: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return root·√ℓ − βℓ + γℓ² at ℓ = `at`."""
    return np.asarray(root * np.sqrt(at) - beta * at + gamma * at * at)


def first_maximum(root: np.ndarray, beta: np.ndarray, gamma: np.ndarray) -> np.ndarray:
    """Return the ℓ of the only local maximum for γ > 0, or inf where there is none.

    With ℓ = x² the stationary points solve x³ − px + q = 0, p = β/(2γ), q = root/(4γ): the smaller
    positive root is the maximum, the larger the minimum.
    """
    p, angle = _trigonometric(root, beta, gamma)
    x = 2 * np.sqrt(p / 3) * np.sin(angle / 3)
    return np.where(np.isnan(x), np.inf, x * x)


def last_minimum(root: np.ndarray, beta: np.ndarray, gamma: np.ndarray) -> np.ndarray:
    """Return the ℓ of the only local minimum for γ > 0, or 0 where there is none."""
    p, angle = _trigonometric(root, beta, gamma)
    x = 2 * np.sqrt(p / 3) * np.cos((math.pi / 2 + angle) / 3)
    return np.where(np.isnan(x), 0, x * x)


def _trigonometric(
    root: np.ndarray, beta: np.ndarray, gamma: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return p and the angle of the trigonometric solution, NaN where it has no positive root."""
    p = beta / (2 * gamma)
    p = np.where(p > 0, p, np.nan)
    with np.errstate(over="ignore", divide="ignore"):
        sine = 1.5 * math.sqrt(3) * root / (4 * gamma) / (p * np.sqrt(p))
    return p, np.arcsin(np.where(sine <= 1, sine, np.nan))


def largest_terms(
    root: np.ndarray, beta: np.ndarray, gamma: np.ndarray, limit: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest value for 0 ≤ ℓ ≤ limit, and the ℓ that has it."""
    return largest_between(root, beta, gamma, np.array(0.0), limit)


def largest_between(
    root: np.ndarray,
    beta: np.ndarray,
    gamma: np.ndarray,
    least: np.ndarray,
    most: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest value for least ≤ ℓ ≤ most, and the ℓ that has it."""
    inner = between(first_maximum(root, beta, gamma), least, most)
    at_inner, at_most = (term(root, beta, gamma, at) for at in (inner, most))
    return np.maximum(at_inner, at_most), np.where(at_most > at_inner, most, inner)


def smallest_terms(
    root: np.ndarray,
    beta: np.ndarray,
    gamma: np.ndarray,
    limit: np.ndarray,
    least: np.ndarray | float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the smallest value for least ≤ ℓ ≤ limit, and the ℓ that has it."""
    inner = between(last_minimum(root, beta, gamma), least, limit)
    at_inner, at_least = (term(root, beta, gamma, np.asarray(at)) for at in (inner, least))
    return np.minimum(at_inner, at_least), np.where(at_inner < at_least, inner, least)
