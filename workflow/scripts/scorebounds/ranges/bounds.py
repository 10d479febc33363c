"""Outer bounds: pairs of scores that no data can have. Proofs are in docs/bounds.md.

Everything follows from the spectra. λ are the eigenvalues of XXᵀ and ℓ those of YYᵀ, both scaled
to sum 1 and in decreasing order; Y has at most `rank` of them.
"""

from collections.abc import Callable

import numpy as np

from scorebounds.core.angular import from_angular, to_angular
from scorebounds.ranges.linked_bounds import Samples, link_of
from scorebounds.ranges.nbs_bounds import Range, nbs_given_cka, quick_nbs_given_cka

# Steps in which a bound is inverted, and the distance at which two scores differ.
N_BISECTIONS, INVERSE_ROUNDING = 18, 1e-12

# Measures whose scores can be negative.
SIGNED = {"rsa_euclidean_pearson", "cka_debiased"}
# Measures that are increasing functions of another: their bounds are those of the other.
ANGULAR_OF = {"procrustes_angular": "nbs", "cka_angular": "cka"}


def base_of(measure: str) -> str:
    """Return the measure of which `measure` is a increasing function, or itself."""
    return ANGULAR_OF.get(measure, measure)


def to_base(measure: str, score: np.ndarray) -> np.ndarray:
    """Return the score of the base measure that goes with a score of `measure`."""
    return from_angular(score) if measure in ANGULAR_OF else np.asarray(score, dtype=float)


def from_base(measure: str, score: np.ndarray) -> np.ndarray:
    """Return the score of `measure` that goes with a score of its base measure."""
    return to_angular(score) if measure in ANGULAR_OF else np.asarray(score, dtype=float)


def outer_range(
    a: str,
    b: str,
    grid: np.ndarray,
    eigenvalues: np.ndarray,
    rank: int,
    *,
    quick: bool = False,
    samples: Samples | None = None,
) -> Range:
    """Bound measure b for each value of measure a, for Y of at most `rank` dimensions.

    Parameters
    ----------
    a, b : str
        Ids of measures.
    grid : ndarray, shape (n_grid,)
        Scores of `a`.
    eigenvalues : ndarray, shape (r,)
        Of XXᵀ, X centred: sums of squares along its PCs.
    rank : int
        Largest rank that Y can have, at least r.
    quick : bool
        Leave out the bound of NBS against CKA that is optimised numerically.
    samples : Samples, optional
        Needed for bounds of RSA and of debiased CKA, see `samples_of`.

    Returns
    -------
    tuple of ndarray, shape (n_grid,)
        Lower and upper bound of `b`; NaN where no bound is known.
    """
    spectrum = np.sort(np.asarray(eigenvalues, dtype=float))[::-1]
    spectrum = spectrum / spectrum.sum()
    given, implied = base_of(a), base_of(b)
    first = link_of(given, spectrum, rank, samples)
    second = link_of(implied, spectrum, rank, samples)
    low = high = to_base(a, grid)
    if first is not None:
        low, high = first.implying(low)
    hubs = first.hub if first else given, second.hub if second else implied
    lower, _ = _base_range(*hubs, low, spectrum, rank, quick=quick)
    _, upper = (lower, _) if high is low else _base_range(*hubs, high, spectrum, rank, quick=quick)
    if second is not None:
        lower, upper = second.implied(lower, upper)
    if first is not None or second is not None:
        # An end of the scale is no bound.
        least = (-1 if implied in SIGNED else 0) + INVERSE_ROUNDING
        lower = np.where(lower > least, lower, np.nan)
        upper = np.where(upper < 1 - INVERSE_ROUNDING, upper, np.nan)
    return from_base(b, lower), from_base(b, upper)


def _base_range(
    a: str, b: str, grid: np.ndarray, spectrum: np.ndarray, rank: int, *, quick: bool
) -> Range:
    if a == b:
        return grid.copy(), grid.copy()
    known: dict[tuple[str, str], Callable[[np.ndarray, np.ndarray, int], Range]] = {
        ("cka", "nbs"): quick_nbs_given_cka if quick else nbs_given_cka,
        ("linreg", "nbs"): nbs_given_linreg,
        ("linreg", "cka"): cka_given_linreg,
    }
    if (a, b) in known:
        return known[a, b](grid, spectrum, rank)
    if (b, a) in known:
        return _inverse(known[b, a], grid, spectrum, rank)
    return np.full(len(grid), np.nan), np.full(len(grid), np.nan)


def _inverse(
    bound: Callable[[np.ndarray, np.ndarray, int], Range],
    grid: np.ndarray,
    spectrum: np.ndarray,
    rank: int,
) -> Range:
    """Invert the bounds of b given a: which values of a are possible for each b of `grid`?

    Both ends increase with a. So an a whose upper bound is below b is a lower bound of a, and one
    whose lower bound is above b an upper bound of a: bisection finds the last and the first.
    """
    ends = []
    for number, sign in ((1, 1), (0, -1)):
        excluded, other = np.full(len(grid), 0.5 - 0.5 * sign), np.full(len(grid), 0.5 + 0.5 * sign)
        for _ in range(N_BISECTIONS):
            middle = 0.5 * (excluded + other)
            values, row = np.unique(middle, return_inverse=True)
            end = bound(values, spectrum, rank)[number][row]
            beyond = sign * (grid - end) > INVERSE_ROUNDING
            excluded = np.where(beyond, middle, excluded)
            other = np.where(beyond, other, middle)
        ends.append(excluded)
    is_score = (grid >= 0) & (grid <= 1 + INVERSE_ROUNDING)
    return np.where(is_score, ends[0], np.nan), np.where(is_score, ends[1], np.nan)


def nbs_given_linreg(linreg: np.ndarray, spectrum: np.ndarray, rank: int) -> Range:
    """Bound NBS by √linreg from above and, where Y has no dimension to spare, from below.

    With as many dimensions as X at most, Y that explains a share R of X has NBS² of at least
    λ_r − (1 − R). Both are the best possible.
    """
    return np.sqrt(_least_share(linreg, spectrum, rank)), np.sqrt(linreg)


def cka_given_linreg(linreg: np.ndarray, spectrum: np.ndarray, rank: int) -> Range:
    """Bound CKA by that of X's first components that hold the explained variance.

    Both bounds are the best possible (Cauchy interlacing).
    """
    norm = np.linalg.norm(spectrum)
    before = np.cumsum(spectrum) - spectrum
    filled = np.clip(linreg[:, None] - before, 0, spectrum)
    upper = np.linalg.norm(filled, axis=1) / norm
    return _least_share(linreg, spectrum, rank) / norm, np.minimum(upper, 1)


def _least_share(linreg: np.ndarray, spectrum: np.ndarray, rank: int) -> np.ndarray:
    """Return the least squared overlap that a direction of Y has with X."""
    if rank > len(spectrum):
        return np.zeros(len(linreg))
    return np.asarray(np.clip(spectrum[-1] - (1 - linreg), 0, None))
