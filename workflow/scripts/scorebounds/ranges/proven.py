"""The proven range of every other measure for one score."""

import numpy as np
import pandas as pd

from scorebounds.ranges.bounds import base_of, from_base, outer_range, to_base
from scorebounds.ranges.branching import Work
from scorebounds.ranges.certified import certified_range

# Measures between which there are proven bounds.
BOUNDED = ("cka", "cka_angular", "nbs", "procrustes_angular", "linreg")
# Tolerances that are tried one after the other, as time allows.
TOLERANCES = (0.02, 0.002)
# The form in which each base measure is certified: a tolerance of 0.6 there is at most one of 1 in
# the other form.
FINEST = {"procrustes_angular": "nbs", "cka_angular": "cka"}
# Work of a call: up to about 5 s of one core at 100 dimensions.
MOST_TERMS = 1.5e8
COLUMNS = ["measure", "low", "high"]


def proven_bounds(
    eigenvalues: np.ndarray,
    measure: str,
    score: float,
    *,
    rank: int | None = None,
    outside: bool = True,
    most_terms: float = MOST_TERMS,
) -> pd.DataFrame:
    """Return the range of every other measure that is proven for a score of one measure.

    Parameters
    ----------
    eigenvalues : ndarray, shape (r,)
        Of XXᵀ, X centred: its squared singular values.
    measure : str
        Id of the measure that is known: one of `BOUNDED`.
    score : float
        Its score, between 0 and 1.
    rank : int, optional
        Largest rank that Y can have: min(n_neurons of Y, n_samples − 1); r if it is less or not
        given.
    outside : bool
        Whether samples leave a direction outside X (n_samples − 1 > r). True is always valid.
    most_terms : float
        Number of terms of the Lagrangian after which no bound is tightened further. The bounds are
        valid for any number, and the same on every machine.

    Returns
    -------
    DataFrame
        Columns measure, low, high: a row per other measure of `BOUNDED`.

    Raises
    ------
    ValueError
        If there are no bounds for the measure, or the score is not between 0 and 1.

    Examples
    --------
    >>> proven_bounds(np.array([4.0, 2.0, 1.0]), "cka", 0.6).round(2)
                  measure   low  high
    0         cka_angular  0.41  0.41
    1                 nbs  0.48  0.87
    2  procrustes_angular  0.32  0.68
    3              linreg  0.39  1.00
    """
    if measure not in BOUNDED:
        expected = ", ".join(BOUNDED)
        raise ValueError(f"expected a measure with proven bounds ({expected}), got {measure!r}")
    if not 0 <= score <= 1:
        raise ValueError(f"expected a score of {measure} between 0 and 1, got {score:g}")
    work = Work(most_terms)
    spectrum = _positive(eigenvalues)
    widest = max(rank or 0, len(spectrum))
    at = np.array([float(score)])
    others = [name for name in BOUNDED if name != measure]
    ends = {
        name: np.ravel(outer_range(measure, name, at, spectrum, widest, quick=True))
        for name in others
    }
    # An NBS is turned into a CKA by a search that is as long for a coarse tolerance.
    for tolerance in TOLERANCES if base_of(measure) == "cka" else TOLERANCES[-1:]:
        for form, base in FINEST.items():
            if base_of(measure) not in {"cka", "nbs"} - {base} or work.is_over:
                continue
            low, high = certified_range(
                measure,
                form,
                at,
                spectrum,
                widest,
                outside=outside,
                tolerance=0.6 * tolerance,
                work=work,
            )
            for name in others:
                if base_of(name) == base:
                    tight = from_base(name, to_base(form, np.array([low[0], high[0]])))
                    ends[name] = np.array(
                        [max(ends[name][0], tight[0]), min(ends[name][1], tight[1])]
                    )
    return pd.DataFrame([[name, *map(float, ends[name])] for name in others], columns=COLUMNS)


def _positive(eigenvalues: np.ndarray) -> np.ndarray:
    """Return the eigenvalues above rounding, in decreasing order, of sum 1."""
    values = np.sort(np.asarray(eigenvalues, dtype=float))[::-1]
    values = values[values > values[0] * (len(values) * np.finfo(float).eps) ** 2]
    return np.asarray(values / values.sum())
