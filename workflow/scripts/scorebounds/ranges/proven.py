"""The proven range of every other measure for one score."""

import numpy as np
import pandas as pd

from scorebounds.ranges.bounds import SIGNED, base_of, from_base, outer_range, to_base
from scorebounds.ranges.branching import Work
from scorebounds.ranges.certified import certified_ends
from scorebounds.ranges.linked_bounds import Samples, link_of

# Measures whose bounds are exact or certified, and those that are bounded through one of them.
BOUNDED = ("cka", "cka_angular", "nbs", "procrustes_angular", "linreg")
LINKED = ("cka_debiased", "rsa_euclidean_pearson", "cca", "cca_r2", "svcca", "svcca_r2")
LINKED_FAMILIES = ("ridge_<λ>", "svcca_<share>", "svcca_r2_<share>")
# Tolerances that are tried one after the other, as far as the work allows.
TOLERANCES = (0.02, 0.002)
# The form in which each base measure is certified: a tolerance of 0.6 there is at most one of 1 in
# the other form.
FINEST = {"procrustes_angular": "nbs", "cka_angular": "cka"}
# Work of a call: less than 5 s of one core at a rank of 100.
MOST_TERMS = 1.2e8
COLUMNS = ["measure", "low", "high", "bound"]


def proven_bounds(
    eigenvalues: np.ndarray,
    measure: str,
    score: float,
    *,
    rank: int | None = None,
    outside: bool = True,
    samples: Samples | None = None,
    most_terms: float = MOST_TERMS,
) -> pd.DataFrame:
    """Return the range of every other measure that is proven for a score of one measure.

    Parameters
    ----------
    eigenvalues : ndarray, shape (r,)
        Of XXᵀ, X centred: its squared singular values.
    measure : str
        Id of the measure that is known: one of `BOUNDED` or `LINKED`, or of `LINKED_FAMILIES`.
    score : float
        Its score, between 0 and 1 (−1 and 1 for RSA and debiased CKA).
    rank : int, optional
        Largest rank that Y can have: min(n_neurons of Y, n_samples − 1); r if it is less or not
        given.
    outside : bool
        Whether samples leave a direction outside X (n_samples − 1 > r). True is always valid.
    samples : Samples, optional
        Needed for bounds of RSA and debiased CKA.
    most_terms : float
        Number of terms of the Lagrangian after which no bound is tightened further. The bounds are
        valid for any number, and the same on every machine.

    Returns
    -------
    DataFrame
        Columns measure, low, high, bound: a row per other measure about which something is proven;
        an end is NaN where nothing is. `bound` is `exact` where both ends are the best possible,
        `certified` where both are within about 0.002 of what data with enough samples attain, and
        `proven` for others, which can be loose.

    Raises
    ------
    ValueError
        If there are no bounds for the measure, or its score is out of range.

    Examples
    --------
    >>> proven_bounds(np.array([4.0, 2.0, 1.0]), "cka", 0.6).head(4).round(2)
                  measure   low  high      bound
    0         cka_angular  0.41  0.41      exact
    1                 nbs  0.48  0.87  certified
    2  procrustes_angular  0.32  0.68  certified
    3              linreg  0.39  1.00      exact
    """
    spectrum = _positive(eigenvalues)
    widest = max(rank or 0, len(spectrum))
    if measure not in BOUNDED and link_of(measure, spectrum, widest, samples) is None:
        expected = ", ".join((*BOUNDED, *LINKED, *LINKED_FAMILIES))
        raise ValueError(f"expected a measure with proven bounds ({expected}), got {measure!r}")
    least = -1 if measure in SIGNED else 0
    if not least <= score <= 1:
        raise ValueError(f"expected a score of {measure} between {least} and 1, got {score:g}")
    work = Work(most_terms)
    at = np.array([float(score)])
    others = [name for name in (*BOUNDED, *LINKED) if name != measure]
    ends = {
        name: np.ravel(
            outer_range(measure, name, at, spectrum, widest, quick=True, samples=samples)
        )
        for name in others
    }
    bound = {name: "exact" if {measure, name} <= set(BOUNDED) else "proven" for name in others}
    given = base_of(measure)
    implied = {name: base_of(name) for name in others if {given, base_of(name)} == {"cka", "nbs"}}
    bound |= dict.fromkeys(implied, "proven")
    # An NBS is turned into a CKA by a search that is as long for a coarse tolerance.
    for tolerance in TOLERANCES if given == "cka" else TOLERANCES[-1:]:
        for form, base in FINEST.items():
            if base not in implied.values() or work.is_over:
                continue
            found = certified_ends(
                measure,
                form,
                at,
                spectrum,
                widest,
                outside=outside,
                tolerance=0.6 * tolerance,
                work=work,
            )
            is_tight = found.lower_is_tight[0] and found.upper_is_tight[0]
            for name in implied:
                tight = from_base(name, to_base(form, np.array([found.lower[0], found.upper[0]])))
                ends[name] = np.array([max(ends[name][0], tight[0]), min(ends[name][1], tight[1])])
                if is_tight and tolerance == TOLERANCES[-1]:
                    bound[name] = "certified"
    known = [name for name in others if not np.isnan(ends[name]).all()]
    rows = [[name, *map(float, ends[name]), bound[name]] for name in known]
    return pd.DataFrame(rows, columns=COLUMNS)


def _positive(eigenvalues: np.ndarray) -> np.ndarray:
    """Return the eigenvalues above rounding, in decreasing order, of sum 1."""
    values = np.sort(np.asarray(eigenvalues, dtype=float))[::-1]
    values = values[values > values[0] * (len(values) * np.finfo(float).eps) ** 2]
    return np.asarray(values / values.sum())
