"""The angular scale of a cosine score, for arrays: 1 − arccos(s)/(π/2)."""

import math

import numpy as np
from numpy.typing import ArrayLike


def to_angular(cosine: ArrayLike) -> np.ndarray:
    """Return 1 − arccos(cosine)/(π/2), with cosines outside [−1, 1] clipped.

    Parameters
    ----------
    cosine : array_like
        A score such as NBS or CKA.

    Returns
    -------
    ndarray
        The score on the angular scale, in [−1, 1], 1 for a cosine of 1.

    Examples
    --------
    >>> to_angular([0.0, 1.0]).tolist()
    [0.0, 1.0]
    """
    angle = np.arccos(np.clip(np.asarray(cosine, dtype=float), -1, 1))
    return np.asarray(1 - angle / (math.pi / 2))


def from_angular(score: ArrayLike) -> np.ndarray:
    """Return the cosine whose angular form is `score`.

    Examples
    --------
    >>> from_angular([0.0, 1.0]).round(12).tolist()
    [0.0, 1.0]
    """
    return np.asarray(np.cos((1 - np.asarray(score, dtype=float)) * math.pi / 2))
